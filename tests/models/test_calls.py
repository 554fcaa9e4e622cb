"""The one place that calls a model: what is cut off, given up on, and paid for."""

import asyncio
import time

import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.fake_server import Behaviour
from tests.models.calling import LEASE, PROMPT, client
from tests.scripted import Scripted, Streaming, Synchronous
from tscale_graph import Budget
from tscale_graph.models.attempts import UNWANTED, ConfidenceFloor, Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import HONOURS_KEY, endpoint

LONG = "and so on and on " * 100


async def halted(model, *, after, lease=LEASE, **more):
    """The completion of a call that nobody wants any more after so many seconds."""
    halt = asyncio.Event()
    asyncio.get_running_loop().call_later(after, halt.set)
    request = Request(messages=PROMPT, max_output_tokens=500, **more)
    [completion] = await complete(model, request, lease, halt=halt)
    return completion


@pytest.mark.parametrize("kind", [Scripted, Synchronous])
async def test_a_call_in_one_piece_that_is_not_wanted_is_charged_its_whole_lease(kind):
    model = kind(delay=0.5)
    completion = await halted(endpoint(model), after=0.05)
    assert (completion.discarded, completion.error, completion.cut_off_by) == (UNWANTED, None, None)
    bound = endpoint(model).counter.prompt_bound(PROMPT)
    assert completion.usage.calls == 1
    assert completion.usage.tokens == bound + 500


async def test_a_stream_that_is_not_wanted_keeps_what_had_come_and_is_charged_its_lease():
    model = Streaming(answers=[LONG], pause=0.01)
    completion = await halted(endpoint(model), after=0.1)
    assert (completion.discarded, completion.cut_off_by) == (UNWANTED, None)
    assert LONG.startswith(completion.text)
    (call,) = model.calls
    assert call.fate == "cancelled"
    assert completion.usage.tokens == endpoint(model).counter.prompt_bound(PROMPT) + 500


async def test_a_stream_over_http_that_is_not_wanted_is_never_charged_too_little(server):
    server.reset(Behaviour(answers={LONG: 1.0}, chunk_delay=0.02))
    completion = await halted(client(server), after=0.2, stream=True)
    assert completion.discarded == UNWANTED
    (request,) = server.ledger(settle=5).requests
    whole = client(server).counter.prompt_bound(PROMPT) + 500
    assert request.billed_tokens <= completion.usage.tokens == whole


async def test_what_is_not_wanted_from_the_start_is_never_asked_for():
    model = Scripted()
    halt = asyncio.Event()
    halt.set()
    [completion] = await complete(endpoint(model), Request(messages=PROMPT), LEASE, halt=halt)
    assert (completion.discarded, completion.usage.calls, model.calls) == (UNWANTED, 0, [])


async def test_waiting_to_try_again_ends_when_the_reply_is_not_wanted(server):
    server.reset(Behaviour(script=["429-retry-after"]))
    started = time.monotonic()
    completion = await halted(client(server), after=0.1)
    assert time.monotonic() - started < 0.9, "of the second that it was told to wait"
    assert (completion.discarded, completion.usage.calls) == (UNWANTED, 1)


async def test_a_halt_that_never_comes_changes_nothing():
    model = Scripted()
    request = Request(messages=PROMPT)
    [completion] = await complete(endpoint(model), request, LEASE, halt=asyncio.Event())
    assert (completion.text, completion.discarded) == ("The answer is 3", None)
    assert completion.usage.tokens == model.calls[0].billed


DOUBTFUL = "All is well so far, " + "??? " * 50 + LONG


async def test_a_stream_that_falls_below_the_floor_is_cut_off_there(server):
    server.reset(Behaviour(answers={DOUBTFUL: 1.0}, chunk_delay=0.01))
    floor = ConfidenceFloor(lowest_group=6.0, window=4)
    request = Request(messages=PROMPT, logprobs=5, floor=floor, max_output_tokens=1_000)
    [completion] = await complete(client(server), request, LEASE)
    assert completion.discarded.startswith("cut off: the model had become less sure")
    assert (completion.truncated, completion.cut_off_by) == (True, None)
    assert "???" in completion.text
    assert len(completion.text) < 60
    (sent,) = server.ledger(settle=2).requests
    assert (sent.stream, sent.fate) == (True, "client_disconnected")
    whole = client(server).counter.prompt_bound(PROMPT) + 1_000
    assert sent.billed_tokens <= completion.usage.tokens < whole / 4


async def test_a_stream_that_stays_above_the_floor_is_whole(server):
    server.reset(Behaviour(answers={LONG: 1.0}))
    floor = ConfidenceFloor(lowest_group=6.0, window=4)
    request = Request(messages=PROMPT, logprobs=5, floor=floor, max_output_tokens=1_000)
    [completion] = await complete(client(server), request, LEASE)
    assert (completion.text, completion.discarded) == (LONG, None)
    assert completion.usage.tokens == server.ledger().billed_tokens


@pytest.mark.parametrize("usage", ["right", "under", "none"])
async def test_the_tokens_of_several_completions_are_counted_together(server, usage):
    """Some servers report the tokens of one completion of n: the rest were made all the same."""
    server.reset(Behaviour(answers={"one two three four five six " * 8: 1.0}, usage=usage))
    request = Request(messages=PROMPT, n=6)
    completions = await complete(client(server), request, Budget(calls=6, tokens=9_000))
    assert len(completions) == 6
    spent = sum(completion.usage.tokens for completion in completions)
    (sent,) = server.ledger().requests
    assert sum(completion.usage.calls for completion in completions) == 6
    assert spent >= sent.prompt_tokens + sent.completion_tokens // 2
    if usage == "right":
        assert spent == sent.billed_tokens


async def test_a_report_of_one_completion_of_several_is_not_believed(server, monkeypatch):
    from tests.fake_server.answers import Answer

    honest = Answer._usage
    monkeypatch.setattr(Answer, "_usage", lambda self, total: honest(self, total // self._entry.n))
    server.reset(Behaviour(answers={"one two three four five six " * 8: 1.0}))
    request = Request(messages=PROMPT, n=6)
    completions = await complete(client(server), request, Budget(calls=6, tokens=9_000))
    spent = sum(completion.usage.output_tokens for completion in completions)
    (sent,) = server.ledger().requests
    assert sent.reported_tokens == sent.completion_tokens // 6
    assert spent > 3 * sent.reported_tokens


class Counted(BaseModel):
    count: int


@pytest.mark.parametrize("usage", ["right", "none"])
async def test_a_reply_too_short_for_its_schema_is_charged_all_the_same(server, usage):
    """OpenAI's client raises `LengthFinishReasonError`; the tokens were made and are billed."""
    server.reset(Behaviour(answers={'{"count": 3' + "0" * 400: 1.0}, usage=usage))
    model = ChatOpenAI(
        model="fake", base_url=server.url, api_key="none", metadata={HONOURS_KEY: True}
    )
    bound = endpoint(model.bind(response_format=Counted))
    request = Request(messages=PROMPT, max_output_tokens=20)
    [completion] = await complete(bound, request, LEASE)
    assert completion.error.startswith("LengthFinishReasonError")
    (sent,) = server.ledger().requests
    assert sent.completion_tokens == 20
    assert completion.usage.calls == 1
    if usage == "right":
        assert completion.usage.tokens == sent.billed_tokens
    else:
        assert completion.usage.tokens == bound.counter.prompt_bound(PROMPT) + 20


async def test_a_reply_that_does_not_fit_its_schema_is_charged_its_whole_lease(server):
    server.reset(Behaviour(answers={'{"colour": "red"}': 1.0}))
    model = ChatOpenAI(
        model="fake", base_url=server.url, api_key="none", metadata={HONOURS_KEY: True}
    )
    bound = endpoint(model.bind(response_format=Counted))
    [completion] = await complete(bound, Request(messages=PROMPT, max_output_tokens=20), LEASE)
    assert "ValidationError" in completion.error
    (sent,) = server.ledger().requests
    assert completion.usage.calls == 1
    assert sent.billed_tokens <= completion.usage.tokens
