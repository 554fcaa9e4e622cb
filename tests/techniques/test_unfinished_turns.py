"""Turns of an agent that are no answer, and siblings that are not all there at once."""

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt

from tests.techniques.arithmetic_agent import TOOLS, is_20, is_wrong, knows_how, solve
from tests.techniques.searching import Told, acts, ask, told
from tscale_graph import ab_mcts, lats


class Broken(Told):
    """Tool calls whose arguments are no JSON, and replies that the limit cut short."""

    def finish(self, call, text):
        made = super().finish(call, text)
        message = made.generations[0].message
        if text == "Let me see":
            bad = {"name": "add", "args": "{", "id": "1", "error": "no JSON"}
            message.invalid_tool_calls = [{**bad, "type": "invalid_tool_call"}]
        if text.startswith("Well"):
            message.response_metadata["finish_reason"] = "length"
        return made


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Let me see", "the model's tool call could not be read"),
        ("Well, first of all", "the model's turn was cut short"),
    ],
)
async def test_a_turn_that_is_no_answer_does_not_end_an_attempt(said, note):
    model = Broken(decide=lambda prompt, number: said if number == 0 else knows_how(prompt))
    result = await solve(model, is_20, tools=TOOLS, width=2)
    assert result.answer == "20"
    assert (result.tree.nodes[1].status, result.tree.nodes[1].note) == ("failed", note)


async def test_a_tool_that_waits_for_a_person_fails_its_turn_and_nothing_is_paid_twice():
    def approve(what: str) -> str:
        """Ask a person."""
        return interrupt(what)

    def decide(prompt, number):
        return acts("approve", what="this") if number % 2 else knows_how(prompt)

    model = told(decide)
    result = await solve(model, is_20, tools=[*TOOLS, approve], width=2, max_nodes=8)
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert failed
    assert failed[0].note == "the tool interrupted the run, which is not possible in a search"
    assert result.usage.calls == len(model.calls)


@pytest.mark.parametrize("parallel", [None, 1, 2, 3])
async def test_siblings_agree_however_many_of_them_come_at_once(parallel):
    def decide(prompt, number):
        return (
            AIMessage("It is " + "AABA"[number % 4])
            if prompt[-1].type == "tool"
            else acts("add", a=(1, 1, 2, 1)[number % 4], b=0)
        )

    model = told(decide, delay=0.01)
    result = await solve(
        model,
        is_wrong,
        tools=TOOLS,
        width=4,
        max_nodes=4,
        value_weight=0.0,
        max_parallel=parallel,
    )
    assert [node.score for node in result.tree.nodes[1:5]] == [0.75, 0.75, 0.25, 0.75]
    assert model.most_in_flight == (parallel or 4)


async def test_a_small_recursion_limit_ends_the_search_with_its_best_answer():
    def decide(prompt, number):
        return "The answer is 3" if number > 9 else acts("add", a=number, b=0)

    model = told(decide)
    result = await ask(
        lats(model, value=is_wrong, tools=TOOLS, width=2, answer="number"),
        config={"recursion_limit": 30, "configurable": {"thread_id": "1"}},
        checkpointer=InMemorySaver(),
    )
    assert "the graph's recursion_limit ended the search" in result.notes
    assert result.usage.calls == len(model.calls) == len(result.tree.nodes) - 1
    numbers = told(lambda prompt, number: f"The answer is {number}")
    graph = ab_mcts(numbers, lambda q, a: int(a) / 100, max_nodes=50, answer="number")
    result = await ask(graph, config={"recursion_limit": 40})
    assert int(result.answer) == len(numbers.calls) - 1 < 49
    assert "the graph's recursion_limit ended the search" in result.notes
