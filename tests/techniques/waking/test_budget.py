"""What waking up takes: comparing, reading, asking again, all in one budget."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reader import Reader
from tests.scripted import Scripted
from tests.techniques.waking.awake import MENU, asked, awake, slept
from tscale_graph import Budget, BudgetExceeded, self_consistency, wake
from tscale_graph.techniques.waking.matching import JudgeMatcher
from tscale_graph.verifiers.judges import equivalent


async def test_comparing_questions_leaves_something_for_the_answer():
    judge = JudgeMatcher(equivalent(Scripted(answers=["Hm. " * 900])))
    graph, model = awake(await slept(), matcher=judge)
    budget = Budget(tokens=1200, calls=4)
    result = (await graph.ainvoke(asked("How much is the cake?", budget=budget)))["result"]
    assert result.answer == "3"
    assert any(note.startswith("not compared") for note in result.notes)
    assert model.calls


async def test_a_model_without_a_price_is_refused_before_anything_is_asked():
    judge = JudgeMatcher(equivalent(Scripted()))
    priced = Reader(metadata={"usd_per_million_tokens": {"input": 1.0, "output": 4.0}})
    store, dollars = await slept(), Budget(usd=1.0)
    for model, matcher in ((Reader(), "lexical"), (priced, judge)):
        graph, _ = awake(store, model, matcher=matcher)
        with pytest.raises(ValueError, match="price"):
            await graph.ainvoke(asked("What is the price of cake?", budget=dollars))
        assert model.calls == judge.judge.asker.endpoint.model.calls == []
    graph, _ = awake(store, priced)
    assert (await graph.ainvoke(asked("Which price has cake?", budget=dollars)))["result"].usage.usd


async def test_what_it_takes_at_most_holds_the_context_a_second_ask_and_the_judge():
    judge = JudgeMatcher(equivalent(Scripted(answers=['{"same": false}'])), shown=2)
    inner = self_consistency(Reader(), max_samples=3, max_output_tokens=64)
    graph = wake(inner, context=MENU, matcher=judge)
    most, bare = graph.technique.at_most(100), inner.technique.at_most(100)
    assert most.calls == 2 * bare.calls + 2
    assert most.tokens > 2 * bare.tokens + 6 * len(MENU) // 4
    assert graph.technique.at_least(100).tokens > inner.technique.at_least(100).tokens
    only_whole = wake(inner, context=MENU, faithful=None).technique.at_most(100)
    assert only_whole.calls == bare.calls


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 900), st.none() | st.integers(1, 4), st.integers(0, 2**16))
async def test_the_budget_of_the_request_is_never_exceeded(tokens, calls, seed):
    store = await slept()
    model = Reader(draws=random.Random(seed))
    judge = JudgeMatcher(equivalent(Scripted(answers=['{"same": false}'])))
    graph, _ = awake(store, model, matcher=judge)
    budget = Budget(tokens=tokens, calls=calls)
    try:
        out = await graph.ainvoke(asked("What is the price of cake?", budget=budget))
        usage = out["result"].usage
    except BudgetExceeded as error:
        usage = error.usage
    assert budget.exceeded_by(usage) is None
    assert sum(call.billed for call in model.calls) <= tokens
