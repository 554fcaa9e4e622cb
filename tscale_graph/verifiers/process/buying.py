"""What a process reward model buys: the accuracy of each way to choose among N samples.

Every figure is the mean over all ways to draw N of the recorded samples of a question, exactly
where `estimators` has it, else over many random ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.estimators import best_of_n_at_k, majority_at_k, pass_at_k
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.verifiers.process.classifier import Floats
from tscale_graph.verifiers.process.comparing import Comparison, compared
from tscale_graph.verifiers.process.datasets import family_of
from tscale_graph.verifiers.process.metrics import Measured
from tscale_graph.verifiers.process.model import ProcessRewardModel

SINGLE, MAJORITY, BEST, WEIGHTED, LOGPROB, ORACLE = (
    "one sample", "majority", "best by PRM", "weighted by PRM", "best by log-probability", "oracle",
)  # fmt: skip
_LEVEL = 0.005


@dataclass(frozen=True, slots=True)
class ScoredSamples:
    """The samples of one question, as ways to choose see them.

    Attributes:
        family: of the question.
        answers: [samples] in their canonical form; None casts no vote.
        right: [samples].
        scores: [samples] by the model, in [0, 1].
        logprobs: [samples] mean log-probabilities, or None where any is not known.
        last_least: [samples] the last of the steps scores least; None where there is one step.
        output_tokens: [samples].
    """

    family: str
    answers: tuple[str | None, ...]
    right: tuple[bool, ...]
    scores: tuple[float, ...]
    logprobs: tuple[float, ...] | None
    last_least: tuple[bool | None, ...]
    output_tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bought:
    """What each way to choose is worth.

    Attributes:
        group: which questions: a family, or "all".
        questions: how many.
        counts: N, ascending.
        curves: the share of right answers by way and N, with the bootstrap over questions.
        comparisons: of each way but majority with majority, by N: paired differences, Holm's
            correction over the N of that way.
        most: the N from which the lower bound of best-of-N by the model rises no more: the least
            whose bound is within half a percentage point of the highest.
        last_least: the share of solutions of several steps whose last step scores least: near 1 it
            judges outcomes, not processes. None without such solutions.
        tokens_per_sample: mean output tokens of one; the model itself costs none.
    """

    group: str
    questions: int
    counts: tuple[int, ...]
    curves: Mapping[str, tuple[Measured, ...]]
    comparisons: Mapping[str, tuple[Comparison, ...]]
    most: int
    last_least: float | None
    tokens_per_sample: float


def scored_samples(
    model: ProcessRewardModel, recorded: Sequence[RecordedQuestion]
) -> list[ScoredSamples]:
    """Score the samples of each question, each distinct text once."""
    return [_scored(model, one) for one in recorded if one.samples]


def bought(
    samples: Sequence[ScoredSamples],
    *,
    group: str = "all",
    draws: int = 500,
    resamples: int = 10_000,
    seed: int = 0,
) -> Bought:
    """Measure each way to choose, for N = 1, 2, 4, … up to what every question has.

    Args:
        samples: of each question, at least one question.
        group: what they are called.
        draws: of N samples, where there is no exact figure.
        resamples: of the bootstrap over questions.
        seed: of both.

    Raises:
        ValueError: without questions, or when one has no sample.
    """
    fewest = min((len(one.right) for one in samples), default=0)
    if not fewest:
        raise ValueError("every question must have a sample, and there must be one, got none")
    counts = tuple(1 << k for k in range(fewest.bit_length()))
    ways = [SINGLE, MAJORITY, WEIGHTED, BEST, ORACLE]
    if all(one.logprobs is not None for one in samples):
        ways.insert(4, LOGPROB)
    values: dict[str, Floats] = {way: np.zeros((len(counts), len(samples))) for way in ways}
    for place, one in enumerate(samples):
        rng = np.random.default_rng((seed, place))
        weighted = weighted_votes(one, counts, draws=draws, rng=rng)
        for row, count in enumerate(counts):
            values[WEIGHTED][row, place] = weighted[row]
            for way in ways:
                if way != WEIGHTED:
                    values[way][row, place] = _exact(way, one, count)
    curves, comparisons = compared(
        values, against=MAJORITY, resamples=resamples, rng=np.random.default_rng(seed)
    )
    least = [told for one in samples for told in one.last_least if told is not None]
    lows = [measured.low for measured in curves[BEST]]
    return Bought(
        group=group,
        questions=len(samples),
        counts=counts,
        curves=curves,
        comparisons=comparisons,
        most=next(n for n, low in zip(counts, lows, strict=True) if low >= max(lows) - _LEVEL),
        last_least=sum(least) / len(least) if least else None,
        tokens_per_sample=float(np.mean([np.mean(one.output_tokens) for one in samples])),
    )


def bought_by_families(
    samples: Sequence[ScoredSamples], *, draws: int = 500, resamples: int = 10_000, seed: int = 0
) -> list[Bought]:
    """`bought` of all questions, then of each family where there are several."""
    families = sorted({one.family for one in samples})
    groups = [("all", list(samples))]
    if len(families) > 1:
        groups += [(f or "other", [one for one in samples if one.family == f]) for f in families]
    return [
        bought(of, group=name, draws=draws, resamples=resamples, seed=seed) for name, of in groups
    ]


def weighted_votes(
    one: ScoredSamples, counts: Sequence[int], *, draws: int, rng: np.random.Generator
) -> list[float]:
    """The chance that the answer with the largest sum of scores is right, for each count.

    Ties are drawn at random; a draw of samples without any answer is wrong. All counts see the
    beginnings of the same orders; of all samples there is one draw.

    Args:
        one: the samples.
        counts: of samples drawn, each at most all of them.
        draws: random orders.
        rng: of them.
    """
    names = sorted({answer for answer in one.answers if answer is not None})
    if not names:
        return [0.0] * len(counts)
    total = len(one.answers)
    votes = np.array([[float(a == name) for name in names] for a in one.answers])
    right = votes.T @ np.array(one.right, dtype=np.float64) / votes.sum(axis=0)
    places = rng.permuted(np.tile(np.arange(total), (draws, 1)), axis=1).argsort(axis=1)
    found: list[float] = []
    for count in counts:
        if count == 1:
            silent = [answer is None for answer in one.answers]
            voting = [r and not s for r, s in zip(one.right, silent, strict=True)]
            found.append(sum(voting) / total)
            continue
        chosen = (places[: 1 if count == total else draws] < count).astype(np.float64)
        present = chosen @ votes > 0
        sums = np.where(present, chosen @ (votes * np.array(one.scores)[:, None]), -1.0)
        best = present & (sums >= sums.max(axis=1, keepdims=True) - 1e-9)
        chances: Floats = (best @ right) / np.maximum(best.sum(axis=1), 1)
        found.append(float(chances.mean()))
    return found


def _exact(way: str, one: ScoredSamples, count: int) -> float:
    total, right = len(one.right), sum(one.right)
    if way == SINGLE:
        return right / total
    if way == ORACLE:
        return pass_at_k(total, right, k=count)
    if way == MAJORITY:
        return _majority(one, count)
    scores = one.scores if way == BEST else one.logprobs or ()
    return best_of_n_at_k(scores, one.right, k=count)


def _majority(one: ScoredSamples, count: int) -> float:
    """Exactly where one answer is right; by drawing where several are."""
    pairs = {(a, r) for a, r in zip(one.answers, one.right, strict=True) if a is not None}
    good, bad = ({a for a, r in pairs if r is kind} for kind in (True, False))
    if len(good) > 1 or good & bad:
        even = ScoredSamples(
            one.family, one.answers, one.right, (1.0,) * len(one.answers), None, (), ()
        )
        rng = np.random.default_rng(count)
        return weighted_votes(even, [count], draws=500, rng=rng)[0]
    wrong = [one.answers.count(answer) for answer in bad]
    right = one.answers.count(next(iter(good))) if good else 0
    silent = sum(answer is None for answer in one.answers)
    return majority_at_k(right, wrong, k=count, silent=silent)


def _scored(model: ProcessRewardModel, recorded: RecordedQuestion) -> ScoredSamples:
    texts = list(dict.fromkeys(sample.text for sample in recorded.samples))
    verdicts = dict(
        zip(texts, model.verdicts([(recorded.question, t) for t in texts]), strict=True)
    )
    kind = _kind(recorded)
    logprobs = [sample.mean_logprob for sample in recorded.samples]
    known = [value for value in logprobs if value is not None]
    return ScoredSamples(
        family=family_of(recorded.id),
        answers=tuple(
            None if s.answer is None else kind.key(s.answer) if kind else s.answer.strip()
            for s in recorded.samples
        ),
        right=tuple(sample.correct for sample in recorded.samples),
        scores=tuple(verdicts[sample.text].score for sample in recorded.samples),
        logprobs=tuple(known) if len(known) == len(logprobs) else None,
        last_least=tuple(
            _last_least(verdicts[sample.text].step_scores or ()) for sample in recorded.samples
        ),
        output_tokens=tuple(sample.output_tokens for sample in recorded.samples),
    )


def _last_least(scores: Sequence[float]) -> bool | None:
    return scores[-1] < min(scores[:-1]) if len(scores) > 1 else None


def _kind(recorded: RecordedQuestion) -> AnswerKind | None:
    try:
        return answer_kind(recorded.kind)
    except (ValueError, ImportError):
        return None  # answers read by somebody's own function: as they are written
