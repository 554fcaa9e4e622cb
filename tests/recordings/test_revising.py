"""Against the plainest enumeration of every subset, and against `refine` itself."""

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.made_up_chains import asked
from tests.techniques.refining.revising import numbering
from tests.techniques.searching import ask
from tscale_graph import refine
from tscale_graph.recordings.chain_results import recorded_chains
from tscale_graph.recordings.revising import Ratio, every_ratio

chains = st.lists(st.text(alphabet="1239-", min_size=1, max_size=4), min_size=1, max_size=4)


def stands(versions, verified):
    """The version that stands, by the words of the manual."""
    spoken = [one for one in versions if one.answer is not None]
    if not spoken:
        return None
    if verified:
        return max(spoken, key=lambda one: (one.score, -spoken.index(one)))
    content = [one for one in spoken if one.passed]
    said = [one.answer for one in spoken]
    return max(content or spoken, key=lambda one: (said.count(one.answer), -said.index(one.answer)))


def enumerated(question, count, revisions, shared_prompt):
    """Means over every subset, chains side by side until one passes."""
    verified = question.verifier is not None
    rights, tokens, calls = [], [], []
    for some in combinations(question.chains, count):
        taken = []
        for place in range(1 + revisions):
            taken += (now := [chain[place] for chain in some if place < len(chain)])
            if verified and any(one.passed for one in now):
                break
        best = stands(taken, verified)
        rights.append(best is not None and best.correct)
        prompts = (count - 1) * some[0][0].prompt_tokens if shared_prompt else 0
        tokens.append(sum(one.tokens for one in taken) - prompts)
        calls.append(sum(one.calls for one in taken))
    return [sum(each) / len(each) for each in (rights, tokens, calls)]


@settings(deadline=None)
@given(chains, st.booleans(), st.booleans())
def test_every_ratio_is_the_mean_over_every_subset(said, verified, shared_prompt):
    question = asked(*said, verified=verified, max_revisions=3)
    found = every_ratio(question, shared_prompt=shared_prompt)
    assert len(found) == len(said) * 4
    for ratio, expected in found.items():
        plain = enumerated(question, ratio.chains, ratio.revisions, shared_prompt)
        assert [expected.accuracy, expected.tokens, expected.calls] == pytest.approx(plain)


@settings(deadline=None)
@given(chains, st.booleans())
def test_more_of_either_never_costs_less_unless_it_passes_earlier(said, verified):
    found = every_ratio(asked(*said, verified=verified, max_revisions=3))
    for ratio, expected in found.items():
        if ratio.revisions:
            less = found[Ratio(chains=ratio.chains, revisions=ratio.revisions - 1)]
            assert expected.calls >= less.calls
            assert expected.tokens >= less.tokens
        elif ratio.chains > 1:
            assert expected.calls > found[Ratio(chains=ratio.chains - 1, revisions=0)].calls


@settings(deadline=None)
@given(chains)
def test_with_an_exact_verifier_more_of_either_is_never_less_often_right(said):
    found = every_ratio(asked(*said, max_revisions=3))
    for ratio, expected in found.items():
        if ratio.revisions:
            less = found[Ratio(chains=ratio.chains, revisions=ratio.revisions - 1)]
            assert expected.accuracy >= less.accuracy
        if ratio.chains > 1:
            less = found[Ratio(chains=ratio.chains - 1, revisions=ratio.revisions)]
            assert expected.accuracy >= less.accuracy - 1e-12


def test_chains_that_are_left_out_make_no_difference():
    whole = asked("12", "3", "113", name="q")
    rest = whole.model_copy(update={"chains": whole.chains[1:]})
    assert every_ratio(whole, but_first=1) == every_ratio(rest)


def test_a_bare_verdict_counts_as_a_full_score_or_none():
    question = asked("12", "3")
    bare = tuple(
        tuple(one.model_copy(update={"score": None}) for one in chain) for chain in question.chains
    )
    again = every_ratio(question.model_copy(update={"chains": bare}))
    assert again == every_ratio(question)
    assert [one.verdict_score for one in bare[0] + bare[1]] == [0, 0, 1]


def test_an_answer_without_a_letter_is_an_answer():
    silent = asked("1").chains[0][0].model_copy(update={"answer": "", "correct": True})
    question = asked("1").model_copy(update={"chains": ((silent,),), "kind": "text"})
    assert every_ratio(question)[Ratio(chains=1, revisions=0)].accuracy == 1


def test_draws_of_subsets_come_to_the_same_in_the_mean():
    rng = random.Random(1)
    question = asked(*("".join(rng.choices("123", k=4)) for _ in range(8)), max_revisions=3)
    exact = every_ratio(question)[Ratio(chains=3, revisions=1)]
    drawn = [
        every_ratio(question, max_subsets=20, seed=seed)[Ratio(chains=3, revisions=1)]
        for seed in range(60)
    ]
    assert sum(one.accuracy for one in drawn) / 60 == pytest.approx(exact.accuracy, abs=0.05)
    assert sum(one.tokens for one in drawn) / 60 == pytest.approx(exact.tokens, rel=0.05)
    assert len({one.tokens for one in drawn}) > 1


def tenths(question, answer):
    return {"score": int(answer) / 10, "feedback": f"{answer} is not it"}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("revisions", [1, 3])
async def test_it_comes_to_what_refine_comes_to_when_the_model_says_the_same(seed, revisions):
    rng = random.Random(seed)
    said = [[rng.choice([1, 2, 5, 7, 10]) for _ in range(4)] for _ in range(3)]
    alone = [
        await ask(refine(numbering(*chain), tenths, answer="number", max_revisions=3))
        for chain in said
    ]
    question = recorded_chains(alone, id="q", kind="number", verifier="tenths", max_revisions=3)
    recorded = [[one.answer for one in chain] for chain in question.chains]
    # Side by side, round by round, as long as a chain goes on and none has passed.
    told, places = [], range(1 + revisions)
    for place in places:
        told += (now := [chain[place] for chain in recorded if place < len(chain)])
        if "10" in now:
            break
    graph = refine(
        numbering(*map(int, told)), tenths, answer="number", chains=3, max_revisions=revisions
    )
    result = await ask(graph)
    expected = every_ratio(question, shared_prompt=False)[Ratio(chains=3, revisions=revisions)]
    assert [one.answer for one in result.candidates] == told
    assert expected.accuracy == float(result.verdict.passed is True)
    assert expected.calls == result.usage.calls
    assert expected.tokens == result.usage.tokens


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"but_first": 2}, "but_first must be between 0 and 1 for question 'q', got 2"),
        ({"max_subsets": 0}, "max_subsets must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        every_ratio(asked("1", "2"), **arguments)
