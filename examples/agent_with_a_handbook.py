"""An agent with a standing document, worked through before anybody asks about it.

    python examples/agent_with_a_handbook.py openai:gpt-5-mini handbook.md "How many days …?"

Run it again: what was prepared is in handbook.sqlite, questions that were asked are answered first
in the next idle time, and a handbook that has changed is never answered from what was prepared of
the old one. The agent is LangChain's own; any chat model that calls tools will do.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool, tool
from langgraph.store.base import BaseStore
from langgraph.store.sqlite import AsyncSqliteStore

from tscale_graph import Budget, Idle, self_consistency, sleep_time, wake

AHEAD = Budget(tokens=200_000, seconds=600)
OF_A_QUESTION = Budget(tokens=30_000, seconds=60)


def handbook_tool(model: Any, handbook: str, *, store: BaseStore, idle: Idle) -> BaseTool:
    """A tool that answers questions on the handbook, each within its budget."""
    technique = self_consistency(model, max_samples=5)
    about = wake(technique, context=handbook, name="handbook", idle=idle, store=store).compile()

    @tool
    async def ask_handbook(question: str) -> str:
        """Ask one question, complete in itself, about the staff handbook."""
        out = await about.ainvoke({"messages": [("user", question)], "budget": OF_A_QUESTION})
        return f"{out['result'].text}\n({'; '.join(out['result'].notes)})"

    return ask_handbook


async def prepare(model: Any, handbook: str, *, store: BaseStore, idle: Idle) -> Any:
    """Work through the handbook for a while; what is missing first."""
    graph = sleep_time(model, idle=idle, store=store).compile()
    given = {"context": handbook, "name": "handbook", "budget": AHEAD}
    return (await graph.ainvoke(given))["slept"]


async def main(model: Any, handbook: str, question: str, *, where: str) -> str:
    """Prepare, then let the agent answer."""
    idle = Idle()
    async with AsyncSqliteStore.from_conn_string(where) as store:
        await store.setup()
        slept = await prepare(model, handbook, store=store, idle=idle)
        print(f"prepared: {slept.answered} questions, {slept.usage.tokens:,} tokens")
        agent = create_agent(model, [handbook_tool(model, handbook, store=store, idle=idle)])
        out = await agent.ainvoke({"messages": [("user", question)]})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: python {sys.argv[0]} openai:gpt-5-mini handbook.md QUESTION")
    name, path, asked = sys.argv[1:]
    text = Path(path).read_text(encoding="utf-8")
    print(asyncio.run(main(name, text, asked, where="handbook.sqlite")))
