"""Questions to record, and examples to show: files of JSON lines."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tscale_graph.validation import first_problem

Text = Annotated[str, Field(min_length=1)]


class Question(BaseModel):
    """A question whose answers can be told right from wrong.

    Attributes:
        id: names it in the recording.
        question: what to ask.
        gold: the right answer, or None.
        verifier: a built-in verifier by its name and settings, or None.
        task_class: the class of the task, as policies name classes; or None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Text
    question: Text
    gold: str | None = None
    verifier: str | None = None
    task_class: str | None = None


class Example(BaseModel):
    """A question with the answer that the model should imitate."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: Text
    answer: Text


Line = TypeVar("Line", Question, Example)


def read_questions(
    path: str | os.PathLike[str], *, class_field: str | None = None
) -> list[Question]:
    """The questions of a file.

    Args:
        path: a file of JSON lines, gzipped if its name ends in ".gz".
        class_field: the field that says the class of a question, instead of "task_class".

    Raises:
        ValueError: for a line that is no question, or an id that comes twice; with its number.
        OSError: when the file cannot be read.
    """
    questions: list[Question] = []
    seen: set[str] = set()
    rename = {class_field: "task_class"} if class_field else {}
    for number, question in _read(path, Question, rename):
        if question.id in seen:
            raise ValueError(f"{path}, line {number}: id {question.id!r} was there before")
        seen.add(question.id)
        questions.append(question)
    if not questions:
        raise ValueError(f"{path}: no questions")
    return questions


def read_examples(path: str | os.PathLike[str]) -> list[Example]:
    """The worked examples of a file, one {"question", "answer"} a line.

    Raises:
        ValueError: for a line that is no example; with its number.
        OSError: when the file cannot be read.
    """
    return [example for _, example in _read(path, Example)]


Shown = Literal["turns", "message"]
"""Examples as turns of a conversation, or in one message as "Q: … A: …"."""


def prompt_of(
    question: str, *, system: str | None, examples: Sequence[Example], shown: Shown
) -> list[tuple[str, str]]:
    """The whole prompt as (role, text): a system prompt, the examples, the question.

    Raises:
        ValueError: for another way to show examples.
    """
    if shown not in get_args(Shown):
        raise ValueError(f'shown must be "turns" or "message", got {shown!r}')
    show = shown_in_turns if shown == "turns" else shown_in_one_message
    return [*([("system", system)] if system else []), *show(examples, question)]


def shown_in_turns(examples: Sequence[Example], question: str) -> list[tuple[str, str]]:
    """The examples as turns of a conversation, then the question; as (role, text)."""
    turns = [
        turn
        for example in examples
        for turn in (("human", example.question), ("ai", example.answer))
    ]
    return [*turns, ("human", question)]


def shown_in_one_message(examples: Sequence[Example], question: str) -> list[tuple[str, str]]:
    r"""The examples and the question as one message, "Q: … A: …"; as (role, text).

    >>> shown_in_one_message([Example(question="1 + 1?", answer="2")], "2 + 2?")
    [('human', 'Q: 1 + 1?\nA: 2\nQ: 2 + 2?\nA:')]
    """
    shown = "".join(f"Q: {example.question}\nA: {example.answer}\n" for example in examples)
    return [("human", f"{shown}Q: {question}\nA:")]


def _read(
    path: str | os.PathLike[str], shape: type[Line], rename: Mapping[str, str] | None = None
) -> Iterator[tuple[int, Line]]:
    named = rename or {}
    opened = gzip.open if str(path).endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                fields: Any = json.loads(line)
                if isinstance(fields, dict):
                    fields = {named.get(k, k): _as_text(v) for k, v in fields.items()}  # pyright: ignore
                yield number, shape.model_validate(fields)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: not JSON: {error}") from None
            except ValidationError as error:
                told = first_problem(error, whole="the line")
                raise ValueError(f"{path}, line {number}: {told}") from None


def _as_text(value: Any) -> Any:
    """Numbers as ids and right answers are texts to us."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value
