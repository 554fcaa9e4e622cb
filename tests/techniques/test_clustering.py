"""Free text that is counted by what it means."""

import asyncio
import math
import zlib

import pytest
from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.memory import InMemorySaver

from tests.scripted import Scripted
from tests.verifiers.judges.readers import billed, fenced, reader
from tscale_graph import Budget, BudgetExceeded, best_of_n, self_consistency
from tscale_graph.candidates import SamplingError
from tscale_graph.verifiers.judges import judge
from tscale_graph.verifiers.meaning import semantic

PARIS = ("It is Paris.", "Paris it is", "The city is Lyon", "it is, Paris")


class BagOfWords(Embeddings):
    """Counts of words, hashed into a vector: texts of the same words are the same."""

    def __init__(self, *, size=256, delay=0.0, broken=False):
        self.size, self.delay, self.broken = size, delay, broken
        self.texts = []

    def embed_query(self, text):
        vector = [0.0] * self.size
        for word in text.casefold().replace(",", " ").replace(".", " ").split():
            vector[zlib.crc32(word.encode()) % self.size] += 1.0
        return vector

    def embed_documents(self, texts):
        if self.broken:
            raise ConnectionError("no embeddings today")
        self.texts.append(list(texts))
        return [self.embed_query(text) for text in texts]

    async def aembed_documents(self, texts):
        await asyncio.sleep(self.delay)
        return self.embed_documents(texts)


def same_city(prompt):
    shown = fenced(prompt)
    cities = [
        next((c for c in ("paris", "lyon") if c in shown[label].casefold()), shown[label])
        for label in ("first", "second")
    ]
    return f'{{"same": {str(cities[0] == cities[1]).lower()}}}'


async def ask(model, answer, budget=None, config=None, **arguments):
    arguments = {"max_samples": 4, "stop": "fixed", **arguments}
    graph = self_consistency(model, answer=answer, **arguments).compile()
    asked = {"messages": [("user", "Where?")], "budget": budget or Budget(tokens=100_000)}
    return (await graph.ainvoke(asked, config))["result"]


async def test_paraphrases_are_voted_together_by_an_embedding_model():
    embeddings = BagOfWords()
    result = await ask(Scripted(answers=PARIS), semantic(embeddings=embeddings))
    assert result.answer == "It is Paris."
    assert [(tally.answer, tally.count) for tally in result.votes] == [
        ("It is Paris.", 3),
        ("The city is Lyon", 1),
    ]
    assert (result.agreement, result.usage.calls) == (0.75, 4)


async def test_without_clusters_the_same_texts_are_all_different():
    result = await ask(Scripted(answers=PARIS), "text")
    assert [tally.count for tally in result.votes] == [1, 1, 1, 1]


async def test_the_threshold_decides_what_is_near_enough():
    words = semantic(embeddings=BagOfWords(), threshold=0.2)
    result = await ask(Scripted(answers=PARIS), words)
    assert [tally.count for tally in result.votes] == [4], "all of them say is"
    assert math.isclose(result.agreement, 1.0)


async def test_paraphrases_are_voted_together_by_a_judge_within_the_budget():
    model, asked = Scripted(answers=PARIS), reader(same_city)
    result = await ask(model, semantic(model=asked))
    assert [tally.count for tally in result.votes] == [3, 1]
    assert asked.calls
    assert result.usage.calls == len(model.calls) + len(asked.calls)
    assert result.usage.tokens == billed(model) + billed(asked)


async def test_agreement_in_meaning_settles_the_vote_early():
    answers = [f"{word} Paris" for word in ("It is", "Surely", "Oh,", "That's", "Hm,", "Well,")]
    model, asked = Scripted(answers=answers), reader(same_city)
    result = await ask(model, semantic(model=asked), max_samples=16, stop="beta")
    assert (result.agreement, len(model.calls)) == (1.0, 4)


async def test_an_answer_is_compared_only_once():
    embeddings = BagOfWords()
    model = Scripted(answers=PARIS)
    await ask(model, semantic(embeddings=embeddings), max_samples=12, max_parallel=4)
    assert embeddings.texts == [list(dict.fromkeys(PARIS))[:4]]


async def test_embeddings_that_fail_leave_the_texts_apart_and_a_note_says_so():
    result = await ask(Scripted(answers=PARIS), semantic(embeddings=BagOfWords(broken=True)))
    assert [tally.count for tally in result.votes] == [1, 1, 1, 1]
    assert "answers could not be compared: ConnectionError: no embeddings today" in result.notes


async def test_embeddings_that_hang_are_given_up_on_at_the_deadline():
    slow = semantic(embeddings=BagOfWords(delay=60))
    result = await asyncio.wait_for(ask(Scripted(answers=PARIS), slow, Budget(seconds=0.3)), 5)
    assert result.answer == "It is Paris."
    assert any("answers could not be compared: TimeoutError" in note for note in result.notes)


@pytest.mark.parametrize("said", ["dunno", ""])
async def test_a_judge_that_is_no_use_leaves_the_texts_apart_and_is_paid(said):
    model, asked = Scripted(answers=PARIS), reader(said)
    result = await ask(model, semantic(model=asked))
    assert [tally.count for tally in result.votes] == [1, 1, 1, 1]
    assert any("not compared with other answers" in note for note in result.notes)
    assert result.usage.tokens == billed(model) + billed(asked)


@pytest.mark.parametrize("calls", range(1, 12))
async def test_samples_and_comparisons_together_keep_to_the_calls(calls):
    model, asked = Scripted(answers=PARIS), reader(same_city)
    result = await ask(model, semantic(model=asked), Budget(calls=calls), max_parallel=2)
    spent = len(model.calls) + len(asked.calls)
    assert result.usage.calls == spent <= calls


@pytest.mark.parametrize("tokens", range(20, 3_000, 271))
async def test_samples_and_comparisons_together_keep_to_the_tokens(tokens):
    model, asked = Scripted(answers=PARIS), reader(same_city)
    try:
        usage = (
            await ask(model, semantic(model=asked), Budget(tokens=tokens), max_output_tokens=20)
        ).usage
    except (BudgetExceeded, SamplingError) as error:
        usage = error.usage
    assert usage.tokens == billed(model) + billed(asked) <= tokens


async def test_clusters_survive_a_checkpoint_and_are_not_paid_for_again():
    model, asked = Scripted(answers=PARIS), reader(same_city)
    graph = self_consistency(model, answer=semantic(model=asked), max_samples=4, stop="fixed")
    kept = graph.compile(checkpointer=InMemorySaver(), interrupt_after=["cluster"])
    thread = {"configurable": {"thread_id": "1"}}
    question = {"messages": [("user", "Where?")], "budget": Budget(tokens=100_000)}
    await kept.ainvoke(question, thread)
    comparisons = len(asked.calls)
    assert comparisons >= 3
    result = (await kept.ainvoke(None, thread))["result"]
    assert [tally.count for tally in result.votes] == [3, 1]
    assert (len(asked.calls), result.usage.calls) == (comparisons, 4 + comparisons)


async def test_clusters_of_an_earlier_question_are_forgotten():
    model, asked = Scripted(answers=PARIS), reader(same_city)
    graph = self_consistency(model, answer=semantic(model=asked), max_samples=4, stop="fixed")
    kept = graph.compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    question = {"messages": [("user", "Where?")], "budget": Budget(tokens=100_000)}
    usages = [(await kept.ainvoke(question, thread))["result"].usage.calls for _ in range(2)]
    assert usages[0] == usages[1] == 4 + len(asked.calls) / 2


async def test_room_is_kept_for_judging_and_for_comparing():
    sampler, compares = Scripted(answers=PARIS), reader(same_city)
    scores = reader('{"score": 5}')
    graph = best_of_n(
        sampler, judge(scores), n=4, stop="fixed", answer=semantic(model=compares), max_parallel=1
    ).compile()
    question = {"messages": [("user", "Where?")], "budget": Budget(calls=6)}
    result = (await graph.ainvoke(question))["result"]
    # Three calls for each sample: its own, the judge's, and one comparison.
    assert (len(sampler.calls), len(scores.calls)) == (2, 2)
    assert result.usage.calls <= 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs embeddings= or model="),
        ({"embeddings": BagOfWords(), "model": Scripted()}, "one of the two"),
        ({"embeddings": BagOfWords(), "threshold": 0}, "threshold must be above 0"),
        ({"embeddings": BagOfWords(), "threshold": 1.5}, "at most 1, got 1.5"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        semantic(**arguments)
