"""Embeddings of what has been said so far, from any LangChain embedding model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from tscale_graph.verifiers.process.features import Matrix, Solution, written

LONGEST_TEXT = 8_000
"""Characters of the end of a text that are embedded, after the question."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedding of the question and the steps so far, and how near a step is to the others.

    All texts that are needed, of all solutions, are one call of `embed_documents`. A classifier
    takes the columns of the vector by their principal components (`fit`).

    Attributes:
        embeddings: any LangChain embedding model.
        name: what a saved model calls it by; it has to be given again when that is loaded.
        dimensions: of a vector, at least 1; None: the model is asked for one at once.
        cosines: whether to embed each step alone as well, which costs as many texts again, for
            its cosine to the question and to the step before it, for the first the question.

    Raises:
        ValueError: for fewer than one dimension.
    """

    embeddings: Embeddings
    name: str = "embeddings"
    dimensions: int | None = None
    cosines: bool = True

    def __post_init__(self) -> None:
        if self.dimensions is None:
            known = len(self.embeddings.embed_documents(["?"])[0])
            object.__setattr__(self, "dimensions", known)
        if self.width < 1:
            raise ValueError(f"dimensions must be at least 1, got {self.dimensions}")

    @property
    def width(self) -> int:
        """The dimensions of a vector."""
        return self.dimensions or 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the vector, "vector.0" and so on, then "to_question" and "to_previous"."""
        vector = tuple(f"vector.{place}" for place in range(self.width))
        return (*vector, "to_question", "to_previous") if self.cosines else vector

    def __call__(self, question: str, steps: Sequence[str]) -> Matrix:
        """[steps, columns]; cosines are in [-1, 1], unknown where a vector has no length.

        Raises:
            ValueError: when the vectors are not as many or as long as they should be.
            Exception: whatever the embedding model raises.
        """
        return self.several([(question, steps)])[0]

    def several(self, solutions: Sequence[Solution]) -> list[Matrix]:
        """The same of many solutions, with one call of the embedding model for all of them."""
        places: dict[str, int] = {}
        sought = [self._texts(question, steps) for question, steps in solutions]
        for texts in sought:
            for text in texts:
                places.setdefault(text, len(places))
        vectors = self._embedded(places)
        return [
            self._rows(vectors[[places[text] for text in texts]], len(steps))
            for texts, (_, steps) in zip(sought, solutions, strict=True)
        ]

    def _texts(self, question: str, steps: Sequence[str]) -> list[str]:
        """What has been said after each step; then, for cosines, the question and each step."""
        text, ends = written(steps)
        so_far = [f"{question}\n{text[max(0, end - LONGEST_TEXT) : end]}" for end in ends]
        if not (self.cosines and so_far):
            return so_far
        return [*so_far, question, *(step.strip()[-LONGEST_TEXT:] or question for step in steps)]

    def _embedded(self, texts: Iterable[str]) -> Matrix:
        asked = list(texts)
        if not asked:
            return np.zeros((0, self.width))
        vectors = np.array(self.embeddings.embed_documents(asked), dtype=np.float64)
        if vectors.shape != (len(asked), self.width):
            raise ValueError(
                f"the vectors have shape {vectors.shape}, not {len(asked), self.width}"
            )
        return vectors

    def _rows(self, vectors: Matrix, steps: int) -> Matrix:
        if not (self.cosines and steps):
            return vectors.reshape(steps, len(self.columns))
        so_far, question, alone = vectors[:steps], vectors[steps], vectors[steps + 1 :]
        before = np.vstack([question, alone[:-1]])
        return np.column_stack([so_far, _cosines(alone, question[None]), _cosines(alone, before)])


def _cosines(rows: Matrix, others: Matrix) -> Matrix:
    """Of each row and the other in its place; NaN where one of them is all zeros."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    return (rows * others).sum(axis=1) / np.where(lengths > 0, lengths, np.nan)
