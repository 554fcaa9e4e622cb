"""Many requests under one shared budget, as one graph."""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph

from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.policy import Policy
from tscale_graph.techniques.batching.granting import Prior
from tscale_graph.techniques.batching.state import Batch, Batched, BatchState
from tscale_graph.techniques.batching.working import BatchWork
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.policies import serve_classes
from tscale_graph.techniques.recipes import REAL, Kitchen
from tscale_graph.techniques.routing.classifiers import Classifier, check_classifier
from tscale_graph.techniques.settings import check_count
from tscale_graph.verifiers import Verifier

MAX_PARALLEL = 64


def sampling_batch(
    policy: Policy,
    *,
    model: str | Askable | None = None,
    verifier: Verifier | str | None = None,
    budget: Budget | dict[str, Any] | None = None,
    max_parallel: int = MAX_PARALLEL,
    prior: Prior | None = None,
    classifier: Classifier = "rules",
    seed: int | None = None,
) -> StateGraph[Any, Any, Any, Any]:
    """A graph that answers many requests out of one budget.

    Input: `requests` (a list of `BatchRequest`, or dicts of its fields) and `budget`. Output:
    `results`, one for each request, in their order.

    START → admit → sample × k → admit again → finish. Every request gets one sample; then samples
    go where the expected gain for a token is greatest (Damani et al. 2024, arXiv:2410.04707), and
    are asked for again when these have come back. Requests that are settled get no more, and
    hopeless ones little. Classes that a policy serves by self_consistency or best_of_n share the
    budget so; other techniques run once, as a whole. The stopping rules of the policy give way to
    the shared budget; what a "value_of_information" believes of its class is used.

    Args:
        policy: what is done for each class.
        model: for classes that name none; "local" if None.
        verifier: for classes whose technique takes one and that name none.
        budget: of batches that bring none.
        max_parallel: the most samples in flight, at least 1: more wait less, fewer learn more.
        prior: what to believe of a question, its votes apart: a `Difficulty`, or a function of
            `Signals`; None, or what gives None, for what the class says.
        classifier: who tells the classes of requests that name none: "rules", "trained" or a
            function of the question, but none that asks a model.
        seed: sample k of every request gets this one plus k, where the provider takes seeds.

    Raises:
        PolicyError: a `ValueError`, when a class cannot be served.
        ValueError: for a number that is too small, or a classifier that asks a model.
    """
    check_count("max_parallel", max_parallel, at_least=1)
    classifier = check_classifier(classifier, policy)
    if hasattr(classifier, "ask"):
        raise ValueError("classifier must ask no model in a batch: name the classes, or use router")
    kitchen = Kitchen(REAL, model=model or "local", verifier=verifier)
    work = BatchWork(
        policy=policy,
        served=serve_classes(policy, kitchen),
        budget=None if budget is None else Budget.of(budget),
        max_parallel=max_parallel,
        prior=prior,
        classifier=classifier,
        seed=seed,
    )
    state = BatchState
    graph = StateGraph(state, input_schema=Batch, output_schema=Batched)
    add_node(graph, "admit", work.admit, execute_in="activity", state=state)
    add_node(graph, "sample", work.sample, execute_in="activity", state=state)
    add_node(graph, "finish", work.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "admit")
    add_edges(graph, "admit", work.fan_out, ["sample", "finish"])
    graph.add_edge("sample", "admit")
    graph.add_edge("finish", END)
    return graph
