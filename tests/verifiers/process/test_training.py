"""Training: what is fitted, what is chosen, and what cannot be learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from tests.verifiers.process.simulated import label_questions, truth
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers.process.aggregates import AGGREGATE_NAMES
from tscale_graph.verifiers.process.datasets import (
    labelled_questions,
    labelled_steps,
    question_key,
    with_featurizers,
)
from tscale_graph.verifiers.process.evaluating import evaluate_steps, held_out, held_out_labels
from tscale_graph.verifiers.process.features import Own
from tscale_graph.verifiers.process.fitting import averaged, fit
from tscale_graph.verifiers.process.labels import labelling_named
from tscale_graph.verifiers.process.model import ProcessRewardModel
from tscale_graph.verifiers.process.reading import Arithmetic, Position, Wording
from tscale_graph.verifiers.process.training import PARTS, aggregate_aucs, parted, train

DAY = "2026-11-26"
LINE = step_splitter("line")


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def questions():
    return list(label_questions(60)) + list(label_questions(20, family="others"))


@pytest.fixture(scope="module")
def training(questions):
    return train(questions, created=DAY)


def test_every_kind_is_tried_with_every_set_of_featurizers(training):
    tried = {(one.kind, one.featurizers) for one in training.trials}
    assert len(tried) == len(training.trials) == 3 * 7


def test_the_least_log_loss_is_chosen(training):
    losses = [one.log_loss for one in training.trials]
    assert losses == sorted(losses)
    chosen, card = training.trials[0], training.model.card
    assert (card.kind, card.featurizers) == (chosen.kind, chosen.featurizers)
    assert chosen.worse_by == (0, 0, 0)
    for other in training.trials[1:]:
        assert other.worse_by.value == pytest.approx(other.log_loss - chosen.log_loss)
        assert other.worse_by.low <= other.worse_by.value <= other.worse_by.high


def test_featurizers_that_tell_something_are_chosen(training):
    assert "arithmetic" in training.model.card.featurizers
    by = {one.featurizers: one for one in training.trials if one.kind == "boosting"}
    assert by["arithmetic",].worse_by.value < by["position",].worse_by.low


def test_no_question_is_in_two_parts_and_every_family_in_all(training, questions):
    parts = training.model.card.parts
    assert {name: len(keys) for name, keys in parts.items()} == training.parts
    assert training.parts == {"train": 48, "calibrate": 12, "validate": 20}
    every = [key for keys in parts.values() for key in keys]
    assert sorted(every) == sorted({question_key(one.question) for one in questions})
    labelled = labelled_questions(questions, labelling=labelling_named("shares"), splitter=LINE)
    for part in parted(labelled, seed=0).values():
        assert {one.family for one in part} == {"equations", "others"}


def test_the_aggregate_is_the_best_on_the_validation_questions(training, questions):
    model = training.model
    assert tuple(training.aggregates) == AGGREGATE_NAMES
    best = max(training.aggregates, key=lambda name: training.aggregates[name])
    assert model.aggregate == model.card.aggregate == best
    kept = [q for q in questions if question_key(q.question) in model.card.parts["validate"]]
    assert aggregate_aucs(model, held_out_labels(model, kept)) == training.aggregates


def test_it_tells_right_steps_from_wrong_ones_on_other_questions(training):
    others, _ = held_out(training.model, label_questions(60, seed=9))
    test = held_out_labels(training.model, others)
    assert evaluate_steps(training.model, test, truth=truth, draws=50).auc.low > 0.75


def test_what_is_on_the_card_is_read_again(training, tmp_path):
    training.model.save(tmp_path)
    card = ProcessRewardModel.load(tmp_path).card
    assert card == training.model.card
    assert card.policy == "simulated"
    assert card.data == "80 questions: equations 60, others 20"
    assert card.created == DAY
    assert card.questions == training.parts["train"]
    assert card.labelled_steps == 48 * 6 * 3
    assert card.metrics["auc"] == training.trials[0].auc
    assert 0 < card.metrics["first_error_threshold"] < 1


def test_the_same_seed_makes_the_same_model(questions):
    asked = ("Solve 3x + 4 = 19 for x.", "19 - 4 = 15\n15 / 3 = 5\nThe answer is 5.")
    made = [train(questions, created=DAY, kind="boosting", seed=s).model for s in (1, 1, 2)]
    one, two, other = (model(*asked).step_scores for model in made)
    assert one == two != other
    assert made[0].card.parts != made[2].card.parts


def test_a_kind_may_be_given_and_labels_made_by_bisection(questions):
    made = train(questions, created=DAY, kind="logistic", labels="bisection:8", policy="mine")
    assert {one.kind for one in made.trials} == {"logistic"}
    assert (made.model.card.labels, made.model.card.policy) == ("bisection:8", "mine")


def test_of_many_featurizers_all_but_one_and_one_alone_are_tried(questions):
    own = Own("length", lambda question, steps: float(len(steps[-1])))
    featurizers = (Position(), Wording(), Arithmetic(), own)
    made = train(questions, created=DAY, kind="logistic", featurizers=featurizers)
    assert sorted(len(one.featurizers) for one in made.trials) == [1] * 4 + [3] * 4 + [4]


def test_the_mean_of_two_is_what_is_fitted_as_both(questions):
    labelled = labelled_questions(questions, labelling=labelling_named("shares"), splitter=LINE)
    parts = parted(labelled, seed=0)
    rows = [labelled_steps(parts[p], (Wording(), Arithmetic())) for p in ("train", "calibrate")]
    one, two, both = (fit(*rows, kind=kind) for kind in ("logistic", "boosting", "both"))
    found = averaged(one, two, rows[1])(rows[0].features)
    assert found == pytest.approx(both(rows[0].features))


def test_the_same_question_under_two_ids_is_one(questions):
    twice = [q.model_copy(update={"id": f"again-{q.id}"}) for q in questions[:5]]
    labelled = labelled_questions(
        [*questions, *twice], labelling=labelling_named("shares"), splitter=LINE
    )
    assert len(labelled) == 80
    assert len(labelled[0].solutions) == 12


def test_columns_of_some_featurizers_are_those_that_they_make(questions):
    labelled = labelled_questions(questions[:3], labelling=labelling_named("shares"), splitter=LINE)
    every = labelled_steps(labelled, (Position(), Wording(), Arithmetic()))
    some = with_featurizers(every, ("position", "arithmetic"))
    alone = labelled_steps(labelled, (Position(), Arithmetic()))
    assert some.columns == alone.columns
    assert np.array_equal(some.features, alone.features)


def recorded(*samples):
    kept = tuple(RecordedSample(text=t, correct=c, given=g) for t, c, g in samples)
    return RecordedQuestion(id="q-1", question="How many?", samples=kept)


@pytest.mark.parametrize(
    ("completions", "first_wrong"),
    [
        ([("a\nx\ny", True, 1)], 1),
        ([("a\nb\ny", True, 2)], 2),
        ([("a\nb\ny", False, 2), ("a\nx\ny", False, 1)], 0),
        ([("other\nx\ny", True, 1)], 0),
    ],
)
def test_the_first_wrong_step_follows_the_last_from_which_any_completion_is_right(
    completions, first_wrong
):
    asked = recorded(("a\nb\nc", False, 0), ("p\nq", True, 0), *completions)
    (one,) = labelled_questions([asked], labelling=labelling_named("shares"), splitter=LINE)
    assert one.first_wrong == (first_wrong, None)


def without_completions(questions):
    return [
        q.model_copy(update={"samples": tuple(s for s in q.samples if not s.given)})
        for q in questions
    ]


def all_of_one_kind(questions, right):
    def of(sample):
        return sample.model_copy(update={"correct": right})

    return [q.model_copy(update={"samples": tuple(map(of, q.samples))}) for q in questions]


@pytest.mark.parametrize(
    ("change", "more", "told"),
    [
        (without_completions, {}, r"no completions of given steps.*tscale prm label"),
        (lambda q: q[:19], {}, "at least 20 questions, got 19"),
        (lambda q: all_of_one_kind(q, True), {}, "all solutions are right: there must be"),
        (lambda q: all_of_one_kind(q, False), {}, "all solutions are wrong: there must be"),
        (list, {"kind": "forest"}, "kind must be one of auto, logistic, boosting, both"),
        (list, {"labels": "people"}, "labels must be one of shares, bisection, or shares:8"),
        (list, {"labels": "shares:0"}, "labels must be one of"),
        (list, {"steps": "word"}, "steps must be one of paragraph, line"),
        (list, {"featurizers": ()}, "featurizers must have at least one"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_in_one_line(questions, change, more, told):
    with pytest.raises(ValueError, match=told):
        train(change(questions), created=DAY, **more)


def test_validation_questions_that_tell_nothing_are_named():
    asked = list(label_questions(20))
    labelled = labelled_questions(asked, labelling=labelling_named("shares"), splitter=LINE)
    keys = {one.key for one in parted(labelled, seed=0)["validate"]}
    kept = [all_of_one_kind([q], True)[0] if question_key(q.question) in keys else q for q in asked]
    with pytest.raises(ValueError, match="all solutions of the 5 validation questions are right"):
        train(kept, created=DAY, kind="logistic")


def renamed(questions, name):
    return [q.model_copy(update={"id": name(k)}) for k, q in enumerate(questions)]


@pytest.mark.parametrize(
    "name",
    [
        lambda k: f"{k:08x}-0000-4000-8000-000000000000",
        lambda k: f"pair{k // 2}-{k % 2}",
        lambda k: f"large-{k}" if k < 25 else f"small{k}-0",
    ],
)
def test_families_that_are_too_small_to_part_are_parted_as_one(questions, name):
    labelled = labelled_questions(
        renamed(questions[:60], name), labelling=labelling_named("shares"), splitter=LINE
    )
    parts = parted(labelled, seed=0)
    sizes = {part: len(of) for part, of in parts.items()}
    assert sizes == {"train": 36, "calibrate": 9, "validate": 15} or (
        sizes == {"train": 36, "calibrate": 8, "validate": 16}
    )
    assert sorted(one.key for of in parts.values() for one in of) == sorted(q.key for q in labelled)


def test_questions_with_ids_of_their_own_can_be_learnt_from(questions):
    ids = renamed(questions[:60], lambda k: f"{k:08x}-0000")
    made = train(ids, created=DAY, kind="logistic", featurizers=(Arithmetic(),))
    assert made.parts == {"train": 36, "calibrate": 9, "validate": 15}


def test_a_part_that_has_no_questions_is_named(questions, monkeypatch):
    monkeypatch.setitem(PARTS, "validate", 0.0)
    with pytest.raises(ValueError, match="at least 1 validation questions, got 0"):
        train(questions[:20], created=DAY, kind="logistic")


def test_steps_of_which_nothing_is_known_change_nothing(questions):
    labelled = labelled_questions(questions, labelling=labelling_named("shares"), splitter=LINE)
    parts = parted(labelled, seed=0)
    found = []
    for value in (0.0, 1.0):
        rows = []
        for part in ("train", "calibrate"):
            steps = labelled_steps(parts[part], (Wording(), Arithmetic()))
            unknown = np.arange(len(steps.values)) % 5 == 0
            rows.append(
                replace(
                    steps,
                    values=np.where(unknown, value, steps.values),
                    weights=np.where(unknown, 0.0, steps.weights),
                )
            )
        found.append(fit(*rows)(rows[0].features))
    assert np.array_equal(*found)


def test_labels_are_made_as_the_files_were_labelled():
    asked = [one.model_copy(update={"labelling": "bisection:4"}) for one in label_questions(60)]
    assert train(asked, created="2026-11-26", kind="boosting").model.card.labels == "bisection:4"
    said = train(asked, created="2026-11-26", kind="boosting", labels="shares")
    assert said.model.card.labels == "shares"
    mixed = [asked[0].model_copy(update={"labelling": "shares"}), *asked[1:]]
    with pytest.raises(ValueError, match="labelled by bisection:4, shares: say which"):
        train(mixed, created="2026-11-26")


def test_solutions_that_are_all_right_are_no_lesson():
    right = [
        one.model_copy(update={"samples": tuple(s for s in one.samples if s.correct)})
        for one in without_completions(label_questions(60))
    ]
    with pytest.raises(ValueError, match="all solutions are right"):
        train([one for one in right if one.samples], created=DAY)
