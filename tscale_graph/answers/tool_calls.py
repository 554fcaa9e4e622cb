"""Answers that call tools: equal calls are the same answer, however they are spelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tscale_graph.answers.structured import Json

if TYPE_CHECKING:
    from tscale_graph.answers import AnswerKind

Reader = Callable[[dict[str, Any]], Any]
"""What a tool makes of its arguments: plain JSON, or an error where it cannot take them."""
Readers = Mapping[str, Reader]
"""By the names of tools."""

_BEGINS = '[{"name": '


@dataclass(frozen=True, slots=True)
class OrToolCalls:
    """Answers that call tools, beside those in words.

    Calls are the same where they name the same tools with equal arguments, in any order: the
    order of keys, spaces, escapes, 1 or 1.0 and the ids of calls make no difference, nor does
    what a tool fills in by itself.

    Attributes:
        kind: how answers in words are read.
        readers: of the tools that there are; empty where any will do.
        only: answers in words do not count.
    """

    kind: AnswerKind
    readers: Readers = field(default_factory=dict[str, Reader])
    only: bool = False

    @property
    def name(self) -> str:
        """How answers in words are read."""
        return self.kind.name

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The final answer in words, or None."""
        return None if self.only else self.kind.extract(text, truncated=truncated)

    def calls(self, calls: Sequence[Mapping[str, Any]]) -> str | None:
        """Calls as an answer: a JSON array of objects with `name` and `args`.

        None where there is no such tool, or it cannot take its arguments.

        Args:
            calls: LangChain tool calls, at least one.
        """
        return None if self._key(calls) is None else written(calls)

    def key(self, answer: str) -> str:
        """The canonical form of calls; else the words'.

        >>> from tscale_graph.answers.words import Text
        >>> kind = OrToolCalls(Text())
        >>> first = kind.calls([{"name": "add", "args": {"a": 1, "b": 2}, "id": "x"}])
        >>> second = kind.calls([{"name": "add", "args": {"b": 2.0, "a": 1}, "id": "y"}])
        >>> kind.key(first) == kind.key(second)
        True
        """
        calls = stated_calls(answer)
        key = None if calls is None else self._key(calls)
        return self.kind.key(answer) if key is None else key

    def _key(self, calls: Sequence[Mapping[str, Any]]) -> str | None:
        try:
            keys = [self._key_of(call["name"], call["args"]) for call in calls]
        except Exception:  # noqa: BLE001 - what is called comes from a model, who reads it from users
            return None
        return "calls: " + json.dumps(sorted(keys))

    def _key_of(self, name: str, args: dict[str, Any]) -> str:
        """The canonical form of one call.

        Raises:
            Exception: whatever the tool says of arguments that it cannot take.
        """
        if self.readers and name not in self.readers:
            raise ValueError(f"there is no tool named {name!r}")
        read = self.readers.get(name)
        return Json().key(json.dumps([name, args if read is None else read(args)]))


def written(calls: Sequence[Mapping[str, Any]]) -> str:
    """Calls as JSON: names and arguments.

    >>> written([{"name": "get", "args": {"key": "a"}, "id": "1"}])
    '[{"name": "get", "args": {"key": "a"}}]'
    """
    bare = [{"name": call["name"], "args": call["args"]} for call in calls]
    return json.dumps(bare, ensure_ascii=False)


def stated_calls(answer: str) -> list[dict[str, Any]] | None:
    """The calls that an answer states, as they are `written`; None for words.

    >>> stated_calls('[{"name": "add", "args": {"a": 1}}]')
    [{'name': 'add', 'args': {'a': 1}}]
    """
    if not answer.startswith(_BEGINS):
        return None
    try:
        calls: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(calls, list):
        return None
    stated = cast(list[Any], calls)
    return stated if all(map(_is_call, stated)) else None


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    members = cast(dict[str, Any], value)
    return members.keys() == {"name", "args"} and isinstance(members["args"], dict)
