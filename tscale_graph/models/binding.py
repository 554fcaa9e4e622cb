"""What a caller binds to the models that answer: tools, and where a text ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.runnables import RunnableBinding

from tscale_graph.answers.tool_calls import Schema
from tscale_graph.models.endpoint import Endpoint, endpoint
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.tokens import bound_tokens
from tscale_graph.models.unsuitable import UnsuitableModel


@dataclass(frozen=True)
class CallerBinding:
    """What a caller binds to a technique's answering models.

    Attributes:
        tools: as OpenAI writes them.
        options: more arguments of `bind_tools`: `tool_choice` and the like.
        stop: sequences that end a text, or None.
        schemas: what the arguments of tools are parsed by, by their names.
    """

    tools: tuple[dict[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stop: tuple[str, ...] | None = None
    schemas: Mapping[str, Schema] = field(default_factory=dict[str, Schema])

    def to(self, asked: Endpoint) -> Endpoint:
        """The model, or the technique in its place, with that bound to it.

        Raises:
            UnsuitableModel: when it takes no tools.
        """
        if asked.nested is not None:
            builder = getattr(asked.nested.graph, "builder", None)
            if not isinstance(builder, TechniqueGraph):
                raise UnsuitableModel(f"{asked.name} takes no tools")
            return endpoint(builder.bound_with(self))
        more: dict[str, Any] = {} if self.stop is None else {"stop": list(self.stop)}
        if self.tools:
            more |= _bound_tools(asked, self)
        counter = asked.counter.with_added(bound_tokens(more))
        return replace(asked, bound={**asked.bound, **more}, counter=counter)


def _bound_tools(asked: Endpoint, binding: CallerBinding) -> dict[str, Any]:
    """Tools as this model's class takes them."""
    try:
        bound = asked.model.bind_tools(list(binding.tools), **binding.options)
    except NotImplementedError:
        name = type(asked.model).__name__
        raise UnsuitableModel(f"{name} takes no tools: it has no bind_tools") from None
    if not isinstance(bound, RunnableBinding):
        raise UnsuitableModel(f"bind_tools of {type(asked.model).__name__} gives no binding")
    return dict(bound.kwargs)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
