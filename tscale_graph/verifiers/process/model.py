"""A process reward model: a verifier that scores every reasoning step of a solution."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tscale_graph.candidates import Verdict
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.aggregates import Aggregate, check_aggregate, step_verdict
from tscale_graph.verifiers.process.classifier import StepClassifier
from tscale_graph.verifiers.process.features import (
    Arithmetic,
    Featurizer,
    Position,
    Wording,
    column_names,
    features,
)
from tscale_graph.verifiers.process.saving import ModelCard, load_classifier, save_classifier

BUILT_IN: dict[str, Featurizer] = {one.name: one for one in (Position(), Wording(), Arithmetic())}
"""Featurizers that a saved model finds by itself."""


@dataclass(frozen=True, slots=True)
class ProcessRewardModel:
    """Scores the steps of a solution by how likely it is to succeed from each.

    A verifier with `step_scores`: for `beam_search`, for `best_of_n` on whole solutions, and as the
    value function of `lats`.

    Attributes:
        classifier: of the features of a step.
        featurizers: make them.
        splitter: cuts a solution into steps.
        aggregate: makes one score of them.
        card: what it was trained on, and how well it does.
    """

    judges_partial: ClassVar[bool] = True
    reads_solutions: ClassVar[bool] = True

    classifier: StepClassifier
    featurizers: tuple[Featurizer, ...]
    splitter: StepSplitter
    aggregate: Aggregate
    card: ModelCard

    def __call__(self, question: str, answer: str) -> Verdict:
        """The scores of the steps, and what they come to; no step is worth 0."""
        return self.verdicts([(question, answer)])[0]

    def verdicts(self, solutions: Sequence[tuple[str, str]]) -> list[Verdict]:
        """The same of many pairs of a question and a solution, much faster than one by one."""
        cut = [(question, self._steps(solution)) for question, solution in solutions]
        return [self._verdict(*scored) for scored in self._scored(cut)]

    def step_scores(
        self, solutions: Sequence[tuple[str, Sequence[str]]]
    ) -> list[tuple[float, ...]]:
        """The scores of the steps of solutions that are cut into steps already.

        Args:
            solutions: pairs of a question and the steps, without the whitespace around them.
        """
        return [scores for scores, _ in self._scored(solutions)]

    def _steps(self, solution: str) -> list[str]:
        return [step for part in self.splitter.split(solution) if (step := part.strip())]

    def _scored(
        self, solutions: Sequence[tuple[str, Sequence[str]]]
    ) -> list[tuple[tuple[float, ...], list[str]]]:
        """The scores of each, and notes on featurizers that failed."""
        made = [features(self.featurizers, question, steps) for question, steps in solutions]
        if not made:
            return []
        ends = np.cumsum([len(matrix) for matrix, _ in made])[:-1]
        scores = np.split(self.classifier(np.concatenate([matrix for matrix, _ in made])), ends)
        return [
            (tuple(map(float, each)), notes) for each, (_, notes) in zip(scores, made, strict=True)
        ]

    def _verdict(self, scores: tuple[float, ...], notes: list[str]) -> Verdict:
        return step_verdict(scores, self.aggregate, feedback="; ".join(notes))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write it to a folder: JSON and arrays, no pickle.

        Raises:
            OSError: when it cannot be written.
        """
        save_classifier(folder, self.classifier, self.card)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        featurizers: Sequence[Featurizer] = (),
        aggregate: Aggregate | None = None,
    ) -> ProcessRewardModel:
        """Read a model that was saved.

        Args:
            folder: where it is.
            featurizers: those of the user's that it was trained with.
            aggregate: instead of the card's.

        Raises:
            ValueError: in one line, when it is none, damaged, of another format, or was trained
                with featurizers that are not given.
            OSError: when it cannot be read.
        """
        classifier, card = load_classifier(folder)
        known = BUILT_IN | {one.name: one for one in featurizers}
        missing = [name for name in card.featurizers if name not in known]
        if missing:
            raise ValueError(f"{folder} needs the featurizer {missing[0]!r}: give featurizers=[…]")
        chosen = tuple(known[name] for name in card.featurizers)
        if column_names(chosen) != classifier.columns:
            raise ValueError(f"{folder} was trained on other features than its featurizers give")
        return cls(
            classifier,
            chosen,
            step_splitter(card.steps),
            check_aggregate(aggregate or card.aggregate),
            card,
        )
