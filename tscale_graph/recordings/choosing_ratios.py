"""Choosing among ratios by what they came to on some questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from tscale_graph.recordings.cross_fitting import Table, cross_fitted, standard_error
from tscale_graph.recordings.revising import Expected, Ratio

Cost = Literal["tokens", "calls"]
_ONE_ANSWER = Ratio(chains=1, revisions=0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Of each question, what it comes to by what the other folds chose.

    Attributes:
        best: with the ratio that they found best.
        parallel: with as many chains as they could pay for, without revisions.
        sequential: with one chain, and as many revisions as they could pay for.
    """

    best: list[Expected]
    parallel: list[Expected]
    sequential: list[Expected]


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses ratios whose mean cost is within a limit; where it pays for none, a single answer.

    Attributes:
        ratios: to choose from; one chain without revisions is among them.
        cost: what the limit counts.
        limit: the most of it that a question may cost in the mean.
    """

    ratios: tuple[Ratio, ...]
    cost: Cost
    limit: float

    def best(self, tables: Sequence[Table]) -> Ratio:
        """The cheapest ratio that is no worse than the best, as far as these questions can tell.

        That is the cheapest whose shortfall from the most accurate, over the same questions, is
        at most one standard error of that shortfall.
        """
        costs = self._paid(tables, self.ratios)
        paid = sorted(costs, key=lambda ratio: (costs[ratio], ratio.chains, ratio.revisions))
        if not paid:
            return _ONE_ANSWER
        best = max(paid, key=lambda ratio: fmean(table[ratio].accuracy for table in tables))

        def is_as_good(ratio: Ratio) -> bool:
            short = [table[best].accuracy - table[ratio].accuracy for table in tables]
            return fmean(short) <= standard_error(short)

        return next(ratio for ratio in paid if is_as_good(ratio))

    def parallel(self, tables: Sequence[Table]) -> Ratio:
        """As many chains as are paid for, without revisions."""
        return self._most(tables, [ratio for ratio in self.ratios if ratio.revisions == 0])

    def sequential(self, tables: Sequence[Table]) -> Ratio:
        """One chain, with as many revisions as are paid for."""
        return self._most(tables, [ratio for ratio in self.ratios if ratio.chains == 1])

    def fitted(self, tables: Sequence[Table], folds: Sequence[int]) -> Fitted:
        """Each question by what the others choose.

        Raises:
            ValueError: when the limit does not pay for one answer to each of these questions.
        """
        least = self._mean_cost(tables, _ONE_ANSWER)
        if least > self.limit:
            raise ValueError(
                f"mean_{self.cost} must be at least {least:.1f}, what one answer costs in the mean "
                f"over a class, got {self.limit:g}"
            )
        return Fitted(
            best=cross_fitted(tables, folds, self.best),
            parallel=cross_fitted(tables, folds, self.parallel),
            sequential=cross_fitted(tables, folds, self.sequential),
        )

    def _most(self, tables: Sequence[Table], ratios: Sequence[Ratio]) -> Ratio:
        costs = self._paid(tables, ratios)
        return max(
            costs,
            key=lambda ratio: (costs[ratio], ratio.chains, ratio.revisions),
            default=_ONE_ANSWER,
        )

    def _paid(self, tables: Sequence[Table], ratios: Sequence[Ratio]) -> dict[Ratio, float]:
        costs = {ratio: self._mean_cost(tables, ratio) for ratio in ratios}
        return {ratio: cost for ratio, cost in costs.items() if cost <= self.limit}

    def _mean_cost(self, tables: Sequence[Table], ratio: Ratio) -> float:
        if self.cost == "tokens":
            return fmean(table[ratio].tokens for table in tables)
        return fmean(table[ratio].calls for table in tables)
