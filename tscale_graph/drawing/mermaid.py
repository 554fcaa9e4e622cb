"""A picture as a Mermaid flowchart, whose boxes are subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from tscale_graph.drawing.picture import Edge, Picture, Step
from tscale_graph.search_trees.labels import first_words
from tscale_graph.search_trees.mermaid import escaped

_LOOKS = {
    "technique": "fill:#8080800d,stroke:#80808099",
    "asks": "fill:#8080801a,stroke:#80808066,stroke-dasharray:3 3",
    "model": "fill:#2f6fde26,stroke:#2f6fde",
    "terminal": "fill:none,stroke:none",
}
"""Colours that let a light and a dark page shine through."""


def to_mermaid(drawn: Picture) -> str:
    """The flowchart, top down. Written for Mermaid 10 and later, as on GitHub.

    Mermaid puts the steps of a loop in an order of its own choice. So an edge that goes back is
    written as one that goes down and points both ways, and loses the arrowhead at its lower end.
    """
    writer = _Writer()
    body = list(writer.box(drawn))
    if writer.back:
        body.append(f"    linkStyle {','.join(map(str, writer.back))} marker-end:none")
    looks = [f"    classDef {name} {_LOOKS[name]}" for name in _LOOKS if name in writer.looks]
    classes = [f"    class {','.join(ids)} {name}" for name, ids in sorted(writer.looks.items())]
    return "\n".join(["flowchart TB", *body, *looks, *classes]) + "\n"


class _Writer:
    """Gives each thing an id, and keeps which of them look alike.

    Attributes:
        looks: the ids of boxes and steps, by what they look like.
        back: the edges that go back, numbered as Mermaid does.
    """

    def __init__(self) -> None:
        self.looks: dict[str, list[str]] = {}
        self.back: list[int] = []
        self._ids, self._edges = count(1), count()

    def box(self, drawn: Picture, depth: int = 1) -> Iterator[str]:
        """The lines of a box, or of a model."""
        indent = "    " * depth
        if not drawn.steps:
            yield f"{indent}{self._id('model')}([{_label(drawn.title)}])"
            return
        yield f"{indent}subgraph {self._id('technique')}[{_label(drawn.title)}]"
        yield f"{indent}    direction TB"
        ids: dict[str, str] = {}
        for step in drawn.steps:
            ids[step.name] = name = self._id(_look(step))
            yield from self._step(step, name, depth + 1)
        for edge in drawn.edges:
            yield f"{indent}    {self._edge(edge, ids)}"
        yield f"{indent}end"

    def _step(self, step: Step, name: str, depth: int) -> Iterator[str]:
        indent = "    " * depth
        if not step.inside:
            yield f"{indent}{name}[{_label(step.words)}]"
            return
        yield f"{indent}subgraph {name}[{_label(step.words)}]"
        yield f"{indent}    direction TB"
        for drawn in step.inside:
            yield from self.box(drawn, depth + 1)
        yield f"{indent}end"

    def _edge(self, edge: Edge, ids: Mapping[str, str]) -> str:
        number, order = next(self._edges), list(ids)
        line = "-.->" if edge.conditional else "-->"
        told = f"|{_label(edge.label)}|" if edge.label else ""
        if order.index(edge.source) < order.index(edge.target):
            return f"{ids[edge.source]} {line}{told} {ids[edge.target]}"
        self.back.append(number)
        return f"{ids[edge.target]} <{line}{told} {ids[edge.source]}"

    def _id(self, look: str | None) -> str:
        name = f"n{next(self._ids)}"
        if look is not None:
            self.looks.setdefault(look, []).append(name)
        return name


def _look(step: Step) -> str | None:
    return "terminal" if step.is_end else "asks" if step.inside else None


def _label(text: str) -> str:
    return f'"{escaped(first_words(text))}"'
