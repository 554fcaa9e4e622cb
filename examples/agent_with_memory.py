"""An agent whose turns are searched, with a memory that goes back when the search does.

    python examples/agent_with_memory.py openai:gpt-5-mini

The agent has a calculator and a key-value store. A search tries several turns from each state and
gives most of them up again, so the store is an `Environment`: each branch has one of its own, in
the state that the branch had reached. Any chat model that calls tools will do.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.tools import tool
from pydantic import BaseModel

from tscale_graph import Budget, Result, Verdict, lats, solve


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two whole numbers."""
    return a * b


class Put(BaseModel):
    """Keep a number under a key."""

    key: str
    value: int


class Get(BaseModel):
    """Look up the number under a key."""

    key: str


@dataclass
class Store:
    """A key-value store that can go back."""

    kept: dict[str, int] = field(default_factory=lambda: {"price": 37, "count": 12})

    def snapshot(self) -> dict[str, int]:
        return dict(self.kept)

    def restore(self, snapshot: dict[str, int]) -> None:
        self.kept = dict(snapshot)

    def step(self, action: ToolCall) -> Any:
        arguments = action["args"]
        if action["name"] == "Put":
            self.kept[arguments["key"]] = arguments["value"]
            return "kept"
        if action["name"] == "Get":
            known = ", ".join(self.kept)
            return self.kept.get(arguments["key"], f"there is no such key: there are {known}")
        return NotImplemented  # the calculator runs as it is


QUESTION = (
    "The store has a price and a count. What is their product? Keep it under the key total, and "
    "answer with the number alone."
)


class IsTotal:
    """A verifier of final answers: any function or object that takes a question and an answer."""

    answer_kind = "number"

    def __call__(self, question: str, answer: str) -> Verdict:
        right = answer == "444"
        return Verdict(score=right, passed=right, feedback="" if right else f"{answer} is wrong")


def search(model: Any) -> Result:
    """Search for the answer, and say what was found."""
    graph = lats(
        model, tools=[multiply, Put, Get], environment=Store, value=IsTotal(), width=3, max_depth=6
    )
    budget = Budget(calls=60, tokens=100_000, seconds=120)
    return solve(QUESTION, graph, budget=budget)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/agent_with_memory.py openai:gpt-5-mini")
    found = search(sys.argv[1])
    print(found.answer, found.status, found.usage)
    if found.tree is not None:
        found.tree.save("tree.html")
        print(f"{len(found.tree.nodes)} nodes are in tree.html")
