"""Answers in free text that are the same when they mean the same.

Semantic clusters, as for semantic entropy (Kuhn et al. 2023, arXiv:2302.09664): by an embedding
model and a threshold, or by a model that is asked whether two answers say the same.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.embeddings import Embeddings

from tscale_graph.answers.words import Text
from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges import EquivalenceJudge, equivalent

_COMPARED_WITH = 4
"""Clusters, the largest first, that a new answer is compared with by a judge."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Which of the answers mean the same.

    Attributes:
        same_as: for each new answer the place of an earlier one that means the same, among the
            known ones followed by the new ones; or None.
        usage: what was spent.
        notes: what could not be done.
    """

    same_as: tuple[int | None, ...]
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """A kind of answer: short texts, compared by what they mean.

    Attributes:
        embeddings: turns texts into vectors; or None.
        threshold: the cosine from which on two texts mean the same.
        judge: says whether two answers mean the same, where there are no embeddings.
    """

    embeddings: Embeddings | None
    threshold: float
    judge: EquivalenceJudge | None
    name: str = "semantic"

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The answer as for short texts."""
        return Text().extract(text, truncated=truncated)

    def key(self, answer: str) -> str:
        """As for short texts; those that mean the same are put together afterwards."""
        return Text().key(answer)

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.judge and self.judge.asker.unpriced

    def needs(self, question: str, *, answer_tokens: int) -> Usage:
        """One comparison for each sample: the least that grouping by a judge takes."""
        if self.judge is None:
            return Usage()
        size = self.judge.call_size(question, "", "")
        return size.cost(more_prompt_tokens=2 * answer_tokens)

    async def group(
        self,
        question: str,
        known: Sequence[str],
        new: Sequence[str],
        *,
        lease: Budget | None,
        deadline: float | None = None,
    ) -> Grouped:
        """Find for each new answer an earlier one that means the same.

        Args:
            question: what was asked.
            known: one answer for each meaning so far, the most frequent first.
            new: answers that are not among them.
            lease: what a judge may spend.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            TimeoutError: when the embeddings had not come by the deadline.
        """
        if self.embeddings is not None:
            texts = [*known, *new]
            left = None if deadline is None else max(0.0, deadline - time.time())
            async with asyncio.timeout(left):
                vectors = await self.embeddings.aembed_documents(texts)
            return Grouped(_nearest(vectors, len(known), self.threshold))
        if self.judge is None:
            return Grouped((None,) * len(new))
        return await self._by_judge(self.judge, question, known, new, lease, deadline)

    async def _by_judge(
        self,
        judge: EquivalenceJudge,
        question: str,
        known: Sequence[str],
        new: Sequence[str],
        lease: Budget | None,
        deadline: float | None,
    ) -> Grouped:
        answers = list(known)
        meanings = list(range(len(known)))
        same_as: list[int | None] = []
        spent, notes = Usage(), list[str]()
        for answer in new:
            found = None
            for place in meanings[:_COMPARED_WITH]:
                left = _left(lease, spent)
                try:
                    same, usage = await judge.same(
                        question, answers[place], answer, lease=left, deadline=deadline
                    )
                except VerifierError as error:
                    spent += error.usage
                    notes.append(f"not compared with other answers: {error}")
                    break
                spent += usage
                if same:
                    found = place
                    break
            if found is None:
                meanings.append(len(answers))
            same_as.append(found)
            answers.append(answer)
        return Grouped(tuple(same_as), spent, tuple(notes))


def semantic(
    *,
    embeddings: Embeddings | None = None,
    threshold: float = 0.85,
    model: str | Askable | None = None,
) -> Meaning:
    """For `answer=`: free texts count as the same answer when they mean the same.

    Give one of the two. Embeddings are fast and count towards no limit but `seconds`; a model
    is asked for each new answer, within the budget.

    Args:
        embeddings: any LangChain embedding model.
        threshold: the cosine, in (0, 1], from which on two texts mean the same; it depends on
            the embedding model.
        model: a chat model, "local", or "provider:model", asked whether two answers mean the
            same.

    Raises:
        ValueError: when neither or both are given, or the threshold is out of range.
    """
    if (embeddings is None) == (model is None):
        raise ValueError("semantic needs embeddings= or model=, one of the two")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    return Meaning(embeddings, threshold, None if model is None else equivalent(model))


def _left(lease: Budget | None, spent: Usage) -> Budget | None:
    if lease is None:
        return None
    remaining = lease.remaining(spent)
    return None if remaining.spent_limit else Budget.model_validate(remaining.model_dump())


def _nearest(
    vectors: Sequence[Sequence[float]], known: int, threshold: float
) -> tuple[int | None, ...]:
    """For each vector after the known ones, the nearest that stands for a meaning, if near."""
    units = [_unit(vector) for vector in vectors]
    meanings = list(range(known))
    found: list[int | None] = []
    for place in range(known, len(units)):
        cosines = {m: _dot(units[m], units[place]) for m in meanings}
        nearest = max(cosines, key=lambda m: cosines[m], default=None)
        same = nearest is not None and cosines[nearest] >= threshold
        found.append(nearest if same else None)
        if not same:
            meanings.append(place)
    return tuple(found)


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.hypot(*vector)
    return [x / length for x in vector] if length else list(vector)


def _dot(first: Sequence[float], second: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(first, second, strict=True))
