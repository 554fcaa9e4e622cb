"""A scripted model that reads: it looks up facts in what it is shown, and knows nothing else."""

import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from tests.scripted import Call, Scripted

_FACT = re.compile(r"(\w+) costs (\d+)\.")
_ASKED = re.compile(r"(?:price|cost|much)[^?]*?\b(\w+)\?")


def facts(text: str) -> dict[str, int]:
    """What each thing costs: "tea costs 2." """
    return {name: int(price) for name, price in _FACT.findall(text)}


def written(prices: dict[str, int]) -> str:
    """The same as a text, with more words than it needs."""
    return " ".join(f"You may like to know that {n} costs {p}." for n, p in prices.items())


class Reader(Scripted):
    """Answers "How much is …?" from its prompt, thinks of such questions, and rewrites facts.

    `wrong` is what it says in place of an answer, each time in turn where there are several.
    """

    wrong: Sequence[str] = ()
    questions: Sequence[str] = ()

    def begin(self, messages: Sequence[BaseMessage], options: dict[str, Any]) -> tuple[Call, str]:
        self.answers = [self.say(str(messages[0].text), str(messages[-1].text))]
        return super().begin(messages, options)

    def say(self, shown: str, told: str) -> str:
        known = facts(shown)
        if told.startswith("Which questions"):
            return "\n".join(self.questions or [f"How much is {name}?" for name in known])
        if told.startswith(("Rewrite", "This is a rewriting")):
            return "\n".join(f"{name} costs {price}." for name, price in known.items())
        if self.wrong:
            return self.wrong[len(self.calls) % len(self.wrong)]
        asked = _ASKED.search(told)
        price = known.get(asked[1]) if asked else None
        return f"The answer is {price}" if price is not None else "I cannot tell."
