"""Extended thinking: a budget of reasoning tokens before the answer that the user sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from langchain_core.runnables import Runnable
from langgraph.graph import END, START

from tscale_graph.answers import answer_kind
from tscale_graph.budget import Budget
from tscale_graph.models.binding import CallerBinding
from tscale_graph.models.endpoint import Endpoint, chat_endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.models.unsuitable import UnsuitableModel
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.settings import Answer, OnExceeded, check_asking, check_count
from tscale_graph.techniques.state import Answered, Question
from tscale_graph.techniques.thinking.asking import Thinker
from tscale_graph.techniques.thinking.finishing import ThinkingFinisher
from tscale_graph.techniques.thinking.gate import ThinkingGate
from tscale_graph.techniques.thinking.settings import WAYS, AskedWay, ThinkingSettings
from tscale_graph.techniques.thinking.state import ThinkingState, Way
from tscale_graph.techniques.whole_runs import of_thought


def extended_thinking(
    model: str | Runnable[Any, Any],
    *,
    thinking_tokens: int = 4096,
    min_thinking_tokens: int = 0,
    way: AskedWay = "auto",
    wait: str = "Wait",
    markers: tuple[str, str] = ("<think>", "</think>"),
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that lets a model think for a number of tokens, and then answer.

    Where the provider thinks natively, it is told how much; elsewhere thought and answer are calls
    of their own, with budget forcing (s1, Muennighoff et al. 2025, arXiv:2501.19393): a thought
    that stops before its minimum goes on with "Wait", and one that reaches its maximum is ended.
    What the answer takes is kept back before any thought is granted, so a small budget means a
    shorter thought and never a shorter answer. Input: `messages` and `budget`. Output: `messages`
    with the answer appended (its `content_blocks` are the reasoning and the text), and `result`.

        START → admit → plan → think → plan … → answer → plan → finish → END

    Args:
        model: a chat model, "local", or "provider:model".
        thinking_tokens: the most tokens of thought, at least 1: those that the model makes of it,
            without what we put in (`wait`, `markers`) and what ends it. A provider that only knows
            levels of effort gets the highest whose usual thought is no longer.
        min_thinking_tokens: the fewest, from 0 to `thinking_tokens`; natively, no provider can be
            told.
        way: "native" lets the provider think; "prefill" begins the model's own message with the
            thought; "prompt" asks for it in words; "auto" takes the first of these that the model
            is known for. A provider that refuses one way is asked in the next, with a note.
        wait: what a thought that stopped too early goes on with.
        markers: what begins and what ends a thought in calls of their own.
        answer: how to read the final answer: "auto", "number", "math", "choice", "text",
            "json", "code", or a function from text to answer or None.
        temperature: sampling temperature, 0 to 2; None leaves the model's own. Providers that
            take none beside native thinking are sent none.
        max_output_tokens: the most tokens of the answer, at least 1; the thought has its own.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model needs a package that is not installed.
    """
    check_count("thinking_tokens", thinking_tokens, at_least=1)
    check_count("min_thinking_tokens", min_thinking_tokens, at_least=0)
    if min_thinking_tokens > thinking_tokens:
        raise ValueError(
            f"min_thinking_tokens must be at most thinking_tokens={thinking_tokens}, "
            f"got {min_thinking_tokens}"
        )
    check_asking(max_output_tokens, None, temperature, seed=seed, on_exceeded=on_exceeded)
    check_words(wait, markers)
    asked = chat_endpoint(load_model(model), technique="extended_thinking")
    ways, remark = ways_of(asked, way, thinking_tokens)
    settings = ThinkingSettings(
        endpoint=asked,
        ways=ways,
        remark=remark,
        thinking_tokens=thinking_tokens,
        min_thinking_tokens=min_thinking_tokens,
        wait=wait.strip(),
        markers=(markers[0], markers[1]),
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        system=system,
        seed=seed,
        budget=None if budget is None else Budget.of(budget),
        kind=answer_kind(answer),
        on_exceeded=on_exceeded,
    )
    return _graph(settings)


def _rebound(settings: ThinkingSettings, binding: CallerBinding) -> TechniqueGraph:
    return _graph(replace(settings, endpoint=binding.to(settings.endpoint)))


def _graph(settings: ThinkingSettings) -> TechniqueGraph:
    gate, thinker, finisher = ThinkingGate(settings), Thinker(settings), ThinkingFinisher(settings)
    state, at_most = ThinkingState, partial(of_thought, settings)
    known = Technique(
        "extended_thinking",
        (settings.endpoint,),
        at_most,
        settings.budget,
        asked_in=("think", "answer"),
        rates=False,
        at_least=at_most,
        notes={"think": f"up to {settings.thinking_tokens:,} tokens"},
    )
    graph = TechniqueGraph(
        state,
        known,
        input_schema=Question,
        output_schema=Answered,
        rebound=partial(_rebound, settings),
    )
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "plan", gate.plan, execute_in="activity", state=state)
    add_node(graph, "think", thinker.think, execute_in="activity", state=state)
    add_node(graph, "answer", thinker.answer, execute_in="activity", state=state)
    add_node(graph, "finish", finisher.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    graph.add_edge("admit", "plan")
    add_edges(graph, "plan", gate.route, ["think", "answer", "finish"])
    graph.add_edge("think", "plan")
    graph.add_edge("answer", "plan")
    graph.add_edge("finish", END)
    return graph


def check_words(wait: object, markers: object) -> None:
    """Check what is put into a thought, as it comes from users.

    Raises:
        ValueError: for words that are none, or markers that cannot be told apart.
    """
    if not isinstance(wait, str) or not wait.strip():
        raise ValueError(f"wait must be a text that is not blank, got {wait!r}")
    pair = cast(Sequence[object], markers) if isinstance(markers, (tuple, list)) else ()
    texts = {mark.strip() for mark in pair if isinstance(mark, str)} - {""}
    if len(pair) != 2 or len(texts) != 2:
        raise ValueError(f"markers must be two different texts, neither blank, got {markers!r}")


def ways_of(asked: Endpoint, way: AskedWay, tokens: int) -> tuple[tuple[Way, ...], str]:
    """How a model is asked to think, the best way first, and what is to be said of that.

    Raises:
        ValueError: for an unknown way.
        UnsuitableModel: for the native way of a class that has none.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
    separate: tuple[Way, ...] = ("prefill", "prompt") if asked.continues else ("prompt",)
    if way == "prompt":
        return ("prompt",), ""
    if way == "prefill":
        return ("prefill", "prompt"), ""
    native = asked.thinking
    if native is None:
        if way == "native":
            raise UnsuitableModel(
                f'way="native" needs a model that thinks natively, got {asked.name}'
            )
        return (
            separate,
            f"{asked.name} is not known to think natively: it thought in separate calls",
        )
    if tokens < native.least:
        return separate, f"{asked.name} thinks natively from {native.least} tokens on"
    return ("native", *separate), native.remark(tokens)
