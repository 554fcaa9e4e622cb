"""Verifiers and judges are shown the calls of tools, and choose among them."""

import json

import pytest

from tests.chat_model.adding import BUDGET, FIVE, ONE_AND_TWO, add, plain
from tests.scripted_calls import ScriptedCalls, calling
from tests.verifiers.judges.readers import fenced, reader
from tscale_graph import ScaledChatModel, best_of_n, cascade, self_consistency
from tscale_graph.verifiers.judges import listwise_judge


def test_best_of_n_shows_the_calls_to_its_verifier_as_json_and_equal_ones_once():
    shown = []

    def check(question: str, answer: str) -> float:
        shown.append((question, answer))
        return json.loads(answer)[0]["args"]["a"] / 10

    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE, calling(("add", {"b": 2.0, "a": 1}))])
    model = ScaledChatModel(best_of_n(inner, check, n=3, select="max"), budget=BUDGET)
    message = model.bind_tools([add]).invoke("What is it?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    first = '[{"name": "add", "args": {"a": 1, "b": 2}}]'
    second = '[{"name": "add", "args": {"a": 5, "b": 2}}]'
    assert shown == [("What is it?", first), ("What is it?", second)]


def test_a_judge_that_ranks_is_shown_the_calls():
    judge = reader('{"ranking": [2, 1]}')
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE])
    graph = best_of_n(inner, listwise_judge(judge), n=2)
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("What is it?")
    assert message.tool_calls
    [prompt] = judge.prompts
    shown = {json.dumps([{"name": "add", "args": {"a": a, "b": 2}}]) for a in (1, 5)}
    assert shown < set(fenced(prompt).values())


def test_a_cascade_climbs_where_the_calls_of_a_small_model_do_not_agree():
    small = ScriptedCalls(answers=[calling(("add", {"a": a})) for a in range(4)])
    large = ScriptedCalls(answers=[FIVE])
    graph = cascade([self_consistency(small, max_samples=4), large])
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("5 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    assert len(large.calls) == 1


class Solutions:
    """A verifier of whole solutions; what calls a tool has none."""

    reads_solutions = True

    def __call__(self, question: str, answer: str) -> bool:
        return answer == '[{"name": "add", "args": {"a": 5, "b": 2}}]'


@pytest.mark.parametrize(
    "technique",
    [
        lambda model: best_of_n(model, Solutions(), n=2),
        lambda model: cascade([model, model], verifier=Solutions()),
    ],
    ids=["best_of_n", "cascade"],
)
def test_a_verifier_of_whole_solutions_is_shown_the_calls(technique):
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE])
    message = ScaledChatModel(technique(inner), budget=BUDGET).bind_tools([add]).invoke("5 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
