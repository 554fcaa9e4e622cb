"""What a caller binds to the models of a technique: tools, and other arguments of their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from tscale_graph.answers.tool_calls import Reader
from tscale_graph.models.endpoint import Endpoint, in_place_of_a_model
from tscale_graph.models.tokens import bound_tokens
from tscale_graph.models.unsuitable import UnsuitableModel
from tscale_graph.models.users_options import own_output_limit, without_ours

Tool = BaseTool | type[Any] | Callable[..., Any] | dict[str, Any]
"""What `bind_tools` takes."""


@dataclass(frozen=True)
class CallerBinding:
    """What comes with a request, beside its messages and its budget.

    Attributes:
        tools: what the models may call.
        options: other arguments of their calls, such as `tool_choice` or `stop`.
        for_bind_tools: the options are meant for the models' own `bind_tools`, tools or none.
    """

    tools: Sequence[Tool] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    for_bind_tools: bool = False

    @property
    def must_call(self) -> bool:
        """Whether an answer without a call is none."""
        choice = self.options.get("tool_choice")
        if isinstance(choice, dict):
            choice = cast(dict[str, Any], choice).get("type", "any")
        return bool(self.tools) and choice not in (None, False, "auto", "none")

    @property
    def readers(self) -> dict[str, Reader]:
        """How the tools read their arguments; empty where a provider has tools of its own."""
        named = [(tool_name(tool), tool) for tool in self.tools]
        if any(name is None for name, _ in named):
            return {}
        return {name: reader(tool) for name, tool in named if name is not None}

    def told(self) -> str:
        """What there is, in words."""
        return ", ".join([*(["tools"] if self.tools else []), *self.options])

    def to(self, asked: Endpoint) -> Endpoint:
        """The same model, asked with that; of a technique in its place, the models of that.

        Raises:
            UnsuitableModel: when it cannot call tools, or is a technique that takes none.
        """
        if asked.nested is not None:
            return in_place_of_a_model(asked.nested.bound_with(self))
        model, added = asked.model, dict(self.options)
        if self.tools or self.for_bind_tools:
            model, added = _with_tools(asked, self)
        limits = (asked.own_output_limit, own_output_limit(model, added))
        return replace(
            asked,
            model=model,
            bound={**asked.bound, **without_ours(added)},
            own_output_limit=min((limit for limit in limits if limit is not None), default=None),
            counter=asked.counter.with_added(bound_tokens(added)),
        )


def tool_name(tool: Tool) -> str | None:
    """What models call a tool; None for a provider's own."""
    if isinstance(tool, BaseTool):
        return tool.name
    if isinstance(tool, dict) and _is_providers_own(cast(dict[str, Any], tool)):
        return None
    return convert_to_openai_tool(cast(Any, tool))["function"]["name"]


def _is_providers_own(tool: dict[str, Any]) -> bool:
    """Whether it is no schema of a function: a search on the provider's side, say."""
    named = any(name in tool for name in ("function", "name", "title"))
    return not named or tool.get("type", "function") not in ("function", "object")


def reader(tool: Tool) -> Reader:
    """What a tool makes of its arguments: by its pydantic class, or else by its JSON schema."""
    known = cast(Any, tool.tool_call_schema) if isinstance(tool, BaseTool) else tool
    if isinstance(known, type) and issubclass(known, BaseModel):
        return _Parsed(known)
    return _Described(convert_to_openai_tool(cast(Any, tool))["function"].get("parameters", {}))


@dataclass(frozen=True)
class _Parsed:
    """Reads arguments as a pydantic class does; what it fills in by itself is left out."""

    schema: type[BaseModel]

    def __call__(self, args: dict[str, Any]) -> Any:
        read = self.schema.model_validate(args)
        return read.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)


@dataclass(frozen=True)
class _Described:
    """Knows what must be given and what the defaults are; these are left out."""

    schema: Mapping[str, Any]

    def __call__(self, args: dict[str, Any]) -> Any:
        missing = [name for name in self.schema.get("required", ()) if name not in args]
        if missing:
            raise ValueError(f"{', '.join(missing)} must be given")
        told = self.schema.get("properties", {})
        return {name: value for name, value in args.items() if not _is_default(told, name, value)}


def _is_default(told: Mapping[str, Any], name: str, value: Any) -> bool:
    field = told.get(name, {})
    same = "default" in field and field["default"] == value
    return same and isinstance(value, bool) == isinstance(field["default"], bool)


def _with_tools(asked: Endpoint, binding: CallerBinding) -> tuple[BaseChatModel, dict[str, Any]]:
    """The model as its own `bind_tools` makes it, and the arguments that that binds."""
    try:
        made: Any = asked.model.bind_tools(list(binding.tools), **binding.options)
    except NotImplementedError:
        told = f"model must be able to call tools, and {asked.name} is not"
        raise UnsuitableModel(told) from None
    added: dict[str, Any] = {}
    while isinstance(made, RunnableBinding):
        around = cast(RunnableBinding[Any, Any], made)
        added, made = {**around.kwargs, **added}, around.bound
    if not isinstance(made, BaseChatModel):
        got = type(made).__name__
        raise UnsuitableModel(f"bind_tools of {asked.name} must give the model, got {got}")
    return made, added
