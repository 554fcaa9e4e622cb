"""Selection by agreement between a set of solutions and a set of tests, neither of them sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.candidates import Candidate
from tscale_graph.votes.selection import Group, Weighing, regroup


@dataclass(frozen=True, slots=True)
class Agreement:
    """The solutions that agree with each other and with the tests that most solutions pass.

    Dual execution agreement (CodeT, Chen et al. 2022, arXiv:2207.10397): solutions that pass the
    same tests form a set, worth the number of solutions times the number of tests that
    they pass. Here a test counts by the share of solutions that pass it, because tests that a
    model wrote are often wrong; so a set is worth
    solutions^`solutions_power` × (sum of the shares of the tests passed)^`tests_power`.

    The tests are those of `Verdict.tests`; a candidate without them passes none. Where nothing
    passes any test, sets are worth their size. Nothing wins for having passed alone.

    Attributes:
        given: how many of the leading tests came with the question and are known to be right.
            Solutions that pass fewer of these than another are out of the running, and only the
            tests after them are weighed.
        together: "tests" puts solutions that pass the same tests together, whatever their text;
            "answer" those with the same answer, for answers that already stand for behaviour.
        solutions_power: of the number of solutions, at least 0.
        tests_power: of the tests' worth, at least 0.
    """

    given: int = 0
    together: Literal["tests", "answer"] = "tests"
    solutions_power: float = 0.5
    tests_power: float = 2.0
    name: str = "agreement"

    def __post_init__(self) -> None:
        for field in ("given", "solutions_power", "tests_power"):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{field} must be at least 0, got {getattr(self, field)}")
        if self.together not in ("tests", "answer"):
            raise ValueError(f'together must be "tests" or "answer", got {self.together!r}')

    def weigh(self, groups: Sequence[Group]) -> Weighing:
        """By the worth of the set that each solution is in."""
        keys = [group.key for group in groups for _ in group.candidates]
        tests = [_tests(candidate) for group in groups for candidate in group.candidates]
        passes = [sum(passed[: self.given]) for passed in tests]
        stays = [count == max(passes) for count in passes]
        own = [passed[self.given :] for passed in tests]
        sets = keys if self.together == "answer" else own
        sizes = Counter(name for name, kept in zip(sets, stays, strict=True) if kept)
        trust = _shares([passed for passed, kept in zip(own, stays, strict=True) if kept])
        within = regroup(
            [
                self._worth(sizes[name], passed, trust) if kept else -1.0
                for name, passed, kept in zip(sets, own, stays, strict=True)
            ],
            groups,
        )
        return Weighing(
            tuple(max(worths) for worths in within),
            kept=tuple(max(worths) >= 0 for worths in within),
            within=within,
            passed_first=False,
            notes=() if any(tests) else ("no candidate has tests: sets were weighed by size",),
        )

    def _worth(self, size: int, passed: Sequence[bool], trust: Sequence[float]) -> float:
        """What a solution's set is worth; never below 0."""
        solutions = size**self.solutions_power
        if not any(trust):
            return solutions
        tests = sum(share for share, passes in zip(trust, passed, strict=False) if passes)
        return solutions * tests**self.tests_power


def _tests(candidate: Candidate) -> tuple[bool, ...]:
    return (candidate.verdict and candidate.verdict.tests) or ()


def _shares(solutions: Sequence[tuple[bool, ...]]) -> list[float]:
    """The share of the solutions that pass each test."""
    width = max(map(len, solutions))
    return [
        sum(passed[test] for passed in solutions if test < len(passed)) / len(solutions)
        for test in range(width)
    ]
