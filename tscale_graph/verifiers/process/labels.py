"""Labels of reasoning steps without people: can a solution that begins like this still succeed?

Solutions are completed from their beginnings, and a step is worth what share of the completions
come to a right answer. Two ways to decide which beginnings to complete: all of them (Math-Shepherd,
Wang et al. 2024, arXiv:2312.08935), or those that a binary search for the first wrong step asks
for (OmegaPRM, Luo et al. 2024, arXiv:2406.06592). Pure: no model, no graph, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args

from tscale_graph.stopping.distributions import incomplete_beta

Method = Literal["shares", "bisection"]
METHODS: tuple[Method, ...] = get_args(Method)
ROLLOUTS, FIRST = 8, 4
"""Completions of one beginning, and so many of them at once, unless told otherwise."""


class Prefix(NamedTuple):
    """The beginning of a solution.

    Attributes:
        question: the id of the question.
        steps: its first steps, without the whitespace around them; none for the question alone.
    """

    question: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A solution that a model wrote, all of it or from some step on.

    Attributes:
        question: the id of the question.
        steps: all steps, without the whitespace around them.
        right: whether its answer is right.
        given: how many of the steps were given to the model, from 0.
        truncated: it was cut short at the output limit, so that its last step is no end.
    """

    question: str
    steps: tuple[str, ...]
    right: bool
    given: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many completions of one beginning were right.

    Attributes:
        right: of them.
        count: all of them.
    """

    right: int = 0
    count: int = 0

    @property
    def share(self) -> float:
        """The estimate of the probability that one is right, kept off 0 and 1 (Jeffreys)."""
        return (self.right + 0.5) / (self.count + 1)

    def and_(self, *, right: bool) -> Outcomes:
        """These and one more."""
        return Outcomes(self.right + right, self.count + 1)


Known = Mapping[Prefix, Outcomes]
"""What the completions so far say of each beginning."""


def outcomes_of(completions: Iterable[Completion]) -> dict[Prefix, Outcomes]:
    """Of each beginning, how its completions came out.

    A completion counts for every beginning that it passes through from where the model began to
    write: to that and what follows the model came by itself. Equal beginnings of different
    solutions are one.
    """
    known: dict[Prefix, Outcomes] = {}
    for one in completions:
        for length in range(one.given, len(one.steps) + 1):
            prefix = Prefix(one.question, one.steps[:length])
            known[prefix] = known.get(prefix, Outcomes()).and_(right=one.right)
    return known


@dataclass(frozen=True, slots=True)
class StepLabel:
    """What is known of one step.

    Attributes:
        value: the probability that a solution which has come so far succeeds, in [0, 1].
        weight: how much that is to be believed, in [0, 1]; 0 for a step of which nothing is known.
    """

    value: float
    weight: float


class Labelling(Protocol):
    """Which beginnings to complete, and what that says of the steps."""

    @property
    def name(self) -> str | None:
        """What `labelling_named` knows it by; None where no name says it all."""
        ...

    def wanted(self, solution: Completion, known: Known) -> tuple[Prefix, int] | None:
        """The beginning of a solution to complete next, and how often; None when it is labelled."""
        ...

    def labels(self, solution: Completion, known: Known) -> list[StepLabel]:
        """One label for each step of a solution; the last is its outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Shares(Labelling):
    """Completes every beginning of every solution (Wang et al. 2024, arXiv:2312.08935).

    Attributes:
        rollouts: completions of one beginning at most, at least 1.
        first: so many at once, at least 1, and all of them where `rollouts` is less; more only
            while it is open on which side it is.
        low, high: a beginning is bad or good for certain when the whole 90 % interval of its
            share is below `low` or above `high`, which 0 and 1 rule out; 0 <= low <= high <= 1.

    Raises:
        ValueError: in one line, for anything out of these ranges.
    """

    rollouts: int = ROLLOUTS
    first: int = FIRST
    low: float = 0.15
    high: float = 0.5

    def __post_init__(self) -> None:
        _check_counts(self.rollouts, self.first)
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(
                f"low and high must be 0 <= low <= high <= 1, got {self.low} and {self.high}"
            )
        object.__setattr__(self, "first", min(self.first, self.rollouts))

    @property
    def name(self) -> str | None:
        """What `labelling_named` knows it by; None where no name says it all.

        >>> Shares(16).name, Shares(low=0.1).name
        ('shares:16', None)
        """
        return _name(self, "shares", self.rollouts)

    def wanted(self, solution: Completion, known: Known) -> tuple[Prefix, int] | None:
        """The first beginning of which too little is known, and how many completions it lacks."""
        for length in range(1, len(solution.steps)):
            prefix = Prefix(solution.question, solution.steps[:length])
            missing = self._missing(known.get(prefix, Outcomes()))
            if missing:
                return prefix, missing
        return None

    def _missing(self, outcomes: Outcomes) -> int:
        most = self.rollouts - outcomes.count
        if most <= 0:
            return 0
        if outcomes.count < self.first:
            return min(most, self.first - outcomes.count)
        a, b = 1 + outcomes.right, 1 + outcomes.count - outcomes.right
        good = incomplete_beta(a, b, self.high) < _TAIL
        bad = 1 - incomplete_beta(a, b, self.low) < _TAIL
        return 0 if good or bad else most

    def labels(self, solution: Completion, known: Known) -> list[StepLabel]:
        """The share of each beginning, believed by n/(n + 4) of n; at the end the outcome.

        That a solution was cut short says nothing of the steps before its last one, where it is
        the only one that begins like this: these have weight 0.
        """
        labels: list[StepLabel] = []
        for length in range(1, len(solution.steps)):
            outcomes = known.get(Prefix(solution.question, solution.steps[:length]), Outcomes())
            if solution.truncated and outcomes.count <= 1:
                outcomes = Outcomes()
            labels.append(StepLabel(outcomes.share, outcomes.count / (outcomes.count + 4)))
        return [*labels, _outcome(solution)]


_TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Bisection(Labelling):
    """Looks for the first wrong step of wrong solutions (Luo et al. 2024, arXiv:2406.06592).

    A beginning from which any completion is right has no wrong step, as far as that can be told;
    one from which none of `rollouts` is right has one. Right solutions need no completion.

    Attributes:
        rollouts: completions of one beginning, at least 1.
        first: so many at once, at least 1, and all of them where `rollouts` is less; more only
            while none was right.

    Raises:
        ValueError: in one line, for fewer than 1.
    """

    rollouts: int = ROLLOUTS
    first: int = FIRST

    def __post_init__(self) -> None:
        _check_counts(self.rollouts, self.first)
        object.__setattr__(self, "first", min(self.first, self.rollouts))

    @property
    def name(self) -> str | None:
        """What `labelling_named` knows it by; None where no name says it all.

        >>> Bisection().name, Bisection(4, first=1).name
        ('bisection', None)
        """
        return _name(self, "bisection", self.rollouts)

    def wanted(self, solution: Completion, known: Known) -> tuple[Prefix, int] | None:
        """The beginning in the middle of those that may be the first wrong one."""
        good, bad = self._between(solution, known)
        if bad - good <= 1:
            return None
        prefix = Prefix(solution.question, solution.steps[: (good + bad) // 2])
        outcomes = known.get(prefix, Outcomes())
        left = self.rollouts - outcomes.count
        return prefix, min(left, max(1, self.first - outcomes.count))

    def labels(self, solution: Completion, known: Known) -> list[StepLabel]:
        """1 up to the first wrong step, and 0 from there on.

        Where it is not found yet, the steps that it may be or not have weight 0.
        """
        good, bad = self._between(solution, known)
        labels = [
            StepLabel(Outcomes().share, 0.0)
            if good < length < bad
            else StepLabel(float(length <= good), 1.0)
            for length in range(1, len(solution.steps))
        ]
        return [*labels, _outcome(solution)]

    def first_wrong(self, solution: Completion, known: Known) -> int | None:
        """The place of the first wrong step, from 0; None for a right solution.

        Where the search is unfinished, the first that is known to be one.
        """
        return None if solution.right else self._between(solution, known)[1] - 1

    def _between(self, solution: Completion, known: Known) -> tuple[int, int]:
        """The longest beginning that is known to be good, and the shortest that is bad."""
        if solution.right:
            return len(solution.steps), len(solution.steps) + 1
        good, bad = 0, len(solution.steps)
        while bad - good > 1:
            middle = (good + bad) // 2
            outcomes = known.get(Prefix(solution.question, solution.steps[:middle]), Outcomes())
            if outcomes.right:
                good = middle
            elif outcomes.count >= self.rollouts:
                bad = middle
            else:
                break
        return good, bad


def _outcome(solution: Completion) -> StepLabel:
    return StepLabel(float(solution.right), 1.0)


def labelling_named(name: str) -> Labelling:
    """How steps are labelled, by name, with the completions of a beginning if wanted.

    >>> labelling_named("bisection:4").rollouts
    4

    Args:
        name: "shares" or "bisection", or either with ":" and a number of completions.

    Raises:
        ValueError: for anything else; the message lists the names.
    """
    method, colon, count = name.partition(":")
    if method in METHODS and (not colon or (count.isdecimal() and int(count) > 0)):
        rollouts = int(count) if colon else ROLLOUTS
        return Shares(rollouts) if method == "shares" else Bisection(rollouts)
    raise ValueError(f"labels must be one of {', '.join(METHODS)}, or shares:8, got {name!r}")


def _name(labelling: Labelling, method: Method, rollouts: int) -> str | None:
    name = method if rollouts == ROLLOUTS else f"{method}:{rollouts}"
    return name if labelling_named(name) == labelling else None


def _check_counts(rollouts: int, first: int) -> None:
    for name, count in (("rollouts", rollouts), ("first", first)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")


def next_rollouts(
    labelling: Labelling, solutions: Sequence[Completion], known: Known
) -> list[tuple[Prefix, int]]:
    """What to complete next, each beginning once, in the order of the solutions.

    Nothing is asked about truncated solutions: what models write up to the output limit is mostly a
    loop of many steps, and each of its beginnings would be completed.
    """
    wanted: dict[Prefix, int] = {}
    for solution in solutions:
        asked = None if solution.truncated else labelling.wanted(solution, known)
        if asked is not None:
            prefix, count = asked
            wanted[prefix] = max(count, wanted.get(prefix, 0))
    return list(wanted.items())
