"""What a run of revisions is told, checked once when its graph is built."""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.techniques.refining.critic import Critic
from tscale_graph.techniques.settings import SamplingSettings


@dataclass(frozen=True)
class RefiningSettings:
    """How answers are revised.

    Attributes:
        sampling: how the model is asked, its answers read and one of them chosen.
        max_revisions: the most revisions of one answer.
        repeats: so many revisions in a row that come to nothing new end a chain.
        chains: how many answers are revised side by side.
        critic: the model as a critic of its own answers, where there is no verifier; or None.
    """

    sampling: SamplingSettings
    max_revisions: int
    repeats: int
    chains: int
    critic: Critic | None
