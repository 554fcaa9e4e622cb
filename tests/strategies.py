"""Random budgets and usages, for property tests."""

from hypothesis import strategies as st

from tscale_graph import Budget, Usage

counts = st.integers(min_value=0, max_value=10**9)
dollars = st.floats(min_value=0, max_value=1000, allow_nan=False)
seconds = st.floats(min_value=0, max_value=10**5, allow_nan=False)

usages = st.builds(
    Usage,
    calls=counts,
    input_tokens=counts,
    output_tokens=counts,
    reasoning_tokens=counts,
    usd=dollars,
    seconds=seconds,
)

positive_counts = st.none() | st.integers(min_value=1, max_value=10**7)
budgets = (
    st.fixed_dictionaries(
        {
            "calls": positive_counts,
            "tokens": positive_counts,
            "usd": st.none() | st.floats(min_value=1e-6, max_value=1000),
            "seconds": st.none() | st.floats(min_value=1e-3, max_value=10**5),
        }
    )
    .filter(lambda limits: any(limits.values()))
    .map(Budget.model_validate)
)
