"""Which questions are answered ahead, and which first."""

import pytest
from langgraph.store.base import PutOp
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.techniques.sleeping.asleep import MENU, PLENTY, asked, asleep, kept
from tscale_graph import Budget, self_consistency, wake
from tscale_graph.sleep_store import SleepStore


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
