"""Techniques and policies on a file of questions, side by side, under one budget.

    await abench(questions, {"vote": Recipe(technique="self_consistency")}, "runs.jsonl",
                 budget=Budget(usd=5), request=Budget(tokens=20_000), model="openai:gpt-5-mini")

Every run is a line of the file as soon as it is there, so what was stopped goes on.
"""

from tscale_graph.bench.running import abench, bench
from tscale_graph.bench.work import Benched

__all__ = ["Benched", "abench", "bench"]
