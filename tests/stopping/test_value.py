import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stopping.population import question, recording, stream
from tests.stopping.streams import standing_of, taken_one_at_a_time
from tscale_graph.stopping import AnswerPrior, Beta, Fixed, Standing, ValueOfInformation

PRICES = (0.005, 0.0025, 0.001, 0.0005)


@pytest.fixture(scope="module")
def streams():
    rng = random.Random(19)
    return [stream(question(rng), rng) for _ in range(400)]


@pytest.fixture(scope="module")
def fitted():
    rng = random.Random(23)
    return AnswerPrior.fit([recording(stream(question(rng), rng)) for _ in range(400)])


def accuracy_and_samples(rule, streams):
    right = samples = 0
    for answers in streams:
        taken = taken_one_at_a_time(rule, answers, with_lead=False)
        votes = answers[:taken]
        right += max(dict.fromkeys(votes), key=votes.count) == 0
        samples += taken
    return right / len(streams), samples / len(streams)


def test_it_needs_at_most_60_percent_of_a_fixed_number_for_the_same_accuracy(streams, fitted):
    fixed, _ = accuracy_and_samples(Fixed(), streams)
    accuracy, samples = accuracy_and_samples(ValueOfInformation(0.0002, fitted), streams)
    assert accuracy >= fixed - 0.015
    assert samples <= 0.6 * 40


def test_it_lies_on_the_frontier_of_beta_within_the_noise(streams, fitted):
    frontier = [accuracy_and_samples(Beta(level), streams) for level in (0.7, 0.8, 0.85, 0.9, 0.95)]
    for price in PRICES:
        accuracy, samples = accuracy_and_samples(ValueOfInformation(price, fitted), streams)
        no_dearer = [other for other, cost in frontier if cost <= samples]
        assert accuracy >= max(no_dearer, default=0) - 0.015


def test_a_higher_price_never_buys_more(streams, fitted):
    for prior in (fitted, AnswerPrior()):
        costs = [
            [taken_one_at_a_time(ValueOfInformation(p, prior), answers) for p in PRICES]
            for answers in streams[:60]
        ]
        assert all(taken == sorted(taken) for taken in costs)


def test_it_gives_up_on_hopeless_questions_and_takes_longer_on_contested_ones():
    rule = ValueOfInformation(0.004)
    scattered = [0, 1, 2, 0, 3, 4, 1, 5, 6, 2] * 4
    hopeless = taken_one_at_a_time(rule, scattered)
    contested = taken_one_at_a_time(rule, [0, 1] * 20)
    easy = taken_one_at_a_time(rule, [0] * 40)
    assert easy < hopeless < contested
    assert hopeless < 20
    assert taken_one_at_a_time(Beta(), scattered) > 35


def test_where_few_questions_are_ever_answered_right_it_gives_up_all_the_sooner():
    scattered = [0, 1, 2, 0, 3, 4, 1, 5, 6, 2] * 4
    mixed, hard = AnswerPrior(1, 1, 1), AnswerPrior(0.2, 4, 1)
    assert taken_one_at_a_time(ValueOfInformation(0.004, hard), scattered) < taken_one_at_a_time(
        ValueOfInformation(0.004, mixed), scattered
    )


def test_a_price_per_token_is_a_price_per_sample_of_so_many_tokens():
    per_sample = ValueOfInformation(0.002)
    per_token = ValueOfInformation(0.002 / 500)
    for counts in [(1,), (2, 1), (3, 3), (4, 2, 1), (9, 5)]:
        votes = sum(counts)
        plain = Standing(counts=counts, samples=votes)
        long = Standing(counts=counts, samples=votes, tokens=500)
        assert per_token.settled(long) == per_sample.settled(plain)
        assert ValueOfInformation().settled(long) == per_sample.settled(plain)


@settings(deadline=None)
@given(
    st.lists(st.none() | st.integers(min_value=0, max_value=3), min_size=1, max_size=20),
    st.sampled_from(PRICES),
)
def test_equal_standings_get_equal_decisions_and_a_dearer_one_stops_as_well(answers, price):
    standing = standing_of(answers, max_samples=40)
    assert ValueOfInformation(price).settled(standing) == ValueOfInformation(price).settled(
        standing
    )
    if ValueOfInformation(price).settled(standing):
        assert ValueOfInformation(2 * price).settled(standing)


def test_unreadable_samples_make_further_ones_worth_less():
    rule = ValueOfInformation(0.002)
    assert not rule.settled(Standing(counts=(2, 1), samples=3))
    assert rule.settled(Standing(counts=(2, 1), samples=60))


def test_it_stops_where_nothing_is_left_and_not_before_the_first_sample():
    assert ValueOfInformation(0.5).settled(Standing(counts=(1,), samples=1, left=0))
    assert not ValueOfInformation(0.9).settled(Standing())
    with pytest.raises(ValueError, match=r"price must be positive, got -1"):
        ValueOfInformation(-1)
