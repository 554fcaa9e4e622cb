"""What is asked of the dense context, and when it is asked of the whole one after all."""

import pytest
from langgraph.store.memory import InMemoryStore

from tests.reader import Reader, written
from tests.techniques.waking.awake import asked, awake, slept
from tscale_graph import Budget, BudgetExceeded, SamplingError


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
