"""What an agent acts on while its actions are searched: something that can go back."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel

from tscale_graph.models.threads import in_thread


@runtime_checkable
class Environment(Protocol):
    """Something with a state that actions change, and that can be put back into an earlier one.

    Tools without side effects need none. Where tools write, a search has to undo what it gives up.
    """

    def snapshot(self) -> Any:
        """The state as plain data: what JSON can hold; tuples come back as lists."""
        ...

    def restore(self, snapshot: Any) -> None:
        """Go back to a state that `snapshot` told."""
        ...

    def step(self, action: ToolCall) -> Any:
        """Do one action and tell what was observed; may be awaited.

        Args:
            action: a dict with the "name" of a tool, its "args" and an "id".

        Returns:
            The observation, or `NotImplemented` for the tool of that name to be run as it is.
        """
        ...


@dataclass(frozen=True)
class Acted:
    """What came of the actions of one turn.

    Attributes:
        messages: what each tool call brought.
        snapshot: the state afterwards; None without an environment.
    """

    messages: tuple[ToolMessage, ...]
    snapshot: Any


@dataclass(frozen=True)
class Actor:
    """Runs tool calls, each turn in an environment of its own.

    Attributes:
        tools: by name.
        schemas: of actions that only the environment knows how to do, by name.
        make: makes an environment in its first state; None where there is none.
    """

    tools: Mapping[str, BaseTool]
    schemas: Mapping[str, type[BaseModel]]
    make: Callable[[], Environment] | None

    @property
    def offered(self) -> list[BaseTool | type[BaseModel]]:
        """What the model may call."""
        return [*self.tools.values(), *self.schemas.values()]

    async def act(
        self, calls: Sequence[ToolCall], *, snapshot: Any, first: bool, deadline: float | None
    ) -> Acted:
        """Do the actions of one turn, in order, from a state.

        Args:
            calls: the actions.
            snapshot: of the state to start from.
            first: start from the first state instead.
            deadline: when to give up, in seconds since the epoch, or None.

        Raises:
            ValueError: for a tool that does not exist, or a snapshot that is no plain data.
            TimeoutError: at the deadline.
        """
        left = None if deadline is None else max(0.0, deadline - time.time())
        limit = asyncio.timeout(left)
        try:
            async with limit:
                environment = None if self.make is None else self.make()
                if environment is not None and not first:
                    environment.restore(copy.deepcopy(snapshot))
                messages = [await self._do(call, environment) for call in calls]
                after = None if environment is None else _plain(environment.snapshot())
        except TimeoutError as error:
            if limit.expired():
                raise
            raise RuntimeError(f"TimeoutError: {error}") from error  # a tool's own
        return Acted(tuple(messages), after)

    async def _do(self, call: ToolCall, environment: Environment | None) -> ToolMessage:
        observed: Any = NotImplemented
        if environment is not None:
            if inspect.iscoroutinefunction(environment.step):
                observed = await environment.step(call)
            else:
                observed = await in_thread(lambda: environment.step(call))
                observed = await observed if inspect.isawaitable(observed) else observed
        if observed is not NotImplemented:
            if isinstance(observed, ToolMessage):
                return observed
            text = observed if isinstance(observed, str) else json.dumps(observed, default=str)
            return ToolMessage(text, tool_call_id=call["id"] or "", name=call["name"])
        if call["name"] not in self.tools:
            known = ", ".join([*self.tools, *self.schemas]) or "none"
            raise ValueError(f"there is no tool named {call['name']!r}: there are {known}")
        asked: Any = {"type": "tool_call", **call}
        answered = await self.tools[call["name"]].ainvoke(asked)
        if isinstance(answered, ToolMessage):
            return answered
        return ToolMessage(str(answered), tool_call_id=call["id"] or "", name=call["name"])


def actor(
    tools: Sequence[BaseTool | type[BaseModel] | Callable[..., Any]],
    environment: Environment | Callable[[], Environment] | None,
) -> Actor:
    """Check tools and environment, and make what runs them.

    Args:
        tools: LangChain tools, functions with a docstring, or pydantic classes: schemas of
            actions that the environment does.
        environment: a class or function that makes one, or one in its first state, of which
            each turn gets a deep copy.

    Raises:
        ValueError: for what is no tool or no environment, two tools of one name, or a tool that
            is declared to have side effects where no environment can undo them.
    """
    named: dict[str, BaseTool] = {}
    schemas: dict[str, type[BaseModel]] = {}
    for one in tools:
        if inspect.isclass(one) and issubclass(one, BaseModel) and not issubclass(one, BaseTool):
            _refuse_twice(one.__name__, named, schemas)
            if environment is None:
                raise ValueError(
                    f"tool {one.__name__!r} is a schema without a function: give environment= "
                    "something that does it"
                )
            schemas[one.__name__] = one
            continue
        if not isinstance(one, BaseTool) and not callable(one):
            raise ValueError(f"tools must be LangChain tools or functions, got {one!r}")
        made = one if isinstance(one, BaseTool) else tool(one)
        _refuse_twice(made.name, named, schemas)
        if environment is None and _has_side_effects(made):
            raise ValueError(
                f"tool {made.name!r} is declared to have side effects, and a search tries actions "
                "that it gives up again: give environment= something that can go back"
            )
        named[made.name] = made
    return Actor(named, schemas, _maker(environment))


def _refuse_twice(name: str, *known: Mapping[str, Any]) -> None:
    if any(name in names for names in known):
        raise ValueError(f"tools must have different names, got {name!r} twice")


def _has_side_effects(one: BaseTool) -> bool:
    """Whether a tool says so: in its metadata, or by the annotations of an MCP server."""
    told = one.metadata or {}
    return bool(
        told.get("side_effects") or told.get("destructiveHint") or told.get("readOnlyHint") is False
    )


def _maker(
    environment: Environment | Callable[[], Environment] | None,
) -> Callable[[], Environment] | None:
    if environment is None:
        return None
    is_one = not inspect.isclass(environment) and isinstance(environment, Environment)
    if is_one:
        return lambda: copy.deepcopy(cast(Environment, environment))
    lacks = inspect.isclass(environment) and any(
        not hasattr(environment, name) for name in ("snapshot", "restore", "step")
    )
    if lacks or not callable(environment):
        raise ValueError(
            "environment must have snapshot, restore and step, or be a function that makes one; "
            f"got {getattr(environment, '__name__', type(environment).__name__)}"
        )
    return environment


def _plain(snapshot: Any) -> Any:
    try:
        plain = json.loads(json.dumps(snapshot))
    except (TypeError, ValueError) as error:
        raise ValueError(f"an environment's snapshot must be plain data: {error}") from None
    if plain != _with_lists(snapshot):
        raise ValueError(
            "an environment's snapshot must be plain data: it is not the same once it has been "
            "written as JSON (keys of a dict must be strings)"
        )
    return plain


def _with_lists(data: Any) -> Any:
    """The same, with lists for tuples, as JSON gives them back."""
    if isinstance(data, list | tuple):
        return [_with_lists(each) for each in cast("Sequence[Any]", data)]
    if isinstance(data, dict):
        return {key: _with_lists(each) for key, each in cast("dict[Any, Any]", data).items()}
    return data
