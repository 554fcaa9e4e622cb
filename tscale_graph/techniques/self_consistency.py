"""Self-consistency: sample several answers and take the one that most of them agree on."""

from __future__ import annotations

from typing import Any

from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable, chat_endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.stopping import NEED_VERIFIER, FirstToFinish, StoppingRule, stopping_rule
from tscale_graph.techniques.closing import ByRanker, Closing
from tscale_graph.techniques.loop import sampling_loop
from tscale_graph.techniques.settings import Answer, OnExceeded, sampling_settings
from tscale_graph.verifiers.judges import ListwiseJudge, MostConsistent, most_consistent
from tscale_graph.votes import Majority, Selection

VOTES = ("majority", "logprob", "stated_confidence", "deepconf", "universal")
"""The names of the votes that need no verifier."""


def self_consistency(
    model: str | Askable,
    *,
    max_samples: int = 16,
    stop: str | StoppingRule = "beta",
    vote: str | Selection | Closing | MostConsistent | ListwiseJudge = "majority",
    speculate: int = 0,
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that samples a model until its answers agree, and returns the majority's.

    Self-consistency (Wang et al. 2022, arXiv:2203.11171), in waves that end when the answer is
    settled (Aggarwal et al. 2023, arXiv:2305.11860). Input: `messages` and `budget`. Output:
    `messages` with the answer appended, and `result`.

    Args:
        model: a chat model, "local", or "provider:model".
        max_samples: the most samples to take, at least 1.
        stop: a stopping rule or its name, with its parameter if you like: "beta:0.9",
            "dirichlet", "window:5", "first_to_lead_by:3", "value_of_information:1e-6",
            "fixed", or "first_to_finish:3" (all samples start at once, the first three with an
            answer vote, and the others are cancelled). Whatever the rule, sampling ends when
            the samples that are left cannot change the winner.
        vote: "majority"; weighted by how sure the model was: "logprob", "stated_confidence"
            or "deepconf"; "universal", where the model itself picks the most consistent answer;
            or a selection, or a judge that ranks.
        speculate: samples that each wave has beyond what the rule needs, for users in a hurry;
            those in flight are cancelled once the answer is settled.
        answer: how to read the final answer: "auto", "number", "math", "choice", "text",
            "json", "code", a function from text to answer or None, or `semantic(…)`.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one sample, at least 1.
        max_parallel: the most samples in flight at once; None leaves it to the budget.
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
    rule = stopping_rule(stop)
    select = _vote(vote, model, max_samples=max_samples)
    if vote == "majority" and isinstance(rule, FirstToFinish):
        select = Majority(ties="shortest")
    settings = sampling_settings(
        model,
        max_samples=max_samples,
        stop=rule,
        select=select,
        speculate=speculate,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    if settings.rule.name in NEED_VERIFIER:
        raise ValueError(f'stop="{settings.rule.name}" needs a verifier: use best_of_n')
    return sampling_loop(settings, technique="self_consistency")


def _vote(
    vote: str | Selection | Closing | MostConsistent | ListwiseJudge,
    model: str | Askable,
    *,
    max_samples: int,
) -> str | Selection | Closing:
    if isinstance(vote, str):
        if vote not in VOTES:
            raise ValueError(f"vote must be one of {', '.join(VOTES)} or a selection, got {vote!r}")
        if vote == "universal":
            loaded = load_model(model)
            chat_endpoint(loaded, technique='vote="universal"')
            return universal(loaded, at_most=max_samples)
        return vote
    if isinstance(vote, MostConsistent):
        return ByRanker(vote, calls=2, distinct=False, name="universal")
    if isinstance(vote, ListwiseJudge):
        return ByRanker(vote, calls=1, distinct=True, name="listwise")
    return vote


_SHOWN_AT_ONCE = 16
"""Samples that a model is shown to pick from: with more it loses sight of the first."""


def universal(model: str | Askable, *, at_most: int) -> Closing:
    """Universal self-consistency by the model that sampled."""
    ranker = most_consistent(model, at_most=max(2, min(at_most, _SHOWN_AT_ONCE)))
    return ByRanker(ranker, calls=2, distinct=False, name="universal")
