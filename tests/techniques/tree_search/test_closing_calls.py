"""A call is kept back for an answer where a budget ends with only partial ones."""

import pytest

from tests.techniques.searching import Told, acts, ask, billed, told
from tests.techniques.test_hard_limits import (
    PRICE,
    at_random,
)
from tests.techniques.tree_search.searches import judging, look
from tscale_graph import Budget, beam_search, lats
from tscale_graph.verifiers.judges import judge


def only_closes(prompt, number):
    """Never comes to an answer by itself."""
    closing = "Write the rest" in prompt[-1].text or "final answer now" in prompt[-1].text
    return "The answer is 3" if closing else f"Step {number}"


def wanders(prompt, number):
    """The same, for an agent."""
    said = only_closes(prompt, number)
    return said if said.startswith("The") else acts("look", where=number)


def partial(name, scorer=at_random, **more):
    """A technique whose model never comes to an answer unless it is told to."""
    options = {"max_output_tokens": 20, "answer": "number", "on_exceeded": "return", **more}
    if name == "beam_search":
        model = told(only_closes, metadata=PRICE)
        return beam_search(model, scorer, beams=1, width=2, step_tokens=10, **options), model
    model = told(wanders, metadata=PRICE)
    return lats(model, value=scorer, tools=[look], width=2, **options), model


CLOSING = ("beam_search", "lats")


@pytest.mark.parametrize("technique", CLOSING)
@pytest.mark.parametrize("calls", [2, 3, 4, 6, 9])
async def test_the_last_call_is_kept_for_an_answer(technique, calls):
    graph, model = partial(technique)
    result = await ask(graph, Budget(calls=calls))
    assert result.answer == "3"
    assert len(model.calls) == result.usage.calls <= calls
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")


@pytest.mark.parametrize("technique", CLOSING)
@pytest.mark.parametrize("room", [1, 2, 4])
@pytest.mark.parametrize("limit", ["tokens", "usd"])
async def test_tokens_and_dollars_for_an_answer_are_kept_too(technique, limit, room):
    graph, model = partial(technique)
    amount = room * (400 if technique == "beam_search" else 3_000)
    budget = Budget(tokens=amount) if limit == "tokens" else Budget(usd=amount * 3e-6)
    result = await ask(graph, budget)
    assert result.answer == "3"
    assert (result.status, result.cut_off_by) == ("cut_off", limit)
    assert result.usage.tokens >= billed(model)
    assert budget.exceeded_by(result.usage) is None


async def test_what_is_kept_for_an_answer_grows_with_the_solution_that_it_completes():
    def decide(prompt, number):
        said = only_closes(prompt, number)
        return said if said.startswith("The") else said + " is a long one" * 60

    technique = beam_search(
        told(decide), at_random, beams=1, width=2, max_output_tokens=60, answer="number"
    )
    for tokens in (4_000, 9_000, 15_000):
        result = await ask(technique, Budget(tokens=tokens))
        assert (result.answer, result.cut_off_by) == ("3", "tokens")


@pytest.mark.parametrize("technique", CLOSING)
async def test_a_model_that_tells_of_smaller_prompts_than_it_gets_keeps_to_the_budget(technique):
    class Modest(Told):
        def report(self, call):
            return {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}

    graph, model = partial(technique)
    modest = Modest(decide=model.decide)
    graph = (
        beam_search(modest, at_random, beams=1, width=2, answer="number", max_output_tokens=20)
        if technique == "beam_search"
        else lats(modest, value=at_random, tools=[look], width=2, max_output_tokens=20)
    )
    budget = Budget(tokens=1_500 if technique == "beam_search" else 6_000)
    result = await ask(graph, budget)
    assert result.usage.tokens >= billed(modest)
    assert result.usage.tokens <= budget.tokens


@pytest.mark.parametrize("technique", CLOSING)
@pytest.mark.parametrize("calls", [4, 5, 6, 8, 11])
async def test_a_closing_answer_is_there_where_a_judge_scores_too(technique, calls):
    asked = judging(metadata=PRICE)
    graph, model = partial(technique, judge(asked))
    result = await ask(graph, Budget(calls=calls))
    assert result.answer == "3"
    assert result.usage.calls == len(model.calls) + len(asked.calls) <= calls


@pytest.mark.parametrize("technique", CLOSING)
@pytest.mark.parametrize("tokens", [50, 100, 200, 700, 1_000, 1_400, 1_800, 3_000])
async def test_whenever_a_call_was_made_there_is_an_answer(technique, tokens):
    graph, model = partial(technique)
    result = await ask(graph, Budget(tokens=tokens))
    assert billed(model) <= result.usage.tokens <= tokens
    assert (result.answer is not None) == bool(model.calls)
