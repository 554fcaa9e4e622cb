"""A process reward model: saved, read again, and used as a verifier."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.techniques.searching import ask, told
from tscale_graph import beam_search
from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers import named_verifier
from tscale_graph.verifiers.process.features import Own, column_names, features
from tscale_graph.verifiers.process.fitting import KINDS, LabelledSteps, fit
from tscale_graph.verifiers.process.model import BUILT_IN, ProcessRewardModel
from tscale_graph.verifiers.process.saving import ModelCard

QUESTION = "Tom has 3 apples. He gets 4 more and loses 2. How many has he?"
CARD = ModelCard(
    policy="a made-up one",
    data="sums of small numbers",
    created="2026-11-26",
    steps="line",
    featurizers=tuple(BUILT_IN),
    kind="both",
    labels="known",
    questions=2,
    labelled_steps=2,
    metrics={"auc": 0.5},
)


def sums(seed, count, featurizers):
    """Solutions whose steps are right or wrong additions, and whether all so far were right."""
    rng = np.random.default_rng(seed)
    rows, values, questions = [], [], []
    for place in range(count):
        a, right, steps, known = int(rng.integers(2, 9)), True, [], []
        question = f"Start with {a}."
        for _ in range(int(rng.integers(1, 4))):
            b = int(rng.integers(1, 9))
            wrong = rng.random() < 0.3
            question += f" Add {b}."
            c = a + b + (int(rng.integers(1, 4)) if wrong else 0)
            steps.append(f"{a} + {b} = {c}\n")
            right, a = right and not wrong, c
            known.append(float(right))
        rows.append(features(featurizers, question, steps)[0])
        values += known
        questions += [f"{seed}/{place}"] * len(steps)
    data = np.concatenate(rows), np.array(values), np.ones(len(values)), questions
    return LabelledSteps(column_names(featurizers), *data)


ALL = tuple(BUILT_IN.values())


def trained(kind="both", featurizers=ALL):
    classifier = fit(sums(1, 150, featurizers), sums(2, 80, featurizers), kind=kind)
    card = CARD.model_copy(update={"featurizers": tuple(one.name for one in featurizers)})
    return ProcessRewardModel(classifier, featurizers, step_splitter("line"), "last", card)


MODEL = trained()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_was_saved_scores_the_same(kind, tmp_path):
    model = trained(kind)
    model.save(tmp_path / "prm")
    again = ProcessRewardModel.load(tmp_path / "prm")
    assert again.card == model.card
    solution = "3 + 4 = 7\n7 - 2 = 6\nThe answer is 6."
    assert again(QUESTION, solution) == model(QUESTION, solution)
    named = named_verifier(f"prm:{tmp_path / 'prm'}")
    assert named(QUESTION, solution).step_scores == model(QUESTION, solution).step_scores
    size = sum(file.stat().st_size for file in (tmp_path / "prm").iterdir())
    assert size < 2_000_000


def test_a_wrong_step_and_all_after_it_score_less():
    right = MODEL(QUESTION, "3 + 4 = 7\n7 - 2 = 5\n").step_scores
    wrong = MODEL(QUESTION, "3 + 4 = 9\n9 - 2 = 7\n").step_scores
    assert min(right) > 0.7
    assert max(wrong) < 0.3


@pytest.mark.parametrize("aggregate", ["last", "min", "prod", "mean"])
def test_the_score_is_the_aggregate_of_the_steps(aggregate, tmp_path):
    MODEL.save(tmp_path)
    model = ProcessRewardModel.load(tmp_path, aggregate=aggregate)
    verdict = model(QUESTION, "3 + 4 = 8\n8 - 2 = 6")
    a, b = verdict.step_scores
    assert verdict.score == pytest.approx(
        {"last": b, "min": min(a, b), "prod": a * b, "mean": (a + b) / 2}[aggregate]
    )


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_scores_in_bounds(text):
    verdict = MODEL(QUESTION, text)
    assert all(0 <= score <= 1 for score in (verdict.score, *verdict.step_scores))


@pytest.mark.parametrize("empty", ["", "  \n \n"])
def test_a_solution_without_a_step_is_worth_nothing(empty):
    verdict = MODEL(QUESTION, empty)
    assert (verdict.score, verdict.step_scores) == (0.0, ())
    assert verdict.feedback == "there is no step in the solution"


@pytest.mark.parametrize("steps", [1, 1_000])
def test_each_step_has_a_score(steps):
    solution = "\n".join(f"{k} + 1 = {k + 1}" for k in range(steps))
    assert len(MODEL(QUESTION, solution).step_scores) == steps


def test_many_solutions_at_once_score_as_one_by_one():
    pairs = [(QUESTION, "3 + 4 = 7"), (QUESTION, ""), ("1 + 1?", "1 + 1 = 3\n3 + 1 = 4")]
    assert MODEL.verdicts(pairs) == [MODEL(*pair) for pair in pairs]


def test_a_featurizer_that_fails_is_told_and_the_rest_scores():
    def broken(question, steps):
        raise ConnectionError("gone")

    own = Own("far", lambda question, steps: 1.0)
    model = trained("logistic", (*BUILT_IN.values(), own))
    failing = ProcessRewardModel(
        model.classifier,
        (*BUILT_IN.values(), Own("far", broken)),
        model.splitter,
        model.aggregate,
        model.card,
    )
    verdict = failing(QUESTION, "3 + 4 = 7")
    assert verdict.feedback == "the featurizer far failed: gone"
    assert verdict.score == pytest.approx(model(QUESTION, "3 + 4 = 7").score, abs=0.05)


def test_the_users_featurizer_has_to_be_given_again(tmp_path):
    own = Own("length", lambda question, steps: len(steps[-1]))
    model = trained("logistic", (*BUILT_IN.values(), own))
    model.save(tmp_path)
    with pytest.raises(ValueError, match=r"needs the featurizer 'length': give featurizers=\[…\]"):
        ProcessRewardModel.load(tmp_path)
    again = ProcessRewardModel.load(tmp_path, featurizers=[own])
    assert again(QUESTION, "3 + 4 = 7") == model(QUESTION, "3 + 4 = 7")


def edited(folder, change):
    MODEL.save(folder)
    told = json.loads((folder / "model.json").read_text())
    change(told)
    (folder / "model.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told.update(format=2), "has format 2, this version reads 1"),
        (lambda told: told.pop("format"), "is no process reward model"),
        (lambda told: told.update(sha256="0" * 64), "does not belong to model.json"),
        (lambda told: told["columns"].pop(), "reward model: linear.weights must have"),
        (lambda told: told["card"].pop("policy"), "is no process reward model: 1 validation"),
        (lambda told: told["card"].update(featurizers=["position"]), "trained on other features"),
        (lambda told: told["card"].update(steps="chapter"), "steps must"),
    ],
)
def test_files_that_do_not_match_are_refused_in_one_line(change, words, tmp_path):
    edited(tmp_path, change)
    with pytest.raises(ValueError, match=words) as caught:
        ProcessRewardModel.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_refused(tmp_path):
    MODEL.save(tmp_path)
    weights = tmp_path / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(ValueError, match="or is damaged"):
        ProcessRewardModel.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="prm cannot read"):
        named_verifier(f"prm:{tmp_path}")
    (tmp_path / "model.json").write_text("not JSON")
    with pytest.raises(ValueError, match="is no process reward model"):
        named_verifier(f"prm:{tmp_path}")


async def test_beam_search_goes_on_from_the_steps_that_it_likes():
    def decide(prompt, number):
        so_far = prompt[-1].text
        if "7 - 2" in so_far:
            return "The answer is 5"
        if "3 + 4" in so_far:
            return "7 - 2 = 5"
        return "3 + 4 = 9" if number % 2 else "3 + 4 = 7"

    result = await ask(
        beam_search(told(decide), MODEL, beams=1, width=4, steps="line", answer="number"),
        question=QUESTION,
    )
    assert result.text.splitlines()[:2] == ["3 + 4 = 7", "7 - 2 = 5"]
    assert (result.answer, result.verdict.score > 0.5) == ("5", True)
