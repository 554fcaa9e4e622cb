"""Waking up: questions are answered from what was prepared while nobody asked."""

from __future__ import annotations

from dataclasses import replace

from langgraph.graph import END, START
from langgraph.store.base import BaseStore

from tscale_graph.budget import Usage
from tscale_graph.idle import Idle
from tscale_graph.models.endpoint import Askable, endpoint
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.sleep_store import DAYS, check_days, owner_of
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.state import Answered
from tscale_graph.techniques.waking.answering import Waker
from tscale_graph.techniques.waking.matching import LexicalMatcher, Matcher, models_of, most_of
from tscale_graph.techniques.waking.state import WakingState, WokenQuestion


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
    was answered from, and the last one what that saved. A question that was anticipated for exactly
    this context is answered at once; any other is asked of `technique`, whose prompt begins with
    the context: with the dense version of each document that has passed its tests, and as it is of
    the others. A store that fails costs what it would have saved, and a note.

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
    check_days(days)
    waker = Waker(
        technique=asked,
        asks=(*asked.nested.technique.asks, *models_of(matcher)),
        context=None if context is None else StandingContext.of(context, name=name),
        name=name,
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
    times = 1 if waker.faithful is None else 2  # of the dense context, and of the whole

    def at_most(prompt_tokens: int) -> Usage:
        whole = inner.at_most(prompt_tokens + more)
        return Usage.total([most_of(waker.matcher, prompt_tokens), *[whole] * times])

    least = inner.at_least or inner.at_most

    def at_least(prompt_tokens: int) -> Usage:
        return least(prompt_tokens + more)

    known = replace(
        inner,
        name=f"wake({inner.name})",
        asks=waker.asks,
        at_most=at_most,
        at_least=None if inner.at_least is None else at_least,
        asked_in=("ask",),
        notes={},
    )
    graph = TechniqueGraph(state, known, input_schema=WokenQuestion, output_schema=Answered)
    add_node(graph, "recall", waker.recall, execute_in="activity", state=state)
    add_node(graph, "ask", waker.ask, execute_in="activity", state=state)
    add_node(graph, "finish", waker.finish, execute_in="activity", state=state)
    graph.add_edge(START, "recall")
    add_edges(graph, "recall", waker.route, ["ask", "finish"])
    add_edges(graph, "ask", waker.again, ["ask", END])
    graph.add_edge("finish", END)
    return graph
