"""What was sampled and what was run, as one table of questions and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from pathlib import Path

from tscale_graph.models.pricing import PriceList
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.outcomes import read_outcomes
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.tuning.measured import Measured, from_outcomes
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.settings import Setting


async def measured_by_class(
    recorded: Mapping[str, Sequence[RecordedQuestion]],
    settings: Sequence[Setting],
    *,
    seed: int,
    usd: PriceList | None,
    on_class: Callable[[int, int], None],
) -> Measured:
    """Play every setting with the samples of every class, one class after the other.

    Args:
        recorded: the questions of each class.
        settings: of votes and of best-of-N.
        seed: of the orders.
        usd: the model's prices, where they are known.
        on_class: is told how many of how many classes are done.
    """
    found: list[Measured] = []
    for place, (name, questions) in enumerate(recorded.items()):
        on_class(place, len(recorded))
        # In a thread, so that a display can go on and the run can be interrupted.
        one = await asyncio.to_thread(
            measure,
            {name: questions},
            settings,
            seed=seed,
            usd=None if usd is None else partial(_dollars, usd),
        )
        found.append(one)
    on_class(len(recorded), len(recorded))
    return reduce(Measured.beside, found)


def _dollars(prices: PriceList, inputs: float, outputs: float) -> float:
    return prices.cost(input_tokens=round(inputs), output_tokens=round(outputs))


def measured_runs(measured: Measured, contenders: Mapping[str, Recipe], outcomes: Path) -> Measured:
    """The same table with a column for each contender that was run.

    Questions that were not sampled are left out, and so are the classes' settings that were not run
    on all of their questions; a note says so.
    """
    if not outcomes.exists():
        return measured
    settings = [as_setting(name, recipe) for name, recipe in contenders.items()]
    known = set(zip(measured.classes, measured.ids, strict=True))
    ran = [
        outcome
        for outcome in read_outcomes(outcomes)
        if outcome.setting in contenders and (outcome.task_class, outcome.id) in known
    ]
    if not ran:
        return measured
    notes: list[str] = []
    for name in contenders:
        for task_class in measured.class_names:
            wanted = measured.classes.count(task_class)
            done = {o.id for o in ran if (o.setting, o.task_class) == (name, task_class)}
            if len(done) < wanted:
                notes.append(
                    f"{task_class}: {name} ran on {len(done)} of {wanted} questions, and is left "
                    "out: run again to go on"
                )
    both = measured.beside(from_outcomes(ran, settings))
    return both.noting(notes)


def as_setting(name: str, recipe: Recipe) -> Setting:
    """A technique as a setting of that name."""
    return Setting.model_validate({"name": name, **recipe.model_dump(exclude_defaults=True)})
