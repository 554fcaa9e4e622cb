"""Waking up: questions are answered from what was prepared while nobody asked."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START
from langgraph.store.base import BaseStore

from tscale_graph.budget import Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.idle import Idle
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.failures import one_line
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.models.replies import Completion
from tscale_graph.sleep_store import DAYS, Prepared, SleepStore
from tscale_graph.sleeping.books import Use
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import folded
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.choosing import answer_message
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.sleeping.prompts import NOT_THERE, reading
from tscale_graph.techniques.sleeping.settings import found_store, owner_of
from tscale_graph.techniques.state import Answered, question_of
from tscale_graph.techniques.waking.matching import Found, LexicalMatcher, Matcher
from tscale_graph.techniques.waking.state import Recalled, WakingState, WokenQuestion


@dataclass(frozen=True)
class Waker:
    """Answers a question from what was prepared, or has a technique answer it.

    Attributes:
        technique: in whose front it stands.
        context: of requests that bring none, or None.
        owner: the same.
        matcher: finds the question among the anticipated ones.
        faithful: the least share of its tests that a dense context must have passed, or None
            where dense contexts are not to be used.
        remember: keep the words of questions, so that they are anticipated next time.
        idle: is told that somebody asks, or None.
        store: where what was prepared is; None takes that of the run.
        days: how long uses are kept.
    """

    technique: Endpoint
    context: StandingContext | None
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
            ValueError: when there is no question, no context, no store or no budget.
        """
        now, messages = time.time(), state.get("messages", [])
        if not messages:
            raise ValueError('no question: "messages" is empty')
        inner = self.technique.nested
        budget = find_budget(state, config, inner and inner.technique.budget)
        context = self._context(state)
        recalled = Recalled(
            context=context,
            owner=self._owner(state),
            budget=budget,
            opened_at=now,
            use=uuid.uuid4().hex,
        )
        found_store(self.store)
        with self._asking():
            recalled = await self._with_prepared(recalled, messages)
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
        text, shortened = recalled.context.text(recalled.instead), bool(recalled.instead)
        request = Request(messages=reading(text, messages, shortened=shortened), goes_on=True)
        lease = Budget.model_validate(left.model_dump())
        with self._asking():
            [said] = await complete(self.technique, request, lease, deadline=recalled.deadline)
        if shortened and _says_nothing(said.result):
            whole = _of_the_whole(recalled, said.usage)
            if whole.budget.remaining(whole.spent).spent_limit is None:
                return {"recalled": whole.model_dump()}
        if said.result is None:
            raise _failed(said, recalled)
        told = await self._told(recalled, said.result, said, question_of(messages))
        return {**told, "recalled": recalled.model_copy(update={"again": False}).model_dump()}

    async def again(self, state: WakingState) -> str:
        """Ask of the whole context, or end."""
        return "ask" if _parsed(state).again else END

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
        return await self._told(recalled, result, None, question_of(state.get("messages", [])))

    def _context(self, state: WakingState) -> StandingContext:
        given = state.get("context")
        if given is None:
            if self.context is None:
                raise ValueError(
                    'no context: put one into the input as "context", or give context='
                )
            return self.context
        return StandingContext.of(given, name=state.get("name", ""))

    def _owner(self, state: WakingState) -> tuple[str, ...]:
        """Whose entries: no request says otherwise than what the graph was built with."""
        given = state.get("owner")
        found = self.owner if given is None else owner_of(given)
        if self.owner is not None and found != self.owner:
            raise ValueError("owner was fixed when the graph was built: the input names another")
        return found or ()

    def _asking(self) -> Any:
        return nullcontext() if self.idle is None else self.idle.asking()

    async def _with_prepared(self, recalled: Recalled, messages: Sequence[AnyMessage]) -> Recalled:
        """The same with what was found; a store that fails leaves the whole context."""
        store = SleepStore(found_store(self.store), recalled.owner, days=self.days)
        try:
            there = await store.prepared(recalled.context)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - of any store; the request goes on without it
            return _noted(recalled, f"what was prepared could not be read: {one_line(error)}")
        found = await self._match(recalled, there, messages)
        recalled = recalled.model_copy(update={"spent": found.usage})
        if found.note:
            recalled = _noted(recalled, found.note)
        if found.place is not None and there.page is not None:
            return _from_answer(recalled, there, found)
        return self._from_dense(recalled, there)

    async def _match(
        self, recalled: Recalled, there: Prepared, messages: Sequence[AnyMessage]
    ) -> Found:
        answered = there.page.answered if there.page else ()
        if not answered:
            return Found()
        if not _stands_alone(messages):
            return Found(note="what was said before may change the question")
        try:
            return await self.matcher.find(
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

    def _from_dense(self, recalled: Recalled, there: Prepared) -> Recalled:
        if there.page is None and not there.dense:
            return _noted(recalled, "nothing was prepared for this context")
        good = {
            name: one
            for name, one in there.dense.items()
            if self.faithful is not None and one.shorter and one.faithful(self.faithful)
        }
        if not good:
            return _noted(recalled, "not anticipated: answered from the whole context")
        before = sum(one.source_tokens for one in good.values())
        after = sum(one.tokens for one in good.values())
        told = f"the dense context stood in for {len(good)} of {len(there.dense)} documents: "
        told += f"up to {after} tokens in place of {before}"
        return _noted(recalled, told).model_copy(
            update={
                "served": "dense",
                "instead": {name: one.text for name, one in good.items()},
                "saved_each": before - after,
            }
        )

    async def _told(
        self, recalled: Recalled, result: Result, said: Completion | None, question: str
    ) -> dict[str, Any]:
        """The result with what was found, once it is put down."""
        usage = result.usage + recalled.spent
        seconds = max(0.0, time.time() - recalled.opened_at)
        usage = usage.model_copy(update={"seconds": round(seconds, 6)})
        saved = _saved(recalled, usage)
        notes = [*recalled.notes, *result.notes]
        notes += [f"saved about {saved} tokens"] if saved else []
        use = Use(
            id=recalled.use,
            question=question if self.remember else "",
            served=recalled.served,
            matched=folded(recalled.found.question) if recalled.found else None,
            usage=usage,
            saved_tokens=saved,
            at=time.time(),
        )
        store = SleepStore(found_store(self.store), recalled.owner, days=self.days)
        try:
            await store.log(recalled.context.known_as, use)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - of any store; the answer is not lost for that
            notes.append(f"not put down in the books: {one_line(error)}")
        told = result.model_copy(update={"usage": usage, "notes": notes})
        message = answer_message(told, None)
        if said is not None:
            thought = {"reasoning_content": said.reasoning} if said.reasoning else {}
            update = {"tool_calls": list(said.tool_calls), "additional_kwargs": thought}
            message = message.model_copy(update=update)
        return {"messages": [message], "result": told}


def wake(
    technique: Askable,
    *,
    context: object = None,
    name: str = "",
    owner: str | list[str] | None = None,
    matcher: Matcher | str = "lexical",
    faithful: float | None = 1.0,
    remember: bool = True,
    idle: Idle | None = None,
    store: BaseStore | None = None,
    days: float = DAYS,
) -> TechniqueGraph:
    """A graph that answers questions on a standing context from what `sleep_time` prepared.

    Input: `messages`, `budget`, and `context` (with `name` and `owner`) unless they are given
    here. Output: `messages` with the answer appended, and `result`, whose first notes say what it
    was answered from and what that saved. A question that was anticipated for exactly this context
    is answered at once; any other is asked of `technique`, whose prompt begins with the context:
    with the dense version of each document that has passed its tests, and as it is of the others.
    A store that fails costs what it would have saved, and a note.

        START → recall → ask (→ ask again of the whole), or finish → END

    Args:
        technique: any technique's graph, the router's too.
        context: a text, texts by name, or LangChain documents.
        name: what its books are kept under, through all its versions.
        owner: a tenant, or a tenant and a user, whose entries are used; no input then names
            another.
        matcher: "lexical" takes the same words in a row for the same question; or a
            `LexicalMatcher` or `EmbeddingMatcher` with a threshold that was learnt, a
            `JudgeMatcher`, or an object of yours with `find`.
        faithful: the least share of its tests that a dense document must have passed, from 0 to
            1; None never uses them. Where they do not say what is asked, it is asked again of the
            whole context.
        remember: keep the words of questions, so that they are anticipated next time.
        idle: is told that somebody asks, so that what works ahead gives way.
        store: where what was prepared is; None takes the store that the graph is compiled with.
        days: how long it is kept that a question was asked, above 0.

    Returns:
        An uncompiled graph: compile it with your store, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
    """
    asked = endpoint(technique)
    if asked.nested is None:
        raise ValueError("technique must be a technique's graph, such as self_consistency(…)")
    if isinstance(matcher, str):
        if matcher != "lexical":
            raise ValueError(f'matcher must be "lexical" or have find, got {matcher!r}')
        matcher = LexicalMatcher()
    if not isinstance(matcher, Matcher):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f'matcher must be "lexical" or have find, got {matcher!r}')
    if faithful is not None and not 0 <= faithful <= 1:
        raise ValueError(f"faithful must be from 0 to 1, or None, got {faithful!r}")
    waker = Waker(
        technique=asked,
        context=None if context is None else StandingContext.of(context, name=name),
        owner=None if owner is None else owner_of(owner),
        matcher=matcher,
        faithful=faithful,
        remember=remember,
        idle=idle,
        store=store,
        days=days,
    )
    return _graph(waker, asked.nested.technique)


def _graph(waker: Waker, inner: Technique) -> TechniqueGraph:
    state = WakingState
    longer = waker.context.text() if waker.context else ""
    more = waker.technique.counter.text_bound(longer) if longer else 0

    def at_most(prompt_tokens: int) -> Usage:
        return inner.at_most(prompt_tokens + more)

    known = replace(inner, name=f"wake({inner.name})", at_most=at_most, asked_in=("ask",), notes={})
    graph = TechniqueGraph(state, known, input_schema=WokenQuestion, output_schema=Answered)
    add_node(graph, "recall", waker.recall, execute_in="activity", state=state)
    add_node(graph, "ask", waker.ask, execute_in="activity", state=state)
    add_node(graph, "finish", waker.finish, execute_in="activity", state=state)
    graph.add_edge(START, "recall")
    add_edges(graph, "recall", waker.route, ["ask", "finish"])
    add_edges(graph, "ask", waker.again, ["ask", END])
    graph.add_edge("finish", END)
    return graph


def _from_answer(recalled: Recalled, there: Prepared, found: Found) -> Recalled:
    page = there.page
    if page is None or found.place is None:
        return recalled
    one = page.answered[found.place]
    told = f"anticipated as {one.question!r} (similarity {found.similarity:.2f})"
    return _noted(recalled, told).model_copy(update={"served": "answer", "found": one})


def _says_nothing(result: Result | None) -> bool:
    """Whether what a dense context was asked for is not in it."""
    return result is None or result.answer is None or NOT_THERE in result.text.casefold()


def _of_the_whole(recalled: Recalled, spent: Usage) -> Recalled:
    """The same, to be asked of the whole context."""
    told = _noted(recalled, "the dense context did not say it: asked of the whole context")
    update: dict[str, Any] = {"again": True, "served": "full", "instead": {}, "saved_each": 0}
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


def _saved(recalled: Recalled, usage: Usage) -> int:
    """Tokens that it would have taken more, as far as anybody can know."""
    if recalled.found is not None:
        return max(0, recalled.found.tokens - recalled.spent.tokens)
    return recalled.saved_each * max(0, usage.calls - recalled.spent.calls)


def _failed(said: Completion, recalled: Recalled) -> Exception:
    usage, told = said.usage + recalled.spent, said.error or "there is no answer"
    if said.cut_off_by is not None:
        return BudgetExceeded(told, limit=said.cut_off_by, budget=recalled.budget, usage=usage)
    return SamplingError(told, usage)


def _noted(recalled: Recalled, note: str) -> Recalled:
    return recalled.model_copy(update={"notes": [*recalled.notes, note]})


def _parsed(state: Mapping[str, Any]) -> Recalled:
    return Recalled.model_validate(state.get("recalled"))
