"""What a stopping rule and a choice would have made of recorded samples, without any model.

    deck = prepare(question)
    played = simulate(deck, Beta(), seed=3, max_samples=40)
    played.right, played.samples, played.tokens, played.rounds

The decisions are the library's own, `wave_size` and `choose`; a graph with `ReplayModel` comes
to the same, a hundred times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate, Verdict
from tscale_graph.rating import rate, unread
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample, playing_order
from tscale_graph.stopping import FirstToFinish, Standing, StoppingRule, wave_size
from tscale_graph.votes import Majority, Selection, choose

Verification = Literal["none", "recorded", "gold"]


@dataclass(frozen=True, slots=True)
class Deck:
    """One question's samples, ready to be played many times.

    Attributes:
        question: the recording.
        kind: says which answers are the same, with every key known beforehand.
        candidates: the samples as candidates, in recorded order.
        votes: for each sample the number of its answer, or None.
    """

    question: RecordedQuestion
    kind: KnownKeys
    candidates: tuple[Candidate, ...]
    votes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """A kind of answer that has made the keys of all the answers that it will meet."""

    name: str
    keys: dict[str, str]

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """The text: recorded answers have been read already."""
        return text

    def key(self, answer: str) -> str:
        """The key of a known answer."""
        return self.keys[answer]


@dataclass(frozen=True, slots=True)
class Played:
    """How one replay went.

    Attributes:
        answer: the chosen answer, or None when no sample had one.
        right: the chosen sample is recorded as correct.
        samples: samples taken, those of a race that were cancelled included.
        tokens: what they cost, prompts included; of one that was cancelled, what there was of it.
        rounds: waves, one after the other.
        rating: how good a cascade takes the answer to be, in [0, 1], or None for nothing known.
    """

    answer: str | None
    right: bool
    samples: int
    tokens: int
    rounds: int
    rating: float | None = None


def prepare(
    question: RecordedQuestion,
    *,
    kind: AnswerKind | None = None,
    verification: Verification = "none",
) -> Deck:
    """Make the keys and candidates of one question once.

    Args:
        question: with its samples.
        kind: how to compare answers; by default as the recording says.
        verification: "recorded" takes the scores and verdicts that were recorded, "gold" lets a
            verifier that is never wrong pass what is correct, "none" has no verifier.

    Raises:
        ValueError: for a kind that the recording names and this version does not know.
    """
    kind = kind or answer_kind(question.kind)
    if kind is None:
        raise ValueError(f"question {question.id!r} does not say how its answers were read")
    answers = {s.answer for s in question.samples if s.answer is not None}
    keys = {answer: kind.key(answer) for answer in answers}
    numbers: dict[str, int] = {}
    votes = tuple(
        None if s.answer is None else numbers.setdefault(keys[s.answer], len(numbers))
        for s in question.samples
    )
    candidates = tuple(
        Candidate(
            index=place,
            text=sample.text,
            answer=sample.answer,
            truncated=sample.truncated,
            mean_logprob=sample.mean_logprob,
            verdict=_verdict(sample, verification),
            usage=Usage(output_tokens=sample.output_tokens),
        )
        for place, sample in enumerate(question.samples)
    )
    return Deck(question, KnownKeys(kind.name, keys), candidates, votes)


def simulate(
    deck: Deck,
    rule: StoppingRule,
    *,
    seed: int,
    max_samples: int = 40,
    max_parallel: int | None = None,
    speculate: int = 0,
    select: str | Selection = "majority",
    shared_prompt: bool = True,
) -> Played:
    """Play one question through a stopping rule and a choice.

    With `FirstToFinish` samples finish in the order of their lengths: all of them write at the
    same speed, in requests of their own.

    Args:
        deck: the question.
        rule: decides when there are enough samples.
        seed: of the order, the same as of `ReplayModel`.
        max_samples: the most samples; never more than were recorded.
        max_parallel: 1 samples one at a time; None leaves the size of a wave to the rule.
        speculate: samples that each wave has beyond what the rule needs.
        select: how the answer is chosen.
        shared_prompt: a wave pays for its prompt once, otherwise every sample does.

    Raises:
        ValueError: when max_samples is less than 1.
    """
    if max_samples < 1:
        raise ValueError(f"max_samples must be at least 1, got {max_samples}")
    racing = isinstance(rule, FirstToFinish)
    if racing and select == "majority":
        select = Majority(ties="shortest")
    order = playing_order(deck.question, seed=seed)[:max_samples]
    run = _Run(deck)
    rounds = 0
    while wave := wave_size(
        rule,
        run.standing(len(order)),
        max_samples=len(order),
        max_parallel=max_parallel,
        speculate=speculate,
    ):
        places = order[len(run.votes) : len(run.votes) + wave]
        if racing:
            run.race(places, finishers=rule.finishers)
        else:
            run.take(places, shared_prompt=shared_prompt)
        rounds += 1
    voting = [place for place in order[: len(run.votes)] if place not in run.cancelled]
    answer, right, rating = _chosen(deck, voting, select)
    return Played(answer, right, len(run.votes), run.tokens, rounds, rating)


class _Run:
    """The samples taken so far, counted as they come."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        # Numbered in the order of play, as by a run that has seen only these samples.
        self._numbers: dict[int, int] = {}
        self._counts: list[int] = []
        self._scores: list[float] = []
        self._passed = self._failed = 0
        self.votes: list[int | None] = []
        self.tokens = 0
        self.cancelled: set[int] = set()

    def take(self, places: Sequence[int], *, shared_prompt: bool) -> None:
        """Count the samples of one wave."""
        question = self._deck.question
        self.tokens += (1 if shared_prompt else len(places)) * question.prompt_size
        for place in places:
            self.tokens += question.samples[place].output_tokens
            self._vote(self._deck.votes[place])
            verdict = self._deck.candidates[place].verdict
            if verdict is not None:
                self._scores.append(verdict.score)
                self._passed += verdict.passed is True
                self._failed += verdict.passed is False

    def race(self, places: Sequence[int], *, finishers: int) -> None:
        """Count the samples of one wave until so many of the run have an answer."""
        samples, length = self._deck.question.samples, 0
        for place in sorted(places, key=lambda place: samples[place].output_tokens):
            if sum(self._counts) < finishers:
                self.take([place], shared_prompt=False)
                length = samples[place].output_tokens
            else:
                self.tokens += self._deck.question.prompt_size + length
                self.cancelled.add(place)
                self.votes.append(None)

    def standing(self, most: int) -> Standing:
        """Where the run stands, when it takes at most so many samples."""
        counts = sorted(self._counts, reverse=True)
        first, second, *_ = (*counts, 0, 0)
        taken = len(self.votes)
        return Standing(
            counts=tuple(counts),
            samples=taken,
            passed=self._passed,
            failed=self._failed,
            votes=tuple(self.votes),
            scores=tuple(self._scores),
            # A verdict can change the winner at any time.
            lead=None if self._scores else float(first - second),
            left=most - taken,
            tokens=self.tokens / taken if taken else 0.0,
        )

    def _vote(self, vote: int | None) -> None:
        if vote is None:
            self.votes.append(None)
            return
        number = self._numbers.setdefault(vote, len(self._counts))
        if number == len(self._counts):
            self._counts.append(0)
        self._counts[number] += 1
        self.votes.append(number)


def _verdict(sample: RecordedSample, verification: Verification) -> Verdict | None:
    if sample.answer is None or verification == "none":
        return None
    if verification == "gold":
        return Verdict(score=float(sample.correct), passed=sample.correct)
    if sample.score is None and sample.passed is None:
        return None
    score = float(bool(sample.passed)) if sample.score is None else sample.score
    return Verdict(score=score, passed=sample.passed)


TECHNIQUE_SEED = 0
"""What a technique is given to play a `ReplayModel`; it also draws among tied answers."""


def _chosen(
    deck: Deck, places: Sequence[int], select: str | Selection
) -> tuple[str | None, bool, float | None]:
    """The chosen answer, whether it is right, and how good it is taken to be."""
    candidates = [
        deck.candidates[place].model_copy(update={"index": index})
        for index, place in enumerate(places)
    ]
    choice = choose(candidates, deck.kind, select=select, seed=TECHNIQUE_SEED)
    winner = choice.winner
    if winner is None:
        return None, False, None
    rating = rate(
        winner,
        votes=choice.tallies,
        agreement=choice.agreement,
        verdict=winner.verdict,
        unread=unread(candidates, choice.tallies),
    )
    right = deck.question.samples[places[winner.index]].correct
    return winner.answer, right, rating and rating.value
