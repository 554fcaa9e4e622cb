"""What a whole run of a technique takes at most, by the most tokens of its prompt.

Estimates from above that size the leases of techniques in the place of models: a lease has room
for a whole run, so that a small budget means fewer runs and not shorter ones. What keeps a run
within its lease is the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tscale_graph.budget import Usage
from tscale_graph.techniques.thinking.reading import slack

if TYPE_CHECKING:
    from tscale_graph.techniques.aggregating.settings import AggregatingSettings
    from tscale_graph.techniques.cascading.settings import CascadeSettings
    from tscale_graph.techniques.refining.settings import RefiningSettings
    from tscale_graph.techniques.settings import SamplingSettings
    from tscale_graph.techniques.thinking.settings import ThinkingSettings
    from tscale_graph.techniques.tree_search.settings import SearchSettings

_FEEDBACK_TOKENS = 256
"""What a prompt to revise has beside the question and the answer, as a rule."""
_THOUGHTS = 3
"""Calls that a thought takes which has to be told to go on, as a rule."""


def of_samples(settings: SamplingSettings, prompt_tokens: int) -> Usage:
    """All samples, what judges them, and the closing calls."""
    endpoint, most = settings.endpoint, settings.max_output_tokens
    size = endpoint.size(prompt_tokens=prompt_tokens, output_tokens=most)
    judged = [settings.verifier, settings.kind]
    samples = size.cost(calls=settings.max_samples)
    beside = Usage.total([_judging(one, prompt_tokens, most) for one in judged])
    closing = settings.closing
    ranked = Usage()
    if closing is not None:
        finalists = min(closing.at_most, settings.max_samples)
        ranked = closing.needs("", finalists=finalists, answer_tokens=most)
        ranked = _longer(ranked, prompt_tokens)
    return samples + times(beside, settings.max_samples) + ranked


def one_sample(settings: SamplingSettings) -> SamplingSettings:
    """The same, of one sample that nothing has to be chosen from."""
    return replace(settings, max_samples=1, closing=None)


def of_revisions(settings: RefiningSettings, prompt_tokens: int) -> Usage:
    """Every version of every chain, with what judges it."""
    sampling, critic = settings.sampling, settings.critic
    endpoint, most = sampling.endpoint, sampling.max_output_tokens
    first = endpoint.size(prompt_tokens=prompt_tokens, output_tokens=most)
    longer = most + (critic.max_output_tokens if critic else _FEEDBACK_TOKENS)
    later = endpoint.size(prompt_tokens=prompt_tokens + longer, output_tokens=most)
    judged = _judging(sampling.verifier, prompt_tokens, most)
    if critic is not None:
        judged = endpoint.size(
            prompt_tokens=prompt_tokens + longer, output_tokens=critic.max_output_tokens
        ).each
    versions = settings.chains * (1 + settings.max_revisions)
    revisions = later.cost(calls=versions - settings.chains)
    return first.cost(calls=settings.chains) + revisions + times(judged, versions)


def of_populations(settings: AggregatingSettings, prompt_tokens: int) -> Usage:
    """Every member of every generation, with its subset in the prompts of all but the first."""
    sampling, size = settings.sampling, settings.population
    endpoint, most = sampling.endpoint, sampling.max_output_tokens
    first = endpoint.size(prompt_tokens=prompt_tokens, output_tokens=most)
    longer = prompt_tokens + min(settings.subset, size) * most + _FEEDBACK_TOKENS
    later = endpoint.size(prompt_tokens=longer, output_tokens=most)
    return first.cost(calls=size) + later.cost(calls=size * (settings.generations - 1))


def of_thought(settings: ThinkingSettings, prompt_tokens: int) -> Usage:
    """A thought, told to go on where it has a minimum, and an answer."""
    endpoint, thinking = settings.endpoint, settings.thinking_tokens
    answer = settings.max_output_tokens
    if settings.ways[0] == "native":
        once = endpoint.size(prompt_tokens=prompt_tokens, output_tokens=thinking + answer)
        unstoppable = endpoint.thinking.unstoppable if endpoint.thinking else 0
        spare = endpoint.size(
            prompt_tokens=prompt_tokens + thinking, output_tokens=answer + unstoppable
        )
        return once.each + spare.each
    thoughts = _THOUGHTS if settings.min_thinking_tokens else 1
    told = max(settings.words_bound("think", way) for way in settings.ways)
    first = endpoint.size(prompt_tokens=prompt_tokens + told, output_tokens=thinking)
    shown = prompt_tokens + thinking + settings.seam_bound + slack(thinking)
    again = endpoint.size(prompt_tokens=shown + told, output_tokens=0)
    told = max(settings.words_bound("answer", way) for way in settings.ways)
    last = endpoint.size(prompt_tokens=shown + told, output_tokens=answer)
    return first.each + again.cost(calls=thoughts - 1) + last.each


def of_search(settings: SearchSettings, prompt_tokens: int) -> Usage:
    """Every node, of the dearest model, as a whole answer that follows from another one."""
    most = settings.max_output_tokens
    node = largest(
        one.size(prompt_tokens=prompt_tokens + most, output_tokens=most).each
        for one in settings.endpoints
    )
    judged = _judging(settings.verifier, prompt_tokens, most)
    return times(node + judged, settings.max_nodes)


def of_rungs(settings: CascadeSettings, prompt_tokens: int) -> Usage:
    """Every rung, one after the other, with what rates its answer."""
    judged = _judging(settings.verifier, prompt_tokens, settings.max_output_tokens)
    rungs = range(len(settings.rungs))
    return Usage.total(
        settings.size(rung, prompt_tokens=prompt_tokens, beside=judged).each + judged
        for rung in rungs
    )


def largest(usages: Iterable[Usage]) -> Usage:
    """The most of each kind: what any of several takes at most."""
    several = list(usages)
    return Usage(
        calls=max(one.calls for one in several),
        input_tokens=max(one.tokens for one in several),
        usd=max(one.usd for one in several),
    )


def times(usage: Usage, count: int) -> Usage:
    """A usage so many times over."""
    return Usage.total([usage] * count)


def _judging(judge: object, prompt_tokens: int, answer_tokens: int) -> Usage:
    """What judging one answer takes, where models do that."""
    needs = getattr(judge, "needs", None)
    if needs is None:
        return Usage()
    return _longer(needs("", answer_tokens=answer_tokens), prompt_tokens)


def _longer(usage: Usage, prompt_tokens: int) -> Usage:
    """The same, where each of its calls has a prompt that is so much longer."""
    return usage + Usage(input_tokens=usage.calls * prompt_tokens)
