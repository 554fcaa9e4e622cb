"""Replies of OpenAI's SDK as plain dicts.

The SDK builds an object for each part of each completion, and LangChain takes them apart again into
dicts. Of a reply with many completions, that is a third of what the client adds to the latency.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel

_Model = TypeVar("_Model", bound=BaseChatModel)


def with_plain_replies(model: _Model) -> _Model:
    """A copy of a `ChatOpenAI` that reads completions as plain dicts; of other classes, the model.

    A subclass that reads replies in a way of its own may want the SDK's objects, and gets them.
    """
    if not _reads_dicts(type(model)):
        return model
    completions = getattr(model, "async_client", None)
    if completions is None or isinstance(completions, _PlainCompletions):
        return model
    return model.model_copy(update={"async_client": _PlainCompletions(completions)})


def _reads_dicts(cls: type[Any]) -> bool:
    """Whether the class makes messages of a reply as LangChain's base class does."""
    base = next((c for c in cls.__mro__ if c.__name__ == "BaseChatOpenAI"), None)
    reader = "_create_chat_result"
    return base is not None and getattr(cls, reader) is getattr(base, reader)


class _PlainCompletions:
    """Stands in for an SDK client's `chat.completions`; streams are as the SDK gives them."""

    def __init__(self, completions: Any) -> None:
        self._completions = completions
        self.with_raw_response = _RawCompletions(completions.with_raw_response)

    async def create(self, **payload: Any) -> Any:
        """What LangChain calls for a stream."""
        return await self._completions.create(**payload)


class _RawCompletions:
    def __init__(self, completions: Any) -> None:
        self._completions = completions

    async def create(self, **payload: Any) -> Any:
        """What LangChain calls for a whole reply, and for a stream with its headers."""
        raw = await self._completions.create(**payload)
        return raw if payload.get("stream") else _PlainReply(raw)


class _PlainReply:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.headers = raw.headers
        self.http_response = raw.http_response

    def parse(self) -> Any:
        """The body as JSON; what is no object, as the SDK makes of it."""
        body: Any = self._raw.parse(to=object)
        return self._raw.parse() if not isinstance(body, dict) else cast(Any, body)
