"""Requests for a menu, what was prepared for it, and graphs that wake up to them."""

from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tscale_graph import Budget, self_consistency, sleep_time, wake

MENU = written({"tea": 2, "cake": 3})
PLENTY = Budget(tokens=60_000)


def asked(question="How much is tea?", **more):
    return {"messages": [("user", question)], "budget": PLENTY, "context": MENU, **more}


async def slept(context=MENU, *, model=None, store=None, **more):
    store = store or InMemoryStore()
    graph = sleep_time(model or Reader(), samples=3).compile(store=store)
    await graph.ainvoke({"context": context, "budget": PLENTY, **more})
    return store


def awake(store, model=None, **more):
    model = model or Reader()
    return wake(self_consistency(model, max_samples=3), **more).compile(store=store), model
