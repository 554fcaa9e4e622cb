"""What a run of aggregation is told, checked once when its graph is built."""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.techniques.settings import SamplingSettings


@dataclass(frozen=True)
class AggregatingSettings:
    """How populations of answers follow one another.

    Attributes:
        sampling: how the model is asked, and its answers read and voted on.
        population: answers in a population.
        subset: answers that each new one is written from, at most.
        generations: populations in a row, the first one of answers to the bare question included.
        agreement: the share of a population with one answer at which that is enough; None makes
            all generations.
    """

    sampling: SamplingSettings
    population: int
    subset: int
    generations: int
    agreement: float | None
