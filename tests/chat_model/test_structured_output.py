"""Structured output is voted on as parsed objects."""

import pytest
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from tests.chat_model.adding import voting
from tests.scripted_calls import calling


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
