"""Which questions count as anticipated."""

import math

import pytest
from langchain_core.embeddings import Embeddings

from tests.scripted import Scripted
from tests.techniques.waking.awake import asked, awake, slept
from tscale_graph.sleeping.matching import Pair
from tscale_graph.techniques.waking.matching import (
    EmbeddingMatcher,
    Found,
    JudgeMatcher,
    LexicalMatcher,
)
from tscale_graph.verifiers.judges import equivalent


@pytest.mark.parametrize("place", [7, -1, "0", 0.5])
async def test_a_matcher_that_names_no_question_costs_a_note(place):
    class Wrong:
        async def find(self, question, anticipated, *, lease, deadline):
            return Found(place=place)

    graph, _ = awake(await slept(), matcher=Wrong())
    result = (await graph.ainvoke(asked()))["result"]
    assert (result.answer, result.technique) == ("2", "self_consistency")
    assert any(
        note.startswith(f"the matcher named question {place!r} of 2") for note in result.notes
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"shown": 0}, "shown must be at least 1, got 0"),
        ({"least": 2}, "least must be from 0 to 1"),
    ],
)
def test_a_matcher_by_a_model_is_told_what_makes_sense(arguments, told):
    with pytest.raises(ValueError, match=told):
        JudgeMatcher(equivalent(Scripted()), **arguments)


class Letters(Embeddings):
    """Counts of letters: enough for texts that differ by little."""

    def embed_documents(self, texts):
        return [[float(text.lower().count(letter)) for letter in "aeioumtckp"] for text in texts]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


async def test_a_matcher_by_embeddings_takes_what_is_near_enough():
    store = await slept()
    near, _ = awake(store, matcher=EmbeddingMatcher(Letters(), 0.9))
    assert (await near.ainvoke(asked("How much is the tea?")))["result"].technique == "wake"
    far, _ = awake(store, matcher=EmbeddingMatcher(Letters(), 0.9999))
    assert (await far.ainvoke(asked("How much is the tea?")))["result"].technique != "wake"


async def test_embeddings_do_not_take_other_numbers_for_the_same():
    matcher = EmbeddingMatcher(Letters(), 0.5)
    found = await matcher.find(
        "What do 3 teas cost?", ["What do 2 teas cost?", "Is it open?"], lease=None, deadline=None
    )
    assert found.place == 1 or found.place is None
    alone = await matcher.find("What do 3 teas?", ["What do 2 teas?"], lease=None, deadline=None)
    assert (alone.place, alone.similarity) == (None, 0)


def test_thresholds_are_learnt_from_pairs():
    pairs = [Pair("How much is the tea?", "How much is tea?", True)] * 150
    pairs += [Pair("How much is tea?", "Is tea served with milk?", False)] * 20
    for matcher in (LexicalMatcher.learnt(pairs), EmbeddingMatcher.learnt(Letters(), pairs)):
        assert 0.5 < matcher.threshold < 1
    assert LexicalMatcher.learnt(pairs[150:]).threshold == math.inf


async def test_a_matcher_that_fails_costs_a_note_and_not_the_answer():
    class Fails:
        async def find(self, question, anticipated, *, lease, deadline):
            raise ConnectionError("no embeddings today")

    graph, _ = awake(await slept(), matcher=Fails())
    result = (await graph.ainvoke(asked()))["result"]
    assert result.answer == "2"
    assert "the matcher failed: ConnectionError: no embeddings today" in result.notes


async def test_a_matcher_by_a_model_is_paid_for_by_the_request():
    store = await slept()
    says = Scripted(answers=['{"reason": "the same", "same": true}'])
    graph, model = awake(store, matcher=JudgeMatcher(equivalent(says)))
    result = (await graph.ainvoke(asked("How much is the tea?")))["result"]
    assert (result.technique, result.answer) == ("wake", "2")
    assert result.usage.calls == len(says.calls) == 1
    assert model.calls == []


@pytest.mark.parametrize("threshold", [0, -1, math.nan])
def test_a_threshold_is_above_0(threshold):
    with pytest.raises(ValueError, match="threshold must be above 0"):
        LexicalMatcher(threshold)
