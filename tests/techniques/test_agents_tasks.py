"""Small tasks with tools that LATS solves: arithmetic, and a store whose branches stay apart."""

import json
import re

import pytest
from langchain_core.tools import tool

from tests.techniques.arithmetic_agent import TOOLS, is_wrong, knows_how, results, solve
from tests.techniques.key_value_store import AsyncStore, Store, get, put
from tests.techniques.searching import acts, told
from tests.verifiers.judges.readers import fenced, reader
from tscale_graph.verifiers.judges import judge

ARITHMETIC = {
    "What is (2 + 3) * 4?": ("20", [("add", 2, 3), ("multiply", None, 4)]),
    "What is 6 * 7 + 1?": ("43", [("multiply", 6, 7), ("add", None, 1)]),
    "What is 2 * 2 * 2 + 5?": ("13", [("multiply", 2, 2), ("multiply", None, 2), ("add", None, 5)]),
}


def often_wrong(plan):
    """Does the next thing of a plan every third time, and something else the other times."""

    def decide(prompt, number):
        brought = results(prompt)
        if len(brought) == len(plan):
            return f"The answer is {brought[-1]}"
        if number % 3 != 2:
            return acts("add", a=number, b=1000)
        name, a, b = plan[len(brought)]
        return acts(name, a=int(brought[-1]) if a is None else a, b=b)

    return decide


class Near:
    """A value function that knows the numbers on the way."""

    judges_partial = True

    def __init__(self, plan, answer):
        numbers = []
        for name, a, b in plan:
            a = numbers[-1] if a is None else a
            numbers.append(a + b if name == "add" else a * b)
        self.numbers, self.answer = numbers, answer

    def __call__(self, question, attempt):
        brought = [int(number) for number in re.findall(r"→ (\d+)", attempt)]
        right = brought == self.numbers[: len(brought)]
        final = re.findall(r"The answer is (\d+)", attempt)
        if final:
            return final[-1] == self.answer
        return 0.2 + 0.2 * len(brought) if right else 0.0


@pytest.mark.parametrize("question", ARITHMETIC)
async def test_it_solves_arithmetic_that_a_single_attempt_gets_wrong(question):
    answer, plan = ARITHMETIC[question]
    result = await solve(
        told(often_wrong(plan)), Near(plan, answer), question=question, tools=TOOLS, width=3
    )
    assert (result.answer, result.verdict.passed) == (answer, True)


class Bookkeeper:
    """Moves an amount: reads both accounts and writes both. The first idea is a wrong one."""

    def __call__(self, prompt, number):
        brought = results(prompt)
        written = sum(1 for text in brought if text == "written")
        read = [text for text in brought if text != "written"]
        if not read:
            return acts("get", key="a")
        if written == 0:
            wrong = number % 3 != 2
            return acts("put", key="a", value="999" if wrong else str(int(read[0]) - 30))
        if len(read) == 1:
            return acts("get", key="b")
        if written == 1:
            return acts("put", key="b", value=str(int(read[1]) + 30))
        if len(read) < 4:
            return acts("get", key="a" if len(read) == 2 else "b")
        return f"The answer is {read[2]} and {read[3]}"


def accounts(kind):
    def make():
        store = kind()
        store.values = {"a": "100", "b": "5"}
        return store

    return make


def booked(question, answer):
    return "70 and 35" in answer


@pytest.mark.parametrize("kind", [Store, AsyncStore])
async def test_it_solves_a_task_that_takes_writing_and_going_back(kind):
    book = Bookkeeper()
    model = told(lambda prompt, number: book(prompt, number))
    result = await solve(
        model,
        booked,
        question="Move 30 from a to b.",
        tools=[put, get],
        environment=accounts(kind),
        width=3,
        answer="text",
        reflections=0,
    )
    assert result.verdict.passed
    read = [node.text for node in result.tree.nodes if node.text.startswith('get({"key": "a"})')]
    assert {text.rpartition("→ ")[2] for text in read} <= {"100", "70", "999"}
    for node in result.tree.nodes:
        if node.text.startswith('get({"key": "a"})') and node.depth > 1:
            above = " ".join(result.tree.nodes[i].text for i in result.tree.path(node.index)[1:-1])
            value = re.findall(r'"key": "a", "value": "(\d+)"', above)[-1]
            assert node.text.endswith(f"→ {value}"), "what its own attempt wrote, and no other's"


async def test_parallel_branches_never_see_each_others_writes():
    def decide(prompt, number):
        brought = results(prompt)
        if not brought:
            return acts("put", key="n", value=str(number))
        if brought == ["written"]:
            return acts("get", key="n")
        return f"The answer is {brought[-1]}"

    result = await solve(
        told(decide),
        is_wrong,
        tools=[put, get],
        environment=AsyncStore,
        width=4,
        batch=4,
        max_nodes=40,
        reflections=0,
    )
    reads = [node for node in result.tree.nodes if node.text.startswith("get")]
    assert len(reads) >= 4
    for node in reads:
        wrote = re.findall(r'"value": "(\d+)"', result.tree.nodes[node.parent].text)
        assert node.text.endswith(f"→ {wrote[0]}")


async def test_an_action_that_leads_back_to_where_an_attempt_was_is_a_dead_end():
    class Room:
        """Two doors: through one and back again."""

        def __init__(self):
            self.place = 0

        def snapshot(self):
            return self.place

        def restore(self, snapshot):
            self.place = snapshot

        def step(self, action):
            self.place = 1 - self.place
            return f"You are in room {self.place}"

    @tool
    def walk() -> str:
        """Walk through the door."""
        return ""

    def decide(prompt, number):
        closing = "final answer now" in prompt[-1].text
        return "The answer is 20" if closing else acts("walk")

    result = await solve(told(decide), tools=[walk], environment=Room, width=1, max_nodes=30)
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert {node.note for node in failed} == {"the same as node 1, which it goes on from"}
    assert len(result.tree.nodes) <= 8
    assert result.answer == "20"


async def test_a_judge_that_is_leased_scores_attempts_and_is_counted():
    def rate(prompt):
        shown = fenced(prompt)["answer"]
        return json.dumps({"score": 10 if "answer is 20" in shown else 6})

    judging = reader(rate)
    model = told(knows_how)
    result = await solve(model, judge(judging, pass_at=1.0), tools=TOOLS, width=1)
    assert (result.answer, result.verdict.passed) == ("20", True)
    assert len(judging.calls) == 3, "every turn was judged"
    assert "add(" in fenced(judging.prompts[0])["answer"]
    assert result.usage.calls == len(model.calls) + len(judging.calls)
