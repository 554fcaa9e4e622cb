"""What may be done with a question: a technique and its arguments, under a name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from tscale_graph.policy import ClassPolicy
from tscale_graph.recipe import Recipe
from tscale_graph.stopping import AnswerPrior

Verified = Literal["no", "scores", "decides"]
"""What a class's verifier says: nothing, scores, or verdicts that pass or fail an answer."""

_CAPS = (8, 16, 40)
_FIXED = (1, 2, 3, 5, 8, 12, 16, 24, 40)
_SPECULATED = ((4, 3), (8, 3), (16, 3), (16, 7), (32, 3), (32, 7), (32, 15))
"""Samples, and how many of them a wave has beyond the first."""
_CONFIDENCES = (0.8, 0.88, 0.95)
_WORTH = (0.015, 0.005, 0.0025, 0.0015, 0.001, 0.0007, 0.0005, 0.0003, 0.00015)
"""What one more sample must be worth, in probability of a right answer."""


class Setting(Recipe):
    """A technique with what it is given: one column of what is measured.

    Attributes:
        name: names it in tables and outcomes; the same name is the same setting.
    """

    name: str = Field(min_length=1)

    @classmethod
    def vote(
        cls, max_samples: int, *, stop: str = "fixed", wave: int | None = None, **more: Any
    ) -> Setting:
        """Self-consistency with at most so many samples; 1 is a single pass.

        Args:
            max_samples: at least 1.
            stop: the stopping rule.
            wave: samples that are asked for at once, always; None lets the rule say.
            more: further arguments.

        >>> Setting.vote(16, stop="beta:0.9", wave=4).name
        'vote beta:0.9, at most 16, 4 at a time'
        """
        if max_samples == 1:
            name, stop = "one pass", "fixed"
        elif stop == "fixed":
            name = f"vote {max_samples}"
        else:
            name = f"vote {stop}, at most {max_samples}"
        arguments: dict[str, Any] = {"max_samples": max_samples, "stop": stop, **more}
        if wave is not None:
            name += f", {wave} at a time"
            arguments["max_parallel"] = wave
        if wave is not None and wave > 1:
            arguments["speculate"] = wave - 1
        return cls(name=_with(name, more), technique="self_consistency", arguments=arguments)

    @classmethod
    def best_of(
        cls, n: int, *, stop: str = "first_pass", select: str = "weighted", **more: Any
    ) -> Setting:
        """Best of at most so many samples by a verifier.

        >>> Setting.best_of(8).name
        'best of 8, first_pass, weighted'
        """
        arguments = {"n": n, "stop": stop, "select": select, **more}
        name = _with(f"best of {n}, {stop}, {select}", more)
        return cls(name=name, technique="best_of_n", arguments=arguments)

    def as_policy(self, prior: AnswerPrior | None = None) -> ClassPolicy:
        """What a policy holds of it; a value of information is given the class's prior."""
        given = self.model_dump(exclude={"name"}, exclude_defaults=True)
        if prior is not None and needs_prior(self):
            stop = stop_with_prior(self.arguments["stop"], prior)
            given["arguments"] = {**self.arguments, "stop": stop}
        return ClassPolicy.model_validate(given)


def default_settings(
    verified: Verified = "no",
    *,
    most: int = 40,
    sample_tokens: float = 500,
    waves: Sequence[int] = (1, 4, 8),
) -> tuple[Setting, ...]:
    """Settings that are worth measuring, cheapest kinds first; some 60.

    Args:
        verified: what the class's verifier says. "no" has votes only, "scores" adds best-of-N by
            scores, "decides" best-of-N that stops at the first pass.
        most: the most samples of any, at least 1.
        sample_tokens: roughly what a sample costs, its prompt included: the prices of the value of
            information are per token.
        waves: how many samples adaptive votes ask for at once. One at a time takes the fewest;
            more share a prompt, where the provider answers several times, and wait less.

    Raises:
        ValueError: for another word, or a number that is too small.
    """
    if verified not in ("no", "scores", "decides"):
        raise ValueError(f'verified must be "no", "scores" or "decides", got {verified!r}')
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    if not sample_tokens > 0:
        raise ValueError(f"sample_tokens must be positive, got {sample_tokens}")
    if any(wave < 1 for wave in waves):
        raise ValueError(f"waves must be at least 1 each, got {min(waves)}")
    caps = [cap for cap in _CAPS if cap <= most]
    found = [Setting.vote(n) for n in _FIXED if n <= most]
    for wave, confidence, cap in itertools.product(waves, _CONFIDENCES, caps):
        if wave < cap:
            found.append(Setting.vote(cap, stop=f"beta:{confidence}", wave=wave))
    cap = min(most, _CAPS[-1])
    for wave, worth in itertools.product(waves, _WORTH):
        if wave < cap:
            price = f"value_of_information:{worth / sample_tokens:.2g}"
            found.append(Setting.vote(cap, stop=price, wave=wave))
    if verified == "decides":
        # All at once costs more samples, and less where the prompts are long; waves lie between.
        found += [
            Setting.best_of(n, stop=stop)
            for stop in ("first_pass", "fixed")
            for n in (2, 4, 8, 16, 32)
            if n <= most
        ]
        found += [Setting.best_of(n, speculate=more) for n, more in _SPECULATED if n <= most]
    if verified == "scores":
        for n, select in itertools.product((2, 4, 8, 16), ("weighted", "max")):
            if n <= most:
                found.append(Setting.best_of(n, stop="fixed", select=select))
    return tuple(found)


def needs_prior(setting: Setting) -> bool:
    """Whether it stops by the value of information and does not say with which prior."""
    stop = setting.arguments.get("stop")
    return isinstance(stop, str) and stop.startswith("value_of_information") and "," not in stop


def stop_with_prior(stop: str, prior: AnswerPrior) -> str:
    """The name of a value of information with a prior.

    >>> stop_with_prior("value_of_information:1e-06", AnswerPrior(0.5, 2, 1))
    'value_of_information:1e-06,a=0.5,b=2,gamma=1'
    """
    begun = stop if ":" in stop else f"{stop}:"
    return f"{begun},a={prior.a:.4g},b={prior.b:.4g},gamma={prior.gamma:.4g}"


def check_names(settings: Iterable[Setting]) -> None:
    """Raise ValueError where two settings have the same name, or there are none."""
    seen: dict[str, Setting] = {}
    for setting in settings:
        if setting.name in seen:
            raise ValueError(
                f"each setting must have a name of its own, got {setting.name!r} twice"
            )
        seen[setting.name] = setting
    if not seen:
        raise ValueError("settings must hold at least one, got none")


def _with(name: str, more: Mapping[str, Any]) -> str:
    return ", ".join([name, *(f"{key}={value}" for key, value in more.items())])
