"""A labelling run that a test kills: state in SQLite, strict msgpack."""

import asyncio
import os
import sys

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tscale_graph import Budget
from tscale_graph.techniques.labelling.graph import label_steps


async def main(url: str, database: str) -> None:
    model = ChatOpenAI(model="fake", base_url=url, api_key="none")
    labelling = label_steps(model, steps="line", max_parallel=3, max_output_tokens=32)
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        graph = labelling.compile(checkpointer=saver)
        thread = {"configurable": {"thread_id": "one"}}
        began = (await graph.aget_state(thread)).next
        asked = {
            "messages": [("user", "How many?")],
            "budget": Budget(calls=60, seconds=100),
            "gold": "3",
        }
        out = await graph.ainvoke(None if began else asked, thread, durability="sync")
    labels = out["labels"]
    print(labels["status"], labels["usage"]["calls"], len(labels["samples"]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
