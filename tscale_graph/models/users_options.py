"""What users set on a chat model, or bound to it, and a copy of it that leaves that to leases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd

Family = Literal["openai", "anthropic", "google", "ollama", "other"]

_FAMILIES: Mapping[str, Family] = {
    "BaseChatOpenAI": "openai",
    "ChatAnthropic": "anthropic",
    "ChatGoogleGenerativeAI": "google",
    "ChatOllama": "ollama",
}
_OUTPUT_LIMIT_FIELDS = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "max_new_tokens",
    "num_predict",
)
_SET_BY_US = {*_OUTPUT_LIMIT_FIELDS, "n", "candidate_count"}
"""What a lease decides, whatever the user bound."""
MORE_OPTIONS = ("extra_body", "model_kwargs", "options", "generation_config")
"""Arguments that are themselves arguments, and may override others."""


def family_of(model: BaseChatModel) -> Family:
    """Which provider's conventions a class follows."""
    for cls in type(model).__mro__:
        if cls.__name__ in _FAMILIES:
            return _FAMILIES[cls.__name__]
    return "other"


def output_limit(model: BaseChatModel, family: Family) -> str:
    """What the class calls its output limit."""
    if family == "openai":
        # The only name that Chat Completions, Responses and Azure all take as the limit.
        return "max_completion_tokens"
    return _limit_field(model) or "max_tokens"


def _limit_field(model: BaseChatModel) -> str | None:
    fields = type(model).model_fields
    return next((name for name in _OUTPUT_LIMIT_FIELDS if name in fields), None)


def own_output_limit(model: BaseChatModel, *options: Mapping[str, Any]) -> int | None:
    """The lowest output limit that the user set on the model, or among options."""
    field = _limit_field(model)
    told = [getattr(model, field)] if field and field in model.model_fields_set else []
    told += [value for some in options for value in _limits_among(some)]
    return min((limit for limit in told if isinstance(limit, int) and limit > 0), default=None)


def _limits_among(options: Mapping[str, Any]) -> Iterator[Any]:
    for name, value in options.items():
        if name in _OUTPUT_LIMIT_FIELDS:
            yield value
        elif name in MORE_OPTIONS and isinstance(value, Mapping):
            yield from _limits_among(cast(Mapping[str, Any], value))


def without_ours(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that a lease decides."""
    return {
        name: without_ours(cast(Mapping[str, Any], value))
        if name in MORE_OPTIONS and isinstance(value, Mapping)
        else value
        for name, value in options.items()
        if name not in _SET_BY_US
    }


def uses_responses_api(model: Any) -> bool:
    """Whether it is called through OpenAI's Responses API rather than Chat Completions."""
    asks = getattr(model, "_use_responses_api", None)
    return bool(asks and asks(model._default_params))


def with_our_settings(model: BaseChatModel, family: Family) -> BaseChatModel:
    """A shallow copy of the model that makes one request a call, for one completion."""
    if family == "other":
        return model
    fields = type(model).model_fields
    unset = {name: fields[name].default for name in ("n",) if name in fields}
    own_options = {n: v for n in MORE_OPTIONS if n in fields and (v := getattr(model, n))}
    copy = model.model_copy(update={**unset, **without_ours(own_options)})
    # What callbacks are shown of a model, a cached property: made once here, it comes along in
    # the copy of each call.
    vars(copy)["_serialized"] = dumpd(copy)
    if family == "openai":
        _without_openais_retries(copy)
    if family == "anthropic":
        _without_anthropics_retries(copy, model)
    return copy


def _without_openais_retries(copy: Any) -> None:
    copy.max_retries = 0
    # Off by default where the base URL is not OpenAI's own.
    copy.stream_usage = True
    if copy.root_client is not None:
        copy.root_client = copy.root_client.with_options(max_retries=0)
        copy.client = copy.root_client.chat.completions
    if copy.root_async_client is not None:
        copy.root_async_client = copy.root_async_client.with_options(max_retries=0)
        copy.async_client = copy.root_async_client.chat.completions


def _without_anthropics_retries(copy: Any, model: Any) -> None:
    copy.max_retries = 0
    # Its clients are cached properties, which live in the instance; sharing them shares their
    # connections.
    vars(copy).pop("_client_params", None)
    vars(copy)["_client"] = model._client.with_options(max_retries=0)
    vars(copy)["_async_client"] = model._async_client.with_options(max_retries=0)
