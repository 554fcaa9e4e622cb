"""Policy files: YAML or JSON, with the line of everything in them."""

from __future__ import annotations

from tscale_graph.policy_files.problems import PolicyError, Problem, problems_in, told
from tscale_graph.policy_files.reading import Place, Source, read_file, read_text
from tscale_graph.policy_files.writing import plain, write_text

__all__ = [
    "Place",
    "PolicyError",
    "Problem",
    "Source",
    "plain",
    "problems_in",
    "read_file",
    "read_text",
    "told",
    "write_text",
]
