"""The nodes that find what was prepared for a question, and answer from it or ask."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END
from langgraph.store.base import BaseStore

from tscale_graph.budget import Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result
from tscale_graph.idle import Idle
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import one_line
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.replies import Completion
from tscale_graph.sleep_store import Prepared, SleepStore, found_store, owner_of
from tscale_graph.sleeping.books import Use
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import folded
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.asked_whole import its_message, its_result
from tscale_graph.techniques.choosing import answer_message
from tscale_graph.techniques.sleeping.prompts import NOT_THERE, reading
from tscale_graph.techniques.state import question_of
from tscale_graph.techniques.waking.matching import Found, Matcher
from tscale_graph.techniques.waking.state import Recalled, WakingState

T = TypeVar("T")

_STORE_SECONDS = 5.0
"""How long a store may take, before a request goes on without it."""
_LAST_SECONDS = 0.1
"""How long it may take to put a use down when the time of the request is up."""


@dataclass(frozen=True)
class Waker:
    """Answers a question from what was prepared, or has a technique answer it.

    Attributes:
        technique: in whose front it stands.
        asks: the models that it asks, those of the technique and of the matcher.
        context: of requests that bring none, or None.
        name: what the books of a context are kept under, of requests that name none.
        owner: the same, or None.
        matcher: finds the question among the anticipated ones.
        faithful: the least share of its tests that a dense document must have passed, or None
            where dense documents are not to be used.
        remember: keep the words of questions, so that they are anticipated next time.
        idle: is told that somebody asks, or None.
        store: where what was prepared is; None takes that of the run.
        days: how long uses are kept.
    """

    technique: Endpoint
    asks: tuple[Endpoint, ...]
    context: StandingContext | None
    name: str
    owner: tuple[str, ...] | None
    matcher: Matcher
    faithful: float | None
    remember: bool
    idle: Idle | None
    store: BaseStore | None
    days: float

    async def recall(self, state: WakingState, config: RunnableConfig) -> dict[str, Any]:
        """Find what was prepared for exactly this context, and the question among it.

        Raises:
            ValueError: when there is no question, no context, no store, no budget, or no price to
                keep to it by.
        """
        now, messages = time.time(), state.get("messages", [])
        if not messages:
            raise ValueError('no question: "messages" is empty')
        inner = self.technique.nested
        budget = find_budget(state, config, inner and inner.technique.budget)
        unpriced = next((name for one in self.asks if (name := one.unpriced)), None)
        if budget.usd is not None and unpriced is not None:
            raise ValueError(unknown_price(unpriced))
        context, owner = self._context(state), self._owner(state)
        recalled = Recalled(owner=owner, budget=budget, opened_at=now, use=uuid.uuid4().hex)
        found_store(self.store)
        with self._asking():
            recalled = await self._with_prepared(recalled, context, messages)
        return {"recalled": recalled.model_dump()}

    async def route(self, state: WakingState) -> str:
        """Answer at once, or ask."""
        return "finish" if _parsed(state).served == "answer" else "ask"

    async def ask(self, state: WakingState) -> dict[str, Any]:
        """Have the technique answer, of the dense context first where there is one.

        Raises:
            BudgetExceeded: when the budget ended before there was any answer.
            SamplingError: when there was none for another reason.
        """
        recalled, messages = _parsed(state), state.get("messages", [])
        left = recalled.budget.remaining(recalled.spent)
        if (limit := left.spent_limit) is not None:
            told = f"{limit} was used up by what was prepared"
            raise BudgetExceeded(told, limit=limit, budget=recalled.budget, usage=recalled.spent)
        context, shortened = self._context(state), bool(recalled.instead)
        prompt = reading(context.text(recalled.instead), messages, shortened=shortened)
        request = Request(messages=prompt, goes_on=True)
        lease = Budget.model_validate(left.model_dump())
        with self._asking():
            [said] = await complete(self.technique, request, lease, deadline=recalled.deadline)
        result = its_result(said, budget=recalled.budget, beside=recalled.spent)
        if shortened and _says_nothing(result):
            whole = _of_the_whole(recalled, said.usage)
            if whole.budget.remaining(whole.spent).spent_limit is None:
                return {"recalled": whole.model_dump()}
            recalled = _noted(recalled, "the dense context did not say it, and nothing is left")
        whole = prompt if not shortened else reading(context.text(), messages)
        saved = _shortened(result.usage, whole, prompt)
        return await self._told(state, recalled, result, said, saved=saved)

    async def again(self, state: WakingState) -> str:
        """Ask of the whole context, or end."""
        return "ask" if state.get("recalled") is not None else END

    async def finish(self, state: WakingState) -> dict[str, Any]:
        """Give the anticipated answer."""
        recalled = _parsed(state)
        found = recalled.found
        if found is None:
            raise ValueError("finish is for requests whose answer was anticipated")
        result = Result(
            answer=found.answer,
            text=found.text,
            status="complete",
            usage=Usage(),
            technique="wake",
            agreement=found.support,
        )
        # One call of the whole context, which is the least that a technique makes.
        saved = max(0, found.tokens - recalled.spent.tokens)
        return await self._told(state, recalled, result, None, saved=saved)

    def _context(self, state: WakingState) -> StandingContext:
        given, name = state.get("context"), state.get("name") or self.name
        if given is not None:
            return StandingContext.of(given, name=name)
        if self.context is None:
            raise ValueError('no context: put one into the input as "context", or give context=')
        return StandingContext.of(self.context, name=name)

    def _owner(self, state: WakingState) -> tuple[str, ...]:
        """Whose entries: no request says otherwise than what the graph was built with."""
        given = state.get("owner")
        found = self.owner if given is None else owner_of(given)
        if self.owner is not None and found != self.owner:
            raise ValueError("owner was fixed when the graph was built: the input names another")
        return found or ()

    def _asking(self) -> Any:
        return nullcontext() if self.idle is None else self.idle.asking()

    def _kept(self, recalled: Recalled) -> SleepStore:
        return SleepStore(found_store(self.store), recalled.owner, days=self.days)

    async def _with_prepared(
        self, recalled: Recalled, context: StandingContext, messages: Sequence[AnyMessage]
    ) -> Recalled:
        """The same with what was found; a store that fails leaves the whole context."""
        seconds = recalled.budget.seconds
        try:
            reading_it = self._kept(recalled).prepared(context)
            there = await _within(reading_it, None if seconds is None else seconds / 2)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - of any store; the request goes on without it
            return _noted(recalled, f"what was prepared could not be read: {one_line(error)}")
        found = await self._match(recalled, there, messages)
        recalled = recalled.model_copy(update={"spent": found.usage})
        if found.note:
            recalled = _noted(recalled, found.note)
        if found.place is not None and there.page is not None:
            one = there.page.answered[found.place]
            told = f"anticipated as {one.question!r} (similarity {found.similarity:.2f})"
            return _noted(recalled, told).model_copy(update={"served": "answer", "found": one})
        return self._from_dense(recalled, context, there)

    async def _match(
        self, recalled: Recalled, there: Prepared, messages: Sequence[AnyMessage]
    ) -> Found:
        answered = there.page.answered if there.page else ()
        if not answered:
            return Found()
        if not _stands_alone(messages):
            return Found(note="what was said before may change the question")
        try:
            found = await self.matcher.find(
                question_of(messages),
                [one.question for one in answered],
                lease=_half(recalled.budget),
                deadline=recalled.deadline,
            )
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - of any matcher; the request goes on without it
            usage = getattr(error, "usage", None)
            spent = usage if isinstance(usage, Usage) else Usage()
            return Found(usage=spent, note=f"the matcher failed: {one_line(error)}")
        if found.place is not None and found.place not in range(len(answered)):
            told = f"the matcher named question {found.place!r:.20} of {len(answered)}"
            return Found(usage=found.usage, note=told)
        return found

    def _from_dense(
        self, recalled: Recalled, context: StandingContext, there: Prepared
    ) -> Recalled:
        if there.page is None and not there.dense:
            return _noted(recalled, "nothing was prepared for this context")
        good = {
            name: one
            for name, one in there.dense.items()
            if self.faithful is not None and one.usable(self.faithful)
        }
        if not good:
            return _noted(recalled, "not anticipated: answered from the whole context")
        before = sum(one.source_tokens for one in good.values())
        after = sum(one.best.tokens for one in good.values())
        told = f"the dense context stood in for {len(good)} of {len(context.documents)} documents: "
        told += f"up to {after} tokens in place of {before}"
        instead = {name: one.best.text for name, one in good.items()}
        return _noted(recalled, told).model_copy(update={"served": "dense", "instead": instead})

    async def _told(
        self,
        state: WakingState,
        recalled: Recalled,
        result: Result,
        said: Completion | None,
        *,
        saved: int,
    ) -> dict[str, Any]:
        """The result with what was found, once it is put down."""
        messages, now = state.get("messages", []), time.time()
        seconds = max(0.0, now - recalled.opened_at)
        usage = result.usage + recalled.spent
        usage = usage.model_copy(update={"seconds": round(seconds, 6)})
        notes = [*recalled.notes, *result.notes]
        if saved:
            least = "at least " if recalled.found else ""
            notes.append(f"saved {least}about {saved} tokens")
        kept = self.remember and _stands_alone(messages)
        use = Use(
            id=recalled.use,
            question=question_of(messages) if kept else "",
            served=recalled.served,
            matched=folded(recalled.found.question) if recalled.found else None,
            usage=usage,
            saved_tokens=saved,
            at=now,
        )
        left = None if recalled.deadline is None else max(_LAST_SECONDS, recalled.deadline - now)
        try:
            await _within(self._kept(recalled).log(self._context(state).known_as, use), left)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - of any store; the answer is not lost for that
            notes.append(f"not put down in the books: {one_line(error)}")
        told = result.model_copy(update={"usage": usage, "notes": notes})
        message = answer_message(told, None) if said is None else its_message(said, told)
        return {"messages": [message], "result": told, "recalled": None}


async def _within(work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """What a store says, if it says so in time.

    Raises:
        TimeoutError: when it does not.
    """
    patience = min(_STORE_SECONDS, _STORE_SECONDS if seconds is None else seconds)
    try:
        async with asyncio.timeout(patience):
            return await work
    except TimeoutError:
        raise TimeoutError(f"the store had not answered after {patience:.2g} s") from None


def _says_nothing(result: Result) -> bool:
    """Whether what a dense context was asked for is not in it.

    That it is not there counts as an answer, which wins where no other has more votes.
    """
    if result.answer is None or NOT_THERE in result.text.casefold():
        return True
    if result.verdict is not None and result.verdict.passed:
        return False
    silent = sum(NOT_THERE in one.text.casefold() for one in result.candidates if not one.error)
    return silent >= max((tally.count for tally in result.votes), default=1)


def _of_the_whole(recalled: Recalled, spent: Usage) -> Recalled:
    """The same, to be asked of the whole context."""
    told = _noted(recalled, "the dense context did not say it: asked of the whole context")
    update: dict[str, Any] = {"served": "full", "instead": {}}
    return told.model_copy(update={**update, "spent": recalled.spent + spent})


def _half(budget: Budget) -> Budget | None:
    """What looking may take, so that something is left for the answer; None where nothing is."""
    try:
        return budget.split(2)[0]
    except ValueError:
        return None


def _stands_alone(messages: Sequence[AnyMessage]) -> bool:
    """Whether it is one question in words, and nothing else that may change what it asks."""
    [first, *others] = convert_to_messages(messages)
    return not others and isinstance(first, HumanMessage) and isinstance(first.content, str)


def _shortened(usage: Usage, whole: list[BaseMessage], prompt: list[BaseMessage]) -> int:
    """The tokens that prompts of the whole context would have been longer by."""
    longer, shorter = (sum(len(one.text) for one in each) for each in (whole, prompt))
    return max(0, round(usage.input_tokens * (longer / shorter - 1)))


def _noted(recalled: Recalled, note: str) -> Recalled:
    return recalled.model_copy(update={"notes": [*recalled.notes, note]})


def _parsed(state: Mapping[str, Any]) -> Recalled:
    return Recalled.model_validate(state.get("recalled"))
