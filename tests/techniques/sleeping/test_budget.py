"""What working ahead may take."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reader import Reader
from tests.techniques.sleeping.asleep import asked, asleep
from tscale_graph import Budget


async def test_time_that_is_up_in_the_last_job_is_told():
    graph, _ = asleep(Reader(delay=0.2), samples=2, questions=2)
    slept = (await graph.ainvoke(asked(budget=Budget(seconds=0.3))))["slept"]
    assert (slept.status, slept.cut_off_by) == ("cut_off", "seconds")


@settings(max_examples=40, deadline=None)
@given(
    tokens=st.none() | st.integers(1, 12_000),
    calls=st.none() | st.integers(1, 30),
    usd=st.none() | st.floats(1e-5, 0.02),
    parallel=st.integers(1, 5),
    fail=st.floats(0, 0.4),
    usage=st.sampled_from(["right", "none", "over", "under"]),
    seed=st.integers(0, 2**16),
)
async def test_the_budget_is_never_exceeded(tokens, calls, usd, parallel, fail, usage, seed):
    if tokens is None and usd is None:
        calls = calls or 3
    model = Reader(draws=random.Random(seed), fail=fail, usage=usage)
    model.metadata = {"usd_per_million_tokens": {"input": 1.0, "output": 4.0}}
    graph, _ = asleep(model, max_output_tokens=64, max_parallel=parallel)
    budget = Budget(tokens=tokens, calls=calls, usd=usd)
    slept = (await graph.ainvoke(asked(budget=budget)))["slept"]
    if usd is not None and usage != "over":
        output = sum(call.output_tokens for call in model.calls if call.fate != "failed")
        billed = sum(call.billed for call in model.calls)
        assert (billed - output + 4 * output) / 1e6 <= usd
    assert calls is None or len(model.calls) <= calls
    if tokens is not None and usage != "over":
        assert sum(call.billed for call in model.calls) <= tokens
    assert slept.usage.calls >= sum(call.fate == "completed" for call in model.calls)


async def test_a_budget_that_buys_nothing_says_so():
    graph, _ = asleep()
    slept = (await graph.ainvoke(asked(budget=Budget(tokens=10))))["slept"]
    assert (slept.status, slept.cut_off_by) == ("cut_off", "tokens")
