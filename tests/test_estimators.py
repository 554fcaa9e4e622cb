from collections import Counter
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.estimators import best_of_n_at_k, majority_at_k, pass_at_k


def mean_over_subsets(items, k, value):
    subsets = list(combinations(items, k))
    return float(sum(value(subset) for subset in subsets) / Fraction(len(subsets)))


def best_is_right(subset):
    best = [right for score, right in subset if score == max(s for s, _ in subset)]
    return Fraction(sum(best), len(best))


def majority_is_right(subset):
    votes = Counter(answer for answer in subset if answer is not None)
    top = [answer for answer, count in votes.items() if count == max(votes.values())]
    return Fraction("right" in top, len(top)) if top else Fraction(0)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(outcomes, data):
    k = data.draw(st.integers(1, len(outcomes)))
    expected = mean_over_subsets(outcomes, k, any)
    assert pass_at_k(len(outcomes), sum(outcomes), k=k) == pytest.approx(expected, abs=1e-12)


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1, max_size=8),
    st.data(),
)
def test_best_of_n_at_k_is_the_mean_over_subsets_with_ties_drawn(samples, data):
    k = data.draw(st.integers(1, len(samples)))
    scores, right = zip(*samples, strict=True)
    expected = mean_over_subsets(samples, k, best_is_right)
    assert best_of_n_at_k(scores, right, k=k) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.sampled_from(["right", "a", "b", "c", None]), min_size=1, max_size=8), st.data())
def test_majority_at_k_is_the_mean_over_subsets_with_ties_drawn(answers, data):
    k = data.draw(st.integers(1, len(answers)))
    counts = Counter(answers)
    wrong = [counts[name] for name in "abc"]
    found = majority_at_k(counts["right"], wrong, k=k, silent=counts[None])
    expected = mean_over_subsets(answers, k, majority_is_right)
    assert found == pytest.approx(expected, abs=1e-12)


def test_all_samples_give_the_plain_majority():
    assert majority_at_k(40, [30, 30], k=100) == 1
    assert majority_at_k(40, [40, 20], k=100) == 0.5
    assert majority_at_k(30, [40, 30], k=100) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k(4, 1, k=5), "k must be between 1 and 4, got 5"),
        (lambda: pass_at_k(4, 5, k=1), "right must be between 0 and 4, got 5"),
        (lambda: best_of_n_at_k([0.1], [], k=1), "right must have 1 values, got 0"),
        (lambda: majority_at_k(1, [-1], k=1), "counts must be at least 0, got -1"),
        (lambda: majority_at_k(1, [1], k=0), "k must be between 1 and 2, got 0"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
