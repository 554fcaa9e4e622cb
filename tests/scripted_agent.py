"""A chat model that calls tools as a function of the conversation says: for tests of behaviour."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

Decide = Callable[[Sequence[BaseMessage], int], AIMessage]


def call(name: str, **args: Any) -> AIMessage:
    """A turn that calls one tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{name}"}])


class ScriptedAgent(BaseChatModel):
    """Asks `decide` for each turn, with the conversation and the number of calls before it."""

    decide: Any
    prompts: list[Any] = Field(default_factory=list)
    model_name: str = "scripted-agent"

    @property
    def _llm_type(self) -> str:
        return "scripted-agent"

    def get_num_tokens(self, text: str) -> int:
        return -(-len(text) // 4)

    def bind_tools(self, tools: Sequence[Any], **more: Any) -> Any:
        return self.bind(tools=[one.name for one in tools], **more)

    def _generate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        self.prompts.append(list(messages))
        said = self.decide(messages, len(self.prompts) - 1)
        used = {"input_tokens": 10 * len(messages), "output_tokens": 5}
        usage = {**used, "total_tokens": sum(used.values())}
        return ChatResult(
            generations=[ChatGeneration(message=said.model_copy(update={"usage_metadata": usage}))]
        )

    async def _agenerate(self, messages, stop=None, run_manager=None, **options) -> ChatResult:
        return self._generate(messages, stop, run_manager, **options)
