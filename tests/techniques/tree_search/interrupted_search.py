"""Searches that stop before every node and are read back from SQLite, with strict msgpack."""

import asyncio
import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.techniques.key_value_store import Store, get, put
from tests.techniques.searching import acts, told
from tests.verifiers.judges.readers import reader
from tscale_graph import Budget, Verdict, ab_mcts, beam_search, lats, refine
from tscale_graph.verifiers.judges import judge


def numbered(prompt, number):
    return f"The answer is {number}"


def until_3(question, answer):
    return Verdict(score=0.5, passed="3" in answer, feedback="no")


def steps(prompt, number):
    return f"Step {number}" if number < 4 else "The answer is 3"


def agent(prompt, number):
    if "This attempt has failed" in prompt[-1].text:
        return "Be careful."
    if prompt[-1].type == "tool":
        return f"The answer is {number % 4}"
    return acts("put", key="n", value=str(number))


def techniques():
    return {
        "ab_mcts": ab_mcts([told(numbered), told(numbered)], until_3, batch=2, answer="number"),
        "judged": ab_mcts(
            told(numbered), judge(reader('{"score": 4}')), max_nodes=4, answer="number"
        ),
        "beam_search": beam_search(told(steps), until_3, beams=1, width=2, answer="number"),
        "lats": lats(
            told(agent),
            value=until_3,
            tools=[put, get],
            environment=Store,
            width=2,
            max_nodes=12,
            answer="number",
        ),
        "refine": refine(told(numbered), until_3, chains=2, answer="number"),
        "critic": refine(told(numbered), max_revisions=2, answer="number"),
    }


async def main() -> None:
    for name, technique in techniques().items():
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            graph = technique.compile(checkpointer=saver, interrupt_before="*")
            thread = {"configurable": {"thread_id": "one"}}
            asked = {"messages": [("user", "How many?")], "budget": Budget(tokens=100_000)}
            out = await graph.ainvoke(asked, thread)
            while "result" not in out:
                out = await graph.ainvoke(None, thread)
        result = out["result"]
        whole = type(result.tree).__name__, len(result.tree.nodes) > 1
        print(name, "|", result.answer is not None, "|", *whole, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
