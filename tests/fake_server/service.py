"""The fake server's request handlers, the ledger that they write, and its process."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace

from aiohttp import web

from tests.fake_server.answers import Answer, error_reply
from tests.fake_server.behaviour import Behaviour, count_prompt_tokens
from tests.fake_server.ledger import Request


class Service:
    """The request handlers, and the ledger that they write."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._start(behaviour)
        self._in_flight = 0

    def _start(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._requests: list[Request] = []
        self._max_concurrency = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.method, request.path:
            case "POST", "/v1/chat/completions":
                return await self._account(request)
            case "GET", "/v1/models":
                models = {"object": "list", "data": [{"id": "fake", "object": "model"}]}
                return web.json_response(models)
            case "GET", "/ledger":
                requests = [asdict(request) for request in self._requests]
                return web.json_response(
                    {"requests": requests, "max_concurrency": self._max_concurrency}
                )
            case "POST", "/reset":
                body = await request.text()
                try:
                    self._start(Behaviour(**json.loads(body)) if body else self._behaviour)
                except (TypeError, ValueError) as error:
                    return error_reply(400, str(error))
                return web.json_response({})
        return error_reply(404, f"no such endpoint: {request.method} {request.path}")

    async def _account(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
            overrides = json.loads(request.headers.get("X-Behaviour", "{}"))
            behaviour = replace(self._behaviour, **overrides) if overrides else self._behaviour
            prompt_tokens = count_prompt_tokens(
                body["messages"], chars_per_token=behaviour.chars_per_token
            )
        except (TypeError, KeyError, ValueError) as error:
            return error_reply(400, f"cannot understand the request: {error!r}")
        self._in_flight += 1
        self._max_concurrency = max(self._max_concurrency, self._in_flight)
        entry = Request(
            id=len(self._requests),
            n=body.get("n") or 1,
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            stream=bool(body.get("stream")),
            prompt_tokens=prompt_tokens,
            started=time.monotonic(),
            concurrency=self._in_flight,
        )
        self._requests.append(entry)
        try:
            return await Answer(request, body, behaviour, entry).give()
        except (asyncio.CancelledError, ConnectionError):
            if entry.fate == "in_flight":
                entry.fate = "client_disconnected"
            raise
        finally:
            self._in_flight -= 1
            entry.ended = time.monotonic()


async def serve(
    behaviour: Behaviour,
    *,
    started: Callable[[int], None],
    stopped: asyncio.Event,
    port: int = 0,
) -> None:
    server = web.Server(Service(behaviour).handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    started(runner.addresses[0][1])
    await stopped.wait()
    await runner.cleanup()


async def main() -> None:
    parser = argparse.ArgumentParser(description="A fake OpenAI server. Prints its port.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--behaviour", default="{}", help="JSON, the fields of Behaviour")
    parser.add_argument("--until-stdin-closes", action="store_true")
    options = parser.parse_args()
    stopped = asyncio.Event()
    if options.until_stdin_closes:
        asyncio.get_running_loop().add_reader(sys.stdin, stopped.set)
    behaviour = Behaviour(**json.loads(options.behaviour))

    def started(port: int) -> None:
        print(port, flush=True)

    await serve(behaviour, port=options.port, started=started, stopped=stopped)
