from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.prices import Price

prices = st.builds(
    Price, input=st.floats(min_value=0, max_value=200), output=st.floats(min_value=0, max_value=200)
)


@given(
    prices,
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=0, max_value=10**11).map(lambda nanos: nanos / 1e9),
)
def test_what_can_be_afforded_never_costs_more_than_there_is(price, prompt, usd):
    bought = price.affordable_output_tokens(usd, input_tokens=prompt)
    if bought:
        cost = price.cost(input_tokens=prompt, output_tokens=bought)
        assert round(cost * 1e9) <= round(usd * 1e9)


def test_a_price_is_in_dollars_per_million_tokens():
    price = Price(input=3, output=15)
    assert price.cost(input_tokens=1_000_000, output_tokens=0) == 3
    assert price.cost(input_tokens=0, output_tokens=1_000) == 0.015
    assert price.affordable_output_tokens(0.018, input_tokens=1_000) == 1_000
