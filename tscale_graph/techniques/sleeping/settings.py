"""What `sleep_time` is told, checked once when its graph is built."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph.config import get_store
from langgraph.store.base import BaseStore

from tscale_graph.budget import Budget
from tscale_graph.idle import Idle
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.sleep_store import SleepStore


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
        patience: runs after which a context that nobody asks about is left alone.
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


def found_store(given: BaseStore | None) -> BaseStore:
    """The store that was given, or that of the run.

    Raises:
        ValueError: when there is none.
    """
    store = given
    if store is None:
        try:
            store = get_store()
        except (RuntimeError, KeyError):  # outside of a run
            store = None
    if store is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ValueError("no store: compile the graph with store=…, or give store= to its function")
    return store


def texts_of(given: object) -> tuple[str, ...]:
    """The questions that a user expects.

    Raises:
        ValueError: in one line, when they are no texts.
    """
    texts = () if given is None else given
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"questions must be a list of texts, got {given!r:.60}")
    return tuple(str(one) for one in texts)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def owner_of(given: object) -> tuple[str, ...]:
    """Whose entries: a name, or several that tell owners apart.

    >>> owner_of("acme"), owner_of(["acme", "ann"]), owner_of(None)
    (('acme',), ('acme', 'ann'), ())

    Raises:
        ValueError: in one line, for anything else.
    """
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"owner must be a name or a list of names, got {given!r:.60}")
    return tuple(str(name) for name in names)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
