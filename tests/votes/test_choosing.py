import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.votes.making import candidate, candidate_lists, number
from tscale_graph import Candidate, Usage
from tscale_graph.votes import (
    SELECTIONS,
    Choice,
    Majority,
    Max,
    Ranked,
    Weighted,
    choose,
    count_votes,
    read_answers,
)

GATED = ("majority", "max", "weighted", "logprob", "stated_confidence", "deepconf")


def votes_for(candidates):
    return [c for c in candidates if c.answer is not None and not c.error and not c.discarded]


def test_the_majority_wins_and_equal_answers_count_together():
    votes = [candidate(0, "1/2"), candidate(1, "3"), candidate(2, "0.5")]
    choice = choose(votes, number, select="majority")
    assert choice.winner.index == 0
    assert [(t.answer, t.count) for t in choice.tallies] == [("1/2", 2), ("3", 1)]
    assert choice.agreement == 2 / 3


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_tie_goes_to_the_shortest_sample_where_that_is_wanted(seed):
    def sample(index, answer, tokens):
        return candidate(index, answer).model_copy(update={"usage": Usage(output_tokens=tokens)})

    tied = [sample(0, "2", 80), sample(1, "1", 90), sample(2, "2", 300), sample(3, "1", 70)]
    shortest = Majority(ties="shortest")
    assert choose(tied, number, select=shortest, seed=seed).winner.answer == "1"
    more = [*tied, sample(4, "2", 900)]
    assert choose(more, number, select=shortest, seed=seed).winner.answer == "2", "votes come first"
    with pytest.raises(ValueError, match=r"ties must be .*, got 'longest'"):
        Majority(ties="longest")


def test_a_tie_goes_to_the_higher_score_and_then_to_the_earlier_sample():
    tied = [candidate(0, "1"), candidate(1, "2")]
    assert choose(tied, number, select="majority").winner.index == 0
    scored = [candidate(0, "1", 0.2), candidate(1, "2", 0.6)]
    assert choose(scored, number, select="majority").winner.index == 1


def test_a_seeded_draw_among_tied_answers_repeats_and_is_even():
    def drawn(seed, first, second):
        tied = [candidate(0, first), candidate(1, second), candidate(2, "9", 0.0)]
        return choose(tied, number, select="majority", seed=seed).winner.answer

    draws = Counter(drawn(seed, "1", "2") for seed in range(300))
    assert draws["1"] + draws["2"] + draws["9"] == 300
    assert min(draws.values()) > 60
    assert all(drawn(seed, "1", "2") == drawn(seed, "2", "1") for seed in range(50))
    places = {drawn(7, str(k), str(k + 1000)) == str(k) for k in range(10, 40)}
    assert places == {True, False}


def test_a_seed_changes_nothing_where_there_is_no_tie():
    votes = [candidate(0, "1"), candidate(1, "2"), candidate(2, "2")]
    assert {choose(votes, number, select="majority", seed=s).winner.answer for s in range(20)} == {
        "2"
    }


@pytest.mark.parametrize("select", SELECTIONS)
def test_nothing_without_an_answer_votes_or_wins(select):
    votes = [
        candidate(0, None, 1.0, True),
        candidate(1, "5", 1.0, True, error="boom"),
        candidate(2, "5", 1.0, True, discarded="too long"),
        candidate(3, "7", 0.0, False),
    ]
    choice = choose(votes, number, select=select)
    assert (choice.winner.index, choice.agreement) == (3, 1.0)
    assert [t.count for t in choice.tallies] == [1]
    nothing = choose(votes[:3], number, select=select)
    assert nothing == Choice(None, (), None, lead=None)
    assert count_votes(votes, number) == (1,)


@pytest.mark.parametrize("select", GATED)
def test_one_answer_that_passed_beats_any_number_that_did_not(select):
    wrong = [candidate(k, "1", 0.6, passed=False) for k in range(9)]
    votes = [*wrong, candidate(9, "2", 1.0, passed=True)]
    assert choose(votes, number, select=select).winner.index == 9


def test_where_verdicts_of_equal_answers_differ_at_least_half_must_have_passed():
    doubtful = [candidate(k, "1", float(k == 0), passed=k == 0) for k in range(3)]
    votes = [*doubtful, candidate(3, "2", 1.0, passed=True)]
    assert choose(votes, number, select="majority").winner.answer == "2"
    assert choose(votes[1:], number, select="majority").winner.answer == "2"
    assert choose([*votes[:2], *votes[3:]], number, select="majority").winner.answer == "1"


def test_of_the_samples_of_an_answer_the_best_scored_whole_and_earliest_stands():
    votes = [
        candidate(0, "1", 0.5),
        candidate(1, "1", 0.9, truncated=True),
        candidate(2, "1", 0.9),
        candidate(3, "1", 0.9),
    ]
    assert choose(votes, number, select="majority").winner.index == 2


def test_a_failed_call_has_no_answer_to_read_and_a_cut_off_text_only_a_stated_one():
    read = read_answers(
        [
            Candidate(index=0, text="so far 12", truncated=True),
            Candidate(index=1, text="The answer is 12", truncated=True),
            Candidate(index=2, text="12", error="boom"),
        ],
        number,
    )
    assert [c.answer for c in read] == [None, "12", None]


@given(
    candidate_lists(),
    st.sampled_from([*SELECTIONS, Ranked((0.1, 0.7, 0.7, 0.2))]),
    st.one_of(st.none(), st.integers()),
    st.integers(),
)
def test_the_choice_does_not_depend_on_the_order_of_arrival(candidates, select, seed, shuffle):
    shuffled = list(candidates)
    random.Random(shuffle).shuffle(shuffled)
    choice = choose(candidates, number, select=select, seed=seed)
    assert choose(shuffled, number, select=select, seed=seed) == choice


@given(candidate_lists(), st.sampled_from(SELECTIONS))
def test_every_answer_in_the_running_is_tallied_once_with_a_finite_weight(candidates, select):
    choice = choose(candidates, number, select=select)
    running = votes_for(candidates)
    keys = Counter(number.key(c.answer) for c in running)
    assert {number.key(t.answer): t.count for t in choice.tallies} == dict(keys)
    assert all(math.isfinite(t.weight) for t in choice.tallies)
    assert (choice.winner is None) == (not running)
    if choice.winner:
        assert choice.winner in running
        assert number.key(choice.winner.answer) == number.key(choice.tallies[0].answer)
        assert choice.agreement == keys[number.key(choice.winner.answer)] / len(running)


@st.composite
def undecided(draw):
    """Candidates with scores only, or with one verdict for each answer."""
    decides = draw(st.booleans())
    says = {a: draw(st.sampled_from([0.0, 0.3, 1.0])) for a in "123"}
    return [
        candidate(k, a, says[a], passed=says[a] == 1 if decides else None)
        for k, a in enumerate(draw(st.lists(st.sampled_from("123"), min_size=1, max_size=12)))
    ]


@given(
    undecided(),
    st.sampled_from([Majority(), Weighted(), Weighted(trust=0.8), Max()]),
    st.lists(
        st.tuples(st.sampled_from("1234"), st.sampled_from([0.0, 0.3, 1.0]), st.booleans()),
        max_size=6,
    ),
)
def test_fewer_further_samples_than_the_lead_never_change_the_winning_answer(votes, rule, more):
    choice = choose(votes, number, select=rule)
    if choice.lead is None:
        return
    decides = votes[0].verdict.passed is not None
    after = [
        candidate(
            len(votes) + k,
            answer,
            1.0 if decides and passed else score,
            passed=passed if decides else None,
        )
        for k, (answer, score, passed) in enumerate(more[: max(0, math.ceil(choice.lead) - 1)])
    ]
    final = choose([*votes, *after], number, select=rule)
    assert final.winner.answer == choice.winner.answer


def test_the_lead_is_in_votes_or_in_summed_scores_and_unknown_where_one_sample_may_win():
    votes = [candidate(0, "1", 0.9), candidate(1, "1", 0.8), candidate(2, "2", 0.5)]

    def lead(select, of=votes):
        return choose(of, number, select=select).lead

    assert lead("majority") == 1
    assert lead("weighted") == pytest.approx(1.2)
    assert lead("majority", votes[:2]) == 2
    assert lead("max") is None
    failed = [candidate(k, "1", 0.0, passed=False) for k in range(5)]
    assert lead("majority", failed) is None
    passed = [candidate(k, "1", 1.0, passed=True) for k in range(3)]
    assert lead("max", passed) == 3
    for select in set(SELECTIONS) - {"majority", "weighted"}:
        if select not in ("logprob", "stated_confidence", "deepconf"):
            assert lead(select) is None
