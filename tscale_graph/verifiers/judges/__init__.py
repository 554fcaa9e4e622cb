"""Models as judges: of an answer, of its steps, of two, of several, of whether two say the same.

Every one of them spends only what its lease allows, fences what it judges off from what it is
told, and raises `VerifierError`, with what was spent, rather than make up a judgement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tscale_graph.importing import imported_late
from tscale_graph.verifiers.judges.consistency import MostConsistent, most_consistent
from tscale_graph.verifiers.judges.equivalence import EquivalenceJudge, equivalent
from tscale_graph.verifiers.judges.listwise import ListwiseJudge, Ranker, Ranking, listwise_judge
from tscale_graph.verifiers.judges.pairwise import Comparison, PairwiseJudge, pairwise_judge
from tscale_graph.verifiers.judges.pointwise import Judge, judge

if TYPE_CHECKING:
    from tscale_graph.verifiers.judges.stepwise import StepJudge, step_judge

__all__ = [
    "Comparison",
    "EquivalenceJudge",
    "Judge",
    "ListwiseJudge",
    "MostConsistent",
    "PairwiseJudge",
    "Ranker",
    "Ranking",
    "StepJudge",
    "equivalent",
    "judge",
    "listwise_judge",
    "most_consistent",
    "pairwise_judge",
    "step_judge",
]

__getattr__ = imported_late(  # with numpy, which the other judges do without
    __name__, dict.fromkeys(("StepJudge", "step_judge"), f"{__name__}.stepwise")
)
