"""What treequest, a peer, finds on the landscapes; recorded, for it is slow.

    python -m tests.search.record_treequest

writes `treequest_results.json` beside this file. Takes half an hour on two cores.
"""

import json
import logging
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from tests.search.landscapes import LANDSCAPES, Landscape

RESULTS = Path(__file__).with_name("treequest_results.json")
DISTRIBUTIONS = ("beta", "gaussian")
BATCHES = (1, 8)
EXPANSIONS = (64, 256)
SEEDS = 200


@dataclass(frozen=True)
class Mean:
    """The mean best score over some searches, and its standard error."""

    mean: float
    standard_error: float

    @classmethod
    def of(cls, scores: Sequence[float]) -> "Mean":
        return cls(statistics.fmean(scores), statistics.stdev(scores) / len(scores) ** 0.5)


@dataclass(frozen=True)
class Cell:
    """What is compared: a landscape searched in one way."""

    landscape: str
    distribution: str
    batch: int
    expansions: int


@dataclass(frozen=True)
class Recorded:
    treequest: str
    date: str
    seeds: int
    cells: dict[Cell, Mean]


def read() -> Recorded:
    stored = json.loads(RESULTS.read_text())
    means = {Cell(**row["cell"]): Mean(**row["best"]) for row in stored.pop("cells")}
    return Recorded(cells=means, **stored)


def best_scores(landscape: Landscape, distribution: str, batch: int, seed: int) -> list[float]:
    """The best score after each number of EXPANSIONS of one search by treequest."""
    import treequest

    np.random.seed(seed)  # where treequest draws from
    random.seed(seed)
    rng = random.Random(f"{landscape.name}{seed}")
    algorithm = treequest.ABMCTSA(dist_type=distribution)
    state = algorithm.init_tree()
    scores: list[float] = []
    while len(scores) < max(EXPANSIONS):
        state, trials = algorithm.ask_batch(state, batch, ["answer"])
        told = [(trial, landscape.answer(trial.parent_state, rng)) for trial in trials]
        for trial, found in told:
            state = algorithm.tell(state, trial.trial_id, (found, found.score))
            scores.append(found.score)
    return [max(scores[:expansions]) for expansions in EXPANSIONS]


def cells(
    seeds: range, landscapes: Sequence[Landscape] = LANDSCAPES
) -> Iterator[tuple[Cell, Mean]]:
    ways = [
        (land, kind, batch) for land in landscapes for kind in DISTRIBUTIONS for batch in BATCHES
    ]
    with Pool(2, initializer=logging.disable) as pool:
        for land, kind, batch in ways:
            runs = pool.starmap(_by_name, [(land.name, kind, batch, seed) for seed in seeds])
            for expansions, best in zip(EXPANSIONS, zip(*runs, strict=True), strict=True):
                yield Cell(land.name, kind, batch, expansions), Mean.of(best)


def _by_name(name: str, distribution: str, batch: int, seed: int) -> list[float]:
    """`best_scores` of a landscape by its name, for functions cannot be sent to a process."""
    landscape = next(each for each in LANDSCAPES if each.name == name)
    return best_scores(landscape, distribution, batch, seed)


def main() -> None:
    rows = []
    for cell, best in cells(range(SEEDS)):
        print(cell, best, flush=True)
        rows.append({"cell": asdict(cell), "best": asdict(best)})
    stored = {
        "treequest": version("treequest"),
        "date": datetime.now(UTC).date().isoformat(),
        "seeds": SEEDS,
        "cells": rows,
    }
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
