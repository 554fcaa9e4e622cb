"""What becomes of refusals: asked again without what was refused, or given up on."""

import time
from types import SimpleNamespace

import aiohttp
import anthropic
import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph.budget import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.failures import failure, one_line

ASKED = Request(messages=[HumanMessage("q?")], max_output_tokens=50)


class Busy(Scripted):
    """Answers 429 and says how long to wait."""

    retry_after: str = "0"

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        self.calls.append(options)
        error = RuntimeError("too many requests")
        error.status_code = 429
        error.response = SimpleNamespace(headers={"retry-after": self.retry_after})
        raise error


@pytest.mark.parametrize("patience", ["61", "86400", "inf"])
async def test_a_provider_that_asks_for_too_much_patience_is_given_up_on(patience):
    model = Busy(retry_after=patience)
    started = time.monotonic()
    completions = await complete(endpoint(model), ASKED, Budget(calls=10))
    assert completions[0].error == "RuntimeError: too many requests"
    assert (len(model.calls), completions[0].usage.calls) == (1, 1)
    assert time.monotonic() - started < 10


async def test_a_provider_that_asks_for_a_little_is_asked_again():
    model = Busy(retry_after="0.01")
    completions = await complete(endpoint(model), ASKED, Budget(calls=10))
    assert len(model.calls) == completions[0].usage.calls == 3


async def test_a_server_that_does_not_take_stream_options_is_asked_without_them():
    with FakeServer(Behaviour(refuses=["stream_options"]), in_process=True) as server:
        known = endpoint(ChatOpenAI(model="fake", api_key="none", base_url=server.url))
        completions = await complete(known, ASKED, Budget(calls=4, seconds=30))
        requests = server.ledger(settle=1).requests
    assert completions[0].text == "The answer is 3"
    assert completions[0].notes == ("fake does not take stream_options: asked without it",)
    assert len(requests) == completions[0].usage.calls == 2
    assert completions[0].usage.output_tokens > 0, "counted, because it was not reported"


async def test_a_refusal_of_what_was_not_sent_is_a_failure():
    with FakeServer(Behaviour(refuses=["messages"]), in_process=True) as server:
        known = endpoint(ChatOpenAI(model="fake", api_key="none", base_url=server.url))
        completions = await complete(known, ASKED, Budget(calls=4, seconds=30))
        assert len(server.ledger(settle=1).requests) == 1
    assert "messages" in completions[0].error


class Status(RuntimeError):
    def __init__(self, status, **headers):
        super().__init__("refused")
        self.status_code = status
        self.response = SimpleNamespace(headers=headers)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422, 429, 500, 503, 529])
def test_what_a_provider_refuses_or_fails_at_itself_is_not_billed(status):
    read = failure(Status(status))
    assert (read.status, read.fate_known, read.sent) == (status, True, True)


@pytest.mark.parametrize("status", [408, 409, 425, 502, 504, 520, 522, 524])
def test_what_somebody_in_between_says_may_have_been_billed(status):
    read = failure(Status(status))
    assert (read.status, read.fate_known, read.transient) == (status, False, True)


@pytest.mark.parametrize("status", [501, 505, 521, 599])
def test_any_other_failure_of_a_server_may_hide_a_call_that_was_done(status):
    assert not failure(Status(status)).fate_known


@pytest.mark.parametrize(
    ("status", "transient"),
    [*((s, False) for s in (400, 401, 403, 404, 413, 422)), (429, True), (500, True), (529, True)],
)
def test_only_what_may_go_away_by_itself_is_asked_again(status, transient):
    assert failure(Status(status)).transient is transient


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("2", 2.0), ("0.5", 0.5), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), (None, None)],
)
def test_the_patience_that_a_provider_asks_for_is_read(told, seconds):
    headers = {} if told is None else {"retry-after": told}
    assert failure(Status(429, **headers)).retry_after == seconds


AIOHTTP_KEY = SimpleNamespace(ssl=None, host="h", port=1, is_ssl=False)
HTTPX_REQUEST = httpx.Request("POST", "http://localhost")


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("too late"),
        httpx.PoolTimeout("busy"),
        ConnectionRefusedError("refused"),
        aiohttp.ClientConnectorError(AIOHTTP_KEY, OSError("refused")),
        aiohttp.ClientConnectorDNSError(AIOHTTP_KEY, OSError("no such name")),
        caused(openai.APIConnectionError(request=HTTPX_REQUEST), httpx.ConnectError("refused")),
        caused(anthropic.APIConnectionError(request=HTTPX_REQUEST), httpx.ConnectError("refused")),
    ],
    ids=repr,
)
def test_what_was_never_sent_is_asked_again_for_nothing(error):
    read = failure(error)
    assert (read.transient, read.fate_known, read.sent) == (True, True, False)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("too late"),
        httpx.ReadError("gone"),
        httpx.RemoteProtocolError("half a body"),
        ConnectionResetError("gone"),
        BrokenPipeError("gone"),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
        openai.APITimeoutError(HTTPX_REQUEST),
        caused(openai.APIConnectionError(request=HTTPX_REQUEST), httpx.ReadError("gone")),
        RuntimeError("Event loop is closed"),
    ],
    ids=repr,
)
def test_what_was_lost_on_the_way_may_have_been_billed_and_is_asked_again(error):
    read = failure(error)
    assert (read.transient, read.fate_known, read.sent) == (True, False, True)


@pytest.mark.parametrize(
    "error", [ValueError("odd"), KeyError("choices"), RuntimeError(), OSError()]
)
def test_what_nobody_knows_may_have_been_billed_and_is_not_asked_again(error):
    read = failure(error)
    assert (read.transient, read.fate_known, read.sent) == (False, False, True)


def test_a_chain_of_causes_that_goes_round_is_read_to_its_end():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert failure(one).message == "ValueError: one"


def test_a_message_is_one_line_of_bounded_length():
    assert one_line(ValueError("first\nsecond")) == "ValueError: first"
    assert one_line(ValueError()) == "ValueError"
    assert len(one_line(ValueError("x" * 5_000))) == 300


class Spoilt(Scripted):
    """A client whose reply had come, and who failed at reading it."""

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        await super()._agenerate(messages, **options)
        raise KeyError("choices")


async def test_a_reply_that_came_before_its_client_failed_is_charged():
    model = Spoilt()
    [completion] = await complete(endpoint(model), ASKED, Budget(calls=3))
    assert completion.error == "KeyError: 'choices'"
    assert len(model.calls) == completion.usage.calls == 1
    assert model.calls[0].billed <= completion.usage.tokens
    assert completion.usage.output_tokens == ASKED.max_output_tokens
