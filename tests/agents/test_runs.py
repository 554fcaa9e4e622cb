"""The books of an agent's run: steps in any order, said once or twice, add up to the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph import Budget, BudgetExceeded, Usage
from tscale_graph.agents.runs import AgentCall, AgentRun, Step, StepBook, joined

usages = st.builds(Usage, calls=st.integers(0, 9), output_tokens=st.integers(0, 999))
calls = st.builds(AgentCall, kind=st.sampled_from(["model", "scaled", "deliberate"]), usage=usages)
RUN = AgentRun(budget=Budget(calls=10, seconds=60), opened_at=100.0)


def book(run=RUN, *, now=100.0, **more):
    return StepBook(run, lambda: now, **more)


@given(st.dictionaries(st.text(max_size=3), calls), st.data())
def test_steps_add_up_in_any_order_however_often_they_are_said(spent, data):
    steps = [Step(calls={name: call}) for name, call in spent.items()]
    said = data.draw(
        st.permutations(steps + data.draw(st.lists(st.sampled_from(steps or [Step()]))))
    )
    run = RUN
    for step in said:
        run = joined(run, step)
    assert run.calls == spent
    assert run.usage == Usage.total(call.usage for call in spent.values())


def test_the_next_run_knows_nothing_of_the_last():
    last = joined(RUN, Step(calls={"0": AgentCall(kind="model", usage=Usage(calls=9))}))
    assert joined(last, RUN) == RUN


@given(st.lists(st.integers(1, 4), max_size=8))
def test_what_is_leased_is_never_more_than_what_is_left(spent):
    """Whatever calls turn out to cost, up to their leases."""
    one = book(per_call=Budget(calls=4))
    for cost in spent:
        if one.step().usage.calls == 10:
            with pytest.raises(BudgetExceeded):
                one.lease("model")
            return
        lease = one.lease("model")
        assert one.step().usage.calls <= 10, "a call that is not over counts whole"
        one.settle(lease, Usage(calls=min(cost, lease.budget.calls)))
    assert one.step().usage.calls == min(10, sum(spent))


def test_calls_that_are_not_over_count_as_their_leases():
    one = book(per_call=Budget(calls=3, tokens=50))
    first, second = one.lease("scaled"), one.lease("model")
    assert [call.usage.calls for call in one.calls.values()] == [3, 3]
    one.settle(second, Usage(calls=1, output_tokens=7))
    assert one.step().usage == Usage(calls=4, input_tokens=50, output_tokens=7)
    assert (first.name, second.name) == ("0", "1")


def test_seconds_are_those_since_the_run_began():
    lease = book(now=140.0).lease("model")
    assert (lease.budget.seconds, lease.deadline) == (20, 160)
    with pytest.raises(BudgetExceeded, match=r"^the budget of the agent's run ended: seconds=60$"):
        book(now=160.0).lease("model")


def test_steps_side_by_side_have_equal_parts_and_names_of_their_own():
    parts = [book(beside=name, parts=3) for name in ("a", "b", "c")]
    leases = [part.lease("deliberate") for part in parts]
    assert [lease.budget.calls for lease in leases] == [3, 3, 3]
    run = RUN
    for part in parts:
        run = joined(run, part.step())
    assert sorted(run.calls) == ["0:a", "0:b", "0:c"]
    with pytest.raises(BudgetExceeded, match=r"calls=10 cannot be split into 11 leases$") as raised:
        book(parts=11).lease("deliberate")
    assert raised.value.limit == "calls"
