"""What was measured: every question with every setting, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tscale_graph.recordings.outcomes import Outcome
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning.settings import Setting, check_names

Floats = NDArray[np.float64]
Cost = Literal["tokens", "calls", "usd"]
COSTS: tuple[Cost, ...] = ("tokens", "calls", "usd")


@dataclass(frozen=True, slots=True)
class Measured:
    """What each of n questions comes to with each of m settings, in the mean over replays or runs.

    A setting counts for a class only where all its questions were measured with it.

    Attributes:
        ids: of the questions, n.
        classes: the class of each question, n.
        settings: m, each with a name of its own, simplest first: of two that cost the same the
            earlier is preferred.
        accuracy: (n, m), the chance of a right answer, in [0, 1]; nan where not measured.
        tokens: (n, m), prompts included; nan where not measured.
        calls: (n, m), samples or other completions; nan where not measured.
        usd: (n, m), dollars; nan where not known.
        priors: of each class what its votes showed, for the value of information; where known.
        notes: what was left out, and why.
    """

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    settings: tuple[Setting, ...]
    accuracy: Floats
    tokens: Floats
    calls: Floats
    usd: Floats
    priors: Mapping[str, AnswerPrior] = field(default_factory=dict[str, AnswerPrior])
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_names(self.settings)
        if not self.ids:
            raise ValueError("there must be at least one question, got none")
        if len(self.ids) != len(self.classes):
            raise ValueError(f"classes must have {len(self.ids)} values, got {len(self.classes)}")
        if len(set(zip(self.classes, self.ids, strict=True))) < len(self.ids):
            raise ValueError("each id must be of one question of its class, got one twice")
        shape = len(self.ids), len(self.settings)
        for name in ("accuracy", *COSTS):
            values: Floats = getattr(self, name)
            if values.shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {values.shape}")
            if np.nanmin(values, initial=0) < 0:
                raise ValueError(f"{name} must be at least 0, got {np.nanmin(values)}")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, each once, in the order of their first questions."""
        return tuple(dict.fromkeys(self.classes))

    def cost(self, of: Cost) -> Floats:
        """(n, m), what a limit on "tokens", "calls" or "usd" counts."""
        values: Floats = getattr(self, of)
        return values

    def only(self, questions: Sequence[int] | NDArray[np.intp]) -> Measured:
        """These questions alone, by their places."""
        places = np.asarray(questions, dtype=np.intp)
        return Measured(
            ids=tuple(self.ids[int(place)] for place in places),
            classes=tuple(self.classes[int(place)] for place in places),
            settings=self.settings,
            accuracy=self.accuracy[places],
            tokens=self.tokens[places],
            calls=self.calls[places],
            usd=self.usd[places],
            priors=self.priors,
            notes=self.notes,
        )

    def noting(self, notes: Sequence[str]) -> Measured:
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def beside(self, other: Measured) -> Measured:
        """Both in one table: what was replayed and what was run, of the same questions or others.

        Questions are the same by class and id; what neither measured is nan.

        Raises:
            ValueError: when a setting of the same name differs.
        """
        known = {setting.name: setting for setting in self.settings}
        for setting in other.settings:
            if known.get(setting.name, setting) != setting:
                raise ValueError(f"setting {setting.name!r} must be the same in both, got two")
        added = [setting for setting in other.settings if setting.name not in known]
        settings = (*self.settings, *added)
        columns = {setting.name: place for place, setting in enumerate(settings)}
        rows: dict[tuple[str, str], int] = {}
        for one in (self, other):
            for key in zip(one.classes, one.ids, strict=True):
                rows.setdefault(key, len(rows))
        arrays = {
            name: np.full((len(rows), len(settings)), np.nan) for name in ("accuracy", *COSTS)
        }
        for one in (other, self):
            at = np.array([rows[key] for key in zip(one.classes, one.ids, strict=True)])
            to = np.array([columns[setting.name] for setting in one.settings])
            for name, values in arrays.items():
                mine: Floats = getattr(one, name)
                cells = np.ix_(at, to)
                values[cells] = np.where(np.isnan(mine), values[cells], mine)
        return Measured(
            ids=tuple(key[1] for key in rows),
            classes=tuple(key[0] for key in rows),
            settings=settings,
            priors={**other.priors, **self.priors},
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            accuracy=arrays["accuracy"],
            tokens=arrays["tokens"],
            calls=arrays["calls"],
            usd=arrays["usd"],
        )


def from_outcomes(outcomes: Iterable[Outcome], settings: Sequence[Setting]) -> Measured:
    """What real runs came to, the mean over the runs of a question.

    A run that failed or was cut off counts like any other: with what it answered, and what it cost.

    Raises:
        ValueError: for an outcome of an unknown setting, or none at all.
    """
    check_names(settings)
    columns = {setting.name: place for place, setting in enumerate(settings)}
    cells: dict[tuple[str, str], dict[int, list[Outcome]]] = {}
    for outcome in outcomes:
        if outcome.setting not in columns:
            known = ", ".join(columns)
            raise ValueError(f"setting must be one of {known}, got {outcome.setting!r}")
        row = cells.setdefault((outcome.task_class, outcome.id), {})
        row.setdefault(columns[outcome.setting], []).append(outcome)
    arrays = {name: np.full((len(cells), len(settings)), np.nan) for name in ("accuracy", *COSTS)}
    for place, row in enumerate(cells.values()):
        for column, runs in row.items():
            arrays["accuracy"][place, column] = np.mean([run.correct for run in runs])
            for cost in COSTS:
                spent = [getattr(run.usage, cost) for run in runs]
                arrays[cost][place, column] = np.mean(spent)
    if not np.nansum(arrays["usd"]):
        arrays["usd"][:] = np.nan
    return Measured(
        ids=tuple(key[1] for key in cells),
        classes=tuple(key[0] for key in cells),
        settings=tuple(settings),
        accuracy=arrays["accuracy"],
        tokens=arrays["tokens"],
        calls=arrays["calls"],
        usd=arrays["usd"],
    )
