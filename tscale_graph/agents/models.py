"""The models of an agent: its own, each call of which has a lease, and techniques in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, PrivateAttr

from tscale_graph.agents.runs import Kind, Lease, StepBook
from tscale_graph.budget import BudgetExceeded, Usage
from tscale_graph.candidates import SamplingError
from tscale_graph.chat_model import ScaledChatModel, Technique, usage_of
from tscale_graph.models.apart import apart
from tscale_graph.models.attempts import OnChunk, Request
from tscale_graph.models.binding import CallerBinding, Tool
from tscale_graph.models.calls import complete
from tscale_graph.models.conversations import as_chunk
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.nodes import run_blocking, stream_blocking


class ScaledModel(ScaledChatModel):
    """A technique in the place of an agent's model; what it spends is put down in a book."""

    _book: StepBook = PrivateAttr()
    _kind: Kind = PrivateAttr()

    def __init__(self, technique: Technique) -> None:
        super().__init__(technique, name=ScaledChatModel.__name__)

    def on(self, book: StepBook, kind: Kind) -> ScaledModel:
        """The same, for one step of an agent."""
        copy = self.model_copy()
        copy._book, copy._kind = book, kind
        return copy

    async def _answer(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]
    ) -> AIMessage:
        lease = self._book.lease(self._kind)
        told = {**options, "budget": lease.budget}
        try:
            message = await super()._answer(messages, stop, told)
        except (BudgetExceeded, SamplingError) as error:
            self._book.settle(lease, error.usage)
            raise
        self._book.settle(lease, usage_of(message))
        return message


class LeasedModel(BaseChatModel):
    """The agent's own model, each call of which has a lease.

    Its messages are the model's own, and so is what it tells of itself. Transient failures are
    tried again while the lease pays for it; the model's own retries, which nobody counts, are off.

    Attributes:
        max_output_tokens: the most tokens of a call, where the model has no limit of its own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    max_output_tokens: int
    cache: Any = False

    _asked: Endpoint = PrivateAttr()
    _book: StepBook = PrivateAttr()

    @classmethod
    def of(cls, asked: Endpoint, book: StepBook, *, max_output_tokens: int) -> LeasedModel:
        """A model for one step of an agent."""
        model = asked.model
        made = cls(
            name=model.get_name(),
            max_output_tokens=max_output_tokens,
            disable_streaming=model.disable_streaming,
            profile=model.profile,
            tags=model.tags,
            metadata=model.metadata,
        )
        made._asked, made._book = asked, book
        return made

    @property
    def model_name(self) -> str:
        """The model's own."""
        return self._asked.name

    @property
    def _llm_type(self) -> str:
        return self._asked.model._llm_type

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return self._asked.model._identifying_params

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return self._asked.model._get_ls_params(stop=stop, **kwargs)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Tool] | None = None
    ) -> int:
        """The tokens of a conversation, as the model counts them."""
        asked = CallerBinding(tools=tools).to(self._asked) if tools else self._asked
        return asked.counter.prompt(messages)

    def bind_tools(self, tools: Sequence[Tool], **kwargs: Any) -> LeasedModel:
        """The same model with tools, as it binds them itself.

        Raises:
            ValueError: when it cannot call tools.
        """
        bound = self.model_copy()
        options = {name: value for name, value in kwargs.items() if value is not None}
        binding = CallerBinding(tools=tools, options=options, for_bind_tools=True)
        bound._asked = binding.to(self._asked)
        return bound

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return run_blocking(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = await self._answer(messages, stop, kwargs, None)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from stream_blocking(lambda: self._astream(messages, stop, None, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        arrived = asyncio.Queue[AIMessageChunk | None]()
        answer = self._answer(messages, stop, kwargs, arrived.put_nowait)
        work = asyncio.create_task(_then(answer, arrived))
        any_came = False
        try:
            while (chunk := await arrived.get()) is not None:
                any_came = True
                yield ChatGenerationChunk(message=chunk)
            message = await work
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await work
        if not any_came:
            yield as_chunk(message)
        elif cut_off_by := message.response_metadata.get(_CUT_OFF):
            told = AIMessageChunk(content="", response_metadata={_CUT_OFF: cut_off_by})
            yield ChatGenerationChunk(message=told)

    async def _answer(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        options: Mapping[str, Any],
        on_chunk: OnChunk | None,
    ) -> AIMessage:
        """Ask the model once.

        Raises:
            BudgetExceeded: when the lease paid for no answer, or cut off the call of a tool.
            Exception: the provider's own, when it failed.
            SamplingError: when there is no answer for another reason.
        """
        asked = CallerBinding(options=options).to(self._asked) if options else self._asked
        request = Request(
            messages=messages,
            max_output_tokens=asked.own_output_limit or self.max_output_tokens,
            stop=stop,
            on_chunk=on_chunk,
        )
        lease = self._book.lease("model")
        ask = _Ask(asked, request, lease)
        [said] = await apart(ask, shown=False)
        self._book.settle(lease, said.usage)
        return _message(said, lease)


@dataclass(frozen=True)
class _Ask:
    asked: Endpoint
    request: Request
    lease: Lease

    def __call__(self) -> Coroutine[Any, Any, list[Completion]]:
        return complete(self.asked, self.request, self.lease.budget, deadline=self.lease.deadline)


_CUT_OFF = "cut_off_by"


def _message(said: Completion, lease: Lease) -> AIMessage:
    """The model's own message; half a call of a tool is none."""
    message = said.message
    if isinstance(message, AIMessageChunk):
        message = message_chunk_to_message(message)
    broken = said.truncated and (said.cut_off_by or said.cause) and said.tool_text
    if said.error is not None or broken or not isinstance(message, AIMessage):
        told = said.error or "the call of a tool was cut off"
        if said.cut_off_by is not None:
            raise BudgetExceeded(
                told, limit=said.cut_off_by, budget=lease.budget, usage=said.usage
            ) from said.cause
        raise said.cause or SamplingError(told, said.usage)
    metadata = {**message.response_metadata}
    if said.cut_off_by is not None:
        metadata[_CUT_OFF] = said.cut_off_by
    usage = message.usage_metadata or _metadata(said.usage)
    return message.model_copy(update={"response_metadata": metadata, "usage_metadata": usage})


def _metadata(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
    }


async def _then(
    answer: Coroutine[Any, Any, AIMessage], arrived: asyncio.Queue[AIMessageChunk | None]
) -> AIMessage:
    """Await an answer, and end the queue of its pieces."""
    try:
        return await answer
    finally:
        arrived.put_nowait(None)
