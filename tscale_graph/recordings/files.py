"""Recordings on disk: one question a line, as JSON, compressed where the name ends in .gz.

A recording is appended to while it is made, one line at a time and each flushed to the disk, so
that a run that is killed loses no more than the line it was writing.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from pydantic import BaseModel, ValidationError

from tscale_graph.recordings.chains import RecordedChains
from tscale_graph.recordings.records import RecordedQuestion, estimated_tokens
from tscale_graph.validation import first_problem

Scores = Literal["probability", "reward"]


def read_recording(
    path: str | os.PathLike[str], *, scores: Scores = "probability", rollouts: bool = False
) -> Iterator[RecordedQuestion]:
    """The questions of a recording, one after the other.

    Lines that follow each other and have the same id are one question: what a run could not
    finish and a later one did. In a label file they may stand anywhere: it may be added to.

    Args:
        path: a file of JSON lines, gzipped if its name ends in ".gz".
        scores: what the samples' scores are: in [0, 1] already, or the raw rewards of a reward
            model, which the logistic function maps to it (rewards are logits of preference in
            Bradley and Terry's model, which is how reward models are trained).
        rollouts: with the samples that the model did not write from the beginning, but went on
            from given steps; they are no samples of its answers.

    Raises:
        ValueError: for a line that is no recorded question; in one line, with file and number.
        OSError: when the file cannot be read.
    """
    if scores not in ("probability", "reward"):
        raise ValueError(f'scores must be "probability" or "reward", got {scores!r}')
    path = Path(path)
    lines = (
        (number, _question(line, scores, where=f"{path}, line {number}"))
        for number, line in json_lines(path)
    )
    for question in _merged(lines, path):
        samples = question.samples
        if not rollouts and any(sample.given for sample in samples):
            whole = tuple(sample for sample in samples if not sample.given)
            question = question.model_copy(update={"samples": whole})
        yield question


def _merged(
    lines: Iterator[tuple[int, RecordedQuestion]], path: Path
) -> Iterator[RecordedQuestion]:
    """Questions whose lines are put together: those that follow each other; in label files, all."""
    waiting: dict[str, RecordedQuestion] = {}
    seen: set[str] = set()
    for number, question in lines:
        known = waiting.get(question.id)
        if known is not None:
            samples = (*known.samples, *question.samples)
            waiting[question.id] = known.model_copy(update={"samples": samples})
            continue
        if question.id in seen:
            raise ValueError(f"{path}, line {number}: id {question.id!r} was there before")
        seen.add(question.id)
        if question.steps is None:
            yield from waiting.values()
            waiting = {}
        waiting[question.id] = question
    yield from waiting.values()


def read_chains(path: str | os.PathLike[str]) -> Iterator[RecordedChains]:
    """The questions of a recording of chains of revisions, one after the other.

    Args:
        path: a file of JSON lines, gzipped if its name ends in ".gz".

    Raises:
        ValueError: for a line that is no question with chains, or one that was there before; in
            one line, with file and number.
        OSError: when the file cannot be read.
    """
    seen: set[str] = set()
    for number, line in json_lines(Path(path)):
        where = f"{path}, line {number}"
        try:
            question = RecordedChains.model_validate_json(line)
        except ValidationError as error:
            raise ValueError(f"{where}: {_wrong(error)}") from None
        if question.id in seen:
            raise ValueError(f"{where}: id {question.id!r} was there before")
        seen.add(question.id)
        yield question


def check_place(path: str | os.PathLike[str]) -> None:
    """Refuse, before anything is paid for, a file that cannot be written.

    Raises:
        ValueError: in one line, when there is no such folder, or it is one itself.
    """
    file = Path(path)
    if not file.parent.is_dir():
        raise ValueError(f"{file} cannot be written: there is no folder {file.parent}")
    if file.is_dir():
        raise ValueError(f"{file} cannot be written: it is a folder")


def append_question(
    path: str | os.PathLike[str], question: RecordedQuestion | RecordedChains
) -> None:
    """Add a question to the end of a recording, and make sure that it is on the disk."""
    append_line(path, question)


def append_line(path: str | os.PathLike[str], record: BaseModel) -> None:
    """Add a record to the end of a file of JSON lines, and make sure that it is on the disk."""
    line = record.model_dump_json(exclude_defaults=True).encode() + b"\n"
    with Path(path).open("ab") as file:
        file.write(gzip.compress(line, mtime=0) if str(path).endswith(".gz") else line)
        file.flush()
        os.fsync(file.fileno())


def drop_unfinished_line(path: str | os.PathLike[str]) -> int:
    """Cut off what a killed run left half-written at the end; the number of bytes cut.

    Nothing is cut from the middle: a file that is damaged elsewhere is left as it is, and
    reading it says where.
    """
    file = Path(path)
    if not file.exists():
        return 0
    size = file.stat().st_size
    if not _begins_as_one(file):
        return 0
    with file.open("rb") as content:
        end = _end_of_members(content) if file.suffix == ".gz" else _end_of_lines(content)
    if end < size:
        os.truncate(file, end)
    return size - end


def json_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not empty, with their numbers; ValueError where damaged."""
    number = 0
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for raw in file:
                number += 1
                if raw.strip():
                    yield number, raw.decode()
        except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
            raise ValueError(f"{path}, after line {number}: damaged: {error}") from None


def _question(line: str, scores: Scores, *, where: str) -> RecordedQuestion:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON: {error}") from None
    if not isinstance(fields, dict) or not isinstance(
        cast(dict[str, Any], fields).get("samples"), list
    ):
        raise ValueError(f'{where}: a recorded question needs "id", "question" and "samples"')
    known = cast(dict[str, Any], fields)
    if isinstance(known.get("id"), int):
        known["id"] = str(known["id"])
    samples = cast(list[Any], known["samples"])
    known["samples"] = [_sample(sample, scores, known) for sample in samples]
    try:
        return RecordedQuestion.model_validate(known)
    except ValidationError as error:
        raise ValueError(f"{where}: {_wrong(error)}") from None


def _sample(sample: Any, scores: Scores, question: Mapping[str, Any]) -> Any:
    if not isinstance(sample, dict):
        return sample  # the validation says what is wrong with it
    fields = dict(cast(dict[str, Any], sample))
    if "output_tokens" not in fields:
        counted = fields.pop("tokens_est", None)
        text = fields.get("text") or fields.get("answer")
        # An estimate can be nonsense: one shared out from a wrong total is below zero.
        plausible = isinstance(counted, int | float) and counted >= 1
        known = text if isinstance(text, str) else ""
        fields["output_tokens"] = round(counted) if plausible else estimated_tokens(known)
    if isinstance(fields.get("tests"), str):
        fields["tests"] = [bit == "1" for bit in fields["tests"]]
    score = fields.get("score")
    if scores == "reward" and isinstance(score, int | float):
        fields["score"] = logistic(score)
    for shared in ("model", "temperature"):
        if fields.get(shared) is not None and fields[shared] == question.get(shared):
            del fields[shared]
    return fields


def logistic(reward: float) -> float:
    """A raw reward as a number in [0, 1].

    >>> logistic(0)
    0.5
    """
    if reward < 0:
        return math.exp(reward) / (1 + math.exp(reward))
    return 1 / (1 + math.exp(-reward))


def _wrong(error: ValidationError) -> str:
    """What was wrong, in one line."""
    of_score = error.errors()[0]["loc"][-1:] == ("score",)
    hint = ' (raw rewards are read with scores="reward")' if of_score else ""
    return f"{first_problem(error)}{hint}"


def _begins_as_one(file: Path) -> bool:
    """Whether a file begins as a recording does, or as a part of its first line."""
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as content:
            found = content.read(max(map(len, _BEGINNINGS))).replace(b" ", b"")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return file.stat().st_size < _SHORTEST_MEMBER
    return any(beginning.startswith(found[: len(beginning)]) for beginning in _BEGINNINGS)


_OWN_FIELDS = {"samples", "chains", "setting", "contender"}
"""A whole record has one of them: a recorded question, chains of revisions, an outcome, who ran."""
_BEGINNINGS = (b'{"id":', b'{"contender":')
_SHORTEST_MEMBER = 64
"""Bytes of which gzip may not have given away anything yet."""


def _end_of_lines(file: BinaryIO) -> int:
    """Where the last whole line ends; a file of something else than recorded questions is whole."""
    content = file.read()
    end = content.rfind(b"\n") + 1
    try:
        foreign = not _OWN_FIELDS & set(json.loads(content[end:]))
    except (ValueError, TypeError):
        foreign = False
    return len(content) if foreign else end


def _end_of_members(file: BinaryIO) -> int:
    """Where the last whole gzip member ends, if all before it is whole; else the end of the file.

    Each line is a member of its own.
    """
    content = file.read()
    end = 0
    while end < len(content):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            member.decompress(content[end:])
        except zlib.error:
            return len(content)
        if not member.eof:
            return end
        end = len(content) - len(member.unused_data)
    return end
