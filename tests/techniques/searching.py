"""Chat models that are told what to do by a function of their prompt, and searches with them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from tests.scripted import Scripted, count
from tscale_graph import Budget, Result
from tscale_graph.models.tokens import bound_tokens

QUESTION = "How many r's are in strawberry?"


class Told(Scripted):
    """Says what `decide` makes of its prompt: a text, or a turn with tool calls.

    Attributes:
        decide: called with the prompt and the number of calls before this one.
        prompts: what it was asked, in order.
        options: with which arguments.
    """

    decide: Callable[[list[BaseMessage], int], str | AIMessage]
    prompts: list[Any] = Field(default_factory=list)
    options: list[Any] = Field(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **more: Any) -> Any:
        names = [convert_to_openai_tool(one)["function"]["name"] for one in tools]
        return self.bind(tools=names, **more)

    def begin(self, messages, options):
        self.prompts.append(list(messages))
        self.options.append(options)
        said = self.decide(list(messages), len(self.prompts) - 1)
        said = AIMessage(said) if isinstance(said, str) else said
        self.answers = [said.text]
        call, text = super().begin(messages, options)
        call.prompt_tokens += bound_tokens({"tools": options.get("tools")})
        call.tool_calls = said.tool_calls
        return call, text

    def _generate(self, messages, stop=None, run_manager=None, **options):
        return super()._generate(messages, stop, run_manager, **options, stop_at=stop)

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        return await super()._agenerate(messages, stop, run_manager, **options, stop_at=stop)

    def finish(self, call, text):
        done = "".join(one["name"] + json.dumps(one["args"]) for one in call.tool_calls)
        call.output_tokens = count(text + done)
        message = AIMessage(
            text, usage_metadata=self.report(call), tool_calls=list(call.tool_calls)
        )
        self.end(call, "completed")
        return ChatResult(generations=[ChatGeneration(message=message)])


def told(decide: Callable[..., str | AIMessage], **more: Any) -> Told:
    """A model that is told by a function of the prompt, or of that and the number of the call."""
    takes_number = decide.__code__.co_argcount == 2
    return Told(decide=decide if takes_number else lambda prompt, _: decide(prompt), **more)


def acts(name: str, **args: Any) -> AIMessage:
    """A turn that calls one tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{name}"}])


async def ask(
    technique: Any,
    budget: Budget | None = None,
    *,
    question: str = QUESTION,
    config: Any = None,
    **compiled: Any,
) -> Result:
    """The result of one request."""
    graph = technique.compile(**compiled)
    asked = {"messages": [("user", question)], "budget": budget or Budget(calls=500)}
    return (await graph.ainvoke(asked, config))["result"]


def asked_of(model: Told) -> list[list[tuple[str, str]]]:
    """The prompts of a model, each message as its type and its text."""
    return [[(message.type, str(message.text)) for message in prompt] for prompt in model.prompts]


def billed(*models: Scripted) -> int:
    """The tokens that models would charge, by their own ledgers."""
    return sum(call.billed for model in models for call in model.calls)
