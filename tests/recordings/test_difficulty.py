"""How hard a question looks without its right answer, and classes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings.made_up_chains import asked
from tscale_graph.recordings.difficulty import class_of, difficulty_edges, observed_difficulty


def test_with_a_verifier_it_is_what_the_first_versions_lack_to_a_full_score():
    assert observed_difficulty(asked("15", "43", "3", "-3")) == pytest.approx(
        1 - (0.1 + 0.4 + 1 + 0) / 4
    )


def test_without_one_it_is_how_far_the_first_versions_disagree():
    assert observed_difficulty(asked("1", "12", "2", "-", verified=False)) == 0.5
    assert observed_difficulty(asked("-", "-", verified=False)) == 1


@pytest.mark.parametrize("verified", [True, False])
def test_what_is_right_is_not_looked_at(verified):
    question = asked("15", "43", "3", verified=verified)
    wrong = tuple(
        tuple(one.model_copy(update={"correct": not one.correct}) for one in chain)
        for chain in question.chains
    )
    blind = question.model_copy(update={"gold": None, "chains": wrong})
    assert observed_difficulty(blind) == observed_difficulty(question)


values = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 1.0]), min_size=1, max_size=60)


@given(values, st.integers(1, 6), st.integers(1, 20))
def test_no_class_is_too_small_unless_it_is_the_only_one(values, bins, least):
    edges = difficulty_edges(values, bins=bins, min_questions=least)
    assert len(edges) < bins
    assert list(edges) == sorted(set(edges))
    sizes = [sum(class_of(v, edges) == k for v in values) for k in range(1 + len(edges))]
    assert sum(sizes) == len(values)
    assert len(sizes) == 1 or min(sizes) >= least


@given(st.lists(st.floats(0, 1), min_size=30, max_size=60, unique=True), st.integers(1, 5))
def test_where_no_values_are_equal_the_classes_are(values, bins):
    edges = difficulty_edges(values, bins=bins, min_questions=5)
    sizes = [sum(class_of(v, edges) == k for v in values) for k in range(1 + len(edges))]
    assert len(sizes) == bins
    assert max(sizes) - min(sizes) <= 1
