"""What expansions cost: at most, and as seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

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
    return endpoint.size(
        prompt_tokens=prompt_tokens,
        output_tokens=most,
        together=together,
        beside=admission.beside,
    )


def expected_costs(settings: SearchSettings, run: SearchRun) -> Costs | None:
    """What a fresh and a refined answer of each model cost: as seen so far, else by estimate.

    In dollars where every model has a price above nothing, else in tokens. Fresh answers of one
    request share its prompt; one that refines has a prompt of its own, with an answer in it.
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
    alone = [
        _refined_alone(settings, admission, model, seen[0][model], priced=priced)
        for model in models
    ]
    refined = _filled([seen[1][model].mean(priced=priced) for model in models], alone)
    if min(fresh) <= 0 or min(refined) <= 0:
        return None
    return Costs(tuple(fresh), tuple(refined))


_LOOKED_AT = 64
"""The last nodes tell what answers cost."""


def _refined_alone(
    settings: SearchSettings, admission: Admission, model: int, seen: _Seen, *, priced: bool
) -> float:
    """What an answer costs whose prompt has another answer in it, by the length of those seen."""
    answer = seen.mean_output or settings.max_output_tokens
    price = settings.endpoints[model].prices.ceiling
    prompt = admission.prompt_bound + answer
    if priced and price is not None:
        return price.cost(input_tokens=prompt, output_tokens=answer) + admission.beside.usd
    return float(prompt + answer + admission.beside.tokens)


class _Seen:
    """What answers of one kind have cost."""

    def __init__(self) -> None:
        self.count, self.usd, self.tokens, self.output_tokens = 0, 0.0, 0, 0

    def add(self, node: Node) -> None:
        made, checked = node.candidate.usage, node.checked
        self.count += 1
        self.usd += made.usd + checked.usd
        self.tokens += made.tokens + checked.tokens
        self.output_tokens += made.output_tokens

    def mean(self, *, priced: bool) -> float | None:
        """What one has cost, in dollars or in tokens; None before there is one."""
        return (self.usd if priced else self.tokens) / self.count if self.count else None

    @property
    def mean_output(self) -> int:
        """Tokens of one answer, rounded up; 0 before there is one."""
        return -(-self.output_tokens // self.count) if self.count else 0


def _filled(seen: Sequence[float | None], otherwise: Sequence[float]) -> list[float]:
    """What is not known yet, by the share of its own estimate that the others have cost."""
    shares = [cost / most for cost, most in zip(seen, otherwise, strict=True) if cost is not None]
    share = fmean(shares) if shares else 1.0
    return [
        share * most if cost is None else cost for cost, most in zip(seen, otherwise, strict=True)
    ]
