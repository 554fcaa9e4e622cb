"""How hard a question is, told from what it looks like and from how its first samples came out.

A vote's agreement is what the value of information goes by; here is what else is known of a
question: its length, how long its samples are, and how sure the model was of their tokens. From
that a learnt predictor tells the chance that a sample is right, as a prior (Damani et al. 2024,
arXiv:2410.04707, learn the marginal gain of more samples; the prior gives it in closed form).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tscale_graph.stopping import AnswerPrior
from tscale_graph.validation import first_problem

FEATURES = ("question", "output", "logprob")
"""Length of the question, length of its samples, and mean log-probability of their tokens."""
_FARTHEST = 3.0
"""Standard deviations: what lies farther out is no stranger than that."""
_MOST = 7.0
"""Log-odds of a right sample: a chance of 1 in 1,000, or 999."""


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

    @classmethod
    def of(
        cls,
        question: str,
        task_class: str,
        *,
        output_tokens: Sequence[int],
        logprobs: Iterable[float | None],
    ) -> Signals:
        """What samples tell: their output tokens and their mean log-probabilities."""
        told = [each for each in logprobs if each is not None]
        return cls(
            question,
            task_class,
            output_tokens=fmean(output_tokens) if output_tokens else None,
            mean_logprob=fmean(told) if told else None,
        )

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

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
        odds = max(-_MOST, min(_MOST, math.log(self.a / self.b) + moved))
        weight, chance = self.a + self.b, 1 / (1 + math.exp(-odds))
        coarse = AnswerPrior(weight * chance, weight * (1 - chance)).coarse()
        return AnswerPrior(coarse.a, coarse.b, self.gamma)


class Difficulty(BaseModel):
    """A predictor for some classes; plain data, so that it can be saved and looked at.

    Attributes:
        version: of the format.
        classes: by name.
        notes: what was learnt, and what was switched off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
            raise ValueError(f"{path}: {first_problem(error)}") from None
