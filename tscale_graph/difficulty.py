"""How hard a question is, told from what it looks like and from how its first samples came out.

A vote's agreement is what the value of information goes by; here is what else is known of a
question: its length, how long its samples are, and how sure the model was of their tokens. From
that a learnt predictor tells the chance that a sample is right, as a prior (Damani et al. 2024,
arXiv:2410.04707, learn the marginal gain of more samples; the prior gives it in closed form).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tscale_graph.stopping import AnswerPrior

FEATURES = ("question", "output", "logprob")
"""Length of the question, length of its samples, and mean log-probability of their tokens."""
_FARTHEST = 3.0
"""Standard deviations: what lies farther out is no stranger than that."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a question, its votes apart.

    Attributes:
        question: its text.
        task_class: its class.
        output_tokens: the mean over its samples so far, or None before there are any.
        mean_logprob: the mean log-probability of their tokens (≤ 0), or None where it is not told.
    """

    question: str
    task_class: str
    output_tokens: float | None = None
    mean_logprob: float | None = None

    def features(self) -> dict[str, float]:
        """What a predictor sees, by name; only what is known."""
        found = {"question": math.log1p(len(self.question))}
        if self.output_tokens is not None:
            found["output"] = math.log1p(self.output_tokens)
        if self.mean_logprob is not None:
            found["logprob"] = self.mean_logprob
        return found


class Slope(BaseModel):
    """What one feature says in one class.

    Attributes:
        mean: of the feature.
        deviation: its standard deviation, positive.
        weight: log-odds of a right sample for each standard deviation above the mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float = Field(gt=0)
    weight: float


class ClassDifficulty(BaseModel):
    """What is known of the questions of one class.

    Attributes:
        a: of the class's prior, with `b`: the chance that a sample is right is Beta(a, b).
        b: see `a`.
        gamma: how scattered wrong answers are.
        slopes: of the features that tell questions apart, by name; empty where none does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: float = Field(gt=0)
    b: float = Field(gt=0)
    gamma: float = Field(gt=0)
    slopes: dict[Literal["question", "output", "logprob"], Slope] = {}

    def prior(self, features: Mapping[str, float]) -> AnswerPrior:
        """The class's prior, moved by what the features of a question say."""
        moved = sum(
            slope.weight
            * max(-_FARTHEST, min(_FARTHEST, (features[name] - slope.mean) / slope.deviation))
            for name, slope in self.slopes.items()
            if name in features
        )
        weight = self.a + self.b
        chance = 1 / (1 + math.exp(-(math.log(self.a / self.b) + moved)))
        chance = min(1 - _LEAST, max(_LEAST, chance))
        # Coarsely, so that what was worked out for one question serves the next.
        return AnswerPrior(_coarse(weight * chance), _coarse(weight * (1 - chance)), self.gamma)


_LEAST = 1e-3
_STEPS_PER_DOUBLING = 2


def _coarse(value: float) -> float:
    return 2 ** (round(math.log2(value) * _STEPS_PER_DOUBLING) / _STEPS_PER_DOUBLING)


class Difficulty(BaseModel):
    """A predictor for some classes; plain data, so that it can be saved and looked at.

    Attributes:
        version: of the format.
        classes: by name.
        notes: what was learnt, and what was switched off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    classes: dict[str, ClassDifficulty]
    notes: tuple[str, ...] = ()

    def __call__(self, signals: Signals) -> AnswerPrior | None:
        """What to believe of a question; None of an unknown class."""
        known = self.classes.get(signals.task_class)
        return None if known is None else known.prior(signals.features())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it into a file, as JSON."""
        Path(path).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Difficulty:
        """Read it from a file.

        Raises:
            ValueError: in one line, when it holds something else.
            OSError: when it cannot be read.
        """
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise ValueError(f"{path}: {place + ': ' if place else ''}{problem['msg']}") from None
