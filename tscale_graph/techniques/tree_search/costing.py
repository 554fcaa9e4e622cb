"""What expansions cost: at most, and as seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tscale_graph.budget import Usage
from tscale_graph.leases import SampleSize
from tscale_graph.search.asking import Costs
from tscale_graph.search.tree import ROOT
from tscale_graph.techniques.state import Admission
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import Node, SearchRun


def sample_size(
    settings: SearchSettings,
    admission: Admission,
    *,
    model: int,
    prompt_tokens: int,
    closing: bool = False,
    together: bool = False,
) -> SampleSize:
    """The most that one completion can take."""
    endpoint = settings.endpoints[model]
    most = settings.growth.output_limit(settings.max_output_tokens, closing=closing)
    return SampleSize(
        prompt_tokens=prompt_tokens,
        output_tokens=min(most, endpoint.own_output_limit or most),
        price=endpoint.prices.ceiling,
        shared_prompt=together,
        beside=admission.beside,
    )


def expected_costs(settings: SearchSettings, run: SearchRun) -> Costs | None:
    """What a fresh and a refined answer of each model cost: as seen so far, else at most.

    In dollars where every model has a price above nothing, else in tokens.
    """
    admission = run.admission
    if admission is None:
        return None
    models = range(len(settings.endpoints))
    seen = [[_Seen() for _ in models] for _ in range(2)]
    for node in run.nodes[-_LOOKED_AT:]:
        seen[node.parent != ROOT][node.model].add(node)
    bounds = [
        sample_size(settings, admission, model=model, prompt_tokens=admission.prompt_bound).cost()
        for model in models
    ]
    priced = all(bound.usd > 0 for bound in bounds)
    most = [bound.usd if priced else float(bound.tokens) for bound in bounds]
    fresh = _filled([seen[0][model].mean(priced=priced) for model in models], most)
    refined = _filled(
        [seen[1][model].mean(priced=priced) for model in models],
        [_REFINING * cost for cost in fresh],
    )
    if min(fresh) <= 0 or min(refined) <= 0:
        return None
    return Costs(tuple(fresh), tuple(refined))


_LOOKED_AT = 64
"""The last nodes tell what answers cost."""
_REFINING = 1.5
"""What a refined answer costs beside a fresh one before there is any: its prompt is longer."""


class _Seen:
    """What answers of one kind have cost."""

    def __init__(self) -> None:
        self.count, self.usd, self.tokens = 0, 0.0, 0

    def add(self, node: Node) -> None:
        made, checked = node.candidate.usage, node.checked
        self.count += 1
        self.usd += made.usd + checked.usd
        self.tokens += made.tokens + checked.tokens

    def mean(self, *, priced: bool) -> float | None:
        """What one has cost, in dollars or in tokens; None before there is one."""
        return (self.usd if priced else self.tokens) / self.count if self.count else None


def _filled(seen: Sequence[float | None], otherwise: Sequence[float]) -> list[float]:
    """What is not known yet, by the share of its own estimate that the others have cost."""
    shares = [cost / most for cost, most in zip(seen, otherwise, strict=True) if cost is not None]
    share = fmean(shares) if shares else 1.0
    return [
        share * most if cost is None else cost for cost, most in zip(seen, otherwise, strict=True)
    ]


def times(usage: Usage, count: int) -> Usage:
    """A usage so many times over."""
    return Usage.total([usage] * count)
