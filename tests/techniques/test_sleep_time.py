"""Working ahead: what is missing first, kept at once and whole, better with each run."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import PutOp
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.scripted import Call, ScriptedFailure
from tscale_graph import (
    Budget,
    Idle,
    extended_thinking,
    self_consistency,
    sleep_time,
    wake,
)
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


async def test_a_dense_context_that_says_something_else_is_not_faithful():
    class Forgets(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith(("Rewrite", "This is a rew")) else said

    graph, store = asleep(Forgets())
    await graph.ainvoke(asked())
    dense = (await kept(store)).dense["context"]
    assert len(dense.best.tests) == 2
    assert not dense.best.faithful(0.75)


async def test_a_better_one_that_is_worse_goes_back():
    class GetsWorse(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith("This is a rew") else said

    graph, store = asleep(GetsWorse())
    for _ in range(3):
        await graph.ainvoke(asked())
        dense = (await kept(store)).dense["context"]
        assert dense.best.text == "tea costs 2.\ncake costs 3."
        assert dense.best.faithful(0.75)
        assert dense.draft is None
    assert dense.rounds == 3


async def test_numbers_from_nowhere_are_left_out_and_told():
    class Invents(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return f"{said}\nwine costs 99." if told.startswith("Rewrite") else said

    graph, store = asleep(Invents())
    slept = (await graph.ainvoke(asked()))["slept"]
    assert "99" not in (await kept(store)).dense["context"].best.text
    assert "context: a line left out, with numbers that come from nowhere" in slept.notes


async def test_what_passed_its_tests_stays_until_a_better_one_has_passed_them():
    """A run that ends between an improvement and its tests leaves what was there in its place."""

    class Untested(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "tea is nice." if told.startswith("This is a rew") else said

    graph, store = asleep(Untested())
    await graph.ainvoke(asked())
    slept = (await graph.ainvoke(asked(budget=Budget(calls=3))))["slept"]
    assert slept.status == "cut_off"
    there = (await kept(store)).dense["context"]
    assert there.draft.text == "tea is nice."
    assert there.best.text == "tea costs 2.\ncake costs 3."
    assert there.usable(1.0)


async def test_a_rewriting_that_was_cut_short_does_not_replace_a_whole_one():
    class Rambles(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            longer = f"{said}\n{'That is all there is. ' * 40}"
            return longer if told.startswith("This is a rew") else said

        def finish(self, call, text):
            said = super().finish(call, text)
            cut = call.output_tokens == call.max_tokens
            said.generations[0].message.response_metadata["finish_reason"] = (
                "length" if cut else "stop"
            )
            return said

    graph, store = asleep(Rambles(), max_output_tokens=100)
    await graph.ainvoke(asked())
    slept = (await graph.ainvoke(asked()))["slept"]
    assert "context: a rewriting was cut short, and what there is stays" in slept.notes
    dense = (await kept(store)).dense["context"]
    assert (dense.best.text, dense.draft, dense.rounds) == ("tea costs 2.\ncake costs 3.", None, 2)


class Fails(Reader):
    """Refuses what begins so, or is asked of so much."""

    refuses: tuple[str, ...] = ()
    shown: str = ""

    def say(self, shown, told):
        if told.startswith(self.refuses) and self.shown in shown:
            self.calls.append(Call(0, None))
            self.calls[-1].fate = "failed"
            raise ScriptedFailure("the scripted failure")
        return super().say(shown, told)


async def test_a_call_that_failed_is_no_wrong_answer_and_tries_nobodys_patience():
    model = Fails(refuses=("How much",), shown="You may")
    graph, store = asleep(model, tries=1, patience=1)
    for _ in range(2):
        slept = (await graph.ainvoke(asked()))["slept"]
    assert slept.answered == 0
    assert any("the scripted failure" in note for note in slept.notes)
    assert {one.tries for one in (await kept(store)).page.questions} == {0}
    model.shown = "shortened"
    await graph.ainvoke(asked())
    there = await kept(store)
    assert len(there.page.answered) == 2
    assert there.dense["context"].best.tests == {}
    model.refuses = ("This is a rew",)
    await graph.ainvoke(asked())
    there = await kept(store)
    assert there.dense["context"].best.tests == {"how much is tea": True, "how much is cake": True}


async def test_one_job_at_a_time_does_as_much_as_several():
    several, store = asleep()
    await several.ainvoke(asked())
    alone, other = asleep(max_parallel=1)
    await alone.ainvoke(asked())
    assert await kept(store) == await kept(other)


async def test_a_test_counts_for_the_documents_that_the_question_is_about():
    documents = {"menu": written(MENU), "bar": written({"wine": 7, "beer": 4})}

    class Forgets(Reader):
        def say(self, shown, told):
            said = super().say(shown, told)
            return "wine is red." if told.startswith("Rewrite") and "wine" in said else said

    graph, store = asleep(Forgets())
    await graph.ainvoke(asked(documents))
    dense = (await kept(store, documents)).dense
    assert dense["menu"].usable(1.0)
    assert set(dense["menu"].best.tests) == {"how much is tea", "how much is cake"}
    assert not dense["bar"].usable(0.5)


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


async def test_questions_outlast_a_run_that_ends_as_soon_as_it_has_counted_them():
    class Dies(InMemoryStore):
        dying = True

        async def abatch(self, ops):
            operations = list(ops)
            if self.dying and any(isinstance(op, PutOp) and op.value is None for op in operations):
                raise ConnectionError("killed before it deletes anything")
            return await super().abatch(operations)

    store = Dies()
    woken = wake(self_consistency(Reader()), context=written(MENU), name="cafe")
    question = {"messages": [("user", "What does cake cost?")], "budget": PLENTY}
    await woken.compile(store=store).ainvoke(question)
    graph, _ = asleep(store=store)
    with pytest.raises(ConnectionError):
        await graph.ainvoke(asked())
    store.dying = False
    await graph.ainvoke(asked())
    assert {one.question for one in (await kept(store)).page.questions if one.asked} == {
        "What does cake cost?"
    }
    [books] = await SleepStore(store).contexts()
    assert books.questions == 1


async def test_lines_that_were_lost_are_worked_out_again_in_the_same_run():
    class Slips(Reader):
        """Its first rewriting has a wrong number, and its later ones only what was lost."""

        def say(self, shown, told):
            if told.startswith("Rewrite"):
                return "tea costs 2.\ncake costs 4."
            if told.startswith("This is a rewriting"):
                assert "tea costs 2." in told
                return "cake costs 3."
            return super().say(shown, told)

    graph, store = asleep(Slips())
    await graph.ainvoke(asked())
    dense = (await kept(store)).dense["context"]
    assert dense.best.text == "tea costs 2.\ncake costs 3."
    assert (dense.rounds, dense.best.dropped) == (2, 0)


async def test_questions_that_people_asked_are_answered_before_others():
    store = InMemoryStore()
    model = Reader(questions=["What is the price of tea?", "What does cake cost?"])
    graph, _ = asleep(model, store, max_parallel=1, questions=2)
    woken = wake(self_consistency(model, max_samples=3)).compile(store=store)
    question = {"messages": [("user", "How much is cake?")], "budget": PLENTY}
    await woken.ainvoke({**question, "context": written(MENU), "name": "cafe"})
    await graph.ainvoke(asked(budget=Budget(calls=9)))
    first = (await kept(store)).page.questions[0]
    assert (first.question, first.asked, first.answer) == ("How much is cake?", True, "3")
    out = await woken.ainvoke({**question, "context": written(MENU), "name": "cafe"})
    assert out["result"].usage.calls == 0
    assert out["result"].answer == "3"


async def test_questions_that_are_expected_are_answered_and_keep_their_answers():
    graph, store = asleep(Reader(questions=["How much is cake?"]), questions=3)
    expected = ["What is the price of tea?", "what is the price of TEA"]
    for _ in range(2):
        await graph.ainvoke(asked(questions=expected))
        there = (await kept(store)).page
        assert {one.question: one.answer for one in there.answered} == {
            "What is the price of tea?": "2",
            "How much is cake?": "3",
        }
        assert {one.tries for one in there.questions} == {1}
    with pytest.raises(ValueError, match="questions must be a list of texts, got 3"):
        await graph.ainvoke(asked(questions=3))


async def test_what_is_expected_has_room_before_all_else_and_is_answered_after_what_was_asked():
    store = InMemoryStore()
    woken = wake(self_consistency(Reader()), context=written(MENU), name="cafe")
    for question in ("What does tea cost?", "What does cake cost?"):
        messages = [("user", question)]
        await woken.compile(store=store).ainvoke({"messages": messages, "budget": PLENTY})
    graph, _ = asleep(store=store, questions=2, max_parallel=1)
    expected = ["How much is tea?", "How much is cake?", "What is the price of tea?"]
    slept = (await graph.ainvoke(asked(questions=expected[:1])))["slept"]
    assert [one.question for one in (await kept(store)).page.questions] == [
        "What does cake cost?",
        "How much is tea?",
    ]
    assert slept.notes == []
    slept = (await graph.ainvoke(asked(questions=expected)))["slept"]
    assert slept.notes == ["1 expected questions have no room"]


async def test_a_question_that_was_not_answered_from_before_keeps_its_answer():
    graph, store = asleep()
    await graph.ainvoke(asked())
    woken = wake(self_consistency(Reader()), context=written(MENU), name="cafe")
    talk = [("user", "Hello."), ("assistant", "Hello."), ("user", "How much is tea?")]
    await woken.compile(store=store).ainvoke({"messages": talk, "budget": PLENTY})
    await graph.ainvoke(asked(budget=Budget(tokens=10)))
    tea = (await kept(store)).page.questions[0]
    assert (tea.question, tea.answer, tea.tries) == ("How much is tea?", "2", 1)


async def test_a_context_that_nobody_asks_about_is_left_alone_until_somebody_does():
    model = Reader()
    graph, store = asleep(model, patience=2, rounds=9)
    statuses = [(await graph.ainvoke(asked()))["slept"].status for _ in range(4)]
    assert statuses == ["complete", "complete", "given_up", "given_up"]
    woken = wake(self_consistency(model), context=written(MENU), name="cafe").compile(store=store)
    await woken.ainvoke({"messages": [("user", "How much is tea?")], "budget": PLENTY})
    assert (await graph.ainvoke(asked()))["slept"].status == "complete"


async def test_runs_that_do_not_come_to_their_end_try_nobodys_patience():
    graph, _ = asleep(patience=1)
    for _ in range(3):
        slept = (await graph.ainvoke(asked(budget=Budget(calls=2))))["slept"]
        assert slept.status == "cut_off"
    statuses = [(await graph.ainvoke(asked()))["slept"].status for _ in range(2)]
    assert statuses == ["complete", "given_up"]


async def test_time_that_is_up_in_the_last_job_is_told():
    graph, _ = asleep(Reader(delay=0.2), samples=2, questions=2)
    slept = (await graph.ainvoke(asked(budget=Budget(seconds=0.3))))["slept"]
    assert (slept.status, slept.cut_off_by) == ("cut_off", "seconds")


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


async def test_it_gives_way_at_once_keeps_what_it_has_and_goes_on_later():
    idle, model = Idle(linger=0), Reader(delay=0.05)
    graph, store = asleep(model, idle=idle, max_parallel=1)

    async def interrupt():
        while len(model.calls) < 4:
            await asyncio.sleep(0.01)
        with idle.asking():
            await asyncio.sleep(0.3)

    out, _ = await asyncio.gather(graph.ainvoke(asked()), interrupt())
    assert out["slept"].status == "gave_way"
    assert model.in_flight == 0
    there = await kept(store)
    assert "context" in there.dense
    done = len(model.calls)
    assert (await graph.ainvoke(asked()))["slept"].status == "complete"
    assert len((await kept(store)).page.answered) == 2
    assert done < 8


async def test_while_somebody_asks_nothing_is_begun_and_nobodys_patience_is_tried():
    idle, model = Idle(linger=0), Reader()
    graph, _ = asleep(model, idle=idle, patience=2)
    with idle.asking():
        for _ in range(3):
            assert (await graph.ainvoke(asked()))["slept"].status == "gave_way"
    assert model.calls == []
    assert (await graph.ainvoke(asked()))["slept"].status == "complete"


@settings(max_examples=40, deadline=None)
@given(
    tokens=st.none() | st.integers(1, 12_000),
    calls=st.none() | st.integers(1, 30),
    usd=st.none() | st.floats(1e-5, 0.02),
    parallel=st.integers(1, 5),
    fail=st.floats(0, 0.4),
    usage=st.sampled_from(["right", "none", "over", "under"]),
    seed=st.integers(0, 2**16),
)
async def test_the_budget_is_never_exceeded(tokens, calls, usd, parallel, fail, usage, seed):
    if tokens is None and usd is None:
        calls = calls or 3
    model = Reader(draws=random.Random(seed), fail=fail, usage=usage)
    model.metadata = {"usd_per_million_tokens": {"input": 1.0, "output": 4.0}}
    graph, _ = asleep(model, max_output_tokens=64, max_parallel=parallel)
    budget = Budget(tokens=tokens, calls=calls, usd=usd)
    slept = (await graph.ainvoke(asked(budget=budget)))["slept"]
    if usd is not None and usage != "over":
        output = sum(call.output_tokens for call in model.calls if call.fate != "failed")
        billed = sum(call.billed for call in model.calls)
        assert (billed - output + 4 * output) / 1e6 <= usd
    assert calls is None or len(model.calls) <= calls
    if tokens is not None and usage != "over":
        assert sum(call.billed for call in model.calls) <= tokens
    assert slept.usage.calls >= sum(call.fate == "completed" for call in model.calls)


async def test_a_budget_that_buys_nothing_says_so():
    graph, _ = asleep()
    slept = (await graph.ainvoke(asked(budget=Budget(tokens=10))))["slept"]
    assert (slept.status, slept.cut_off_by) == ("cut_off", "tokens")


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
