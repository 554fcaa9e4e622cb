"""Speculation: more samples at once than the rule needs, and none kept once it is settled."""

import asyncio
import random
import time

import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted, Streaming
from tests.verifiers.judges.readers import billed, reader
from tscale_graph import Budget, BudgetExceeded, best_of_n, self_consistency
from tscale_graph.budget import Usage
from tscale_graph.candidates import SamplingError, VerifierError
from tscale_graph.verifiers.judges import judge
from tscale_graph.votes import LogprobVote

UNWANTED = "cancelled: the answer was settled without it"
LONG = "and so it goes on " * 40


class Uneven(Streaming):
    """Each call takes as long as its place says, and says what its place says."""

    delays: tuple[float, ...] = ()

    async def wait(self):
        delay = self.delays[(len(self.calls) - 1) % len(self.delays)]
        await asyncio.sleep(delay)


async def ask(graph, budget=None):
    asked = {"messages": [("user", "How many?")], "budget": budget or Budget(tokens=100_000)}
    return (await graph.compile().ainvoke(asked))["result"]


def voting(model, **arguments):
    return self_consistency(model, **{"max_samples": 16, **arguments})


async def test_more_samples_are_in_flight_than_the_rule_needs():
    patient, hurried = Scripted(delay=0.02), Scripted(delay=0.02)
    await ask(voting(patient))
    await ask(voting(hurried, speculate=5))
    assert (patient.most_in_flight, hurried.most_in_flight) == (4, 9)


async def test_no_more_than_max_parallel_are_in_flight_all_the_same():
    model = Scripted(delay=0.01)
    await ask(voting(model, speculate=10, max_parallel=6))
    assert model.most_in_flight == 6


async def test_hung_samples_are_cancelled_at_once_when_the_answer_is_settled():
    model = Uneven(delays=(*[0.0] * 4, *[60.0] * 5))
    started = time.monotonic()
    result = await ask(voting(model, speculate=5))
    assert time.monotonic() - started < 5, "of the 60 that they would have hung"
    assert (result.answer, result.status, result.cut_off_by) == ("3", "complete", None)
    assert [c.discarded for c in result.candidates] == [None] * 4 + [UNWANTED] * 5
    assert f"discarded: {UNWANTED} (5 times)" in result.notes
    assert [call.fate for call in model.calls] == ["completed"] * 4 + ["cancelled"] * 5


async def test_the_cancelled_are_counted_for_what_they_had_said():
    model = Uneven(delays=(*[0.0] * 4, *[60.0] * 2), pause=0.0)
    result = await ask(voting(model, speculate=2, max_output_tokens=1_000))
    assert result.usage.calls == len(model.calls) == 6
    whole_leases = 2 * 1_000
    assert billed(model) <= result.usage.tokens < billed(model) + whole_leases + 100


async def test_a_stream_that_was_cancelled_is_charged_its_whole_lease():
    class Talks(Streaming):
        """The first four say it at once, the others go on and on."""

        async def wait(self):
            self.pause = 0.0 if len(self.calls) <= 4 else 0.01

    model = Talks(answers=[*["The answer is 3"] * 4, *[LONG] * 2])
    result = await ask(voting(model, speculate=2, max_output_tokens=1_000))
    cut = [c for c in result.candidates if c.discarded]
    assert len(cut) == 2
    assert [c.usage.output_tokens for c in cut] == [1_000] * 2
    assert billed(model) <= result.usage.tokens


async def test_a_sample_that_failed_costs_one_sample_and_no_more():
    class FailsOnce(Scripted):
        def draw(self, low=0.0, high=1.0):
            return 0.0 if len(self.calls) == 2 else 1.0

    model = FailsOnce(fail=0.5, delay=0.01)
    result = await ask(voting(model, speculate=1))
    assert result.answer == "3"
    assert sum(1 for c in result.candidates if c.error) == 1
    assert len(model.calls) == result.usage.calls == 5
    assert result.usage.tokens == billed(model)


async def test_when_all_in_a_race_fail_the_last_error_is_raised():
    with pytest.raises(SamplingError, match=r"all 16 samples failed.*scripted failure"):
        await ask(voting(Scripted(fail=1.0), speculate=3))


async def test_a_race_that_is_not_settled_goes_on_with_another_wave():
    model = Scripted(answers=["The answer is 3", "The answer is 2"])
    result = await ask(voting(model, speculate=2))
    assert len(model.calls) == 16 == len(result.candidates)
    assert [c.index for c in result.candidates] == list(range(16))


async def test_missing_log_probabilities_end_the_race_and_what_is_in_flight():
    model = Uneven(delays=(0.0, *[60.0] * 8))
    graph = voting(model, speculate=8, vote=LogprobVote(), stop="beta")
    with pytest.raises(ValueError, match="needs log-probabilities"):
        await asyncio.wait_for(ask(graph), 5)
    assert {call.fate for call in model.calls} == {"completed", "cancelled"}


async def test_cancelling_the_caller_cancels_the_race():
    model = Scripted(hang=1.0)
    running = asyncio.create_task(ask(voting(model, speculate=4)))
    while len(model.calls) < 8:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {call.fate for call in model.calls} == {"cancelled"}


def test_a_race_runs_from_invoke_too():
    model = Uneven(delays=(*[0.0] * 4, *[60.0] * 5))
    asked = {"messages": [("user", "How many?")], "budget": Budget(tokens=100_000)}
    result = voting(model, speculate=5).compile().invoke(asked)["result"]
    assert (result.answer, len(result.candidates)) == ("3", 9)


async def test_a_sample_waiting_to_try_again_is_given_up_on_as_well():
    with FakeServer(Behaviour(script=[None] * 4 + ["429-retry-after"] * 3), in_process=True) as s:
        model = OneAtATime(model="fake", base_url=s.url, api_key="none")
        started = time.monotonic()
        result = await ask(voting(model, speculate=3), Budget(calls=50))
        assert time.monotonic() - started < 0.9, "of the second that they were told to wait"
        assert result.usage.calls == len(s.ledger().requests) == 7


class OneAtATime(ChatOpenAI):
    """A client that is not known to answer several times at once."""


class Slow:
    """A verifier that keeps what it saw, and when."""

    def __init__(self, passes, delay=0.0):
        self.passes, self.delay, self.seen = passes, delay, []

    async def __call__(self, question, answer):
        self.seen.append(answer)
        await asyncio.sleep(self.delay)
        return answer == self.passes


NUMBERS = tuple(f"The answer is {n}" for n in range(8))


async def test_samples_are_verified_as_they_come_and_the_first_pass_ends_the_race():
    model = Uneven(answers=NUMBERS, delays=(60.0, 0.0, 0.02, *[60.0] * 5))
    verifier = Slow("2")
    result = await asyncio.wait_for(ask(best_of_n(model, verifier, n=8, speculate=7)), 5)
    assert (result.answer, result.verdict.passed) == ("2", True)
    assert verifier.seen == ["1", "2"]
    assert len(model.calls) == result.usage.calls == 8
    assert sum(1 for c in result.candidates if c.discarded) == 6


async def test_a_sample_that_comes_after_the_end_is_not_verified():
    # The second comes while the first is being told that it has passed.
    class Together(Scripted):
        async def wait(self):
            await asyncio.sleep(0.02)

    verifier = Slow("0")
    result = await ask(best_of_n(Together(answers=NUMBERS), verifier, n=4, speculate=3))
    assert result.answer == "0"
    assert len(verifier.seen) + sum(1 for c in result.candidates if c.discarded) == 4


async def test_equal_answers_in_one_race_are_verified_once():
    verifier = Slow(None, delay=0.05)
    model = Scripted(delay=0.01)
    result = await ask(best_of_n(model, verifier, n=6, speculate=5))
    assert verifier.seen == ["3"]
    assert len(model.calls) == 6
    assert result.verdict.passed is False


async def test_equal_answers_in_one_race_are_paid_for_as_often_as_they_were_judged():
    sampler, scores = Scripted(delay=0.01), reader('{"score": 4}', delay=0.03)
    result = await ask(best_of_n(sampler, judge(scores), n=6, speculate=5))
    assert result.usage.calls == len(sampler.calls) + len(scores.calls)
    assert result.usage.tokens == billed(sampler) + billed(scores)


async def fails(question, answer, lease):
    await asyncio.sleep(0.01)
    raise VerifierError("no idea", Usage(calls=1, input_tokens=7))


async def test_verdicts_that_did_not_come_are_counted_in_a_race_too():
    sampler = Scripted(answers=NUMBERS)
    with pytest.raises(SamplingError, match="no idea") as caught:
        await ask(best_of_n(sampler, fails, n=4, speculate=3))
    assert caught.value.usage.calls == 4 + 4
    assert caught.value.usage.tokens == billed(sampler) + 4 * 7


@pytest.mark.parametrize("seed", range(40))
async def test_a_race_with_a_judge_never_exceeds_a_limit(seed):
    rng = random.Random(seed)
    sampler = Streaming(answers=NUMBERS, delay=0.001, fail=rng.choice([0, 0.2]))
    scores = reader(rng.choice(['{"score": 4}', '{"score": 10}', "hm"]), fail=rng.choice([0, 0.3]))
    limits = {"calls": rng.randint(1, 24), "tokens": rng.randint(20, 5_000)}
    budget = Budget.model_validate({n: limits[n] for n in rng.sample([*limits], rng.randint(1, 2))})
    graph = best_of_n(
        sampler,
        judge(scores, max_output_tokens=30, pass_at=0.9),
        n=8,
        speculate=rng.randint(1, 8),
        max_output_tokens=20,
    )
    try:
        usage = (await ask(graph, budget)).usage
    except (BudgetExceeded, SamplingError) as error:
        usage = error.usage
    assert usage.calls == len(sampler.calls) + len(scores.calls)
    assert usage.tokens >= billed(sampler) + billed(scores)
    assert budget.exceeded_by(usage.model_copy(update={"seconds": 0.0})) is None


@pytest.mark.parametrize("calls", [4, 6, 8])
async def test_in_a_race_every_sample_that_was_taken_is_judged(calls):
    sampler, scores = Scripted(answers=NUMBERS), reader('{"score": 4}')
    graph = best_of_n(sampler, judge(scores), n=8, speculate=7, stop="beta")
    result = await ask(graph, Budget(calls=calls))
    assert len(sampler.calls) == len(scores.calls) == calls // 2
    assert all(c.verdict for c in result.candidates)


async def test_a_provider_that_answers_several_times_at_once_needs_no_race():
    with FakeServer(in_process=True) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        result = await ask(voting(model, speculate=5))
        (request,) = server.ledger().requests
        assert (request.n, request.fate) == (9, "completed")
        assert not any(c.discarded for c in result.candidates)
        assert result.usage.tokens == request.billed_tokens


async def test_a_race_is_saved_and_not_run_again():
    model = Uneven(delays=(*[0.0] * 4, *[60.0] * 5))
    graph = voting(model, speculate=5).compile(
        checkpointer=InMemorySaver(), interrupt_before=["finish"]
    )
    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", "How many?")], "budget": Budget(tokens=100_000)}
    await graph.ainvoke(asked, thread)
    result = (await graph.ainvoke(None, thread))["result"]
    assert (len(model.calls), result.usage.calls, result.answer) == (9, 9, "3")


@pytest.mark.parametrize("speculate", [-1, True])
def test_a_number_of_samples_that_is_none_is_refused(speculate):
    with pytest.raises(ValueError, match="speculate must be"):
        voting(Scripted(), speculate=speculate)
