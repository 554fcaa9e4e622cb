"""The pages on agents and on graphs of one's own: their programs run, on scripted models."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

from tests.scripted import Scripted
from tests.scripted_calls import Deciding, calling

DOCS = Path(__file__).parents[1] / "docs"
README = Path(__file__).parents[1] / "README.md"


def program(page, mark):
    return re.search(rf"<!-- {mark} -->\n```python\n(.*?)```", page.read_text(), re.DOTALL)[1]


@pytest.fixture
def answering(monkeypatch):
    def set_up(inner):
        for where in ("langchain.chat_models", "langchain.agents.factory"):
            monkeypatch.setattr(f"{where}.init_chat_model", lambda name: inner)

    return set_up


def test_an_agent_plans_with_more_thought(answering, capsys):
    apple, pear = (calling(("price_of", {"fruit": fruit})) for fruit in ("apple", "pear"))
    think = calling(("deliberate", {"question": "What is 2 * 30 + 45?"}))

    def says(told, number):
        return "It is 105" if told is None else [apple, pear, think, "105 pence"][len(told)]

    inner = Deciding(says=says)
    answering(inner)
    text = program(DOCS / "agents.md", "runs in CI")
    exec(text, {})
    said, run = capsys.readouterr().out.splitlines()
    assert said == "105 pence"
    assert run == f"['scaled', 'model', 'model', 'deliberate', 'model'] {len(inner.calls)} None"


def test_the_readmes_agent_answers(answering, capsys):
    answering(Scripted())
    exec(program(README, "runs in CI as well"), {})
    assert capsys.readouterr().out == "The answer is 3\n"


def test_the_readmes_node_stops_for_a_person_where_it_is_not_sure(answering):
    class Tickets(TypedDict, total=False):
        ticket: str
        reply: str

    answering(Scripted(answers=["The answer is 2", "The answer is 3", "The answer is 4"]))
    builder = StateGraph(Tickets)
    exec(program(README, "runs in CI, in a graph"), {"builder": builder})
    builder.add_edge(START, "think")
    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    out = graph.invoke({"ticket": "How many r's are in strawberry?"}, config)
    assert out["__interrupt__"][0].value["confidence"] < 0.6
    assert graph.invoke(Command(resume="3"), config)["reply"] == "3"


def test_the_readmes_assistants_exist():
    told = re.search(r"```json\n(.*?)```", README.read_text(), re.DOTALL)[1]
    for place in json.loads(told)["graphs"].values():
        module, name = place.split(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("node", r"The answer is 3\n"),
        ("mapped", r"3 1\.0 \d+\n"),
        ("review", r"3 \['corrected by a person: counted'.*\]\n|3 \[.*\]\n"),
    ],
)
def test_a_technique_in_a_graph_of_ones_own_answers(answering, capsys, mark, told):
    answering(Scripted())
    exec(program(DOCS / "in-a-graph.md", f"runs in CI: {mark}"), {})
    assert re.fullmatch(told, capsys.readouterr().out)


def test_a_person_corrects_what_is_not_sure(answering, capsys):
    answering(Scripted(answers=["The answer is 2", "The answer is 3", "The answer is 4"]))
    exec(program(DOCS / "in-a-graph.md", "runs in CI: review"), {})
    asked, told = capsys.readouterr().out.splitlines()
    assert re.match(r"[234] 0\.\d+ \[", asked)
    assert told.startswith("3 [")
    assert "corrected by a person: counted" in told
