"""Refine: one answer, criticised and revised again and again; the best version stands."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from langgraph.graph import END, START

from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.techniques.checking import Checker
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.own_prompts import SamplerByPrompt
from tscale_graph.techniques.refining.choosing import RefiningDecider, RefiningFinisher
from tscale_graph.techniques.refining.critic import Critic, SelfChecker
from tscale_graph.techniques.refining.gate import RefiningGate
from tscale_graph.techniques.refining.settings import RefiningSettings
from tscale_graph.techniques.refining.state import RefiningState
from tscale_graph.techniques.sampling import Sampler
from tscale_graph.techniques.settings import (
    Answer,
    OnExceeded,
    check_count,
    sampling_settings,
)
from tscale_graph.techniques.state import Answered, Question
from tscale_graph.techniques.whole_runs import of_revisions
from tscale_graph.verifiers import Verifier, check_verifier
from tscale_graph.verifiers.titles import title_of
from tscale_graph.votes import BestVersion


def refine(
    model: str | Askable,
    verifier: Verifier | str | None = None,
    *,
    max_revisions: int = 4,
    repeats: int = 2,
    chains: int = 1,
    critique_tokens: int = 512,
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that has a model revise its answer by what a verifier, or it itself, said of it.

    Self-Refine (Madaan et al. 2023, arXiv:2303.17651); sequential revisions beside parallel
    chains (Snell et al. 2024, arXiv:2408.03314). Input: `messages` and `budget`. Output:
    `messages` with the answer appended, and `result`, whose `tree` shows what revised what.

    With a verifier, each revision is of the version that scored best so far, and is told its
    score, the verifier's feedback, and which answers are no better. The run ends when a version
    passes, and the best-scored version stands, the first among equals, never the last as such: no
    answer is returned that the verifier scored below an earlier one.

    Without one, the model criticises each of its answers, and revises the last by that. Models
    often talk themselves out of right answers that way (Huang et al. 2023, arXiv:2310.01798), so a
    revision is not believed for being later: a version stands that its critique found nothing
    wrong with, and a chain ends there; where there is none, the answer that most versions gave,
    the earliest among equals. Where anything can check an answer, give a verifier instead.

        START → admit → sample × chains → verify → decide → admit again, or finish → END

    Args:
        model: a chat model, "local", or "provider:model".
        verifier: called as `verifier(question, answer)`, or the name of a built-in one; its
            feedback is told to the model. None has the model criticise its own answers.
        max_revisions: the most revisions of one answer, at least 0. What failed or holds no
            answer counts as well.
        repeats: so many revisions in a row that give an answer which the chain has had before end
            it, at least 1.
        chains: answers that are revised side by side, each by itself, at least 1.
        critique_tokens: the most tokens of one critique by the model itself, at least 1.
        answer: how to read answers; "auto" first asks what the verifier wants.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one version, at least 1.
        max_parallel: the most versions in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model or verifier needs a package that is not installed.
    """
    check_count("max_revisions", max_revisions, at_least=0)
    check_count("repeats", repeats, at_least=1)
    check_count("chains", chains, at_least=1)
    check_count("critique_tokens", critique_tokens, at_least=1)
    checked = None if verifier is None else check_verifier(verifier)
    sampling = sampling_settings(
        model,
        max_samples=chains * (1 + max_revisions),
        stop="fixed",
        select=BestVersion(verified=checked is not None),
        verifier=checked,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    if checked is None:
        critic = Critic(sampling, critique_tokens)
        settings = RefiningSettings(sampling, max_revisions, repeats, chains, critic)
        return _graph(settings, SelfChecker(sampling, critic))
    settings = RefiningSettings(sampling, max_revisions, repeats, chains, None)
    return _graph(settings, Checker(sampling, checked))


def _graph(settings: RefiningSettings, checker: Checker) -> TechniqueGraph:
    gate, decider = RefiningGate(settings), RefiningDecider(settings)
    sampler = SamplerByPrompt(Sampler(settings.sampling))
    finisher = RefiningFinisher(settings)
    sampling, state = settings.sampling, RefiningState
    at_most = partial(of_revisions, settings)
    notes = {"sample": _versions(settings), "verify": _judge(settings)}
    known = Technique(
        "refine",
        (sampling.endpoint,),
        at_most,
        sampling.budget,
        notes=notes,
        at_least=partial(of_revisions, replace(settings, chains=1, max_revisions=0)),
    )
    graph = TechniqueGraph(state, known, input_schema=Question, output_schema=Answered)
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "sample", sampler.sample, execute_in="activity", state=state)
    add_node(graph, "verify", checker.verify, execute_in="activity", state=state)
    add_node(graph, "decide", decider.decide, execute_in="workflow", state=state)
    add_node(graph, "finish", finisher.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    add_edges(graph, "admit", gate.fan_out, ["sample", "finish"])
    graph.add_edge("sample", "verify")
    graph.add_edge("verify", "decide")
    add_edges(graph, "decide", decider.another, ["admit", "finish"])
    graph.add_edge("finish", END)
    return graph


def _versions(settings: RefiningSettings) -> str:
    most = "up to 1 revision"
    if settings.max_revisions > 1:
        most = f"up to {settings.max_revisions} revisions"
    return most if settings.chains == 1 else f"{settings.chains} chains, {most} each"


def _judge(settings: RefiningSettings) -> str:
    return "by itself" if settings.critic else title_of(settings.sampling.verifier)
