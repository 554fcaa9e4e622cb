"""The command `tscale`: an answer, what it cost, and how sure it is, from a terminal."""

from __future__ import annotations

from tscale_graph.cli.main import main

__all__ = ["main"]
