from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import usages
from tscale_graph import Usage
from tscale_graph.sharing import apportion


@given(usages, st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=40))
def test_the_parts_add_up_to_the_whole_exactly(usage, weights):
    parts = apportion(usage, weights)
    assert len(parts) == len(weights)
    assert Usage.total(parts) == usage


def test_output_is_shared_by_weight_and_calls_equally():
    first, second = apportion(Usage(calls=2, input_tokens=10, output_tokens=40), [29, 9])
    assert (first.calls, first.input_tokens, first.output_tokens) == (1, 5, 30)
    assert (second.calls, second.input_tokens, second.output_tokens) == (1, 5, 10)
