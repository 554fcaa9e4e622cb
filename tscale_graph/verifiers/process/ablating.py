"""What a process reward model owes to each thing that it knows: models that know less.

All are fitted in the same way to the same questions and measured on the same others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tscale_graph.verifiers.process.classifier import Calibration, Linear, StepClassifier
from tscale_graph.verifiers.process.datasets import (
    LabelledQuestion,
    labelled_steps,
    with_featurizers,
)
from tscale_graph.verifiers.process.evaluating import StepEvaluation, evaluate_steps
from tscale_graph.verifiers.process.features import Featurizer
from tscale_graph.verifiers.process.fitting import KINDS, Kind, LabelledSteps, fit, splits
from tscale_graph.verifiers.process.metrics import Measured
from tscale_graph.verifiers.process.model import BUILT_IN, ProcessRewardModel

CALIBRATE = 0.2
"""The share of questions that are kept to calibrate on."""
SHARES = (0.125, 0.25, 0.5)
"""Of the questions to learn from, for the curve of training sizes."""
FEWEST_QUESTIONS = 10
SHUFFLES = 20


@dataclass(frozen=True, slots=True)
class Ablation:
    """A model that knows less, measured on held-out questions.

    Attributes:
        name: what it knows, or what was done to it.
        questions: how many it learnt from.
        auc: of steps; None where all are of one kind, as for the other two.
        before_last: of the steps before the last one.
        solution_auc: of whole solutions.
        brier: of steps.
    """

    name: str
    questions: int
    auc: Measured | None
    before_last: Measured | None
    solution_auc: Measured | None
    brier: Measured


def ablations(
    model: ProcessRewardModel,
    train: Sequence[LabelledQuestion],
    test: Sequence[LabelledQuestion],
    *,
    featurizers: Sequence[Featurizer] = (),
    draws: int = 300,
    seed: int = 0,
) -> list[Ablation]:
    """Fit and measure models of the same kind that know less.

    Each featurizer alone and all without it, the labels shuffled, fewer questions to learn from,
    the steps of the held-out solutions but the last one in another order, and a model that says
    the same of everything. The first of the list knows all that the model does.

    Args:
        model: whose kind, steps and aggregate are used.
        train: questions to learn from; those of the model's own training are fine.
        test: other questions.
        featurizers: to try besides the built-in ones and the model's own.
        draws: of the bootstrap.
        seed: of the splits, shuffles, trees and draws.

    Raises:
        ValueError: in one line, for too few questions, one that is in both parts, or a featurizer
            that the card names and nobody has.
    """
    if shared := {one.key for one in train} & {one.key for one in test}:
        raise ValueError(f"{len(shared)} questions are there both to train and to evaluate on")
    if len(train) < FEWEST_QUESTIONS:
        raise ValueError(f"ablations need at least {FEWEST_QUESTIONS} questions, got {len(train)}")
    own, given = ({one.name: one for one in each} for each in (model.featurizers, featurizers))
    named = BUILT_IN | own | given
    full = model.card.featurizers
    if missing := [name for name in full if name not in named]:
        raise ValueError(f"the model needs the featurizer {missing[0]!r}: give featurizers=[…]")
    known = tuple(named.values())
    bench = _Bench(model, train, test, known, draws, seed)
    found = [bench.measured("all that the model knows", full)]
    names = [one.name for one in known]
    found += [bench.measured(f"{name} alone", (name,)) for name in names]
    if len(full) > 1:
        found += [
            bench.measured(f"without {name}", tuple(other for other in full if other != name))
            for name in full
        ]
    found.append(bench.constant())
    found.append(bench.shuffled(full))
    for share in SHARES:
        found.append(bench.measured(f"{100 * share:g} % of the questions", full, share=share))
    found.append(bench.permuted(full))
    return found


def in_another_order(question: LabelledQuestion, *, rng: np.random.Generator) -> LabelledQuestion:
    """The steps of each solution in a random order, every one with its own label.

    The last one stays where it is: it is labelled by the outcome, the others by completions. The
    first wrong step is then the first of those that are from the first wrong one on.
    """
    solutions = list(question.solutions)
    first_wrong = list(question.first_wrong)
    for place, solution in enumerate(solutions):
        last = len(solution.steps) - 1
        order: list[int] = [*rng.permutation(last).tolist(), last]
        solutions[place] = replace(
            solution,
            steps=tuple(solution.steps[k] for k in order),
            labels=tuple(solution.labels[k] for k in order),
        )
        wrong = first_wrong[place]
        if wrong is not None:
            first_wrong[place] = next(at for at, k in enumerate(order) if k >= wrong)
    return replace(question, solutions=tuple(solutions), first_wrong=tuple(first_wrong))


class _Bench:
    """Fits on one set of questions and measures on the other."""

    def __init__(
        self,
        model: ProcessRewardModel,
        train: Sequence[LabelledQuestion],
        test: Sequence[LabelledQuestion],
        known: tuple[Featurizer, ...],
        draws: int,
        seed: int,
    ) -> None:
        self._model, self._test, self._known = model, test, known
        self._draws, self._seed = draws, seed
        self._steps = labelled_steps(train, known)
        kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
        self._kind: Kind = kinds.get(model.card.kind, KINDS[-1])

    def measured(self, name: str, names: tuple[str, ...], *, share: float = 1.0) -> Ablation:
        model, questions = self._fitted(self._steps, names, share)
        return _ablation(name, questions, self._evaluated(model, self._test))

    def shuffled(self, names: tuple[str, ...]) -> Ablation:
        """Several models of labels that were shuffled: their mean, and where 95 % of them lie.

        One of them ranks steps in some order, which may by chance be far from no order at all.
        """
        told: list[StepEvaluation] = []
        questions = 0
        for seed in range(SHUFFLES):
            order = np.random.default_rng((self._seed, seed)).permutation(len(self._steps.values))
            values, weights = self._steps.values[order], self._steps.weights[order]
            steps = replace(self._steps, values=values, weights=weights)
            model, questions = self._fitted(steps, names, 1.0)
            told.append(evaluate_steps(model, self._test, draws=20, seed=seed))
        return Ablation(
            "labels shuffled",
            questions,
            _spread([one.auc for one in told]),
            _spread([one.before_last for one in told]),
            _spread([one.solution_auc for one in told]),
            _spread([one.brier for one in told]) or told[0].brier,
        )

    def constant(self) -> Ablation:
        """A model that knows nothing but how often steps are right."""
        count = len(self._steps.columns)
        share = float(np.average(self._steps.values, weights=self._steps.weights))
        classifier = StepClassifier(
            self._steps.columns,
            np.zeros(count),
            np.ones(count),
            (Linear(np.zeros(count), 0.0),),
            Calibration(np.zeros(1), np.array([share])),
        )
        questions = len(set(self._steps.questions))
        model = replace(self._model, classifier=classifier, featurizers=self._known)
        return _ablation("always the same", questions, self._evaluated(model, self._test))

    def permuted(self, names: tuple[str, ...]) -> Ablation:
        """Measured on steps in another order."""
        rng = np.random.default_rng(self._seed)
        model, questions = self._fitted(self._steps, names, 1.0)
        mixed = [in_another_order(one, rng=rng) for one in self._test]
        return _ablation("steps in another order", questions, self._evaluated(model, mixed))

    def _fitted(
        self, steps: LabelledSteps, names: tuple[str, ...], share: float
    ) -> tuple[ProcessRewardModel, int]:
        rows = with_featurizers(steps, names)
        calibrate, rest = splits(rows.questions, (CALIBRATE, 1 - CALIBRATE), seed=self._seed)
        (kept,) = splits(sorted(rest), (share,), seed=self._seed + 1)
        classifier = fit(rows.of(kept), rows.of(calibrate), kind=self._kind, seed=self._seed)
        chosen = tuple(one for one in self._known if one.name in names)
        return replace(self._model, classifier=classifier, featurizers=chosen), len(kept)

    def _evaluated(
        self, model: ProcessRewardModel, test: Sequence[LabelledQuestion]
    ) -> StepEvaluation:
        return evaluate_steps(model, test, draws=self._draws, seed=self._seed)


def _ablation(name: str, questions: int, told: StepEvaluation) -> Ablation:
    return Ablation(name, questions, told.auc, told.before_last, told.solution_auc, told.brier)


def _spread(measured: Sequence[Measured | None]) -> Measured | None:
    values = [one.value for one in measured if one is not None]
    if not values:
        return None
    low, high = np.quantile(values, (0.025, 0.975))
    return Measured(float(np.mean(values)), float(low), float(high))
