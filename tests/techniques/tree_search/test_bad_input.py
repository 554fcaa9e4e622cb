"""Models that fail, say nothing or go round in circles: a node fails, and the search goes on."""

import pytest

from tests.techniques.searching import acts, ask, told
from tests.techniques.tree_search.numbered import TECHNIQUES, fails_on_2, last_number, numbered
from tscale_graph import Budget, beam_search, lats
from tscale_graph.candidates import SamplingError

ANSWERS = [f"The answer is {number}" for number in range(1, 5)]


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_an_empty_answer_fails_its_node_only(technique):
    model = told(lambda prompt, number: "" if number % 4 == 1 else numbered(prompt, number))
    result = await ask(TECHNIQUES[technique](model, fails_on_2(lambda: 0.0)))
    empty = [node for node in result.tree.nodes[1:] if not node.text]
    assert len(empty) >= 2
    assert {node.status for node in empty} == {"failed"}
    assert result.answer == "4"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_says_nothing_at_all_is_an_error_that_says_so(technique):
    model = told(lambda prompt: " \n")
    with pytest.raises(SamplingError, match=r"no (answer|step|action)"):
        await ask(TECHNIQUES[technique](model, lambda q, a: 0.5))
    assert len(model.calls) <= 9


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_fails_on_some_calls_costs_those_nodes_only(technique):
    def decide(prompt, number):
        if number % 4 == 1:
            raise RuntimeError("overloaded")
        return numbered(prompt, number)

    result = await ask(TECHNIQUES[technique](told(decide), lambda q, a: last_number(a) / 10))
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert len(failed) == 2
    assert all("overloaded" in node.note for node in failed)
    assert result.answer == "4"
    assert any("2 of 8 nodes failed" in note and "overloaded" in note for note in result.notes)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_fails_on_all_calls_is_an_error_with_its_words(technique):
    model = told(lambda prompt: "", fail=1.0)
    with pytest.raises(SamplingError, match="the scripted failure") as caught:
        await ask(TECHNIQUES[technique](model, lambda q, a: 0.5), Budget(calls=100))
    assert caught.value.usage.calls == len(model.calls) <= 9


async def test_the_same_step_again_and_again_comes_to_an_end():
    model = told(lambda prompt: "let me think")
    result = await ask(
        beam_search(model, lambda q, a: 0.5, beams=2, width=2, answer="text"),
        question="Which colour?",
    )
    assert len(model.calls) <= 12
    assert {node.status for node in result.tree.nodes[1:]} >= {"duplicate", "failed"}
    assert result.tree.nodes[-1].status == "terminal", "what there is of it is completed"
    assert result.answer


async def test_a_model_that_goes_round_in_circles_is_cut_short_where_it_repeats_itself():
    model = told(lambda prompt, number: "go left" if number % 2 else "go right")
    result = await ask(
        beam_search(model, lambda q, a: 0.5, beams=1, width=1, answer="text"),
        question="Which way?",
    )
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert [node.note for node in failed] == ["the same as step 1"]
    assert len(model.calls) == 4, "two steps, the one that repeats, and the end of it"


async def test_a_cycle_of_identical_states_comes_to_an_end():
    class Corridor:
        def __init__(self):
            self.place = 0

        def snapshot(self):
            return self.place

        def restore(self, snapshot):
            self.place = snapshot

        def step(self, action):
            self.place += 1 if action["name"] == "right" else -1
            return f"place {self.place}"

    def left() -> str:
        """Go left."""
        return ""

    def right() -> str:
        """Go right."""
        return ""

    def decide(prompt, number):
        if "final answer now" in prompt[-1].text:
            return "The answer is 3"
        return acts("left" if prompt[-1].text == "place 1" else "right")

    model = told(decide)
    technique = lats(
        model,
        tools=[left, right],
        environment=Corridor,
        value=lambda q, a: 0.6,
        width=2,
        max_nodes=60,
        max_depth=20,
        answer="number",
    )
    result = await ask(technique)
    assert len(model.calls) <= 13
    assert result.answer == "3"
