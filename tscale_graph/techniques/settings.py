"""What every sampling technique is told, checked once when its graph is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.runnables import Runnable

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.models.endpoint import Endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.stopping import StoppingRule, stopping_rule

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

    def prompt(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the model gets it."""
        return [*([SystemMessage(self.system)] if self.system else []), *messages]

    def kind_for(
        self, question: str, candidates: Sequence[Candidate], decided: str | None
    ) -> AnswerKind:
        """How to read the answers: as the user said, as was decided before, or decided now."""
        if self.kind is not None:
            return self.kind
        named = answer_kind(decided) if decided else None
        return named or pick_answer_kind(question, [c.text for c in candidates if not c.error])


def sampling_settings(
    model: str | Runnable[Any, Any],
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
) -> SamplingSettings:
    """Check the arguments that sampling techniques share.

    Raises:
        ValueError: one line that names the argument, what was got and what would be right.
        ImportError: when the model needs a package that is not installed.
    """
    for name, value in (
        ("max_samples", max_samples),
        ("max_output_tokens", max_output_tokens),
        ("max_parallel", max_parallel),
    ):
        if value is not None and (isinstance(value, bool) or value < 1):
            raise ValueError(f"{name} must be at least 1, got {value}")
    if temperature is not None and not 0 <= temperature <= 2:
        raise ValueError(f"temperature must be between 0 and 2, got {temperature}")
    if on_exceeded not in ("raise", "return"):
        raise ValueError(f'on_exceeded must be "raise" or "return", got {on_exceeded!r}')
    return SamplingSettings(
        endpoint=endpoint(load_model(model)),
        rule=stopping_rule(stop),
        max_samples=max_samples,
        max_parallel=max_parallel,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        system=system,
        seed=seed,
        budget=None if budget is None else Budget.model_validate(budget),
        kind=answer_kind(answer),
        on_exceeded=on_exceeded,
    )
