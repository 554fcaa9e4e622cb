"""Questions with the class of task that each stands for, from files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tscale_graph.policy import CLASS_NAME
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.questions import Question, read_questions
from tscale_graph.recordings.records import RecordedQuestion

Asked = TypeVar("Asked", Question, RecordedQuestion)


@dataclass(frozen=True, slots=True)
class ClassFile:
    """A file, and the class of all its questions.

    Attributes:
        path: of the file.
        task_class: of its questions, or None where each says its own.
    """

    path: str | os.PathLike[str]
    task_class: str | None = None

    @classmethod
    def of(cls, text: str) -> ClassFile:
        """From "CLASS=FILE" or "FILE".

        >>> ClassFile.of("easy=sums.jsonl")
        ClassFile(path='sums.jsonl', task_class='easy')
        """
        name, equals, path = text.partition("=")
        if equals and re.match(CLASS_NAME, name) and not Path(text).exists():
            return cls(path, name)
        return cls(text)


def read_classes(files: Sequence[ClassFile], *, field: str | None = None) -> list[Question]:
    """The questions of some files, each with its class where one is known.

    Args:
        files: of questions.
        field: the field of a line that says its class, instead of "task_class".

    Raises:
        ValueError: for a line that is no question, a class that cannot be one's name, and a
            question that comes twice.
        OSError: when a file cannot be read.
    """
    each: list[tuple[ClassFile, list[Question]]] = []
    for file in files:
        asked = read_questions(file.path, class_field=field)
        if field is not None:
            asked = [_called(question, question.task_class, field, file) for question in asked]
        each.append((file, asked))
    return _together(each)


def read_recorded_classes(
    files: Sequence[ClassFile], *, field: str | None = None
) -> list[RecordedQuestion]:
    """The same, of recordings."""
    each: list[tuple[ClassFile, list[RecordedQuestion]]] = []
    for file in files:
        recorded = list(read_recording(file.path))
        if field is not None:
            recorded = [
                _called(question, (question.model_extra or {}).get(field), field, file)
                for question in recorded
            ]
        each.append((file, recorded))
    return _together(each)


def as_class_name(text: str) -> str:
    """A text as a class may be called: letters, digits, "_" and "-".

    >>> as_class_name("agi-eval/aqua-rat")
    'agi-eval-aqua-rat'
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")
    return plain if re.match(r"[A-Za-z]", plain) else f"class-{plain}"


def _called(question: Asked, value: object, field: str, file: ClassFile) -> Asked:
    """The question as one of the class that a field of it says."""
    if value is None:
        raise ValueError(f"{file.path}: question {question.id!r} has no field {field!r}")
    return question.model_copy(update={"task_class": as_class_name(str(value))})


def _together(each: Sequence[tuple[ClassFile, list[Asked]]]) -> list[Asked]:
    found: list[Asked] = []
    seen: set[tuple[str | None, str]] = set()
    for file, questions in each:
        for question in questions:
            named = file.task_class or question.task_class
            if named is not None and not re.match(CLASS_NAME, named):
                raise ValueError(
                    f"{file.path}: question {question.id!r}: a class must be called by letters, "
                    f"digits, _ and -, got {named!r}"
                )
            if (named, question.id) in seen:
                raise ValueError(f"{file.path}: question {question.id!r} was there before")
            seen.add((named, question.id))
            found.append(question.model_copy(update={"task_class": named}))
    return found
