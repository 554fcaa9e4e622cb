"""Beam search, DVTS, REBASE and particles: which partial solutions are gone on from."""

import re
from collections import Counter

import pytest

from tests.techniques.reasoning import BAD, GOOD, prefers_good, writes
from tests.techniques.searching import ask, told
from tscale_graph import beam_search
from tscale_graph.search.levels import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
async def test_every_variant_finds_the_good_solution(variant):
    model = told(writes(GOOD, BAD))
    technique = beam_search(
        model, prefers_good, beams=2, width=2, variant=variant, select="max", seed=4
    )
    result = await ask(technique)
    assert result.answer == "3"
    assert result.technique == result.tree.technique == "beam_search"


def by_number(question, so_far):
    """The earlier a step was made, the better."""
    return 1 / (2 + int(re.findall(r"step (\d+)", so_far)[0]))


async def children_of(variant, *, scorer=by_number, **more):
    model = told(lambda prompt, number: f"step {number} of many")
    technique = beam_search(
        model, scorer, beams=2, width=3, variant=variant, max_steps=2, seed=4, **more
    )
    tree = (await ask(technique)).tree
    steps = [node for node in tree.nodes if node.depth == 2 and node.status != "terminal"]
    return Counter(node.parent for node in steps), tree


async def test_beam_goes_on_from_the_best_of_all():
    children, _ = await children_of("beam")
    assert children == {1: 3, 2: 3}


async def test_dvts_goes_on_from_the_best_of_each_subtree():
    children, tree = await children_of("dvts")
    assert children == {1: 3, 4: 3}
    assert len(tree.children(0)) == 6


async def test_rebase_shares_continuations_out_by_score():
    children, _ = await children_of("rebase")
    assert sum(children.values()) == 6
    assert children[1] == max(children.values())
    assert len(children) > 2
    sharper, _ = await children_of("rebase", score_temperature=0.01)
    assert sharper[1] == 6


async def test_particles_go_on_as_they_are_while_their_weights_are_even():
    children, _ = await children_of("particles", scorer=lambda q, a: 0.5)
    assert children == dict.fromkeys(range(1, 7), 1)


async def test_particles_are_resampled_where_one_outweighs_the_rest():
    def one_is_good(question, so_far):
        return 0.999 if so_far.startswith("step 2") else 0.001

    children, _ = await children_of("particles", scorer=one_is_good)
    assert children == {3: 6}
