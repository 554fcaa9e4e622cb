"""Populations as pure values: who is drawn, who holds a place, and exactly when there is enough."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tscale_graph import Candidate
from tscale_graph.techniques.aggregating.populations import Populations, drawn

seeds = st.integers(min_value=0, max_value=2**63 - 1)


@given(
    st.lists(st.integers(0, 200), max_size=30, unique=True),
    st.integers(1, 20),
    seeds,
    st.integers(1, 9),
    st.integers(0, 30),
)
def test_a_subset_is_of_distinct_members_of_the_right_number_and_the_seed_decides(
    indexes, size, entropy, generation, place
):
    def draw():
        return drawn(indexes, size, entropy=entropy, generation=generation, place=place)

    subset = draw()
    assert len(subset) == min(size, len(indexes))
    assert len(set(subset)) == len(subset)
    assert set(subset) <= set(indexes)
    assert draw() == subset
    random.seed(entropy)
    assert draw() == subset, "no hidden random state"


def test_every_member_is_drawn_equally_often_and_at_every_position():
    draws = [
        drawn(range(8), 3, entropy=entropy, generation=1, place=place)
        for entropy in range(100)
        for place in range(8)
    ]
    for position in range(3):
        counts = Counter(subset[position] for subset in draws)
        assert 60 < min(counts.values()) <= max(counts.values()) < 140


def test_places_and_generations_are_drawn_apart():
    subsets = {
        drawn(range(16), 4, entropy=1, generation=generation, place=place)
        for generation in (1, 2)
        for place in range(16)
    }
    assert len(subsets) == 32


def populations(*generations, size, most=9, agreed_at=1.0):
    """Of generations that are written as letters: an answer, "-" for a text without one, "!" for
    a call that failed, "." for what has not come."""
    came, keys = {}, {}
    for generation, said in enumerate(generations):
        for place, letter in enumerate(said):
            if letter == ".":
                continue
            index = len(came)
            answer = None if letter in "-!" else letter
            came[generation, place] = Candidate(
                index=index,
                text="" if letter == "!" else f"It is {letter}",
                answer=answer,
                error="broken" if letter == "!" else None,
            )
            if answer:
                keys[index] = answer
    return Populations(size, most, agreed_at, came, keys)


def held(standing):
    return "".join(c.answer or "-" for c in standing.holders(standing.newest))


def test_a_place_is_held_by_its_newest_member_with_an_answer():
    assert held(populations("abcd", size=4)) == "abcd"
    assert held(populations("abcd", "efgh", size=4)) == "efgh"
    assert held(populations("abcd", "e!-.", size=4)) == "ebcd"
    assert held(populations("ab!-", "!!!-", "..!!", size=4)) == "ab-", "nobody where nobody spoke"


def test_a_generation_that_has_not_come_whole_is_gone_on_with():
    assert populations(size=2).following == (0, [0, 1])
    assert populations("a.c", size=3).following == (0, [1])
    assert populations("abc", "a..", size=3).following == (1, [1, 2])
    assert populations("abc", size=3).following == (1, [0, 1, 2])


def test_it_ends_with_the_last_generation():
    assert populations("ab", "ab", size=2, most=3).ending is None
    last = populations("ab", "ab", "ab", size=2, most=3)
    assert (last.ending, last.following) == ("generations", None)
    assert populations("ab", size=2, most=1).ending == "generations"


def test_it_ends_when_nothing_has_come_of_a_whole_generation():
    assert populations("!!", size=2).ending == "in vain"
    assert populations("ab", "!!", size=2).ending == "in vain"
    assert populations("ab", "!-", size=2).ending is None
    assert populations("ab", "!.", size=2).ending is None


@given(st.text("ab-!", min_size=2, max_size=12), st.sampled_from([0.3, 0.5, 0.75, 1.0, None]))
def test_it_ends_exactly_when_so_large_a_share_of_all_places_agrees(said, agreed_at):
    standing = populations(said, size=len(said), agreed_at=agreed_at)
    share = max(said.count("a"), said.count("b")) / len(said)
    assert standing.agreement(0) == share
    if set(said) != {"!"}:
        enough = agreed_at is not None and share >= agreed_at
        assert standing.ending == ("agreed" if enough else None)


def test_a_generation_is_not_judged_before_it_is_whole():
    assert populations("aa.", size=3, agreed_at=0.5).ending is None
    assert populations("abc", "cc.", size=3, agreed_at=0.5).following == (1, [2])


def test_a_population_of_one_cannot_agree():
    assert populations("a", size=1).following == (1, [0])


@given(st.lists(st.text("ab-!.", min_size=4, max_size=4), min_size=1, max_size=5))
def test_no_answer_is_lost_whatever_follows_it(generations):
    standing = populations(*generations, size=4)
    answered = {place for (_, place), c in standing.came.items() if c.answer is not None}
    assert sum(c.answer is not None for c in standing.holders(standing.newest)) == len(answered)
    assert all(not c.error for c in standing.holders(standing.newest))
