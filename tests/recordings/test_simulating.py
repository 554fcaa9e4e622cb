"""Against a model of the same thing that is as simple as can be, and the laws that must hold."""

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.made_up import many, question
from tscale_graph.recordings.records import playing_order
from tscale_graph.recordings.simulating import prepare, simulate
from tscale_graph.stopping import Beta, FirstPass, FirstToFinish, Fixed, probability_of_lead

digits = st.text(alphabet="123-", min_size=1, max_size=30)
seeds = st.integers(0, 1000)


def one_at_a_time(asked, *, confidence, seed, most):
    """Adaptive consistency with a loop and a counter."""
    votes, said = Counter(), []
    for place in playing_order(asked, seed=seed)[:most]:
        said.append(asked.samples[place].answer)
        votes = Counter(answer for answer in said if answer)
        first, second, *_ = (*sorted(votes.values(), reverse=True), 0, 0)
        if first and probability_of_lead(first, second) >= confidence:
            break
        if first - second > min(most, len(asked.samples)) - len(said):
            break
    best = max(votes.values(), default=0)
    leaders = [answer for answer, count in votes.items() if count == best]
    return len(said), leaders


@settings(deadline=None)
@given(digits, seeds, st.integers(1, 40), st.sampled_from([0.8, 0.95]))
def test_one_at_a_time_is_adaptive_consistency(said, seed, most, confidence):
    asked = question("q", said)
    played = simulate(prepare(asked), Beta(confidence), seed=seed, max_samples=most, max_parallel=1)
    samples, leaders = one_at_a_time(asked, confidence=confidence, seed=seed, most=most)
    assert played.samples == played.rounds == samples
    assert played.answer in (leaders or [None])
    assert played.right == (played.answer == "3")


@settings(deadline=None)
@given(digits, seeds)
def test_waves_take_no_sample_less_and_no_round_more_than_one_at_a_time(said, seed):
    deck = prepare(question("q", said))
    for rule in (Beta(), Fixed()):
        waves = simulate(deck, rule, seed=seed)
        single = simulate(deck, rule, seed=seed, max_parallel=1)
        assert waves.samples >= single.samples
        assert waves.rounds <= single.rounds


@settings(deadline=None)
@given(digits, seeds, st.integers(1, 40), st.booleans())
def test_tokens_are_those_of_the_samples_taken(said, seed, most, shared):
    asked = question("q", said, prompt_tokens=7)
    played = simulate(prepare(asked), Beta(), seed=seed, max_samples=most, shared_prompt=shared)
    taken = playing_order(asked, seed=seed)[: played.samples]
    prompts = played.rounds if shared else played.samples
    outputs = sum(asked.samples[place].output_tokens for place in taken)
    assert played.tokens == outputs + 7 * prompts


@settings(deadline=None)
@given(digits, seeds, st.integers(1, 20), st.integers(1, 5))
def test_in_a_race_the_shortest_finish_first_and_the_others_are_cut_at_their_length(
    said, seed, most, finishers
):
    asked = question("q", said, prompt_tokens=7)
    played = simulate(prepare(asked), FirstToFinish(finishers), seed=seed, max_samples=most)
    racing = [asked.samples[place] for place in playing_order(asked, seed=seed)[:most]]
    racing.sort(key=lambda sample: sample.output_tokens)
    answered = [place for place, sample in enumerate(racing) if sample.answer is not None]
    last = answered[finishers - 1] if len(answered) >= finishers else len(racing) - 1
    votes = Counter(sample.answer for sample in racing[: last + 1] if sample.answer)
    assert (played.samples, played.rounds) == (len(racing), 1)
    lengths = [min(sample.output_tokens, racing[last].output_tokens) for sample in racing]
    assert played.tokens == sum(lengths) + 7 * len(racing)
    assert votes[played.answer] == max(votes.values(), default=0)


@settings(deadline=None)
@given(digits, seeds)
def test_a_verifier_that_is_never_wrong_stops_at_the_first_right_sample(said, seed):
    asked = question("q", said)
    deck = prepare(asked, verification="gold")
    played = simulate(deck, FirstPass(), seed=seed, max_parallel=1, select="weighted")
    order = playing_order(asked, seed=seed)
    rights = [k for k, place in enumerate(order) if asked.samples[place].correct]
    assert played.right == bool(rights)
    assert played.samples == (rights[0] + 1 if rights else len(order))


def test_recorded_scores_choose_where_they_are_asked_for():
    asked = question("q", "11123")
    votes = simulate(prepare(asked), Fixed(), seed=0)
    by_score = simulate(prepare(asked, verification="recorded"), Fixed(), seed=0, select="max")
    assert (votes.answer, by_score.answer) == ("1", "3")


def test_it_never_takes_more_than_was_recorded():
    assert simulate(prepare(question("q", "12")), Fixed(), seed=0, max_samples=40).samples == 2
    with pytest.raises(ValueError, match="max_samples must be at least 1, got 0"):
        simulate(prepare(question("q", "12")), Fixed(), seed=0, max_samples=0)


def test_a_replay_is_cheap_enough_to_make_thousands():
    decks = [prepare(asked) for asked in many(5)]
    best = float("inf")
    for repeat in range(5):
        started = time.perf_counter()
        for deck in decks:
            for seed in range(4):
                simulate(deck, Beta(), seed=4 * repeat + seed)
        best = min(best, time.perf_counter() - started)
    assert best / 20 < 0.005
