"""What is put down of every question."""

from langgraph.store.memory import InMemoryStore

from tests.techniques.waking.awake import MENU, PLENTY, asked, awake, slept
from tscale_graph.sleep_store import SleepStore


async def test_words_that_do_not_stand_alone_are_not_anticipated():
    store = InMemoryStore()
    graph, _ = awake(store, context=MENU, name="cafe")
    talk = [("user", "Hello."), ("assistant", "Hello."), ("user", "And how much is cake?")]
    await graph.ainvoke({"messages": talk, "budget": PLENTY})
    assert [use.question for use in await SleepStore(store).uses("cafe")] == [""]


async def test_the_name_that_it_was_built_with_is_that_of_contexts_in_the_input():
    store = InMemoryStore()
    graph, _ = awake(store, name="cafe")
    await graph.ainvoke(asked())
    await graph.ainvoke(asked(name="bistro"))
    assert len(await SleepStore(store).uses("cafe")) == 1
    assert len(await SleepStore(store).uses("bistro")) == 1


async def test_every_question_is_in_the_books_with_what_it_saved():
    store = await slept()
    graph, model = awake(store, context=MENU, name="cafe")
    for question in ("How much is tea?", "What is the price of cake?"):
        await graph.ainvoke({"messages": [("user", question)], "budget": PLENTY})
    found, _ = await SleepStore(store).books("cafe")
    assert found.asked == {"answer": 1, "dense": 1}
    assert found.saved_tokens > 0
    assert found.awake.tokens == sum(call.billed for call in model.calls)


async def test_words_of_questions_are_kept_only_if_they_may_be():
    store = InMemoryStore()
    graph, _ = awake(store, remember=False)
    await graph.ainvoke(asked("How much is my rent of 950?"))
    assert "rent" not in str([item.value for item in store.search((), limit=10)])
