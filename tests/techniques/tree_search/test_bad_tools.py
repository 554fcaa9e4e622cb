"""Tools and environments that fail: a turn fails, and the search goes on."""

import pytest
from langchain_core.messages import AIMessage

from tests.techniques.searching import acts, ask, told
from tests.techniques.tree_search.numbered import numbered, raises
from tscale_graph import ab_mcts, lats


def a_tool(behave):
    def act(number: int) -> str:
        """Act."""
        return behave(number)

    return act


def acting(prompt, number):
    """Four different actions, of which the second is a bad one; then an answer."""
    if "final answer now" in prompt[-1].text or len(prompt) > 1:
        return "The answer is 4"
    return acts("act", number=number)


def bad_action(behave):
    def act(number):
        return behave() if number == 1 else f"did {number}"

    return a_tool(act)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (raises(RuntimeError("the tool broke")), "RuntimeError: the tool broke"),
        (raises(TimeoutError("the tool took too long")), "the tool took too long"),
        (raises(ValueError("two\nlines")), "two"),
        (raises(KeyError("x")), "KeyError"),
    ],
)
async def test_a_turn_whose_tool_raises_fails_and_the_search_goes_on(behave, words):
    model = told(acting)
    technique = lats(
        model, tools=[bad_action(behave)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert len(failed) == 1
    assert words in failed[0].note
    assert "\n" not in failed[0].note
    assert "deadline" not in failed[0].note, "there is none"
    assert result.answer == "4"


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (acts("fly", to="Rome"), "there is no tool named 'fly': there are act"),
        (acts("act"), "ValidationError: number: Field required"),
        (acts("act", number="many"), "ValidationError: number: Input should be a valid integer"),
    ],
)
async def test_a_turn_that_calls_no_such_tool_or_calls_it_wrongly_fails(turn, words):
    def decide(prompt, number):
        return turn if number == 1 else acting(prompt, number)

    technique = lats(
        told(decide), tools=[a_tool(str)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    [failed] = [node for node in result.tree.nodes if node.status == "failed"]
    assert words in failed.note
    assert result.answer == "4"


async def test_tools_that_always_fail_leave_an_answer_without_them():
    def decide(prompt, number):
        if "final answer now" in prompt[-1].text:
            return "The answer is 4"
        return acts("act", number=number)

    broken = a_tool(lambda number: raises(RuntimeError("broken"))())
    technique = lats(told(decide), tools=[broken], value=lambda q, a: 1.0, width=3, answer="number")
    result = await ask(technique)
    assert result.answer == "4"
    assert [node.status for node in result.tree.nodes[1:]] == ["failed"] * 6 + ["terminal"]


@pytest.mark.parametrize("method", ["snapshot", "restore", "step"])
async def test_an_environment_that_fails_costs_the_turn_only(method):
    class Fragile:
        def __init__(self):
            self.acted = []

        def snapshot(self):
            if method == "snapshot" and self.acted == [1]:
                raise RuntimeError("cannot be told")
            return self.acted

        def restore(self, snapshot):
            if method == "restore" and snapshot == [1]:
                raise RuntimeError("cannot go back")
            self.acted = snapshot

        def step(self, action):
            if method == "step" and action["args"]["number"] == 1:
                raise RuntimeError("cannot be done")
            self.acted.append(action["args"]["number"])
            return f"did {self.acted}"

    def decide(prompt, number):
        if len(prompt) > 4 or "final answer now" in prompt[-1].text:
            return "The answer is 4"
        return acts("act", number=number)

    technique = lats(
        told(decide),
        tools=[a_tool(str)],
        environment=Fragile,
        value=lambda q, a: 1.0,
        width=3,
        answer="number",
    )
    result = await ask(technique)
    assert result.answer == "4"
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    if method != "restore":
        assert len(failed) == 1
    assert all("cannot" in node.note for node in failed)


async def test_an_answer_that_cannot_be_read_fails_its_node_only():
    def reads(text):
        if text.endswith("2"):
            raise RuntimeError("cannot read this")
        return text.split()[-1]

    result = await ask(
        ab_mcts(told(numbered), lambda q, a: int(a) / 10, max_nodes=4, answer=reads, seed=1)
    )
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert ["cannot read this" in node.note for node in failed] == [True]
    assert result.answer == "4"


async def test_a_text_with_half_a_character_does_not_end_the_search():
    model = told(lambda prompt, number: f"\ud83d The answer is {number}")
    result = await ask(ab_mcts(model, lambda q, a: 0.5, max_nodes=3, answer="number", seed=1))
    assert "�" in result.tree.nodes[1].text


async def test_a_turn_of_calls_that_are_no_calls_fails():
    broken = AIMessage(
        "", invalid_tool_calls=[{"name": "act", "args": "{", "id": "1", "error": "no JSON"}]
    )

    def decide(prompt, number):
        return broken if number == 1 else acting(prompt, number)

    technique = lats(
        told(decide), tools=[a_tool(str)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    assert [n.note for n in result.tree.nodes if n.status == "failed"] == [
        "the model gave no action"
    ]
    assert result.answer == "4"
