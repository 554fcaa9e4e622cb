"""Log-probabilities over HTTP: a server on loopback with vLLM's and OpenAI's response shapes."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tscale_graph.verifiers.process.features import features, features_of_many
from tscale_graph.verifiers.process.logprob_servers import (
    EchoedLogprobs,
    LogprobsError,
    PromptLogprobs,
)
from tscale_graph.verifiers.process.logprobs import TokenLogprobs

QUESTION = "What is 3 + 4?"
STEPS = ["3 + 4 = 7", "答案是 7."]


def cut(text):
    """Tokens of at most four characters, none beyond the end of a line."""
    lines = text.splitlines(keepends=True)
    return [line[k : k + 4] for line in lines for k in range(0, len(line), 4)]


def logprob(token):
    return -(sum(token.encode()) % 100) / 100


class Handler(BaseHTTPRequestHandler):
    """Both ways of telling the log-probabilities of a prompt, checked as the servers check them."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body, self.headers.get("authorization")))
        status, reply = self.server.answer or (200, None)
        if reply is None:
            reply = self.chat(body) if self.path == "/v1/chat/completions" else self.echo(body)
        packed = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def chat(self, body):
        assert body["continue_final_message"] is not body["add_generation_prompt"]
        turns = [f"<|{turn['role']}|>\n{turn['content'].strip()}" for turn in body["messages"]]
        tokens = cut("\n".join(turns))
        entries = [
            {str(place): {"logprob": logprob(token), "rank": 3, "decoded_token": token}}
            for place, token in enumerate(tokens)
        ]
        return {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "!"}}],
            "usage": {"prompt_tokens": len(tokens), "completion_tokens": 1},
            "prompt_logprobs": [None, *entries[1:]],
        }

    def echo(self, body):
        assert body["echo"] is True
        tokens = [*cut(body["prompt"]), "!"]
        told = {
            "tokens": tokens,
            "token_logprobs": [None, *map(logprob, tokens[1:])],
            "top_logprobs": [None, *({token: logprob(token)} for token in tokens[1:])],
            "text_offset": [len("".join(tokens[:k])) for k in range(len(tokens))],
        }
        return {
            "object": "text_completion",
            "choices": [{"index": 0, "text": body["prompt"] + "!", "logprobs": told}],
            "usage": {"prompt_tokens": len(tokens) - 1, "completion_tokens": 1},
        }

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def running():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(running):
    running.asked, running.answer = [], None
    running.url = f"http://127.0.0.1:{running.server_port}/v1"
    return running


def prompt(question):
    return f"<|user|>\n{question}\n<|assistant|>\n"


def sources(url):
    return {
        "chat": PromptLogprobs(url, "policy", api_key="k"),
        "echo": EchoedLogprobs(url, "policy", prompt, api_key="k"),
    }


@pytest.mark.parametrize("way", ["chat", "echo"])
def test_a_server_tells_the_statistics_of_each_step(way, server):
    lines = [step + "\n" for step in STEPS]
    found = TokenLogprobs(sources(server.url)[way])(QUESTION, lines)
    values = [[logprob(t) for t in cut(step) if not t.isspace()] for step in lines]
    if way == "chat":  # the template takes the whitespace from the end of a turn
        values[-1] = [logprob(token) for token in cut(STEPS[-1])]
    np.testing.assert_allclose(found[:, 0], [np.mean(of_step) for of_step in values])
    np.testing.assert_allclose(found[:, 1], [min(of_step) for of_step in values])
    np.testing.assert_allclose(found[:, 3], [of_step[-1] for of_step in values])
    [(_, body, key)] = server.asked
    assert (body["model"], body["max_tokens"], key) == ("policy", 1, "Bearer k")


def test_the_question_stands_before_the_solution_in_the_template(server):
    chat = PromptLogprobs(server.url, "policy", system="Be brief.")
    told = chat(QUESTION, "7")
    text = f"<|system|>\nBe brief.\n<|user|>\n{QUESTION}\n<|assistant|>\n7"
    assert [token for token, _ in told[1:]] == cut(text)[1:], "vLLM does not tell the first"
    assert told[0][1] is None
    echoed = EchoedLogprobs(server.url, "policy", prompt)(QUESTION, "7")
    assert "".join(token for token, _ in echoed) == f"{prompt(QUESTION)}7"


@pytest.mark.parametrize("way", ["chat", "echo"])
async def test_it_may_be_asked_while_an_event_loop_runs(way, server):
    assert asyncio.get_running_loop()
    assert sources(server.url)[way](QUESTION, "7")[-1] == ("7", logprob("7"))


@pytest.mark.parametrize("way", ["chat", "echo"])
@pytest.mark.parametrize(
    "reply",
    [
        {"choices": [{"index": 0, "text": "!", "logprobs": None}]},
        {"choices": [{"logprobs": {"tokens": ["!"], "token_logprobs": [-1.0]}}]},
        {"choices": [], "prompt_logprobs": None},
        {"choices": [], "prompt_logprobs": [None, {}, {"7": {"rank": 1}}]},
        [],
        "no",
    ],
)
def test_a_server_that_does_not_tell_them_is_an_error_in_one_line(way, reply, server):
    server.answer = 200, reply
    with pytest.raises(LogprobsError, match=r"tells no prompt_logprobs|does not echo") as caught:
        sources(server.url)[way](QUESTION, "7")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["chat", "echo"])
def test_a_server_that_refuses_is_told_and_the_features_are_unknown(way, server):
    server.answer = 400, {"error": {"message": "prompt_logprobs are not available"}}
    [(matrix, [note])] = features_of_many(
        [TokenLogprobs(sources(server.url)[way])], [(QUESTION, STEPS)]
    )
    assert np.isnan(matrix).all()
    assert "HTTP 400" in note
    assert "prompt_logprobs are not available" in note


def test_several_solutions_are_asked_for_side_by_side(server):
    one = TokenLogprobs(sources(server.url)["chat"], parallel=3)
    solutions = [(QUESTION, [f"{k} + 1 = {k + 1}"]) for k in range(6)]
    together = [matrix for matrix, _ in features_of_many([one], solutions)]
    assert len(server.asked) == 6
    for found, solution in zip(together, solutions, strict=True):
        np.testing.assert_array_equal(found, features([one], *solution)[0])
