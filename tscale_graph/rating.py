"""How good an answer is taken to be, by what is known of the run that it came of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tscale_graph.candidates import Candidate, Result, Score, Tally, Verdict

NEVER = 1.01
"""A threshold that no rating reaches."""


class Rating(BaseModel):
    """How good an answer is taken to be.

    Attributes:
        value: from 0 to 1.
        by: what told it, such as "agreement".
        passed: a verifier's decision, which no threshold overrules; None where there was none.
    """

    model_config = ConfigDict(frozen=True)

    value: Score
    by: str
    passed: bool | None = None


def rate_result(result: Result) -> Rating | None:
    """What a technique's own result says of its answer; None where it says nothing."""
    chosen = (c for c in result.candidates if (c.answer, c.text) == (result.answer, result.text))
    winner = None if result.answer is None else next(chosen, None)
    return winner and rate(
        winner,
        votes=result.votes,
        agreement=result.agreement,
        verdict=result.verdict,
        unread=unread(result.candidates, result.votes),
    )


def unread(candidates: Sequence[Candidate], votes: Sequence[Tally]) -> int:
    """How many samples ended and have no answer that could be read.

    Args:
        candidates: every sample.
        votes: of them; where they are of others, as those of a cascade are, none is counted.
    """
    ended = [one for one in candidates if one.error is None and one.discarded is None]
    if sum(one.answer is not None for one in ended) != sum(vote.count for vote in votes):
        return 0
    return sum(one.answer is None and one.cut_off_by is None for one in ended)


def rate(
    winner: Candidate,
    *,
    votes: Sequence[Tally],
    agreement: float | None,
    verdict: Verdict | None = None,
    unread: int = 0,
) -> Rating | None:
    """Rate the answer that was chosen among candidates; None where nothing is known of it.

    Its verdict; else the agreement of the samples, where several of them voted; else of the only
    one the probability of a mean token, exp(mean log-probability), or what the model stated.
    Agreement as the signal of a cascade: Yue et al. 2023, arXiv:2310.03094.

    Args:
        winner: the chosen one.
        votes: every answer that was in the running.
        agreement: share of the samples with an answer that gave the chosen one, or None.
        verdict: on the chosen one, or None.
        unread: samples without an answer that could be read, which agree with no other.

    >>> winner = Candidate(index=0, answer="3")
    >>> rate(winner, votes=[Tally(answer="3", count=2, weight=2)], agreement=1.0)
    Rating(value=1.0, by='agreement', passed=None)
    >>> rate(winner, votes=[Tally(answer="3", count=1, weight=1)], agreement=1.0) is None
    True
    """
    if verdict is not None:
        return rate_verdict(verdict)
    read = sum(vote.count for vote in votes)
    if agreement is not None and read + unread > 1:
        return Rating(value=agreement * read / (read + unread), by="agreement")
    return rate_confidence(winner)


def rate_verdict(verdict: Verdict) -> Rating:
    """What a verifier's verdict is worth: 1 when it passed, else its score."""
    value = 1.0 if verdict.passed else verdict.score
    return Rating(value=value, by="the verifier's score", passed=verdict.passed)


def rate_confidence(candidate: Candidate) -> Rating | None:
    """How sure a model was of its answer, where that is known."""
    if candidate.mean_logprob is not None:
        probability = min(1.0, math.exp(candidate.mean_logprob))
        return Rating(value=probability, by="the mean token's probability")
    if candidate.stated_confidence is not None:
        return Rating(value=candidate.stated_confidence, by="stated confidence")
    return None
