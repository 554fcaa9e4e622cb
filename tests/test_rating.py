"""How good an answer is taken to be: a verdict before agreement, agreement before confidence."""

import math

import pytest

from tscale_graph import Candidate, Result, Usage, Verdict
from tscale_graph.candidates import Tally
from tscale_graph.rating import rate, rate_result


def rated(votes, *, agreement=1.0, verdict=None, **more):
    tallies = [Tally(answer="3", count=votes, weight=votes)]
    winner = Candidate(index=0, answer="3", **more)
    return rate(winner, votes=tallies, agreement=agreement, verdict=verdict)


def test_a_verdict_comes_first_and_a_pass_is_worth_1_whatever_its_score():
    scored = rated(2, verdict=Verdict(score=0.4))
    passed = rated(2, verdict=Verdict(score=0.4, passed=True))
    failed = rated(2, verdict=Verdict(score=0.9, passed=False))
    assert [one.value for one in (scored, passed, failed)] == [0.4, 1.0, 0.9]
    assert [one.passed for one in (scored, passed, failed)] == [None, True, False]


def test_several_samples_are_rated_by_their_agreement():
    rating = rated(3, agreement=2 / 3, mean_logprob=-0.1)
    assert (rating.value, rating.by) == (2 / 3, "agreement")


def test_one_sample_agrees_with_nothing_so_its_confidence_counts_where_there_is_any():
    assert rated(1) is None
    assert rated(1, mean_logprob=math.log(0.9)).value == pytest.approx(0.9)
    assert rated(1, stated_confidence=0.6).value == 0.6


def test_a_result_without_an_answer_or_without_candidates_has_no_rating():
    done = {"status": "complete", "usage": Usage(), "technique": "any"}
    assert rate_result(Result(answer=None, candidates=[Candidate(index=0)], **done)) is None
    assert rate_result(Result(answer="3", **done)) is None


def test_the_rating_is_that_of_the_candidate_that_was_chosen():
    several = [
        Candidate(index=0, answer="4", text="4", stated_confidence=0.9),
        Candidate(index=1, answer="3", text="3", stated_confidence=0.2),
    ]
    votes = [Tally(answer="3", count=1, weight=1)]
    done = {"status": "complete", "usage": Usage(), "technique": "any", "votes": votes}
    assert rate_result(Result(answer="3", text="3", candidates=several, **done)).value == 0.2


def test_samples_that_cannot_be_read_lower_the_agreement_and_those_cut_off_do_not():
    several = [Candidate(index=k, answer="3", text="3") for k in range(2)]
    several += [Candidate(index=2, text="?"), Candidate(index=3, error="refused")]
    several += [Candidate(index=4, cut_off_by="tokens"), Candidate(index=5, discarded="late")]
    votes = [Tally(answer="3", count=2, weight=2)]
    done = {"status": "complete", "usage": Usage(), "technique": "any", "agreement": 1.0}
    result = Result(answer="3", text="3", candidates=several, votes=votes, **done)
    assert rate_result(result).value == pytest.approx(2 / 3)
    of_others = [Tally(answer="3", count=3, weight=3)]
    assert rate_result(result.model_copy(update={"votes": of_others})).value == 1.0
