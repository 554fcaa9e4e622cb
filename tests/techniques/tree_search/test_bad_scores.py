"""Verifiers that fail or return no score: a node fails, and the search goes on."""

import numpy as np
import pytest

from tests.techniques.searching import ask, told
from tests.techniques.tree_search.numbered import (
    TECHNIQUES,
    fails_on_2,
    last_number,
    numbered,
    raises,
)
from tscale_graph import Budget, Usage, Verdict, ab_mcts
from tscale_graph.candidates import SamplingError, VerifierError

NOT_VERIFIED = "not verified: "


BAD_SCORES = {
    "nan": (lambda: float("nan"), "ValueError: a verifier's score must be between 0 and 1"),
    "numpy": (lambda: np.float64("nan"), "ValueError: a verifier's score must be between 0 and 1"),
    "infinite": (lambda: float("inf"), "ValueError: a verifier's score must be between 0 and 1"),
    "above": (lambda: 1.5, "ValueError: a verifier's score must be between 0 and 1, got 1.5"),
    "below": (lambda: -1, "ValueError: a verifier's score must be between 0 and 1, got -1"),
    "text": (lambda: "good", "TypeError: a verifier must return a bool, a float in [0, 1]"),
    "none": (lambda: None, "TypeError: a verifier must return a bool, a float in [0, 1]"),
    "mapping": (lambda: {"score": float("nan")}, "ValueError: a verifier's score must be"),
    "empty": (dict, "TypeError: a verifier must return"),
    "verdict": (lambda: Verdict(score=2), "ValidationError"),
    "steps": (lambda: Verdict(score=1, step_scores=(0.5, float("nan"))), "ValidationError"),
    "raises": (raises(RuntimeError("no idea")), "RuntimeError: no idea"),
    "exhausted": (raises(StopIteration("odd")), ""),
}


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("score", BAD_SCORES)
async def test_a_node_whose_score_is_none_fails_and_the_search_goes_on(technique, score):
    wrong, words = BAD_SCORES[score]
    model = told(numbered)
    result = await ask(TECHNIQUES[technique](model, fails_on_2(wrong)))
    nodes = result.tree.nodes[1:]
    failed = [node for node in nodes if node.status == "failed"]
    assert failed
    assert all(node.text.strip() == "The answer is 2" for node in failed)
    assert all(node.score is None and NOT_VERIFIED in node.note for node in failed)
    assert words in failed[0].note
    assert "\n" not in failed[0].note
    assert len(nodes) == result.usage.calls == 8
    assert (result.answer, result.status) == ("4", "complete")
    assert any(note.startswith(f"{len(failed)} of 8 nodes failed: ") for note in result.notes)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_scores_that_no_one_checked_do_not_end_the_search(technique):
    unchecked = Verdict.model_construct(score=float("nan"), passed=None, feedback="")
    result = await ask(TECHNIQUES[technique](told(numbered), fails_on_2(lambda: unchecked)))
    assert result.answer == "4"
    statuses = {n.status for n in result.tree.nodes if n.text.strip() == "The answer is 2"}
    assert statuses == {"failed"}


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_verifier_that_always_fails_in_the_same_way_is_given_up_on(technique):
    model = told(lambda prompt, number: f"The answer is {number}")

    def broken(question, answer):
        raise RuntimeError("no connection")

    with pytest.raises(SamplingError, match="RuntimeError: no connection") as caught:
        await ask(TECHNIQUES[technique](model, broken), Budget(calls=100))
    assert caught.value.usage.calls == len(model.calls) <= 8


async def test_it_is_given_up_on_early_where_answers_repeat_too():
    model = told(lambda prompt, number: f"The answer is {number // 2}")

    def broken(question, answer):
        raise RuntimeError("no connection")

    technique = ab_mcts(model, broken, max_nodes=20, answer="number", seed=1)
    with pytest.raises(SamplingError, match="no connection"):
        await ask(technique)
    assert len(model.calls) <= 10


async def test_a_verifier_that_fails_in_different_ways_is_not_given_up_on():
    def moody(question, answer):
        if last_number(answer) < 8:
            raise RuntimeError(f"not {answer}")
        return True

    model = told(lambda prompt, number: f"The answer is {number}")
    result = await ask(ab_mcts(model, moody, max_nodes=20, answer="number", seed=1))
    assert (result.answer, result.usage.calls) == ("8", 9)


async def test_what_a_failed_verdict_cost_is_counted():
    def costly(question, answer):
        if last_number(answer) == 2:
            raise VerifierError("no verdict", Usage(calls=2, input_tokens=9))
        return 0.5

    model = told(numbered)
    result = await ask(TECHNIQUES["ab_mcts"](model, costly))
    failed = [n for n in result.tree.nodes if n.status == "failed"]
    assert result.usage.calls == 8 + sum(n.usage.calls - 1 for n in failed) > 8
    assert failed[0].usage.calls == 3
    assert failed[0].note == "not verified: VerifierError: no verdict"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_verifier_that_failed_once_is_asked_again_of_the_same_answer(technique):
    asked = []

    def flaky(question, answer):
        asked.append(answer)
        if len(asked) == 1:
            raise ConnectionError("try again")
        return 1.0 if last_number(answer) == 2 else 0.1

    model = told(lambda prompt: "The answer is 2")
    result = await ask(TECHNIQUES[technique](model, flaky))
    assert len(asked) == 2
    assert (result.answer, result.status, result.verdict.passed) == ("2", "complete", True)
