"""A menu to work ahead on, graphs that do, and what they leave in their store."""

from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tscale_graph import Budget, sleep_time
from tscale_graph.sleep_store import SleepStore
from tscale_graph.sleeping.contexts import StandingContext

MENU = {"tea": 2, "cake": 3}
PLENTY = Budget(tokens=60_000)


def asked(context=None, *, budget=PLENTY, **more):
    return {"context": context or written(MENU), "name": "cafe", "budget": budget, **more}


def asleep(model=None, store=None, **more):
    store = store or InMemoryStore()
    return sleep_time(model or Reader(), **more).compile(store=store), store


async def kept(store, context=None, owner=()):
    return await SleepStore(store, owner).prepared(StandingContext.of(context or written(MENU)))
