"""The kept recordings hold the figures told of cascades, and the graph comes to the same."""

import io

import pytest
from rich.console import Console

from tests.benchmarks.cascading import (
    SAMPLES,
    by_graph,
    climbs,
    ended,
    frontier_of,
    halves,
    interval,
    measure,
    outcome,
    played,
    random_halves,
    recorded,
    table_of,
)
from tests.recordings.sorting import SORTINGS, drawn, path
from tscale_graph.answers import answer_kind, same_answer

SPLIT = halves()


@pytest.fixture(scope="module", params=["one half", "the other half"])
def measured(request):
    split = SPLIT if request.param == "one half" else SPLIT.swapped
    return measure(split, replays=20)


def test_a_cascade_reaches_the_long_prompts_accuracy_at_60_percent_of_its_cost(measured):
    assert measured.kept
    assert measured.gain >= -0.01
    assert measured.cost_ratio <= 0.60


def test_the_figures_are_those_that_are_told():
    one, other = measure(SPLIT, replays=20), measure(SPLIT.swapped, replays=20)
    assert [one.learnt.accept, other.learnt.accept] == [(0.5,), (0.5,)]
    for found, short, more, long, cascade, ratio in (
        (one, 0.593, 0.654, 0.666, 0.692, 0.565),
        (other, 0.612, 0.660, 0.621, 0.691, 0.520),
    ):
        assert found.more.accuracy == pytest.approx(more, abs=0.001)
        assert found.more.cost / found.long.cost == pytest.approx(0.369, abs=0.002)
        assert found.short.accuracy == pytest.approx(short, abs=0.001)
        assert found.long.accuracy == pytest.approx(long, abs=0.001)
        assert found.cascade.accuracy == pytest.approx(cascade, abs=0.001)
        assert found.cost_ratio == pytest.approx(ratio, abs=0.001)


def test_what_was_promised_when_learning_holds_on_the_other_half(measured):
    learnt = measured.learnt
    assert learnt.accuracy.low <= measured.cascade.accuracy <= learnt.accuracy.high
    assert learnt.cost_ratio.low <= measured.cost_ratio <= learnt.cost_ratio.high
    assert learnt.gain.low <= measured.gain <= learnt.gain.high


async def test_the_graph_comes_to_the_same_answers_for_the_same_tokens():
    questions = SPLIT.testing[::3]
    for seed in (0, 1):
        results = await by_graph(questions, [0.5], seed=seed)
        for question, result in zip(questions, results, strict=True):
            expected, tokens = ended(question, 0.5, seed)
            assert (result.answer, result.usage.tokens) == (expected.answer, tokens)
            rungs = 1 if tokens == played("short", question, seed).tokens else 2
            assert len(result.candidates) == rungs


def test_it_does_not_hang_on_how_the_questions_were_divided():
    kept = [measure(half, replays=10, draws=20).kept for half in random_halves(10)]
    assert sum(kept) >= 9


def test_the_halves_are_all_questions_and_have_none_in_common():
    assert len(SPLIT.learning) >= 150
    assert len(SPLIT.testing) >= 150
    assert not set(SPLIT.learning) & set(SPLIT.testing)
    assert SPLIT.swapped.learning == SPLIT.testing
    asked = [recorded("short")[one].question for one in (*SPLIT.learning, *SPLIT.testing)]
    assert len(set(asked)) == len(asked)


def test_each_question_was_asked_with_both_prompts_and_none_is_an_example():
    for place in range(len(SORTINGS)):
        for prompt in SAMPLES:
            assert path(prompt, place).stat().st_size < 400_000
            examples, questions = drawn(place, prompt)
            kept = {q.id: q for q in recorded(prompt).values() if q.id in {x.id for x in questions}}
            assert len(kept) == len(questions)
            assert not {x.question for x in examples} & {q.question for q in kept.values()}
            for question in questions:
                found = kept[question.id]
                assert (found.question, found.gold) == (question.question, question.gold)
                for sample in found.samples[::5]:
                    right = sample.answer is not None and same_answer(
                        sample.answer, question.gold, answer_kind(found.kind)
                    )
                    assert sample.correct == right


def test_it_prints_a_table_and_the_frontier(measured):
    console = Console(file=io.StringIO(), width=120)
    console.print(table_of(measured, title="both"))
    console.print(frontier_of(measured.learnt))
    printed = console.file.getvalue()
    assert "cascade" in printed
    assert "short × 12" in printed
    assert f"{100 * measured.cascade.accuracy:.1f}" in printed
    assert printed.count("0.500") == 1


def test_an_interval_is_paired_and_holds_what_was_measured():
    questions = SPLIT.testing[:60]
    long = outcome(questions, 0.0, replays=2, alone=True)
    cascade = outcome(questions, 0.5, replays=2)
    assert interval(long, long) == ((0.0, 0.0), (1.0, 1.0))
    (low, high), (less, more) = interval(cascade, long)
    assert low <= cascade.accuracy - long.accuracy <= high
    assert less <= cascade.cost / long.cost <= more
    assert len(climbs(questions, replays=2)) == 120
