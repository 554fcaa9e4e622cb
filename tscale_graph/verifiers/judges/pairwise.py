"""A model that says which of two answers is better, asked in both orders.

Judges prefer a place as well as an answer (Zheng et al. 2023, arXiv:2306.05685; Shi et al.
2024, arXiv:2406.07791), so a judgement counts only when it survives swapping the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tscale_graph.budget import Budget, Usage
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges.asking import (
    Asker,
    Prompt,
    Reply,
    all_side_by_side,
    asker,
    spent_on,
)
from tscale_graph.verifiers.judges.fencing import fence
from tscale_graph.verifiers.judges.forms import WinnerForm

DEFAULT_CRITERIA = "A correct answer beats a wrong one. Length and style do not matter."


class Comparison(BaseModel):
    """Which of two answers is better.

    Attributes:
        winner: 0 for the first, 1 for the second, None for a tie.
        flipped: each order had another winner, so the place decided and not the answer.
        feedback: the reason given with the answers in their own order.
        usage: what was spent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    winner: Literal[0, 1] | None
    flipped: bool = False
    feedback: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class PairwiseJudge:
    """Compares two answers at a time."""

    asker: Asker
    criteria: str

    async def compare(
        self,
        question: str,
        first: str,
        second: str,
        *,
        lease: Budget | None,
        deadline: float | None = None,
    ) -> Comparison:
        """The better of two answers, by two calls that run side by side.

        A winner has won in both orders; anything else is a tie. Equal answers are a tie for
        nothing.

        Args:
            question: what was asked.
            first: an answer.
            second: another.
            lease: the most that both calls may spend together.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when one of the calls came to nothing; it carries what was spent.
        """
        if first.strip() == second.strip():
            return Comparison(winner=None, feedback="the answers are the same")
        asks = [
            partial(self._ask, self._prompt(question, first, second), deadline),
            partial(self._ask, self._prompt(question, second, first), deadline),
        ]
        own, swapped = await all_side_by_side(asks, lease, what="a comparison")
        winners = own.value, None if swapped.value is None else 1 - swapped.value
        winner: Literal[0, 1] | None = None
        if winners == (0, 0):
            winner = 0
        elif winners == (1, 1):
            winner = 1
        return Comparison(
            winner=winner,
            flipped=None not in winners and winner is None,
            feedback=own.reason,
            usage=spent_on([own, swapped]),
        )

    def call_size(self, question: str, first: str, second: str) -> SampleSize:
        """The most that one call takes; a comparison takes two."""
        return self.asker.size(self._prompt(question, first, second), WinnerForm())

    async def _ask(
        self, prompt: Prompt, deadline: float | None, lease: Budget | None
    ) -> Reply[int | None]:
        return await self.asker.ask(prompt, WinnerForm(), lease=lease, deadline=deadline)

    def _prompt(self, question: str, first: str, second: str) -> Prompt:
        fenced = fence(question, first, second)
        task = (
            "You compare two answers to a question and say which is better: first, second, or "
            f"tie. {self.criteria} Their order means nothing.\n\n{fenced.rule}"
        )
        texts = [("question", question), ("first", first), ("second", second)]
        return Prompt(task, "\n\n".join(fenced.around(label, text) for label, text in texts))


def pairwise_judge(
    model: str | Askable,
    *,
    criteria: str | None = None,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> PairwiseJudge:
    """A model that compares two answers at a time, in both orders.

    Args:
        model: a chat model, "local", or "provider:model".
        criteria: what makes an answer better; by default its correctness.
        max_output_tokens: the most tokens of one reply, reasoning included.
        temperature: 0 to 2; None leaves the model's own.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when the model needs a package that is not installed.
    """
    asks = asker(
        model,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        structured=structured,
    )
    return PairwiseJudge(asks, criteria or DEFAULT_CRITERIA)
