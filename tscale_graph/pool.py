"""A pool of models with what each is, and the rule by which a task is handed to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.prices import Price
from tscale_graph.reasoning import Heaviness

Kind = Literal["fast", "reasoning"]


class PoolModel(BaseModel):
    """A model, or a technique in its place, and what it is.

    Attributes:
        model: a chat model, "provider:model", "local", or a technique's graph.
        kind: "reasoning" for one that is tuned to reason, else "fast".
        tools: it has tools at hand.
        context_tokens: the most tokens of its prompt and its answer; None for no known limit.
        usd_per_million_tokens: the price of a chat model; None takes what is known of it, if
            anything is. The models within a technique know their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    model: Any
    kind: Kind = "fast"
    tools: bool = False
    context_tokens: int | None = Field(default=None, gt=0)
    usd_per_million_tokens: Price | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """What the rule needs to know of one model for one task.

    Attributes:
        name: the model's.
        kind: as of `PoolModel`.
        fits: its context holds the prompt and a whole answer.
        affordable: the budget pays for it.
    """

    name: str
    kind: Kind = "fast"
    fits: bool = True
    affordable: bool = True


@dataclass(frozen=True, slots=True)
class Ladder:
    """Which models are asked, in order.

    Attributes:
        rungs: their places in the pool.
        notes: why it begins where it does, and who was left out.
        spare: those below where it begins, the dearest first: asked where no other has an answer.
    """

    rungs: tuple[int, ...]
    notes: tuple[str, ...] = ()
    spare: tuple[int, ...] = ()


def hand_over(pool: Sequence[Member], *, heaviness: Heaviness | None) -> Ladder:
    """Where a task begins: at the cheapest model, or at once at a reasoning-tuned one.

    A reasoning-heavy task begins at the first reasoning-tuned model that the budget pays for;
    those below it are asked only where none above has an answer. A model whose context is too
    small is left out.

    Args:
        pool: cheap first.
        heaviness: how much reasoning the task takes; None begins at the cheapest.
    """
    notes = [f"{one.name} was left out: its context is too small" for one in pool if not one.fits]
    fitting = [place for place, one in enumerate(pool) if one.fits]
    if heaviness is None or not heaviness.heavy:
        return Ladder(tuple(fitting), tuple(notes))
    tuned = [place for place in fitting if pool[place].kind == "reasoning"]
    first = next((place for place in tuned if pool[place].affordable), None)
    told = f"reasoning-heavy ({heaviness.reason})"
    if first is not None and first != fitting[0]:
        notes.insert(0, f"{told}: started at {pool[first].name}")
    elif first is None and tuned:
        name = pool[tuned[0]].name
        told += f", but the budget does not pay for {name}: started at the cheapest"
        notes.insert(0, told)
    start = 0 if first is None else fitting.index(first)
    return Ladder(tuple(fitting[start:]), tuple(notes), tuple(reversed(fitting[:start])))


def by_price(prices: Sequence[Price | None]) -> list[int]:
    """The places of a pool, cheap first: by a token in and a token out; unknown prices last."""

    def dollars(place: int) -> tuple[bool, float]:
        price = prices[place]
        return price is None, 0.0 if price is None else price.input + price.output

    return sorted(range(len(prices)), key=dollars)
