"""The process reward model that ships with the package, on questions that it has never seen."""

import gzip
import json
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.benchmarks.process_rewards.families import FAMILIES, problems
from tests.benchmarks.process_rewards.make import DATA, REPORT, figures
from tests.benchmarks.process_rewards.truth import truth
from tscale_graph.recordings.files import read_recording
from tscale_graph.verifiers import named_verifier
from tscale_graph.verifiers.process.buying import MAJORITY, WEIGHTED, bought, scored_samples
from tscale_graph.verifiers.process.evaluating import evaluate_steps, held_out, held_out_labels
from tscale_graph.verifiers.process.model import SHIPPED, ProcessRewardModel
from tscale_graph.verifiers.process.training import train

LEARNT = [family.name for family in FAMILIES if family.train]
MODEL = ProcessRewardModel.load()


@cache
def steps_of(family):
    recorded = list(read_recording(DATA / f"{family}-test-labels.jsonl.gz", rollouts=True))
    return held_out_labels(MODEL, held_out(MODEL, recorded)[0])


@cache
def bought_on(family):
    recorded = list(read_recording(DATA / f"{family}-samples.jsonl.gz"))
    kept, left_out = held_out(MODEL, recorded)
    assert (len(kept), left_out) == (50, 0)
    return bought(scored_samples(MODEL, kept), draws=200, resamples=4_000)


def gain(family, samples):
    """Percentage points of the weighted vote above majority, with the interval."""
    told = bought_on(family)
    return told.comparisons[WEIGHTED][told.counts.index(samples)].difference


def test_it_is_small_and_says_what_it_is():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 2_000_000
    card = MODEL.card
    assert card.policy == "SmolLM2-135M-Instruct"
    assert date.fromisoformat(card.created)
    assert card.metrics["auc"] > 0.8
    assert named_verifier("prm").card == card


def test_no_question_of_a_test_had_a_part_in_its_training():
    for family in FAMILIES:
        for problem in problems(family)[2]:
            assert problem.question not in MODEL.card.seen
    assert all(len(steps_of(family.name)) == 50 for family in FAMILIES)


def test_it_tells_right_steps_from_wrong_ones_and_means_what_it_says():
    told = [evaluate_steps(MODEL, steps_of(family), draws=50) for family in LEARNT]
    assert sum(one.auc.value >= 0.8 for one in told) >= 2
    everything = [question for family in LEARNT for question in steps_of(family)]
    assert evaluate_steps(MODEL, everything, draws=50).calibration_error.value <= 0.08


@pytest.mark.parametrize("family", [*LEARNT, "sums"])
def test_what_is_true_ranks_above_what_is_not(family):
    assert evaluate_steps(MODEL, steps_of(family), truth=truth, draws=50).auc.value > 0.9


def test_a_weighted_vote_of_16_beats_majority_on_two_families_and_is_never_much_worse():
    gains = [gain(family, 16) for family in LEARNT]
    assert sum(one.low > 0 for one in gains) >= 2
    assert all(one.value > -0.02 for one in [*gains, gain("sums", 16)])
    for family in LEARNT:
        told = bought_on(family)
        assert told.curves[MAJORITY][0].value == pytest.approx(told.curves[WEIGHTED][0].value)


def test_its_report_is_of_this_model():
    told = json.loads((REPORT / "report.json").read_text())
    assert told["card"] == MODEL.card.model_dump(mode="json")


def test_the_manual_shows_the_figures_of_the_report():
    manual = (Path(__file__).parents[3] / "docs" / "process-rewards.md").read_text()
    assert figures() in manual


@pytest.mark.slow
def test_training_again_on_what_was_kept_makes_the_same_model():
    recorded = [
        question
        for family in LEARNT
        for question in read_recording(DATA / f"{family}-train-labels.jsonl.gz", rollouts=True)
    ]
    kind = MODEL.card.kind
    again = train(recorded, created=MODEL.card.created, kind=kind).model
    assert again.card.parts == MODEL.card.parts
    assert (again.card.featurizers, again.aggregate) == (MODEL.card.featurizers, MODEL.aggregate)
    pairs = [(one.asked, s.steps) for one in steps_of("equations") for s in one.solutions]
    for old, new in zip(MODEL.step_scores(pairs), again.step_scores(pairs), strict=True):
        assert old == pytest.approx(new, abs=0.05)


def test_the_samples_that_were_kept_are_packed_as_one():
    for path in DATA.glob("*.gz"):
        assert path.stat().st_size < 150_000
        with gzip.open(path, "rt") as file:
            assert json.loads(file.readline())["id"]
