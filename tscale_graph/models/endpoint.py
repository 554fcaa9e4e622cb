"""What tscale-graph knows about a chat model: its price, its tokenizer, the names it uses.

Providers' classes call the same thing by different names. This is the only place that knows
them; everything else speaks of an `Endpoint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.graph import StateGraph

from tscale_graph.budget import Usage
from tscale_graph.leases import SampleSize
from tscale_graph.models.addresses import address, at_vendor
from tscale_graph.models.nested import Nested, nested
from tscale_graph.models.pricing import PriceList, price_list, unknown_price
from tscale_graph.models.thinking import NativeThinking, native_thinking
from tscale_graph.models.thinking_options import ServerBudget
from tscale_graph.models.thoughts import with_thoughts
from tscale_graph.models.tokens import TokenCounter, bound_tokens
from tscale_graph.models.unsuitable import UnsuitableModel
from tscale_graph.models.users_options import (
    MORE_OPTIONS,
    Family,
    family_of,
    output_limit,
    own_output_limit,
    uses_responses_api,
    with_our_settings,
    without_ours,
)

Askable = Runnable[Any, Any] | StateGraph[Any, Any, Any, Any]
"""What can be asked: a chat model, bound or not, or a technique's graph, compiled or not."""

_SEVERAL_COMPLETIONS = {"ChatOpenAI", "AzureChatOpenAI", "EmbeddedChatModel", "ReplayModel"}
"""Classes whose servers answer one prompt `n` times and bill it once."""

HONOURS_KEY = "honours_output_limit"
"""Where a chat model's `metadata` vouches that its server keeps to the output limit."""
RUNS_A_TECHNIQUE = "runs_a_technique"
"""What a chat model has, as true, where each of its answers is many calls."""
_NOTHING = Usage()
CONTINUES_KEY = "continues_assistant_message"
"""Where it vouches that its server goes on from an assistant message at the end of a prompt."""


@dataclass(frozen=True)
class Endpoint:
    """One chat model, ready to be called under a lease.

    Attributes:
        model: the user's model, or a copy of it without retries of its own: those would be
            calls that nobody counts.
        name: the provider's name for the model.
        family: which provider's conventions it follows.
        bound: arguments that the user bound to the model (tools, say), but for those that a
            lease decides.
        config: callbacks, tags and metadata that the user configured the model with.
        output_limit: what the class calls its output limit.
        own_output_limit: the output limit that the user set on the model or bound to it, if any.
        honours_limit: it is known to keep to that limit; otherwise, where tokens or dollars are
            limited, it is streamed and cut off.
        continues: it goes on from an assistant message at the end of the prompt.
        shares_prompt: one request may ask for several completions of one prompt.
        most_at_once: how many at most, where there is a limit, else None.
        prices: what it costs.
        counter: counts its tokens.
        thinking: how it is told to think; None where it is not known to.
        nested: the technique that stands in the model's place, or None. Then `model` and what is
            told of it are those of the first model that the technique asks.
    """

    model: BaseChatModel
    name: str
    family: Family
    bound: Mapping[str, Any]
    config: RunnableConfig
    output_limit: str
    own_output_limit: int | None
    honours_limit: bool
    continues: bool
    shares_prompt: bool
    most_at_once: int | None
    prices: PriceList
    counter: TokenCounter = field(repr=False)
    thinking: NativeThinking | None = None
    nested: Nested | None = None

    @property
    def unpriced(self) -> str | None:
        """The name of a model that it asks and whose price is not known, or None."""
        if self.nested is not None:
            asks = self.nested.technique.asks
            return next((name for one in asks if (name := one.unpriced)), None)
        return self.name if self.prices.ceiling is None else None

    def size(
        self,
        *,
        prompt_tokens: int,
        output_tokens: int,
        together: bool = False,
        beside: Usage = _NOTHING,
    ) -> SampleSize:
        """The most that one sample can take.

        Args:
            prompt_tokens: an upper bound on the prompt.
            output_tokens: the most tokens of a whole sample.
            together: several share one prompt, in one request.
            beside: what each sample needs beside its lease.
        """
        return SampleSize(
            prompt_tokens=prompt_tokens,
            output_tokens=min(output_tokens, self.own_output_limit or output_tokens),
            price=self.prices.ceiling,
            shared_prompt=together,
            beside=beside,
            whole=self._whole_run(self.nested, prompt_tokens) if self.nested else None,
        )

    def _whole_run(self, inner: Nested, prompt_tokens: int) -> Usage:
        """What a run of a technique takes at most; dollars by its tokens, where it names none."""
        whole, price = inner.whole(prompt_tokens), self.prices.ceiling
        if price is None or whole.usd:
            return whole
        usd = price.cost(input_tokens=whole.input_tokens, output_tokens=whole.output_tokens)
        return whole.model_copy(update={"usd": usd})

    @property
    def generates_in_thread(self) -> bool:
        """The class has no asynchronous way of its own to answer in one piece."""
        return type(self.model)._agenerate is BaseChatModel._agenerate  # pyright: ignore[reportPrivateUsage]

    @property
    def streams_in_thread(self) -> bool:
        """The class has no asynchronous way of its own to stream."""
        return type(self.model)._astream is BaseChatModel._astream  # pyright: ignore[reportPrivateUsage]

    @property
    def streams(self) -> bool:
        """The class can stream; one that cannot answers in one piece."""
        cls = type(self.model)
        return (
            cls._stream is not BaseChatModel._stream or cls._astream is not BaseChatModel._astream  # pyright: ignore[reportPrivateUsage]
        )

    @property
    def uses_responses_api(self) -> bool:
        """It is called through OpenAI's Responses API rather than Chat Completions."""
        return uses_responses_api(self.model)

    def may_risk_refusal(self, completions: int, *, calls: int | None) -> bool:
        """Whether to ask for so many completions in one request, with so many calls left.

        A request for n counts n, answered or not. A server that is not known to answer several
        times at once may refuse it, and then they have to be asked for again.
        """
        return self.honours_limit or calls is None or calls >= 2 * completions

    def request(
        self,
        *,
        max_output_tokens: int,
        n: int = 1,
        temperature: float | None = None,
        seed: int | None = None,
        stop: list[str] | None = None,
        logprobs: int | None = None,
        stream_usage: bool = True,
        thinking: int | None = None,
    ) -> tuple[BaseChatModel, dict[str, Any]]:
        """The model to call and the arguments to call it with, under this class's names.

        `thinking` is how many of the output tokens are for a thought: 0 for none, None for what
        the model does by itself.
        """
        options: dict[str, Any] = {**self.bound, self.output_limit: max_output_tokens}
        changes: dict[str, Any] = {}
        if self.model.cache is not False and (self.model.cache or get_llm_cache()):
            changes["cache"] = False  # the same answer again is not another sample
        if self.family == "openai" and not stream_usage:
            changes["stream_usage"] = False
        if thinking is not None and self.thinking is not None:
            thinks = thinking if thinking >= self.thinking.least else 0
            changes |= self.thinking.fields(self.model, self.bound, thinks)
            options = {n: v for n, v in options.items() if n not in self.thinking.replaces}
            if (self.model.profile or {}).get("temperature") is False:
                changes["temperature"] = None
        if "temperature" in changes:
            options.pop("temperature", None)  # none is taken beside a thought
        elif temperature is not None and self._accepts("temperature"):
            options["temperature"] = temperature
        if seed is not None and self._accepts("seed"):
            options["seed"] = seed
        if logprobs is not None and self.family == "openai" and not self.uses_responses_api:
            options["logprobs"] = True
            options |= {"top_logprobs": logprobs} if logprobs else {}
        if self.family == "ollama":
            # Ollama takes sampling options as one object that replaces the model's own, so
            # they are set on a copy of the model instead, and in the object that was bound.
            names = (self.output_limit, "temperature", "seed")
            ours = {name: options.pop(name) for name in names if name in options}
            changes |= ours
            if "options" in options:
                options["options"] = {**options["options"], **ours}
        if self.family == "google":
            options["max_retries"] = 1
        if n > 1:
            options["n"] = n
            # A tracer that wants tokens would otherwise turn this into a stream, in which
            # LangChain keeps only one of the completions.
            changes["disable_streaming"] = True
        if stop:
            options["stop"] = stop
        return self.model.model_copy(update=changes) if changes else self.model, options

    def _accepts(self, option: str) -> bool:
        fields = type(self.model).model_fields
        if option not in fields or (option == "seed" and self.family == "anthropic"):
            return False
        if option == "temperature":
            return (self.model.profile or {}).get("temperature") is not False
        return not uses_responses_api(self.model)


def endpoint(model: Askable) -> Endpoint:
    """Read off a chat model, bound or not, all that a call under a lease needs.

    Args:
        model: a chat model, or the graph of a technique in its place.

    Raises:
        ValueError: when it is neither, or its price is malformed.
    """
    inner = nested(model)
    return _chat_endpoint(model) if inner is None else in_place_of_a_model(inner)


def chat_endpoint(model: Askable, *, technique: str) -> Endpoint:
    """The same, of a chat model alone.

    Raises:
        UnsuitableModel: when it is a technique.
        ValueError: when it is no chat model at all, or its price is malformed.
    """
    inner = nested(model)
    if inner is not None:
        name = inner.technique.name
        raise UnsuitableModel(f"{technique} needs a chat model, got the technique {name}")
    return _chat_endpoint(model)


def in_place_of_a_model(inner: Nested) -> Endpoint:
    """A technique as an endpoint: with the tokenizer and the price of the first model in it."""
    asks, own = inner.technique.asks, inner.technique.budget
    unpriced = next((name for one in asks if (name := one.unpriced)), None)
    if own is not None and own.usd is not None and unpriced is not None:
        raise ValueError(unknown_price(unpriced))
    first = next((one for one in asks if one.unpriced), asks[0])
    return replace(
        first,
        name=f"{inner.technique.name}({', '.join(dict.fromkeys(one.name for one in asks))})",
        family="other",
        bound={},
        config={},
        own_output_limit=None,
        honours_limit=True,
        continues=False,
        shares_prompt=False,
        most_at_once=None,
        thinking=None,
        nested=inner,
    )


def _chat_endpoint(model: Any) -> Endpoint:
    bound: dict[str, Any] = {}
    config: RunnableConfig = {}
    while isinstance(model, RunnableBinding):
        binding = cast(RunnableBinding[Any, Any], model)
        bound = {**binding.kwargs, **bound}
        config = merge_configs(binding.config, config)
        model = binding.bound
    if not isinstance(model, BaseChatModel):
        raise ValueError(
            f"model must be a chat model, a technique's graph, or a string such as "
            f"'openai:gpt-5-mini' or 'local', got {type(model).__name__}"
        )
    if getattr(model, RUNS_A_TECHNIQUE, False):
        raise ValueError(
            f"model must be a chat model or a technique's graph: give the technique itself, and no "
            f"{type(model).__name__} of it, whose calls would not be counted one by one"
        )
    family = family_of(model)
    params = model._get_ls_params()  # pyright: ignore[reportPrivateUsage]
    provider = params.get("ls_provider", "")
    name = params.get("ls_model_name") or getattr(model, "model_name", None) or type(model).__name__
    several = type(model).__name__ in _SEVERAL_COMPLETIONS
    counter = TokenCounter(model, openai_name=name if _served_by_openai(model, family) else None)
    own_options: dict[str, Any] = {name: getattr(model, name, None) for name in MORE_OPTIONS}
    vendors = at_vendor(address(model), family)
    thinking = native_thinking(model, family, name=name, at_vendor=vendors)
    ours = with_our_settings(model, family)
    return Endpoint(
        model=with_thoughts(ours) if isinstance(thinking, ServerBudget) else ours,
        name=name,
        family=family,
        bound=without_ours(bound),
        config=config,
        output_limit=output_limit(model, family),
        own_output_limit=own_output_limit(model, bound, own_options),
        honours_limit=_vouched(model, HONOURS_KEY, otherwise=_keeps_to_limit(model, family)),
        continues=_vouched(model, CONTINUES_KEY, otherwise=_is_ours(model) or family == "ollama"),
        shares_prompt=several and not uses_responses_api(model),
        most_at_once=getattr(model, "most_completions", None),
        prices=price_list(model, name=name, provider=provider),
        counter=counter.with_added(bound_tokens(bound) + bound_tokens(own_options)),
        thinking=thinking,
    )


def _served_by_openai(model: BaseChatModel, family: Family) -> bool:
    """OpenAI's own models behind OpenAI's own address, so that a name tells a tokenizer."""
    azure = type(model).__name__ == "AzureChatOpenAI"
    return family == "openai" and (azure or at_vendor(address(model), "openai"))


def _vouched(model: BaseChatModel, key: str, *, otherwise: bool) -> bool:
    """What the user says of a server in the model's metadata; else what is known of it."""
    told = (model.metadata or {}).get(key)
    if told is not None and not isinstance(told, bool):
        raise ValueError(f'metadata["{key}"] must be True or False, got {told!r}')
    return otherwise if told is None else told


def _keeps_to_limit(model: BaseChatModel, family: Family) -> bool:
    """Whether the server is known to keep to an output limit."""
    return _is_ours(model) or family == "ollama" or at_vendor(address(model), family)


def _is_ours(model: BaseChatModel) -> bool:
    return type(model).__name__ == "EmbeddedChatModel"
