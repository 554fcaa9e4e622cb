"""What other runs, earlier versions and other contexts leave in a store."""

import asyncio

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.techniques.sleeping.asleep import MENU, PLENTY, asked, asleep, kept
from tscale_graph import self_consistency, sleep_time, wake
from tscale_graph.sleep_store import SleepStore


async def test_two_runs_at_a_time_lose_nothing_of_each_other():
    store, models = InMemoryStore(), [Reader(delay=0.01), Reader(delay=0.013)]
    models[1].questions = ["What is the price of tea?", "What does cake cost?"]
    runs = [asleep(model, store, max_parallel=1)[0].ainvoke(asked()) for model in models]
    await asyncio.gather(*runs)
    there = await kept(store)
    assert len(there.page.answered) == 4
    [books] = await SleepStore(store).contexts()
    assert books.slept.calls == sum(len(model.calls) for model in models)


async def test_a_run_on_an_earlier_version_that_ends_late_leaves_nothing_that_nobody_knows_of():
    store, saver = InMemoryStore(), InMemorySaver()
    graph = sleep_time(Reader()).compile(
        store=store, checkpointer=saver, interrupt_before=["finish"]
    )
    config = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke(asked(), config)
    later, _ = asleep(store=store)
    await later.ainvoke(asked(written({"tea": 9})))
    await graph.ainvoke(None, config)
    await later.ainvoke(asked(written({"tea": 9})))
    assert unknown(store, await SleepStore(store).contexts()) == set()
    assert (await kept(store)).page is None


def unknown(store, books):
    """Pages and dense documents that lie in a store and in nobody's books."""
    there = {item.key for item in store.search((), limit=500) if item.namespace[2] != "books"}
    return there - {key for one in books for key in one.keys}


async def test_only_so_many_contexts_are_kept_and_those_that_saved_most():
    model = Reader()
    graph, store = asleep(model, contexts=2)
    contexts = {name: written({name: 5}) for name in ("tea", "cake", "wine")}
    for name in ("tea", "cake"):
        await graph.ainvoke(asked(contexts[name], name=name))
    woken = wake(self_consistency(model)).compile(store=store)
    question = {"messages": [("user", "How much is tea?")], "budget": PLENTY}
    await woken.ainvoke({**question, "context": contexts["tea"], "name": "tea"})
    await graph.ainvoke(asked(contexts["wine"], name="wine"))
    assert {one.name for one in await SleepStore(store).contexts()} == {"tea", "wine"}
    assert (await kept(store, contexts["cake"])).page is None
    assert (await kept(store, contexts["tea"])).page is not None


async def test_an_earlier_version_leaves_nothing_behind():
    graph, store = asleep()
    documents = {"menu": written(MENU), "bar": written({"wine": 7})}
    await graph.ainvoke(asked(documents))
    before = await kept(store, documents)
    await graph.ainvoke(asked({**documents, "menu": written({"tea": 9})}))
    assert before.page is not None
    there = await kept(store, documents)
    assert there.page is None
    assert set(there.dense) == {"bar"}
