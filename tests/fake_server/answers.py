"""One answer of the fake server, and the ways in which it fails."""

import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aiohttp import web

from tests.fake_server.behaviour import STATUS_FAULTS, Behaviour, count_tokens
from tests.fake_server.ledger import Request
from tests.fake_server.logprobs import logprobs_of, refused_logprobs


@dataclass(kw_only=True)
class Completion:
    """One of a request's n choices, as it would be were it not cut by a fault."""

    text: str
    finish_reason: str
    logprobs: str
    calls: str


class Answer:
    """One request's answer: what it will be is drawn first, and then it is given or fails."""

    def __init__(
        self, request: web.BaseRequest, body: dict[str, Any], behaviour: Behaviour, entry: Request
    ) -> None:
        self._request, self._body, self._behaviour, self._entry = request, body, behaviour, entry
        self._random = random.Random(behaviour.seed * 1_000_003 + entry.id)
        self._half_way = False

    async def give(self) -> web.StreamResponse:
        refusal = refused_logprobs(self._body, self._behaviour.logprobs)
        if refusal:
            self._entry.fate = "error_status"
            return error_reply(400, refusal)
        fault = self._entry.fault = self._draw_fault()
        latency = _draw(self._random, self._behaviour.latency)
        if fault in STATUS_FAULTS or (self._entry.n > 1 and self._behaviour.n == "error"):
            await asyncio.sleep(latency)
            self._entry.fate = "error_status"
            status = STATUS_FAULTS.get(fault or "", 400)
            retry = {"Retry-After": "1"} if fault == "429-retry-after" else {}
            return error_reply(status, f"fault {fault}" if fault else "n must be 1", headers=retry)
        if refused := [name for name in self._behaviour.refuses if name in self._body]:
            self._entry.fate = "error_status"
            return error_reply(400, f"unknown field: {refused[0]}")
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

    def _draw_completions(self, fault: str | None) -> list[Completion]:
        behaviour, body, draws = self._behaviour, self._body, self._random
        if body.get("seed") is not None:
            draws = random.Random(behaviour.seed * 1_000_003 + body["seed"])
        count = self._entry.n if behaviour.n == "yes" else 1
        texts = draws.choices([*behaviour.answers], [*behaviour.answers.values()], k=count)
        return [self._completion(text, draws, empty=fault == "empty") for text in texts]

    def _completion(self, text: str, draws: random.Random, *, empty: bool) -> Completion:
        behaviour, body = self._behaviour, self._body
        calls = "[]"
        if empty:
            return Completion(text="", finish_reason="stop", logprobs="null", calls=calls)
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
            logprobs = logprobs_of(text, behaviour.chars_per_token, likely=self._likely)
        return Completion(text=text, finish_reason=finish, logprobs=logprobs, calls=calls)

    async def _wait(self, seconds: float, *, total: int) -> None:
        begun = time.monotonic()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if not self._entry.stream:
                passed = min(1.0, (time.monotonic() - begun) / seconds)
                self._entry.completion_tokens = int(total * passed)
            raise

    async def _whole(self, completions: list[Completion], *, total: int) -> web.StreamResponse:
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

    async def _stream(self, completions: list[Completion], *, total: int) -> web.StreamResponse:
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

    def _chunks(self, completions: list[Completion]) -> list[tuple[bytes, int]]:
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
                    logs = logprobs_of(
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


def error_reply(
    status: int, message: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"message": message, "type": "fake_error", "code": str(status)}}
    return web.json_response(body, status=status, headers=headers)


@lru_cache
def _padded(text: str, *, characters: int) -> str:
    missing = max(0, characters - len(text))
    return ("Let me think. " * (missing // 14 + 1))[:missing] + text


@lru_cache
def _quoted(text: str) -> str:
    return json.dumps(text)


def _content(completion: Completion) -> str:
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
