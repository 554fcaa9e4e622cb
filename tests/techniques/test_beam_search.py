"""Beam search: what is scored, what is gone on from, and which solution is the answer."""

import re
from collections import Counter

import pytest

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.reasoning import BAD, GOOD, prefers_good, writes
from tests.techniques.searching import QUESTION, ask, asked_of, billed, told
from tscale_graph import Budget, Usage, Verdict, beam_search


async def test_a_level_has_beams_times_width_steps_and_the_best_are_gone_on_from():
    model = told(writes(GOOD, BAD))
    result = await ask(beam_search(model, prefers_good, beams=1, width=4, max_steps=5))
    tree = result.tree
    assert len(tree.children(0)) == 4
    assert Counter(tree.nodes[index].text.strip() for index in tree.children(0)) == {
        "good one": 2,
        "bad one": 2,
    }
    assert [tree.nodes[node.parent].text.strip() for node in tree.nodes if node.depth == 2] == [
        "good one"
    ] * 4
    assert result.answer == "3"


async def test_the_same_step_is_scored_once_and_gone_on_from_once():
    seen = []

    def scorer(question, so_far):
        seen.append(so_far)
        return 0.5

    result = await ask(beam_search(told(writes(GOOD)), scorer, beams=2, width=3))
    assert len(seen) == len(set(seen)) == 3
    first = [result.tree.nodes[index] for index in result.tree.children(0)]
    assert [node.status for node in first] == ["open"] + ["duplicate"] * 5
    assert {node.note for node in first[1:]} == {"the same as node 1"}
    assert {node.parent for node in result.tree.nodes if node.depth == 2} == {1}


async def test_a_step_that_repeats_an_earlier_one_fails_and_the_search_goes_on():
    def decide(prompt, number):
        if "loop" not in prompt[-1].text:
            return "loop"
        return "The answer is 3" if number % 2 else "loop"

    result = await ask(beam_search(told(decide), lambda q, a: 0.5, beams=1, width=2))
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert [node.note for node in failed] == ["the same as step 1"]
    assert result.answer == "3"


async def test_a_model_that_says_nothing_more_has_ended_its_solution():
    seen = []

    def scorer(question, so_far):
        seen.append(so_far)
        return 0.5

    def decide(prompt):
        return "" if "solution so far" in prompt[-1].text else "It must be blue"

    result = await ask(
        beam_search(told(decide), scorer, beams=1, width=1, answer="text"), question="Which?"
    )
    assert (result.text.strip(), result.answer) == ("It must be blue", "It must be blue")
    assert seen == ["It must be blue"], "the end of a solution has the verdict of what it ends"
    assert result.tree.nodes[result.tree.best].status == "terminal"
    assert result.tree.nodes[result.tree.best].parent == 1


async def test_the_search_ends_when_a_whole_solution_passes():
    def scorer(question, so_far):
        return Verdict(score=0.5, passed="answer" in so_far and so_far.endswith("3"))

    model = told(writes(GOOD))
    result = await ask(beam_search(model, scorer, beams=2, width=2))
    assert (result.verdict.passed, result.answer) == (True, "3")


async def test_a_solution_that_passes_is_whole_whatever_the_model_would_say_next():
    def scorer(question, so_far):
        return Verdict(score=1.0, passed="two" in so_far, step_scores=[1.0])

    model = told(writes(["one", "two", "three", "four"]))
    result = await ask(
        beam_search(model, scorer, beams=1, width=1, answer="text"), question="Which?"
    )
    assert result.text.strip() == "one\n\ntwo"
    assert (len(model.calls), result.verdict.passed) == (2, True)


@pytest.mark.parametrize("verdict", [1.0, True, Verdict(score=0.9, passed=True)])
async def test_a_partial_solution_that_is_fine_so_far_goes_on(verdict):
    model = told(writes(["First, count them.", "There are three.", "The answer is 3."]))
    result = await ask(beam_search(model, lambda q, a: verdict, beams=1, width=1))
    assert result.text.split("\n\n")[:2] == ["First, count them.", "There are three."]
    assert (result.answer, result.status, result.verdict.passed) == ("3", "complete", True)


async def test_after_max_steps_the_best_solution_is_completed_in_one_call():
    model = told(lambda prompt, number: f"step {number}")
    technique = beam_search(model, by_step, beams=1, width=1, max_steps=3)
    result = await ask(technique)
    assert [node.depth for node in result.tree.nodes] == [0, 1, 2, 3, 4]
    assert asked_of(model)[-1][-1][1] == (
        f"{QUESTION}\n\nThis is the solution so far:\n\nstep 0\n\nstep 1\n\nstep 2\n\n"
        "Write the rest of it, to the final answer. Do not repeat what is there."
    )
    assert result.tree.nodes[-1].status == "terminal"


async def test_no_more_than_max_nodes_are_made_and_one_that_completes_the_best():
    model = told(lambda prompt, number: f"step {number}")
    result = await ask(beam_search(model, lambda q, a: 0.5, beams=2, width=2, max_nodes=6))
    assert len(model.calls) == 7
    assert [node.status for node in result.tree.nodes].count("terminal") == 1
    assert result.status == "complete"


async def test_max_parallel_holds_within_a_level():
    model = told(lambda prompt, number: f"step {number}", delay=0.005)
    technique = beam_search(model, lambda q, a: 0.5, beams=2, width=4, max_steps=2, max_parallel=2)
    result = await ask(technique)
    assert model.most_in_flight == 2
    assert len([node for node in result.tree.nodes if node.depth == 1]) == 8


async def test_step_scores_are_aggregated():
    table = {"one": 0.8, "two": 0.5, "The answer is 3": 0.9}

    def scorer(question, so_far):
        scores = tuple(table[step] for step in so_far.split("\n\n"))
        return Verdict(score=0.0, step_scores=scores)

    for aggregate, expected in (
        ("last", [0.8, 0.5, 0.9]),
        ("min", [0.8, 0.5, 0.5]),
        ("prod", [0.8, 0.4, 0.36]),
        ("mean", [0.8, 0.65, 2.2 / 3]),
    ):
        model = told(writes(["one", "two", "The answer is 3"]))
        result = await ask(beam_search(model, scorer, beams=1, width=1, aggregate=aggregate))
        assert [node.score for node in result.tree.nodes[1:]] == pytest.approx(expected)
        assert result.verdict.score == pytest.approx(expected[-1])


async def test_a_scorer_without_step_scores_scores_the_whole_so_far():
    shown = []

    async def scorer(question, so_far):
        shown.append(so_far)
        return len(shown) / 10

    result = await ask(beam_search(told(writes(GOOD)), scorer, beams=1, width=1))
    assert shown == ["good one", "good one\n\ngood two", "good one\n\ngood two\n\nThe answer is 3"]
    assert [node.score for node in result.tree.nodes[1:]] == [0.1, 0.2, 0.3]


def numbered(prompt, number):
    """A different step each time, and the end after two of them."""
    return "The answer is 3" if prompt[-1].text.count("step") > 3 else f"step {number} of many"


async def test_the_answer_is_chosen_among_whole_solutions_by_their_scores():
    model = told(writes(["low", "The answer is 1"], ["high", "The answer is 2"]))

    def scorer(question, so_far):
        return 0.5 if "high" in so_far else 0.3

    result = await ask(beam_search(model, scorer, beams=2, width=2, select="max", answer="number"))
    assert result.answer == "2"
    assert {candidate.answer for candidate in result.candidates} == {"1", "2"}
    assert all(candidate.verdict is not None for candidate in result.candidates)
    assert result.votes[0].answer == "2"


async def test_the_tree_has_every_step_with_its_score_and_cost():
    model = told(writes(GOOD, BAD), metadata={"usd_per_million_tokens": {"input": 1, "output": 1}})
    result = await ask(beam_search(model, prefers_good, beams=2, width=2))
    nodes = result.tree.nodes[1:]
    assert Usage.total(node.usage for node in nodes).tokens == billed(model)
    assert result.usage.tokens == billed(model)
    assert {node.text.strip() for node in nodes} <= {*GOOD, *BAD}
    for node in nodes:
        path = "\n\n".join(result.tree.nodes[i].text.strip() for i in result.tree.path(node.index))
        assert node.score == prefers_good(QUESTION, path.removeprefix(QUESTION))
    assert result.tree.nodes[result.tree.best].text.strip() == "The answer is 3"


async def test_when_the_budget_ends_the_best_partial_solution_is_completed():
    def decide(prompt, number):
        return "The answer is 3" if "Write the rest" in prompt[-1].text else f"step {number}"

    model = told(decide)
    result = await ask(beam_search(model, by_step, beams=1, width=3), Budget(calls=7))
    assert len(model.calls) == 7
    assert asked_of(model)[-1] == [
        (
            "human",
            f"{QUESTION}\n\nThis is the solution so far:\n\nstep 0\n\nstep 3\n\nWrite the rest of "
            "it, to the final answer. Do not repeat what is there.",
        ),
    ]
    assert model.options[-1]["stop_at"] is None
    assert (result.answer, result.text) == ("3", "step 0\n\nstep 3\n\nThe answer is 3")
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")


def by_step(question, so_far):
    """Deeper is better, and of the same depth the earlier."""
    numbers = [int(number) for number in re.findall(r"step (\d+)", so_far)]
    return min(1.0, 0.3 * len(numbers) + 0.1 / (1 + numbers[-1]))


async def test_where_there_is_a_whole_solution_none_is_completed():
    model = told(writes(["short", "The answer is 1"], [f"long {number}" for number in range(9)]))
    result = await ask(
        beam_search(model, lambda q, a: 0.5, beams=2, width=1, answer="number"), Budget(calls=6)
    )
    assert result.answer == "1"
    assert not any("Write the rest" in prompt[-1][1] for prompt in asked_of(model))


async def test_one_request_brings_a_level_where_the_provider_gives_several():
    from langchain_openai import ChatOpenAI

    with FakeServer(Behaviour(answers={"one\n\n": 1, "The answer is 3": 1}), in_process=True) as on:
        model = ChatOpenAI(model="fake", base_url=on.url, api_key="none")
        result = await ask(beam_search(model, lambda q, a: 0.5, beams=2, width=4, max_steps=3))
        requests = on.ledger().requests
    assert requests[0].n == 8
    assert sum(request.n for request in requests) == result.usage.calls
    assert result.answer == "3"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beams": 0}, "beams must be at least 1, got 0"),
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"max_steps": 0}, "max_steps must be at least 1, got 0"),
        ({"step_tokens": 0}, "step_tokens must be at least 1, got 0"),
        ({"max_nodes": 0}, "max_nodes must be at least 1, got 0"),
        ({"variant": "greedy"}, "variant must be one of beam, dvts, rebase, particles"),
        ({"aggregate": "sum"}, "aggregate must be one of last, min, prod, mean, got 'sum'"),
        ({"continuation": "suffix"}, "continuation must be one of auto, prefill, prompt"),
        ({"score_temperature": 0}, "score_temperature must be at least 0.001, got 0"),
        ({"score_temperature": float("nan")}, "score_temperature must be at least 0.001, got nan"),
        ({"score_temperature": float("inf")}, "score_temperature must be a finite number, got inf"),
        ({"steps": "word"}, "steps must be one of paragraph, line, sentence, delimiter:<text>"),
        ({"temperature": -1}, "temperature must be between 0 and 2, got -1"),
        ({"scorer": "oracle"}, "must be one of"),
        ({"scorer": 42}, "must be callable"),
        ({"model": 42}, "model must be a chat model"),
    ],
)
def test_a_bad_argument_fails_when_the_graph_is_built(arguments, message):
    given = {"model": told(numbered), "scorer": prefers_good, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        beam_search(given.pop("model"), given.pop("scorer"), **given)
    assert "\n" not in str(caught.value)
