"""What recorded samples come to with each setting, by the library's own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import Verification, prepare
from tscale_graph.stopping import NEED_VERIFIER, AnswerPrior
from tscale_graph.tuning.cells import first_pass, simulated, verified_exactly, voted
from tscale_graph.tuning.measured import Floats, Measured
from tscale_graph.tuning.playable import Replayable, replayable
from tscale_graph.tuning.priors import class_prior, priors_for
from tscale_graph.tuning.replaying import Replays, Waves
from tscale_graph.tuning.settings import Setting, check_names, needs_prior, stop_with_prior


def measure(
    questions: Mapping[str, Sequence[RecordedQuestion]],
    settings: Sequence[Setting],
    *,
    replays: int = 20,
    seed: int = 0,
    shared_prompt: bool = True,
    verification: Mapping[str, Verification] | None = None,
    priors: Mapping[str, AnswerPrior] | None = None,
    usd: Callable[[int, int], float] | None = None,
) -> Measured:
    """What each question comes to with each setting, from its recorded samples.

    Votes of a fixed number of samples have exact estimates; everything else is played in
    `replays` seeded orders, the same for all settings. A setting is left out for a class whose
    questions have fewer samples than it takes at the most, or no verdicts where it needs them.

    Args:
        questions: of each class, with their samples.
        settings: of the techniques self_consistency and best_of_n, each with a name of its own.
        replays: orders, at least 1.
        seed: the first of the seeds of the orders.
        shared_prompt: a wave pays for its prompt once, as with providers that return many
            completions of one request; otherwise every sample does.
        verification: of classes with a verifier: "recorded" or "gold"; of classes that are not
            named, "recorded" where samples have verdicts or scores.
        priors: what to believe of a class, for the value of information. Of classes that are not
            named it is learnt from their questions, each half played with what the other showed.
        usd: dollars of a question, from its input and output tokens, where there is a price.

    Raises:
        ValueError: for a setting that cannot be replayed, a class without questions, or a number
            of replays below 1.
    """
    check_names(settings)
    if replays < 1:
        raise ValueError(f"replays must be at least 1, got {replays}")
    played = [replayable(setting) for setting in settings]
    total = sum(map(len, questions.values()))
    arrays = {name: np.full((total, len(settings)), np.nan) for name in ("accuracy", "calls")}
    inputs, outputs = (np.full((total, len(settings)), np.nan) for _ in range(2))
    notes: list[str] = []
    seeds = range(seed, seed + replays)
    found: dict[str, AnswerPrior] = {}
    row = 0
    for name, asked in questions.items():
        if not asked:
            raise ValueError(f"class {name!r} must have at least one question, got none")
        kind = (verification or {}).get(name) or _recorded(asked)
        columns = _columns(name, asked, played, kind, notes)
        plain = [prepare(question) for question in asked]
        checked = [prepare(q, verification=kind) for q in asked] if kind != "none" else plain
        decks = {False: plain, True: checked}
        found[name] = (priors or {}).get(name) or class_prior(plain)
        each = [found[name]] * len(asked) if name in (priors or {}) else priors_for(plain)
        memory = _Memory(settings, played)
        for place, deck in enumerate(plain):
            orders = Replays(deck, seeds)
            for column in columns:
                one, waves = memory.at(column, each[place])
                cell = (
                    voted(orders, one, waves, shared_prompt)
                    if one.plain
                    else first_pass(checked[place], one, seeds, shared_prompt)
                    if one.first_pass and verified_exactly(checked[place])
                    else simulated(decks[one.verified][place], one, seeds, shared_prompt)
                )
                arrays["accuracy"][row + place, column] = cell[0]
                arrays["calls"][row + place, column] = cell[1]
                inputs[row + place, column], outputs[row + place, column] = cell[2], cell[3]
        row += len(asked)
    return Measured(
        ids=tuple(question.id for asked in questions.values() for question in asked),
        classes=tuple(name for name, asked in questions.items() for _ in asked),
        settings=tuple(settings),
        tokens=inputs + outputs,
        usd=_priced(usd, inputs, outputs),
        priors=found,
        notes=tuple(notes),
        accuracy=arrays["accuracy"],
        calls=arrays["calls"],
    )


def _priced(usd: Callable[..., float] | None, inputs: Floats, outputs: Floats) -> Floats:
    """Dollars where there is a price and something was measured, else NaN."""
    found: Floats = np.full(inputs.shape, np.nan)
    if usd is not None:
        known = ~np.isnan(inputs)
        found[known] = [usd(*both) for both in zip(inputs[known], outputs[known], strict=True)]
    return found


class _Memory:
    """The rules of the settings, and what they remember, for each prior that they are given."""

    def __init__(self, settings: Sequence[Setting], played: Sequence[Replayable]) -> None:
        self._settings = settings
        self._played = played
        self._known: dict[tuple[int, AnswerPrior | None], tuple[Replayable, Waves]] = {}

    def at(self, column: int, prior: AnswerPrior) -> tuple[Replayable, Waves]:
        setting, one = self._settings[column], self._played[column]
        key = column, prior if needs_prior(setting) else None
        if key not in self._known:
            if key[1] is not None:
                stop = stop_with_prior(setting.arguments["stop"], prior)
                one = replayable(_stopping(setting, stop))
            waves = Waves(
                one.rule, most=one.most, max_parallel=one.max_parallel, speculate=one.speculate
            )
            self._known[key] = one, waves
        return self._known[key]


def _stopping(setting: Setting, stop: str) -> Setting:
    arguments: dict[str, Any] = {**setting.arguments, "stop": stop}
    return setting.model_copy(update={"arguments": arguments})


def _columns(
    name: str,
    asked: Sequence[RecordedQuestion],
    played: Sequence[Replayable],
    kind: Verification,
    notes: list[str],
) -> list[int]:
    """The settings that the samples of a class can be played with; notes say why others cannot."""
    fewest = min(len(question.samples) for question in asked)
    columns: list[int] = []
    short = unverified = 0
    for column, one in enumerate(played):
        needs = one.verified or one.rule.name in NEED_VERIFIER
        unverified += needs and kind == "none"
        short += one.most > fewest
        if one.most <= fewest and not (needs and kind == "none"):
            columns.append(column)
    if short:
        notes.append(f"{name}: {short} settings need more than the {fewest} recorded samples")
    if unverified:
        notes.append(f"{name}: {unverified} settings need a verifier, and none is recorded")
    return columns


def _recorded(asked: Sequence[RecordedQuestion]) -> Verification:
    judged = any(
        sample.score is not None or sample.passed is not None
        for question in asked
        for sample in question.samples
    )
    return "recorded" if judged else "none"
