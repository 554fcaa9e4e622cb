"""What a benchmark found, to be looked at: a page, Markdown, JSON and a picture.

write_report(read_outcomes("runs.jsonl"), "report")
"""

import importlib.util

from tscale_graph.importing import imported_late

if importlib.util.find_spec("numpy") is None:
    raise ImportError("reports need another package: pip install 'tscale-graph[tune]'")

_HOMES = {
    "Summary": "tscale_graph.reporting.summary",
    "summarise": "tscale_graph.reporting.summarising",
    "write_report": "tscale_graph.reporting.writing",
}

__getattr__ = imported_late(__name__, _HOMES)
