"""Images, sounds and files in a prompt: what they may count, before a provider has counted them.

Providers count an image by its size in pixels and a film by its length, each in a way of its own,
so there is only a generous bound: it is used until the first reply tells the true count. Who knows
better says so on the chat model: `metadata={"tokens_per_attachment": 1_600}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

ATTACHMENT_KEY = "tokens_per_attachment"
"""Where a chat model's `metadata` says the most that one image or file counts."""

_IMAGE_BOUND = 50_000
"""Tokens of an image of any size."""
_REFERRED_BOUND = 2_000_000
"""Tokens of a file that is elsewhere, where the model's context window is not known."""

_IMAGES = {"image", "image_url", "input_image"}
_FILES = {
    *("audio", "audio_url", "input_audio", "video", "video_url"),
    *("file", "input_file", "document", "media"),
}
_INLINE = {"data", "base64", "file_data", "text"}


def attached_bound(messages: Sequence[BaseMessage], model: BaseChatModel) -> int:
    """At least as many tokens as what is attached to a prompt will count.

    A file that is sent along counts no more tokens than it has characters; nothing counts more
    than the model can read.

    Raises:
        ValueError: when the metadata of the model says something that is not a count.
    """
    blocks = [block for message in messages for block in _attachments(message.content)]
    if not blocks:
        return 0
    window = (model.profile or {}).get("max_input_tokens") or _REFERRED_BOUND
    told = _told(model)
    if told is not None:
        return told * len(blocks)
    return min(window, sum(_bound(block, window=window) for block in blocks))


def without_attachments(message: BaseMessage) -> BaseMessage:
    """The message with its words only."""
    if isinstance(message.content, str) or not any(_attachments(message.content)):
        return message
    return message.model_copy(update={"content": _words(message.content)})


def _told(model: BaseChatModel) -> int | None:
    told = (model.metadata or {}).get(ATTACHMENT_KEY)
    if told is not None and (not isinstance(told, int) or told < 1):
        raise ValueError(f'metadata["{ATTACHMENT_KEY}"] must be at least 1, got {told!r}')
    return told


def _bound(block: Mapping[str, Any], *, window: int) -> int:
    if block["type"] in _IMAGES:
        return _IMAGE_BOUND
    return sum(_inline_characters(block)) or window


def _attachments(content: Any) -> Iterator[Mapping[str, Any]]:
    """The blocks that are not words, also those in the results of tools."""
    if isinstance(content, list):
        for block in cast(list[Any], content):
            if _is_attachment(block):
                yield block
            elif isinstance(block, Mapping):
                yield from _attachments(cast(Mapping[str, Any], block).get("content"))


def _words(content: Any) -> Any:
    if isinstance(content, list):
        return [_words(b) for b in cast(list[Any], content) if not _is_attachment(b)]
    if isinstance(content, Mapping) and "content" in content:
        block = cast(Mapping[str, Any], content)
        return {**block, "content": _words(block["content"])}
    return cast(Any, content)


def _is_attachment(block: Any) -> bool:
    return isinstance(block, Mapping) and cast(Mapping[str, Any], block).get("type") in (
        _IMAGES | _FILES
    )


def _inline_characters(block: Mapping[str, Any]) -> Iterator[int]:
    """The lengths of what is in the block itself rather than at an address."""
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _inline_characters(cast(Mapping[str, Any], value))
        elif isinstance(value, str) and (name in _INLINE or value.startswith("data:")):
            yield len(value.encode())
