"""Features of the embedded model's own mind: its hidden states and log-probabilities.

Both of a solution cost one request together. The solution is read after the question in the
model's chat template, which is where the model wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from tscale_graph.models.embedded_states import (
    DIMENSIONS,
    check_readable,
    log_probabilities,
    states_of,
)
from tscale_graph.verifiers.process.features import Matrix, written
from tscale_graph.verifiers.process.logprobs import Token, TokenLogprobs


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """The last hidden state of the embedded model at the end of each step.

    Attributes:
        name: what a saved model calls it by.
        system: what stood before the question when the solution was written, if anything.
        dimensions: of a state, 576 for the pinned weights.
    """

    name: str = "hidden"
    system: str | None = None
    dimensions: int = DIMENSIONS

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the state, "state.0" and so on."""
        return tuple(f"state.{place}" for place in range(self.dimensions))

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """[steps, dimensions]; NaN for a step that ends beyond the model's 2,048 tokens.

        Raises:
            ValueError: when the model's states are of other dimensions.
            LocalModelError: when the model cannot be had.
        """
        text, ends = written(steps)
        if not steps:
            return np.zeros((0, self.dimensions))
        states = states_of(question, text, system=self.system)
        if states.hidden.shape[1] != self.dimensions:
            raise ValueError(f"dimensions must be {states.hidden.shape[1]}, got {self.dimensions}")
        after = list(accumulate(map(len, states.texts), initial=0))
        rows = states.hidden[np.searchsorted(after[:-1], ends, side="left")].astype(np.float64)
        if not states.whole:
            rows[np.array(ends) > after[-1]] = np.nan
        return rows


@dataclass(frozen=True, slots=True)
class EmbeddedLogprobs:
    """The embedded model's own log-probabilities, for `TokenLogprobs`.

    Attributes:
        system: what stood before the question when the solution was written, if anything.
    """

    system: str | None = None

    def __call__(self, question: str, solution: str) -> list[Token]:
        """Of each token; those beyond the model's 2,048 are unknown.

        Raises:
            ImportError: when the package that reads the weights is not installed.
            LocalModelError: when the model cannot be had.
        """
        states = states_of(question, solution, system=self.system)
        logprobs = map(float, log_probabilities(states))
        tokens: list[Token] = list(zip(states.texts, logprobs, strict=True))
        rest = solution[len("".join(states.texts)) :]
        return [*tokens, (rest, None)] if rest else tokens


def embedded_logprobs(*, system: str | None = None) -> TokenLogprobs:
    """Statistics of the embedded model's log-probabilities, by the name "logprobs".

    Args:
        system: what stood before the question when the solution was written, if anything.

    Raises:
        ImportError: when the package that reads the weights is not installed.
    """
    check_readable()
    return TokenLogprobs(EmbeddedLogprobs(system), name="logprobs", parallel=1)
