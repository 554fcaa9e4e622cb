"""A run that a test kills: one HTTP request at a time, state in SQLite, strict msgpack."""

import asyncio
import os
import sys

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tscale_graph import Budget, self_consistency


async def main(url: str, database: str) -> None:
    model = ChatOpenAI(model="fake", base_url=url, api_key="none")
    technique = self_consistency(model, max_samples=20, stop="fixed", max_parallel=3)
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        graph = technique.compile(checkpointer=saver)
        thread = {"configurable": {"thread_id": "one"}}
        began = (await graph.aget_state(thread)).next
        asked = {"messages": [("user", "How many?")], "budget": Budget(calls=20, seconds=60)}
        # "sync": a wave is saved before the next one starts.
        out = await graph.ainvoke(None if began else asked, thread, durability="sync")
    result = out["result"]
    print(result.answer, result.usage.calls, len(result.candidates), result.status, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
