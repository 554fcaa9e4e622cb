"""Learning what tells hard questions from easy ones, and whether anything does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tscale_graph.difficulty import FEATURES, ClassDifficulty, Difficulty, Signals, Slope
from tscale_graph.recordings.records import RecordedQuestion, playing_order
from tscale_graph.recordings.simulating import Deck, prepare
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning.measured import Floats
from tscale_graph.tuning.priors import class_prior
from tscale_graph.tuning.promises import in_folds

_RIDGE = (3.0, 10.0, 30.0, 100.0)
"""Questions that a slope of 0 is worth."""
_HALF = 0.5
_ERRORS = 2.0
"""Standard errors by which a predictor must beat the class's prior on questions it has not seen."""
_FEWEST = 20


def fit_difficulty(
    questions: Mapping[str, Sequence[RecordedQuestion]],
    *,
    probe: int = 2,
    folds: int = 5,
    seed: int = 0,
) -> Difficulty:
    """A predictor for each class, from recorded samples with known right answers.

    A ridge regression of the log-odds of a right sample on the features, a class at a time. On
    questions that took no part it must beat the class's own prior in the likelihood of their
    samples by more than two standard errors; otherwise it is switched off, and a note says so.

    Args:
        questions: of each class, with their samples.
        probe: samples that the features are taken from, at least 1; the others tell the truth.
        folds: of the cross-validation, at least 2.
        seed: of the folds, and of which samples are the probe.

    Raises:
        ValueError: for numbers that are too small, or a class without questions.
    """
    if probe < 1:
        raise ValueError(f"probe must be at least 1, got {probe}")
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    classes: dict[str, ClassDifficulty] = {}
    notes: list[str] = []
    for name, asked in questions.items():
        if not asked:
            raise ValueError(f"class {name!r} must have at least one question, got none")
        classes[name], note = _fit_class(name, asked, probe, folds, seed)
        notes.append(f"{name}: {note}")
    return Difficulty(classes=classes, notes=tuple(notes))


@dataclass(frozen=True)
class _Table:
    """Questions of a class: (n, f) features, (n,) right ones of (n,) other samples."""

    names: tuple[str, ...]
    features: Floats
    right: Floats
    samples: Floats

    @classmethod
    def of(cls, name: str, asked: Sequence[RecordedQuestion], probe: int, seed: int) -> _Table:
        rows: list[dict[str, float]] = []
        right: list[int] = []
        samples: list[int] = []
        for question in asked:
            order = playing_order(question, seed=seed)
            seen = [question.samples[k] for k in order[:probe]]
            rest = [question.samples[k] for k in order[probe:]]
            signals = Signals.of(
                question.question,
                name,
                output_tokens=[one.output_tokens for one in seen],
                logprobs=[one.mean_logprob for one in seen],
            )
            rows.append(signals.features())
            right.append(sum(one.correct for one in rest))
            samples.append(len(rest))
        names = tuple(one for one in FEATURES if all(one in row for row in rows))
        values = np.array([[row[one] for one in names] for row in rows])
        names_kept = [k for k in range(len(names)) if values[:, k].std() > 0]
        return cls(
            tuple(names[k] for k in names_kept),
            values[:, names_kept],
            np.array(right, dtype=float),
            np.array(samples, dtype=float),
        )

    def only(self, rows: NDArray[np.intp]) -> _Table:
        return _Table(self.names, self.features[rows], self.right[rows], self.samples[rows])


def _fit_class(
    name: str, asked: Sequence[RecordedQuestion], probe: int, folds: int, seed: int
) -> tuple[ClassDifficulty, str]:
    table = _Table.of(name, asked, probe, seed)
    decks = [prepare(question) for question in asked]
    whole = class_prior(decks)
    plain = _with_slopes(whole, {})
    if len(asked) < _FEWEST or not table.names:
        return plain, "too few questions, or nothing that tells them apart: the class's prior"
    of = in_folds([name] * len(asked), folds=folds, rng=np.random.default_rng(seed))
    gains = _gains(decks, table, np.array(of, dtype=np.intp))
    best = max(gains, key=lambda ridge: float(gains[ridge].mean()))
    gain = float(gains[best].mean())
    error = float(gains[best].std(ddof=1)) / len(asked) ** 0.5
    told = f"{gain:+.3f} nats a question on others (standard error {error:.3f})"
    if gain <= _ERRORS * error:
        return plain, f"{told}: not believed, the class's prior stands"
    return _with_slopes(whole, _slopes(table, best)), told


def _gains(decks: Sequence[Deck], table: _Table, of: NDArray[np.intp]) -> dict[float, Floats]:
    """(n,) what each ridge gains in log-likelihood on questions that took no part, by ridge."""
    gains = {ridge: np.zeros(len(decks)) for ridge in _RIDGE}
    for fold in range(int(of.max()) + 1):
        held: NDArray[np.intp] = np.flatnonzero(of == fold)
        others: NDArray[np.intp] = np.flatnonzero(of != fold)
        prior = class_prior([deck for deck, place in zip(decks, of, strict=True) if place != fold])
        part = table.only(held)
        base = _likelihood(_with_slopes(prior, {}), part)
        for ridge in _RIDGE:
            fitted = _with_slopes(prior, _slopes(table.only(others), ridge))
            gains[ridge][held] = _likelihood(fitted, part) - base
    return gains


def _slopes(table: _Table, ridge: float) -> dict[str, Slope]:
    """Ridge regression of the log-odds on standardised features."""
    mean, deviation = table.features.mean(axis=0), table.features.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled: Floats = (table.features - mean) / deviation
    odds: Floats = np.log((table.right + _HALF) / (table.samples - table.right + _HALF))
    gram: Floats = scaled.T @ scaled + ridge * np.eye(scaled.shape[1])
    weights: Floats = np.asarray(np.linalg.inv(gram) @ scaled.T @ (odds - odds.mean()))
    return {
        name: Slope(mean=float(mean[k]), deviation=float(deviation[k]), weight=float(weights[k]))
        for k, name in enumerate(table.names)
    }


def _with_slopes(prior: AnswerPrior, slopes: Mapping[str, Slope]) -> ClassDifficulty:
    given = {"a": prior.a, "b": prior.b, "gamma": prior.gamma}
    return ClassDifficulty.model_validate({**given, "slopes": dict(slopes)})


def _likelihood(fitted: ClassDifficulty, table: _Table) -> Floats:
    """(n,) the log-likelihood of the right ones among the samples: beta-binomial."""
    found: list[float] = []
    for row, right, samples in zip(table.features, table.right, table.samples, strict=True):
        prior = fitted.prior(dict(zip(table.names, row, strict=True)))
        found.append(prior.log_chance(int(right), int(samples)))
    return np.array(found)
