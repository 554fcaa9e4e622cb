"""From what a user names to a chat model: "local", "provider:model", or the model itself."""

from __future__ import annotations

from typing import Any, overload

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from tscale_graph.models.endpoint import Askable
from tscale_graph.models.failures import one_line

_EXTRAS = {"openai", "anthropic", "google", "ollama"}
_MEANS = 'a chat model, "local", or "provider:model" such as "openai:gpt-5-mini"'


@overload
def load_model(model: str | Runnable[Any, Any]) -> Runnable[Any, Any]: ...


@overload
def load_model(model: str | Askable) -> Askable: ...


def load_model(model: str | Askable) -> Askable:
    """The chat model that a string names; anything else is returned as it is.

    Args:
        model: a chat model, a technique's graph, "local" (the embedded model), or a string for
            LangChain's `init_chat_model`.

    Raises:
        ValueError: for a string that names no model, or a model that cannot be set up.
        ImportError: when a package is missing; the message says which extra brings it.
    """
    if not isinstance(model, str):
        return model
    if not model.strip():
        raise ValueError(f"model must be {_MEANS}, got {model!r}")
    if model == "local":
        from tscale_graph.models.embedded import embedded_model

        return embedded_model()
    return _from_provider(model)


def _from_provider(name: str) -> BaseChatModel:
    provider = name.partition(":")[0].partition("_")[0]
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise _missing(name, provider) from None
    try:
        return init_chat_model(name)
    except ImportError:
        raise _missing(name, provider) from None
    except Exception as error:
        told = one_line(error).removeprefix(f"{type(error).__name__}: ")
        unknown = f"model must be {_MEANS}, got {name!r}"
        known = ":" in name and provider in _EXTRAS
        whole = f"model {name!r} cannot be set up" if known else unknown
        raise ValueError(f"{whole}: {told}") from error


def _missing(name: str, provider: str) -> ImportError:
    package = (
        f"tscale-graph[{provider}]" if provider in _EXTRAS else f"langchain langchain-{provider}"
    )
    return ImportError(f"model {name!r} needs another package: pip install '{package}'")
