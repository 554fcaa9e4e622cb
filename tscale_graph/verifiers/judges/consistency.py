"""Universal self-consistency: the model itself picks the answer that most others agree with.

For free text, where answers cannot be counted (Chen et al. 2023, arXiv:2311.17311).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tscale_graph.budget import Budget
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
from tscale_graph.verifiers.judges.forms import PickForm
from tscale_graph.verifiers.judges.listwise import Ranking, check_count, numbered


@dataclass(frozen=True, slots=True)
class MostConsistent:
    """Finds the answer that is most consistent with the others, by two calls."""

    asker: Asker
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
        """1 for the answer that was picked in both orders, 0 for the others.

        The second call sees the answers in the reverse of the first call's order. Where the two
        picks differ, each gets 1/2 and the caller's own tie-break decides. Answers with the same
        text share a score. A lone answer gets 1 for nothing.

        Args:
            question: what was asked.
            answers: 1 to `at_most` of them.
            lease: the most that both calls may spend together.
            rng: shuffles the answers.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            ValueError: with no answer, or too many.
            VerifierError: when one of the calls came to nothing; it carries what was spent.
        """
        check_count(answers, at_most=self.at_most)
        texts = [answer.strip() for answer in answers]
        if len(set(texts)) == 1:
            return Ranking(scores=(1.0,) * len(answers))
        order = rng.sample(range(len(answers)), len(answers))
        asks = [partial(self._pick, question, answers, o, deadline) for o in (order, order[::-1])]
        replies = await all_side_by_side(asks, lease, what="universal self-consistency")
        picked = [texts[reply.value] for reply in replies]
        return Ranking(
            scores=tuple(picked.count(text) / len(picked) for text in texts),
            feedback=replies[0].reason,
            usage=spent_on(replies),
        )

    def call_size(self, question: str, answers: Sequence[str]) -> SampleSize:
        """The most that one call takes; ranking takes two."""
        return self.asker.size(_prompt(question, answers), PickForm(len(answers)))

    async def _pick(
        self,
        question: str,
        answers: Sequence[str],
        order: Sequence[int],
        deadline: float | None,
        lease: Budget | None,
    ) -> Reply[int]:
        """The position of the answer that was picked when they were shown in this order."""
        prompt = _prompt(question, [answers[place] for place in order])
        form = PickForm(len(answers))
        reply = await self.asker.ask(prompt, form, lease=lease, deadline=deadline)
        return Reply(order[reply.value], reply.reason, reply.usage)


def most_consistent(
    model: str | Askable,
    *,
    at_most: int = 8,
    max_output_tokens: int = 1024,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> MostConsistent:
    """A model that picks the answer which is most consistent with the others.

    Args:
        model: a chat model, "local", or "provider:model".
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
    return MostConsistent(asks, at_most)


def _prompt(question: str, answers: Sequence[str]) -> Prompt:
    fenced = fence(question, *answers)
    task = (
        "You are given several answers to a question. Find what most of them agree on, and choose "
        "the number of the answer that is most consistent with the others. Their order means "
        f"nothing.\n\n{fenced.rule}"
    )
    return Prompt(task, numbered(fenced, question, answers))
