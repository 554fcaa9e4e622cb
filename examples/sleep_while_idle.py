"""Working ahead in the idle time of an agent, and giving way at once when somebody asks.

    python examples/sleep_while_idle.py openai:gpt-5-mini

A scheduler beside the agent works through the menu of a café, a portion whenever nobody asks. The
first questions are answered from the whole menu; asked again after the agent was idle, they are
answered from what was prepared, without a call. Any chat model that can read a menu will do: the
embedded one is too small for that.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from langgraph.store.sqlite import AsyncSqliteStore

from tscale_graph import Budget, Idle, Result, self_consistency, sleep_time, wake
from tscale_graph.techniques.sleeping.state import Slept

MENU = """\
The Green Cup is open from 8 to 17 on weekdays and from 10 on Saturdays. It is closed on Sundays.
A pot of tea costs 4 pounds. A slice of carrot cake costs 3 pounds. A toasted sandwich costs 7.
There are 12 tables with 4 chairs each. Ann, Bob and Carla work there. Ann owns the place.
"""
QUESTIONS = ("Who owns the place?", "When does it open on Saturdays?")
QUIET_SECONDS = 0.5
A_PORTION = Budget(tokens=8_000, seconds=60)
OF_A_REQUEST = Budget(tokens=8_000, seconds=60)


async def work_ahead(sleep: Any, context: dict[str, str], idle: Idle) -> None:
    """Work through the menu, a portion whenever nobody asks, until nothing is left to do."""
    status = ""
    while status not in ("complete", "given_up"):
        await asyncio.sleep(QUIET_SECONDS)
        if idle.free:
            slept: Slept = (await sleep.ainvoke({**context, "budget": A_PORTION}))["slept"]
            status = slept.status
            told = f"{slept.answered} of {slept.anticipated} questions answered"
            print(f"  idle: {told}, {slept.usage.tokens:,} tokens, {status}")


async def ask(agent: Any, question: str, context: dict[str, str]) -> Result:
    """Ask the agent, and print what it said and from what."""
    asked = {"messages": [("user", question)], "budget": OF_A_REQUEST, **context}
    result: Result = (await agent.ainvoke(asked))["result"]
    print(f"{question} {result.text.strip()} ({result.usage.tokens:,} tokens)")
    print(f"  {result.notes[0]}")
    return result


async def main(
    model: Any, menu: str = MENU, questions: tuple[str, ...] = QUESTIONS
) -> list[Result]:
    """Ask, be idle for a while, be asked in between, and ask again."""
    idle, context = Idle(), {"context": menu, "name": "menu", "owner": "green-cup"}
    technique = self_consistency(model, max_samples=5, answer="text")
    with tempfile.TemporaryDirectory() as folder:
        where = str(Path(folder) / "store.sqlite")
        async with AsyncSqliteStore.from_conn_string(where) as store:
            await store.setup()
            agent = wake(technique, idle=idle).compile(store=store)
            sleep = sleep_time(model, technique=technique, questions=4, idle=idle).compile(
                store=store
            )
            results = [await ask(agent, question, context) for question in questions]
            working = asyncio.create_task(work_ahead(sleep, context, idle))
            await asyncio.sleep(2 * QUIET_SECONDS)
            results.append(
                await ask(agent, "Is there anything with carrots?", context)
            )  # which it gives way to
            await working
            results += [await ask(agent, question, context) for question in questions]
    return results


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} openai:gpt-5-mini")
    asyncio.run(main(sys.argv[1]))
