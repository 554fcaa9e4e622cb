"""YAML and JSON as plain data, with the line of everything in it; no tag is ever acted upon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from tscale_graph.policy_files.problems import PolicyError, Problem
from tscale_graph.policy_files.scalars import Loader, scalar

Place = tuple[str | int, ...]
"""Keys and indices that lead to a value, from the outside in."""

_LARGEST, _MOST_VALUES, _DEEPEST = 1_000_000, 10_000, 40
_NOT_YAML = re.compile(r"[\x7f-\u009f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Source:
    """Where something was read, for messages.

    Two of them are always equal: where a policy was read makes no difference to what it is.

    Attributes:
        name: of the file; "" for what was not read from one.
        marks: line and column, from 1, of the key that each value has, or of an item of a list.
    """

    name: str = field(default="", compare=False)
    marks: Mapping[Place, tuple[int, int]] = field(
        default_factory=dict[Place, tuple[int, int]], compare=False
    )

    def at(self, place: Place) -> str:
        """The beginning of a message, such as "policy.yaml:12:5: "; "" without a file.

        What has no line itself, because it is missing, is at what should hold it.
        """
        if not self.name:
            return ""
        line, column = self._line(place)
        return f"{self.name}:{line}:{column}: "

    def error(self, problems: Iterable[Problem]) -> PolicyError:
        """The error that tells of problems, in the order of the file."""
        several = sorted(problems, key=lambda one: self._line(one.place))
        return PolicyError(tuple(f"{self.at(one.place)}{one.text}" for one in several))

    def _line(self, place: Place) -> tuple[int, int]:
        while place and place not in self.marks:
            place = place[:-1]
        return self.marks.get(place, (1, 1))


def read_file(path: str | Path) -> tuple[Any, Source]:
    """What a YAML or JSON file holds.

    Raises:
        PolicyError: when it cannot be read, in one line with the place of what is wrong.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise PolicyError((f"{path}: {error.strerror or error}",)) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError((f"{path}:1:1: must be text in UTF-8",)) from None
    return read_text(text, name=str(path))


def read_text(text: str, *, name: str) -> tuple[Any, Source]:
    """What a text in YAML or JSON holds.

    Args:
        text: the YAML; JSON where the name ends in ".json".
        name: of its file, for messages.

    Raises:
        PolicyError: when it is neither, is empty, repeats a key, has a tag, or is far too large.
    """
    if len(text) > _LARGEST:
        raise PolicyError((f"{name}:1:1: must be at most {_LARGEST:,} characters",))
    if name.lower().endswith(".json"):
        text = _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("\t", " ")
    try:
        root = cast(yaml.Node | None, yaml.compose(text, Loader=Loader))  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _wrong(name, mark, error.problem or "is not YAML") from None
    except yaml.YAMLError as error:
        raise PolicyError((f"{name}:1:1: {str(error).splitlines()[0]}",)) from None
    except RecursionError:
        raise PolicyError((f"{name}:1:1: is nested too deeply",)) from None
    if root is None:
        raise PolicyError((f"{name}:1:1: is empty",))
    reading = _Reading(name)
    data = reading.value(root, ())
    return data, Source(name, reading.marks)


@dataclass
class _Reading:
    """Turns nodes into values, and notes where they are."""

    name: str
    marks: dict[Place, tuple[int, int]] = field(default_factory=dict[Place, tuple[int, int]])
    values: int = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.values += 1
        if self.values > _MOST_VALUES or len(place) > _DEEPEST:
            raise _wrong(self.name, node.start_mark, "is too large, or nested too deeply")
        if not place:
            self._mark(place, node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            items = cast(list[yaml.Node], node.value)
            self._refuse_tag(node, "seq")
            for index, item in enumerate(items):
                self._mark((*place, index), item)
            return [self.value(item, (*place, index)) for index, item in enumerate(items)]
        try:
            return scalar(cast(yaml.ScalarNode, node))
        except ValueError as error:
            raise _wrong(self.name, node.start_mark, str(error)) from None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        self._refuse_tag(node, "map")
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        pairs = cast(list[tuple[yaml.Node, yaml.Node]], node.value)
        for part in (part for key, value in pairs if _merges(key) for part in self._merged(value)):
            merged = {**self._mapping(part, place), **merged}
        for key, value in pairs:
            if _merges(key):
                continue
            name = scalar(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise _wrong(self.name, key.start_mark, "a key must be text: put it in quotes")
            if name in found:
                raise _wrong(self.name, key.start_mark, f"{name} is there more than once")
            self._mark((*place, name), key)
            found[name] = self.value(value, (*place, name))
        return {**merged, **found}

    def _merged(self, value: yaml.Node) -> Iterator[yaml.MappingNode]:
        """What `<<` brings in: a mapping or several."""
        self.values += 1
        several = cast(list[yaml.Node], value.value)
        for part in several if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(part, yaml.MappingNode) or self.values > _MOST_VALUES:
                raise _wrong(self.name, value.start_mark, "<< must be followed by a mapping")
            yield part

    def _refuse_tag(self, node: yaml.Node, usual: str) -> None:
        if not node.tag.endswith(f":{usual}") or not node.tag.startswith("tag:yaml.org,2002:"):
            raise _wrong(self.name, node.start_mark, f"takes no tags, got {node.tag}")

    def _mark(self, place: Place, node: yaml.Node) -> None:
        self.marks[place] = (node.start_mark.line + 1, node.start_mark.column + 1)


def _merges(key: yaml.Node) -> bool:
    return key.tag.endswith(":merge")


def _wrong(name: str, mark: Any, problem: str) -> PolicyError:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return PolicyError((f"{name}:{line}:{column}: {problem}",))
