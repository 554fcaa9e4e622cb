"""Something that tools write to: a store of keys and values that can go back."""

from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.tools import tool


@tool
def put(key: str, value: str) -> str:
    """Write a value."""
    raise AssertionError("the store does this itself")


@tool
def get(key: str) -> str:
    """Read a value."""
    raise AssertionError("the store does this itself")


put.metadata = {"side_effects": True}


class Store:
    """An environment; `made` counts how often one was needed."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.values: dict[str, str] = {}

    def snapshot(self) -> dict[str, str]:
        return self.values

    def restore(self, snapshot: dict[str, str]) -> None:
        self.values = snapshot

    def step(self, action: ToolCall) -> Any:
        args = action["args"]
        if action["name"] == "put":
            self.values[args["key"]] = args["value"]
            return "written"
        if action["name"] == "get":
            return self.values.get(args["key"], "nothing is there")
        return NotImplemented


class AsyncStore(Store):
    """The same, asynchronous."""

    async def step(self, action: ToolCall) -> Any:
        return Store.step(self, action)
