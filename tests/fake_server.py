"""A model server that misbehaves on request: OpenAI's chat completions, and a ledger of them.

    with FakeServer(Behaviour(latency=0.05, faults={"429": 0.1})) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        ...
        server.ledger().requests[0].billed_tokens

`POST /v1/chat/completions` and `GET /v1/models` are what clients call; `GET /ledger` and
`POST /reset` (its body, if any, is the new behaviour) are for tests. One request can differ from
the rest by the header `X-Behaviour`, a JSON object of the fields that it overrides; with
`ChatOpenAI` that is `ainvoke(..., extra_headers=behave(latency=1))`.
"""

import argparse
import asyncio
import http.client
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

Fate = Literal["in_flight", "completed", "error_status", "client_disconnected", "reset", "hung"]
Usage = Literal["right", "none", "zero", "under", "over"]

STATUS_FAULTS = {"400": 400, "429": 429, "429-retry-after": 429, "500": 500, "503": 503}
FAULTS = {
    **dict.fromkeys(STATUS_FAULTS, "that status; `429-retry-after` with `Retry-After: 1`"),
    "reset": "connection reset before the headers, after the work was done",
    "reset-mid-stream": "connection reset in the middle of the body",
    "hang": "never answers",
    "hang-mid-stream": "stops in the middle of the body and keeps the connection open",
    "truncated": "ends in the middle of the body: no finish_reason, no usage, no [DONE]",
    "malformed": "something that is not JSON in the middle of the body",
    "empty": "an empty text that finished by itself",
}
RESERVED_PER_MESSAGE = 3


def count_tokens(text: str, *, chars_per_token: int = 4) -> int:
    """The tokens of a text, by definition: one for every four characters begun."""
    return -(-len(text) // chars_per_token)


def count_prompt_tokens(messages: Sequence[Any], *, chars_per_token: int = 4) -> int:
    """The tokens of a prompt (OpenAI's dicts, or LangChain's messages): its texts, 3 a message."""
    return sum(
        RESERVED_PER_MESSAGE + count_tokens(_text(message), chars_per_token=chars_per_token)
        for message in messages
    )


def _text(message: Any) -> str:
    content = message["content"] if isinstance(message, Mapping) else message.content
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in content)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a server answers. Where a pair is allowed, each request draws from that range."""

    seed: int = 0
    """Request k draws from `seed` and k; its texts, if it has a `seed` itself, from both seeds."""
    latency: float | Sequence[float] = 0.0
    """Seconds before the first byte. Without streaming, the time that the completion takes."""
    chunk_delay: float = 0.0
    """Seconds before each later chunk; 0 writes them all at once."""
    chunk_chars: int = 16
    answers: Mapping[str, float] = field(default_factory=lambda: {"The answer is 3": 1.0})
    """Texts and their weights."""
    completion_tokens: int | Sequence[int] | None = None
    """Text is put before the answer until the completion is this long. None: the answer only."""
    ignore_max_tokens: bool = False
    usage: Usage = "right"
    """What is reported: "under" half of the completion, "over" twice, "zero" zeros, "none" none."""
    n: Literal["yes", "one", "error"] = "yes"
    """Whether `n` is honoured, ignored, or refused with a 400."""
    logprobs: Literal["yes", "ignored", "refused"] = "yes"
    """Whether `logprobs` and `top_logprobs` are honoured, ignored, or refused with a 400."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Names of `FAULTS` and their probabilities."""
    script: Sequence[str | None] = ()
    """The faults (None: none) of the first requests, in the order of their arrival."""
    refuses: Sequence[str] = ()
    """Fields of a request that are refused with a 400 that names them."""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """`{"name": ..., "arguments": {...}}`: answered instead of a text when tools are offered."""
    chars_per_token: int = 4

    def __post_init__(self) -> None:
        if unknown := ({*self.faults, *self.script} - {None}) - {*FAULTS}:
            raise ValueError(f"faults must be among {[*FAULTS]}, got {sorted(map(str, unknown))}")


def behave(**overrides: Any) -> dict[str, str]:
    """The header that gives one request a behaviour of its own."""
    return {"X-Behaviour": json.dumps(overrides)}


@dataclass(kw_only=True)
class Request:
    """What the server knows of one request; its times are `time.monotonic()`, of any process."""

    id: int
    n: int
    max_tokens: int | None
    stream: bool
    prompt_tokens: int
    started: float
    concurrency: int
    """Requests in flight when it arrived, itself included."""
    completion_tokens: int = 0
    """Generated, over all n, whether or not they reached the client."""
    written_tokens: int = 0
    """Handed to the socket."""
    reported_tokens: int | None = None
    """The `completion_tokens` that the client was told."""
    fate: Fate = "in_flight"
    fault: str | None = None
    ended: float | None = None

    @property
    def billed_tokens(self) -> int:
        """What a provider would charge: nothing for an error status, else all that was computed."""
        if self.fate == "error_status":
            return 0
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All requests since the start or the last reset, in the order of their arrival."""

    requests: list[Request]
    max_concurrency: int

    @property
    def billed_tokens(self) -> int:
        return sum(request.billed_tokens for request in self.requests)


class FakeServer:
    """Runs the server for the length of a `with`: in a process of its own, or on a thread."""

    def __init__(self, behaviour: Behaviour | None = None, *, in_process: bool = False) -> None:
        self._behaviour = behaviour or Behaviour()
        self._in_process = in_process
        self.port = 0

    @property
    def url(self) -> str:
        """What OpenAI's clients call `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def ledger(self, *, settle: float = 0.0) -> Ledger:
        """The ledger; with `settle`, as soon as nothing is in flight, or after so many seconds."""
        give_up = time.monotonic() + settle
        while True:
            found = self._ask("GET", "/ledger")
            requests = [Request(**request) for request in found["requests"]]
            busy = any(request.fate == "in_flight" for request in requests)
            if not busy or time.monotonic() >= give_up:
                return Ledger(requests=requests, max_concurrency=found["max_concurrency"])
            time.sleep(0.01)

    def reset(self, behaviour: Behaviour | None = None) -> None:
        """Empties the ledger and starts the draws again, with a new behaviour if one is given."""
        self._ask("POST", "/reset", json.dumps(asdict(behaviour)) if behaviour else "")

    def __enter__(self) -> Self:
        if self._in_process:
            port: Future[int] = Future()
            self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
            self._thread.start()
            self.port = port.result(timeout=30)
        else:
            behaviour = json.dumps(asdict(self._behaviour))
            command = [sys.executable, str(Path(__file__)), "--until-stdin-closes"]
            self._process = subprocess.Popen(
                [*command, "--behaviour", behaviour], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"the fake server ended with status {self._process.wait()}")
            self.port = int(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._in_process:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        else:
            self._process.kill()
            self._process.communicate()

    def _run(self, port: "Future[int]") -> None:
        async def until_stopped() -> None:
            self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
            await _serve(self._behaviour, started=port.set_result, stopped=self._stopped)

        try:
            asyncio.run(until_stopped())
        except Exception as error:
            if port.done():
                raise
            port.set_exception(error)

    def _ask(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {answer.decode()}")
        return json.loads(answer)


@dataclass(kw_only=True)
class _Completion:
    """One of a request's n choices, as it would be were it not cut by a fault."""

    text: str
    finish_reason: str
    logprobs: str
    calls: str


class _Service:
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
                    return _error(400, str(error))
                return web.json_response({})
        return _error(404, f"no such endpoint: {request.method} {request.path}")

    async def _account(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
            overrides = json.loads(request.headers.get("X-Behaviour", "{}"))
            behaviour = replace(self._behaviour, **overrides) if overrides else self._behaviour
            prompt_tokens = count_prompt_tokens(
                body["messages"], chars_per_token=behaviour.chars_per_token
            )
        except (TypeError, KeyError, ValueError) as error:
            return _error(400, f"cannot understand the request: {error!r}")
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
            return await _Answer(request, body, behaviour, entry).give()
        except (asyncio.CancelledError, ConnectionError):
            if entry.fate == "in_flight":
                entry.fate = "client_disconnected"
            raise
        finally:
            self._in_flight -= 1
            entry.ended = time.monotonic()


class _Answer:
    """One request's answer: what it will be is drawn first, and then it is given or fails."""

    def __init__(
        self, request: web.BaseRequest, body: dict[str, Any], behaviour: Behaviour, entry: Request
    ) -> None:
        self._request, self._body, self._behaviour, self._entry = request, body, behaviour, entry
        self._random = random.Random(behaviour.seed * 1_000_003 + entry.id)
        self._half_way = False

    async def give(self) -> web.StreamResponse:
        refusal = _refused_logprobs(self._body, self._behaviour.logprobs)
        if refusal:
            self._entry.fate = "error_status"
            return _error(400, refusal)
        fault = self._entry.fault = self._draw_fault()
        latency = _draw(self._random, self._behaviour.latency)
        if fault in STATUS_FAULTS or (self._entry.n > 1 and self._behaviour.n == "error"):
            await asyncio.sleep(latency)
            self._entry.fate = "error_status"
            status = STATUS_FAULTS.get(fault or "", 400)
            retry = {"Retry-After": "1"} if fault == "429-retry-after" else {}
            return _error(status, f"fault {fault}" if fault else "n must be 1", headers=retry)
        if refused := [name for name in self._behaviour.refuses if name in self._body]:
            self._entry.fate = "error_status"
            return _error(400, f"unknown field: {refused[0]}")
        if fault == "hang":
            return await self._hang()
        completions = self._draw_completions(fault)
        total = sum(self._tokens(completion.text) for completion in completions)
        await self._wait(latency, total=total)
        if fault == "reset":
            self._entry.completion_tokens = total
            return await self._reset()
        if self._entry.stream:
            return await self._stream(completions, total=total)
        return await self._whole(completions, total=total)

    def _draw_fault(self) -> str | None:
        if self._entry.id < len(self._behaviour.script):
            return self._behaviour.script[self._entry.id]
        if not self._behaviour.faults:
            return None
        spared = max(0.0, 1 - sum(self._behaviour.faults.values()))
        names = [None, *self._behaviour.faults]
        return self._random.choices(names, [spared, *self._behaviour.faults.values()])[0]

    def _draw_completions(self, fault: str | None) -> list[_Completion]:
        behaviour, body, draws = self._behaviour, self._body, self._random
        if body.get("seed") is not None:
            draws = random.Random(behaviour.seed * 1_000_003 + body["seed"])
        count = self._entry.n if behaviour.n == "yes" else 1
        texts = draws.choices([*behaviour.answers], [*behaviour.answers.values()], k=count)
        return [self._completion(text, draws, empty=fault == "empty") for text in texts]

    def _completion(self, text: str, draws: random.Random, *, empty: bool) -> _Completion:
        behaviour, body = self._behaviour, self._body
        calls = "[]"
        if empty:
            return _Completion(text="", finish_reason="stop", logprobs="null", calls=calls)
        if behaviour.tool_calls and body.get("tools"):
            calls = _tool_calls(json.dumps(behaviour.tool_calls), self._entry.id)
            text = json.dumps(behaviour.tool_calls)
        elif behaviour.completion_tokens is not None:
            tokens = round(_draw(draws, behaviour.completion_tokens))
            text = _padded(text, characters=tokens * behaviour.chars_per_token)
        finish = "stop" if calls == "[]" else "tool_calls"
        stops = body.get("stop") or ()
        for stop in [stops] if isinstance(stops, str) else stops:
            text = text.split(stop, 1)[0]
        limit = None if behaviour.ignore_max_tokens else self._entry.max_tokens
        if limit is not None and self._tokens(text) > limit:
            text, finish = text[: limit * behaviour.chars_per_token], "length"
        logprobs = "null"
        if body.get("logprobs") and behaviour.logprobs == "yes":
            logprobs = _logprobs(text, behaviour.chars_per_token, likely=self._likely)
        return _Completion(text=text, finish_reason=finish, logprobs=logprobs, calls=calls)

    async def _wait(self, seconds: float, *, total: int) -> None:
        begun = time.monotonic()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if not self._entry.stream:
                passed = min(1.0, (time.monotonic() - begun) / seconds)
                self._entry.completion_tokens = int(total * passed)
            raise

    async def _whole(self, completions: list[_Completion], *, total: int) -> web.StreamResponse:
        entry, fault = self._entry, self._entry.fault
        choices = ",".join(
            f'{{"index":{index},"message":{{"role":"assistant",{_content(completion)}}},'
            f'"logprobs":{completion.logprobs},"finish_reason":"{completion.finish_reason}"}}'
            for index, completion in enumerate(completions)
        )
        usage = self._usage(total)
        payload = (
            f'{self._head("chat.completion")},"choices":[{choices}]{f",{usage}" if usage else ""}}}'
        ).encode()
        entry.completion_tokens = total
        if fault in ("reset-mid-stream", "hang-mid-stream"):
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = len(payload)
            await response.prepare(self._request)
            await response.write(payload[: len(payload) // 2])
            return await (self._reset() if fault == "reset-mid-stream" else self._hang())
        if fault == "truncated":
            payload = payload[: len(payload) // 2]
        elif fault == "malformed":
            payload = b"<html>" + payload
        else:
            entry.written_tokens = total
        entry.fate = "completed"
        return web.Response(body=payload, content_type="application/json")

    async def _stream(self, completions: list[_Completion], *, total: int) -> web.StreamResponse:
        entry, fault, delay = self._entry, self._entry.fault, self._behaviour.chunk_delay
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(self._request)
        chunks = self._chunks(completions)
        middle = len(chunks) // 2
        if fault in ("reset-mid-stream", "hang-mid-stream", "truncated"):
            chunks = chunks[:middle]
        elif fault == "malformed":
            chunks.insert(middle, (b'data: {"choices": [\n\n', 0))
        pending, begun = b"", 0
        for position, (chunk, tokens) in enumerate(chunks):
            if delay and position:
                await asyncio.sleep(delay)
            pending, begun = pending + chunk, begun + tokens
            entry.completion_tokens += tokens
            if delay or position == len(chunks) - 1:
                await response.write(pending)
                entry.written_tokens += begun
                pending, begun = b"", 0
        if fault == "reset-mid-stream":
            await asyncio.sleep(0.01)
            return await self._reset()
        if fault == "hang-mid-stream":
            return await self._hang()
        entry.fate = "completed"
        if fault != "truncated":
            await response.write(self._last_events(total))
        await response.write_eof()
        return response

    def _last_events(self, total: int) -> bytes:
        end = "data: [DONE]\n\n"
        if (self._body.get("stream_options") or {}).get("include_usage"):
            usage = self._usage(total)
            if usage:
                head = self._head("chat.completion.chunk")
                end = f'data: {head},"choices":[],{usage}}}\n\n{end}'
        return end.encode()

    def _chunks(self, completions: list[_Completion]) -> list[tuple[bytes, int]]:
        """The events of a stream, each with the tokens that it begins; choices take turns."""
        head, size = self._head("chat.completion.chunk"), self._behaviour.chunk_chars
        chunks: list[tuple[bytes, int]] = []

        def event(index: int, delta: str, tokens: int, finish: str = "null", logs: str = "null"):
            choice = f'{{"index":{index},"delta":{{{delta}}},"logprobs":{logs},'
            data = f'data: {head},"choices":[{choice}"finish_reason":{finish}}}]}}\n\n'
            chunks.append((data.encode(), tokens))

        for index in range(len(completions)):
            event(index, '"role":"assistant","content":""', 0)
        longest = max(len(completion.text) for completion in completions)
        for start in range(0, longest, size):
            for index, completion in enumerate(completions):
                piece = completion.text[start : start + size]
                if not piece:
                    continue
                tokens = self._tokens(completion.text[: start + size])
                tokens -= self._tokens(completion.text[:start])
                if completion.calls != "[]":
                    if start == 0:
                        tokens = self._tokens(completion.text)
                        event(index, f'"tool_calls":{completion.calls}', tokens)
                    continue
                logs = "null"
                if completion.logprobs != "null":
                    logs = _logprobs(
                        completion.text,
                        self._behaviour.chars_per_token,
                        start,
                        size,
                        likely=self._likely,
                    )
                event(index, f'"content":{json.dumps(piece)}', tokens, logs=logs)
        for index, completion in enumerate(completions):
            event(index, "", 0, f'"{completion.finish_reason}"')
        return chunks

    def _usage(self, total: int) -> str | None:
        prompt = self._entry.prompt_tokens
        match self._behaviour.usage:
            case "none":
                return None
            case "zero":
                prompt = total = 0
            case "under":
                total //= 2
            case "over":
                total *= 2
        self._entry.reported_tokens = total
        return (
            f'"usage":{{"prompt_tokens":{prompt},"completion_tokens":{total},'
            f'"total_tokens":{prompt + total}}}'
        )

    def _head(self, kind: str) -> str:
        model = json.dumps(self._body.get("model", "fake"))
        return f'{{"id":"chatcmpl-{self._entry.id}","object":"{kind}","created":0,"model":{model}'

    @property
    def _likely(self) -> int:
        """Likely tokens that are reported beside each."""
        return self._body.get("top_logprobs") or 0

    def _tokens(self, text: str) -> int:
        return count_tokens(text, chars_per_token=self._behaviour.chars_per_token)

    async def _hang(self) -> web.StreamResponse:
        self._entry.fate = "hung"
        return await asyncio.get_running_loop().create_future()

    async def _reset(self) -> web.StreamResponse:
        self._entry.fate = "reset"
        transport = self._request.transport
        if transport is not None:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return await asyncio.get_running_loop().create_future()


def _draw(draws: random.Random, value: float | Sequence[float]) -> float:
    return draws.uniform(*value) if isinstance(value, Sequence) else value


def _error(status: int, message: str, *, headers: dict[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": "fake_error", "code": str(status)}}
    return web.json_response(body, status=status, headers=headers)


@lru_cache
def _padded(text: str, *, characters: int) -> str:
    missing = max(0, characters - len(text))
    return ("Let me think. " * (missing // 14 + 1))[:missing] + text


@lru_cache
def _quoted(text: str) -> str:
    return json.dumps(text)


def _content(completion: _Completion) -> str:
    if completion.calls == "[]":
        return f'"content":{_quoted(completion.text)}'
    return f'"content":null,"tool_calls":{completion.calls}'


def _tool_calls(calls: str, request_id: int) -> str:
    return json.dumps(
        [
            {
                "index": index,
                "id": f"call_{request_id}_{index}",
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
            }
            for index, call in enumerate(json.loads(calls))
        ]
    )


def _refused_logprobs(body: dict[str, Any], honoured: str) -> str | None:
    """OpenAI's rules: `top_logprobs` is 0 to 20, and only beside `logprobs`."""
    likely = body.get("top_logprobs")
    if honoured == "refused" and (body.get("logprobs") or likely is not None):
        return "logprobs are not supported by this model"
    if likely is not None and not body.get("logprobs"):
        return "top_logprobs needs logprobs=true"
    if likely is not None and not 0 <= likely <= 20:
        return f"top_logprobs must be between 0 and 20, got {likely}"
    return None


UNSURE_LOGPROB = -3.0
UNLIKELY_LOGPROB = -9.0


@lru_cache
def _logprobs(
    text: str, chars_per_token: int, start: int = 0, size: int | None = None, *, likely: int = 0
) -> str:
    """Those of the tokens that begin in `text[start:start + size]`; the same for the same token.

    The model is unsure of a token with a question mark, whose alternatives are as likely; of
    any other it is sure, and its alternatives are unlikely.
    """
    end = len(text) if size is None else min(len(text), start + size)
    first = -(-start // chars_per_token) * chars_per_token
    tokens = [text[at : at + chars_per_token] for at in range(first, end, chars_per_token)]
    content = [
        {
            "token": token,
            "logprob": chosen,
            "bytes": [*token.encode()],
            "top_logprobs": [
                {"token": f"{token}{place or ''}", "logprob": other, "bytes": None}
                for place, other in enumerate([chosen, *[others] * (likely - 1)][:likely])
            ],
        }
        for token, (chosen, others) in ((token, _sureness(token)) for token in tokens)
    ]
    return json.dumps({"content": content, "refusal": None})


def _sureness(token: str) -> tuple[float, float]:
    """The log-probability of a token, and that of its alternatives."""
    if "?" in token:
        return UNSURE_LOGPROB, UNSURE_LOGPROB
    return -(sum(token.encode()) % 100) / 100, UNLIKELY_LOGPROB


async def _serve(
    behaviour: Behaviour,
    *,
    started: Callable[[int], None],
    stopped: asyncio.Event,
    port: int = 0,
) -> None:
    server = web.Server(_Service(behaviour).handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    started(runner.addresses[0][1])
    await stopped.wait()
    await runner.cleanup()


async def _main() -> None:
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

    await _serve(behaviour, port=options.port, started=started, stopped=stopped)


if __name__ == "__main__":
    asyncio.run(_main())
