"""Where one reasoning step ends and the next begins."""

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.search.steps import StepSplitter, step_splitter

SENTENCES = step_splitter("sentence")


@pytest.mark.parametrize(
    ("steps", "text", "pieces"),
    [
        ("paragraph", "", []),
        ("paragraph", "one", ["one"]),
        ("paragraph", "one\n\ntwo\nlines\n\n", ["one\n\n", "two\nlines\n\n"]),
        ("paragraph", "\n\none\n\n\n\ntwo", ["\n\none\n\n\n\n", "two"]),
        ("paragraph", "one\n\n  \n", ["one\n\n  \n"]),
        ("paragraph", " \n\n\n\n ", [" \n\n\n\n "]),
        ("line", "2 * 3 = 6\n6 + 4 = 10", ["2 * 3 = 6\n", "6 + 4 = 10"]),
        ("line", "one\n\n\ntwo\n", ["one\n\n\n", "two\n"]),
        ("delimiter:\nStep ", "Step 1: a\nStep 2: b", ["Step 1: a\nStep ", "2: b"]),
        ("delimiter:Step ", "Step 1: a\nStep 2: b", ["Step 1: a\nStep ", "2: b"]),
        ("delimiter:###", "###a### ###b###", ["###a### ###", "b###"]),
        ("delimiter:a:b", "1a:b2", ["1a:b", "2"]),
    ],
)
def test_a_step_ends_with_its_delimiter_and_is_never_blank(steps, text, pieces):
    assert step_splitter(steps).split(text) == pieces


@pytest.mark.parametrize(
    "pieces",
    [
        ["So x is 5. ", "Then y is 6! ", "Is it? ", "Yes"],
        ["One.\n\n", "Two.\n", "Three."],
        ["Dr. Smith met Mr. and Mrs. Jones vs. Prof. Lee. ", "Then they left."],
        ["Take fruit, e.g. apples, i.e. (e.g.) what grows, etc. and so on. ", "Then eat."],
        ["J. R. R. Tolkien and J.-P. Sartre lived in the U.S. Army. ", "They did."],
        ["Wei et al. did it at 5 p.m. on Monday. ", "See eq. 3, fig. 2 and No. (4). ", "Right."],
        ["The answer is no. ", "It took 5 ms. ", "So choose x. ", "Then y."],
        ["Pi is 3.14 or so. ", "The answer is 5. ", "Version 1.2.3 is 0.5 more."],
        ["1. Foo is first. ", "2. Bar is second.\n", "10. Baz is third.\n", "- 4. Qux."],
        ["a. Foo is first. ", "B. Bar is second."],
        ["Step 1. Add them. ", "**Step 2.** Subtract. ", "Case 3.1. Divide."],
        ["Answer:\n5.\n", "So it is."],
        ["Well... it may be… or not. ", "Hmm... ", "Then no… ", "Done."],
        ["It is NASA. ", "So do as A. Einstein did."],
        ["5! = 120. ", "What?! ", "No!!! ", "Yes."],
        ['He said "stop." ', "(It was late.) ", "“Really?” ", "**Yes.** ", "So be it."],
        ["他来了。", "我走了！", "“为什么？”", "好"],
        [" \n Hello. \n ", "There. \n"],
        ["..."],
        [". ", "."],
        ["\n \n"],
    ],
)
def test_sentences_end_where_a_reader_would_say(pieces):
    assert SENTENCES.split("".join(pieces)) == pieces


def test_what_is_too_short_is_merged_with_what_comes_next_or_at_the_end_before():
    splitter = StepSplitter("delimiter", "\n", min_characters=5)
    assert splitter.split("a\nbc\nlong enough\n\nagain\nx\n") == [
        "a\nbc\nlong enough\n\n",
        "again\nx\n",
    ]
    assert splitter.split("abcde\nfghij") == ["abcde\n", "fghij"]
    assert splitter.split("  abcd  \nfghij") == ["  abcd  \nfghij"]
    assert splitter.split("a\nb") == ["a\nb"]
    assert StepSplitter("sentence", min_characters=4).split("No. Oh. Yes. Indeed. Ok.") == [
        "No. Oh. ",
        "Yes. ",
        "Indeed. Ok.",
    ]


def test_a_provider_is_asked_to_stop_at_the_delimiter():
    assert step_splitter("paragraph").stop == ["\n\n"]
    assert step_splitter("line").stop == ["\n"]
    assert step_splitter("delimiter:Step ").stop == ["Step "]
    assert SENTENCES.stop is None


def test_splitters_come_by_name_and_can_be_sent_to_another_machine():
    own = StepSplitter("delimiter", "---", min_characters=3)
    assert step_splitter(own) is own
    assert pickle.loads(pickle.dumps(own)) == own
    for wrong in ("", "word", "delimiter", "delimiter:", "line:2", None, 3):
        with pytest.raises(ValueError, match="paragraph, line, sentence, delimiter:<text>") as why:
            step_splitter(wrong)
        assert "\n" not in str(why.value)
    for wrong, message in (
        ({"by": "word"}, "by must be delimiter or sentence, got 'word'"),
        ({"by": "delimiter", "delimiter": ""}, "delimiter must not be empty"),
        ({"by": "sentence", "min_characters": 0}, "min_characters must be at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            StepSplitter(**wrong)


splitters = st.builds(
    StepSplitter,
    st.sampled_from(["delimiter", "sentence"]),
    st.sampled_from(["\n\n", "\n", " ", "ab", "."]),
    st.integers(1, 12),
)
texts = st.one_of(
    st.text("ab. \n"),
    st.text("aB1.!?…。\"') \n\t\u00a0"),
    st.lists(st.sampled_from(["e.g. ", "Mr. ", "1. ", "...", "A. ", "no ", "\n"])).map("".join),
    st.text(),
)


@settings(deadline=None)
@given(splitters, texts)
def test_no_character_is_lost_and_no_step_is_blank(splitter, text):
    pieces = splitter.split(text)
    assert "".join(pieces) == text
    assert all(pieces)
    assert all(piece.strip() for piece in pieces[1:])
    assert not pieces or pieces[0].strip() or not text.strip()
    assert splitter.first(text) == (pieces[0] if pieces else "")


@settings(deadline=None)
@given(splitters, texts)
def test_every_step_has_the_least_length_where_the_text_has(splitter, text):
    pieces = splitter.split(text)
    if len(pieces) > 1:
        assert all(len(piece.strip()) >= splitter.min_characters for piece in pieces)


@settings(deadline=None)
@given(texts, st.sampled_from(["\n\n", "\n", "ab"]))
def test_steps_are_cut_at_delimiters_and_nowhere_else(text, delimiter):
    pieces = StepSplitter("delimiter", delimiter).split(text)
    assert all(piece.endswith(delimiter) for piece in pieces[:-1])
    filled = [part for part in text.split(delimiter) if part.strip()]
    assert len(pieces) == (len(filled) or bool(text))


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", [".", ". ", "a. ", "e.g. ", "1.", "A.\n", "! ", ".)", "\n", " ", "x", "…\n", "。"]
)
def test_the_time_grows_with_the_text(unit):
    for splitter in (SENTENCES, StepSplitter("sentence", min_characters=10**6)):
        text = unit * (200_000 // len(unit)) + "x"
        started = time.thread_time()
        splitter.split(text)
        assert time.thread_time() - started < 5


@given(
    st.sampled_from(("delimiter", "sentence")),
    st.text("a.\n :", min_size=1, max_size=3),
    st.integers(1, 3),
    st.text("aB1. \n:!", max_size=40),
)
def test_a_name_says_where_steps_end(by, delimiter, min_characters, text):
    splitter = StepSplitter(by, delimiter, min_characters)
    if min_characters == 1:
        assert step_splitter(splitter.name).split(text) == splitter.split(text)
    else:
        assert splitter.name is None


def test_the_delimiter_of_sentences_plays_no_part_in_their_name():
    assert StepSplitter("sentence", delimiter="\n").name == "sentence"
    assert StepSplitter("sentence", delimiter="\n", min_characters=9).name is None
