"""Search trees and the policies that grow them: pure, on arrays; no graph, no model, no clock."""

import importlib.util

if importlib.util.find_spec("numpy") is None:
    raise ImportError("tree search needs another package: pip install 'tscale-graph[search]'")
