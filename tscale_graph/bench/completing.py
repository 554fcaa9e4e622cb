"""What a tuned policy needs so that it can be run: models, verifiers, budgets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tscale_graph.budget import Budget
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.tuning.results import Tuned
from tscale_graph.tuning.settings import Setting, Verified, default_settings

ByClass = Mapping[str, Sequence[RecordedQuestion]]
_ROOM = 1.25
"""A request's budget is so much more than the longest samples that were seen come to."""


def servable(
    recorded: ByClass, *, verifier: str | None, waves: Sequence[int]
) -> tuple[list[Setting], list[str]]:
    """The settings to measure, and what was left out because no policy could hold it.

    Args:
        recorded: the questions of each class, with their samples.
        verifier: of questions that name none.
        waves: how many samples adaptive votes ask for at once.
    """
    samples = [sample for asked in recorded.values() for one in asked for sample in one.samples]
    prompts = [one.prompt_size for asked in recorded.values() for one in asked]
    outputs = sum(sample.output_tokens for sample in samples) / max(1, len(samples))
    most = max((len(one.samples) for asked in recorded.values() for one in asked), default=1)
    found: dict[str, Setting] = {}
    notes: list[str] = []
    for name, asked in recorded.items():
        kind = _verified(asked)
        if kind != "no" and verifier_of(asked, verifier) is None:
            notes.append(
                f"{name}: its questions have different verifiers, and a policy names one for a "
                "class: best-of-N is left out"
            )
            kind = "no"
        for setting in default_settings(
            kind,
            most=most,
            sample_tokens=outputs + sum(prompts) / len(prompts),
            waves=waves,
        ):
            found.setdefault(setting.name, setting)
    return list(found.values()), notes


def verifier_of(asked: Sequence[RecordedQuestion], verifier: str | None) -> str | None:
    """The verifier of all questions of a class; None where there is none, or several."""
    named = {question.verifier or verifier for question in asked}
    return named.pop() if len(named) == 1 else None


def complete_policy(
    tuned: Tuned,
    recorded: ByClass,
    *,
    default_class: str,
    model: str | None,
    verifier: str | None,
    request: Budget | None,
    arguments: Mapping[str, Any],
) -> tuple[Policy, list[str]]:
    """The policy with what it was measured with, and what its user must know.

    Args:
        tuned: what was chosen.
        recorded: the questions of each class, with their samples.
        default_class: of tasks that nothing is known of.
        model: the name of the model, where it has one.
        verifier: of questions that name none.
        request: the budget of each request of contenders that were run.
        arguments: how the samples were taken.
    """
    chosen = tuned.policy(default_class=default_class)
    entries: dict[str, ClassPolicy] = {}
    for name, entry in chosen.classes.items():
        asked = recorded[name]
        sampled = entry.technique_name in ("self_consistency", "best_of_n")
        own = entry.model or entry.models or entry.rungs
        update: dict[str, Any] = {}
        if own is None and model is not None:
            update["model"] = model
        if entry.technique_name == "best_of_n" and entry.verifier is None:
            update["verifier"] = verifier_of(asked, verifier)
        if entry.budget is None:
            update["budget"] = request if not sampled else _budget(entry, asked)
        if sampled:
            update["arguments"] = {**arguments, **entry.arguments}
        entries[name] = entry.model_copy(update=update)
    policy = Policy(default_class=default_class, classes=entries)
    notes: list[str] = []
    if len(entries) > 1:
        notes.append(
            f"requests say their class (task_class); without a word they are treated as "
            f"{default_class}, unless a classifier knows these classes"
        )
    return policy, notes


def _verified(asked: Sequence[RecordedQuestion]) -> Verified:
    samples = [sample for question in asked for sample in question.samples]
    if any(sample.passed is not None for sample in samples):
        return "decides"
    return "scores" if any(sample.score is not None for sample in samples) else "no"


def _budget(entry: ClassPolicy, asked: Sequence[RecordedQuestion]) -> Budget:
    """Enough for all samples of a setting, each as long as the longest, rounded up."""
    most = entry.arguments.get("max_samples", entry.arguments.get("n", 1))
    longest = max(sample.output_tokens for question in asked for sample in question.samples)
    prompt = max(question.prompt_size for question in asked)
    tokens = _ROOM * most * (prompt + longest)
    unit = 10 ** max(0, math.floor(math.log10(tokens)) - 1)
    return Budget(tokens=math.ceil(tokens / unit) * unit)
