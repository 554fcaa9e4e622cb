import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.sleeping.matching import (
    Pair,
    documents_about,
    learn_threshold,
    lexical_similarity,
    words_of,
)

DIFFERENT = [
    ("Does Ann beat Bob?", "Does Bob beat Ann?"),
    ("What is 5!", "What is 5?"),
    ("What is .5 of it?", "What is 5 of it?"),
    ("What is -3 + 4?", "What is 3 + 4?"),
    ("What is (2 + 3) * 4?", "What is 2 + (3 * 4)?"),
    ("What is f(1,2)?", "What is f(12)?"),
    ("Is tea hot?", "Is tea not hot?"),
    ("How much is £2?", "How much is $2?"),
    ("How many live in the US?", "How many live in the"),
    ("What is x_1?", "What is x 1?"),
    ("How much is tea?", "How much was tea?"),
    ("How do you say please?", "How do you say thank you?"),
    ("How do you say please?", "How do you say"),
    ("What does hello mean?", "What does mean?"),
    ("Hello is which language?", "is which language?"),
    ("Ok is what state?", "is what state?"),
    ("Can you tell me apart?", "apart?"),
    ("Tell me Ann's age", "Ann's age"),
]
SAME = [
    ("How much is tea?", "how  much is Tea"),
    ("Hi! Could you tell me how much tea is, please?", "how much tea is"),
    ("What’s the total?", "What's the total"),
    ("Hi there, how much is tea?", "How much is tea?"),
    ("Please tell me what tea costs.", "what tea costs"),
    ("How much is tea, thank you!", "How much is tea?"),
    ("Hello! Can you please tell me who owns it?", "who owns it"),
    ('Who wrote "Emma"?', "Who wrote Emma?"),
]


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_what_makes_a_difference_is_never_the_same(first, second):
    assert words_of(first) != words_of(second)
    assert lexical_similarity(first, second) < 1


@pytest.mark.parametrize(("first", "second"), SAME)
def test_what_makes_none_is_the_same(first, second):
    assert lexical_similarity(first, second) == 1


@given(st.text(max_size=40), st.text(max_size=40))
def test_similarity_is_symmetric_and_between_0_and_1(first, second):
    found = lexical_similarity(first, second)
    assert found == lexical_similarity(second, first)
    assert 0 <= found <= 1
    assert found < 1 or words_of(first) == words_of(second)


DOCUMENTS = {"menu": "Tea is 2. Cake is 3.", "hours": "It is open from 9 to 5.", "empty": ""}


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("How much is tea?", ["menu"]),
        ("When is it open?", ["hours"]),
        ("Is cake there when it is open?", ["hours"]),
        ("Why?", ["menu", "hours", "empty"]),
        ("Open for tea?", ["menu", "hours"]),
    ],
)
def test_what_a_question_is_about_is_told_by_its_words(question, about):
    assert documents_about(question, DOCUMENTS) == about
    assert documents_about(question, {"only": "Anything."}) == ["only"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300),
    st.floats(0.01, 0.5),
)
def test_few_are_wrong_at_or_above_what_was_learnt(scored, most_wrong):
    pairs = [Pair(str(place), "", same) for place, (_, same) in enumerate(scored)]
    found = learn_threshold(pairs, lambda one, _: scored[int(one)][0], most_wrong=most_wrong)
    taken = [same for score, same in scored if score >= found]
    assert found == math.inf or taken
    assert taken.count(False) <= most_wrong * len(taken)


def test_the_bound_is_exact():
    # 114 right ones in a row are the fewest that show less than 2 % wrong ones at 90 %:
    # 0.98 ** 114 = 0.0999...
    def right(count):
        return [Pair("a", "a", True)] * count

    assert learn_threshold(right(113)) == math.inf
    assert learn_threshold(right(114)) == 1.0


def test_a_threshold_lies_above_pairs_that_only_look_alike():
    pairs = [Pair("the same", "the same", True)] * 200
    pairs += [Pair("how much is tea", "how much was tea", False)] * 20
    assert learn_threshold(pairs) == 1.0


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="most_wrong must be between 0 and 1, got 0"):
        learn_threshold([], most_wrong=0)
