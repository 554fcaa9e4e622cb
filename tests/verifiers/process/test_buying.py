"""What a model buys: against every subset of the samples, one by one."""

from collections import defaultdict
from itertools import combinations
from math import comb

import numpy as np
import pytest

from tests.verifiers.process.knowing import scored_by
from tests.verifiers.process.simulated import recorded_questions, truth
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.verifiers.process.buying import (
    BEST,
    LOGPROB,
    MAJORITY,
    ORACLE,
    SINGLE,
    WEIGHTED,
    ScoredSamples,
    bought,
    bought_by_families,
    scored_samples,
    weighted_votes,
)

KNOWS = scored_by(lambda asked, steps: float(truth(asked, steps)[-1]), aggregate="min")


def samples(answers, scores, right=("a",), logprobs=None):
    return ScoredSamples(
        family="",
        answers=tuple(None if one == "-" else one for one in answers),
        right=tuple(one in right for one in answers),
        scores=tuple(scores),
        logprobs=logprobs,
        last_least=(None,) * len(answers),
        output_tokens=(10,) * len(answers),
    )


MIXED = samples(
    "abacb-ca", (0.9, 0.8, 0.2, 0.7, 0.8, 0.5, 0.1, 0.2), logprobs=tuple(-k / 9 for k in range(8))
)
SEVERAL = samples("abcdabb-", (0.5, 0.5, 0.25, 0.5, 1.0, 0.25, 0.5, 1.0), right=("a", "c"))
SILENT = samples("--------", (0.5,) * 8)


def by_all_subsets(one, count, votes):
    """The chance that the answer with most votes is right, ties drawn at random."""
    chances = []
    for chosen in combinations(range(len(one.answers)), count):
        sums = defaultdict(float)
        for k in chosen:
            if one.answers[k] is not None:
                sums[one.answers[k]] += votes[k]
        best = [a for a, total in sums.items() if total >= max(sums.values()) - 1e-9]
        right = {one.answers[k] for k in range(len(one.answers)) if one.right[k]}
        chances.append(sum(a in right for a in best) / len(best) if best else 0.0)
    return np.mean(chances)


def by_best(one, count, scores):
    chances = []
    for chosen in combinations(range(len(scores)), count):
        top = max(scores[k] for k in chosen)
        best = [k for k in chosen if scores[k] == top]
        chances.append(np.mean([one.right[k] for k in best]))
    return np.mean(chances)


@pytest.mark.parametrize("one", [MIXED, SEVERAL, SILENT])
def test_the_weighted_vote_is_that_of_all_subsets(one):
    counts = (1, 2, 4, 8)
    found = weighted_votes(one, counts, draws=20_000, rng=np.random.default_rng(0))
    for count, value in zip(counts, found, strict=True):
        exact = count in (1, 8)
        wanted = by_all_subsets(one, count, one.scores)
        assert value == pytest.approx(wanted, abs=1e-12 if exact else 0.015)


def test_every_other_way_is_exact():
    told = bought([MIXED], resamples=10)
    assert told.counts == (1, 2, 4, 8)
    for row, count in enumerate(told.counts):
        value = {way: points[row].value for way, points in told.curves.items()}
        assert value[SINGLE] == 3 / 8
        assert value[MAJORITY] == pytest.approx(by_all_subsets(MIXED, count, [1] * 8))
        assert value[BEST] == pytest.approx(by_best(MIXED, count, MIXED.scores))
        assert value[LOGPROB] == pytest.approx(by_best(MIXED, count, MIXED.logprobs))
        assert value[ORACLE] == pytest.approx(1 - comb(5, count) / comb(8, count))


def test_a_majority_with_several_right_answers_is_that_of_all_subsets():
    told = bought([SEVERAL], resamples=10)
    for row, count in enumerate(told.counts):
        wanted = by_all_subsets(SEVERAL, count, [1] * 8)
        assert told.curves[MAJORITY][row].value == pytest.approx(wanted, abs=0.07)


def test_a_model_that_knows_the_truth_reaches_the_oracle():
    # Two slips may cancel out, so that an answer is right and its steps are not: not here.
    asked = [without_luck(one) for one in recorded_questions(20, samples=32)]
    told = bought(scored_samples(KNOWS, asked), resamples=100)
    for best, oracle in zip(told.curves[BEST], told.curves[ORACLE], strict=True):
        assert best == pytest.approx(oracle)
    for comparison in told.comparisons[WEIGHTED][1:4]:
        assert comparison.difference.low > 0
        assert comparison.p_holm < 0.3


def without_luck(question):
    def of(sample):
        return sample.model_copy(
            update={"correct": all(truth(question.question, sample.text.split("\n")))}
        )

    return question.model_copy(update={"samples": tuple(map(of, question.samples))})


def test_scores_that_are_all_the_same_make_a_majority():
    asked = list(recorded_questions(20, samples=16))
    told = bought(scored_samples(scored_by(lambda asked, steps: 0.5), asked), resamples=100)
    for row, _ in enumerate(told.counts):
        majority = told.curves[MAJORITY][row].value
        assert told.curves[WEIGHTED][row].value == pytest.approx(majority, abs=0.02)
        single = told.curves[SINGLE][row].value
        assert told.curves[BEST][row].value == pytest.approx(single)


def test_best_of_n_that_is_exploited_stops_rising_early():
    right, wrong, trap = "a" * 10, "b" * 21, "c"
    one = samples(right + wrong + trap, [0.8] * 10 + [0.2] * 21 + [1.0])
    told = bought([one] * 10, resamples=50)
    values = [point.value for point in told.curves[BEST]]
    assert values[-1] == 0
    assert told.counts[values.index(max(values))] == told.most < 32


def test_each_distinct_text_is_scored_once():
    asked = []
    model = scored_by(lambda question, steps: asked.append(steps[-1]) or 0.5)
    texts = ["one\ntwo", "one", "one\ntwo", "three", "one"]
    kept = tuple(RecordedSample(text=text, answer="1") for text in texts)
    (one,) = scored_samples(model, [RecordedQuestion(id="q", question="?", samples=kept)])
    assert asked == ["one", "two", "one", "three"]
    assert len(one.scores) == 5
    assert one.logprobs is None
    assert LOGPROB not in bought([one], resamples=5).curves


def test_answers_are_the_same_by_their_kind():
    kept = tuple(RecordedSample(text="x", answer=answer) for answer in ("0.5", "1/2", None))
    asked = RecordedQuestion(id="f-1", question="?", kind="number", samples=kept)
    (one,) = scored_samples(KNOWS_NOTHING, [asked])
    assert one.answers[0] == one.answers[1] is not None
    assert one.answers[2] is None
    own = asked.model_copy(update={"kind": "somebody's own"})
    assert scored_samples(KNOWS_NOTHING, [own])[0].answers == ("0.5", "1/2", None)


KNOWS_NOTHING = scored_by(lambda asked, steps: 0.5)


def test_the_share_of_solutions_whose_last_step_is_the_least():
    scores = {"low": 0.1, "mid": 0.5, "high": 0.9}
    model = scored_by(lambda asked, steps: scores[steps[-1]])
    texts = ("high\nlow", "low\nhigh", "mid\nmid", "low")
    kept = tuple(RecordedSample(text=text, answer="1") for text in texts)
    (one,) = scored_samples(model, [RecordedQuestion(id="q", question="?", samples=kept)])
    assert one.last_least == (True, False, False, None)
    assert bought([one], resamples=5).last_least == pytest.approx(1 / 3)


def test_families_are_told_apart_and_bad_input_is_refused():
    asked = [*recorded_questions(3, samples=4), *recorded_questions(3, samples=4, family="b")]
    told = bought_by_families(scored_samples(KNOWS, asked), resamples=10)
    assert [one.group for one in told] == ["all", "b", "equations"]
    assert [one.questions for one in told] == [6, 3, 3]
    with pytest.raises(ValueError, match="every question must have a sample"):
        bought([])
