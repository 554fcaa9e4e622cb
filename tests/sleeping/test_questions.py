from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.sleeping.questions import read_questions


def test_what_models_write_around_their_questions_is_left_out():
    said = (
        "Here are some questions:\n"
        "1. **How much is tea?**\n"
        "- Is it open on Mondays?\n"
        "(3) How many cakes are there?\n"
        'Q4: "Who owns it?"\n'
        "That is all.\n"
        "2 + 2 = ?"
    )
    assert read_questions(said, most=9) == [
        "How much is tea?",
        "Is it open on Mondays?",
        "How many cakes are there?",
        "Who owns it?",
        "2 + 2 = ?",
    ]


def test_those_that_are_known_are_not_new():
    assert read_questions("How  much is TEA?", known=["how much is tea?"], most=5) == []


@given(st.text(max_size=200), st.integers(0, 3))
def test_no_more_than_were_wanted(text, most):
    found = read_questions(text, most=most)
    assert len(found) <= most
    assert all(one.endswith("?") and "\n" not in one for one in found)
