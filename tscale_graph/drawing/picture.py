"""What a graph looks like to a person, as plain data: steps in boxes, and boxes in steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast

from langgraph.graph import END, START, StateGraph
from langgraph.pregel import Pregel

from tscale_graph.drawing.order import back_edges, rows
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.nested import Technique, TechniqueGraph

Drawable = StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any]
"""What can be drawn: any LangGraph graph, compiled or not."""

_NAMELESS = "LangGraph"
"""What LangGraph calls a graph that nobody named."""
_ENDS = {START: "START", END: "END"}


@dataclass(frozen=True)
class Step:
    """One node of a graph.

    Attributes:
        name: the node's name, unique among the steps of a picture.
        label: what it is called in a drawing.
        note: what is said beside that: how many samples, which verifier; or "".
        inside: the models that it asks, or techniques in their place; or the node's own subgraph.
    """

    name: str
    label: str
    note: str = ""
    inside: tuple[Picture, ...] = ()

    @property
    def is_end(self) -> bool:
        """Whether it is where the graph begins or ends, and no node of it."""
        return self.name in _ENDS

    @property
    def words(self) -> str:
        """The label with the note."""
        return f"{self.label} · {self.note}" if self.note else self.label


@dataclass(frozen=True)
class Edge:
    """A way from one step to another.

    Attributes:
        source: the name of the step that it leaves.
        target: the name of the step that it enters.
        conditional: it is not always taken.
        label: when it is taken, where that can be told: "again", "enough"; or "".
    """

    source: str
    target: str
    conditional: bool = False
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """A titled box.

    Attributes:
        title: the name of a technique, a graph or a model.
        steps: in the order of the graph; a model has none.
        edges: between the steps.
    """

    title: str
    steps: tuple[Step, ...] = ()
    edges: tuple[Edge, ...] = ()


def picture(graph: Drawable) -> Picture:
    """A graph as a person would draw it.

    A technique has its steps, with the models inside the step that asks them; a technique in the
    place of a model has steps in turn. A node of another graph that is a subgraph has that inside.

    Args:
        graph: the graph of a technique or any other, compiled or not.

    Raises:
        TypeError: when it is neither.
        ValueError: when the graph is not complete enough for LangGraph to compile it.
    """
    return _drawn(graph, title="graph")


def _drawn(graph: object, *, title: str) -> Picture:
    """The picture of a graph, which bears the title if it has no name of its own."""
    if isinstance(graph, StateGraph):
        graph = cast("StateGraph[Any, Any, Any, Any]", graph).compile()
    if not isinstance(graph, Pregel):
        raise TypeError(f"graph must be a LangGraph graph, got {type(graph).__name__}")
    return _of_compiled(cast("Pregel[Any, Any, Any, Any]", graph), title)


def _of_compiled(graph: Pregel[Any, Any, Any, Any], title: str) -> Picture:
    builder = getattr(graph, "builder", None)
    technique = builder.technique if isinstance(builder, TechniqueGraph) else None
    named = title if graph.name == _NAMELESS else graph.name
    shape = graph.get_graph()
    subgraphs = {name: _within(one, name) for name, one in cast(Any, graph).get_subgraphs()}
    edges = tuple(
        Edge(one.source, one.target, one.conditional)
        for one in shape.edges
        if one.source != one.target
    )
    repeated = {one.source for one in shape.edges if one.source == one.target}
    steps = [
        Step(
            name,
            _ENDS.get(name) or name.replace("_", " "),
            "repeats" if name in repeated else "",
            (subgraphs[name],) if name in subgraphs else (),
        )
        for name in shape.nodes
    ]
    if technique is not None:
        named = _title(technique)
        steps = _with_models(steps, technique)
    return _in_order(named, steps, edges)


def _within(graph: object, name: str) -> Picture:
    """A graph as it is drawn inside a step: without its ends, where they say nothing."""
    whole = _drawn(graph, title=name.replace("_", " "))
    first = [edge for edge in whole.edges if edge.source == START]
    last = [edge for edge in whole.edges if edge.target == END]
    if len(first) != 1 or len(last) != 1 or first[0].conditional or last[0].conditional:
        return whole
    steps = tuple(step for step in whole.steps if not step.is_end)
    edges = tuple(edge for edge in whole.edges if edge not in (first[0], last[0]))
    return replace(whole, steps=steps, edges=edges)


def _with_models(steps: list[Step], technique: Technique) -> list[Step]:
    """The steps, with the models inside of those that ask them and what is known of each."""
    told = [replace(step, note=technique.notes.get(step.name, step.note)) for step in steps]
    if any(step.inside for step in told):
        return told
    asks = tuple(_asked(one) for one in technique.asks)
    found = {step.name for step in told} & set(technique.asked_in)
    if not found:
        return [*told, Step("tscale_asks", "asks", inside=asks)]
    return [replace(step, inside=asks) if step.name in found else step for step in told]


def _asked(endpoint: Endpoint) -> Picture:
    if endpoint.nested is None:
        return Picture(endpoint.name)
    return _within(endpoint.nested.graph, endpoint.nested.technique.name)


def _title(technique: Technique) -> str:
    return technique.name.replace("_", "-")


def _in_order(title: str, steps: list[Step], edges: tuple[Edge, ...]) -> Picture:
    """Steps and edges from top to bottom; a step that may go back says when it does."""
    pairs = [_pair(edge) for edge in edges]
    names = [step.name for step in steps]
    place = {name: at for at, name in enumerate(chain(*rows(names, pairs)))}
    back = back_edges(names, pairs)
    undecided = {edge.source for edge in edges if edge.conditional and _pair(edge) in back}
    told = [
        replace(edge, label="again" if _pair(edge) in back else "enough")
        if edge.conditional and edge.source in undecided
        else edge
        for edge in edges
    ]
    return Picture(
        title,
        tuple(sorted(steps, key=lambda step: place[step.name])),
        tuple(sorted(told, key=lambda edge: (place[edge.source], place[edge.target]))),
    )


def _pair(edge: Edge) -> tuple[str, str]:
    return edge.source, edge.target
