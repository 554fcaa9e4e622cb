"""What tells hard questions from easy ones: learnt where it is there, and left alone elsewhere."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings.made_up import question
from tscale_graph import batch
from tscale_graph.difficulty import FEATURES, ClassDifficulty, Difficulty, Signals, Slope
from tscale_graph.models.replay import ReplayModel
from tscale_graph.tuning import fit_difficulty

reals = st.floats(-1e3, 1e3)
slopes = st.builds(Slope, mean=reals, deviation=st.floats(1e-3, 1e3), weight=st.floats(-5, 5))
shapes = st.floats(1e-2, 1e2)
of_classes = st.builds(
    ClassDifficulty, a=shapes, b=shapes, gamma=shapes,
    slopes=st.dictionaries(st.sampled_from(FEATURES), slopes),
)  # fmt: skip


def asked(count, *, told, seed=0):
    """Questions that are easy or hard; long samples go with hard ones where that is told."""
    rng = random.Random(seed)
    found = []
    for k in range(count):
        hard = rng.random() < 0.5
        digits = "".join("3" if rng.random() < (0.15 if hard else 0.85) else "1" for _ in range(12))
        one = question(f"q{k:04}", digits)
        long = hard if told else rng.random() < 0.5
        samples = tuple(
            sample.model_copy(update={"output_tokens": rng.randint(80, 120) if long else 20})
            for sample in one.samples
        )
        found.append(one.model_copy(update={"samples": samples}))
    return found


def chance(prior):
    return prior.a / (prior.a + prior.b)


def test_long_samples_tell_of_hard_questions_where_they_do():
    fitted = fit_difficulty({"told": asked(120, told=True)})
    short, long = (
        chance(fitted(Signals("How many q0000?", "told", output_tokens=tokens)))
        for tokens in (20, 100)
    )
    assert short > 0.7
    assert long < 0.3
    assert "nats" in fitted.notes[0]
    assert "not believed" not in fitted.notes[0]


def test_what_tells_nothing_is_rarely_believed_and_then_little():
    moved = []
    for seed in range(12):
        fitted = fit_difficulty({"any": asked(60, told=False, seed=seed)})
        weights = [slope.weight for slope in fitted.classes["any"].slopes.values()]
        moved.append(max(map(abs, weights), default=0.0))
    assert sum(each > 0 for each in moved) <= 4
    assert max(moved) < 1.0


def test_with_few_questions_the_class_stands_alone():
    fitted = fit_difficulty({"few": asked(12, told=True)})
    assert fitted.classes["few"].slopes == {}
    assert "too few questions" in fitted.notes[0]


def test_the_same_questions_give_the_same_predictor():
    questions = {"told": asked(40, told=True)}
    assert fit_difficulty(questions) == fit_difficulty(questions)


@given(of_classes, st.dictionaries(st.sampled_from(FEATURES), reals))
def test_whatever_the_features_the_prior_is_one(known, features):
    prior = known.prior(features)
    assert prior.a > 0
    assert prior.b > 0
    assert math.isfinite(prior.a + prior.b)
    assert prior.gamma == known.gamma


@given(shapes, shapes, slopes, reals, reals)
def test_a_question_is_easier_the_farther_along_the_slope(a, b, slope, one, other):
    known = ClassDifficulty(a=a, b=b, gamma=1.0, slopes={"output": slope})
    low, high = sorted((one, other), key=lambda value: value * slope.weight)
    # Rounding keeps the order of a and of b apart, so of their ratio too.
    assert chance(known.prior({"output": low})) <= chance(known.prior({"output": high})) + 1e-9


@given(of_classes)
def test_unknown_features_leave_what_the_class_says(known):
    plain = ClassDifficulty(a=known.a, b=known.b, gamma=known.gamma)
    assert known.prior({}) == plain.prior({})


def test_it_is_saved_and_read_again(tmp_path):
    fitted = fit_difficulty({"told": asked(60, told=True)})
    fitted.save(tmp_path / "difficulty.json")
    assert Difficulty.load(tmp_path / "difficulty.json") == fitted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "should be an object"),
        ("{", "Invalid JSON"),
        ('{"classes": {"a": {"a": -1, "b": 1, "gamma": 1}}}', "classes.a.a: "),
        ('{"classes": {}, "version": 2}', "version: "),
        ('{"classes": {}, "more": 2}', "more: "),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, text, told):
    path = tmp_path / "difficulty.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"difficulty\.json") as caught:
        Difficulty.load(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "told"), [({"probe": 0}, "probe"), ({"folds": 1}, "folds"), ({}, "at least one")]
)
def test_wrong_arguments_are_told(given_, told):
    with pytest.raises(ValueError, match=told):
        fit_difficulty({"a": [] if not given_ else asked(3, told=True)}, **given_)


def test_a_batch_asks_it_and_leaves_alone_what_looks_hopeless():
    recorded = [question("brief", "31243124" * 3), question("wordy", "31243124" * 3)]
    long = tuple(one.model_copy(update={"output_tokens": 60}) for one in recorded[1].samples)
    recorded[1] = recorded[1].model_copy(update={"samples": long})

    def calls(weight):
        slope = Slope(mean=3.0, deviation=0.5, weight=weight)
        known = ClassDifficulty(a=2.0, b=2.0, gamma=1.0, slopes={"output": slope})
        results = batch(
            [one.question for one in recorded], budget={"tokens": 1_500}, answer="number",
            model=ReplayModel(questions=tuple(recorded)), max_parallel=1,
            max_samples=24, max_output_tokens=80, prior=Difficulty(classes={"all": known}),
        )  # fmt: skip
        return [result.usage.calls for result in results]

    brief, wordy = zip(calls(-4.0), calls(4.0), strict=True)
    assert wordy[0] < wordy[1] / 2
    assert brief[0] > brief[1]
