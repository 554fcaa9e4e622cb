"""Runs that stop before every node and are read back from SQLite, with strict msgpack."""

import asyncio
import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.scripted import Scripted
from tests.techniques.test_clustering import PARIS, same_city
from tests.techniques.thoughtful import thoughtful
from tests.verifiers.judges.readers import reader
from tscale_graph import (
    Budget,
    aggregate_recursively,
    best_of_n,
    cascade,
    extended_thinking,
    self_consistency,
)
from tscale_graph.verifiers.judges import judge, pairwise_judge
from tscale_graph.verifiers.meaning import semantic

ANSWERS = ("The answer is 3", "The answer is 2", "The answer is 3")


def techniques():
    def numbers():
        return Scripted(answers=ANSWERS)  # a new ledger for each

    return {
        "race": self_consistency(numbers(), speculate=3, max_samples=6, stop="dirichlet"),
        "judged race": best_of_n(numbers(), judge(reader('{"score": 4}')), speculate=3, n=6),
        "clusters": self_consistency(
            Scripted(answers=PARIS), answer=semantic(model=reader(same_city)), max_samples=6
        ),
        "closing calls": best_of_n(numbers(), pairwise_judge(reader('{"winner": "tie"}')), n=6),
        "first to finish": self_consistency(numbers(), stop="first_to_finish:3", max_samples=6),
        "aggregation": aggregate_recursively(numbers(), population=3, generations=3),
        "ladder": cascade([numbers(), Scripted()], verifier=lambda question, answer: answer == "4"),
        "thinking": extended_thinking(thoughtful("So.", "So."), min_thinking_tokens=2),
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
        spent = out["result"].usage.calls
        print(name, "|", out["result"].answer, "|", spent, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
