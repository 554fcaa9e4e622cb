"""The price of a model, from what the user says or from the published price lists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from tscale_graph.models.addresses import address
from tscale_graph.prices import Price

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

PRICE_KEY = "usd_per_million_tokens"
"""Where a chat model's `metadata` says its price: {"input": dollars, "output": dollars}."""

_PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "google_genai": "google"}


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model in the published price lists: by its provider, or by the address it is served at."""

    name: str
    provider: str | None = None
    api_url: str | None = None

    def price(
        self, input_tokens: int, output_tokens: int = 0, cached_tokens: int = 0
    ) -> PriceCalculation:
        """The price of one call.

        Raises:
            LookupError: when the lists do not have the model.
        """
        import genai_prices  # a third of a second, for those who pay

        usage = genai_prices.Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cached_tokens,
        )
        if self.api_url is not None:
            return genai_prices.calc_price(usage, self.name, provider_api_url=self.api_url)
        return genai_prices.calc_price(usage, self.name, provider_id=self.provider)


@dataclass(frozen=True, slots=True)
class PriceList:
    """What one model costs.

    Attributes:
        ceiling: never less than the true price, for leases; None when it is not known.
        published: finds the model in the published lists; None when the user gave the price.
    """

    ceiling: Price | None
    published: PublishedModel | None = None

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Dollars for one call, rounded up to 1e-9; 0 when the price is not known.

        Args:
            input_tokens: prompt tokens, cached ones included.
            output_tokens: completion tokens, reasoning included.
            cached_tokens: the part of the prompt that the provider read from its cache.
        """
        if self.published is not None:
            total = self.published.price(input_tokens, output_tokens, cached_tokens).total_price
            return math.ceil(total * 1_000_000_000) / 1e9
        if self.ceiling is None:
            return 0.0
        return self.ceiling.cost(input_tokens=input_tokens, output_tokens=output_tokens)


def price_list(model: BaseChatModel, *, name: str, provider: str) -> PriceList:
    """The price of a model: its `metadata`, else the published lists, else unknown.

    Raises:
        ValueError: when the price in the metadata is malformed.
    """
    told = (model.metadata or {}).get(PRICE_KEY)
    if told is not None:
        try:
            return PriceList(Price.model_validate(told))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            raise ValueError(
                f'metadata["{PRICE_KEY}"] must be {{"input": dollars, "output": dollars}}, '
                f"got {told!r} ({where}: {problem['msg']})"
            ) from None
    published = _published(model, name=name, provider=provider)
    ceiling = _ceiling(published) if published else None
    return PriceList(ceiling, published if ceiling else None)


def unknown_price(name: str) -> str:
    """The sentence for a model with a `usd` limit and no known price."""
    return (
        f"the price of {name} is not known, so usd cannot be limited; give it as "
        f'metadata={{"{PRICE_KEY}": {{"input": …, "output": …}}}} on the chat model'
    )


def _published(model: BaseChatModel, *, name: str, provider: str) -> PublishedModel | None:
    if provider == "azure":
        return None  # its names are those of deployments, and users choose them
    base_url = address(model)
    if base_url:
        return PublishedModel(name, api_url=base_url)
    if provider in _PROVIDERS:
        return PublishedModel(name, provider=_PROVIDERS[provider])
    return None


def _ceiling(published: PublishedModel) -> Price | None:
    try:
        price = published.price(1).model_price
    except LookupError:
        return None
    if price.input_mtok is None or price.output_mtok is None:
        return None
    return Price(input=_dearest(price.input_mtok), output=_dearest(price.output_mtok))


def _dearest(price: Any) -> float:
    """The highest tier of a price that depends on the length of the prompt."""
    tiers = [tier.price for tier in getattr(price, "tiers", ())]
    return float(max([getattr(price, "base", price), *tiers]))
