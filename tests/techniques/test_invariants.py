"""The invariants of the accounts, on whole graphs; each test is named after what must hold.

I1 what is settled and what is in flight never exceed the limit together; I2 nothing stays open; I3
the usage is the sum of its parts; I4 what was billed is at most that; I5 settling twice counts
once; I6 no budget, no call; I7 nothing is sent after the deadline; I8 a run may be cancelled
anywhere; I9 a technique inside a technique keeps to its lease; I10 the order of arrival makes no
difference; I11 resuming anywhere pays for nothing twice; I12 a run that is cut off has a result;
I13 a larger budget asks for all that a smaller one asked for; I14 a seed decides, not who comes
first; I15 the simulator's costs are the graph's (in tests/models/test_replay.py).
"""

import asyncio
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from tests.scripted import Scripted
from tscale_graph import Budget, BudgetExceeded, Candidate, Usage, best_of_n, self_consistency
from tscale_graph.candidates import SamplingError
from tscale_graph.techniques.state import add_candidates, add_checks, merge

QUESTION = {"messages": [("user", "How many r's are in strawberry?")]}
ANSWERS = ("The answer is 3", "The answer is 2", "It is 3, I think", "")


class Watched(Scripted):
    """Keeps, for each call as it begins, all that could be spent by then."""

    exposure: list = Field(default_factory=list)
    begun: list = Field(default_factory=list)
    seeds: list = Field(default_factory=list)
    seed: int | None = None

    def begin(self, messages, options):
        call, text = super().begin(messages, options)
        self.begun.append(time.time())
        self.seeds.append(options.get("seed"))
        self.exposure.append(
            sum(
                other.prompt_tokens + other.max_tokens
                if other.fate == "in_flight"
                else other.billed
                for other in self.calls
            )
        )
        return call, text


def watched(rng, **more):
    return Watched(
        answers=ANSWERS,
        draws=random.Random(rng.random()),
        delay=rng.choice([0.0, 0.003]),
        **more,
    )


async def ask(graph, budget, config=None):
    try:
        out = await graph.ainvoke({**QUESTION, "budget": budget}, config)
    except (BudgetExceeded, SamplingError) as error:
        return error.usage, None
    return out["result"].usage, out["result"]


@pytest.mark.parametrize("seed", range(40))
async def test_i1_to_i4_leases_and_bills_stay_within_the_limit(seed):
    rng = random.Random(seed)
    model = watched(rng)
    budget = Budget(tokens=rng.randint(30, 2_000), calls=rng.randint(1, 30))
    graph = self_consistency(
        model, max_samples=24, stop=rng.choice(["fixed", "beta"]), max_output_tokens=20
    ).compile()
    usage, result = await ask(graph, budget)
    assert all(exposed <= budget.tokens for exposed in model.exposure)  # I1
    assert model.in_flight == 0  # I2
    if result is not None:
        parts = Usage.total(candidate.usage for candidate in result.candidates)  # I3
        assert parts.model_copy(update={"seconds": usage.seconds}) == usage
    assert sum(call.billed for call in model.calls) == usage.tokens <= budget.tokens  # I4
    assert len(model.calls) == usage.calls <= budget.calls


candidates = st.lists(
    st.builds(
        lambda index, tokens: Candidate(index=index, usage=Usage(calls=1, output_tokens=tokens)),
        st.integers(min_value=0, max_value=30),
        st.integers(min_value=0, max_value=100),
    ),
    max_size=20,
    unique_by=lambda candidate: candidate.index,
)


@given(candidates, st.randoms(use_true_random=False))
def test_i5_and_i10_reducers_count_once_whatever_the_order(all_of_them, rng):
    expected = add_candidates([], all_of_them)
    batches = [[one] for one in all_of_them]
    rng.shuffle(batches)
    state = []
    for batch in batches:
        state = add_candidates(state, batch)
        state = add_candidates(state, [c.model_dump() for c in batch])
    assert state == expected
    assert [c.index for c in state] == sorted(c.index for c in all_of_them)


def test_i10_the_other_reducers_merge_in_any_order():
    one, two = {"a": {"error": "x"}}, {"b": {"error": "y"}}
    assert add_checks(add_checks(None, one), two) == add_checks(add_checks(None, two), one)
    assert merge(merge({}, {"a": "a"}), {"b": "a"}) == {"a": "a", "b": "a"}


@pytest.mark.parametrize("tokens", [1, 5, 14])
async def test_i6_what_does_not_fit_is_not_asked(tokens):
    model = watched(random.Random(0))
    usage, result = await ask(self_consistency(model).compile(), Budget(tokens=tokens))
    assert (usage, result, model.calls) == (Usage(seconds=usage.seconds), None, [])


@pytest.mark.parametrize("seed", range(8))
async def test_i7_nothing_is_sent_after_the_deadline(seed):
    rng = random.Random(seed)
    model = watched(rng, fail=0.5)
    model.delay = 0.05
    graph = self_consistency(model, max_samples=64, stop="fixed", max_parallel=2).compile()
    await ask(graph, Budget(seconds=0.3))
    # The first call comes after admission, from which the seconds count.
    assert max(model.begun) <= model.begun[0] + 0.3 + 0.03


@settings(max_examples=25, deadline=None)
@given(st.floats(min_value=0, max_value=0.06), st.integers(min_value=0, max_value=1000))
def test_i8_a_run_may_be_cancelled_anywhere_and_goes_on(pause, seed):
    async def cancelled():
        model = watched(random.Random(seed))
        model.delay = 0.01
        budget = Budget(calls=30, tokens=5_000)
        graph = best_of_n(model, rarely, n=12, speculate=seed % 4).compile(
            checkpointer=InMemorySaver()
        )
        thread = {"configurable": {"thread_id": "1"}}
        task = asyncio.ensure_future(graph.ainvoke({**QUESTION, "budget": budget}, thread))
        await asyncio.sleep(pause)
        task.cancel()
        await asyncio.wait({task})
        assert model.in_flight == 0, "nothing runs on behind the caller's back"
        began = (await graph.aget_state(thread)).next
        again = None if began else {**QUESTION, "budget": budget}
        earlier = 0 if began else len(model.calls)  # of a run that had ended, or not begun
        # Those in flight may have been billed, and are charged: there may be nothing left.
        try:
            usage = (await graph.ainvoke(again, thread))["result"].usage
        except BudgetExceeded as error:
            usage = error.usage
        calls = model.calls[earlier:]
        assert len(calls) <= usage.calls <= 30, began
        assert sum(call.billed for call in calls) <= usage.tokens <= 5_000
        assert all(exposed <= 5_000 for exposed in model.exposure)

    asyncio.run(cancelled())


def rarely(question, answer):
    return answer == "7"


@pytest.mark.parametrize("calls", range(1, 12))
async def test_i9_a_technique_inside_a_technique_keeps_to_its_lease(calls):
    inner_model, outer_model = watched(random.Random(1)), watched(random.Random(2))
    inner = self_consistency(inner_model, max_samples=4, max_output_tokens=20).compile()

    async def by_another_technique(question, answer, *, lease):
        out = await inner.ainvoke({"messages": [("user", f"Is {answer} right?")], "budget": lease})
        used = out["result"].usage
        assert lease.calls is None or used.calls <= lease.calls
        return {"score": 0.5}

    graph = best_of_n(outer_model, by_another_technique, n=6, max_output_tokens=20).compile()
    await ask(graph, Budget(calls=calls))
    assert len(outer_model.calls) <= calls


async def test_i11_resuming_from_any_checkpoint_pays_for_nothing_twice():
    model = watched(random.Random(3))
    graph = self_consistency(model, max_samples=16, stop="fixed", max_parallel=4).compile(
        checkpointer=InMemorySaver()
    )
    thread = {"configurable": {"thread_id": "1"}}
    usage, result = await ask(graph, Budget(calls=40), thread)
    history = [state async for state in graph.aget_state_history(thread)]
    assert len(history) > 8
    for state in history:
        before = len(model.calls)
        known = len(state.values.get("candidates") or ())
        if not state.next or state.next == ("__start__",):
            continue
        out = await graph.ainvoke(None, state.config)
        asked = len(model.calls) - before
        assert out["result"].usage.calls == known + asked
        assert out["result"].usage.calls <= 40
        if known == len(result.candidates):
            assert (asked, out["result"].usage.tokens) == (0, usage.tokens)


@pytest.mark.parametrize(("limit", "amount"), [("calls", 3), ("tokens", 120), ("seconds", 0.25)])
async def test_i12_a_run_that_is_cut_off_has_a_result_that_says_so(limit, amount):
    model = watched(random.Random(4))
    model.delay = 0.1
    model.answers = tuple(f"The answer is {k}" for k in range(40))
    graph = self_consistency(model, max_samples=40, max_parallel=1, max_output_tokens=20).compile()
    _, result = await ask(graph, Budget(**{limit: amount}))
    assert (result.status, result.cut_off_by) == ("cut_off", limit)
    assert result.answer in {str(k) for k in range(40)}


async def test_i13_a_larger_budget_asks_for_all_that_a_smaller_one_asked_for():
    asked = []
    for calls in (3, 7, 12):
        model = watched(random.Random(5))
        graph = self_consistency(
            model, max_samples=16, stop="fixed", seed=100, answer=str.strip
        ).compile()
        await ask(graph, Budget(calls=calls))
        asked.append(set(model.seeds))
    assert asked[0] < asked[1] < asked[2]


class BySeed(Scripted):
    """Its answer depends on the seed of the call; how long it takes does not."""

    seed: int | None = None
    pauses: object = None

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        call, _ = self.begin(messages, options)
        await asyncio.sleep(self.pauses.uniform(0, 0.01))
        return self.finish(call, f"The answer is {random.Random(options['seed']).randint(1, 3)}")


async def test_i14_a_seed_decides_and_not_who_comes_first():
    outcomes = set()
    for run in range(6):
        model = BySeed(pauses=random.Random(run))
        graph = self_consistency(model, max_samples=12, seed=7).compile()
        _, result = await ask(graph, Budget(calls=40))
        outcomes.add((result.answer, tuple(c.answer for c in result.candidates)))
    assert len(outcomes) == 1
