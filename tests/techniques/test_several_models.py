"""AB-MCTS over several models: who is asked more, at which price."""

import pytest

from tests.techniques.answering import by_table
from tests.techniques.searching import ask, told
from tscale_graph import ab_mcts


def priced(dollars, say, name):
    prices = {"usd_per_million_tokens": {"input": dollars, "output": dollars}}
    return told(say, metadata=prices, model_name=name)


def always(number):
    return lambda prompt: f"The answer is {number}"


async def calls_of(models, scores, **more):
    technique = ab_mcts(
        models, by_table(scores), max_nodes=24, answer="number", seed=5, select="max", **more
    )
    result = await ask(technique)
    return [len(model.calls) for model in models], result


async def test_of_several_models_the_one_whose_answers_score_is_asked_more():
    models = [priced(1, always(1), "weak"), priced(1, always(2), "strong")]
    calls, result = await calls_of(models, {"1": 0.1, "2": 0.7})
    assert min(calls) >= 1, "each of them is tried"
    assert calls[1] > 2 * calls[0]
    names = [node.model for node in result.tree.nodes[1:]]
    assert [names.count("weak"), names.count("strong")] == calls
    assert result.answer == "2"


async def test_of_models_that_are_equally_good_the_cheap_one_is_asked_more():
    models = [priced(20, always(1), "dear"), priced(1, always(2), "cheap")]
    calls, _ = await calls_of(models, {"1": 0.5, "2": 0.5})
    assert calls[1] > 3 * calls[0]


async def test_a_dearer_model_is_asked_where_it_promises_enough_more():
    models = [priced(3, always(1), "dear"), priced(1, always(2), "cheap")]
    calls, _ = await calls_of(models, {"1": 0.9, "2": 0.1})
    assert calls[0] > calls[1]


async def test_costs_may_be_left_out_of_account():
    models = [priced(20, always(1), "dear"), priced(1, always(2), "cheap")]
    calls, _ = await calls_of(models, {"1": 0.5, "2": 0.5}, cost_weight=0)
    assert min(calls) > 4


async def test_each_answer_costs_what_its_own_model_costs():
    models = [priced(20, always(1), "dear"), priced(1, always(2), "cheap")]
    _, result = await calls_of(models, {"1": 0.9, "2": 0.8}, cost_weight=0)
    dollars = [
        sum(price * call.billed for call in model.calls) * 1e-6
        for price, model in zip((20, 1), models, strict=True)
    ]
    assert result.usage.usd == pytest.approx(sum(dollars))
    by_model = {
        name: sum(node.usage.usd for node in result.tree.nodes if node.model == name)
        for name in ("dear", "cheap")
    }
    assert by_model == pytest.approx({"dear": dollars[0], "cheap": dollars[1]})
