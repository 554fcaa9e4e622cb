"""What tscale-graph knows about a chat model: its price, its tokenizer, the names it uses.

Providers' classes call the same thing by different names. This is the only place that knows
them; everything else speaks of an `Endpoint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding

from tscale_graph.models.pricing import PriceList, price_list
from tscale_graph.models.tokens import TokenCounter

Family = Literal["openai", "anthropic", "google", "ollama", "other"]

_FAMILIES: Mapping[str, Family] = {
    "BaseChatOpenAI": "openai",
    "ChatAnthropic": "anthropic",
    "ChatGoogleGenerativeAI": "google",
    "ChatOllama": "ollama",
}
_SEVERAL_COMPLETIONS = {"ChatOpenAI", "AzureChatOpenAI", "EmbeddedChatModel", "ReplayModel"}
"""Classes whose servers answer one prompt `n` times and bill it once."""

_OUTPUT_LIMIT_FIELDS = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "max_new_tokens",
    "num_predict",
)


@dataclass(frozen=True)
class Endpoint:
    """One chat model, ready to be called under a lease.

    Attributes:
        model: the user's model, or a copy of it without retries of its own: those would be
            calls that nobody counts.
        name: the provider's name for the model.
        family: which provider's conventions it follows.
        bound: arguments that the user bound to the model (tools, say).
        output_limit: what the class calls its output limit.
        honours_limit: it is known to keep to that limit; otherwise it is streamed and cut off.
        shares_prompt: one request may ask for several completions of one prompt.
        prices: what it costs.
        counter: counts its tokens.
    """

    model: BaseChatModel
    name: str
    family: Family
    bound: Mapping[str, Any]
    output_limit: str
    honours_limit: bool
    shares_prompt: bool
    prices: PriceList
    counter: TokenCounter = field(repr=False)

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
    def own_output_limit(self) -> int | None:
        """The output limit that the user set on the model, if any."""
        field = _limit_field(self.model)
        limit = getattr(self.model, field, None) if field else None
        explicit = field in self.model.model_fields_set
        return limit if explicit and isinstance(limit, int) and limit > 0 else None

    @property
    def uses_responses_api(self) -> bool:
        """It is called through OpenAI's Responses API rather than Chat Completions."""
        return _uses_responses_api(self.model)

    def request(
        self,
        *,
        max_output_tokens: int,
        n: int = 1,
        temperature: float | None = None,
        seed: int | None = None,
        stop: list[str] | None = None,
        logprobs: int | None = None,
    ) -> tuple[BaseChatModel, dict[str, Any]]:
        """The model to call and the arguments to call it with, under this class's names."""
        options: dict[str, Any] = {**self.bound, self.output_limit: max_output_tokens}
        if temperature is not None and self._accepts("temperature"):
            options["temperature"] = temperature
        if seed is not None and self._accepts("seed"):
            options["seed"] = seed
        if logprobs is not None and self.family == "openai" and not self.uses_responses_api:
            options["logprobs"] = True
            options |= {"top_logprobs": logprobs} if logprobs else {}
        if self.family == "ollama":
            # Ollama takes sampling options as one object that replaces the model's own, so
            # they are set on a copy of the model instead.
            set_on_copy = {
                name: options.pop(name)
                for name in (self.output_limit, "temperature", "seed")
                if name in options
            }
            return self.model.model_copy(update=set_on_copy), _with_stop(options, stop)
        if self.family == "google":
            options["max_retries"] = 1
        if n == 1:
            return self.model, _with_stop(options, stop)
        # A tracer that wants tokens would otherwise turn this into a stream, in which LangChain
        # keeps only one of the completions.
        whole = self.model.model_copy(update={"disable_streaming": True})
        return whole, _with_stop({**options, "n": n}, stop)

    def _accepts(self, option: str) -> bool:
        fields = type(self.model).model_fields
        if option not in fields or (option == "seed" and self.family == "anthropic"):
            return False
        if option == "temperature":
            return (self.model.profile or {}).get("temperature") is not False
        return not _uses_responses_api(self.model)


def endpoint(model: Runnable[Any, Any]) -> Endpoint:
    """Read off a chat model, bound or not, all that a call under a lease needs.

    Raises:
        ValueError: when it is not a chat model, or its price is malformed.
    """
    bound: dict[str, Any] = {}
    while isinstance(model, RunnableBinding):
        bound = {**model.kwargs, **bound}
        model = model.bound
    if not isinstance(model, BaseChatModel):
        raise ValueError(
            f"model must be a chat model or a string such as 'openai:gpt-5-mini' or 'local', "
            f"got {type(model).__name__}"
        )
    family = _family(model)
    params = model._get_ls_params()  # pyright: ignore[reportPrivateUsage]
    provider = params.get("ls_provider", "")
    name = params.get("ls_model_name") or getattr(model, "model_name", None) or type(model).__name__
    several = type(model).__name__ in _SEVERAL_COMPLETIONS
    return Endpoint(
        model=_without_retries(model, family),
        name=name,
        family=family,
        bound=bound,
        output_limit=_output_limit(model, family),
        honours_limit=family != "other",
        shares_prompt=several and not _uses_responses_api(model),
        prices=price_list(model, name=name, provider=provider),
        counter=TokenCounter(model, openai_name=name if _served_by_openai(model, family) else None),
    )


def _family(model: BaseChatModel) -> Family:
    for cls in type(model).__mro__:
        if cls.__name__ in _FAMILIES:
            return _FAMILIES[cls.__name__]
    return "other"


def _served_by_openai(model: BaseChatModel, family: Family) -> bool:
    """OpenAI's own models behind OpenAI's own address, so that a name tells a tokenizer."""
    base_url = str(getattr(model, "openai_api_base", None) or "https://api.openai.com")
    azure = type(model).__name__ == "AzureChatOpenAI"
    return family == "openai" and (azure or base_url.startswith("https://api.openai.com"))


def _output_limit(model: BaseChatModel, family: Family) -> str:
    if family == "openai":
        # The only name that Chat Completions, Responses and Azure all take as the limit.
        return "max_completion_tokens"
    return _limit_field(model) or "max_tokens"


def _limit_field(model: BaseChatModel) -> str | None:
    fields = type(model).model_fields
    return next((name for name in _OUTPUT_LIMIT_FIELDS if name in fields), None)


def _uses_responses_api(model: Any) -> bool:
    asks = getattr(model, "_use_responses_api", None)
    return bool(asks and asks(model._default_params))


def _without_retries(model: BaseChatModel, family: Family) -> BaseChatModel:
    """A shallow copy of the model whose SDK does not retry behind our back."""
    if family == "openai":
        return _openai_without_retries(model)
    if family == "anthropic":
        return _anthropic_without_retries(model)
    return model


def _openai_without_retries(model: Any) -> BaseChatModel:
    # Usage in streams is off by default where the base URL is not OpenAI's own.
    copy = model.model_copy(update={"max_retries": 0, "stream_usage": True})
    if copy.root_client is not None:
        copy.root_client = copy.root_client.with_options(max_retries=0)
        copy.client = copy.root_client.chat.completions
    if copy.root_async_client is not None:
        copy.root_async_client = copy.root_async_client.with_options(max_retries=0)
        copy.async_client = copy.root_async_client.chat.completions
    return copy


def _anthropic_without_retries(model: Any) -> BaseChatModel:
    copy = model.model_copy(update={"max_retries": 0})
    # Its clients are cached properties, which live in the instance; sharing them shares their
    # connections.
    vars(copy).pop("_client_params", None)
    vars(copy)["_client"] = model._client.with_options(max_retries=0)
    vars(copy)["_async_client"] = model._async_client.with_options(max_retries=0)
    return copy


def _with_stop(options: dict[str, Any], stop: list[str] | None) -> dict[str, Any]:
    return {**options, "stop": stop} if stop else options
