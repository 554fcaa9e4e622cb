"""Which technique, with which settings, for which class of task: learnt from what was measured.

    measured = measure({"maths": maths, "law": law}, default_settings())
    tuned = tune(measured, mean_tokens=3000)
    policy = tuned.policy(default_class="maths")

Pure, on plain values and arrays; no graph, no model, no clock.
"""

import importlib.util

from tscale_graph.importing import imported_late

if importlib.util.find_spec("numpy") is None:
    raise ImportError("tuning needs another package: pip install 'tscale-graph[tune]'")

_HOMES = {
    "Allocator": "tscale_graph.tuning.batches",
    "Expected": "tscale_graph.tuning.promises",
    "Measured": "tscale_graph.tuning.measured",
    "Request": "tscale_graph.allocating",
    "Setting": "tscale_graph.tuning.settings",
    "Tuned": "tscale_graph.tuning.results",
    "allocate": "tscale_graph.allocating",
    "allocate_waves": "tscale_graph.allocating",
    "fit_difficulty": "tscale_graph.tuning.difficulty",
    "default_settings": "tscale_graph.tuning.settings",
    "from_outcomes": "tscale_graph.tuning.measured",
    "measure": "tscale_graph.tuning.measuring",
    "tune": "tscale_graph.tuning.tuning",
}

__getattr__ = imported_late(__name__, _HOMES)
