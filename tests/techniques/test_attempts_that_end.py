"""Attempts of an agent that come to an end, and what comes after them."""

from langchain_core.messages import AIMessage

from tests.techniques.arithmetic_agent import QUESTION, TOOLS, is_20, results, solve
from tests.techniques.searching import acts, ask, asked_of, told
from tscale_graph import Budget, lats


async def test_no_attempt_is_longer_than_max_depth():
    model = told(lambda prompt, number: acts("add", a=number, b=0))
    technique = lats(model, tools=TOOLS, value=is_20, width=1, max_depth=3, on_exceeded="return")
    result = await ask(technique, question=QUESTION)
    depths = [node.depth for node in result.tree.nodes if node.text.startswith("add")]
    assert depths[:6] == [1, 2, 3, 1, 2, 3], "then it starts over"
    assert {*depths} == {1, 2, 3}


async def test_after_max_depth_the_deepest_attempt_is_asked_for_an_answer():
    def decide(prompt):
        closing = "final answer now" in prompt[-1].text
        return "The answer is 20" if closing else acts("add", a=len(prompt), b=0)

    class Deeper:
        judges_partial = True

        def __call__(self, question, attempt):
            return 0.1 * attempt.count("→")

    model = told(decide)
    await solve(model, Deeper(), tools=TOOLS, width=1, max_depth=3, reflections=0)
    assert len(results(model.prompts[-1])) == 3


async def test_no_more_than_max_nodes_are_made_and_the_best_attempt_is_asked_for_an_answer():
    def decide(prompt):
        if prompt[-1].text == "Give your final answer now, without using any tool.":
            return "The answer is 20"
        return acts("add", a=len(prompt), b=0)

    model = told(decide)
    result = await solve(model, tools=TOOLS, width=1, max_nodes=3, value_weight=0.5)
    assert (result.answer, len(model.calls)) == ("20", 4)
    assert asked_of(model)[-1][0] == ("human", QUESTION)
    assert asked_of(model)[-1][-1][1] == "Give your final answer now, without using any tool."


async def test_the_closing_call_is_kept_back_when_the_budget_ends():
    def decide(prompt):
        closing = "final answer now" in prompt[-1].text
        return "The answer is 20" if closing else acts("add", a=len(prompt), b=0)

    model = told(decide)
    result = await solve(model, tools=TOOLS, width=1, budget=Budget(calls=4))
    assert (result.answer, len(model.calls)) == ("20", 4)
    assert (result.status, result.verdict.passed) == ("complete", True), "it came in time"

    def errs(prompt):
        said = decide(prompt)
        return "The answer is 21" if isinstance(said, str) else said

    wrong = told(errs)
    result = await solve(wrong, tools=TOOLS, width=1, budget=Budget(calls=4))
    assert (result.answer, result.status, result.cut_off_by) == ("21", "cut_off", "calls")


async def test_wrong_first_answers_do_not_end_the_search():
    model = told(lambda prompt, number: f"The answer is {number // 2}")
    result = await solve(model, is_20, width=4, reflections=0)
    assert (result.answer, result.status) == ("20", "complete")
    assert len(model.calls) == 44, "whole expansions"


async def test_later_turns_are_told_which_tool_calls_have_failed():
    def decide(prompt):
        told_so = any("division by zero" in message.text for message in prompt)
        match results(prompt):
            case []:
                return acts("divide", a=40, b=2 if told_so else 0)
            case [one]:
                return f"The answer is {one}"

    def divide(a: int, b: int) -> int:
        """Divide a by b."""
        if b == 0:
            raise ValueError("division by zero")
        return a // b

    model = told(decide)
    result = await solve(model, tools=[divide], width=2)
    assert result.answer == "20"
    learnt = next(p[0].text for p in model.prompts if p[0].text != QUESTION)
    assert 'divide({"a": 40, "b": 0}) failed: ValueError: division by zero' in learnt


async def test_tools_that_are_called_in_the_closing_turn_are_left_alone():
    done = []

    def look(where: int) -> str:
        """Look somewhere."""
        done.append(where)
        return "nothing"

    def decide(prompt):
        text = "The answer is 20" if "final answer now" in prompt[-1].text else ""
        return AIMessage(text, tool_calls=acts("look", where=len(prompt)).tool_calls)

    result = await solve(told(decide), tools=[look], width=1, max_nodes=2)
    assert (result.answer, len(done)) == ("20", 2)
