"""A process reward model: a verifier that scores every reasoning step of a solution."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tscale_graph.candidates import Verdict
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.aggregates import Aggregate, check_aggregate, step_verdict
from tscale_graph.verifiers.process.classifier import StepClassifier
from tscale_graph.verifiers.process.features import Featurizer, column_names, features_of_many
from tscale_graph.verifiers.process.reading import Arithmetic, Position, Wording
from tscale_graph.verifiers.process.saving import ModelCard, load_classifier, save_classifier

BUILT_IN: dict[str, Featurizer] = {one.name: one for one in (Position(), Wording(), Arithmetic())}
"""Featurizers that a saved model finds by itself."""

SHIPPED = Path(__file__).with_name("shipped")
"""The model that comes with the package: for the embedded model, of arithmetic in steps."""

_LATE = {"hidden": "HiddenStates", "logprobs": "embedded_logprobs"}


def built_in(name: str) -> Featurizer | None:
    """The featurizer of this name that needs no arguments, or None.

    Beside those of `BUILT_IN` there are "hidden" and "logprobs", of the embedded model, which
    are imported here: they need other packages.

    Raises:
        ImportError: in one line that names the extra, when those are not installed.
    """
    if name not in _LATE:
        return BUILT_IN.get(name)
    from tscale_graph.verifiers.process import policy

    return getattr(policy, _LATE[name])()


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
    only_scores: ClassVar[bool] = True

    classifier: StepClassifier
    featurizers: tuple[Featurizer, ...]
    splitter: StepSplitter
    aggregate: Aggregate
    card: ModelCard

    def __call__(self, question: str, answer: str) -> Verdict:
        """The scores of the steps, and what they come to; no step is worth 0."""
        return self.verdicts([(question, answer)])[0]

    def verdicts(self, solutions: Sequence[tuple[str, str]]) -> list[Verdict]:
        """The same of many pairs of a question and a solution; embeddings of all are one call."""
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
        made = features_of_many(self.featurizers, [one for one in solutions if one[1]])
        if not made:
            return [((), [])] * len(solutions)
        ends = np.cumsum([len(matrix) for matrix, _ in made])[:-1]
        scores = np.split(self.classifier(np.concatenate([matrix for matrix, _ in made])), ends)
        told = zip(scores, made, strict=True)
        scored = iter([(tuple(map(float, each)), notes) for each, (_, notes) in told])
        return [next(scored) if steps else ((), []) for _, steps in solutions]

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
        folder: str | os.PathLike[str] | None = None,
        *,
        featurizers: Sequence[Featurizer] = (),
        aggregate: Aggregate | None = None,
    ) -> ProcessRewardModel:
        """Read a model that was saved.

        Args:
            folder: where it is; None for the one that comes with the package.
            featurizers: those of the user's that it was trained with.
            aggregate: instead of the card's.

        Raises:
            ValueError: in one line, when it is none, damaged, of another format, or was trained
                with featurizers that are not given.
            OSError: when it cannot be read.
            ImportError: in one line, when a featurizer needs a package that is not installed.
        """
        folder = SHIPPED if folder is None else folder
        classifier, card = load_classifier(folder)
        given = {one.name: one for one in featurizers}
        chosen: list[Featurizer] = []
        for name in card.featurizers:
            one = given[name] if name in given else built_in(name)
            if one is None:
                raise ValueError(f"{folder} needs the featurizer {name!r}: give featurizers=[…]")
            chosen.append(one)
        if column_names(chosen) != classifier.columns:
            raise ValueError(f"{folder} was trained on other features than its featurizers give")
        return cls(
            classifier,
            tuple(chosen),
            step_splitter(card.steps),
            check_aggregate(aggregate or card.aggregate),
            card,
        )
