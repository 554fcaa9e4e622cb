"""Dividing a usage among those who caused it, to the last token."""

from __future__ import annotations

from collections.abc import Sequence

from tscale_graph.budget import Usage


def apportion(usage: Usage, weights: Sequence[int]) -> list[Usage]:
    """Cut one usage into parts that add up to it exactly.

    Prompt tokens, calls and seconds are shared equally; output tokens by weight; dollars by
    tokens. What does not divide goes to the first parts.
    """
    count = len(weights)
    inputs = _parts(usage.input_tokens, [1] * count)
    outputs = _parts(usage.output_tokens, [weight + 1 for weight in weights])
    reasoning = _parts(usage.reasoning_tokens, [tokens + 1 for tokens in outputs])
    calls = _parts(usage.calls, [1] * count)
    seconds = _parts(round(usage.seconds * 1e6), [1] * count)
    by_tokens = [i + o + 1 for i, o in zip(inputs, outputs, strict=True)]
    nanos = _parts(round(usage.usd * 1e9), by_tokens)
    return [
        Usage(
            calls=calls[k],
            input_tokens=inputs[k],
            output_tokens=outputs[k],
            reasoning_tokens=reasoning[k],
            usd=nanos[k] / 1e9,
            seconds=seconds[k] / 1e6,
        )
        for k in range(count)
    ]


def _parts(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of a whole, in proportion, by cumulative rounding: they add up exactly."""
    whole, reached, given = sum(weights), 0, 0
    parts: list[int] = []
    for weight in weights:
        reached += weight
        upto = -(-total * reached // whole)
        parts.append(upto - given)
        given = upto
    return parts
