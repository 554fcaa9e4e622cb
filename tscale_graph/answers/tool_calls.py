"""Answers that are calls of tools: what is called with which arguments, however that is spelled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from tscale_graph.answers.structured import Json


class _Kind(Protocol):
    @property
    def name(self) -> str: ...

    def extract(self, text: str, *, truncated: bool = False) -> str | None: ...

    def key(self, answer: str) -> str: ...


class Schema(Protocol):
    """What arguments are parsed by: a pydantic model's class."""

    def model_validate(self, obj: Any) -> Any:
        """The parsed object, or a `ValueError`."""
        ...


@dataclass(frozen=True)
class OrToolCalls:
    """A kind of answer of models that may call tools instead.

    Calls are the same when they call the same tools with equal arguments: their order, the order
    of keys, spaces, ids, and 1.0 for 1 make no difference.

    Attributes:
        kind: how answers in words are read.
        schemas: what the arguments of a tool are parsed by, by its name; those that it refuses are
            no answer.
    """

    kind: _Kind
    schemas: Mapping[str, Schema] = field(default_factory=dict[str, Schema])

    @property
    def name(self) -> str:
        """That of the kind."""
        return self.kind.name

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """As the kind does."""
        return self.kind.extract(text, truncated=truncated)

    def key(self, answer: str) -> str:
        """Sorted calls with sorted arguments; of an answer in words, as the kind does."""
        calls = _read(answer)
        if calls is None:
            return self.kind.key(answer)
        return "\n".join(sorted(Json().key(json.dumps(call)) for call in calls))

    def calls(self, calls: Sequence[Mapping[str, Any]]) -> str | None:
        """Calls as an answer; None where a schema refuses one."""
        try:
            return written([
                {**call, "args": self._parsed(call["name"], call["args"])} for call in calls
            ])  # fmt: skip
        except ValueError:
            return None

    def _parsed(self, name: str, arguments: Any) -> Any:
        schema = self.schemas.get(name)
        if schema is None:
            return arguments
        return schema.model_validate(arguments).model_dump(mode="json")


def written(calls: Sequence[Mapping[str, Any]]) -> str:
    """Calls as JSON: names and arguments.

    >>> written([{"name": "get", "args": {"key": "a"}, "id": "1"}])
    '[{"name": "get", "args": {"key": "a"}}]'
    """
    bare = [{"name": call["name"], "args": call["args"]} for call in calls]
    return json.dumps(bare, ensure_ascii=False, default=str)


def _read(answer: str) -> list[dict[str, Any]] | None:
    """Calls that were written; None for anything else."""
    if not answer.startswith('[{"name": '):
        return None
    try:
        calls = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    ours = all(
        isinstance(one, dict) and set(cast(dict[str, Any], one)) == {"name", "args"}
        for one in calls
    )
    return calls if ours else None
