"""LATS: the turns of an agent as a tree, with values and ways back."""

import json
import re

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from tests.scripted import Scripted
from tests.techniques.arithmetic_agent import QUESTION, TOOLS, add, is_20, knows_how, results, solve
from tests.techniques.key_value_store import Store, put
from tests.techniques.searching import Told, acts, ask, asked_of, billed, told
from tscale_graph import Budget, Usage, Verdict, lats
from tscale_graph.verifiers import equation, reward_model
from tscale_graph.verifiers.judges import judge


async def test_the_first_turn_is_asked_for_with_the_bare_question_and_the_tools():
    model = told(knows_how)
    await solve(model, tools=TOOLS, width=1)
    assert asked_of(model)[0] == [("human", QUESTION)]
    assert all(options["tools"] == ["add", "multiply"] for options in model.options)


async def test_observations_are_appended_to_the_conversation_of_an_attempt():
    model = told(knows_how)
    result = await solve(model, tools=TOOLS, width=1)
    assert asked_of(model)[1:] == [
        [("human", QUESTION), ("ai", ""), ("tool", "5")],
        [("human", QUESTION), ("ai", ""), ("tool", "5"), ("ai", ""), ("tool", "20")],
    ]
    said = model.prompts[2]
    assert [call["name"] for call in said[1].tool_calls + said[3].tool_calls] == ["add", "multiply"]
    assert said[2].tool_call_id == said[1].tool_calls[0]["id"]
    assert (result.answer, result.status, result.verdict.passed) == ("20", "complete", True)


async def test_the_tree_shows_what_was_done_and_what_came_of_it():
    model = told(knows_how)
    result = await solve(model, tools=TOOLS, width=1)
    assert [(node.text, node.status) for node in result.tree.nodes] == [
        (QUESTION, "open"),
        ('add({"a": 2, "b": 3})\n→ 5', "open"),
        ('multiply({"a": 5, "b": 4})\n→ 20', "open"),
        ("The answer is 20", "terminal"),
    ]
    assert result.tree.best_path == [0, 1, 2, 3]
    assert (result.technique, result.tree.technique) == ("lats", "lats")
    assert result.usage.calls == len(model.calls) == 3
    assert Usage.total(node.usage for node in result.tree.nodes[1:]).tokens >= billed(model)


async def test_a_turn_may_call_several_tools_in_order():
    def decide(prompt):
        if results(prompt):
            return "The answer is " + " and ".join(results(prompt))
        calls = [acts("add", a=1, b=1).tool_calls[0], acts("multiply", a=2, b=3).tool_calls[0]]
        return AIMessage("Both.", tool_calls=calls)

    result = await solve(told(decide), lambda q, a: 1.0, tools=TOOLS, width=1, answer="text")
    assert result.tree.nodes[1].text == (
        'Both.\nadd({"a": 1, "b": 1})\n→ 2\nmultiply({"a": 2, "b": 3})\n→ 6'
    )
    assert "2 and 6" in result.answer


async def test_without_tools_it_searches_over_answers():
    model = told(lambda prompt, number: f"The answer is {17 + number}")
    result = await solve(model, width=5)
    assert result.answer == "20"
    assert [candidate.answer for candidate in result.candidates] == ["17", "18", "19", "20", "21"]


@pytest.mark.parametrize("width", [1, 3])
async def test_a_node_is_expanded_width_times(width):
    model = told(lambda prompt, number: acts("add", a=number, b=0))
    result = await solve(model, tools=TOOLS, width=width, max_nodes=3 * width, reflections=0)
    counts = {len(result.tree.children(node.parent)) for node in result.tree.nodes[1:-1]}
    assert counts == {width} or counts == {width, width + 1}, "one more completes an attempt"


async def test_the_same_action_is_done_once_and_gone_on_from_once():
    done = []

    def look(where: str) -> str:
        """Look somewhere."""
        done.append(where)
        return f"nothing in {where}"

    def decide(prompt, number):
        if results(prompt):
            return "The answer is 20"
        return AIMessage(f"Trying {number}", tool_calls=acts("look", where="box").tool_calls)

    result = await solve(told(decide), tools=[look], width=4)
    assert done == ["box"]
    first = [result.tree.nodes[index] for index in result.tree.children(0)]
    assert [node.status for node in first] == ["open"] + ["duplicate"] * 3
    assert {node.parent for node in result.tree.nodes if node.depth == 2} == {1}
    assert result.answer == "20"


async def test_the_value_of_a_turn_is_the_mean_of_a_judges_score_and_of_agreement():
    def decide(prompt, number):
        if results(prompt):
            return "The answer is 20"
        return acts("add", a=0, b=1 if number < 3 else 2)

    class Partial:
        judges_partial = True

        def __call__(self, question, attempt):
            shown.append(attempt)
            if "answer" in attempt:
                return Verdict(score=0.6)
            return 0.8 if "→ 1" in attempt else 0.2

    for weight, expected in ((0.5, [0.775] * 3 + [0.225]), (1, [0.8] * 3 + [0.2])):
        shown = []
        result = await solve(
            told(decide), Partial(), tools=TOOLS, width=4, value_weight=weight, max_nodes=8
        )
        first = [result.tree.nodes[index] for index in result.tree.children(0)]
        assert [node.score for node in first] == pytest.approx(expected)
        assert shown[:2] == ['add({"a": 0, "b": 1})\n→ 1', 'add({"a": 0, "b": 2})\n→ 2']
        final = result.tree.nodes[result.tree.best]
        assert (final.score, final.status) == (0.6, "terminal")
        assert shown[2] == shown[0] + "\n\nThe answer is 20"


async def test_a_verifier_of_answers_is_not_asked_of_unfinished_attempts():
    seen = []

    def verifier(question, answer):
        seen.append((question, answer))
        return is_20(question, answer)

    result = await solve(told(knows_how), verifier, tools=TOOLS, width=1)
    assert seen == [(QUESTION, "20")]
    scores = [node.score for node in result.tree.nodes[1:]]
    assert scores == [0.75, 0.75, 1.0], "nothing is known of the first two but that they agree"


async def test_without_a_value_function_the_model_itself_judges():
    def decide(prompt):
        if "You judge" in prompt[0].text:
            return json.dumps({"reason": "so", "score": 10 if "20" in prompt[-1].text else 3})
        return knows_how(prompt)

    model = told(decide)
    result = await ask(lats(model, tools=TOOLS, width=1), question=QUESTION)
    assert result.answer == "20"
    judged = [prompt for prompt in model.prompts if "You judge" in prompt[0].text]
    assert "how likely the attempt is to lead to a correct" in judged[0][0].text
    assert result.usage.calls == len(model.calls) == 3 + len(judged)
    judges = [o for p, o in zip(model.prompts, model.options, strict=True) if p in judged]
    assert all("tools" not in options for options in judges), "a judge has no tools"


async def test_uct_goes_back_from_attempts_of_low_value():
    def decide(prompt, number):
        if results(prompt) == ["20"]:
            return "The answer is 20"
        if results(prompt):
            return acts("add", a=number, b=100)
        return acts("add", a=20 if number == 1 else 10, b=0)

    class Partial:
        judges_partial = True

        def __call__(self, question, attempt):
            return Verdict(
                score=0.9 if attempt.count("→") < 2 and "→ 20" in attempt else 0.1,
                passed="The answer is 20" in attempt,
            )

    result = await solve(told(decide), Partial(), tools=TOOLS, width=2, exploration=0.1)
    assert result.answer == "20"
    assert result.usage.calls == 4, "the better of the first two is gone on from"


async def test_batch_expands_several_attempts_side_by_side():
    model = told(lambda prompt, number: acts("add", a=number, b=0), delay=0.01)
    await solve(model, tools=TOOLS, width=2, batch=2, max_nodes=6)
    assert model.most_in_flight == 4, "after the first two, both of them twice"


async def test_max_parallel_holds_within_an_expansion():
    def decide(prompt, number):
        closing = "final answer now" in prompt[-1].text
        return "The answer is 20" if closing else acts("add", a=number, b=0)

    model = told(decide, delay=0.005)
    await solve(model, tools=TOOLS, width=4, max_parallel=2, max_nodes=8)
    assert model.most_in_flight == 2


async def test_a_system_prompt_comes_first_and_reflections_after_the_question():
    def decide(prompt):
        failed = "This attempt has failed" in prompt[-1].text
        return "Never again." if failed else acts("add", a=len(prompt), b=0)

    model = told(decide)
    await solve(model, tools=TOOLS, width=1, max_nodes=2, system="Be exact.")
    assert {prompt[0] for prompt in asked_of(model)} == {("system", "Be exact.")}


async def test_the_answer_is_appended_to_the_messages_and_nothing_else():
    graph = lats(told(knows_how), value=is_20, tools=TOOLS, width=1).compile()
    out = await graph.ainvoke({"messages": [("user", QUESTION)], "budget": Budget(calls=20)})
    assert set(out) == {"messages", "result"}
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    assert out["messages"][-1].text == "The answer is 20"
    assert not out["messages"][-1].tool_calls


@tool
def delete(path: str) -> str:
    """Delete a file."""
    return "gone"


delete.metadata = {"side_effects": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tools": [delete]}, "tool 'delete' is declared to have side effects"),
        ({"tools": [add, add]}, "tools must have different names, got 'add' twice"),
        ({"tools": [42]}, "tools must be LangChain tools or functions, got 42"),
        ({"environment": 42}, "environment must have snapshot, restore and step"),
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"max_depth": 0}, "max_depth must be at least 1, got 0"),
        ({"max_nodes": 0}, "max_nodes must be at least 1, got 0"),
        ({"reflections": -1}, "reflections must be at least 0, got -1"),
        ({"exploration": -1}, "exploration must be at least 0, got -1"),
        ({"exploration": float("nan")}, "exploration must be at least 0, got nan"),
        ({"value_weight": 1.5}, "value_weight must be between 0 and 1, got 1.5"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"value": "oracle"}, "must be one of"),
        ({"value": 42}, "must be callable"),
        ({"model": 42}, "model must be a chat model"),
        ({"model": Scripted(), "tools": TOOLS}, "model must be able to call tools, and Scripted"),
        ({"model": HumanMessage("hi"), "tools": TOOLS}, "model must be"),
    ],
)
def test_a_bad_argument_fails_when_the_graph_is_built(arguments, message):
    given = {"model": told(knows_how), "value": is_20, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        lats(given.pop("model"), **given)
    assert "\n" not in str(caught.value)


def test_a_tool_with_side_effects_is_taken_where_an_environment_can_undo_them():
    lats(Told(decide=knows_how), value=is_20, tools=[put, delete], environment=Store)


def test_judges_and_reward_models_are_shown_unfinished_attempts():
    assert judge(Scripted()).judges_partial
    assert reward_model("http://127.0.0.1:1/classify").judges_partial
    assert not hasattr(equation, "judges_partial")
