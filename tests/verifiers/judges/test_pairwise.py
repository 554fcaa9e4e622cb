"""Two answers compared in both orders."""

import pytest

from tests.scripted import Scripted
from tests.verifiers.judges.readers import billed, fenced, reader, unfenced
from tscale_graph import Budget
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import pairwise_judge

LEASE = Budget(calls=8, tokens=100_000)


def prefers(better):
    """A judge of what the answers say, wherever they stand."""

    def reply(prompt):
        shown = fenced(prompt)
        winner = next((place for place in ("first", "second") if shown[place] == better), "tie")
        return f'{{"reason": "I looked", "winner": "{winner}"}}'

    return reader(reply)


def always(winner):
    return reader(f'{{"reason": "that place", "winner": "{winner}"}}')


@pytest.mark.parametrize(("better", "winner"), [("3", 0), ("4", 1), ("5", None)])
async def test_the_better_answer_wins_from_either_place(better, winner):
    model = prefers(better)
    compared = await pairwise_judge(model).compare("How many?", "3", "4", lease=LEASE)
    assert (compared.winner, compared.flipped) == (winner, False)
    assert (compared.usage.calls, compared.usage.tokens) == (2, billed(model))
    assert compared.feedback == "I looked"
    assert [fenced(prompt)["first"] for prompt in model.prompts] == ["3", "4"]


@pytest.mark.parametrize("place", ["first", "second"])
async def test_a_judgement_that_flips_with_the_order_is_a_tie(place):
    compared = await pairwise_judge(always(place)).compare("How many?", "3", "4", lease=LEASE)
    assert (compared.winner, compared.flipped) == (None, True)


async def test_a_win_in_one_order_and_a_tie_in_the_other_is_a_tie():
    replies = iter(['{"winner": "first"}', '{"winner": "tie"}'])
    model = reader(lambda prompt: next(replies))
    compared = await pairwise_judge(model).compare("How many?", "3", "4", lease=LEASE)
    assert (compared.winner, compared.flipped) == (None, False)


async def test_equal_answers_are_a_tie_for_nothing():
    model = always("first")
    compared = await pairwise_judge(model).compare("How many?", "3", " 3\n", lease=None)
    assert compared.winner is None
    assert not model.calls


async def test_a_comparison_that_is_half_done_is_an_error_that_costs_both_halves():
    model = Scripted(answers=['{"winner": "first"}', "hm", "hm"])
    with pytest.raises(VerifierError, match="must be first, second or tie") as caught:
        await pairwise_judge(model).compare("How many?", "3", "4", lease=LEASE)
    assert (caught.value.usage.calls, caught.value.usage.tokens) == (3, billed(model))


async def test_one_call_is_too_few():
    model = always("first")
    with pytest.raises(VerifierError, match="a comparison takes 2 calls"):
        await pairwise_judge(model).compare("How many?", "3", "4", lease=Budget(calls=1))
    assert not model.calls


async def test_the_criteria_are_told():
    model = always("tie")
    await pairwise_judge(model, criteria="Shorter wins.").compare("Q", "a", "b", lease=LEASE)
    assert "Shorter wins." in unfenced(model.prompts[0])


async def test_two_calls_of_the_size_that_is_told_fit():
    verifier = pairwise_judge(prefers("3"), max_output_tokens=40)
    size = verifier.call_size("How many?", "3", "4")
    lease = Budget(tokens=2 * (size.prompt_tokens + size.output_tokens))
    assert (await verifier.compare("How many?", "3", "4", lease=lease)).winner == 0
