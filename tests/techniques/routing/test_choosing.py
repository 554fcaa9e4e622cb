"""Which class serves a request, on what is known before anything was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from tests.policies import policies
from tscale_graph import Budget, Policy, Usage
from tscale_graph.techniques.routing.choosing import (
    Route,
    choose_route,
    class_of_technique,
    estimated_tokens,
)

POLICY = Policy.default()
LEAST = {
    "simple": Usage(calls=1, input_tokens=1_000),
    "samplable": Usage(calls=1, input_tokens=1_000),
    "verifiable": Usage(calls=1, input_tokens=2_000),
    "combinatorial": Usage(calls=1, input_tokens=3_000),
    "sequential": Usage(calls=2, input_tokens=9_000),
}


def choose(task_class, *, missing=None, budget=None):
    missing = missing or {}
    least = {name: usage for name, usage in LEAST.items() if name not in missing}
    budgets = dict.fromkeys(least, budget)
    return choose_route(POLICY, task_class, missing=missing, least=least, budgets=budgets)


@pytest.mark.parametrize("task_class", LEAST)
def test_a_class_that_can_be_served_and_paid_for_serves(task_class):
    assert choose(task_class) == Route(task_class)
    assert choose(task_class, budget=Budget(calls=9, tokens=9_000)) == Route(task_class)


def test_what_is_missing_is_told_for_each_class_that_was_passed_over():
    lacking = dict.fromkeys(("combinatorial", "verifiable"), "there is no verifier")
    route = choose("combinatorial", missing=lacking)
    assert route == Route("samplable", ("there is no verifier",) * 2)


def test_a_budget_that_pays_for_no_whole_sample_is_passed_on():
    route = choose("sequential", budget=Budget(tokens=5_000))
    assert route.name == "samplable"
    assert route.reasons == (
        "tokens=5000 does not pay for one sample (9,000) of extended_thinking",
    )
    assert choose("sequential", budget=Budget(calls=1)).name == "samplable"
    assert choose("combinatorial", budget=Budget(tokens=2_500)).name == "verifiable"


def test_where_nothing_is_paid_for_it_is_what_takes_least():
    route = choose("combinatorial", budget=Budget(tokens=500))
    assert route.name in ("simple", "samplable")
    assert len(route.reasons) == len(LEAST)


@given(policies(), st.data())
def test_whatever_the_policy_somebody_serves(policy, data):
    names = list(policy.classes)
    task_class = data.draw(st.sampled_from(names))
    gone = data.draw(st.lists(st.sampled_from(names), max_size=len(names) - 1, unique=True))
    least = {
        name: Usage(calls=1, input_tokens=data.draw(st.integers(1, 100)))
        for name in names
        if name not in gone
    }
    budget = data.draw(st.none() | st.builds(Budget, tokens=st.integers(1, 100)))
    route = choose_route(
        policy,
        task_class,
        missing=dict.fromkeys(gone, "it is gone"),
        least=least,
        budgets=dict.fromkeys(least, budget),
    )
    assert route.name in least
    paid = [name for name in least if budget is None or least[name].tokens <= budget.tokens]
    if paid:
        assert route.name in paid
        assert route.name == next(name for name in policy.order(task_class) if name in paid)
    assert (route.reasons == ()) == (route.name == task_class and task_class in (paid or []))


def test_a_technique_is_that_of_the_first_class_that_can_be_served():
    assert class_of_technique(POLICY, "self-consistency", missing={}) == "simple"
    assert class_of_technique(POLICY, "self_consistency", missing={"simple": ""}) == "samplable"
    known = "self_consistency, best_of_n, ab_mcts, extended_thinking"
    with pytest.raises(ValueError, match=f"technique must be one of {known}, got 'magic'$"):
        class_of_technique(POLICY, "magic", missing={})
    with pytest.raises(ValueError, match="got 'best_of_n': there is no verifier"):
        class_of_technique(POLICY, "best_of_n", missing={"verifiable": "there is no verifier"})


def test_a_prompt_counts_a_token_for_every_four_bytes_or_so():
    assert estimated_tokens([HumanMessage("x" * 400)]) == 108
    assert estimated_tokens([]) == 0
