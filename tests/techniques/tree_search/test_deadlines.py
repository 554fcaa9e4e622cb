"""At the deadline what is in flight is cancelled, and the best answer so far returned."""

import asyncio
import time

import pytest

from tests.techniques.searching import Told, acts, ask, billed, told
from tests.techniques.test_hard_limits import (
    OVERRUN_SECONDS,
    at_random,
)
from tests.techniques.tree_search.searches import TECHNIQUES, a_technique, numbered
from tscale_graph import Budget, BudgetExceeded, ab_mcts, lats


class Hangs(Told):
    """Answers so many calls at once, and none after them."""

    quick: int = 3

    async def wait(self):
        if len(self.calls) > self.quick:
            await asyncio.sleep(60)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_at_the_deadline_calls_are_cancelled_and_the_best_answer_is_returned(technique):
    model = Hangs(decide=numbered)
    started = time.monotonic()
    result = await ask(
        a_technique(technique, model, lambda q, a: int(a.split()[-1]) / 10), Budget(seconds=0.5)
    )
    assert time.monotonic() - started < 0.5 + 2 * OVERRUN_SECONDS
    assert model.in_flight == 0, "nothing runs on behind the caller's back"
    assert result.answer == "2"
    if technique == "ab_mcts":
        assert (result.status, result.cut_off_by) == ("cut_off", "seconds")
        assert [call.fate for call in model.calls[3:]] == ["cancelled"] * 3
        assert result.usage.tokens > billed(model), "those are charged all they could have cost"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_at_the_deadline_without_any_answer_the_budget_is_exceeded(technique):
    model = Hangs(decide=numbered, quick=0)
    with pytest.raises(BudgetExceeded, match=r"seconds=0\.3 was used up") as caught:
        await ask(a_technique(technique, model), Budget(seconds=0.3))
    assert caught.value.limit == "seconds"
    assert caught.value.usage.calls == len(model.calls) > 0


async def test_a_slow_verifier_is_given_up_on_at_the_deadline_and_an_answer_is_returned():
    async def slow(question, answer):
        await asyncio.sleep(60)

    started = time.monotonic()
    result = await ask(a_technique("ab_mcts", told(numbered), slow), Budget(seconds=0.3))
    assert time.monotonic() - started < 0.3 + 2 * OVERRUN_SECONDS
    assert (result.status, result.cut_off_by) == ("cut_off", "seconds")
    assert result.answer is not None, "an answer that nobody could check is better than none"
    assert any("the deadline came before the verdict" in note for note in result.notes)


async def test_an_answer_that_was_scored_comes_before_one_that_could_not_be():
    checked = []

    async def slow_after_the_first(question, answer):
        checked.append(answer)
        if len(checked) > 1:
            await asyncio.sleep(60)
        return 0.1

    technique = ab_mcts(told(numbered), slow_after_the_first, answer="number", seed=1)
    result = await ask(technique, Budget(seconds=0.3))
    assert (result.answer, result.cut_off_by) == (checked[0], "seconds")


async def test_slow_tools_are_given_up_on_at_the_deadline():
    async def look(where: int) -> str:
        """Look somewhere."""
        await asyncio.sleep(60)

    model = told(lambda prompt, number: acts("look", where=number))
    started = time.monotonic()
    with pytest.raises(BudgetExceeded) as caught:
        await ask(lats(model, tools=[look], value=at_random, width=2), Budget(seconds=0.3))
    assert time.monotonic() - started < 0.3 + 2 * OVERRUN_SECONDS
    assert (caught.value.limit, caught.value.usage.calls) == ("seconds", 2)
