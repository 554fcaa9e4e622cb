"""An agent with tools that plans by a vote, and can ask for deeper thought, under one budget.

    python examples/agent_with_tools.py openai:gpt-5-mini "What do 3 apples and 2 pears cost?"

The agent is LangChain's own. Its first call, in which it picks a tool, is answered by the vote of
several samples, and what they agreed on is done once; the calls after that are plain ones. It may
hand a question over to `deliberate`, which thinks about it at length. The budget is that of the
whole run, whoever spends it. Any chat model that calls tools will do.
"""

from __future__ import annotations

import sys
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.tools import tool

from tscale_graph import Budget, ScalingMiddleware, self_consistency
from tscale_graph.agents import AgentRun

PENCE = {"apple": 30, "pear": 45, "melon": 210}
BUDGET = Budget(calls=24, tokens=60_000, seconds=120)


@tool
def price_of(fruit: str) -> str:
    """What one fruit costs, such as an apple."""
    pence = PENCE.get(fruit.lower().removesuffix("s"))
    return f"there are no {fruit}" if pence is None else f"{pence} pence"


def is_first(request: Any) -> bool:
    """Whether no tool has answered yet: a wrong turn here is the dearest."""
    return request.messages[-1].type == "human"


def shop_agent(model: Any) -> Any:
    """The agent: three lines are ours."""
    votes = self_consistency(model, max_samples=5)
    scaling = ScalingMiddleware(votes, when=is_first, deliberate=votes, on_exceeded="return")
    return create_agent(model, [price_of], middleware=[scaling])


def bill(run: AgentRun) -> str:
    """Who spent what, a line each."""
    lines = [
        f"{call.kind:<11}{call.usage.calls:>3} calls {call.usage.tokens:>7,} tokens"
        for call in run.calls.values()
    ]
    whole = f"{'together':<11}{run.usage.calls:>3} calls {run.usage.tokens:>7,} tokens"
    return "\n".join([*lines, whole])


def main(model: str | Any, question: str = "What do 3 apples and 2 pears cost?") -> None:
    """Ask, and print the answer and the bill."""
    agent = shop_agent(init_chat_model(model) if isinstance(model, str) else model)
    out = agent.invoke({"messages": [("user", question)], "budget": BUDGET})
    print(out["messages"][-1].text)
    print(bill(out["scaling"]))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("which model? for example: python examples/agent_with_tools.py openai:gpt-5-mini")
    main(*sys.argv[1:3])
