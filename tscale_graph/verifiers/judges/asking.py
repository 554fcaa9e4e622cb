"""Asking a model to fill in a form, under a lease.

What the model supports is used; what a provider refuses is asked for in words instead; a reply
that cannot be read is asked for once more, with what was wrong with it. All of it is paid for out
of the one lease, and when there is no answer in the end there is an error that carries what was
spent, never a made-up answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.replies import Completion
from tscale_graph.verifiers.judges.forms import Form, in_words
from tscale_graph.verifiers.judges.replies import Filled, read_reply
from tscale_graph.verifiers.judges.structure import held_to

T = TypeVar("T")

_REFUSED_STATUS = {400, 404, 415, 422, 501}
"""How servers refuse an option that they do not know."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What the model answered, and what that cost."""

    value: T
    reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a judge is told to do, and the fenced texts that it is to do it with."""

    task: str
    texts: str

    def messages(self, *more: str) -> list[BaseMessage]:
        """The prompt, and whatever else has to be said, in two messages."""
        return [SystemMessage(self.task), HumanMessage("\n\n".join([self.texts, *more]))]


@dataclass(frozen=True, slots=True)
class Asker:
    """A model that fills in forms."""

    endpoint: Endpoint
    max_output_tokens: int
    temperature: float | None
    structured: bool

    @property
    def unpriced(self) -> str | None:
        """The model's name where its price is not known, so that no dollar limit can hold."""
        return self.endpoint.unpriced

    def size(self, prompt: Prompt, form: Form[Any]) -> SampleSize:
        """The most that asking once can take: what its lease must hold."""
        spoken = self.endpoint.counter.prompt_bound(prompt.messages(in_words(form)))
        held = self._held_to(form)
        bound = held.counter.prompt_bound(prompt.messages()) if held else 0
        return self.endpoint.size(
            prompt_tokens=max(spoken, bound), output_tokens=self.max_output_tokens
        )

    async def ask(
        self,
        prompt: Prompt,
        form: Form[T],
        *,
        lease: Budget | None,
        deadline: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> Reply[T]:
        """Have the form filled in.

        Args:
            prompt: what to ask.
            form: what to fill in.
            lease: the most that may be spent, a second try included.
            deadline: when to give up, on the same clock.
            clock: seconds since the epoch.

        Raises:
            VerifierError: when there is no answer: no lease, one that is too small, a failed
                call, or two replies that cannot be read.
        """
        lease = self._checked(lease)
        if lease.seconds is not None:
            deadline = min(deadline or float("inf"), clock() + lease.seconds)
        held = self._held_to(form)
        spent, problem = Usage(), ""
        while True:
            completion = await self._once(prompt, form, held, problem, lease, spent, deadline)
            spent += completion.usage
            if held is not None and completion.status in _REFUSED_STATUS:
                held = None
            elif completion.error is not None:
                failed = _failed(completion, self.endpoint.name, problem)
                raise VerifierError(failed, spent, completion.cut_off_by)
            else:
                try:
                    filled = read_reply(form, completion.text, completion.tool_calls)
                except ValueError as error:
                    told = _told(error, completion)
                    if problem:
                        unreadable = _unreadable(self.endpoint.name, told)
                        raise VerifierError(unreadable, spent, completion.cut_off_by) from None
                    problem = told
                else:
                    return _reply(filled, spent)

    async def _once(
        self,
        prompt: Prompt,
        form: Form[Any],
        held: Endpoint | None,
        problem: str,
        lease: Budget,
        spent: Usage,
        deadline: float | None,
    ) -> Completion:
        room = lease.remaining(spent.model_copy(update={"seconds": 0.0}))
        if room.spent_limit is not None:
            limit = room.spent_limit
            return Completion(error=f"nothing is left of {limit}", cut_off_by=limit)
        said = [in_words(form)] if held is None else []
        if problem:
            # What the reply had instead may come from a candidate: it stays outside the prompt.
            wrong = problem.partition(", got ")[0]
            said.append(f"Your last reply could not be used: {wrong}. Reply again.")
        request = Request(
            messages=prompt.messages(*said),
            max_output_tokens=self.max_output_tokens,
            temperature=self.temperature,
        )
        left = Budget.model_validate(room.model_dump())
        [completion] = await complete(held or self.endpoint, request, left, deadline=deadline)
        return completion

    def _held_to(self, form: Form[Any]) -> Endpoint | None:
        return held_to(self.endpoint, form) if self.structured else None

    def _checked(self, lease: Budget | None) -> Budget:
        if lease is None:
            raise VerifierError(
                f"{self.endpoint.name} was not asked to judge: nothing is left of the budget",
                Usage(),
            )
        if lease.usd is not None and self.endpoint.prices.ceiling is None:
            raise VerifierError(unknown_price(self.endpoint.name), Usage())
        return lease


def asker(
    model: str | Askable,
    *,
    max_output_tokens: int,
    temperature: float | None,
    structured: bool,
) -> Asker:
    """A model that fills in forms.

    Args:
        model: a chat model, "local", or "provider:model".
        max_output_tokens: the most tokens of one reply, reasoning included, at least 1.
        temperature: 0 to 2; None leaves the model's own.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: when it is no chat model, or a number is out of range.
        ImportError: when the model needs a package that is not installed.
    """
    if isinstance(max_output_tokens, bool) or max_output_tokens < 1:
        raise ValueError(f"max_output_tokens must be at least 1, got {max_output_tokens}")
    if temperature is not None and not 0 <= temperature <= 2:
        raise ValueError(f"temperature must be between 0 and 2, got {temperature}")
    return Asker(endpoint(load_model(model)), max_output_tokens, temperature, structured)


def _reply(filled: Filled[T], usage: Usage) -> Reply[T]:
    return Reply(filled.value, filled.reason, usage)


def _told(error: ValueError, completion: Completion) -> str:
    cut = "it was cut off at its output limit, and " if completion.truncated else ""
    return f"{cut}{error}"


def _unreadable(name: str, problem: str) -> str:
    return f"{name} gave no judgement that can be read, twice: {problem}"


def _failed(completion: Completion, name: str, problem: str) -> str:
    before = f" (its first reply could not be read: {problem})" if problem else ""
    return f"{name} could not judge: {completion.error}{before}"


Ask = Callable[[Budget | None], Coroutine[Any, Any, Reply[T]]]


async def side_by_side(
    asks: Sequence[Ask[T]], lease: Budget | None, *, what: str
) -> tuple[list[Reply[T]], list[VerifierError]]:
    """Ask several things at the same time, each with an equal part of the lease.

    Raises:
        VerifierError: when the lease cannot be split among them; nothing was asked then.
    """
    try:
        leases = [lease] * len(asks) if lease is None else lease.split(len(asks))
    except ValueError as error:
        told = f"{what} takes {len(asks)} calls: {error}"
        raise VerifierError(told, Usage(), _too_small(lease, len(asks))) from None
    outcomes = await asyncio.gather(
        *(ask(part) for ask, part in zip(asks, leases, strict=True)), return_exceptions=True
    )
    strange = [o for o in outcomes if not isinstance(o, Reply | VerifierError)]
    for outcome in strange:
        raise outcome
    replies = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    return replies, [outcome for outcome in outcomes if isinstance(outcome, VerifierError)]


def _too_small(lease: Budget | None, parts: int) -> Limit:
    """The limit of a lease that could not be split."""
    if lease is not None and lease.calls is not None and lease.calls < parts:
        return "calls"
    return "tokens" if lease is not None and (lease.tokens or parts) < parts else "usd"


async def all_side_by_side(
    asks: Sequence[Ask[T]], lease: Budget | None, *, what: str
) -> list[Reply[T]]:
    """The same, where an answer to only some of them is none.

    Raises:
        VerifierError: when one of them failed, with what all of them spent.
    """
    replies, errors = await side_by_side(asks, lease, what=what)
    if errors:
        raise VerifierError(str(errors[0]), spent_on(replies, errors), errors[0].cut_off_by)
    return replies


def spent_on(replies: Sequence[Reply[Any]], errors: Sequence[VerifierError] = ()) -> Usage:
    """What several replies cost, and those that came to nothing."""
    return Usage.total([r.usage for r in replies] + [error.usage for error in errors])
