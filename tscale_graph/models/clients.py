"""Chat models whose connections belong to the event loop that they are called on.

An HTTP client keeps its connections with the loop that opened them. Used on another loop, a
request may be written to a connection whose reply nobody can read any more: the server does the
work, and the caller sees a failure. So each loop has clients of its own, with the settings of the
user's, and they are closed when the loop ends.

An HTTP client that users made themselves (`http_async_client`) is used as it is: it belongs to
the loop that they made it for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.language_models import BaseChatModel

_Close = Callable[[], Awaitable[None]]


async def on_running_loop(model: BaseChatModel) -> BaseChatModel:
    """A model that asks the same server as `model`, over connections of the running loop.

    The model itself, where its class keeps no connections or its HTTP client is the user's own.
    """
    connect = next(
        (_CONNECT[c.__name__] for c in type(model).__mro__ if c.__name__ in _CONNECT), None
    )
    return model if connect is None else connect(model, await _clients_of_running_loop())


class _LoopClients:
    """The clients of one event loop, each standing in for one that was made elsewhere."""

    def __init__(self) -> None:
        self._stand_ins: WeakKeyDictionary[Any, _StandIn] = WeakKeyDictionary()
        self._end = self._closing()

    async def open(self) -> None:
        """Close with the running loop: asyncio finishes the generators that were begun on it."""
        await anext(self._end)

    def stand_in(self, original: Any, make: Callable[[], tuple[Any, _Close | None]]) -> Any:
        """What stands in for a client on this loop.

        Args:
            original: the client; what stands in for it is given up when it is.
            make: called once for the stand-in, and for how to close it.
        """
        held = self._stand_ins.get(original)
        if held is None:
            held = self._stand_ins[original] = _StandIn(*make())
        return held.client

    async def _closing(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            _loops.pop(asyncio.get_running_loop(), None)
            for held in list(self._stand_ins.values()):
                await held.close()


class _StandIn:
    """A client that is closed on its loop when nobody needs it any more."""

    def __init__(self, client: Any, close: _Close | None) -> None:
        self.client = client
        self._close = close
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        """Close its connections."""
        close, self._close = self._close, None
        if close is not None:
            await close()

    def __del__(self) -> None:
        if self._close is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(_close_later, self._close)


_being_closed: set[asyncio.Future[None]] = set()


def _close_later(close: _Close) -> None:
    closing = asyncio.ensure_future(close())
    _being_closed.add(closing)
    closing.add_done_callback(_being_closed.discard)


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClients] = WeakKeyDictionary()
_lock = threading.Lock()


async def _clients_of_running_loop() -> _LoopClients:
    loop = asyncio.get_running_loop()
    clients = _loops.get(loop)
    if clients is None:
        clients = _LoopClients()
        with _lock:
            # The connections of a loop that closed without finishing its generators hold it.
            for ended in [other for other in _loops if other.is_closed()]:
                del _loops[ended]
            _loops[loop] = clients
        await clients.open()
    return clients


def _as_it_is(model: BaseChatModel, _clients: _LoopClients) -> BaseChatModel:
    return model


def _connect_openai(model: Any, clients: _LoopClients) -> BaseChatModel:
    root = model.root_async_client
    users_own = model.http_async_client is not None and not model.openai_proxy
    if root is None or users_own:
        return model
    client = _sdk_client(root, clients, package="openai", proxy=model.openai_proxy)
    return model.model_copy(
        update={"root_async_client": client, "async_client": client.chat.completions}
    )


def _connect_anthropic(model: Any, clients: _LoopClients) -> BaseChatModel:
    copy = model.model_copy()
    vars(copy)["_async_client"] = _sdk_client(  # a cached property
        model._async_client, clients, package="anthropic", proxy=model.anthropic_proxy
    )
    return copy


def _sdk_client(original: Any, clients: _LoopClients, *, package: str, proxy: str | None) -> Any:
    """A client of an SDK that is what the original is, but for its connections."""

    def connected() -> tuple[Any, None]:
        make = partial(_http_like, original._client, sdk=import_module(package), proxy=proxy)
        http = clients.stand_in(original._client, make)
        return original.with_options(http_client=http), None

    return clients.stand_in(original, connected)


def _http_like(original: Any, *, sdk: Any, proxy: str | None) -> tuple[Any, _Close]:
    """An HTTP client with the settings of another."""
    library = next(c.__module__ for c in type(original).__mro__ if c.__name__ == "AsyncClient")
    httpx: Any = import_module(library.partition(".")[0])  # SDKs differ in theirs
    settings: dict[str, Any] = {"verify": _trusted(httpx.__name__)}
    pool = getattr(getattr(original, "_transport", None), "_pool", None)
    socket_options = getattr(pool, "_socket_options", None)
    if proxy:
        settings["proxy"] = proxy
    elif socket_options:
        limits = sdk.DEFAULT_CONNECTION_LIMITS
        settings["transport"] = httpx.AsyncHTTPTransport(
            socket_options=socket_options, limits=limits, **settings
        )
    client = sdk.DefaultAsyncHttpxClient(
        base_url=original.base_url, timeout=original.timeout, **settings
    )
    return client, client.aclose


@cache
def _trusted(library: str) -> Any:
    """The certificates that an HTTP library trusts: reading them is most of making a client."""
    return import_module(library).create_ssl_context()


def _connect_google(model: Any, clients: _LoopClients) -> BaseChatModel:
    connected = clients.stand_in(model.client, partial(_google_again, model))
    return model.model_copy(update={"client": connected.client})


def _google_again(model: Any) -> tuple[Any, _Close]:
    again = model.model_copy()
    again.validate_environment()
    return again, again.aclose


def _connect_ollama(model: Any, clients: _LoopClients) -> BaseChatModel:
    copy = model.model_copy()
    copy._async_client = clients.stand_in(model._async_client, partial(_ollama_again, model))
    return copy


def _ollama_again(model: Any) -> tuple[Any, _Close]:
    again = model.model_copy(update={"validate_model_on_init": False})
    again._set_clients()
    return again._async_client, again._async_client.close


_CONNECT: Mapping[str, Callable[[Any, _LoopClients], BaseChatModel]] = {
    "EmbeddedChatModel": _as_it_is,  # it looks after its own
    "BaseChatOpenAI": _connect_openai,
    "ChatAnthropic": _connect_anthropic,
    "ChatGoogleGenerativeAI": _connect_google,
    "ChatOllama": _connect_ollama,
}
