"""Working ahead: what is missing first, kept at once and whole, better with each run."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.techniques.sleeping.asleep import MENU, PLENTY, asked, asleep, kept
from tscale_graph import extended_thinking, sleep_time
from tscale_graph.sleep_store import SleepStore


async def test_a_context_gets_dense_and_its_questions_answers():
    graph, store = asleep()
    slept = (await graph.ainvoke(asked()))["slept"]
    assert slept.status == "complete"
    assert (slept.rewritten, slept.anticipated, slept.answered) == (1, 2, 2)
    there = await kept(store)
    assert there.dense["context"].best.text == "tea costs 2.\ncake costs 3."
    assert there.dense["context"].usable(1.0)
    assert {one.question: one.answer for one in there.page.answered} == {
        "How much is tea?": "2",
        "How much is cake?": "3",
    }


def test_it_runs_under_invoke():
    graph, store = asleep()
    assert graph.invoke(asked())["slept"].answered == 2
    assert asyncio.run(kept(store)).page is not None


async def test_each_run_goes_on_where_the_last_one_was():
    model = Reader()
    graph, store = asleep(model, questions=4)
    first = (await graph.ainvoke(asked()))["slept"]
    model.questions = ["How much is tea?", "What is the price of tea?", "What does cake cost?"]
    second = (await graph.ainvoke(asked()))["slept"]
    assert (first.answered, second.answered) == (2, 4)
    there = await kept(store)
    assert there.dense["context"].rounds == 2
    third = (await graph.ainvoke(asked()))["slept"]
    assert third.usage.calls < first.usage.calls


async def test_answers_that_samples_do_not_agree_on_are_not_kept():
    answers = [f"The answer is {n}" for n in range(7)]
    graph, store = asleep(Reader(wrong=answers))
    slept = (await graph.ainvoke(asked()))["slept"]
    assert (slept.anticipated, slept.answered) == (2, 0)
    assert (await kept(store)).page.answered == ()


async def test_a_verifier_decides_where_there_is_one():
    graph, store = asleep(verifier=lambda question, answer: answer == "3")
    await graph.ainvoke(asked())
    assert [one.answer for one in (await kept(store)).page.answered] == ["3"]


async def test_one_job_at_a_time_does_as_much_as_several():
    several, store = asleep()
    await several.ainvoke(asked())
    alone, other = asleep(max_parallel=1)
    await alone.ainvoke(asked())
    assert await kept(store) == await kept(other)


@pytest.mark.parametrize("node", ["admit", "plan", "work", "keep", "finish"])
async def test_stopped_anywhere_it_goes_on_and_pays_for_nothing_twice(node):
    straight = Reader()
    whole, _ = asleep(straight)
    expected = (await whole.ainvoke(asked()))["slept"]

    model, store = Reader(), InMemoryStore()
    graph = sleep_time(model).compile(
        store=store, checkpointer=InMemorySaver(), interrupt_before=[node]
    )
    config = {"configurable": {"thread_id": "1"}}
    out = await graph.ainvoke(asked(), config)
    while graph.get_state(config).next:
        for item in store.search((), limit=100):
            assert item.value["entry"]["format"] == 1
        out = await graph.ainvoke(None, config)
    assert len(model.calls) == len(straight.calls)
    same = ("status", "rewritten", "anticipated", "answered")
    assert [getattr(out["slept"], n) for n in same] == [getattr(expected, n) for n in same]
    [books] = await SleepStore(store).contexts()
    assert books.slept.calls == len(model.calls)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"samples": 1}, "samples must be at least 2, got 1"),
        ({"questions": 0}, "questions must be at least 1, got 0"),
        ({"support": 0}, "support must be above 0 and at most 1, got 0"),
        ({"technique": Reader()}, "technique must be a technique's graph"),
        (
            {"technique": extended_thinking(Reader())},
            "technique must say how good its answers are, and extended_thinking does not",
        ),
        ({"days": 0}, "days must be above 0 and finite, got 0"),
        ({"days": float("nan")}, "days must be above 0 and finite, got nan"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told):
        sleep_time(Reader(), **arguments)


async def test_what_is_missing_is_said_before_any_call():
    model = Reader()
    with pytest.raises(ValueError, match="no store: compile the graph with store="):
        await sleep_time(model).compile().ainvoke(asked())
    graph, _ = asleep(model)
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        await graph.ainvoke({"context": written(MENU)})
    with pytest.raises(ValueError, match="context must hold some text"):
        await graph.ainvoke({"context": " ", "budget": PLENTY})
    with pytest.raises(ValueError, match="name must be a text, got 3"):
        await graph.ainvoke(asked(name=3))
    with pytest.raises(ValueError, match="owner must be a name or a list of names"):
        await graph.ainvoke(asked(owner=3))
    assert model.calls == []
