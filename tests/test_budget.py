import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.strategies import budgets, usages
from tscale_graph import Budget, BudgetExceeded, Usage
from tscale_graph.budget import LIMITS


def test_a_budget_needs_at_least_one_limit():
    with pytest.raises(ValidationError, match="at least one of calls, tokens, usd, seconds"):
        Budget()


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("amount", [0, -1])
def test_each_limit_is_positive_and_the_error_says_which(limit, amount):
    with pytest.raises(ValidationError, match=limit):
        Budget.model_validate({limit: amount})


@pytest.mark.parametrize("amount", [float("nan"), float("inf")])
def test_a_limit_is_a_finite_number(amount):
    with pytest.raises(ValidationError, match="usd"):
        Budget(usd=amount)


def test_an_unknown_limit_is_refused():
    with pytest.raises(ValidationError, match="dollars"):
        Budget.model_validate({"dollars": 3})


def test_budgets_and_usages_are_frozen():
    with pytest.raises(ValidationError):
        Budget(calls=1).calls = 2
    with pytest.raises(ValidationError):
        Usage().calls = 2


@given(usages, usages, usages)
def test_addition_is_associative_and_commutative_exactly(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Usage() == a


@given(st.lists(usages, max_size=8), st.randoms())
def test_a_total_does_not_depend_on_the_order(several, rng):
    shuffled = list(several)
    rng.shuffle(shuffled)
    assert Usage.total(shuffled) == Usage.total(several)


@given(usages)
def test_a_usage_survives_dict_and_json(usage):
    assert Usage.model_validate(usage.model_dump()) == usage
    assert Usage.model_validate_json(usage.model_dump_json()) == usage


@given(budgets)
def test_a_budget_survives_dict_and_json(budget):
    assert Budget.model_validate(budget.model_dump()) == budget
    assert Budget.model_validate_json(budget.model_dump_json()) == budget


@given(budgets, usages)
def test_what_remains_is_never_negative_and_never_more_than_the_budget(budget, usage):
    remaining = budget.remaining(usage)
    for name in LIMITS:
        limit, left = getattr(budget, name), getattr(remaining, name)
        assert (limit is None) == (left is None)
        assert limit is None or 0 <= left <= limit


@given(budgets, usages)
def test_a_budget_is_exceeded_exactly_when_some_limit_is_passed(budget, usage):
    used = dict(calls=usage.calls, tokens=usage.tokens, usd=usage.usd, seconds=usage.seconds)
    over = [n for n in LIMITS if getattr(budget, n) is not None and used[n] > getattr(budget, n)]
    assert budget.exceeded_by(usage) == (over[0] if over else None)


@given(budgets, st.integers(min_value=1, max_value=100))
def test_splitting_never_creates_budget(budget, parts):
    try:
        leases = budget.split(parts)
    except ValueError:
        smallest = [budget.calls, budget.tokens, budget.usd and budget.usd * 1e9]
        assert any(amount is not None and amount < parts for amount in smallest)
        return
    assert len(leases) == parts
    for name in ("calls", "tokens"):
        if getattr(budget, name) is not None:
            assert sum(getattr(lease, name) for lease in leases) <= getattr(budget, name)
    if budget.usd is not None:
        assert sum(round(lease.usd * 1e9) for lease in leases) <= round(budget.usd * 1e9)
    assert all(lease.seconds == budget.seconds for lease in leases)


def test_a_split_into_nothing_is_refused_in_one_line():
    with pytest.raises(ValueError, match="calls=3 cannot be split into 4 leases"):
        Budget(calls=3).split(4)
    with pytest.raises(ValueError, match="parts must be at least 1, got 0"):
        Budget(calls=3).split(0)


@given(budgets, budgets)
def test_a_nested_budget_is_within_both(inner, outer):
    nested = inner.within(outer)
    for name in LIMITS:
        limits = [v for v in (getattr(inner, name), getattr(outer, name)) if v is not None]
        assert getattr(nested, name) == (min(limits) if limits else None)


def test_exceeding_carries_what_was_allowed_and_spent_across_processes():
    error = BudgetExceeded(
        "tokens=5 was used up", limit="tokens", budget=Budget(tokens=5), usage=Usage(calls=1)
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.limit, again.budget, again.usage) == (
        "tokens=5 was used up",
        "tokens",
        Budget(tokens=5),
        Usage(calls=1),
    )
