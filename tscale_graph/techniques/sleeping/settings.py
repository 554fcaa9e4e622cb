"""What `sleep_time` is told, checked once when its graph is built."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph.store.base import BaseStore

from tscale_graph.budget import Budget
from tscale_graph.idle import Idle
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.sleep_store import SleepStore, found_store


@dataclass(frozen=True)
class SleepSettings:
    """How to work ahead.

    Attributes:
        endpoint: the model that rewrites and thinks of questions.
        answerer: what answers the questions, several samples or a verifier behind it.
        tester: what answers them once, from the dense context.
        store: where to keep it; None takes that of the run.
        idle: says when to give way, or None.
        questions: that a context may have.
        contexts: that an owner may have.
        support: the least share of samples that an answer is verified by.
        tests: questions that a dense context is tested with.
        rounds: times that a document is rewritten.
        tries: times that an answer to one question is sought.
        patience: times that a context is worked through before it is left alone unless asked.
        max_output_tokens: of a rewriting, and of a list of questions.
        max_parallel: jobs side by side.
        temperature: of rewritings and questions; None leaves the model's own.
        seed: for runs that repeat, or None.
        days: how long what nobody writes anew is kept.
        budget: for runs that bring none, or None.
    """

    endpoint: Endpoint
    answerer: Endpoint
    tester: Endpoint
    store: BaseStore | None
    idle: Idle | None
    questions: int
    contexts: int
    support: float
    tests: int
    rounds: int
    tries: int
    patience: int
    max_output_tokens: int
    max_parallel: int
    temperature: float | None
    seed: int | None
    days: float
    budget: Budget | None

    def kept(self, owner: tuple[str, ...]) -> SleepStore:
        """One owner's entries.

        Raises:
            ValueError: when there is no store.
        """
        return SleepStore(found_store(self.store), owner, days=self.days)
