"""One request on the wire: asked under its limit, and given up on at the deadline or when told."""

import asyncio
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import Field

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted, Streaming
from tscale_graph.budget import Budget, Usage
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import HONOURS_KEY, endpoint

PROMPT = [HumanMessage("How many r's are in strawberry?")]
LONG = "and so on and on " * 40
TRUSTED = {HONOURS_KEY: True}


@pytest.fixture(scope="module")
def running():
    with FakeServer(in_process=True) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset(Behaviour())
    return running


def client(server, **more):
    arguments = {"model": "fake", "base_url": server.url, "api_key": "none", "metadata": TRUSTED}
    return endpoint(ChatOpenAI(**{**arguments, **more}))


def asked(**more):
    return Request(messages=PROMPT, **{"max_output_tokens": 200, **more})


@pytest.mark.parametrize("own", [{"max_tokens": 7}, {"max_completion_tokens": 7}])
async def test_the_users_own_output_limit_is_what_the_server_sees_and_what_is_charged(server, own):
    server.reset(Behaviour(answers={LONG: 1.0}, script=["reset"]))
    model = client(server, **own)
    [completion] = await complete(model, asked(), Budget(calls=2))
    requests = server.ledger(settle=2).requests
    assert [request.max_tokens for request in requests] == [7, 7]
    lost = model.counter.prompt_bound(PROMPT) + 7
    assert completion.usage.tokens == lost + requests[1].billed_tokens


async def test_a_lease_shortens_the_users_own_limit_but_never_lengthens_it(server):
    model = client(server, max_tokens=150)
    bound = model.counter.prompt_bound(PROMPT)
    await complete(model, asked(), Budget(tokens=bound + 40))
    await complete(model, asked(), Budget(tokens=bound + 4_000))
    assert [request.max_tokens for request in server.ledger().requests] == [40, 150]


async def test_what_the_provider_counted_for_a_prompt_replaces_its_bound(server):
    """A prompt of 4000 bytes that counts 1003 tokens leaves the rest of a lease to the answer."""
    server.reset(Behaviour(answers={LONG: 1.0}))
    messages = [HumanMessage("word" * 1_000)]
    lease = Budget(tokens=1_400, calls=1)
    model = client(server)
    [refused] = await complete(model, Request(messages=messages), lease)
    assert (refused.cut_off_by, refused.usage, server.ledger().requests) == ("tokens", Usage(), [])
    known = Request(messages=messages, prompt_tokens=1_003)
    [completion] = await complete(model, known, lease)
    [sent] = server.ledger().requests
    assert (completion.error, sent.prompt_tokens, sent.max_tokens) == (None, 1_003, 1_400 - 1_003)


async def test_what_the_provider_counted_is_what_a_lost_call_is_charged(server):
    server.reset(Behaviour(script=["reset"]))
    known = asked(prompt_tokens=11, max_output_tokens=20)
    [completion] = await complete(client(server), known, Budget(calls=1))
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == (11, 20)


@pytest.mark.parametrize("usage", ["right", "none"])
async def test_a_stream_that_broke_off_without_a_word_is_not_believed(server, usage):
    server.reset(Behaviour(answers={LONG: 1.0}, script=["truncated"], usage=usage, chunk_chars=4))
    model = client(server)
    [completion] = await complete(model, asked(stream=True), Budget(calls=3))
    [sent] = server.ledger(settle=2).requests
    assert LONG.startswith(completion.text)
    assert completion.truncated
    assert completion.notes == ("the stream ended without saying so",)
    assert completion.usage.tokens == model.counter.prompt_bound(PROMPT) + 200
    assert completion.usage.tokens >= sent.billed_tokens


async def test_a_stream_that_ended_by_itself_is_believed(server):
    [completion] = await complete(client(server), asked(stream=True), Budget(calls=3))
    assert (completion.truncated, completion.notes) == (False, ())
    assert completion.usage.tokens == server.ledger().billed_tokens


@pytest.mark.parametrize("late", [0.0, 5.0])
@pytest.mark.parametrize("kind", [Scripted, Streaming])
async def test_i7_nothing_is_sent_at_or_after_the_deadline(kind, late):
    model = kind()
    now = 1_000.0
    completions = await complete(
        endpoint(model), asked(), Budget(calls=3), deadline=now - late, clock=lambda: now
    )
    assert [c.cut_off_by for c in completions] == ["seconds"]
    assert (model.calls, completions[0].usage) == ([], Usage())


async def test_i7_no_second_attempt_is_made_that_the_deadline_leaves_no_time_for(server):
    server.reset(Behaviour(script=["429-retry-after"] * 3))
    [completion] = await complete(client(server), asked(), Budget(calls=3, seconds=0.6))
    assert len(server.ledger().requests) == completion.usage.calls == 1
    assert completion.status == 429


class Timed(Streaming):
    """Keeps when each of its calls began."""

    begun: list = Field(default_factory=list)

    def begin(self, messages, options):
        self.begun.append(time.monotonic())
        return super().begin(messages, options)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.03), st.integers(0, 1000))
def test_i8_a_call_that_is_cancelled_anywhere_lets_go_and_asks_nothing_more(pause, seed):
    async def cancelled():
        model = Timed(draws=random.Random(seed), delay=0.004, pause=0.001, fail=0.3)
        work = asyncio.ensure_future(
            complete(endpoint(model), asked(), Budget(calls=3, tokens=900), rng=random.Random(1))
        )
        await asyncio.sleep(pause)
        ended = work.done()
        work.cancel()
        [outcome] = await asyncio.gather(work, return_exceptions=True)
        stopped = time.monotonic()
        assert model.in_flight == 0
        await asyncio.sleep(0.01)
        assert all(began <= stopped for began in model.begun)
        assert len(model.calls) <= 3
        if ended:
            [completion] = outcome
            assert completion.usage.calls == len(model.calls)
            assert completion.usage.tokens == sum(call.billed for call in model.calls)
        else:
            assert isinstance(outcome, asyncio.CancelledError)

    asyncio.run(cancelled())


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.03), st.integers(0, 1000), st.sampled_from([Scripted, Streaming]))
def test_i3_and_i5_a_call_that_is_given_up_on_anywhere_is_charged_once(pause, seed, kind):
    """Never less than was billed, never more than the leases of what was sent, never negative."""

    async def halted():
        model = kind(draws=random.Random(seed), delay=0.004, fail=0.3)
        known, halt = endpoint(model), asyncio.Event()
        lease = Budget(calls=3, tokens=900)
        asyncio.get_running_loop().call_later(pause, halt.set)
        rng = random.Random(seed)
        completions = await complete(known, asked(), lease, rng=rng, halt=halt)
        usage = Usage.total(completion.usage for completion in completions)
        each = known.counter.prompt_bound(PROMPT) + 200
        assert usage.calls == len(model.calls)
        assert sum(call.billed for call in model.calls) <= usage.tokens
        assert usage.tokens <= each * len(model.calls)
        if completions[0].discarded is None:
            assert usage.tokens == sum(call.billed for call in model.calls)
        assert lease.exceeded_by(usage) is None

    asyncio.run(halted())


class _Overloaded(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}'
        self.send_response(529)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def overloaded():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Overloaded) as server:
        server.asked = []
        serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("calls", [1, 2])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_anthropics_client_does_not_retry_behind_our_back(overloaded, calls, stream):
    where = f"http://127.0.0.1:{overloaded.server_port}"
    model = ChatAnthropic(model="claude-fake", base_url=where, api_key="none", max_retries=4)
    request = asked(stream=stream, temperature=None)
    [completion] = await complete(endpoint(model), request, Budget(calls=calls))
    assert completion.status == 529
    assert len(overloaded.asked) == completion.usage.calls == calls
    assert {body["max_tokens"] for body in overloaded.asked} == {200}
