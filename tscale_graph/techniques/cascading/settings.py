"""What a ladder of models and techniques is told, checked once when its graph is built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_core.messages import BaseMessage, SystemMessage

from tscale_graph.budget import Budget, Usage
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.pool import Kind
from tscale_graph.techniques.settings import OnExceeded
from tscale_graph.verifiers import Verifier

First = Literal["auto", "cheapest"]


@dataclass(frozen=True)
class Rung:
    """One rung of a ladder.

    Attributes:
        endpoint: the technique that is run, asked in the place of a model.
        name: what notes call it: the model's name, or the technique's with its models.
        accept: the least rating that its answer is accepted with.
        kind: "reasoning" for a model that is tuned to reason.
        context_tokens: the most tokens of prompt and answer, or None.
    """

    endpoint: Endpoint
    name: str
    accept: float
    kind: Kind = "fast"
    context_tokens: int | None = None


@dataclass(frozen=True)
class CascadeSettings:
    """How a ladder is climbed.

    Attributes:
        rungs: cheap first.
        verifier: rates answers, or None.
        first: "auto" begins reasoning-heavy tasks at a reasoning-tuned rung.
        max_output_tokens: the most tokens of one answer of a bare model.
        system: a system prompt of bare models, or None.
        seed: makes runs repeatable with providers that take a seed; None leaves it to the rungs.
        budget: for requests that bring none, or None.
        on_exceeded: "raise" or "return" when the budget ends before there is an answer.
    """

    rungs: tuple[Rung, ...]
    verifier: Verifier | None
    first: First
    max_output_tokens: int
    system: str | None
    seed: int | None
    budget: Budget | None
    on_exceeded: OnExceeded

    def prompt(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The longest prompt that a rung makes of the conversation, as far as we know."""
        return [*([SystemMessage(self.system)] if self.system else []), *messages]

    def size(self, rung: int, *, prompt_tokens: int, beside: Usage) -> SampleSize:
        """The most that a whole run of one rung takes, and what rating its answer may."""
        return self.rungs[rung].endpoint.size(
            prompt_tokens=prompt_tokens, output_tokens=self.max_output_tokens, beside=beside
        )

    def call_tokens(self, rung: int, *, prompt_tokens: int) -> int:
        """The most tokens of one call of a rung, its prompt included: of several, the mean."""
        whole = self.size(rung, prompt_tokens=prompt_tokens, beside=Usage()).each
        return math.ceil(whole.tokens / max(1, whole.calls))

    @property
    def unpriced(self) -> str | None:
        """The name of a model that may be asked and whose price is not known, or None."""
        asked = next((name for rung in self.rungs if (name := rung.endpoint.unpriced)), None)
        return asked or getattr(self.verifier, "unpriced", None)
