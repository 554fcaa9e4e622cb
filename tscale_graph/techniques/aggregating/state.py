"""The state of a run of aggregation: that of sampling, and which answer is written from which."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.techniques.state import SamplingState, Snapshot, Wave


class Member(BaseModel):
    """A member of a population; its place among all that were asked for is its candidate's index.

    Attributes:
        generation: which population, from 0.
        place: where in it, from 0.
        sources: the indexes of the candidates that it is written from, in the order in which the
            model sees them; none in generation 0.
    """

    model_config = ConfigDict(frozen=True)

    generation: int
    place: int
    sources: tuple[int, ...] = ()


class AggregatingState(SamplingState, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        members: every one that was asked for.
        waves: those that may start now.
        entropy: what subsets are drawn from: the seed, or drawn itself where there is none.
    """

    members: list[Member]
    waves: list[Wave]
    entropy: int


class AggregatingRun(Snapshot):
    """The state as a node sees it, parsed."""

    members: list[Member] = Field(default_factory=list[Member])
    waves: list[Wave] = Field(default_factory=list[Wave])
    entropy: int = 0
