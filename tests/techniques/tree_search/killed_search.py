"""Searches and such that a test kills: one completion a request, SQLite, strict msgpack."""

import asyncio
import os
import sys
import uuid

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tscale_graph import Budget, ab_mcts, aggregate_recursively, beam_search, lats, refine
from tscale_graph.techniques.restarts import LOST


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request."""


def look() -> str:
    """Look around; it is never the same."""
    return uuid.uuid4().hex


def by_length(question, answer):
    return (len(answer) % 9) / 10


def technique(name, model):
    match name:
        case "ab_mcts":
            return ab_mcts(model, by_length, max_nodes=12, batch=3, answer="text", seed=1)
        case "beam_search":
            return beam_search(
                model, by_length, beams=1, width=3, max_steps=4, max_nodes=12, answer="text"
            )
        case "refine":
            return refine(model, by_length, chains=3, max_revisions=3, answer="text")
        case "aggregate_recursively":
            return aggregate_recursively(model, population=3, generations=4, answer="text")
        case _:
            return lats(model, value=by_length, tools=[look], width=3, max_nodes=12, answer="text")


async def main(name: str, url: str, database: str) -> None:
    graph = technique(name, OneByOne(model="fake", base_url=url, api_key="none"))
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        compiled = graph.compile(checkpointer=saver)
        thread = {"configurable": {"thread_id": "one"}}
        began = (await compiled.aget_state(thread)).next
        asked = {"messages": [("user", "How many?")], "budget": Budget(calls=40, seconds=60)}
        # "sync": a round is saved before the next one starts.
        out = await compiled.ainvoke(None if began else asked, thread, durability="sync")
    result = out["result"]
    if result.tree is None:
        lost, nodes = sum(c.error == LOST for c in result.candidates), len(result.candidates)
    else:
        lost = sum("lost" in node.note for node in result.tree.nodes)
        nodes = len(result.tree.nodes) - 1
    print(result.usage.calls, nodes, lost, result.usage.seconds, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
