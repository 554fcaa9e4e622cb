"""Votes over tool calls: which calls are the same."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tscale_graph.answers import answer_kind
from tscale_graph.answers.tool_calls import OrToolCalls, stated_calls
from tscale_graph.candidates import Candidate
from tscale_graph.models.binding import reader
from tscale_graph.votes import choose, read_answers

WORDS = answer_kind("text")
CALLS = OrToolCalls(WORDS)
NAMES = st.sampled_from(["add", "search", "Add", "get weather", "検索"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-3, 3).map(lambda x: round(x, 1))
    | st.text(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
ARGS = st.dictionaries(st.text(max_size=3), VALUES, max_size=3)
CALL = st.tuples(NAMES, ARGS)


def key(*calls: tuple[str, dict[str, Any]], kind: OrToolCalls = CALLS) -> str:
    answer = kind.calls([{"name": name, "args": args, "id": str(uuid4())} for name, args in calls])
    assert answer is not None
    return kind.key(answer)


def oracle(value: Any) -> Any:
    """What a JSON value is, whatever its spelling: comparable by ==, and telling True from 1."""
    if isinstance(value, dict):
        return frozenset((name, oracle(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return ("list", tuple(oracle(inner) for inner in value))
    return (isinstance(value, bool), value)


@given(st.lists(CALL, min_size=1, max_size=2), st.lists(CALL, min_size=1, max_size=2))
def test_calls_are_the_same_where_their_names_and_values_are(first, second):
    def multiset(calls):
        named = [(name, oracle(args)) for name, args in calls]
        return {one: named.count(one) for one in named}

    assert (key(*first) == key(*second)) == (multiset(first) == multiset(second))


@st.composite
def spelled(draw, value: Any) -> str:
    """A JSON value in another spelling."""
    space = draw(st.sampled_from(["", " ", "\n  "]))
    if isinstance(value, dict):
        members = draw(st.permutations(list(value.items())))
        inner = [f"{draw(spelled(n))}{space}:{space}{draw(spelled(v))}" for n, v in members]
        return "{" + space + f"{space},".join(inner) + "}"
    if isinstance(value, list):
        return "[" + space + f",{space}".join(draw(spelled(v)) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, int) and not isinstance(value, bool):
        return draw(st.sampled_from([f"{value}", f"{value}.0", f"{value}e0", f"{value * 10}e-1"]))
    return json.dumps(value)


@given(st.data(), CALL)
def test_the_order_of_keys_spaces_escapes_and_ways_to_write_a_number_make_no_difference(data, call):
    name, args = call
    again = json.loads(data.draw(spelled(args)))
    assert key((name, args)) == key((name, again))


@given(st.data(), st.lists(CALL, min_size=1, max_size=4))
def test_neither_does_the_order_of_parallel_calls(data, calls):
    assert key(*calls) == key(*data.draw(st.permutations(calls)))


@given(CALL)
def test_but_the_same_call_twice_is_more_than_once(call):
    assert key(call) != key(call, call)


@given(st.text(), CALL)
def test_calls_are_never_what_is_said_in_words(text, call):
    assert key(call) != CALLS.key(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": "Paris"}, {"a": "paris"}),
        ({}, {"a": None}),
    ],
)
def test_what_only_looks_alike_is_not_the_same(first, second):
    assert key(("f", first)) != key(("f", second))


@given(st.text())
def test_words_are_read_and_compared_as_ever(text):
    assert CALLS.extract(text) == WORDS.extract(text)
    assert CALLS.key(text) == WORDS.key(text)
    assert stated_calls(text) is None


@pytest.mark.parametrize("text", ["The answer is 3", '[{"name": 3', '[{"name": 1}]', "[1]", ""])
def test_what_only_begins_as_calls_do_is_compared_as_ever(text):
    number = answer_kind("number")
    assert OrToolCalls(number).key(text) == number.key(text)


def nested_deeply() -> dict[str, Any]:
    args: dict[str, Any] = {}
    for _ in range(100_000):
        args = {"a": args}
    return args


def test_arguments_that_are_no_json_never_raise():
    assert key(("f", {"a": float("nan")})) == key(("f", {"a": float("nan")}))
    assert CALLS.calls([{"name": "f", "args": {"a": object()}}]) is None
    assert CALLS.calls([{"name": "f", "args": nested_deeply()}]) is None


class Search(BaseModel):
    """Search."""

    query: str
    limit: int = 10
    exact: bool = False
    run: str = Field(default_factory=lambda: uuid4().hex)


TOLD = OrToolCalls(WORDS, {"search": reader(Search), "raw": dict})


@pytest.mark.parametrize(
    "args",
    [
        {"query": "x"},
        {"query": "x", "limit": 10},
        {"query": "x", "limit": "10"},
        {"exact": "no", "limit": 10.0, "query": "x"},
    ],
)
def test_a_tool_reads_its_arguments_and_fills_in_what_is_missing(args):
    assert key(("search", args), kind=TOLD) == key(("search", {"query": "x"}), kind=TOLD)


def test_what_differs_for_the_tool_differs():
    ten, five = {"query": "x"}, {"query": "x", "limit": 5}
    assert key(("search", ten), kind=TOLD) != key(("search", five), kind=TOLD)


@pytest.mark.parametrize(
    ("name", "args"),
    [("search", {}), ("search", {"query": "x", "limit": "many"}), ("find", {"query": "x"})],
)
def test_what_no_tool_can_take_is_no_answer(name, args):
    assert TOLD.calls([{"name": name, "args": args}]) is None
    assert TOLD.calls([{"name": "raw", "args": {}}, {"name": name, "args": args}]) is None


DESCRIBED = {
    "title": "find",
    "type": "object",
    "properties": {"query": {"type": "string"}, "all": {"type": "boolean", "default": False}},
    "required": ["query"],
}
FOUND = OrToolCalls(WORDS, {"find": reader(DESCRIBED)})


def test_of_a_tool_without_a_class_its_schema_says_what_is_missing_and_what_is_a_default():
    plain = ("find", {"query": "x"})
    assert key(plain, kind=FOUND) == key(("find", {"all": False, "query": "x"}), kind=FOUND)
    assert key(plain, kind=FOUND) != key(("find", {"all": True, "query": "x"}), kind=FOUND)
    assert key(plain, kind=FOUND) != key(("find", {"all": 0, "query": "x"}), kind=FOUND)
    assert FOUND.calls([{"name": "find", "args": {"all": True}}]) is None


def test_where_a_tool_must_be_called_words_are_no_answer():
    assert OrToolCalls(WORDS, only=True).extract("The answer is 3") is None


def candidate(index: int, *calls: tuple[str, dict[str, Any]], **more: Any) -> Candidate:
    called = [{"name": name, "args": args, "id": f"c{index}"} for name, args in calls]
    return Candidate(index=index, tool_calls=called, **more)


def test_calls_that_were_cut_short_do_not_vote():
    whole, cut = candidate(0, ("add", {"a": 1})), candidate(1, ("add", {"a": 1}), truncated=True)
    first, second = read_answers([whole, cut], CALLS)
    assert first.answer == '[{"name": "add", "args": {"a": 1}}]'
    assert second.answer is None
    assert second.notes == ["its tool calls could not be read"]


def test_one_that_calls_stands_for_those_that_only_say_the_same():
    said = Candidate(index=0, text='[{"name": "add", "args": {"a": 1.0}}]')
    read = read_answers([said, candidate(1, ("add", {"a": 1}))], OrToolCalls(answer_kind("json")))
    choice = choose(read, OrToolCalls(answer_kind("json")), select="majority")
    assert choice.winner is not None
    assert choice.winner.index == 1
    assert choice.agreement == 1
