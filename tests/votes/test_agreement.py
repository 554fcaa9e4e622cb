from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.selections import chosen, codegen, solutions
from tests.votes.making import candidate, number
from tscale_graph.votes import Agreement, choose

behaviours = st.lists(
    st.tuples(st.sampled_from("12345"), st.tuples(*[st.booleans()] * 4)), min_size=1, max_size=12
)


def made(behaved):
    return [candidate(k, a, 0.5, tests=tests) for k, (a, tests) in enumerate(behaved)]


def worths(behaved, given, together, powers):
    """Each solution's worth, by enumeration; None for those out of the running."""
    shown = [sum(tests[:given]) for _, tests in behaved]
    running = [b for b, s in zip(behaved, shown, strict=True) if s == max(shown)]
    width = range(given, 4)
    share = {t: sum(tests[t] for _, tests in running) / len(running) for t in width}
    found = []
    for (answer, tests), s in zip(behaved, shown, strict=True):
        size = sum(
            (a == answer) if together == "answer" else (other[given:] == tests[given:])
            for a, other in running
        )
        agreed = sum(share[t] for t in width if tests[t]) if any(share.values()) else 1
        worth = size ** powers[0] * (agreed ** powers[1] if any(share.values()) else 1)
        found.append(worth if s == max(shown) else None)
    return found


@given(
    behaviours,
    st.integers(0, 4),
    st.sampled_from(["tests", "answer"]),
    st.sampled_from([(0.5, 2.0), (1, 1), (0, 1), (1, 0)]),
)
def test_a_solution_of_the_worthiest_set_wins(behaved, given, together, powers):
    rule = Agreement(given, together=together, solutions_power=powers[0], tests_power=powers[1])
    expected = worths(behaved, given, together, powers)
    winner = choose(made(behaved), number, select=rule).winner
    best = max(worth for worth in expected if worth is not None)
    assert expected[winner.index] == pytest.approx(best)


def test_different_texts_that_behave_alike_stand_together():
    behaved = [
        ("1", (True, False)),
        ("2", (True, False)),
        ("3", (False, True)),
        ("4", (True, False)),
    ]
    assert choose(made(behaved), number, select="agreement").winner.answer == "1"
    apart = [("3", (False, True)), ("3", (False, True)), *behaved[:2]]
    by_answer = Agreement(together="answer")
    assert choose(made(apart), number, select=by_answer).winner.answer == "3"


def test_a_test_that_came_with_the_question_outranks_any_agreement():
    behaved = [*[("1", (False, True, True, True))] * 9, ("2", (True, False, False, False))]
    assert choose(made(behaved), number, select=Agreement()).winner.answer == "1"
    assert choose(made(behaved), number, select=Agreement(given=1)).winner.answer == "2"


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=12))
def test_without_tests_the_largest_set_wins_and_a_note_says_so(answers):
    votes = [candidate(k, answer) for k, answer in enumerate(answers)]
    choice = choose(votes, number, select=Agreement(together="answer"))
    assert Counter(answers)[choice.winner.answer] == max(Counter(answers).values())
    assert choice.notes == ("no candidate has tests: sets were weighed by size",)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(given=-1), "given must be at least 0, got -1"),
        (dict(tests_power=-0.5), "tests_power must be at least 0, got -0.5"),
        (dict(together="text"), "together must be"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        Agreement(**parameters)


@pytest.mark.parametrize(("given", "at_least"), [(0, 0.40), (2, 0.50)])
def test_on_recorded_programs_it_finds_the_right_behaviour_by_the_models_own_tests(given, at_least):
    asked = [solutions(question, given=given) for question in codegen()]
    right = [chosen(question, Agreement(given))[0] for question in asked]
    assert sum(right) / len(right) >= at_least
    if not given:
        assert sum(right) > sum(chosen(question, "majority")[0] for question in asked)
