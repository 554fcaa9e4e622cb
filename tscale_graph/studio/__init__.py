"""The techniques and the router as assistants of a LangGraph server, which Studio shows as forms.

Each name here is a graph factory. Name those that you want in your own `langgraph.json`:

    {
      "dependencies": ["tscale-graph[openai]"],
      "graphs": {
        "self_consistency": "tscale_graph.studio:self_consistency",
        "router": "tscale_graph.studio:router"
      }
    }

The settings of a run, or of an assistant, are its `context`; `form(name)` says which there are.
"""

from __future__ import annotations

from tscale_graph.studio.assistants import Assistant
from tscale_graph.studio.forms import form

__all__ = [
    "ab_mcts",
    "aggregate_recursively",
    "beam_search",
    "best_of_n",
    "cascade",
    "extended_thinking",
    "form",
    "lats",
    "refine",
    "router",
    "self_consistency",
]

ab_mcts = Assistant("ab_mcts").graph
aggregate_recursively = Assistant("aggregate_recursively").graph
beam_search = Assistant("beam_search").graph
best_of_n = Assistant("best_of_n").graph
cascade = Assistant("cascade").graph
extended_thinking = Assistant("extended_thinking").graph
lats = Assistant("lats").graph
refine = Assistant("refine").graph
router = Assistant("router").graph
self_consistency = Assistant("self_consistency").graph
