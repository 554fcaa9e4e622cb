"""What a run tells whoever watches it, and how often it reads a text."""

import pytest

from tests.scripted import Scripted
from tscale_graph import Budget, best_of_n, router, self_consistency

SAMPLES = 6
TEXTS = [f"The answer is {number}" for number in range(SAMPLES)]
STATE = {"messages": [("user", "How many?")], "budget": Budget(calls=SAMPLES)}
FIRST_THREE = {"max_samples": SAMPLES, "max_parallel": 3}


def scripted():
    return Scripted(answers=TEXTS)


GRAPHS = {
    "alone": lambda: self_consistency(scripted(), **FIRST_THREE),
    "speculating": lambda: self_consistency(scripted(), **FIRST_THREE, speculate=2),
    "routed": lambda: router(
        {
            "classes": {"any": {"technique": "self_consistency", "arguments": FIRST_THREE}},
            "default_class": "any",
        },
        model=scripted(),
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
async def test_every_sample_is_told_once_as_it_comes(name):
    graph = GRAPHS[name]().compile()
    told = [
        event["sample"]
        async for _, event in graph.astream(STATE, stream_mode="custom", subgraphs=True)
        if "sample" in event
    ]
    assert [sample["index"] for sample in told] == [*range(SAMPLES)]
    assert {sample["text"] for sample in told} == set(TEXTS)


def test_samples_are_told_under_invoke_too():
    graph = GRAPHS["routed"]().compile()
    told = [event for _, event in graph.stream(STATE, stream_mode="custom", subgraphs=True)]
    assert {e["sample"]["text"] for e in told if "sample" in e} == set(TEXTS)


@pytest.mark.parametrize(
    "technique",
    [
        lambda answer: self_consistency(scripted(), answer=answer, **FIRST_THREE),
        lambda answer: best_of_n(
            scripted(), lambda question, text: 0.5, n=SAMPLES, max_parallel=3, answer=answer
        ),
    ],
    ids=["self_consistency", "best_of_n"],
)
async def test_no_text_is_read_twice_however_many_waves_there_are(technique):
    read = []

    def answer(text):
        read.append(text)
        return text.rsplit(" ", 1)[-1]

    out = await technique(answer).compile().ainvoke(STATE)
    assert len(out["result"].candidates) == SAMPLES
    assert sorted(read) == TEXTS
