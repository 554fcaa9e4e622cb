"""Letters of multiple choice, short texts, and answers found by a function of one's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.reading import kind_of, read
from tscale_graph.answers import answer_kind, same_answer


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("B) Paris", "B"),
        ("B. Paris is the capital of France.", "B"),
        ("Answer: B", "B"),
        ("Answer: b", "B"),
        ("**Answer: (C)** Rome", "C"),
        ("The answer is option b.", "B"),
        (r"\boxed{B}", "B"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{\textbf{(E)}\ 25}", "E"),
        ("**B**", "B"),
        ("I think it is **B. Paris**.", "B"),
        ("The correct option is B because A is a city in Italy.", "B"),
        ("The answer is A.", "A"),
        ("The answer is A because it rains.", "A"),
        ("A and C are wrong, so it must be option D.", "D"),
        ("A is wrong, and so is C.\n\nB", "B"),
        ("Option (A) is wrong. So we choose (C).", "A"),
        ("It can only be (C).", "C"),
        ("The answer is (I).", "I"),
    ],
)
def test_the_letter_of_a_real_life_text(text, letter):
    assert read("choice", text) == letter


@pytest.mark.parametrize(
    "text",
    [
        "A dog is a good companion.",
        "I think that a cat is better.",
        "The answer is a dog.",
        "The answer is A dog.",
        "I am not going to say which.",
        "It is (A) or (B).",
    ],
)
def test_an_article_or_a_pronoun_is_no_choice(text):
    assert kind_of("choice").extract(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", " paris. "),
        ("The Eiffel Tower", "“eiffel  tower”"),
        ("ﬁsh", "FISH"),
        ("**Yes**", "yes!"),
        ("Straße", "STRASSE"),
        ("mc²", "mc^2"),
        ("10⁻¹²", "10^-12"),
        ("H₂O", "H2O"),
        ("½", "1/2"),
        ("2½", "2 1/2"),
    ],
)
def test_texts_are_compared_without_case_width_spacing_and_punctuation(one, other):
    assert same_answer(one, other, kind_of("text"))


def test_signs_and_brackets_of_a_text_may_matter():
    assert not same_answer("-5", "5", kind_of("text"))
    assert not same_answer("C++", "C", kind_of("text"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is Paris.", "Paris"),
        ("The answer is J. R. R. Tolkien. He wrote it.", "J. R. R. Tolkien"),
        ("Answer: Dr. Watson", "Dr. Watson"),
        ("Paris is the capital.\nA: Paris", "Paris"),
        ("  Paris is nice.  ", "Paris is nice."),
    ],
)
def test_the_text_is_what_is_marked_else_all_of_it(text, answer):
    assert kind_of("text").extract(text) == answer


def test_a_function_finds_the_answer_and_may_say_which_are_the_same():
    def last_word(text: str) -> str | None:
        return text.split()[-1] if text.split() else None

    kind = answer_kind(last_word)
    assert kind is not None
    assert (kind.name, kind.extract("so Paris"), kind.extract("")) == ("custom", "Paris", None)
    assert same_answer("Paris", "paris.", kind)
    last_word.key = len
    assert same_answer("abc", "xyz", kind)
    wrong = answer_kind(len)
    assert wrong is not None
    with pytest.raises(TypeError, match="must return a str or None, got int"):
        wrong.extract("abc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (".5", "5"),
        (",5", "5"),
        ("5!", "5"),
        ("n!", "n"),
        ("(n + 1)!", "(n + 1)"),
        ("!x", "x"),
        (".net", "net"),
        ("f'", "f"),
        ('5"', "5"),
        ("_id", "id"),
        ("*args", "args"),
        ("x²", "x2"),
        ("2³", "23"),
        ("2½", "21/2"),
    ],
)
def test_a_mark_that_belongs_to_a_word_or_a_number_is_no_punctuation(one, other):
    assert not same_answer(one, other, kind_of("text"))
    assert same_answer(one, f" “{one}”", kind_of("text"))


@pytest.mark.parametrize("ending", [".", " .", "!", "!!", "?", "…", "...", ";", ":", "”.", '".'])
def test_what_ends_a_sentence_is_no_part_of_its_last_word(ending):
    start = '"' if ending == '".' else ""
    assert kind_of("text").key(f"{start}in Paris{ending}") == "in paris"


@given(
    st.from_regex(r"\A[a-z]{2,8}( [a-z]{2,8}){0,2}\Z"),
    st.lists(st.sampled_from(['"', "'", "**", "`", "_", "“”", "‘’", "«»"]), max_size=3),
    st.sampled_from(["", ".", "!", "?", "…", ","]),
)
def test_emphasis_quotes_and_a_full_stop_around_words_make_no_difference(words, pairs, ending):
    wrapped = words
    for pair in pairs:
        opening, closing = (pair[0], pair[-1]) if pair in ("“”", "‘’", "«»") else (pair, pair)
        wrapped = f"{opening}{wrapped}{ending}{closing}"
    assert kind_of("text").key(wrapped) == kind_of("text").key(words)
