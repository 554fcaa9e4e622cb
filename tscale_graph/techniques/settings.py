"""What every sampling technique is told, checked once when its graph is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages import BaseMessage, SystemMessage

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.answers.tool_calls import OrToolCalls, Reader, Readers
from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.stopping import StoppingRule, stopping_rule
from tscale_graph.techniques.closing import Closing
from tscale_graph.techniques.confidence import STATE_CONFIDENCE
from tscale_graph.verifiers import Verifier, preferred_answer
from tscale_graph.verifiers.meaning import Meaning
from tscale_graph.votes import (
    DeepConf,
    LogprobVote,
    Majority,
    Selection,
    StatedConfidenceVote,
    selection,
)

LIKELY_TOKENS = 20
"""Likely tokens beside each, as in DeepConf's paper; the most that OpenAI's protocol gives."""

OnExceeded = Literal["raise", "return"]
Answer = str | AnswerKind | Callable[[str], str | None]


@dataclass(frozen=True)
class SamplingSettings:
    """How to sample a model and read its answers.

    Attributes:
        endpoint: the model.
        rule: decides when there are enough samples.
        max_samples: the most samples of one run.
        max_parallel: the most in flight at once; None leaves it to the budget.
        max_output_tokens: the most tokens of one sample.
        temperature: sampling temperature; None leaves the model's own.
        system: a system prompt put before the conversation, or None.
        seed: makes runs repeatable with providers that take a seed; None does not.
        budget: for requests that bring none, or None.
        kind: how answers are read; None is decided from the question and the samples.
        on_exceeded: "raise" or "return" when the budget ends before there is an answer.
        auto: how answers are read was left to us, so the result says how they were.
        select: how the answer is chosen.
        closing: chooses by calls of its own instead, when sampling is over; or None.
        verifier: judges answers, or None.
        speculate: samples that each wave has beyond what the rule needs.
        readers: how the tools that a caller brought read their arguments; empty without any.
        must_call: the caller wants a tool called, so an answer in words is none.
    """

    endpoint: Endpoint
    rule: StoppingRule
    max_samples: int
    max_parallel: int | None
    max_output_tokens: int
    temperature: float | None
    system: str | None
    seed: int | None
    budget: Budget | None
    kind: AnswerKind | None
    on_exceeded: OnExceeded
    auto: bool
    select: Selection
    closing: Closing | None
    verifier: Verifier | None
    speculate: int
    readers: Readers = field(default_factory=dict[str, Reader])
    must_call: bool = False

    @property
    def semantic(self) -> Meaning | None:
        """The kind of answer, where answers are compared by what they mean."""
        return self.kind if isinstance(self.kind, Meaning) else None

    @property
    def logprobs(self) -> int | None:
        """Which log-probabilities to ask for: None, or how many likely tokens beside each."""
        if isinstance(self.select, DeepConf):
            return LIKELY_TOKENS
        return 0 if isinstance(self.select, LogprobVote) else None

    @property
    def asks_confidence(self) -> bool:
        """Whether the model is asked how sure it is."""
        return isinstance(self.select, StatedConfidenceVote)

    def prompt(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the model gets it."""
        told = [self.system] if self.system else []
        told += [STATE_CONFIDENCE] if self.asks_confidence else []
        return with_system("\n\n".join(told), messages)

    def kind_for(
        self, question: str, candidates: Sequence[Candidate], decided: str | None
    ) -> AnswerKind:
        """How to read the answers: as the user said, as was decided before, or decided now."""
        kind = self.kind or (answer_kind(decided) if decided else None)
        if kind is None:
            texts = [c.text for c in candidates if not c.error and not c.tool_calls]
            kind = pick_answer_kind(question, texts)
        return OrToolCalls(kind, self.readers, only=self.must_call)


def with_system(told: str | None, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """A conversation with a system prompt before it; one message, whoever else had put one there.

    Many chat templates refuse two in a row.
    """
    if not told:
        return list(messages)
    first = messages[0] if messages else None
    if isinstance(first, SystemMessage) and isinstance(first.content, str):
        return [SystemMessage(f"{first.content}\n\n{told}"), *messages[1:]]
    return [SystemMessage(told), *messages]


def sampling_settings(
    model: str | Askable,
    *,
    max_samples: int = 16,
    stop: str | StoppingRule = "beta",
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
    select: str | Selection | Closing = "majority",
    verifier: Verifier | None = None,
    speculate: int = 0,
) -> SamplingSettings:
    """Check the arguments that sampling techniques share.

    Raises:
        ValueError: one line that names the argument, what was got and what would be right.
        ImportError: when the model needs a package that is not installed.
    """
    check_count("max_samples", max_samples, at_least=1)
    check_count("speculate", speculate, at_least=0)
    check_asking(max_output_tokens, max_parallel, temperature, seed=seed, on_exceeded=on_exceeded)
    auto = answer == "auto"
    if auto and verifier is not None:
        answer = preferred_answer(verifier)
    asked, choosing = endpoint(load_model(model)), select
    if not isinstance(choosing, Closing):
        choosing = selection(choosing)
        if asked.nested is not None and isinstance(choosing, DeepConf | LogprobVote):
            raise ValueError(
                f"{choosing.name} needs the log-probabilities of a chat model, got the technique "
                f"{asked.nested.technique.name}"
            )
    return SamplingSettings(
        endpoint=asked,
        rule=stopping_rule(stop),
        max_samples=max_samples,
        max_parallel=max_parallel,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        system=system,
        seed=seed,
        budget=None if budget is None else Budget.of(budget),
        kind=answer_kind(answer),
        auto=auto,
        on_exceeded=on_exceeded,
        select=Majority() if isinstance(choosing, Closing) else choosing,
        closing=choosing if isinstance(choosing, Closing) else None,
        verifier=verifier,
        speculate=speculate,
    )


def check_asking(
    max_output_tokens: int,
    max_parallel: int | None,
    temperature: float | None,
    *,
    seed: int | None,
    on_exceeded: str,
) -> None:
    """Refuse what no technique can ask a model by.

    Raises:
        ValueError: in one line.
    """
    check_count("max_output_tokens", max_output_tokens, at_least=1)
    if max_parallel is not None:
        check_count("max_parallel", max_parallel, at_least=1)
    if seed is not None:
        check_count("seed", seed, at_least=0)
    if temperature is not None and not is_temperature(temperature):
        raise ValueError(f"temperature must be between 0 and 2, got {temperature!r}")
    if on_exceeded not in ("raise", "return"):
        raise ValueError(f'on_exceeded must be "raise" or "return", got {on_exceeded!r}')


def check_count(name: str, value: object, *, at_least: int) -> None:
    """Refuse what is no whole number, or too small a one.

    Raises:
        ValueError: in one line.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}")


def check_number(name: str, value: Any, *, at_least: float) -> None:
    """Refuse what is no finite number, or too small a one.

    Raises:
        ValueError: in one line.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value == math.inf:
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if not value >= at_least:  # also for NaN
        raise ValueError(f"{name} must be at least {at_least:g}, got {value!r}")


def is_temperature(value: object) -> bool:
    """Whether it is a number from 0 to 2."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 2
