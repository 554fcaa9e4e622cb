"""A reward model on a server: a server that is as strict as the real ones, and that fails."""

import asyncio
import json
import math
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.verifiers.rewards.test_apis import classified, pooled, predicted, reranked, scored
from tscale_graph import Budget, best_of_n
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers import named_verifier, reward_model, verify
from tscale_graph.verifiers.rewards.asking import sigmoid

MESSAGES = {"model", "messages"}
SHAPES = {
    "/classify": (MESSAGES, {"model", "input"}),
    "/pooling": (MESSAGES, {"model", "input"}),
    "/score": ({"model", "text_1", "text_2"},),
    "/rerank": ({"model", "query", "documents"}, {"query", "texts"}),
    "/predict": ({"inputs"},),
}
REPLIES = {
    "/classify": classified(0.25),
    "/pooling": pooled([0.0]),
    "/score": scored(0.25),
    "/rerank": reranked(0.25),
    "/predict": predicted(LABEL_0=0.25),
}


class Server:
    """Refuses with 422 whatever has other fields than the API's; fails first as it is told."""

    def __init__(self, *, script=(), replies=REPLIES, delay=0.0, key=None):
        self.script, self.replies, self.delay, self.key = list(script), replies, delay, key
        self.bodies = []
        self.url = ""

    async def handle(self, request):
        body = json.loads(await request.read())
        self.bodies.append(body)
        await asyncio.sleep(self.delay)
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        fault = self.script.pop(0) if self.script else None
        if fault == "reset":
            request.transport.abort()
        if isinstance(fault, int):
            return web.json_response({"error": "Model is overloaded"}, status=fault)
        if fault == "html":
            return web.Response(text="<html>")
        fields = {*body} | ({"model"} if "inputs" not in body and "texts" not in body else set())
        if fields not in SHAPES[request.path]:
            return web.json_response({"error": f"unknown fields {sorted(body)}"}, status=422)
        if "texts" in body:
            return web.json_response([{"index": 0, "score": 0.25}])
        reply = self.replies[request.path]
        return web.json_response(reply(body) if callable(reply) else reply)


@asynccontextmanager
async def serving(**settings):
    server = Server(**settings)
    runner = web.ServerRunner(web.Server(server.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "api", "score"),
    [
        ("/classify", None, 0.25),
        ("/pooling", None, 0.5),
        ("/score", None, 0.25),
        ("/rerank", None, 0.25),
        ("/predict", None, 0.25),
        ("/rerank", "tei_rerank", 0.25),
    ],
)
async def test_every_server_is_understood(path, api, score):
    async with serving() as server:
        verdict = await verify(reward_model(server.url + path, api=api), "1 + 1?", "2")
    assert (verdict.score, verdict.passed) == (score, None)
    assert (verdict.usage.calls, verdict.usage.tokens) == (0, 0)
    assert verdict.usage.seconds > 0


async def test_the_model_the_key_and_the_template_are_sent():
    async with serving(key="secret") as server:
        verifier = reward_model(
            f"{server.url}/classify",
            model="rm",
            api_key="secret",
            template="{question} -> {answer}",
            pass_at=0.2,
        )
        verdict = await verifier("1 + 1?", "2 {braces}")
        assert server.bodies == [{"model": "rm", "input": "1 + 1? -> 2 {braces}"}]
        assert verdict.passed is True
        assert "secret" not in repr(verifier)
        with pytest.raises(VerifierError, match=r"HTTP 401: .*Unauthorized"):
            await reward_model(f"{server.url}/classify")("1 + 1?", "2")


@pytest.mark.parametrize("script", [[429], [503, "reset"]])
async def test_what_may_pass_is_tried_again(script):
    async with serving(script=script) as server:
        verdict = await reward_model(f"{server.url}/score")("1 + 1?", "2")
        assert len(server.bodies) == len(script) + 1
    assert verdict.score == 0.25


@pytest.mark.parametrize(
    ("script", "problem", "tries"),
    [
        ([400], "HTTP 400: .*overloaded", 1),
        ([503, 503, 503], "HTTP 503", 3),
        (["html"], "no JSON: '<html>'", 1),
    ],
)
async def test_what_will_not_pass_is_an_error_in_one_line(script, problem, tries):
    async with serving(script=script) as server:
        with pytest.raises(VerifierError, match=problem) as caught:
            await reward_model(f"{server.url}/score")("1 + 1?", "2")
        assert len(server.bodies) == tries
        assert server.url in str(caught.value)
        assert "\n" not in str(caught.value)
    assert caught.value.usage.seconds > 0


async def test_the_deadline_is_kept_and_retries_stop_at_it():
    async with serving(delay=30) as server:
        with pytest.raises(VerifierError, match="no reply before the deadline"):
            await reward_model(f"{server.url}/score")("q", "a", deadline=time.time() + 0.2)
        with pytest.raises(VerifierError, match="the deadline had passed"):
            await reward_model(f"{server.url}/score")("q", "a", deadline=time.time() - 1)
        assert len(server.bodies) == 1


async def test_nobody_listening_is_an_error():
    async with serving() as server:
        gone = server.url
    with pytest.raises(VerifierError, match="ConnectError"):
        await reward_model(f"{gone}/score")("q", "a", deadline=time.time() + 1.5)


async def test_a_score_outside_its_range_says_what_to_set():
    async with serving(replies={"/classify": classified(3.5)}) as server:
        url = f"{server.url}/classify"
        with pytest.raises(VerifierError, match=r"got 3.5: set to_score"):
            await reward_model(url)("q", "a")
        assert (await reward_model(url, to_score="sigmoid")("q", "a")).score == sigmoid(3.5)
        assert (await reward_model(url, to_score=lambda r: r / 7)("q", "a")).score == 0.5


@given(st.floats(-700, 700), st.floats(-700, 700))
def test_the_map_to_scores_is_monotone_and_inverts_log_odds(low, high):
    low, high = sorted((low, high))
    assert 0 <= sigmoid(low) <= sigmoid(high) <= 1
    if abs(low) < 15:
        assert math.log(sigmoid(low) / (1 - sigmoid(low))) == pytest.approx(low, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"url": "localhost:8000/classify"}, "url must be such as http"),
        ({"url": "http://h/v1/embed"}, "must be one of classify, pooling"),
        ({"api": "grade"}, "api must be one of"),
        ({"to_score": "softmax"}, "to_score must be"),
        ({"pass_at": 2}, "pass_at must be between 0 and 1, got 2"),
        ({"seconds": 0}, "seconds must be positive, got 0"),
        ({"template": "{question}"}, "must have {answer}"),
        ({"template": "{answer"}, "no format string"),
        ({"api": "score", "template": "{answer}"}, "template is for"),
    ],
)
def test_a_bad_argument_fails_when_it_is_made(arguments, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        reward_model(**{"url": "http://h/classify", **arguments})
    assert "\n" not in str(caught.value)


def test_it_has_a_name_on_the_command_line():
    assert named_verifier("reward:http://h:8000/classify").api == "classify"
    tei = named_verifier("reward:tei_rerank=http://h:8000/rerank")
    assert (tei.api, tei.url) == ("tei_rerank", "http://h:8000/rerank")
    with pytest.raises(ValueError, match="url must be such as"):
        named_verifier("reward:")


async def test_best_of_n_takes_it():
    from tests.scripted import Scripted

    async with serving() as server:
        verifier = reward_model(f"{server.url}/score")
        graph = best_of_n(Scripted(), verifier, n=2, stop="fixed", max_output_tokens=32).compile()
        asked = {"messages": [("user", "How many?")], "budget": Budget(calls=2, seconds=20)}
        result = (await graph.ainvoke(asked))["result"]
    assert result.verdict.score == 0.25
    assert result.usage.calls == 2
