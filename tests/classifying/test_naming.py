"""Classifiers by name and as functions."""

import pytest

from tscale_graph.budget import Budget, Usage
from tscale_graph.classifying import (
    CLASSIFIERS,
    Classification,
    TextClassifier,
    check_classifier,
    classified,
)
from tscale_graph.classifying.model import shipped

LEASE = Budget(calls=1, tokens=100)


async def test_rules_and_the_trained_one_have_names():
    assert (await classified(check_classifier("rules"), "How many?")).task_class == "samplable"
    assert check_classifier("trained") is shipped()
    assert (await classified(check_classifier("trained"), "Hello there!")).task_class == "simple"


def test_one_of_the_users_is_named_by_its_file(tmp_path):
    path = tmp_path / "mine.json"
    shipped().save(path)
    assert check_classifier(f"trained:{path}") == TextClassifier.load(path)


@pytest.mark.parametrize("name", ["rule", "", "rules:x", "LLM"])
def test_a_wrong_name_is_told_the_right_ones(name):
    with pytest.raises(ValueError, match="classifier must be one of") as refused:
        check_classifier(name)
    assert all(known in str(refused.value) for known in CLASSIFIERS)


@pytest.mark.parametrize("wrong", [3, None, lambda: "simple", lambda a, b: "simple"])
def test_what_cannot_be_called_with_a_question_is_refused(wrong):
    with pytest.raises(ValueError, match=r"classifier must be callable as classifier\(question\)"):
        check_classifier(wrong)


async def test_a_function_returns_a_name_or_a_classification():
    found = await classified(check_classifier(lambda question: "mine"), "x")
    assert (found.task_class, found.confidence, found.usage) == ("mine", 1.0, Usage())
    whole = Classification("mine", 0.3, "a guess", Usage(calls=1))
    assert await classified(lambda question: whole, "x") == whole


async def test_a_function_may_be_async_and_take_a_lease_and_a_deadline():
    async def patient(question, *, lease, deadline):
        return Classification(question, 0.5, f"{lease.calls} until {deadline}")

    found = await classified(check_classifier(patient), "mine", lease=LEASE, deadline=7.0)
    assert (found.task_class, found.reason) == ("mine", "1 until 7.0")


@pytest.mark.parametrize("returned", [3, None, ("simple", 0.5)])
async def test_what_is_no_class_is_an_error(returned):
    with pytest.raises(TypeError, match="must return a class's name or a Classification"):
        await classified(lambda question: returned, "x")


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
async def test_a_confidence_is_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        await classified(lambda question: Classification("mine", confidence, ""), "x")


async def test_a_class_has_a_name():
    with pytest.raises(ValueError, match="must name a class"):
        await classified(lambda question: " ", "x")


async def test_what_a_function_raises_is_raised():
    def broken(question):
        raise LookupError("no idea")

    with pytest.raises(LookupError, match="no idea"):
        await classified(broken, "x")
