"""Whether an answer is good enough, and which of several stands: pure."""

from __future__ import annotations

from collections.abc import Sequence

from tscale_graph.candidates import Checked
from tscale_graph.rating import Rating, rate_verdict
from tscale_graph.techniques.cascading.settings import Rung
from tscale_graph.techniques.cascading.state import CascadeRun, Outcome
from tscale_graph.techniques.restarts import LOST


def rating_of(outcome: Outcome, checked: Checked | None, *, verified: bool) -> Rating | None:
    """What an outcome is rated by.

    Args:
        outcome: of one rung.
        checked: what the cascade's verifier said of it, if it was asked.
        verified: there is such a verifier, so that nothing else counts.
    """
    if not verified:
        return outcome.rating
    return rate_verdict(checked.verdict) if checked and checked.verdict else None


def good_enough(rating: Rating | None, accept: float) -> bool:
    """Whether an answer of this rating ends the climb: a verifier that decides has the last word.

    >>> good_enough(Rating(value=0.8, by="agreement"), 0.8)
    True
    >>> good_enough(Rating(value=0.9, by="the verifier's score", passed=False), 0.8)
    False
    """
    if rating is None:
        return False
    return rating.value >= accept if rating.passed is None else rating.passed


def asked_again(outcome: Outcome, rating: Rating | None, accept: float) -> bool:
    """Whether a rung is asked once more, for what was lost with a run that was stopped.

    It is where it has no answer, or where the samples that were lost could have brought their
    agreement up to the threshold. What was lost stays charged, so that the budget ends this.
    """
    if not outcome.lost or good_enough(rating, accept):
        return False
    if outcome.candidate.answer is None:
        return True
    counts = [vote.count for vote in outcome.votes]
    by_agreement = rating is None or rating.by == "agreement"
    most = max(counts, default=0) + outcome.lost
    return by_agreement and most >= accept * (sum(counts) + outcome.lost)


def climbed(run: CascadeRun, ratings: Sequence[Rating | None], rungs: Sequence[Rung]) -> int:
    """How many rungs of the ladder are done with."""
    several = zip(run.outcomes, ratings, strict=True)
    return sum(not asked_again(one, rating, rungs[one.rung].accept) for one, rating in several)


def ratings_of(run: CascadeRun, *, verified: bool) -> list[Rating | None]:
    """The rating of each rung that was asked, in order."""
    return [rating_of(one, run.check_of(one), verified=verified) for one in run.outcomes]


def standing(
    outcomes: Sequence[Outcome],
    ratings: Sequence[Rating | None],
    rungs: Sequence[Rung],
    *,
    last: bool,
    verified: bool,
) -> Outcome | None:
    """The outcome whose answer stands, or None when there is no answer.

    The one that was accepted; that of the last rung, which is asked because nothing below was
    good enough; else the best-rated, the later among equals. Scores of a verifier compare
    across rungs, so with one the best-rated stands before the last as such.

    Args:
        outcomes: what came of the rungs, in the order in which they were asked.
        ratings: one for each of them.
        rungs: those of the settings.
        last: the ladder was climbed to its end.
        verified: the ratings are those of one verifier.
    """
    answered = [
        (outcome, rating)
        for outcome, rating in zip(outcomes, ratings, strict=True)
        if outcome.candidate.answer is not None
    ]
    if not answered:
        return None
    final, rating = answered[-1]
    if final is outcomes[-1] and (
        good_enough(rating, rungs[final.rung].accept) or (last and not verified)
    ):
        return final
    return max(answered, key=lambda one: _merit(one[1], one[0]))[0]


def _merit(rating: Rating | None, outcome: Outcome) -> tuple[bool, float, int]:
    if rating is None:
        return False, -1.0, outcome.candidate.index
    return rating.passed is True, rating.value, outcome.candidate.index


def why_not(rating: Rating | None, outcome: Outcome, accept: float, checked: Checked | None) -> str:
    """Why an answer was not good enough, in a few words."""
    candidate = outcome.candidate
    if candidate.answer is None and candidate.cut_off_by is not None:
        return f"cut off by {candidate.cut_off_by} before it had an answer"
    if asked_again(outcome, rating, accept):
        return LOST
    if candidate.error is not None:
        return f"failed: {candidate.error}"
    if candidate.answer is None:
        return "no answer could be read"
    if checked is not None and checked.error is not None:
        return f"not verified: {checked.error}"
    if rating is None:
        return "nothing says how good its answer is"
    if rating.passed is False:
        return "the verifier did not pass its answer"
    return f"{rating.by} {_below(rating.value, accept)}"


def _below(value: float, accept: float) -> str:
    """Both with as many digits as it takes to see that one is less.

    >>> _below(2 / 3, 0.67), _below(1 / 3, 0.8)
    ('0.667 is below 0.670', '0.33 is below 0.8')
    """
    digits = next((d for d in range(2, 17) if round(value, d) < round(accept, d)), 17)
    told = [f"{one:.{digits}f}" for one in (value, accept)]
    if digits == 2:
        told = [one.rstrip("0").rstrip(".") for one in told]
    return " is below ".join(told)
