"""A technique, or the router, as a chat model: wherever a model is asked, more compute answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, PrivateAttr

from tscale_graph.budget import Budget, BudgetExceeded
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.attempts import Request
from tscale_graph.models.binding import CallerBinding
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.replies import Completion
from tscale_graph.policy import Policy
from tscale_graph.techniques.choosing import answer_message
from tscale_graph.techniques.nodes import run_blocking
from tscale_graph.techniques.router import router

_BUDGETLESS = "no budget: give ScaledChatModel a budget=, or one to the call"
_PARSED_BY = "parsed_by"
"""Under what `bind_tools` keeps what the arguments of tools are parsed by."""
_OPTIONS = (
    "tools",
    "tool_choice",
    "strict",
    "parallel_tool_calls",
    "ls_structured_output_format",
    _PARSED_BY,
)
_CACHED = 16
"""Sets of tools whose graphs are kept."""


class ScaledChatModel(BaseChatModel):
    """A technique in the place of a chat model, under one budget for each call.

        model = ScaledChatModel(self_consistency("openai:gpt-5-mini"), budget=Budget(tokens=20_000))

    `usage_metadata` is the sum over all calls made; `response_metadata` says technique, status,
    agreement and notes. With `bind_tools`, the vote is over calls of tools with equal arguments,
    and a verifier scores them as JSON; with `with_structured_output`, it is over parsed objects. A
    stream is the final answer, in one piece. No callback sees the calls inside, which would count
    them twice.

    Attributes:
        technique: a technique's graph, or a policy (a `Policy`, or a dict of its fields), which the
            router serves.
        budget: of each call; `model.invoke(…, budget=…)` says otherwise for one. None leaves it to
            the technique's own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    technique: Any
    budget: Budget | None = None
    _asked: Endpoint = PrivateAttr()
    _bound: dict[str, Endpoint] = PrivateAttr(default_factory=dict[str, Endpoint])

    def __init__(
        self,
        technique: Askable | Policy | dict[str, Any],
        *,
        budget: Budget | dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Check what is given, before anything is asked.

        Args:
            technique: a technique's graph, compiled or not, or a policy.
            budget: of each call, or None.
            fields: those of every chat model: `callbacks`, `tags`, `metadata`, `cache`, …

        Raises:
            ValueError: for what is neither, or no budget, in one line.
        """
        own = None if budget is None else Budget.of(budget)
        super().__init__(technique=technique, budget=own, **fields)  # pyright: ignore[reportCallIssue]
        policy = isinstance(technique, Policy | Mapping)
        asked = endpoint(router(technique) if policy else technique)  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]
        if asked.nested is None:
            raise ValueError("technique must be a technique's graph, or a policy")
        self._asked = asked

    @property
    def name_of_technique(self) -> str:
        """Such as "tscale/self_consistency"."""
        nested = self._asked.nested
        return f"tscale/{nested.technique.name if nested else ''}"

    @property
    def _llm_type(self) -> str:
        return "tscale"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"technique": self._asked.name, "budget": self.budget and repr(self.budget)}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        name = kwargs.get("model") or self.name_of_technique
        return {**params, "ls_provider": "tscale", "ls_model_name": name}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same with tools that the answering models may call.

        Args:
            tools: functions, pydantic classes, LangChain tools, or OpenAI's dicts.
            tool_choice: "auto", "any", the name of a tool, or whatever the models' class takes.
            kwargs: more for `bind_tools` of the models' class.

        Raises:
            UnsuitableModel: a `ValueError`, where technique or model takes no tools.
        """
        shown = [convert_to_openai_tool(tool) for tool in tools]
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        parsed_by: dict[str, Any] = {}
        if "ls_structured_output_format" in kwargs:
            parsed_by = {
                told["function"]["name"]: tool
                for told, tool in zip(shown, tools, strict=True)
                if isinstance(tool, type) and issubclass(tool, BaseModel)
            }
        kwargs = {**kwargs, **({_PARSED_BY: parsed_by} if parsed_by else {})}
        self._with(None, {"tools": shown, **kwargs})
        return self.bind(tools=shown, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return run_blocking(self._agenerate(messages, stop, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        given = kwargs.pop("budget", None)
        asked = self._with(stop, kwargs)
        budget = self._budget(given, asked)
        # No callback of the caller's: it sees this model's own usage, which has theirs in it.
        token = var_child_runnable_config.set({**ensure_config(), "callbacks": None})
        try:
            [said] = await complete(asked, Request(messages=messages), budget)
        finally:
            var_child_runnable_config.reset(token)
        message = self._message(said, budget)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        chunk = _chunk(self._generate(messages, stop, **kwargs))
        if run_manager is not None:
            run_manager.on_llm_new_token(chunk.text, chunk=chunk)
        yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        chunk = _chunk(await self._agenerate(messages, stop, **kwargs))
        if run_manager is not None:
            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
        yield chunk

    def _with(self, stop: list[str] | None, options: Mapping[str, Any]) -> Endpoint:
        """The technique with what this call binds."""
        given = {name: value for name, value in options.items() if value is not None}
        if unknown := sorted(set(given) - set(_OPTIONS)):
            told = ", ".join(_OPTIONS[:-1])
            raise ValueError(f"a call takes budget, stop, {told}, got {', '.join(unknown)}")
        tools, schemas = given.pop("tools", ()), given.pop(_PARSED_BY, {})
        if not tools and not stop:
            return self._asked
        shown = tuple(tools)
        binding = CallerBinding(
            tools=shown,
            options=given if tools else {},
            stop=None if stop is None else tuple(stop),
            schemas=schemas,
        )
        key = json.dumps([shown, binding.options, stop, sorted(schemas)], default=repr)
        if key not in self._bound:
            while len(self._bound) >= _CACHED:
                self._bound.pop(next(iter(self._bound)), None)
            self._bound[key] = binding.to(self._asked)
        return self._bound[key]

    def _budget(self, given: Budget | dict[str, Any] | None, asked: Endpoint) -> Budget:
        """The call's own, the model's, or the technique's."""
        own = asked.nested and asked.nested.technique.budget
        budget = self.budget or own if given is None else Budget.of(given)
        if budget is None:
            raise ValueError(_BUDGETLESS)
        if budget.usd is not None and (unpriced := asked.unpriced) is not None:
            raise ValueError(unknown_price(unpriced))
        return budget

    def _message(self, said: Completion, budget: Budget) -> AIMessage:
        """The answer as a model would give it.

        Raises:
            BudgetExceeded: when the budget ended before there was any answer.
            SamplingError: when there was none for another reason.
        """
        result = said.result
        if result is None:
            told = said.error or "there is no answer"
            if said.cut_off_by is None:
                raise SamplingError(told, said.usage)
            raise BudgetExceeded(told, limit=said.cut_off_by, budget=budget, usage=said.usage)
        thought = {"reasoning_content": said.reasoning} if said.reasoning else {}
        return answer_message(result, None).model_copy(
            update={
                "tool_calls": list(said.tool_calls),
                "additional_kwargs": thought,
                "response_metadata": self._metadata(result),
            }
        )

    def _metadata(self, result: Result) -> dict[str, Any]:
        return {
            "model_name": self.name_of_technique,
            "model_provider": "tscale",
            "technique": result.technique,
            "status": result.status,
            "cut_off_by": result.cut_off_by,
            "answer": result.answer,
            "agreement": result.agreement,
            "calls": result.usage.calls,
            "usd": result.usage.usd,
            "notes": result.notes,
        }


def _chunk(result: ChatResult) -> ChatGenerationChunk:
    """A whole answer as the only piece of a stream."""
    message = result.generations[0].message
    if not isinstance(message, AIMessage):
        raise TypeError(f"an answer must be an AIMessage, got {type(message).__name__}")
    calls = [
        ToolCallChunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=place)
        for place, call in enumerate(message.tool_calls)
    ]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=message.content,
            additional_kwargs=message.additional_kwargs,
            tool_call_chunks=calls,
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
            id=message.id,
            chunk_position="last",
        )
    )
