"""Cascade: models and techniques, cheap first; the next is asked where an answer is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from langgraph.graph import END, START

from tscale_graph.budget import Budget
from tscale_graph.models.binding import CallerBinding
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.pool import PoolModel
from tscale_graph.techniques.cascading.asking import Climber, RungChecker
from tscale_graph.techniques.cascading.building import Asking, Confidence, ladder_of
from tscale_graph.techniques.cascading.finishing import TECHNIQUE, CascadeFinisher
from tscale_graph.techniques.cascading.gate import LadderGate
from tscale_graph.techniques.cascading.settings import CascadeSettings, First
from tscale_graph.techniques.cascading.state import CascadeState
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.settings import Answer, OnExceeded, check_asking
from tscale_graph.techniques.state import Answered, Question
from tscale_graph.techniques.whole_runs import of_rungs
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer


def cascade(
    rungs: str | Sequence[str | Askable | PoolModel],
    *,
    accept: float | Sequence[float] = 0.8,
    verifier: Verifier | str | None = None,
    samples: int = 3,
    confidence: Confidence = "agreement",
    first: First = "auto",
    needs_tools: bool = False,
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that asks cheap models first, and dearer ones where an answer is not good enough.

    FrugalGPT (Chen et al. 2023, arXiv:2305.05176), with the agreement of samples as the signal
    (Yue et al. 2023, arXiv:2310.03094). Input: `messages` and `budget`. Output: `messages` with
    the answer appended, and `result`, whose `candidates` are one for each rung that was asked and
    whose `notes` say which of them answered and why it was climbed to.

    An answer is rated from 0 to 1: by the verifier, where there is one; else by the verdict that
    the rung's own result has; else by the agreement of its samples; else, where there is but one
    sample, by how sure the model was of it. Nothing known is not good enough.

        START → admit → climb → ask (→ verify) → climb again, or finish → END

    Each rung's lease is what its whole run takes at most, or what is left; a rung is climbed to
    where the rest pays for a whole call of it. Nothing is kept back for the rungs above.

    Args:
        rungs: at least two, cheap first: chat models, "provider:model", techniques' graphs such
            as `extended_thinking(…)`, or all of them `PoolModel`, which are put in order of price;
            or the names of models with commas in between. A bare model is asked for so many
            `samples`, but once on the last rung; a technique that says nothing of how good its
            answer is, such as `extended_thinking`, is run so many times.
        accept: the least rating that an answer is accepted with, from 0 to 1; or one for each
            rung but the last. At most 1.01, where only a verifier's pass is enough.
            `learn_thresholds` of `tscale_graph.recordings.thresholds` finds them.
        verifier: called as `verifier(question, answer)`, or the name of a built-in one; one that
            passes or fails answers decides whatever its score. Bare models are then asked once.
        samples: of a bare model on every rung but the last, at least 2.
        confidence: how the answer of a bare model is rated: "agreement" of its samples, or of one
            sample "logprob" (the probability of its mean token) or "stated" (in words).
        first: where the ladder begins. "auto" begins tasks that take reasoning, by free rules, at
            the first `PoolModel` of kind "reasoning" that the budget pays for; "cheapest" at the
            bottom, always.
        needs_tools: leave out each `PoolModel` that has no tools.
        answer: how to read the answers of bare models; "auto" first asks what the verifier wants.
        temperature: of bare models, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one sample of a bare model, at least 1.
        budget: for requests that bring none.
        system: a system prompt for bare models; techniques have their own.
        seed: for runs that repeat, where the provider takes a seed; None leaves techniques theirs.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when a model or the verifier needs a package that is not installed.
    """
    check_asking(max_output_tokens, None, temperature, seed=seed, on_exceeded=on_exceeded)
    if first not in ("auto", "cheapest"):
        raise ValueError(f'first must be "auto" or "cheapest", got {first!r}')
    checked = None if verifier is None else check_verifier(verifier)
    if checked is not None and answer == "auto":
        answer = preferred_answer(checked)
    asked_by = {
        "answer": answer,
        "temperature": temperature,
        "max_output_tokens": max_output_tokens,
        "system": system,
    }
    asking = Asking(samples, confidence, checked is not None, asked_by)
    settings = CascadeSettings(
        rungs=ladder_of(rungs, accept=accept, asking=asking, needs_tools=needs_tools),
        verifier=checked,
        first=first,
        max_output_tokens=max_output_tokens,
        system=system,
        seed=seed,
        budget=None if budget is None else Budget.of(budget),
        on_exceeded=on_exceeded,
    )
    return _graph(settings)


def _rebound(settings: CascadeSettings, binding: CallerBinding) -> TechniqueGraph:
    rungs = tuple(replace(rung, endpoint=binding.to(rung.endpoint)) for rung in settings.rungs)
    return _graph(replace(settings, rungs=rungs))


def _graph(settings: CascadeSettings) -> TechniqueGraph:
    gate, climber, finisher = LadderGate(settings), Climber(settings), CascadeFinisher(settings)
    state, at_most = CascadeState, partial(of_rungs, settings)
    asks = tuple(rung.endpoint for rung in settings.rungs)
    known = Technique(
        TECHNIQUE,
        asks,
        at_most,
        settings.budget,
        asked_in=("ask",),
        at_least=partial(of_rungs, replace(settings, rungs=settings.rungs[:1])),
    )
    graph = TechniqueGraph(
        state,
        known,
        input_schema=Question,
        output_schema=Answered,
        rebound=partial(_rebound, settings),
    )
    add_node(graph, "admit", gate.admit, execute_in="activity", state=state)
    add_node(graph, "climb", gate.climb, execute_in="activity", state=state)
    add_node(graph, "ask", climber.ask, execute_in="activity", state=state)
    add_node(graph, "finish", finisher.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    graph.add_edge("admit", "climb")
    add_edges(graph, "climb", gate.route, ["ask", "finish"])
    last = "ask"
    if settings.verifier is not None:
        checker = RungChecker(settings.verifier)
        add_node(graph, "verify", checker.verify, execute_in="activity", state=state)
        graph.add_edge("ask", "verify")
        last = "verify"
    graph.add_edge(last, "climb")
    graph.add_edge("finish", END)
    return graph
