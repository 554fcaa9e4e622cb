"""A model that ranks several answers at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Score
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges.asking import Asker, Prompt, asker
from tscale_graph.verifiers.judges.fencing import Fence, fence
from tscale_graph.verifiers.judges.forms import RankingForm
from tscale_graph.verifiers.judges.pairwise import DEFAULT_CRITERIA


class Ranking(BaseModel):
    """How several answers stand among themselves.

    Attributes:
        scores: one for each answer, in the order in which they were given; 1 is best.
        feedback: the model's reason; it speaks of the answers by the numbers that it saw.
        usage: what was spent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores: tuple[Score, ...]
    feedback: str = ""
    usage: Usage = Usage()


class Ranker(Protocol):
    """What ranks answers: `listwise_judge` and `most_consistent`."""

    @property
    def at_most(self) -> int:
        """The most answers that are ranked at once."""
        ...

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        lease: Budget | None,
        rng: random.Random,
        deadline: float | None = None,
    ) -> Ranking:
        """How the answers stand, within the lease."""
        ...

    def call_size(self, question: str, answers: Sequence[str]) -> SampleSize:
        """The most that one call takes."""
        ...


@dataclass(frozen=True, slots=True)
class ListwiseJudge:
    """Ranks up to `at_most` answers with one call."""

    asker: Asker
    criteria: str
    at_most: int

    async def rank(
        self,
        question: str,
        answers: Sequence[str],
        *,
        lease: Budget | None,
        rng: random.Random,
        deadline: float | None = None,
    ) -> Ranking:
        """Score the answers by their places: 1 for the best down to 0 for the last.

        Answers that the model left out share the places that are left. A lone answer gets 1
        for nothing.

        Args:
            question: what was asked.
            answers: 1 to `at_most` of them.
            lease: the most that may be spent.
            rng: shuffles the answers, because judges prefer places.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            ValueError: with no answer, or too many.
            VerifierError: when there is no ranking; it carries what was spent.
        """
        check_count(answers, at_most=self.at_most)
        if len(answers) == 1:
            return Ranking(scores=(1.0,))
        order = rng.sample(range(len(answers)), len(answers))
        prompt = self._prompt(question, [answers[place] for place in order])
        form = RankingForm(len(answers))
        reply = await self.asker.ask(prompt, form, lease=lease, deadline=deadline)
        ranked = [order[place] for place in reply.value]
        scores = scores_by_place(ranked, len(answers))
        return Ranking(scores=scores, feedback=reply.reason, usage=reply.usage)

    def call_size(self, question: str, answers: Sequence[str]) -> SampleSize:
        """The most that one call takes; ranking takes one."""
        return self.asker.size(self._prompt(question, answers), RankingForm(len(answers)))

    def _prompt(self, question: str, answers: Sequence[str]) -> Prompt:
        fenced = fence(question, *answers)
        task = (
            "You rank answers to a question by their numbers, the best first. "
            f"{self.criteria} Their order means nothing.\n\n{fenced.rule}"
        )
        return Prompt(task, numbered(fenced, question, answers))


def listwise_judge(
    model: str | Askable,
    *,
    criteria: str | None = None,
    at_most: int = 8,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> ListwiseJudge:
    """A model that ranks several answers with one call.

    Args:
        model: a chat model, "local", or "provider:model".
        criteria: what makes an answer better; by default its correctness.
        at_most: the most answers in one call, at least 2.
        max_output_tokens: the most tokens of one reply, reasoning included.
        temperature: 0 to 2; None leaves the model's own.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when the model needs a package that is not installed.
    """
    if isinstance(at_most, bool) or at_most < 2:
        raise ValueError(f"at_most must be at least 2, got {at_most}")
    asks = asker(
        model,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        structured=structured,
    )
    return ListwiseJudge(asks, criteria or DEFAULT_CRITERIA, at_most)


def scores_by_place(ranked: Sequence[int], count: int) -> tuple[float, ...]:
    """Scores from 1 for the first down to 0 for the last, evenly spaced.

    Those that are not ranked share the mean of the places that are left.

    Args:
        ranked: positions, best first, none of them twice.
        count: how many there are, at least 2.

    >>> scores_by_place([2, 0], 4)
    (0.6666666666666666, 0.16666666666666666, 1.0, 0.16666666666666666)
    """
    last = count - 1
    left_over = (count - 1 + len(ranked)) / 2
    places: dict[int, float] = {position: place for place, position in enumerate(ranked)}
    return tuple((last - places.get(position, left_over)) / last for position in range(count))


def check_count(answers: Sequence[str], *, at_most: int) -> None:
    """Refuse no answers, and too many.

    Raises:
        ValueError: for either.
    """
    if not 1 <= len(answers) <= at_most:
        raise ValueError(f"answers must be 1 to {at_most}, got {len(answers)}")


def numbered(fenced: Fence, question: str, answers: Sequence[str]) -> str:
    """The question and the answers, numbered from 1, each inside the fence."""
    texts = [("question", question)]
    texts += [(f"answer {number}", answer) for number, answer in enumerate(answers, 1)]
    return "\n\n".join(fenced.around(label, text) for label, text in texts)
