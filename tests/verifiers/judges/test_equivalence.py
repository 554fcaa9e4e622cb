"""Whether two answers mean the same."""

import pytest

from tests.verifiers.judges.readers import billed, fenced, reader
from tscale_graph import Budget
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.judges import equivalent

LEASE = Budget(calls=4, tokens=100_000)


@pytest.mark.parametrize("told", [True, False])
async def test_the_model_decides_and_the_cost_is_true(told):
    model = reader(f'{{"reason": "so", "same": {str(told).lower()}}}')
    same, usage = await equivalent(model).same("Which?", "the Rhine", "Rhine river", lease=LEASE)
    assert same is told
    assert (usage.calls, usage.tokens) == (1, billed(model))


async def test_the_order_of_the_two_changes_nothing():
    model = reader(lambda prompt: f'{{"same": {str(fenced(prompt)["first"] == "a").lower()}}}')
    verifier = equivalent(model)
    assert (await verifier.same("?", "a", "b", lease=LEASE))[0]
    assert (await verifier.same("?", "b", "a", lease=LEASE))[0]
    assert model.prompts[0] == model.prompts[1]


async def test_equal_texts_are_the_same_for_nothing():
    model = reader("no")
    assert (await equivalent(model).same("?", "a", "a ", lease=None))[0] is True
    assert not model.calls


async def test_no_judgement_is_an_error():
    with pytest.raises(VerifierError, match="no same in the reply"):
        await equivalent(reader("hm")).same("?", "a", "b", lease=LEASE)
    with pytest.raises(VerifierError, match="nothing is left of the budget"):
        await equivalent(reader("yes")).same("?", "a", "b", lease=None)
