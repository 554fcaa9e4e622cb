"""What a chat model of a technique answers: votes over tool calls, and over parsed objects."""

import json
from typing import Annotated

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, tool
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from tests.scripted import Scripted
from tests.scripted_calls import ScriptedCalls, StreamingCalls, calling
from tests.techniques.test_clustering import BagOfWords
from tests.verifiers.judges.readers import fenced, reader
from tscale_graph import (
    Budget,
    Policy,
    ScaledChatModel,
    beam_search,
    best_of_n,
    cascade,
    refine,
    router,
    self_consistency,
)
from tscale_graph.verifiers.judges import listwise_judge
from tscale_graph.verifiers.meaning import semantic

BUDGET = Budget(tokens=100_000)


@tool
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


@tool
def search(query: str, user: Annotated[str, InjectedToolArg]) -> str:
    """Search."""
    return query + user


ONE_AND_TWO = calling(("add", {"a": 1, "b": 2}))
FIVE = calling(("add", {"a": 5, "b": 2}))


def voting(*answers: str, cls: type[ScriptedCalls] = ScriptedCalls, **more) -> ScaledChatModel:
    inner = cls(answers=answers, **more)
    graph = self_consistency(inner, max_samples=len(answers), stop="fixed")
    return ScaledChatModel(graph, budget=BUDGET)


def plain(message: AIMessage) -> list[tuple[str, dict]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


@pytest.mark.parametrize("cls", [ScriptedCalls, StreamingCalls])
def test_equal_calls_in_other_spellings_outvote_one_that_came_first(cls):
    spelled = [
        calling(("add", {"b": 2.0, "a": 1})),
        calling(("add", {"a": "1"})),
        calling(("add", {"a": 1, "b": 2})),
    ]
    model = voting(FIVE, FIVE, *spelled, cls=cls).bind_tools([add])
    message = model.invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"b": 2.0, "a": 1})]
    assert message.response_metadata["agreement"] == 0.6


def test_parallel_calls_in_another_order_are_the_same_and_one_sample_makes_them_all():
    both = (("add", {"a": 1}), ("add", {"a": 3}))
    model = voting(calling(both[0]), calling(*both), calling(*both[::-1])).bind_tools([add])
    message = model.invoke("What is 1 + 2, and 3 + 2?")
    assert plain(message) == [("add", {"a": 1}), ("add", {"a": 3})]
    assert len({call["id"] for call in message.tool_calls}) == 2


def test_an_answer_in_words_may_win_and_then_nothing_is_called():
    message = voting("It is 3", FIVE, "It is 3").bind_tools([add]).invoke("What is 1 + 2?")
    assert (message.text, message.tool_calls) == ("It is 3", [])


def test_calls_that_the_tool_cannot_take_do_not_vote():
    wrong = [calling(("add", {"a": "one"})), calling(("subtract", {"a": 1}))]
    message = voting(*wrong, *wrong, ONE_AND_TWO).bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]


def test_where_all_calls_are_wrong_one_is_passed_on_for_the_agent_to_hear_what_is_wrong():
    wrong = calling(("add", {"a": "one"}))
    message = voting(wrong, wrong).bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": "one"})]
    assert message.response_metadata["agreement"] is None


def test_calls_that_are_cut_short_are_not_made():
    inner = StreamingCalls(answers=[FIVE], pause=0.2)
    graph = self_consistency(inner, max_samples=2, stop="fixed", on_exceeded="return")
    model = ScaledChatModel(graph, budget=Budget(seconds=0.6)).bind_tools([add])
    message = model.invoke("What is 5 + 2?")
    assert message.response_metadata["cut_off_by"] == "seconds"
    assert message.tool_calls == []


def test_where_a_tool_must_be_called_words_do_not_count():
    answers = ("It is 3", "It is 3", "It is 3", ONE_AND_TWO)
    model = voting(*answers).bind_tools([add], tool_choice="any")
    assert plain(model.invoke("What is 1 + 2?")) == [("add", {"a": 1, "b": 2})]
    model = voting(*answers).bind_tools([add], tool_choice="auto")
    assert model.invoke("What is 1 + 2?").text == "It is 3"


def test_arguments_that_only_the_agent_fills_in_are_not_asked_of_the_model():
    asked = calling(("search", {"query": "x"}))
    message = voting(asked, asked).bind_tools([search]).invoke("Search x")
    assert plain(message) == [("search", {"query": "x"})]
    assert message.response_metadata["agreement"] == 1


def test_the_models_that_are_asked_are_told_of_the_tools_and_of_the_choice():
    inner = ScriptedCalls(answers=[ONE_AND_TWO])
    graph = self_consistency(inner, max_samples=2)
    before = set(graph.nodes)
    model = ScaledChatModel(graph, budget=BUDGET)
    model.bind_tools([add], tool_choice="add").invoke("What is 1 + 2?", stop=["#"])
    for _, options in inner.seen:
        assert [one["function"]["name"] for one in options["tools"]] == ["add"]
        assert options["tool_choice"] == "add"
        assert options["stop"] == ["#"]
    model.invoke("What is 1 + 2?")
    assert "tools" not in inner.seen[-1][1]
    assert set(graph.nodes) == before


@pytest.mark.parametrize("ids", [True, False])
def test_no_two_calls_of_a_conversation_have_one_id(ids):
    model = voting(ONE_AND_TWO, ids=ids).bind_tools([add])
    asked = HumanMessage("What is 1 + 2?")
    first = model.invoke([asked])
    done = ToolMessage("3", tool_call_id=first.tool_calls[0]["id"])
    second = model.invoke([asked, first, done])
    assert first.tool_calls[0]["id"]
    assert second.tool_calls[0]["id"] not in (None, first.tool_calls[0]["id"])


def test_a_conversation_reaches_the_models_as_it_is():
    inner = ScriptedCalls(answers=["It is 3"])
    asked = HumanMessage("What is 1 + 2?")
    call = {"name": "add", "args": {"a": 1}, "id": "x", "type": "tool_call"}
    history = [
        asked,
        AIMessage("", tool_calls=[call]),
        ToolMessage("3", tool_call_id="x"),
        AIMessage("It is 3", id="same"),
        asked,
        AIMessage("It is 3", id="same"),
        HumanMessage("Sure?"),
    ]
    ScaledChatModel(self_consistency(inner, max_samples=1), budget=BUDGET).invoke(history)
    got, _ = inner.seen[0]
    assert [(m.type, m.text) for m in got] == [(m.type, m.text) for m in history]
    assert got[1].tool_calls[0]["id"] == got[2].tool_call_id == "x"
    assert asked.id is None


def test_best_of_n_shows_the_calls_to_its_verifier_as_json_and_equal_ones_once():
    shown = []

    def check(question: str, answer: str) -> float:
        shown.append((question, answer))
        return json.loads(answer)[0]["args"]["a"] / 10

    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE, calling(("add", {"b": 2.0, "a": 1}))])
    model = ScaledChatModel(best_of_n(inner, check, n=3, select="max"), budget=BUDGET)
    message = model.bind_tools([add]).invoke("What is it?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    first = '[{"name": "add", "args": {"a": 1, "b": 2}}]'
    second = '[{"name": "add", "args": {"a": 5, "b": 2}}]'
    assert shown == [("What is it?", first), ("What is it?", second)]


def test_tools_reach_the_models_of_a_technique_in_the_place_of_a_model():
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE, ONE_AND_TWO])
    each = self_consistency(inner, max_samples=3, stop="fixed")
    graph = best_of_n(each, lambda question, answer: 0.5, n=2)
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]
    assert message.response_metadata["calls"] == len(inner.calls) == 6


def test_a_model_with_tools_of_its_own_votes_over_calls_too():
    inner = ScriptedCalls(answers=[FIVE, ONE_AND_TWO, ONE_AND_TWO]).bind_tools([add])
    out = (
        self_consistency(inner, max_samples=3, stop="fixed")
        .compile()
        .invoke({"messages": [("user", "1 + 2?")], "budget": BUDGET})
    )
    assert plain(out["messages"][-1]) == [("add", {"a": 1, "b": 2})]
    assert out["result"].answer == '[{"name": "add", "args": {"a": 1, "b": 2}}]'


def test_a_policy_routes_tools_to_the_techniques_that_take_them():
    policy = Policy.model_validate(
        {
            "default_class": "hard",
            "classes": {
                "hard": {"technique": "refine", "fallback": "votes"},
                "votes": {"technique": "self_consistency", "arguments": {"max_samples": 2}},
            },
        }
    )
    model = ScaledChatModel(policy, model=ScriptedCalls(answers=[ONE_AND_TWO]), budget=BUDGET)
    message = model.bind_tools([add]).invoke("What is 1 + 2?")
    assert plain(message) == [("add", {"a": 1, "b": 2})]
    assert message.response_metadata["technique"] == "self_consistency"
    assert any("refine takes no tools" in note for note in message.response_metadata["notes"])


def test_a_technique_that_makes_nothing_of_tools_says_so_when_they_are_bound():
    inner = ScriptedCalls()
    model = ScaledChatModel(refine(inner), budget=BUDGET)
    with pytest.raises(
        ValueError, match="refine takes no tools, tool_choice of a caller: self_con"
    ):
        model.bind_tools([add], tool_choice="any")
    searching = beam_search(inner, lambda question, steps: [0.5])
    with pytest.raises(ValueError, match="beam_search takes no tools of a caller"):
        ScaledChatModel(searching, budget=BUDGET).bind_tools([add])
    with pytest.raises(ValueError, match="refine takes no stop of a caller"):
        ScaledChatModel(refine(inner), stop=["#"])
    ladder = router(
        Policy.model_validate({"default_class": "a", "classes": {"a": {"technique": "refine"}}}),
        model=inner,
    )
    with pytest.raises(ValueError, match="router: refine takes no tools"):
        ScaledChatModel(ladder, budget=BUDGET).bind_tools([add])
    assert inner.calls == []


def test_so_does_a_model_that_cannot_call_them():
    model = ScaledChatModel(self_consistency(Scripted()), budget=BUDGET)
    with pytest.raises(ValueError, match="must be able to call tools, and scripted is not"):
        model.bind_tools([add])


def test_a_call_cannot_name_another_model():
    model = voting("It is 3")
    with pytest.raises(ValueError, match="which models it asks, got model='other'"):
        model.invoke("1 + 2?", model="other")


def test_only_words_are_compared_by_what_they_mean():
    embeddings = BagOfWords()
    answers = ["It is 3", FIVE, "3 it is", FIVE, calling(("add", {"b": 2.0, "a": 5}))]
    inner = ScriptedCalls(answers=answers)
    graph = self_consistency(
        inner,
        max_samples=5,
        stop="fixed",
        max_parallel=1,
        answer=semantic(embeddings=embeddings),
    )
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("1 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    assert message.response_metadata["agreement"] == 0.6
    assert {text for texts in embeddings.texts for text in texts} == {"It is 3", "3 it is"}


def test_a_judge_that_ranks_is_shown_the_calls():
    judge = reader('{"ranking": [2, 1]}')
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE])
    graph = best_of_n(inner, listwise_judge(judge), n=2)
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("What is it?")
    assert message.tool_calls
    [prompt] = judge.prompts
    shown = {json.dumps([{"name": "add", "args": {"a": a, "b": 2}}]) for a in (1, 5)}
    assert shown < set(fenced(prompt).values())


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    nick: str = ""

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        return name.strip().title()


def person(**fields) -> str:
    return calling(("Person", fields))


def test_the_vote_of_structured_output_is_over_parsed_objects():
    answers = [
        person(name="bo", age=7),
        person(name="bo", age=7),
        person(name="al", age=3),
        person(age="3", name="AL "),
        person(age=3.0, name="Al", nick=""),
        person(name="al"),
    ]
    model = voting(*answers).with_structured_output(Person)
    assert model.invoke("Who?") == Person(name="Al", age=3)


def test_an_object_that_cannot_be_parsed_does_not_vote_and_the_raw_message_tells():
    bad, good = person(name="Al"), person(name="Bo", age=1)
    model = voting(bad, bad, good).with_structured_output(Person, include_raw=True)
    out = model.invoke("Who?")
    assert out["parsed"] == Person(name="Bo", age=1)
    assert out["parsing_error"] is None
    assert out["raw"].response_metadata["agreement"] == 1
    out = voting(bad, bad).with_structured_output(Person, include_raw=True).invoke("Who?")
    assert out["parsed"] is None
    assert isinstance(out["parsing_error"], Exception)
    with pytest.raises((OutputParserException, ValueError)):
        voting(bad, bad).with_structured_output(Person).invoke("Who?")


class Named(TypedDict):
    """Who it is."""

    name: str


@pytest.mark.parametrize("schema", [Named, {"title": "Named", "type": "object", "properties": {}}])
async def test_schemas_without_a_class_are_compared_as_json(schema):
    al, bo = calling(("Named", {"name": "Al"})), calling(("Named", {"name": "Bo"}))
    model = voting(bo, al, al).with_structured_output(schema)
    assert await model.ainvoke("Who?") == {"name": "Al"}


def test_words_do_not_count_where_an_object_is_wanted():
    al = calling(("Person", {"name": "Al", "age": 3}))
    model = voting("Al, 3", "Al, 3", "Al, 3", al).with_structured_output(Person)
    assert model.invoke("Who?") == Person(name="Al", age=3)


def test_a_cascade_climbs_where_the_calls_of_a_small_model_do_not_agree():
    small = ScriptedCalls(answers=[calling(("add", {"a": a})) for a in range(4)])
    large = ScriptedCalls(answers=[FIVE])
    graph = cascade([self_consistency(small, max_samples=4), large])
    message = ScaledChatModel(graph, budget=BUDGET).bind_tools([add]).invoke("5 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
    assert len(large.calls) == 1


class Solutions:
    """A verifier of whole solutions; what calls a tool has none."""

    reads_solutions = True

    def __call__(self, question: str, answer: str) -> bool:
        return answer == '[{"name": "add", "args": {"a": 5, "b": 2}}]'


@pytest.mark.parametrize(
    "technique",
    [
        lambda model: best_of_n(model, Solutions(), n=2),
        lambda model: cascade([model, model], verifier=Solutions()),
    ],
    ids=["best_of_n", "cascade"],
)
def test_a_verifier_of_whole_solutions_is_shown_the_calls(technique):
    inner = ScriptedCalls(answers=[ONE_AND_TWO, FIVE])
    message = ScaledChatModel(technique(inner), budget=BUDGET).bind_tools([add]).invoke("5 + 2?")
    assert plain(message) == [("add", {"a": 5, "b": 2})]
