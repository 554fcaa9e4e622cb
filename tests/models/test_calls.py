"""The one place that calls a model: what is cut off, given up on, and paid for."""

import asyncio
import random
import threading
import time
from typing import ClassVar

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted, Streaming, Synchronous
from tscale_graph import Budget, Usage
from tscale_graph.models import calls
from tscale_graph.models.attempts import UNWANTED, ConfidenceFloor, Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import HONOURS_KEY, endpoint

PROMPT = [HumanMessage("How many r's are in strawberry?")]
LONG = "and so on and on " * 100
LEASE = Budget(tokens=2_000, calls=3)


@pytest.fixture(scope="module")
def running():
    with FakeServer(in_process=True) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset(Behaviour())
    return running


def connection(server):
    return {"model": "fake", "base_url": server.url, "api_key": "none"}


def client(server, **more):
    return endpoint(ChatOpenAI(**connection(server), **more))


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
    from tests import fake_server

    honest = fake_server._Answer._usage
    monkeypatch.setattr(
        fake_server._Answer, "_usage", lambda self, total: honest(self, total // self._entry.n)
    )
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


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, which take no time."""
    taken = []

    async def wait(seconds, halt):
        taken.append(seconds)

    monkeypatch.setattr(calls, "_wait", wait)
    return taken


@pytest.mark.parametrize("fault", ["429", "500", "503"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_what_is_transient_is_tried_again_and_every_attempt_is_a_call(
    server, pauses, fault, stream
):
    server.reset(Behaviour(script=[fault, fault]))
    request = Request(messages=PROMPT, max_output_tokens=50, stream=stream)
    [completion] = await complete(client(server), request, LEASE)
    ledger = server.ledger()
    assert (completion.text, completion.error) == ("The answer is 3", None)
    assert [r.fate for r in ledger.requests] == ["error_status", "error_status", "completed"]
    assert completion.usage.calls == len(pauses) + 1 == 3
    assert completion.usage.tokens == ledger.billed_tokens


@pytest.mark.parametrize("allowed", [1, 2, 3, 8])
async def test_there_are_as_many_attempts_as_the_lease_has_calls_and_at_most_three(
    server, pauses, allowed
):
    server.reset(Behaviour(script=["503"] * 9))
    [completion] = await complete(client(server), Request(messages=PROMPT), Budget(calls=allowed))
    assert completion.status == 503
    assert len(server.ledger().requests) == completion.usage.calls == min(3, allowed)


async def test_what_is_not_transient_is_not_tried_again(server, pauses):
    server.reset(Behaviour(script=["400"]))
    [completion] = await complete(client(server), Request(messages=PROMPT), LEASE)
    assert (completion.status, pauses) == (400, [])
    assert len(server.ledger().requests) == completion.usage.calls == 1


async def test_pauses_grow_and_are_spread_by_the_generator_that_was_given(server, pauses):
    for _ in range(2):
        server.reset(Behaviour(script=["503"] * 3))
        rng = random.Random(5)
        await complete(client(server), Request(messages=PROMPT), LEASE, rng=rng)
    assert pauses[:2] == pauses[2:]
    assert 0.125 <= pauses[0] <= 0.375
    assert 0.25 <= pauses[1] <= 0.75


async def test_a_provider_is_given_the_time_that_it_asks_for(server, pauses):
    server.reset(Behaviour(script=["429-retry-after"] * 2))
    [completion] = await complete(client(server), Request(messages=PROMPT), LEASE)
    assert completion.text == "The answer is 3"
    assert all(1.0 <= pause < 1.1 for pause in pauses)
    assert len(pauses) == 2


async def test_a_lost_call_leaves_a_second_attempt_only_what_its_lease_did_not_pay(server, pauses):
    """The fate of the first is unknown: it counts as a whole one."""
    server.reset(Behaviour(script=["reset", None]))
    model = endpoint(ChatOpenAI(**connection(server), metadata={HONOURS_KEY: True}))
    bound = model.counter.prompt_bound(PROMPT)
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(model, request, Budget(calls=3, tokens=2 * bound + 50 + 20))
    requests = server.ledger(settle=2).requests
    assert [r.max_tokens for r in requests] == [50, 20]
    assert completion.usage.tokens == bound + 50 + requests[1].billed_tokens


async def test_what_a_lost_call_left_too_little_for_is_not_tried_again(server, pauses):
    server.reset(Behaviour(script=["reset", None]))
    model = endpoint(ChatOpenAI(**connection(server), metadata={HONOURS_KEY: True}))
    bound = model.counter.prompt_bound(PROMPT)
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(model, request, Budget(calls=3, tokens=2 * bound + 50))
    assert completion.error is not None
    assert len(server.ledger(settle=2).requests) == 1
    assert completion.usage.tokens == bound + 50


@pytest.mark.parametrize(
    ("refused", "asked"),
    [("temperature", {"temperature": 0.7}), ("seed", {"seed": 5}), ("logprobs", {"logprobs": 2})],
)
async def test_an_option_that_is_refused_is_left_out_and_the_refusal_is_a_call(
    server, pauses, refused, asked
):
    server.reset(Behaviour(refuses=[refused]))
    [completion] = await complete(client(server), Request(messages=PROMPT, **asked), LEASE)
    ledger = server.ledger()
    assert completion.text == "The answer is 3"
    assert completion.notes == (f"fake does not take {refused}: asked without it",)
    assert (len(ledger.requests), completion.usage.calls, pauses) == (2, 2, [0.0])
    assert completion.usage.tokens == ledger.billed_tokens


async def test_a_refused_option_is_not_tried_again_where_the_lease_has_no_call_left(server, pauses):
    server.reset(Behaviour(refuses=["temperature"]))
    request = Request(messages=PROMPT, temperature=0.7)
    [completion] = await complete(client(server), request, Budget(calls=1))
    assert (completion.status, completion.usage.calls) == (400, 1)
    assert len(server.ledger().requests) == 1


class Uncountable(Scripted):
    def get_num_tokens(self, text):
        raise OverflowError("too long")


async def test_a_prompt_that_cannot_be_counted_is_a_failed_completion_and_is_not_sent():
    model = Uncountable()
    [completion] = await complete(endpoint(model), Request(messages=PROMPT), LEASE)
    assert completion.error == "the prompt cannot be counted: OverflowError: too long"
    assert (model.calls, completion.usage) == ([], Usage())


@pytest.mark.parametrize("kind", [Scripted, Streaming])
async def test_a_reply_that_cannot_be_counted_is_a_failed_completion_at_its_whole_lease(kind):
    class Spoilt(kind):
        def get_num_tokens(self, text):
            raise OverflowError("too long")

    model = Spoilt(usage="none")
    request = Request(messages=PROMPT, max_output_tokens=50, prompt_tokens=20)
    [completion] = await complete(endpoint(model), request, Budget(calls=3, tokens=500))
    assert "OverflowError: too long" in completion.error
    assert (len(model.calls), completion.usage.calls, completion.usage.tokens) == (1, 1, 70)


class CountedElsewhere(Scripted):
    """Its server counts, and takes its time over what it was told to be slow at."""

    counts_by_server: ClassVar[bool] = True
    slow_at: str = "nothing"
    patience: threading.Event = Field(default_factory=threading.Event)

    def get_num_tokens(self, text):
        if self.slow_at in text:
            self.patience.wait(30)
        return super().get_num_tokens(text)


@pytest.fixture
def elsewhere():
    model = CountedElsewhere(usage="none")
    yield model
    model.patience.set()


async def beats(work):
    """The outcome of some work, and the longest time that the event loop stood still for it."""
    task, longest, before = asyncio.ensure_future(work), 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.01)
        longest, before = max(longest, time.monotonic() - before), time.monotonic()
    return await task, longest


async def test_a_prompt_that_is_not_counted_in_time_is_cut_off_by_seconds(elsewhere):
    elsewhere.slow_at = "strawberry"
    request = Request(messages=PROMPT)
    work = complete(endpoint(elsewhere), request, Budget(calls=3, seconds=0.2))
    [completion], stood_still = await beats(work)
    assert completion.cut_off_by == "seconds"
    assert (elsewhere.calls, completion.usage) == ([], Usage())
    assert stood_still < 5, "of the thirty seconds that counting takes"


async def test_a_reply_that_is_not_counted_in_time_is_kept_at_its_whole_lease(elsewhere):
    elsewhere.slow_at = "answer"
    request = Request(messages=PROMPT, max_output_tokens=50)
    bound = endpoint(elsewhere).counter.prompt_bound(PROMPT)
    work = complete(endpoint(elsewhere), request, Budget(calls=3, seconds=0.3))
    [completion], stood_still = await beats(work)
    assert (completion.text, completion.error) == ("The answer is 3", None)
    assert (completion.usage.calls, completion.usage.tokens) == (1, bound + 50)
    assert stood_still < 5, "of the thirty seconds that counting takes"


async def test_where_a_server_counts_in_time_its_count_is_what_is_charged(elsewhere):
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(endpoint(elsewhere), request, Budget(calls=3, seconds=30))
    assert completion.usage.tokens == elsewhere.calls[0].billed
