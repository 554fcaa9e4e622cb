"""The state of a run of revisions: that of sampling, and which version revises which."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.techniques.state import SamplingState, Snapshot, Wave


class Step(BaseModel):
    """A version that was asked for; its place among all steps is its candidate's index.

    Attributes:
        chain: the chain that it goes on with, from 0.
        base: the index of the version that it revises; None for an answer to the question alone.
    """

    model_config = ConfigDict(frozen=True)

    chain: int
    base: int | None = None


class RefiningState(SamplingState, total=False):
    """Everything between the question and the answer; private to the subgraph.

    Attributes:
        steps: every version that was asked for.
        waves: those of the round that is going on.
    """

    steps: list[Step]
    waves: list[Wave]


class RefiningRun(Snapshot):
    """The state as a node sees it, parsed."""

    steps: list[Step] = Field(default_factory=list[Step])
    waves: list[Wave] = Field(default_factory=list[Wave])
