"""Judge models that read their prompt, and answer by a rule."""

import re
from collections.abc import Callable
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import Field

from tests.scripted import Scripted

FENCED = re.compile(
    r"^<(?P<label>[a-z]+(?: \d+)?) (?P<key>[0-9a-f]{16})>\n(?P<text>.*?)\n</(?P=label) (?P=key)>$",
    re.DOTALL | re.MULTILINE,
)


def whole(prompt: list[BaseMessage]) -> str:
    return "\n".join(str(message.text) for message in prompt)


def fenced(prompt: list[BaseMessage]) -> dict[str, str]:
    """The texts between the fences, by their labels."""
    return {found["label"]: found["text"] for found in FENCED.finditer(str(prompt[-1].text))}


def unfenced(prompt: list[BaseMessage]) -> str:
    """What the prompt says outside the fences."""
    return FENCED.sub("", whole(prompt))


class Reader(Scripted):
    """Answers with what a function makes of its prompt; keeps the prompts."""

    reply: Callable[[list[BaseMessage]], str]
    prompts: list[Any] = Field(default_factory=list)

    def begin(self, messages, options):
        self.prompts.append(list(messages))
        self.answers = [self.reply(list(messages))]
        return super().begin(messages, options)


def reader(reply: Callable[[list[BaseMessage]], str] | str, **more: Any) -> Reader:
    said = reply if callable(reply) else lambda prompt: reply
    return Reader(reply=said, **more)


def billed(model: Scripted) -> int:
    return sum(call.billed for call in model.calls)
