"""Runs of a stopping rule on a stream of answers, in waves and one at a time."""

from collections import Counter

from tscale_graph.stopping import Standing, wave_size


def standing_of(answers, *, max_samples=None, with_lead=True):
    """The standing after these answers (numbers, or None for one that could not be read)."""
    votes = [answer for answer in answers if answer is not None]
    counts = tuple(sorted(Counter(votes).values(), reverse=True))
    first, second, *_ = (*counts, 0, 0)
    return Standing(
        counts=counts,
        samples=len(answers),
        votes=tuple(answers),
        lead=first - second if with_lead else None,
        left=None if max_samples is None else max_samples - len(answers),
    )


def taken_one_at_a_time(rule, stream, **how):
    """How many answers of the stream are bought one by one."""
    return taken_in_waves(rule, stream, max_parallel=1, **how)


def taken_in_waves(rule, stream, *, max_parallel=None, speculate=0, with_lead=True):
    """How many answers of the stream are bought in waves."""
    taken = 0
    while wave := wave_size(
        rule,
        standing_of(stream[:taken], max_samples=len(stream), with_lead=with_lead),
        max_samples=len(stream),
        max_parallel=max_parallel,
        speculate=speculate,
    ):
        taken += wave
    return taken
