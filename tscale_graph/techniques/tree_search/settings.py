"""What every tree search is told, checked once when its graph is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.search.asking import SearchPolicy
from tscale_graph.techniques.settings import (
    Answer,
    OnExceeded,
    check_asking,
    check_count,
    with_system,
)
from tscale_graph.techniques.tree_search.growing import Growth
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer
from tscale_graph.votes import Selection, selection


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes:
        endpoints: the models to choose from.
        policy: decides what to expand.
        growth: says what a node is.
        verifier: scores nodes.
        max_nodes: the most nodes of one run.
        batch: expansions of one round.
        max_parallel: the most completions in flight at once; None leaves it to the budget.
        max_output_tokens: the most tokens of one whole answer.
        temperature: sampling temperature; None leaves the models' own.
        system: a system prompt put before the conversation, or None.
        seed: makes runs repeatable with providers that take a seed; None does not.
        budget: for requests that bring none, or None.
        kind: how answers are read; None is decided from the question and the samples.
        auto: how answers are read was left to us, so the result says how they were.
        on_exceeded: "raise" or "return" when the budget ends before there is an answer.
        select: how the answer is chosen among complete ones.
        reflects: how many failures are reflected on at most.
    """

    endpoints: tuple[Endpoint, ...]
    policy: SearchPolicy
    growth: Growth
    verifier: Verifier
    max_nodes: int
    batch: int
    max_parallel: int | None
    max_output_tokens: int
    temperature: float | None
    system: str | None
    seed: int | None
    budget: Budget | None
    kind: AnswerKind | None
    auto: bool
    on_exceeded: OnExceeded
    select: Selection
    reflects: int = 0

    def conversation(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the models get it."""
        return with_system(self.system, messages)

    def kind_for(self, question: str, candidates: Sequence[Candidate]) -> AnswerKind:
        """How to read the answers: as the user said, or as the question and they suggest."""
        if self.kind is not None:
            return self.kind
        return pick_answer_kind(question, [c.text for c in candidates if not c.error])

    @property
    def unpriced(self) -> str | None:
        """The name of a model that will be called and whose price is not known, or None."""
        for one in self.endpoints:
            if one.unpriced is not None:
                return one.unpriced
        return getattr(self.verifier, "unpriced", None)

    @property
    def asks_servers(self) -> bool:
        """Whether sizing a request may wait for a server, to count tokens or to start it."""
        counters = any(one.counter.asks_server for one in self.endpoints)
        return counters or hasattr(self.verifier, "needs")


def search_settings(
    models: Sequence[str | Askable],
    *,
    policy: SearchPolicy,
    growth: Growth,
    verifier: Verifier | str,
    max_nodes: int,
    batch: int = 1,
    select: str | Selection = "max",
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
    reflects: int = 0,
) -> SearchSettings:
    """Check the arguments that tree searches share.

    Raises:
        ValueError: one line that names the argument, what was got and what would be right.
        ImportError: when a model or verifier needs a package that is not installed.
    """
    check_count("max_nodes", max_nodes, at_least=1)
    check_count("batch", batch, at_least=1)
    check_asking(max_output_tokens, max_parallel, temperature, seed=seed, on_exceeded=on_exceeded)
    if not models:
        raise ValueError("models must name at least one model, got none")
    checked = check_verifier(verifier)
    auto = answer == "auto"
    return SearchSettings(
        endpoints=tuple(endpoint(load_model(model)) for model in models),
        policy=policy,
        growth=growth,
        verifier=checked,
        max_nodes=max_nodes,
        batch=batch,
        max_parallel=max_parallel,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        system=system,
        seed=seed,
        budget=None if budget is None else Budget.of(budget),
        kind=answer_kind(preferred_answer(checked) if auto else answer),
        auto=auto,
        on_exceeded=on_exceeded,
        select=selection(select),
        reflects=reflects,
    )
