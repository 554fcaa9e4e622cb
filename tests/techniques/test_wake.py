"""Waking up: what was prepared for exactly this context, or all of it; never what is stale."""

import asyncio
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, facts, written
from tests.scripted import Scripted
from tscale_graph import (
    Budget,
    BudgetExceeded,
    Idle,
    Policy,
    SamplingError,
    extended_thinking,
    router,
    self_consistency,
    sleep_time,
    wake,
)
from tscale_graph.sleep_store import SleepStore
from tscale_graph.sleeping.matching import Pair
from tscale_graph.techniques.waking.matching import (
    EmbeddingMatcher,
    Found,
    JudgeMatcher,
    LexicalMatcher,
)
from tscale_graph.verifiers.judges import equivalent

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


async def test_an_anticipated_question_is_answered_at_once():
    graph, model = awake(await slept())
    out = await graph.ainvoke(asked("Hi, could you tell me how much is tea, please?"))
    result = out["result"]
    assert (result.answer, result.status, result.technique) == ("2", "complete", "wake")
    assert (result.usage.calls, result.usage.tokens, model.calls) == (0, 0, [])
    assert out["messages"][-1].text == "The answer is 2"
    assert "anticipated as 'How much is tea?' (similarity 1.00)" in result.notes
    assert any(note.startswith("saved at least about") for note in result.notes)


async def test_any_other_is_asked_of_the_dense_context():
    menu = {"context": written({name: n for n, name in enumerate(["tea", "cake", *"abcdef"], 2)})}
    graph, model = awake(await slept(**menu))
    out = await graph.ainvoke(asked("What is the price of cake?", **menu))
    assert out["result"].answer == "3"
    assert "the dense context stood in for 1 of 1 documents" in out["result"].notes[0]
    plain, other = awake(InMemoryStore())
    await plain.ainvoke(asked("What is the price of cake?", **menu))
    assert model.calls[0].prompt_tokens < other.calls[0].prompt_tokens


async def test_without_anything_prepared_the_whole_context_is_read():
    graph, _ = awake(InMemoryStore())
    result = (await graph.ainvoke(asked()))["result"]
    assert result.answer == "2"
    assert result.notes[0] == "nothing was prepared for this context"


def test_it_runs_under_invoke():
    graph, _ = awake(asyncio.run(slept()))
    assert graph.invoke(asked())["result"].technique == "wake"
    assert graph.invoke(asked("What is the price of cake?"))["result"].answer == "3"


async def test_the_messages_of_a_thread_do_not_fill_with_contexts():
    graph, _ = awake(await slept())
    for question in ("How much is tea?", "What is the price of cake?"):
        out = await graph.ainvoke(asked(question))
        assert [message.type for message in out["messages"]] == ["human", "ai"]


@pytest.mark.parametrize(
    "before",
    [
        [("user", "Let us talk of 2027."), ("assistant", "Gladly.")],
        [("system", "All prices have doubled.")],
    ],
)
async def test_a_question_that_does_not_stand_alone_is_not_answered_from_before(before):
    graph, model = awake(await slept())
    given_messages = [*before, ("user", "How much is tea?")]
    result = (await graph.ainvoke({**asked(), "messages": given_messages}))["result"]
    assert result.technique == "self_consistency"
    assert "what was said before may change the question" in result.notes
    assert model.calls


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


async def test_comparing_questions_leaves_something_for_the_answer():
    judge = JudgeMatcher(equivalent(Scripted(answers=["Hm. " * 900])))
    graph, model = awake(await slept(), matcher=judge)
    budget = Budget(tokens=1200, calls=4)
    result = (await graph.ainvoke(asked("How much is the cake?", budget=budget)))["result"]
    assert result.answer == "3"
    assert any(note.startswith("not compared") for note in result.notes)
    assert model.calls


async def test_a_wrong_dense_context_is_not_read():
    class Forgets(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith("Rewrite") else said

    graph, _ = awake(await slept(model=Forgets()))
    result = (await graph.ainvoke(asked("What is the price of cake?")))["result"]
    assert result.answer == "3"
    assert "not anticipated: answered from the whole context" in result.notes


async def test_what_the_dense_context_does_not_say_is_asked_of_the_whole():
    class Shortens(Reader):
        """Keeps what its own questions are about, and leaves the rest out."""

        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea costs 2." if told.startswith("Rewrite") else said

    model = Shortens(questions=["How much is tea?"])
    graph, model = awake(await slept(model=model), Shortens())
    result = (await graph.ainvoke(asked("What is the price of cake?")))["result"]
    assert result.answer == "3"
    assert "the dense context did not say it: asked of the whole context" in result.notes
    assert result.usage.tokens == sum(call.billed for call in model.calls)
    served = (await graph.ainvoke(asked("What is the price of tea?")))["result"]
    assert served.answer == "2"
    assert not any("did not say it" in note for note in served.notes)


async def test_votes_that_it_is_not_there_win_where_no_answer_has_more():
    """Two of three samples do not find it; the third makes something up."""

    class MakesUp(Reader):
        def say(self, shown, told):
            if "shortened" not in shown or told.startswith(("Which", "Rewrite")):
                return super().say(shown, told)
            asleep = told == "How much is tea?"
            made_up = asleep or len(self.calls) % 3 == 2
            return "The answer is 2" if made_up else "not in the text"

    store = await slept(model=MakesUp(questions=["How much is tea?"]))
    graph, _ = awake(store, MakesUp())
    result = (await graph.ainvoke(asked("What is the price of cake?")))["result"]
    assert result.answer == "3"
    assert "the dense context did not say it: asked of the whole context" in result.notes


async def test_a_provider_that_fails_on_the_dense_context_is_not_asked_for_more():
    store = await slept()
    graph, model = awake(store, Reader(fail=1.0))
    with pytest.raises(SamplingError, match="the scripted failure") as caught:
        await graph.ainvoke(asked("What is the price of cake?"))
    assert caught.value.usage.calls == len(model.calls)
    small, other = awake(store)
    with pytest.raises(BudgetExceeded) as exceeded:
        await small.ainvoke(asked("What is the price of cake?", budget=Budget(tokens=30)))
    assert (exceeded.value.limit, other.calls) == ("tokens", [])


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


async def test_a_model_without_a_price_is_refused_before_anything_is_asked():
    judge = JudgeMatcher(equivalent(Scripted()))
    priced = Reader(metadata={"usd_per_million_tokens": {"input": 1.0, "output": 4.0}})
    store, dollars = await slept(), Budget(usd=1.0)
    for model, matcher in ((Reader(), "lexical"), (priced, judge)):
        graph, _ = awake(store, model, matcher=matcher)
        with pytest.raises(ValueError, match="price"):
            await graph.ainvoke(asked("What is the price of cake?", budget=dollars))
        assert model.calls == judge.judge.asker.endpoint.model.calls == []
    graph, _ = awake(store, priced)
    assert (await graph.ainvoke(asked("Which price has cake?", budget=dollars)))["result"].usage.usd


async def test_what_it_takes_at_most_holds_the_context_a_second_ask_and_the_judge():
    judge = JudgeMatcher(equivalent(Scripted(answers=['{"same": false}'])), shown=2)
    inner = self_consistency(Reader(), max_samples=3, max_output_tokens=64)
    graph = wake(inner, context=MENU, matcher=judge)
    most, bare = graph.technique.at_most(100), inner.technique.at_most(100)
    assert most.calls == 2 * bare.calls + 2
    assert most.tokens > 2 * bare.tokens + 6 * len(MENU) // 4
    assert graph.technique.at_least(100).tokens > inner.technique.at_least(100).tokens
    only_whole = wake(inner, context=MENU, faithful=None).technique.at_most(100)
    assert only_whole.calls == bare.calls


async def test_what_a_dense_context_saves_is_what_its_prompts_are_shorter_by():
    things = ["tea", "cake", *(f"wine{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    menu = written({name: n for n, name in enumerate(things, 2)})
    graph, model = awake(await slept(menu))
    result = (await graph.ainvoke(asked("What is the price of cake?", context=menu)))["result"]
    plain, other = awake(InMemoryStore())
    await plain.ainvoke(asked("What is the price of cake?", context=menu))
    told = int(result.notes[-1].split()[-2])
    per_call = other.calls[0].prompt_tokens - model.calls[0].prompt_tokens
    assert told == pytest.approx(per_call * len(model.calls), rel=0.1)


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


@pytest.mark.parametrize("place", [7, -1, "0", 0.5])
async def test_a_matcher_that_names_no_question_costs_a_note(place):
    class Wrong:
        async def find(self, question, anticipated, *, lease, deadline):
            return Found(place=place)

    graph, _ = awake(await slept(), matcher=Wrong())
    result = (await graph.ainvoke(asked()))["result"]
    assert (result.answer, result.technique) == ("2", "self_consistency")
    assert any(
        note.startswith(f"the matcher named question {place!r} of 2") for note in result.notes
    )


async def test_what_was_found_does_not_stay_in_the_state():
    saver = InMemorySaver()
    graph = wake(self_consistency(Reader())).compile(store=await slept(), checkpointer=saver)
    for question in ("How much is tea?", "What is the price of cake?"):
        config = {"configurable": {"thread_id": question}}
        await graph.ainvoke(asked(question), config)
        assert (await graph.aget_state(config)).values["recalled"] is None


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


async def test_it_stands_in_front_of_the_router_and_in_the_place_of_a_model():
    store, model = await slept(), Reader()
    graph = wake(router(Policy.default(), model=model)).compile(store=store)
    result = (await graph.ainvoke(asked("What is the price of cake?")))["result"]
    assert result.answer == "3"
    assert any(note.startswith("class ") for note in result.notes)
    inside = self_consistency(wake(extended_thinking(model), context=MENU), max_samples=2)
    out = await inside.compile(store=store).ainvoke(
        {"messages": [("user", "How much is tea?")], "budget": PLENTY}
    )
    assert out["result"].answer == "2"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"shown": 0}, "shown must be at least 1, got 0"),
        ({"least": 2}, "least must be from 0 to 1"),
    ],
)
def test_a_matcher_by_a_model_is_told_what_makes_sense(arguments, told):
    with pytest.raises(ValueError, match=told):
        JudgeMatcher(equivalent(Scripted()), **arguments)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 900), st.none() | st.integers(1, 4), st.integers(0, 2**16))
async def test_the_budget_of_the_request_is_never_exceeded(tokens, calls, seed):
    store = await slept()
    model = Reader(draws=random.Random(seed))
    judge = JudgeMatcher(equivalent(Scripted(answers=['{"same": false}'])))
    graph, _ = awake(store, model, matcher=judge)
    budget = Budget(tokens=tokens, calls=calls)
    try:
        out = await graph.ainvoke(asked("What is the price of cake?", budget=budget))
        usage = out["result"].usage
    except BudgetExceeded as error:
        usage = error.usage
    assert budget.exceeded_by(usage) is None
    assert sum(call.billed for call in model.calls) <= tokens


async def test_what_fails_says_so_and_what_it_cost():
    graph, _ = awake(InMemoryStore(), Reader(fail=1.0))
    with pytest.raises(SamplingError, match="the scripted failure"):
        await graph.ainvoke(asked())


async def test_who_works_ahead_gives_way_while_it_answers():
    idle, seen = Idle(linger=0), []

    class Watches(Reader):
        def say(self, shown, told):
            seen.append(idle.free)
            return super().say(shown, told)

    graph, _ = awake(InMemoryStore(), Watches(), idle=idle)
    await graph.ainvoke(asked())
    assert seen
    assert not any(seen)
    assert idle.free


class Letters(Embeddings):
    """Counts of letters: enough for texts that differ by little."""

    def embed_documents(self, texts):
        return [[float(text.lower().count(letter)) for letter in "aeioumtckp"] for text in texts]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


async def test_a_matcher_by_embeddings_takes_what_is_near_enough():
    store = await slept()
    near, _ = awake(store, matcher=EmbeddingMatcher(Letters(), 0.9))
    assert (await near.ainvoke(asked("How much is the tea?")))["result"].technique == "wake"
    far, _ = awake(store, matcher=EmbeddingMatcher(Letters(), 0.9999))
    assert (await far.ainvoke(asked("How much is the tea?")))["result"].technique != "wake"


async def test_embeddings_do_not_take_other_numbers_for_the_same():
    matcher = EmbeddingMatcher(Letters(), 0.5)
    found = await matcher.find(
        "What do 3 teas cost?", ["What do 2 teas cost?", "Is it open?"], lease=None, deadline=None
    )
    assert found.place == 1 or found.place is None
    alone = await matcher.find("What do 3 teas?", ["What do 2 teas?"], lease=None, deadline=None)
    assert (alone.place, alone.similarity) == (None, 0)


def test_thresholds_are_learnt_from_pairs():
    pairs = [Pair("How much is the tea?", "How much is tea?", True)] * 150
    pairs += [Pair("How much is tea?", "Is tea served with milk?", False)] * 20
    for matcher in (LexicalMatcher.learnt(pairs), EmbeddingMatcher.learnt(Letters(), pairs)):
        assert 0.5 < matcher.threshold < 1
    assert LexicalMatcher.learnt(pairs[150:]).threshold == math.inf


async def test_a_matcher_that_fails_costs_a_note_and_not_the_answer():
    class Fails:
        async def find(self, question, anticipated, *, lease, deadline):
            raise ConnectionError("no embeddings today")

    graph, _ = awake(await slept(), matcher=Fails())
    result = (await graph.ainvoke(asked()))["result"]
    assert result.answer == "2"
    assert "the matcher failed: ConnectionError: no embeddings today" in result.notes


async def test_a_matcher_by_a_model_is_paid_for_by_the_request():
    store = await slept()
    says = Scripted(answers=['{"reason": "the same", "same": true}'])
    graph, model = awake(store, matcher=JudgeMatcher(equivalent(says)))
    result = (await graph.ainvoke(asked("How much is the tea?")))["result"]
    assert (result.technique, result.answer) == ("wake", "2")
    assert result.usage.calls == len(says.calls) == 1
    assert model.calls == []


@pytest.mark.parametrize("threshold", [0, -1, math.nan])
def test_a_threshold_is_above_0(threshold):
    with pytest.raises(ValueError, match="threshold must be above 0"):
        LexicalMatcher(threshold)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"matcher": "vectors"}, 'matcher must be "lexical" or have find, got'),
        ({"matcher": 3}, 'matcher must be "lexical" or have find, got 3'),
        ({"faithful": 2}, "faithful must be from 0 to 1, or None, got 2"),
        ({"context": " "}, "context must hold some text"),
        ({"days": -1}, "days must be above 0 and finite, got -1"),
        ({"name": 3, "context": "Tea."}, "name must be a text, got 3"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told):
        wake(self_consistency(Reader()), **arguments)


async def test_what_is_missing_is_said_before_any_call():
    graph, model = awake(InMemoryStore())
    with pytest.raises(ValueError, match="no context: put one into the input"):
        await graph.ainvoke({"messages": [("user", "Hi")], "budget": PLENTY})
    with pytest.raises(ValueError, match='"messages" is empty'):
        await graph.ainvoke({**asked(), "messages": []})
    with pytest.raises(ValueError, match="no store: compile the graph with store="):
        await wake(self_consistency(model)).compile().ainvoke(asked())
    with pytest.raises(ValueError, match="technique must be a technique's graph"):
        wake(model)
    assert model.calls == []
