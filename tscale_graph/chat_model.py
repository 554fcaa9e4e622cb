"""A technique as a LangChain chat model: for agents and chains that want a model, not a graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from pydantic import ConfigDict, PrivateAttr

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Result
from tscale_graph.models.apart import apart
from tscale_graph.models.binding import CallerBinding, Tool, tool_name
from tscale_graph.models.conversations import as_chunk, told_apart, with_call_ids
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import Nested, nested
from tscale_graph.policy import Policy
from tscale_graph.techniques.admission import brought_budget
from tscale_graph.techniques.nodes import run_blocking
from tscale_graph.techniques.router import router

Technique = StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any] | Policy | dict[str, Any]
"""A technique's graph, compiled or not; or a policy for a router, or its fields."""

_MOST_BINDINGS = 32
"""Sets of tools whose graphs are kept: an agent binds the same ones at each of its turns."""


class ScaledChatModel(BaseChatModel):
    """A chat model whose every answer is a run of a technique, under a budget.

        model = ScaledChatModel(self_consistency("openai:gpt-5-mini"), budget=Budget(tokens=20_000))

    `bind_tools` gives the tools to the models that the technique samples. The vote is then over
    the calls of tools with their arguments, a verifier is given them as JSON, and the message
    has those of one sample. `with_structured_output` votes over the parsed objects. The techniques
    that take tools are `self_consistency`, `best_of_n`, `extended_thinking`, `cascade`, and
    `router` where it leads to them.

    The budget of a call is the tighter of the model's own and of what the call brings: `budget=`,
    or else `config["configurable"]["budget"]`; without any of them, that of the technique.

    The message has the usage of all calls together in `usage_metadata`, and in
    `response_metadata` the technique, status, cut_off_by, answer, agreement, calls, usd and notes
    of its `Result`. The calls inside are not shown to callbacks, so nobody counts them twice; in
    a graph that runs with `config["configurable"]["stream_samples"]` they are.

    Attributes:
        budget: the most that one call may spend, or None.
        stop: sequences that end each sample, where a call brings none.
        max_tokens: the most tokens of one sample, where that is less than the technique allows.
        streaming: `invoke`, too, shows its answer to streaming callbacks.
        cache: off unless a cache is given: an answer depends on the budget and on luck.
    """

    runs_a_technique: ClassVar[bool] = True

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    budget: Budget | None = None
    stop: list[str] | None = None
    max_tokens: int | None = None
    streaming: bool = False
    cache: Any = False

    _asked: Nested = PrivateAttr()
    _tools: dict[str, Tool] = PrivateAttr(default_factory=dict[str, Any])
    _bindings: dict[str, tuple[list[Tool], Nested]] = PrivateAttr(
        default_factory=dict[str, "tuple[list[Tool], Nested]"]
    )

    def __init__(
        self,
        technique: Technique,
        *,
        budget: Budget | Mapping[str, Any] | None = None,
        model: str | Askable | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a chat model of a technique.

        Args:
            technique: a technique's graph, compiled or not; or a policy for a router, as a
                `Policy` or a dict of its fields.
            budget: the most that one call may spend; calls may bring less.
            model: with a policy, for the classes that name none; "local" if None.
            kwargs: `stop`, `max_tokens`, `streaming`, and what every chat model takes:
                `callbacks`, `tags`, `metadata`, …

        Raises:
            ValueError: when it is no technique, or one that takes no `stop` or `max_tokens` of a
                caller, or the budget is none.
        """
        if isinstance(technique, Policy | dict):
            technique = router(technique, model=model)
        elif model is not None:
            raise ValueError("model is for a policy: a technique's graph has its own")
        asked = nested(technique)
        if asked is None:
            raise ValueError(
                "technique must be the graph of a technique, such as self_consistency(model), or a "
                f"Policy, got {type(technique).__name__}"
            )
        own = None if budget is None else Budget.of(budget)
        super().__init__(budget=own, **kwargs)  # pyright: ignore[reportCallIssue]
        self._asked = asked
        self._asked_with(None, {})  # what it cannot do is told at once

    @property
    def model_name(self) -> str:
        """Such as "tscale/self_consistency": no model's own, whose usage is counted elsewhere."""
        return f"tscale/{self._asked.technique.name}"

    @property
    def _llm_type(self) -> str:
        return "tscale"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        budget = self.budget and self.budget.model_dump(exclude_none=True)
        asked = [one.name for one in self._asked.technique.asks]
        return {"model_name": self.model_name, "asks": asked, "budget": budget}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "tscale"
        return params

    def get_num_tokens(self, text: str) -> int:
        """The tokens of a text, as the first of the models counts them."""
        return self._asked.technique.asks[0].counter.text(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Tool] | None = None
    ) -> int:
        """The tokens of a conversation, as the first of the models counts them."""
        asked = self._asked.technique.asks[0]
        if tools:
            asked = CallerBinding(tools=tools).to(asked)
        return asked.counter.prompt(messages)

    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model, whose samples may call tools.

        Args:
            tools: LangChain tools, functions, pydantic or `TypedDict` classes, or schemas.
            tool_choice: as the models that are asked take it: "any", "auto", the name of a tool.
            kwargs: other arguments for their calls.

        Raises:
            ValueError: when the technique takes no tools, or its models cannot call any.
        """
        told = [_as_schema(tool) for tool in tools]
        named = {name: tool for tool in tools if (name := tool_name(tool)) is not None}
        options = {**kwargs, **({"tool_choice": tool_choice} if tool_choice is not None else {})}
        bound = self.model_copy()
        bound._tools = {**self._tools, **named}
        asked = {name: value for name, value in options.items() if name not in _LANGCHAINS_OWN}
        bound._asked_with(None, {"tools": told, **asked})  # what cannot be is told at once
        return bound.bind(tools=told, **options)

    def invoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Answer, in one piece; `budget=` among the arguments is that of the call."""
        return super().invoke(input, config, **_with_budget(config, kwargs))

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Answer, in one piece; `budget=` among the arguments is that of the call."""
        return await super().ainvoke(input, config, **_with_budget(config, kwargs))

    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessageChunk]:
        """The answer once it is chosen: nothing is final before."""
        return super().stream(input, config, **_with_budget(config, kwargs))

    def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        """The answer once it is chosen: nothing is final before."""
        return super().astream(input, config, **_with_budget(config, kwargs))

    def stream_events(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Any:
        """The events of an answer, as every chat model tells them."""
        events: Any = super().stream_events
        return events(input, config, **_with_budget(config, kwargs))

    def astream_events(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Any:
        """The events of an answer, as every chat model tells them."""
        events: Any = super().astream_events
        return events(input, config, **_with_budget(config, kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = run_blocking(self._answer(messages, stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = await self._answer(messages, stop, kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield as_chunk(run_blocking(self._answer(messages, stop, kwargs)))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        yield as_chunk(await self._answer(messages, stop, kwargs))

    async def _answer(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]
    ) -> AIMessage:
        """Run the technique on a conversation.

        Raises:
            BudgetExceeded: when the budget ended before there was any answer.
            SamplingError: when every sample failed.
            ValueError: when there is no budget, the technique takes no such options, or the run
                was interrupted.
        """
        told = {name: value for name, value in options.items() if name not in _OURS}
        asked = self._asked_with(stop, told)
        budget = self._budget(options.get("budget"))
        given = {"messages": told_apart(messages), "budget": budget}
        out = await apart(lambda: asked.graph.ainvoke(given))
        if "result" not in out:
            raise ValueError(
                f"{self.model_name} was interrupted, and a chat model cannot go on: add the "
                "technique's graph as a node instead"
            )
        result = Result.model_validate(out["result"])
        return self._message(out["messages"][-1], result, messages)

    def _budget(self, brought: Any) -> Budget | None:
        """The budget of a call; None leaves it to the technique, which refuses to go without."""
        found = brought_budget({"budget": brought}, ensure_config())
        if found is None or self.budget is None:
            return found or self.budget
        return found.within(self.budget)

    def _asked_with(self, stop: list[str] | None, options: Mapping[str, Any]) -> Nested:
        """The technique, whose models are asked with tools and other options.

        Raises:
            UnsuitableModel: a `ValueError`, when it takes none.
            ValueError: for the name of another model.
        """
        own = {"stop": stop or self.stop, "max_tokens": self.max_tokens}
        told = {**{name: value for name, value in own.items() if value}, **options}
        if "model" in told:
            raise ValueError(
                f"the technique says which models it asks, got model={told['model']!r}"
            )
        if not told:
            return self._asked
        schemas = cast(list[Tool], told.pop("tools", None) or [])
        tools = [self._tools.get(tool_name(schema) or "", schema) for schema in schemas]
        key = json.dumps([schemas, list(map(id, tools)), told], sort_keys=True, default=repr)
        if key not in self._bindings:
            made = self._asked.bound_with(CallerBinding(tools=tools, options=told))
            while len(self._bindings) >= _MOST_BINDINGS:
                self._bindings.pop(next(iter(self._bindings)), None)
            self._bindings[key] = (tools, made)
        return self._bindings[key][1]

    def _message(
        self, answer: AIMessage, result: Result, asked: Sequence[BaseMessage]
    ) -> AIMessage:
        """The answer as this model gives it."""
        about = {
            "model_name": self.model_name,
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
        taken = {
            call["id"] for said in asked if isinstance(said, AIMessage) for call in said.tool_calls
        }
        calls = with_call_ids(answer.tool_calls, taken)
        update = {"id": None, "tool_calls": calls, "response_metadata": about}
        return answer.model_copy(update=update)


def usage_of(message: AIMessage) -> Usage:
    """What an answer of a `ScaledChatModel` cost, as its message tells; without its seconds."""
    told, tokens = message.response_metadata, message.usage_metadata or {}
    details = tokens.get("output_token_details") or {}
    return Usage(
        calls=told.get("calls", 0),
        input_tokens=tokens.get("input_tokens", 0),
        output_tokens=tokens.get("output_tokens", 0),
        reasoning_tokens=details.get("reasoning", 0),
        usd=told.get("usd", 0.0),
    )


_OURS = ("budget", "stream")
"""Arguments of a call that are not for the models that are asked."""
_LANGCHAINS_OWN = ("ls_structured_output_format", "structured_output_format", *_OURS)
"""Arguments that are bound, and that LangChain takes out before a call."""


def _with_budget(config: RunnableConfig | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call with the budget that its configuration brings, as plain data."""
    found = kwargs.get("budget") or ((config or {}).get("configurable") or {}).get("budget")
    if found is None:
        return kwargs
    return {**kwargs, "budget": Budget.of(found).model_dump(exclude_none=True)}


def _as_schema(tool: Tool) -> dict[str, Any]:
    """A tool as tracers and providers are told of it; a provider's own stays as it is."""
    return cast(dict[str, Any], tool) if tool_name(tool) is None else convert_to_openai_tool(tool)
