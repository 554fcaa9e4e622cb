"""A seeded population of questions, samples of them, and verifiers that make mistakes."""

import functools
import math
import random
from dataclasses import dataclass

from tscale_graph import Candidate, Verdict
from tscale_graph.answers import answer_kind

RIGHT = "1"
number = answer_kind("number")


@dataclass(frozen=True)
class Asked:
    """Answers sampled for one question, each with the score of its verifier, in order."""

    answers: list[str]
    scores: list[float]

    def candidates(self, count, *, decides=False):
        return (self._decided if decides else self._scored)[:count]

    @functools.cached_property
    def _scored(self):
        return self._made(passed=lambda score: None)

    @functools.cached_property
    def _decided(self):
        return self._made(passed=lambda score: score > 0.5)

    def _made(self, *, passed):
        return [
            Candidate(index=k, answer=answer, verdict=Verdict(score=score, passed=passed(score)))
            for k, (answer, score) in enumerate(zip(self.answers, self.scores, strict=True))
        ]


def sampled(rng, count, *, easiness=(1.2, 1.8), concentration=2.0):
    """Answers to one question: right with a chance of its own, wrong ones alike by habit."""
    chance = rng.betavariate(*easiness)
    answers, wrong = [], []
    for _ in range(count):
        if rng.random() < chance:
            answers.append(RIGHT)
            continue
        fresh = rng.random() < concentration / (concentration + len(wrong))
        wrong.append(str(len(set(wrong)) + 2) if fresh else rng.choice(wrong))
        answers.append(wrong[-1])
    return answers


def scored_with_exploits(rng, answers, *, prior=0.4, exploits=0.02):
    """A calibrated score, with errors shared by equal answers and errors of each sample.

    A few wrong samples score very high: the mistakes that a plain arg-max finds.
    """
    shared = {answer: rng.gauss(0, 0.9) for answer in sorted(set(answers))}
    scores = []
    for answer in answers:
        if answer != RIGHT and rng.random() < exploits:
            scores.append(rng.uniform(0.97, 1.0))
            continue
        seen = (1 if answer == RIGHT else -1) + shared[answer] + rng.gauss(0, 1)
        evidence = 2 * seen / (0.9**2 + 1) + math.log(prior / (1 - prior))
        scores.append(1 / (1 + math.exp(-evidence)))
    return scores


def decided_with_mistakes(rng, answers, *, error=0.2, shared=True):
    """An exact verdict, flipped now and then; equal answers share one verdict, or don't."""
    flips = {answer: rng.random() < error for answer in sorted(set(answers))}
    return [
        float((answer == RIGHT) != (flips[answer] if shared else rng.random() < error))
        for answer in answers
    ]


def population(seed, questions, count, score, **more):
    """Questions with `count` samples each."""
    rng = random.Random(seed)
    asked = []
    for _ in range(questions):
        answers = sampled(rng, count, **more)
        asked.append(Asked(answers, score(rng, answers)))
    return asked
