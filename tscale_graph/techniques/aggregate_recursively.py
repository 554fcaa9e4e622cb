"""Recursive self-aggregation: a population of answers, written anew from subsets of itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from langgraph.graph import END, START

from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.aggregating.choosing import AggregatingDecider, AggregatingFinisher
from tscale_graph.techniques.aggregating.gate import AggregatingGate
from tscale_graph.techniques.aggregating.settings import AggregatingSettings
from tscale_graph.techniques.aggregating.state import AggregatingState
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.own_prompts import SamplerByPrompt
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import (
    Answer,
    OnExceeded,
    check_count,
    check_number,
    sampling_settings,
)
from tscale_graph.techniques.state import Answered, Question
from tscale_graph.techniques.whole_runs import of_populations


def aggregate_recursively(
    model: str | Askable,
    *,
    population: int = 16,
    subset: int = 4,
    generations: int = 10,
    agreement: float | None = 1.0,
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that has a model write better answers from several of its own, again and again.

    Recursive self-aggregation (RSA, Venkatraman et al. 2025, arXiv:2509.26626). Input:
    `messages` and `budget`. Output: `messages` with the answer appended, and `result`.

    The first generation answers the question. Each member of a later one is written from a random
    subset of the population before it, and the last population votes. No verifier is needed. A
    member that fails is represented by the one before it at its place, and so is one that the
    budget had no room for: then the result is cut off. That takes up to population × generations
    calls, whose prompts hold up to `subset` answers.

        START → admit → sample × population → decide → admit again, or finish → END

    Args:
        model: a chat model, "local", or "provider:model".
        population: answers in a generation, at least 1.
        subset: distinct answers that each new one is written from, at least 1; fewer where there
            are fewer. 1 is self-refinement of many answers side by side.
        generations: populations in a row, the first included, at least 1; 1 is a plain majority
            vote.
        agreement: ends the run once this share of a whole population gives one answer, above 0
            and at most 1; a population of 1 is not asked. None makes all generations.
        answer: how to read the final answer, as for `self_consistency`.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one answer, at least 1.
        max_parallel: the most answers in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed; it draws the subsets too.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model needs a package that is not installed.
    """
    check_count("population", population, at_least=1)
    check_count("subset", subset, at_least=1)
    check_count("generations", generations, at_least=1)
    if agreement is not None:
        check_number("agreement", agreement, at_least=0)
        if not 0 < agreement <= 1:
            raise ValueError(f"agreement must be above 0 and at most 1, got {agreement}")
    sampling = sampling_settings(
        model,
        max_samples=population * generations,
        stop="fixed",
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    return _graph(AggregatingSettings(sampling, population, subset, generations, agreement))


def _graph(settings: AggregatingSettings) -> TechniqueGraph:
    gate, decider = AggregatingGate(settings), AggregatingDecider(settings)
    sampler = SamplerByPrompt(Sampler(settings.sampling))
    finisher = AggregatingFinisher(settings)
    sampling, state = settings.sampling, AggregatingState
    at_most = partial(of_populations, settings)
    notes = {"sample": f"{settings.population} side by side, {settings.generations} times"}
    known = Technique(
        "aggregate_recursively",
        (sampling.endpoint,),
        at_most,
        sampling.budget,
        notes=notes,
        at_least=partial(of_populations, replace(settings, population=1, generations=1)),
    )
    graph = TechniqueGraph(state, known, input_schema=Question, output_schema=Answered)
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "sample", sampler.sample, execute_in="activity", state=state)
    add_node(graph, "decide", decider.decide, execute_in="workflow", state=state)
    add_node(graph, "finish", finisher.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    add_edges(graph, "admit", gate.fan_out, ["sample", "finish"])
    graph.add_edge("sample", "decide")
    add_edges(graph, "decide", decider.another, ["admit", "finish"])
    graph.add_edge("finish", END)
    return graph
