import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.documents import Document

from tscale_graph.sleeping.contexts import StandingContext

texts = st.text(max_size=8)
documents = st.dictionaries(texts, st.text(min_size=1, max_size=8), min_size=1, max_size=4)


def of(given):
    assume(any(text.strip() for text in given.values()))
    return StandingContext.of(given)


@given(documents, documents)
def test_the_key_tells_all_contexts_apart(one, other):
    assume(list(one.items()) != list(other.items()))
    assert of(one).key != of(other).key


def test_names_and_texts_do_not_run_into_each_other():
    whole = StandingContext.of({"a": "# b\n\nc", "d": "e"})
    assert whole.key != StandingContext.of({"a": "", "b": "c", "d": "e"}).key


@given(documents, st.text(min_size=1, max_size=8))
def test_a_changed_document_changes_its_own_key_alone(given, text):
    name = next(iter(given))
    assume(given[name] != text)
    before, after = of(given).keys(), of({**given, name: text}).keys()
    assert {n for n in given if before[n] != after[n]} == {name}


def test_the_fields_of_a_context_are_one():
    whole = StandingContext.of({"documents": {"a": "b"}, "name": "c"})
    assert whole == StandingContext(documents={"a": "b"}, name="c")
    assert StandingContext.of(whole.model_dump(), name="d").name == "d"
    assert StandingContext.of({"documents": "are texts, too", "name": "a"}).name == ""
    with pytest.raises(ValueError, match="name must be a text, got 3"):
        StandingContext.of("a", name=3)
    with pytest.raises(ValueError, match="name must be a text, got 3"):
        StandingContext.of({"documents": {"a": "b"}, "name": 3})


def test_documents_of_langchain_go_by_their_source():
    given = [
        Document("Tea is £2.", metadata={"source": "menu"}),
        Document("Cake is £3.", metadata={"source": "menu"}),
        Document("Closed on Mondays."),
    ]
    found = StandingContext.of(given).documents
    assert found == {"menu": "Tea is £2.\n\nCake is £3.", "document 3": "Closed on Mondays."}


def test_what_stands_in_for_a_document_is_read_in_its_place():
    context = StandingContext.of({"menu": "long", "hours": "9 to 5"})
    assert context.text({"menu": "short"}) == "# menu\n\nshort\n\n# hours\n\n9 to 5"
    assert StandingContext.of("alone").text() == "alone"


@pytest.mark.parametrize("nothing", ["", "  \n", {}, [], {"a": " "}])
def test_a_context_holds_some_text(nothing):
    with pytest.raises(ValueError, match="context must hold some text"):
        StandingContext.of(nothing)


@pytest.mark.parametrize("odd", [3, {"a": 3}, {3: "a"}, "half of \ud800"])
def test_what_is_no_context_is_refused_in_one_line(odd):
    with pytest.raises(ValueError, match=r"^context(:| must) .*$"):
        StandingContext.of(odd)
