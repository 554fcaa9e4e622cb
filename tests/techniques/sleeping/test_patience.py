"""When a context is left alone, for a while or until somebody asks."""

import asyncio

from tests.reader import Reader, written
from tests.scripted import Call, ScriptedFailure
from tests.techniques.sleeping.asleep import MENU, PLENTY, asked, asleep, kept
from tscale_graph import Budget, Idle, self_consistency, wake


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
