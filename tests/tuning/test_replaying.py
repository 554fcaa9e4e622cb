"""The fast path is `simulate`, for every rule that it knows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.made_up import many, question
from tscale_graph.recordings.simulating import prepare, simulate
from tscale_graph.stopping import stopping_rule
from tscale_graph.tuning.replaying import Replays, Waves

RULES = (
    "fixed", "beta:0.7", "beta:0.95", "dirichlet:0.8", "first_to_lead_by:2",
    "value_of_information", "value_of_information:1e-4",
    "value_of_information:3e-3,a=2,b=1,gamma=3",
)  # fmt: skip
digits = st.text(alphabet="1234-", min_size=1, max_size=30)


@settings(deadline=None)
@given(
    digits,
    st.sampled_from(RULES),
    st.integers(1, 40),
    st.sampled_from([None, 1, 3]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_it_plays_as_the_simulator_does(said, rule, most, parallel, shared, seed):
    deck = prepare(question("q", said, prompt_tokens=7))
    stop = stopping_rule(rule)
    waves = Waves(stop, most=most, max_parallel=parallel)
    (fast,) = Replays(deck, range(seed, seed + 1)).play(waves, shared_prompt=shared)
    slow = simulate(
        deck, stop, seed=seed, max_samples=most, max_parallel=parallel, shared_prompt=shared
    )
    assert fast == (slow.right, slow.samples, slow.tokens, slow.rounds)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_remembered_of_one_question_holds_for_the_next(rule):
    stop = stopping_rule(rule)
    waves = Waves(stop, most=20)
    for asked in many(4):
        deck = prepare(asked)
        for seed, fast in enumerate(Replays(deck, range(3)).play(waves)):
            slow = simulate(deck, stop, seed=seed, max_samples=20)
            assert fast == (slow.right, slow.samples, slow.tokens, slow.rounds)


def test_a_truncated_sample_stands_for_its_answer_only_where_no_whole_one_does():
    asked = question("q", "33")
    cut, whole = (asked.samples[0].model_copy(update=u) for u in (
        {"truncated": True, "correct": False}, {"truncated": False, "correct": True}
    ))  # fmt: skip
    deck = prepare(asked.model_copy(update={"samples": (cut, whole)}))
    stop = stopping_rule("fixed")
    fast = Replays(deck, range(4)).play(Waves(stop, most=2))
    assert [one.right for one in fast] == [True] * 4
    assert all(simulate(deck, stop, seed=seed, max_samples=2).right for seed in range(4))


def test_rules_that_look_at_more_than_counts_are_not_for_it():
    for name in ("window", "first_pass", "sprt", "first_to_finish", "expected_improvement"):
        assert not Waves.replays(stopping_rule(name))
