"""Pictures of graphs, as a person would draw them: techniques in techniques, down to the models.

`picture` is the plain data; the others write it as Mermaid, as text, as SVG and as a page.
"""

from __future__ import annotations

from tscale_graph.drawing.mermaid import to_mermaid
from tscale_graph.drawing.page import to_html
from tscale_graph.drawing.picture import Drawable, Edge, Picture, Step, picture
from tscale_graph.drawing.svg import to_svg
from tscale_graph.drawing.text import to_text

__all__ = [
    "Edge",
    "Picture",
    "Step",
    "draw_html",
    "draw_mermaid",
    "draw_svg",
    "draw_text",
    "picture",
]


def draw_mermaid(graph: Drawable) -> str:
    """A graph as a Mermaid flowchart of nested boxes.

    Args:
        graph: the graph of a technique or any other LangGraph graph, compiled or not.
    """
    return to_mermaid(picture(graph))


def draw_text(graph: Drawable, *, width: int = 80) -> str:
    """A graph in box-drawing characters, for a terminal.

    Args:
        graph: as for `draw_mermaid`.
        width: how many columns it should take at most.
    """
    return to_text(picture(graph), width=width)


def draw_svg(graph: Drawable) -> str:
    """A graph as an SVG file, for light and dark surroundings.

    Args:
        graph: as for `draw_mermaid`.
    """
    return to_svg(picture(graph))


def draw_html(graph: Drawable) -> str:
    """A graph as one HTML page that loads nothing, for wide and narrow screens.

    Args:
        graph: as for `draw_mermaid`.
    """
    return to_html(picture(graph))
