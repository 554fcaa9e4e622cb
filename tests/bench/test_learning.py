"""From questions to a policy that runs."""

import random

import pytest

from tests.recordings.made_up import question
from tests.scripted import Scripted
from tscale_graph import Budget, Policy, router
from tscale_graph.bench.learning import alearn
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.questions import Question
from tscale_graph.techniques.nodes import run_blocking


def recorded(name, share, count=40, samples=24, **more):
    """Questions of a class; each sample is right with a chance around `share`."""
    rng = random.Random(name)
    found = []
    for k in range(count):
        chance = min(1.0, max(0.0, share + rng.uniform(-0.2, 0.2)))
        digits = "".join("3" if rng.random() < chance else rng.choice("12") for _ in range(samples))
        one = question(f"{name}{k}", digits)
        plain = tuple(
            s.model_copy(update={"score": None, "passed": None} if not more else {})
            for s in one.samples
        )
        found.append(one.model_copy(update={"task_class": name, "samples": plain, **more}))
    return found


def asked(recording):
    fields = set(Question.model_fields)
    return [Question.model_validate(one.model_dump(include=fields)) for one in recording]


def learnt(recording, keep, **more):
    given = {"aim": {"mean_calls": 6}, "model": ReplayModel(questions=tuple(recording)), **more}
    return run_blocking(alearn(asked(recording), keep, **given))


@pytest.fixture(scope="module")
def mixed():
    return [*recorded("settled", 0.95), *recorded("split", 0.6), *recorded("hopeless", 0.05)]


def test_samples_go_where_votes_help(mixed, tmp_path):
    found = learnt(mixed, tmp_path)
    calls = {one.name: one.expected.cost.mean for one in found.tuned.classes}
    assert calls["split"] > calls["settled"]
    assert found.tuned.expected.cost.mean <= 6.5
    assert any("requests say their class" in note for note in found.notes)


def test_the_policy_is_a_file_that_answers(mixed, tmp_path):
    found = learnt(mixed, tmp_path, default_class="split")
    found.policy.save(tmp_path / "policy.yaml")
    policy = Policy.load(tmp_path / "policy.yaml")
    assert policy.default_class == "split"
    assert all(entry.budget is not None for entry in policy.classes.values())
    model = ReplayModel(questions=tuple(mixed))
    out = (
        router(policy, model=model)
        .compile()
        .invoke({"messages": [("user", mixed[0].question)], "task_class": "settled"})
    )
    assert out["result"].answer == "3"


def test_a_verifier_that_all_questions_of_a_class_have_is_used(tmp_path):
    recording = recorded("checked", 0.3, verifier="equation")
    found = learnt(recording, tmp_path, aim={"accuracy": 0.95})
    entry = found.policy.classes["checked"]
    assert (entry.technique, entry.verifier) == ("best_of_n", "equation")


def test_verifiers_of_single_questions_cannot_be_in_a_policy(tmp_path):
    recording = recorded("checked", 0.6, verifier="equation")
    recording[0] = recording[0].model_copy(update={"verifier": "countdown"})
    found = learnt(recording, tmp_path)
    assert found.policy.classes["checked"].technique == "self_consistency"
    assert any("different verifiers" in note for note in found.notes)


@pytest.fixture
def model():
    return Scripted(
        answers=["The answer is 3", "The answer is 4", "The answer is 3"], draws=random.Random(0)
    )


def questions(count=12):
    return [
        Question(id=f"q{k}", question=f"How many are in {k}?", gold="3", task_class="counting")
        for k in range(count)
    ]


def learn(keep, model, **more):
    given = {
        "budget": Budget(tokens=100_000), "samples": 9, "max_output_tokens": 20,
        "aim": {"mean_calls": 4}, "model": model, **more,
    }  # fmt: skip
    return run_blocking(alearn(questions(), keep, **given))


def test_what_was_sampled_is_not_sampled_again_for_another_aim(model, tmp_path):
    first = learn(tmp_path, model)
    assert len(model.calls) == 12 * 9
    assert first.usage.calls == 12 * 9
    again = learn(tmp_path, model, aim={"mean_calls": 2})
    assert (len(model.calls), again.usage.calls) == (12 * 9, 0)
    entry = first.policy.classes["counting"]
    assert entry.arguments["temperature"] == 0.8
    assert entry.arguments["max_output_tokens"] == 20


def test_contenders_are_run_and_can_be_chosen(model, tmp_path):
    thinking = Recipe(technique="refine", arguments={"max_revisions": 1})
    found = learn(
        tmp_path, model, contenders={"refined": thinking}, request=Budget(calls=8, tokens=4_000)
    )
    rows = [row.setting for row in found.tuned.classes[0].table]
    assert "refined" in rows
    assert "one pass" in rows


def test_a_budget_that_ends_early_leaves_what_was_paid_for(model, tmp_path):
    found = learn(tmp_path, model, budget=Budget(tokens=1_200))
    assert found.cut_off_by == "tokens"
    assert found.usage.tokens <= 1_200
    assert any("of 12 questions have their 9 samples" in note for note in found.notes)
    whole = learn(tmp_path, model)
    assert whole.cut_off_by is None
    assert whole.tuned.classes[0].questions == 12


def test_too_little_is_told_in_a_line(model, tmp_path):
    with pytest.raises(ValueError, match="before a question had its 9 samples"):
        learn(tmp_path, model, budget=Budget(tokens=30))
    with pytest.raises(ValueError, match="no budget: say what measuring may cost"):
        learn(tmp_path / "other", model, budget=None)
    with pytest.raises(ValueError, match="default_class must be one of counting, got 'other'"):
        learn(tmp_path, model, default_class="other")
    asked = len(model.calls)
    with pytest.raises(ValueError, match="accuracy must be above 0 and at most 1, got 3"):
        learn(tmp_path / "third", model, aim={"accuracy": 3})
    assert len(model.calls) == asked
