"""Of what lies in a store: never what is stale or of others, and no answer is lost for it."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, facts, written
from tests.techniques.waking.awake import asked, awake, slept
from tscale_graph import Budget, sleep_time

THINGS = ("tea", "cake", "wine")
EDITS = st.tuples(
    st.just("edit"),
    st.sampled_from(["menu", "bar"]),
    st.dictionaries(st.sampled_from(THINGS), st.integers(1, 9)),
)
SLEEPS = st.tuples(
    st.just("sleep"), st.sampled_from(["acme", "ACME"]), st.sampled_from([100, 1_500, 60_000])
)
ASKS = st.tuples(st.just("ask"), st.sampled_from(["acme", "ACME"]), st.sampled_from(THINGS))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(EDITS | SLEEPS | ASKS, min_size=3, max_size=14), st.sampled_from(["", "cafe"]))
async def test_a_stale_answer_is_never_served(steps, name):
    """A context is edited at random between sleep and wake; the truth is what it says now."""
    store, model = InMemoryStore(), Reader()
    sleeper = sleep_time(model, samples=3, max_output_tokens=64, patience=99).compile(store=store)
    graph, _ = awake(store, model)
    documents = {"menu": {"tea": 2, "cake": 3}, "bar": {"wine": 7}}
    first = [("sleep", "acme", 60_000)]
    for step in [*first, *steps, *(("ask", "acme", thing) for thing in THINGS)]:
        context = {document: written(costs) for document, costs in documents.items() if costs}
        if step[0] == "edit":
            _, document, costs = step
            documents = {**documents, document: costs}
        elif context and step[0] == "sleep":
            given_by = {"context": context, "name": name, "owner": step[1]}
            await sleeper.ainvoke({**given_by, "budget": Budget(tokens=step[2])})
        elif context:
            given_by = {"context": context, "name": name, "owner": step[1]}
            out = await graph.ainvoke({**asked(f"How much is {step[2]}?"), **given_by})
            known = facts("\n".join(context.values()))
            truth = str(known[step[2]]) if step[2] in known else None
            assert out["result"].answer == truth, out["result"].notes


async def test_one_tenants_entries_are_never_served_to_another():
    store = await slept(owner="acme")
    graph, model = awake(store)
    result = (await graph.ainvoke(asked(owner="acme.")))["result"]
    assert result.notes[0] == "nothing was prepared for this context"
    assert model.calls
    served = (await graph.ainvoke(asked(owner=["acme"])))["result"]
    assert served.technique == "wake"


async def test_no_input_names_another_owner_than_the_graph_was_built_for():
    graph, model = awake(await slept(owner="acme"), owner="mine")
    with pytest.raises(ValueError, match="owner was fixed when the graph was built"):
        await graph.ainvoke(asked(owner="acme"))
    assert (await graph.ainvoke(asked()))["result"].notes[0].startswith("nothing was prepared")
    assert model.calls


class Slow(InMemoryStore):
    """A store that does not answer."""

    async def abatch(self, ops):
        await asyncio.sleep(60)


async def test_a_store_that_does_not_answer_costs_a_part_of_the_time_and_a_note():
    graph, _ = awake(Slow())
    budget = Budget(tokens=60_000, seconds=1.0)
    result = (await graph.ainvoke(asked(budget=budget)))["result"]
    assert result.answer == "2"
    assert (
        "could not be read: TimeoutError: the store had not answered after 0.5 s"
        in (result.notes[0])
    )
    assert "not put down in the books: TimeoutError" in result.notes[-1]
    assert result.usage.seconds <= 1.0


class Broken(InMemoryStore):
    """A store that has gone away."""

    async def abatch(self, ops):
        raise ConnectionError("the store is gone")


async def test_a_store_that_fails_costs_a_note_and_not_the_answer():
    graph, _ = awake(Broken())
    result = (await graph.ainvoke(asked()))["result"]
    assert result.answer == "2"
    assert "could not be read: ConnectionError: the store is gone" in result.notes[0]
    assert "not put down in the books: ConnectionError: the store is gone" in result.notes[-1]
