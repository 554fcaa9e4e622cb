"""Settings that recorded samples can tell about, as the simulator takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from tscale_graph.stopping import FirstPass, StoppingRule, stopping_rule
from tscale_graph.tuning.replaying import Waves
from tscale_graph.tuning.settings import Setting
from tscale_graph.votes import selection

_VOTE_ARGUMENTS = {"max_samples", "stop", "vote", "max_parallel", "speculate"}
_BEST_ARGUMENTS = {"n", "stop", "select", "max_parallel", "speculate"}


@dataclass(frozen=True, slots=True)
class Replayable:
    """A setting as the simulator takes it.

    Attributes:
        rule: when to stop.
        most: the most samples.
        select: how to choose, by name.
        max_parallel: the most in flight at once.
        speculate: samples that each wave has beyond what the rule needs.
        verified: it needs a verifier.
    """

    rule: StoppingRule
    most: int
    select: str
    max_parallel: int | None
    verified: bool
    speculate: int = 0

    @property
    def plain(self) -> bool:
        """A majority vote by counts alone, which has a fast path."""
        return not self.verified and self.select == "majority" and Waves.replays(self.rule)

    @property
    def first_pass(self) -> bool:
        """It ends with the first sample that passes, which is then the answer."""
        return isinstance(self.rule, FirstPass) and self.select in ("weighted", "max")


def replayable(setting: Setting) -> Replayable:
    """The setting as the simulator takes it.

    Raises:
        ValueError: when recorded samples cannot tell what it comes to.
    """
    arguments = dict(setting.arguments)
    voting = setting.technique == "self_consistency"
    allowed = _VOTE_ARGUMENTS if voting else _BEST_ARGUMENTS
    unknown = sorted(set(arguments) - allowed)
    if setting.technique not in ("self_consistency", "best_of_n") or unknown:
        what = unknown[0] if unknown else setting.technique
        raise ValueError(
            f"setting {setting.name!r}: {what} cannot be replayed from samples; measure it by runs"
        )
    most = arguments.get("max_samples", 16) if voting else arguments.get("n", 8)
    stop = arguments.get("stop") or ("beta" if voting else "first_pass")
    select = arguments.get("vote", "majority") if voting else arguments.get("select") or "weighted"
    if not isinstance(most, int) or most < 1:
        raise ValueError(f"setting {setting.name!r}: samples must be at least 1, got {most!r}")
    try:
        rule = stopping_rule(stop)
        selection(select)
    except ValueError as error:
        raise ValueError(f"setting {setting.name!r}: {error}") from None
    parallel = cast(int | None, arguments.get("max_parallel"))
    speculate = arguments.get("speculate", 0)
    if not isinstance(speculate, int) or speculate < 0:
        told = f"speculate must be at least 0, got {speculate!r}"
        raise ValueError(f"setting {setting.name!r}: {told}")
    return Replayable(rule, most, select, parallel, verified=not voting, speculate=speculate)
