"""`tscale draw`: a picture of a graph, which is named, written down or kept in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tscale_graph.cli.calls import is_composition
from tscale_graph.cli.compositions import composed
from tscale_graph.cli.graphs import loaded_graph
from tscale_graph.cli.main import COMPLETE, FAILED, WRONG_USE
from tscale_graph.drawing import Picture, picture
from tscale_graph.drawing.mermaid import to_mermaid
from tscale_graph.drawing.page import to_html
from tscale_graph.drawing.svg import to_svg
from tscale_graph.drawing.text import to_text

_FORMATS: dict[str, Callable[[Picture], str]] = {
    ".svg": to_svg,
    ".html": to_html,
    ".mmd": to_mermaid,
    ".txt": to_text,
}


def draw_command(asked: argparse.Namespace) -> int:
    """Draw what the arguments name; returns the exit status."""
    try:
        write = _FORMATS[_suffix(asked)]
        graph = composed(asked.graph) if is_composition(asked.graph) else loaded_graph(asked.graph)
        drawn = write(picture(graph))
    except (ValueError, TypeError, ImportError, OSError) as error:
        return _complain(error, WRONG_USE)
    if asked.out is None:
        print(drawn, end="")
        return COMPLETE
    try:
        Path(asked.out).write_text(drawn, encoding="utf-8", newline="\n")
    except OSError as error:
        return _complain(error, FAILED)
    print(f"the picture is in {asked.out}", file=sys.stderr)
    return COMPLETE


def _suffix(asked: argparse.Namespace) -> str:
    """What the format is called as the end of a file's name.

    Raises:
        ValueError: for another one, or a folder that does not exist.
    """
    if asked.out is None:
        return ".txt" if asked.text else ".mmd"
    path = Path(asked.out)
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"--out must end in {', '.join(_FORMATS)}, got {asked.out!r}")
    if not path.parent.is_dir():
        raise ValueError(f"--out: there is no folder {path.parent}")
    return path.suffix.lower()


def _complain(problem: Exception, status: int) -> int:
    told = next(iter(str(problem).splitlines()), type(problem).__name__)
    print(f"tscale: {told}", file=sys.stderr)
    return status
