import pytest

from tscale_graph.votes import SELECTIONS, Weighted, selection


def test_a_selection_is_found_by_its_name_and_passes_through_as_an_object():
    assert [selection(name).name for name in SELECTIONS] == list(SELECTIONS)
    assert selection(Weighted(trust=0.7)) == Weighted(trust=0.7)


@pytest.mark.parametrize("wrong", ["best", 3, None])
def test_the_error_for_a_wrong_selection_lists_the_names(wrong):
    with pytest.raises(ValueError, match=rf"select must be one of majority, max.*got {wrong!r}"):
        selection(wrong)
