"""From what users give as rungs to a ladder: loaded, put in order, and each one a technique."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from langchain_core.language_models import BaseChatModel

from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.pricing import PRICE_KEY
from tscale_graph.pool import PoolModel, by_price
from tscale_graph.rating import NEVER
from tscale_graph.techniques.cascading.settings import Rung
from tscale_graph.techniques.self_consistency import self_consistency
from tscale_graph.techniques.settings import check_count, check_number

Confidence = Literal["agreement", "logprob", "stated"]
_VOTES: dict[Confidence, str] = {"logprob": "logprob", "stated": "stated_confidence"}
_AT_LEAST = "at least 2 models or techniques, cheap first"


@dataclass(frozen=True)
class Asking:
    """How bare models are asked.

    Attributes:
        samples: of a model that is rated by their agreement.
        confidence: how its answer is rated.
        verified: a verifier rates answers instead, so that one sample is enough.
        arguments: of `self_consistency`, for each of them.
    """

    samples: int
    confidence: Confidence
    verified: bool
    arguments: dict[str, Any]

    def __post_init__(self) -> None:
        check_count("samples", self.samples, at_least=2)
        if self.confidence not in get_args(Confidence):
            names = ", ".join(get_args(Confidence))
            raise ValueError(f"confidence must be one of {names}, got {self.confidence!r}")

    def technique(self, model: Askable, known: Endpoint, *, last: bool) -> Endpoint:
        """The technique that a rung runs, ready to be asked."""
        inner = known.nested
        if inner is not None and (inner.technique.rates or last or self.verified):
            return known
        told = {} if inner is not None else self.arguments
        vote, samples = "majority", self.samples
        if last or self.verified:
            samples = 1
        elif inner is None and self.confidence != "agreement":
            vote, samples = _VOTES[self.confidence], 1
        sampled = self_consistency(model, max_samples=samples, stop="fixed", vote=vote, **told)
        return endpoint(sampled)


def ladder_of(
    rungs: str | Sequence[str | Askable | PoolModel],
    *,
    accept: float | Sequence[float],
    asking: Asking,
    needs_tools: bool,
) -> tuple[Rung, ...]:
    """The rungs of a ladder, each ready to be asked.

    Raises:
        ValueError: in one line, for too few of them, or a threshold too few or too many.
        ImportError: when a model needs a package that is not installed.
    """
    pool = _pool(rungs)
    in_order = not isinstance(rungs[0], PoolModel)
    if needs_tools:
        pool = [one for one in pool if one.tools]
        if len(pool) < 2:
            raise ValueError(
                f"needs_tools=True leaves {len(pool)} rungs: give at least 2 as PoolModel(…, "
                "tools=True)"
            )
    models = [_priced(one) for one in pool]
    known = [endpoint(model) for model in models]
    prices = (one.usd_per_million_tokens for one in pool)
    prices = [told or one.prices.ceiling for told, one in zip(prices, known, strict=True)]
    places = list(range(len(pool))) if in_order else by_price(prices)
    thresholds = thresholds_of(accept, len(pool))
    return tuple(
        Rung(
            endpoint=asking.technique(models[place], known[place], last=rung == len(pool) - 1),
            name=known[place].name,
            accept=threshold,
            kind=pool[place].kind,
            context_tokens=pool[place].context_tokens,
        )
        for rung, (place, threshold) in enumerate(zip(places, thresholds, strict=True))
    )


def thresholds_of(accept: float | Sequence[float], rungs: int) -> list[float]:
    """One threshold for each rung; the last is never climbed past, whatever its rating.

    Raises:
        ValueError: in one line.
    """
    if not isinstance(accept, Sequence) or isinstance(accept, str | bytes):
        _check_threshold(accept)
        return [cast(float, accept)] * (rungs - 1) + [math.inf]
    if len(accept) != rungs - 1:
        raise ValueError(
            f"accept must be one number, or one for each of {rungs - 1} rungs (all but the last), "
            f"got {len(accept)}"
        )
    for one in accept:
        _check_threshold(one)
    return [*accept, math.inf]


def _check_threshold(accept: object) -> None:
    check_number("accept", accept, at_least=0)
    if cast(float, accept) > NEVER:
        raise ValueError(f"accept must be at most {NEVER}, which no rating reaches, got {accept!r}")


def _pool(rungs: str | Sequence[str | Askable | PoolModel]) -> list[PoolModel]:
    """The rungs as members of a pool, in the order given."""
    given: Any = [name.strip() for name in rungs.split(",")] if isinstance(rungs, str) else rungs
    if not isinstance(given, list | tuple):
        raise ValueError(f"rungs must be {_AT_LEAST}, got {type(given).__name__}")
    several = list(cast(Sequence[Any], given))
    if isinstance(rungs, str):
        several = [one for one in several if one]
    elif any(isinstance(one, str) and not one.strip() for one in several):
        raise ValueError("rungs must be models or techniques, got an empty string among them")
    if len(several) < 2:
        told = f" ({several[0]})" if several and isinstance(rungs, str) else ""
        raise ValueError(f"rungs must be {_AT_LEAST}, got {len(several)}{told}")
    pooled = [isinstance(one, PoolModel) for one in several]
    if any(pooled) and not all(pooled):
        raise ValueError("rungs must all be PoolModels, or none of them: they are put in order")
    return [one if isinstance(one, PoolModel) else PoolModel(model=one) for one in several]


def _priced(member: PoolModel) -> Askable:
    """The model, which knows the price that the pool has of it.

    Raises:
        ValueError: in one line, for the price of anything but a chat model.
    """
    model = load_model(member.model)
    if member.usd_per_million_tokens is None:
        return model
    if not isinstance(model, BaseChatModel):
        raise ValueError(
            "usd_per_million_tokens is the price of a chat model: that of a technique, or of a "
            f'model with bound arguments, belongs in metadata["{PRICE_KEY}"] of the model within'
        )
    price = member.usd_per_million_tokens.model_dump()
    return model.model_copy(update={"metadata": {**(model.metadata or {}), PRICE_KEY: price}})
