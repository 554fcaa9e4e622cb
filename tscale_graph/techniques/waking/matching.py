"""Finding the anticipated question that is the one asked: by words, vectors, or a model's word."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from langchain_core.embeddings import Embeddings

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.sleeping.matching import (
    Pair,
    learn_threshold,
    lexical_similarity,
    nearest,
    numbers_in,
    words_of,
)
from tscale_graph.verifiers.judges import EquivalenceJudge

_ASKED = "Which question is asked? (Two are the same if one answer is always right for both.)"


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking for a question.

    Attributes:
        place: of the anticipated question that is the same, or None.
        similarity: of the nearest one, in the matcher's own measure; 0 without any.
        usage: what looking has cost.
        note: what could not be done, or "".
    """

    place: int | None = None
    similarity: float = 0.0
    usage: Usage = field(default_factory=Usage)
    note: str = ""


@runtime_checkable
class Matcher(Protocol):
    """Tells whether a question is one of those that were anticipated."""

    async def find(
        self,
        question: str,
        anticipated: Sequence[str],
        *,
        lease: Budget | None,
        deadline: float | None,
    ) -> Found:
        """Look for it.

        Args:
            question: as it was asked.
            anticipated: those with an answer, at least one.
            lease: what may be spent; None when nothing may.
            deadline: when to give up, in seconds since the epoch, or None.
        """
        ...


@dataclass(frozen=True, slots=True)
class LexicalMatcher:
    """By words: free, and without a threshold that was learnt only for the same words in a row.

    Attributes:
        threshold: the least `lexical_similarity`, above 0; `LexicalMatcher.learnt` finds one.
    """

    threshold: float = 1.0

    def __post_init__(self) -> None:
        _check(self.threshold)

    @classmethod
    def learnt(cls, pairs: Iterable[Pair], **more: float) -> LexicalMatcher:
        """One whose threshold is learnt from examples; `more` is as for `learn_threshold`."""
        return cls(learn_threshold(pairs, lexical_similarity, **more))

    async def find(
        self,
        question: str,
        anticipated: Sequence[str],
        *,
        lease: Budget | None,
        deadline: float | None,
    ) -> Found:
        """The most alike, if it is alike enough."""
        [(similarity, place), *_] = nearest(question, anticipated, lexical_similarity)
        return Found(place if similarity >= self.threshold else None, similarity)


@dataclass(frozen=True, slots=True)
class EmbeddingMatcher:
    """By the cosine of embeddings; questions with other numbers are never the same.

    Attributes:
        embeddings: any LangChain embedding model.
        threshold: the least cosine, above 0; `EmbeddingMatcher.learnt` finds one.
    """

    embeddings: Embeddings
    threshold: float

    def __post_init__(self) -> None:
        _check(self.threshold)

    @classmethod
    def learnt(
        cls, embeddings: Embeddings, pairs: Iterable[Pair], **more: float
    ) -> EmbeddingMatcher:
        """One whose threshold is learnt from examples; `more` is as for `learn_threshold`."""
        several = list(pairs)
        texts = sorted({text for pair in several for text in (pair.first, pair.second)})
        vectors = dict(zip(texts, embeddings.embed_documents(texts), strict=True))

        def similarity(first: str, second: str) -> float:
            return _similarity(first, second, vectors[first], vectors[second])

        return cls(embeddings, learn_threshold(several, similarity, **more))

    async def find(
        self,
        question: str,
        anticipated: Sequence[str],
        *,
        lease: Budget | None,
        deadline: float | None,
    ) -> Found:
        """The nearest, if it is near enough."""
        left = None if deadline is None else max(0.0, deadline - time.time())
        try:
            async with asyncio.timeout(left):
                vectors = await self.embeddings.aembed_documents([question, *anticipated])
        except TimeoutError:
            return Found(note="the embeddings had not come in time")
        found = [
            _similarity(question, other, vectors[0], vector)
            for other, vector in zip(anticipated, vectors[1:], strict=True)
        ]
        place = max(range(len(found)), key=found.__getitem__)
        return Found(place if found[place] >= self.threshold else None, found[place])


@dataclass(frozen=True, slots=True)
class JudgeMatcher:
    """By the word of a model, which is shown those that look most alike.

    Attributes:
        judge: from `tscale_graph.verifiers.judges.equivalent`.
        shown: how many it is asked about at most, one after the other; at least 1.
        least: the `lexical_similarity` from which on it is asked, from 0 to 1.
    """

    judge: EquivalenceJudge
    shown: int = 2
    least: float = 0.3

    def __post_init__(self) -> None:
        if self.shown < 1:
            raise ValueError(f"shown must be at least 1, got {self.shown!r}")
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be from 0 to 1, got {self.least!r}")

    async def find(
        self,
        question: str,
        anticipated: Sequence[str],
        *,
        lease: Budget | None,
        deadline: float | None,
    ) -> Found:
        """The first of the most alike that the model calls the same."""
        ranked = nearest(question, anticipated, lexical_similarity)
        spent = Usage()
        for similarity, place in ranked[: self.shown]:
            if similarity == 1:
                return Found(place, similarity, spent)
            if similarity < self.least or lease is None:
                break
            left = lease.remaining(spent)
            if left.spent_limit is not None:
                return Found(usage=spent, note="too little was left to compare questions")
            own = Budget.model_validate(left.model_dump())
            try:
                same, usage = await self.judge.same(
                    _ASKED, question, anticipated[place], lease=own, deadline=deadline
                )
            except VerifierError as error:
                return Found(usage=spent + error.usage, note=f"not compared: {error}")
            spent += usage
            if same:
                return Found(place, similarity, spent)
        return Found(None, ranked[0][0], spent)


def models_of(matcher: Matcher) -> tuple[Endpoint, ...]:
    """The models that a matcher of ours asks."""
    return (matcher.judge.asker.endpoint,) if isinstance(matcher, JudgeMatcher) else ()


def most_of(matcher: Matcher, question_tokens: int) -> Usage:
    """What looking for a question takes at most, with a matcher of ours."""
    if not isinstance(matcher, JudgeMatcher):
        return Usage()
    size = matcher.judge.call_size(_ASKED, "", "")
    return size.cost(calls=matcher.shown, more_prompt_tokens=2 * question_tokens)


def _similarity(first: str, second: str, one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two questions; 0 where their numbers differ."""
    if numbers_in(words_of(first)) != numbers_in(words_of(second)):
        return 0.0
    return _cosine(one, other)


def _cosine(first: Sequence[float], second: Sequence[float]) -> float:
    lengths = math.hypot(*first) * math.hypot(*second)
    return math.fsum(x * y for x, y in zip(first, second, strict=True)) / lengths if lengths else 0


def _check(threshold: float) -> None:
    if not threshold > 0:
        raise ValueError(f"threshold must be above 0, got {threshold}")
