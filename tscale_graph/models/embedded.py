"""The embedded model: a real language model on this machine, with no key and no account.

llama.cpp's server runs in a process of its own on loopback. It is started when it is first
needed, shared by everything in this process, restarted when it has died, and gone when this
process is.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import os
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, ClassVar

from tscale_graph.models.embedded_process import EmbeddedServer
from tscale_graph.models.plain_replies import with_plain_replies
from tscale_graph.models.threads import in_thread
from tscale_graph.models.weights import MODEL_NAME

if not all(map(importlib.util.find_spec, ("xllamacpp", "langchain_openai", "openai"))):
    raise ImportError("the embedded model needs another package: pip install 'tscale-graph[local]'")

import openai
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

SLOTS = 16
"""Completions that the server works on side by side."""
TOKENS_PER_SLOT = 2048
"""Context of each of them: prompt and completion."""

_server = EmbeddedServer(slots=SLOTS, tokens_per_slot=TOKENS_PER_SLOT, threads=os.cpu_count() or 1)
atexit.register(_server.stop)

# Each event loop has a client of its own: a client's connections belong to the loop.
_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[str, openai.AsyncOpenAI]]
_clients = weakref.WeakKeyDictionary()
_NO_IDLE_CONNECTIONS = 0


class EmbeddedChatModel(ChatOpenAI):
    """`ChatOpenAI` on the embedded server, wherever that listens at the moment."""

    counts_by_server: ClassVar[bool] = True
    reports_one_of_several: ClassVar[bool] = True
    most_completions: ClassVar[int] = SLOTS

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **options: Any
    ) -> ChatResult:
        connected = await self._connected()
        result = await super(EmbeddedChatModel, connected)._agenerate(messages, *args, **options)
        return _without_prefill(result, messages)

    async def _astream(self, *args: Any, **options: Any) -> AsyncIterator[ChatGenerationChunk]:
        connected = await self._connected()
        async for chunk in super(EmbeddedChatModel, connected)._astream(*args, **options):
            yield chunk

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        connected = self._connected_here()
        result = super(EmbeddedChatModel, connected)._generate(messages, *args, **options)
        return _without_prefill(result, messages)

    def _stream(self, *args: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        yield from super(EmbeddedChatModel, self._connected_here())._stream(*args, **options)

    def get_num_tokens(self, text: str) -> int:
        """The tokens of a text, exactly."""
        return len(_server.ask("/tokenize", {"content": text})["tokens"])

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Any = None, **more: Any
    ) -> int:
        """The tokens of a prompt, exactly as the server will count them."""
        asked = {"messages": convert_to_openai_messages(list(messages))}
        prompt = _server.ask("/apply-template", asked)["prompt"]
        encoded = {"content": prompt, "add_special": True, "parse_special": True}
        return len(_server.ask("/tokenize", encoded)["tokens"])

    async def _connected(self) -> EmbeddedChatModel:
        """This model with a client for the running loop and the server's address."""
        address = await in_thread(_server.address)
        loop = asyncio.get_running_loop()
        known, client = _clients.get(loop, ("", None))
        if client is None or known != address:
            client = openai.AsyncOpenAI(
                base_url=f"{address}/v1",
                api_key=_server.key,
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(limits=_limits()),
            )
            _clients[loop] = address, client
        connected = self.model_copy(
            update={"root_async_client": client, "async_client": client.chat.completions}
        )
        return with_plain_replies(connected)

    def _connected_here(self) -> EmbeddedChatModel:
        """This model with a synchronous client."""
        client = openai.OpenAI(
            base_url=f"{_server.address()}/v1",
            api_key=_server.key,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(limits=_limits()),
        )
        return self.model_copy(update={"root_client": client, "client": client.chat.completions})


def embedded_model(**overrides: Any) -> EmbeddedChatModel:
    """The embedded model as an ordinary chat model; its server starts with the first call.

    Args:
        overrides: arguments of `ChatOpenAI`, such as `temperature`.

    Raises:
        LocalModelError: at the first call, when the weights cannot be had.
    """
    arguments: dict[str, Any] = {
        "model": MODEL_NAME,
        "api_key": SecretStr(_server.key),
        "base_url": "http://127.0.0.1/v1",
        "max_retries": 0,
        "stream_usage": True,
        "metadata": {"usd_per_million_tokens": {"input": 0.0, "output": 0.0}},
    }
    return EmbeddedChatModel(**{**arguments, **overrides})


def _without_prefill(result: ChatResult, messages: Sequence[BaseMessage]) -> ChatResult:
    """The completions alone: the server repeats the assistant message that they go on from."""
    last = messages[-1] if messages else None
    if isinstance(last, AIMessage):
        for generation in result.generations:
            generation.message.content = str(generation.message.text).removeprefix(str(last.text))
    return result


def _limits() -> Any:
    """No idle connections: they save nothing on loopback, and outlive the loop they belong to."""
    from langchain_openai._compat import httpx  # whichever of httpx's versions the SDK is built on

    return httpx.Limits(max_connections=None, max_keepalive_connections=_NO_IDLE_CONNECTIONS)
