"""Asking for the class of a task: rules, functions, and what asks models."""

import asyncio
import time

import pytest

from tscale_graph import Budget, Policy, Usage
from tscale_graph.classifying import Classification
from tscale_graph.techniques.routing.classifiers import check_classifier, tell_class

POLICY = Policy.default()
SURE = Classification("sequential", 0.9, "a proof")


async def tell(classifier, budget=None, question="How many?"):
    return await tell_class(classifier, question, policy=POLICY, budget=budget)


class Asking:
    """Asks a model, or says that it did."""

    def __init__(self, needs=None, spends=None, says=SURE):
        self.leases, self.spends, self.says = [], spends or Usage(calls=1, input_tokens=40), says
        if needs is not None:
            self.needs = lambda question: needs

    async def ask(self, question, *, lease, deadline):
        self.leases.append((lease, deadline))
        if isinstance(self.says, Exception):
            raise self.says
        await asyncio.sleep(self.says if isinstance(self.says, float) else 0)
        return self.says, self.spends


async def test_the_rules_cost_nothing():
    told = await tell("rules")
    assert (told.found.task_class, told.usage) == ("samplable", Usage())


async def sequential(question):
    return "sequential"


@pytest.mark.parametrize(
    "classifier", [lambda q: "sequential", sequential, lambda q: SURE, lambda q: sequential(q)]
)
async def test_a_function_may_be_sync_or_async_and_give_a_name_or_a_classification(classifier):
    assert (await tell(classifier)).found.task_class == "sequential"


async def test_what_asks_a_model_gets_what_it_needs_and_no_more():
    asking = Asking(needs=Usage(calls=1, input_tokens=90, output_tokens=10))
    told = await tell(asking, Budget(calls=5, tokens=1_000, seconds=60))
    ((lease, deadline),) = asking.leases
    assert (lease.calls, lease.tokens) == (1, 100)
    assert deadline == pytest.approx(time.time() + 60, abs=5)
    assert (told.found, told.usage) == (SURE, Usage(calls=1, input_tokens=40))


async def test_one_that_does_not_say_what_it_needs_gets_a_quarter():
    asking = Asking()
    await tell(asking, Budget(calls=8, tokens=1_000))
    assert asking.leases == [(Budget(calls=2, tokens=250), None)]


@pytest.mark.parametrize(
    ("needs", "budget"),
    [
        (Usage(calls=1, input_tokens=100), Budget(calls=1)),
        (Usage(calls=1, input_tokens=100), Budget(tokens=100)),
        (None, Budget(calls=3)),
    ],
)
async def test_where_nothing_would_be_left_the_rules_tell(needs, budget):
    asking = Asking(needs=needs)
    told = await tell(asking, budget)
    assert (asking.leases, told.usage, told.found.task_class) == ([], Usage(), "samplable")
    assert "the budget does not pay for asking a classifier" in told.found.reason


async def test_one_that_fails_is_charged_and_the_rules_tell():
    needs = Usage(calls=1, input_tokens=100)
    told = await tell(Asking(needs, says=RuntimeError("no")), Budget(calls=9, tokens=1_000))
    assert told.found.task_class == "samplable"
    assert "the classifier failed: RuntimeError: no" in told.found.reason
    assert (told.usage.calls, told.usage.tokens) == (1, 100)
    free = await tell(lambda q: 1 / 0)
    assert "ZeroDivisionError" in free.found.reason
    assert free.usage == Usage()


async def test_one_that_is_late_is_charged_too():
    needs = Usage(calls=1, input_tokens=100)
    told = await tell(Asking(needs, says=9.0), Budget(calls=9, tokens=1_000, seconds=0.05))
    assert "was not done in time" in told.found.reason
    assert told.usage.tokens == 100


@pytest.mark.parametrize("said", [None, 3, ("sequential", 0.9, "because")])
async def test_what_is_no_class_is_an_error(said):
    with pytest.raises(ValueError, match="must give a class or a Classification, got"):
        await tell(lambda q: said)


@pytest.mark.parametrize("classifier", ["guess", None, 3])
def test_what_is_no_classifier_is_refused_when_the_graph_is_built(classifier):
    with pytest.raises(ValueError, match="classifier must be one of rules, trained"):
        check_classifier(classifier, POLICY)
