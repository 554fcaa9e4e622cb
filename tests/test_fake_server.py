"""The fake server itself: what it says it did is what it did."""

import asyncio
import json
import time

import aiohttp
import pytest

from tests.fake_server import Behaviour, FakeServer, behave, count_prompt_tokens, count_tokens

MESSAGES = [{"role": "user", "content": "How many r's are in strawberry?"}]
ANSWER = "The answer is 3"


@pytest.fixture(scope="module")
def running():
    with FakeServer(in_process=True) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset(Behaviour())
    return running


async def ask(server: FakeServer, *, headers=None, timeout=5.0, **fields) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
        session.post(
            f"{server.url}/chat/completions",
            json={"model": "fake", "messages": MESSAGES, **fields},
            headers=headers,
        ) as response,
    ):
        return response.status, await response.read()


def events(body: bytes) -> list[dict]:
    lines = [line for line in body.decode().split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def test_a_process_of_its_own_serves_the_same_protocol():
    with FakeServer(Behaviour(answers={"2": 1.0})) as server:
        status, body = await ask(server)
        assert status == 200
        assert json.loads(body)["choices"][0]["message"]["content"] == "2"
        assert len(server.ledger().requests) == 1


async def test_the_usage_is_what_the_counting_functions_say(server):
    _, body = await ask(server)
    assert json.loads(body)["usage"] == {
        "prompt_tokens": count_prompt_tokens(MESSAGES),
        "completion_tokens": count_tokens(ANSWER),
        "total_tokens": count_prompt_tokens(MESSAGES) + count_tokens(ANSWER),
    }
    assert (count_tokens(""), count_tokens("1234"), count_tokens("12345")) == (0, 1, 2)


@pytest.mark.parametrize(
    ("usage", "told"), [("none", None), ("zero", 0), ("under", 2), ("over", 8), ("right", 4)]
)
async def test_a_wrong_usage_does_not_change_the_ledger(server, usage, told):
    _, body = await ask(server, headers=behave(usage=usage))
    assert json.loads(body).get("usage", {}).get("completion_tokens") == told
    (request,) = server.ledger().requests
    assert (request.completion_tokens, request.reported_tokens) == (4, told)


async def test_n_completions_cost_one_prompt(server):
    server.reset(Behaviour(answers={"3": 0.7, "2": 0.3}, seed=1))
    _, body = await ask(server, n=64)
    texts = [choice["message"]["content"] for choice in json.loads(body)["choices"]]
    assert len(texts) == 64
    assert 30 < texts.count("3") < 60
    (request,) = server.ledger().requests
    assert request.billed_tokens == count_prompt_tokens(MESSAGES) + 64


@pytest.mark.parametrize(("n", "status", "choices"), [("one", 200, 1), ("error", 400, 0)])
async def test_n_can_be_ignored_or_refused(server, n, status, choices):
    got, body = await ask(server, n=3, headers=behave(n=n))
    assert (got, len(json.loads(body).get("choices", ()))) == (status, choices)


@pytest.mark.parametrize("chars", [1, 3, 4, 100])
@pytest.mark.parametrize("delay", [0, 0.0005])
async def test_the_chunks_of_every_choice_make_up_its_text(server, chars, delay):
    _, body = await ask(
        server,
        n=2,
        stream=True,
        logprobs=True,
        stream_options={"include_usage": True},
        headers=behave(chunk_chars=chars, chunk_delay=delay),
    )
    *chunks, last = events(body)
    texts, tokens, finishes = ["", ""], ["", ""], ["", ""]
    for choice in (chunk["choices"][0] for chunk in chunks):
        index = choice["index"]
        texts[index] += choice["delta"].get("content", "")
        for entry in (choice["logprobs"] or {}).get("content", ()):
            tokens[index] += entry["token"]
        finishes[index] = choice["finish_reason"]
    assert texts == tokens == [ANSWER, ANSWER]
    assert finishes == ["stop", "stop"]
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 8)
    (request,) = server.ledger().requests
    assert (request.completion_tokens, request.written_tokens) == (8, 8)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("likely", [None, 0, 3])
async def test_likely_tokens_are_reported_when_they_are_asked_for(server, stream, likely):
    more = {} if likely is None else {"top_logprobs": likely}
    server.reset(Behaviour(answers={"sure why? yes": 1.0}, chunk_chars=5))
    _, body = await ask(server, logprobs=True, stream=stream, **more)
    choices = [e["choices"][0] for e in events(body)] if stream else json.loads(body)["choices"]
    tokens = [t for choice in choices for t in (choice["logprobs"] or {}).get("content", ())]
    assert [t["token"] for t in tokens] == ["sure", " why", "? ye", "s"]
    assert {len(t["top_logprobs"]) for t in tokens} == {likely or 0}
    if likely:
        assert [t["top_logprobs"][0]["logprob"] for t in tokens] == [t["logprob"] for t in tokens]
        others = [t["top_logprobs"][1]["logprob"] for t in tokens]
        assert others == [-9.0, -9.0, -3.0, -9.0], "unsure of the token with the question mark"


async def test_likely_tokens_without_logprobs_or_too_many_are_refused(server):
    assert (await ask(server, top_logprobs=2))[0] == 400
    assert (await ask(server, logprobs=True, top_logprobs=21))[0] == 400
    assert (await ask(server, logprobs=True, headers=behave(logprobs="refused")))[0] == 400
    _, body = await ask(server, logprobs=True, headers=behave(logprobs="ignored"))
    assert json.loads(body)["choices"][0]["logprobs"] is None


async def test_max_tokens_cuts_unless_it_is_ignored(server):
    server.reset(Behaviour(completion_tokens=100))
    _, body = await ask(server, max_tokens=10)
    (choice,) = json.loads(body)["choices"]
    assert (choice["finish_reason"], count_tokens(choice["message"]["content"])) == ("length", 10)
    _, body = await ask(server, max_completion_tokens=10, headers=behave(ignore_max_tokens=True))
    (choice,) = json.loads(body)["choices"]
    assert (choice["finish_reason"], count_tokens(choice["message"]["content"])) == ("stop", 100)
    assert choice["message"]["content"].endswith(ANSWER)
    assert [request.completion_tokens for request in server.ledger().requests] == [10, 100]


async def test_a_client_that_leaves_mid_stream_stops_the_generation(server):
    server.reset(Behaviour(completion_tokens=1000, chunk_chars=4, chunk_delay=0.01))
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}/chat/completions",
            json={"model": "fake", "messages": MESSAGES, "stream": True},
        ) as response,
    ):
        await response.content.readuntil(b'"Let ')
    (request,) = server.ledger(settle=2).requests
    assert request.fate == "client_disconnected"
    assert 1 <= request.completion_tokens < 100


async def test_a_client_that_leaves_before_the_answer_is_billed_for_the_time_it_took(server):
    server.reset(Behaviour(completion_tokens=1000, latency=1))
    with pytest.raises(TimeoutError):
        await ask(server, timeout=0.2)
    (request,) = server.ledger(settle=2).requests
    assert (request.fate, request.written_tokens) == ("client_disconnected", 0)
    assert 100 < request.completion_tokens < 900


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        ("429", "error_status"),
        ("reset", "reset"),
        ("reset-mid-stream", "reset"),
        ("hang", "hung"),
        ("hang-mid-stream", "hung"),
        ("truncated", "completed"),
        ("malformed", "completed"),
        ("empty", "completed"),
    ],
)
async def test_every_fault_has_its_fate(server, fault, fate, stream):
    server.reset(Behaviour(script=[fault]))
    outcome: object
    try:
        status, body = await ask(server, stream=stream, timeout=0.2)
        outcome = status
        if fault != "429":
            texts = events(body) if stream else json.loads(body)["choices"]
            outcome = "answered" if texts else "nothing"
    except TimeoutError:
        outcome = "timeout"
    except aiohttp.ClientError:
        outcome = "disconnected"
    except (AssertionError, ValueError):
        outcome = "unreadable"
    expected = {"error_status": 429, "reset": "disconnected", "hung": "timeout"}
    readable = "answered" if fault == "empty" else "unreadable"
    assert outcome == expected.get(fate, readable)
    status, _ = await ask(server)
    assert status == 200
    faulty, sound = server.ledger(settle=2).requests
    assert (faulty.fault, faulty.fate) == (fault, fate)
    assert (sound.fault, sound.fate) == (None, "completed")
    assert (faulty.billed_tokens == 0) == (fate == "error_status")


async def test_retry_after_is_sent_only_when_asked_for(server):
    server.reset(Behaviour(script=["429-retry-after", "429"]))
    headers = []
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.post(
                f"{server.url}/chat/completions", json={"messages": MESSAGES}
            ) as response:
                headers.append(response.headers.get("Retry-After"))
    assert headers == ["1", None]


async def test_the_same_seed_gives_the_same_faults_and_answers(server):
    async def run() -> list[tuple]:
        server.reset(Behaviour(seed=7, answers={"2": 1, "3": 1}, faults={"500": 0.3}))
        return [await ask(server) for _ in range(30)]

    first = await run()
    assert first == await run()
    assert {status for status, _ in first} == {200, 500}


async def test_the_seed_of_a_request_decides_its_text(server):
    server.reset(Behaviour(answers={str(answer): 1 for answer in range(100)}))
    bodies = [json.loads((await ask(server, seed=seed))[1]) for seed in (1, 1, 2)]
    first, again, other = (body["choices"][0]["message"]["content"] for body in bodies)
    assert first == again != other


async def test_tool_calls_are_answered_when_tools_are_offered(server):
    server.reset(Behaviour(tool_calls=[{"name": "add", "arguments": {"a": 1}}]))
    tools = [{"type": "function", "function": {"name": "add"}}]
    _, body = await ask(server, tools=tools)
    (choice,) = json.loads(body)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (call["function"]["name"], choice["finish_reason"]) == ("add", "tool_calls")
    _, body = await ask(server)
    assert json.loads(body)["choices"][0]["message"]["content"] == ANSWER


async def test_the_ledger_knows_the_clock_and_the_concurrency(server):
    server.reset(Behaviour(latency=0.1))
    before = time.monotonic()
    await asyncio.gather(*(ask(server) for _ in range(8)))
    ledger = server.ledger()
    assert ledger.max_concurrency == 8
    for request in ledger.requests:
        assert before < request.started < request.started + 0.09 < request.ended < time.monotonic()


def test_a_fault_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="faults must be among"):
        Behaviour(script=["explode"])
