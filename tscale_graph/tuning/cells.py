"""What one question comes to with one setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from tscale_graph.estimators import majority_at_k, pass_at_k
from tscale_graph.recordings.records import playing_order
from tscale_graph.recordings.simulating import Deck, simulate
from tscale_graph.stopping import Fixed
from tscale_graph.tuning.playable import Replayable
from tscale_graph.tuning.replaying import Replays, Waves

Cell = tuple[float, float, float, float]
"""Accuracy, calls, input and output tokens of one question."""


def voted(orders: Replays, one: Replayable, waves: Waves, shared: bool) -> Cell:
    """A majority vote: exact for a fixed number of samples, otherwise as it is played."""
    at_once = one.max_parallel is None or one.max_parallel >= one.most
    if isinstance(one.rule, Fixed) and at_once and (counts := _counts(orders.deck)):
        samples, prompt = orders.deck.question.samples, orders.deck.question.prompt_size
        output = sum(sample.output_tokens for sample in samples) / len(samples)
        right, wrong, silent = counts
        accuracy = _majority(right, wrong, one.most, silent)
        return accuracy, one.most, prompt * (1 if shared else one.most), one.most * output
    return _mean(
        [
            (replay.right, replay.samples, replay.tokens, replay.rounds)
            for replay in orders.play(waves, shared_prompt=shared)
        ],
        orders.deck.question.prompt_size,
        shared,
    )


@lru_cache(maxsize=65536)
def _majority(right: int, wrong: tuple[int, ...], k: int, silent: int) -> float:
    return majority_at_k(right, wrong, k=k, silent=silent)


def first_pass(deck: Deck, one: Replayable, seeds: range, shared: bool) -> Cell:
    """Where the verifier is never wrong: the chance of a right sample is exact."""
    question = deck.question
    right = sum(sample.correct for sample in question.samples)
    wave = min(1 + one.speculate, one.max_parallel or one.most)
    samples = output = rounds = 0
    for seed in seeds:
        order = playing_order(question, seed=seed)[: one.most]
        for first in range(0, len(order), wave):
            taken = [question.samples[place] for place in order[first : first + wave]]
            rounds += 1
            samples += len(taken)
            output += sum(sample.output_tokens for sample in taken)
            if any(sample.correct for sample in taken):
                break
    calls = samples / len(seeds)
    accuracy = pass_at_k(len(question.samples), right, k=one.most)
    prompts = rounds / len(seeds) if shared else calls
    return accuracy, calls, prompts * question.prompt_size, output / len(seeds)


def verified_exactly(deck: Deck) -> bool:
    """Whether every sample passed if and only if it is right, and equal answers agree."""
    return _counts(deck) is not None and all(
        (candidate.verdict is not None and candidate.verdict.passed is True) == sample.correct
        for candidate, sample in zip(deck.candidates, deck.question.samples, strict=True)
    )


def simulated(deck: Deck, one: Replayable, seeds: range, shared: bool) -> Cell:
    """Anything else, as the simulator plays it."""
    played = [
        simulate(
            deck,
            one.rule,
            seed=seed,
            max_samples=one.most,
            max_parallel=one.max_parallel,
            speculate=one.speculate,
            select=one.select,
            shared_prompt=shared,
        )
        for seed in seeds
    ]
    return _mean(
        [(play.right, play.samples, play.tokens, play.rounds) for play in played],
        deck.question.prompt_size,
        shared,
    )


def _mean(played: Sequence[tuple[bool, int, int, int]], prompt: int, shared: bool) -> Cell:
    count = len(played)
    right, calls, tokens, rounds = (sum(values) / count for values in zip(*played, strict=True))
    input_tokens = prompt * (rounds if shared else calls)
    return right, calls, input_tokens, tokens - input_tokens


def _counts(deck: Deck) -> tuple[int, tuple[int, ...], int] | None:
    """Right, wrong by answer and unread samples; None where equal answers differ in being right."""
    right: set[int] = set()
    wrong: Counter[int] = Counter()
    silent = correct = 0
    for sample, vote in zip(deck.question.samples, deck.votes, strict=True):
        if vote is None:
            silent += 1
        elif sample.correct:
            right.add(vote)
            correct += 1
        else:
            wrong[vote] += 1
    if len(right) > 1 or any(vote in wrong for vote in right):
        return None
    return correct, tuple(sorted(wrong.values())), silent
