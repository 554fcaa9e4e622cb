"""Pools of models: who is asked first, who is left out, and what the result says of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.techniques.cascading.climbing import CHEAP, DEAR, answers, price, says, unsure
from tests.techniques.searching import ask
from tscale_graph import Budget, SamplingError, cascade, extended_thinking, self_consistency
from tscale_graph.pool import Ladder, Member, PoolModel, by_price, hand_over
from tscale_graph.prices import Price
from tscale_graph.reasoning import Heaviness

PROOF = "Prove that the sum of two odd numbers is even."
HEAVY, LIGHT = Heaviness(0.6, "a proof"), Heaviness(0.0, "")


def pool(**more):
    """A fast model and a reasoning-tuned one, at their prices."""
    fast, tuned = says("fast", 3, price=CHEAP), says("tuned", 7, price=DEAR)
    return [PoolModel(model=fast), PoolModel(model=tuned, kind="reasoning", **more)]


async def test_a_simple_task_starts_at_the_cheapest():
    members = pool()
    result = await ask(cascade(members))
    assert (result.answer, len(members[1].model.calls)) == ("3", 0)
    assert not [note for note in result.notes if "reasoning-heavy" in note]


async def test_a_reasoning_heavy_task_starts_at_a_reasoning_tuned_model():
    members = pool()
    result = await ask(cascade(members), question=PROOF)
    assert (result.answer, len(members[0].model.calls)) == ("7", 0)
    assert result.notes[0] == "reasoning-heavy (a proof): started at tuned"
    assert "rung 2 (tuned) answered" in result.notes


async def test_where_no_reasoning_model_has_an_answer_those_below_are_asked_after_all():
    cheap, fast = (
        says("cheap", 5, price={"usd_per_million_tokens": {"input": 0.1, "output": 0.1}}),
        says("fast", 3, price=CHEAP),
    )
    tuned = says("tuned", 7, price=DEAR, fail=1.0)
    members = [PoolModel(model=cheap), PoolModel(model=fast)]
    members.append(PoolModel(model=tuned, kind="reasoning"))
    result = await ask(cascade(members), question=PROOF)
    assert (result.answer, result.status, len(cheap.calls)) == ("3", "complete", 0)
    assert result.notes[1].startswith("rung 3 (tuned): failed: ")
    assert result.notes[2] == "rung 2 (fast) answered"
    fast.fail = 1.0
    assert (await ask(cascade(members), question=PROOF)).answer == "5"
    cheap.fail = 1.0
    with pytest.raises(SamplingError, match="all 3 rungs failed"):
        await ask(cascade(members), question=PROOF)


async def test_that_can_be_switched_off():
    result = await ask(cascade(pool(), first="cheapest"), question=PROOF)
    assert result.answer == "3"


async def test_where_no_model_is_tuned_to_reason_the_question_is_not_looked_at(monkeypatch):
    def looked_at(question):
        raise AssertionError("nothing hangs on it")

    monkeypatch.setattr("tscale_graph.techniques.cascading.gate.reasoning_heavy", looked_at)
    assert (await ask(cascade([says("a", 3), says("b", 7)]), question=PROOF)).answer == "3"


async def test_where_the_budget_does_not_pay_for_it_the_ladder_starts_at_the_cheapest():
    graph = cascade(pool(), max_output_tokens=100)
    result = await ask(graph, Budget(usd=0.001), question=PROOF)
    assert result.answer == "3"
    assert result.notes[0] == (
        "reasoning-heavy (a proof), but the budget does not pay for tuned: started at the cheapest"
    )


async def test_the_pool_is_put_in_order_of_price_and_unknown_prices_come_last():
    dear, unknown = says("dear", 7, metadata=DEAR), says("unknown", 8)
    cheap = unsure("cheap", metadata=CHEAP)
    members = [PoolModel(model=one) for one in (unknown, dear, cheap)]
    result = await ask(cascade(members, accept=1.01))
    assert answers(result) == ["3", "7", "8"]
    assert result.notes[-2] == "rung 3 (unknown) answered"


async def test_a_price_of_the_pool_counts_and_can_be_limited_by():
    small, large = unsure("small"), says("large", 7)
    members = [
        PoolModel(model=large, usd_per_million_tokens=price(10)),
        PoolModel(model=small, usd_per_million_tokens={"input": 1, "output": 2}),
    ]
    result = await ask(cascade(members), Budget(usd=1))
    assert answers(result) == ["3", "7"]
    assert result.usage.usd > 0


async def test_a_model_whose_context_is_too_small_is_left_out():
    members = pool()
    small = says("tiny", 1, price={"usd_per_million_tokens": {"input": 0.1, "output": 0.1}})
    members.append(PoolModel(model=small, context_tokens=50))
    result = await ask(cascade(members, max_output_tokens=20), question="How many? " * 30)
    assert (result.answer, len(small.calls)) == ("3", 0)
    assert result.notes[0] == "tiny was left out: its context is too small"
    assert (await ask(cascade(members, max_output_tokens=20), question="2?")).answer == "1"


async def test_the_context_has_to_hold_the_answers_that_a_technique_itself_asks_for():
    long = self_consistency(says("long", 1, price=CHEAP), max_samples=3, max_output_tokens=8_000)
    members = [PoolModel(model=long, context_tokens=4_000), PoolModel(model=says("other", 7))]
    members.append(PoolModel(model=says("last", 9)))
    result = await ask(cascade(members, max_output_tokens=20))
    assert result.answer == "7"
    assert "self_consistency(long) was left out: its context is too small" in result.notes
    short = self_consistency(says("short", 1, price=CHEAP), max_samples=3, max_output_tokens=20)
    members[0] = PoolModel(model=short, context_tokens=4_000)
    assert (await ask(cascade(members, max_output_tokens=8_000))).answer == "1"


def test_the_price_of_a_technique_is_refused_where_it_would_only_put_it_in_order():
    priced = PoolModel(model=extended_thinking(unsure()), usd_per_million_tokens=price(1))
    with pytest.raises(ValueError, match="usd_per_million_tokens is the price of a chat model"):
        cascade([priced, PoolModel(model=unsure())])
    bound = PoolModel(model=unsure().bind(stop=["."]), usd_per_million_tokens=price(1))
    with pytest.raises(ValueError, match="bound arguments"):
        cascade([bound, PoolModel(model=unsure())])


async def test_where_no_context_is_large_enough_nothing_is_asked():
    members = [PoolModel(model=says(name, 3), context_tokens=50) for name in "ab"]
    with pytest.raises(SamplingError, match="no rung can be asked: a was left out"):
        await ask(cascade(members))


async def test_where_tools_are_needed_those_without_are_left_out():
    three = [*pool(tools=True), PoolModel(model=says("other", 9, metadata=DEAR), tools=True)]
    result = await ask(cascade(three, needs_tools=True))
    assert result.answer == "7"
    with pytest.raises(ValueError, match="needs_tools=True leaves 1 rungs"):
        cascade(pool(tools=True), needs_tools=True)
    with pytest.raises(ValueError, match="needs_tools=True leaves 0 rungs"):
        cascade([unsure(), says("large", 7)], needs_tools=True)


async def test_a_technique_may_be_a_member_too():
    tuned = says("tuned", 7)
    members = [
        PoolModel(model=says("fast", 3), usd_per_million_tokens=price(1)),
        PoolModel(model=extended_thinking(tuned), kind="reasoning"),
    ]
    result = await ask(cascade(members), question=PROOF)
    assert (result.answer, len(tuned.calls)) == ("7", 2)


def test_members_and_bare_models_are_not_mixed():
    with pytest.raises(ValueError, match="rungs must all be PoolModels, or none of them"):
        cascade([*pool(), unsure()])
    with pytest.raises(ValueError, match="kind"):
        PoolModel(model="local", kind="clever")
    with pytest.raises(ValueError, match="context_tokens"):
        PoolModel(model="local", context_tokens=0)


members = st.builds(
    Member,
    name=st.sampled_from("abc"),
    kind=st.sampled_from(["fast", "reasoning"]),
    fits=st.booleans(),
    affordable=st.booleans(),
)


@given(st.lists(members, max_size=6), st.sampled_from([None, LIGHT, HEAVY]))
def test_a_ladder_is_a_stretch_of_the_pool_that_begins_where_the_rule_says(several, heaviness):
    ladder = hand_over(several, heaviness=heaviness)
    fitting = [place for place, one in enumerate(several) if one.fits]
    assert list(ladder.rungs) == fitting[len(fitting) - len(ladder.rungs) :]
    payable = [k for k in fitting if several[k].kind == "reasoning" and several[k].affordable]
    if heaviness is HEAVY and payable:
        assert ladder.rungs[0] == payable[0]
    else:
        assert list(ladder.rungs) == fitting
    assert [*reversed(ladder.spare), *ladder.rungs] == fitting
    assert sum("left out" in note for note in ladder.notes) == len(several) - len(fitting)


def test_a_task_that_starts_at_the_bottom_anyway_needs_no_note():
    assert hand_over([Member("a", "reasoning"), Member("b")], heaviness=HEAVY) == Ladder((0, 1))


@given(st.lists(st.none() | st.integers(0, 9), max_size=8))
def test_by_price_is_a_stable_order_with_unknown_prices_last(dollars):
    prices = [None if one is None else Price(input=one, output=one) for one in dollars]
    order = by_price(prices)
    assert sorted(order) == list(range(len(dollars)))
    keys = [(dollars[k] is None, dollars[k] or 0, k) for k in order]
    assert keys == sorted(keys)
