"""What the demonstration shows."""

import io
import random
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from rich.console import Console

from examples.agent_with_a_handbook import main as handbook_agent
from examples.agent_with_memory import search
from examples.coding_assistant import main as coding_assistant
from examples.graph_with_a_router import main as graph_with_a_router
from examples.on_this_machine import EQUATIONS, LETTERS, is_right, shown, table_of
from examples.sleep_while_idle import main as sleep_while_idle
from tests.reader import Reader, written
from tests.scripted import Scripted
from tests.techniques.searching import acts, told


@pytest.mark.parametrize(
    ("answer", "right", "text"),
    [("3", "3", "3 ✓"), ("3.0", "3", "3.0 ✓"), ("2", "3", "2 ✗"), (None, "3", "— ✗")],
)
def test_an_answer_stands_beside_its_mark(answer, right, text):
    assert shown(answer, right).plain == text
    assert is_right(answer, right) == text.endswith("✓")


@pytest.mark.parametrize("family", [LETTERS, EQUATIONS], ids=lambda family: family.name)
def test_the_table_fits_a_terminal_of_80_columns(family):
    console = Console(width=80, file=io.StringIO())
    table = table_of(family)
    for question, right in family.questions(30, rng=random.Random(0)):
        table.add_row(question, right, shown(right, right), shown(None, right))
    console.print(table)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines), "nothing is cut"
    assert len(lines) < 30 * 1.2 + 2, "few questions need a second line"


@pytest.mark.parametrize("family", [LETTERS, EQUATIONS], ids=lambda family: family.name)
def test_no_question_is_asked_twice_or_shown_as_an_example(family):
    drawn = [question for question, _ in family.questions(60, rng=random.Random(0))]
    assert len(set(drawn)) == 60
    assert not {*drawn} & {question for question, _ in family.examples}


def test_an_agent_whose_memory_goes_back_finds_the_answer_that_one_attempt_misses():
    def decide(prompt, number):
        """Looks both up in one turn in three, multiplies what it saw, and answers with it."""
        seen = [int(each.text) for each in prompt if each.type == "tool" and each.text.isdigit()]
        if len(seen) == 3:
            return f"The answer is {seen[-1]}"
        if len(seen) == 2:
            return acts("multiply", a=seen[0], b=seen[1])
        if number % 3 == 2:
            calls = [("Get", {"key": "price"}), ("Get", {"key": "count"})]
            called = [{"name": n, "args": a, "id": f"{k}"} for k, (n, a) in enumerate(calls)]
            return AIMessage("", tool_calls=called)
        return [acts("Put", key="price", value=1), "The answer is 7"][number % 3]

    result = search(told(decide))
    assert (result.answer, result.verdict.passed) == ("444", True)
    assert any("Put(" in node.text for node in result.tree.nodes), "who wrote over the price"
    attempt = [result.tree.nodes[index].text for index in result.tree.best_path]
    assert "→ 37" in attempt[1]
    assert "→ 12" in attempt[1]


async def test_an_agent_with_a_handbook_answers_from_what_was_prepared(tmp_path, capsys):
    class Agent(Reader):
        """Asks the handbook, and says what that said; all else it reads."""

        tools: bool = False

        def bind_tools(self, tools, **more):
            return self.model_copy(update={"tools": True})

        def _generate(self, messages, stop=None, run_manager=None, **options):
            done = super()._generate(messages, stop, run_manager, **options)
            return self.as_agent(messages, done)

        async def _agenerate(self, messages, stop=None, run_manager=None, **options):
            done = await super()._agenerate(messages, stop, run_manager, **options)
            return self.as_agent(messages, done)

        def as_agent(self, messages, done):
            if self.tools:
                call = {"name": "ask_handbook", "args": {"question": "How much is tea?"}, "id": "1"}
                last = messages[-1]
                said = AIMessage(last.text) if last.type == "tool" else acted(call)
                done.generations[0].message = said
            return done

    def acted(call):
        return AIMessage("", tool_calls=[call])

    handbook, where = written({"tea": 2, "cake": 3}), str(tmp_path / "handbook.sqlite")
    said = await handbook_agent(Agent(), handbook, "What does tea cost here?", where=where)
    assert said.startswith("The answer is 2\n(anticipated as 'How much is tea?'")
    assert "prepared: 2 questions" in capsys.readouterr().out


async def test_a_scheduler_works_ahead_gives_way_and_what_it_did_is_used(capsys):
    menu, questions = written({"tea": 2, "cake": 3}), ("How much is tea?", "How much is cake?")
    results = await sleep_while_idle(Reader(delay=0.15), menu, questions)
    assert [result.technique for result in results] == ["self_consistency"] * 3 + ["wake"] * 2
    assert [result.usage.calls for result in results[3:]] == [0, 0]
    assert [result.answer for result in results[:2]] == [result.answer for result in results[3:]]
    told = capsys.readouterr().out
    assert "gave_way" in told
    assert "complete" in told


class Pupil(Scripted):
    """Says to each prompt what `says` gives for it and the number of the call."""

    says: Any

    def begin(self, messages, options):
        self.answers = [self.says([str(message.text) for message in messages], len(self.calls))]
        return super().begin(messages, options)


def test_a_graph_of_ones_own_sends_what_is_sure_and_hands_on_what_is_not(capsys):
    prompts = []

    def says(prompt, number):
        prompts.append(prompt)
        if "tea" in prompt[-1]:
            return "Put the kettle on."
        if "Solve" in prompt[-1]:
            return ["x = 1", "x = 7"][number % 2]
        return "3" if "pepper" in prompt[-1] else str(number % 5)

    letters = "How many times does the letter p appear in {}?"
    equations = ("Solve 3x + 5 = 26 for x.", "Solve 3x + 5 = 29 for x.")
    unsure, sure = letters.format("apple"), letters.format("pepper")
    graph_with_a_router(Pupil(says=says), ("Make me a tea.", unsure, sure, *equations))
    told = capsys.readouterr().out.splitlines()
    replies, ways = told[1::3], told[2::3]
    assert replies[0] == "  Put the kettle on."
    assert replies[1].startswith("  for a teacher (perhaps ")
    assert replies[2:4] == ["  3", "  x = 7"]
    assert replies[4].startswith("  for a teacher"), "no answer solves it"
    assert [way.split(",")[0] for way in ways] == [
        "  (simple: self_consistency",
        *["  (samplable: self_consistency"] * 2,
        *["  (verifiable: best_of_n"] * 2,
    ]
    assert max(map(len, told)) <= 80
    assert prompts[0] == ["Make me a tea."]
    assert prompts[-1][0].startswith("Q: Solve 2x + 3 = 11 for x.\nA: x = 4\n")
    assert "letter" not in prompts[-1][0]


def test_a_coding_assistant_keeps_what_passes_and_tells_the_model_what_failed(capsys):
    asserts = "assert twice(2) == 4\nassert twice(3) == 6"
    tasks = {
        "twice(n) that doubles": asserts,
        "thrice(n) that triples": "assert thrice(2) == 6",
    }

    def says(prompt, number):
        if "thrice" in prompt[-1] or any("def thrice" in text for text in prompt):
            return f"```python\ndef thrice(n):\n    return {number} - {number}\n```"
        failed = "assert twice(3) == 6" in prompt[-1]
        return f"```python\ndef twice(n):\n    return n {'* 2' if failed else '+ 2'}\n```"

    coding_assistant(Pupil(says=says), tasks)
    told = capsys.readouterr().out
    assert "    def twice(n):\n        return n * 2\n" in told
    assert "n + 2" not in told
    assert "def thrice" not in told
    assert "none passed: assert thrice(2) == 6" in told
    assert "First answers that pass: 0 of 2. Kept in the end: 1." in told
    assert max(map(len, told.splitlines())) <= 80
