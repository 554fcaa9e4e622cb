"""Sleep-time compute: a standing context is worked through while nobody asks."""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from tscale_graph.budget import Budget
from tscale_graph.idle import Idle
from tscale_graph.models.endpoint import Askable, chat_endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.sleep_store import DAYS, check_days
from tscale_graph.techniques.best_of_n import best_of_n
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.self_consistency import self_consistency
from tscale_graph.techniques.settings import check_asking, check_count
from tscale_graph.techniques.sleeping.settings import SleepSettings
from tscale_graph.techniques.sleeping.state import SleepContext, SleepOutput, SleepState
from tscale_graph.techniques.sleeping.working import Sleeper
from tscale_graph.verifiers import Verifier


def sleep_time(
    model: str | Askable,
    *,
    technique: Askable | None = None,
    verifier: Verifier | str | None = None,
    samples: int = 5,
    support: float = 0.6,
    questions: int = 16,
    contexts: int = 100,
    tests: int = 4,
    rounds: int = 3,
    tries: int = 2,
    patience: int = 3,
    idle: Idle | None = None,
    store: BaseStore | None = None,
    days: float = DAYS,
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int = 4,
    budget: Budget | dict[str, Any] | None = None,
    seed: int | None = None,
) -> StateGraph[Any, Any, Any, Any]:
    """A graph that works through a context ahead of the questions on it.

    Sleep-time compute (Lin et al. 2025, arXiv:2504.13171). Input: `context` (a text, texts by
    name, or LangChain documents), `budget`, and if you like `questions` that you expect, `name`,
    which its books are kept under through all its versions, and `owner`, a tenant or a tenant and
    a user. Output: `slept`. What it worked out is kept in the run's store: each document rewritten
    densely, and questions with verified answers. `wake` answers from it.

        START → admit → plan → work → keep → plan again, or finish → END

    Each run goes on where the last one was: what is missing first, then tests of the dense
    documents by the questions with verified answers that are about them, then better rewritings,
    which take the place of those before once they have done as well in the same tests. Lines of a
    rewriting with numbers that are neither in the document nor follow from it by right arithmetic
    are left out. Questions that people asked are answered before those that you expect, and those
    before what the model thought of. A changed document invalidates its own dense version and the
    answers of each context that it is in.

    Args:
        model: rewrites and thinks of questions: a chat model, "local", or "provider:model".
        technique: answers the questions; the graph of a technique whose results say how good
            they are. By default `best_of_n` where there is a verifier, else `self_consistency`,
            of so many `samples`.
        verifier: called as `verifier(question, answer)`, or the name of a built-in one.
        samples: for each answer, at least 2.
        support: the least share of samples by which an answer is verified, above 0 and at most 1;
            a verifier's word counts for more.
        questions: that a context may have, at least 1; those that saved least make room.
        contexts: that an owner may have, at least 1; likewise.
        tests: questions that a dense document is tested with, at least 1.
        rounds: times that each document is rewritten, at least 1.
        tries: times that an answer to one question is sought, at least 1.
        patience: times that a context is worked through before it is left alone unless somebody
            asks about it, at least 1.
        idle: is told when somebody asks: calls in flight are dropped, and the run ends with
            what it has.
        store: where to keep it; None takes the store that the graph is compiled with.
        days: how long what nobody writes anew is kept, above 0.
        temperature: of rewritings and questions, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one reply, at least 1.
        max_parallel: calls side by side, at least 1.
        budget: for runs that bring none.
        seed: for runs that repeat, where the provider takes a seed.

    Returns:
        An uncompiled graph: compile it with your store, and a checkpointer if you like.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model or the verifier needs a package that is not installed.
    """
    counts = {
        "questions": questions,
        "contexts": contexts,
        "tests": tests,
        "rounds": rounds,
        "tries": tries,
        "patience": patience,
    }
    for name, value in counts.items():
        check_count(name, value, at_least=1)
    check_count("samples", samples, at_least=2)
    check_days(days)
    if not 0 < support <= 1:
        raise ValueError(f"support must be above 0 and at most 1, got {support!r}")
    check_asking(max_output_tokens, max_parallel, temperature, seed=seed, on_exceeded="raise")
    if technique is not None and verifier is not None:
        raise ValueError("verifier is for the default technique: give it to yours, or give none")
    loaded = load_model(model)
    same: dict[str, Any] = {"max_output_tokens": max_output_tokens, "seed": seed}
    if technique is None and verifier is not None:
        technique = best_of_n(loaded, verifier, n=samples, **same)
    elif technique is None:
        technique = self_consistency(loaded, max_samples=samples, **same)
    answerer = endpoint(technique)
    if answerer.nested is None:
        raise ValueError("technique must be a technique's graph, such as self_consistency(…)")
    if not answerer.nested.technique.rates:
        name = answerer.nested.technique.name
        raise ValueError(f"technique must say how good its answers are, and {name} does not")
    tester = self_consistency(loaded, max_samples=1, temperature=0.0, **same)
    settings = SleepSettings(
        endpoint=chat_endpoint(loaded, technique="sleep_time"),
        answerer=answerer,
        tester=endpoint(tester),
        store=store,
        idle=idle,
        support=support,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        temperature=temperature,
        seed=seed,
        days=days,
        budget=None if budget is None else Budget.of(budget),
        **counts,
    )
    return _graph(Sleeper(settings))


def _graph(sleeper: Sleeper) -> StateGraph[Any, Any, Any, Any]:
    state = SleepState
    graph = StateGraph(state, input_schema=SleepContext, output_schema=SleepOutput)
    add_node(graph, "admit", sleeper.admit, execute_in="activity", state=state)
    add_node(graph, "plan", sleeper.plan, execute_in="workflow", state=state)
    add_node(graph, "work", sleeper.work, execute_in="activity", state=state)
    add_node(graph, "keep", sleeper.keep, execute_in="activity", state=state)
    add_node(graph, "finish", sleeper.finish, execute_in="activity", state=state)
    graph.add_edge(START, "admit")
    graph.add_edge("admit", "plan")
    add_edges(graph, "plan", sleeper.route, ["work", "finish"])
    graph.add_edge("work", "keep")
    graph.add_edge("keep", "plan")
    graph.add_edge("finish", END)
    return graph
