"""Recorded chains from runs of `refine` itself, with scripted models."""

import pytest

from tests.techniques.refining.revising import numbering, tenths
from tests.techniques.searching import QUESTION, ask
from tscale_graph import Budget, refine, self_consistency
from tscale_graph.recordings.chain_results import recorded_chains
from tscale_graph.recordings.files import append_question, read_chains
from tscale_graph.recordings.ratios import best_ratios


async def run(model, verifier=tenths, *, budget=None, **more):
    return await ask(refine(model, verifier, answer="number", **more), budget)


def recorded(*results, verifier="tenths", max_revisions=4, **more):
    return recorded_chains(
        results, id="q", kind="number", verifier=verifier, max_revisions=max_revisions, **more
    )


def said(question):
    return ["".join(version.answer or "-" for version in chain) for chain in question.chains]


async def test_each_run_of_one_chain_is_a_chain():
    results = [await run(numbering(2, 5, 10)), await run(numbering(7, 4, 8, 1, 2))]
    question = recorded(*results)
    assert question.question == QUESTION
    assert [[one.answer for one in chain] for chain in question.chains] == [
        ["2", "5", "10"],
        ["7", "4", "8", "1", "2"],
    ]
    assert [one.score for one in question.chains[0]] == [0.2, 0.5, 1.0]
    assert [one.base for one in question.chains[1]] == [None, 0, 0, 2, 2]
    assert [one.correct for one in question.chains[0]] == [False, False, True]


async def test_the_gold_answer_says_what_is_right_where_there_is_one():
    question = recorded(await run(numbering(2, 5, 10)), gold="5.0")
    assert [one.correct for one in question.chains[0]] == [False, True, False]


async def test_from_runs_of_refine_to_the_ratio_for_a_new_question(tmp_path):
    for place in range(6):
        results = [await run(numbering(first, 4, 10)) for first in (2, 3, 5, 10)]
        name = f"q{place}"
        question = recorded_chains(
            results, id=name, kind="number", verifier="tenths", max_revisions=4
        )
        append_question(tmp_path / "chains.jsonl.gz", question)
    ratios = best_ratios(read_chains(tmp_path / "chains.jsonl.gz"), mean_calls=4)
    ratio = ratios.at(0.8).chosen.ratio
    result = await run(numbering(2, 4, 10), chains=ratio.chains, max_revisions=ratio.revisions)
    assert result.verdict.passed


async def test_costs_add_up_to_what_the_run_says_it_spent():
    for critiques, verifier in (((), tenths), (["Add.\nVerdict: revise"], None)):
        result = await run(numbering(2, 5, 5, 6, critiques=critiques), verifier)
        name = None if verifier is None else "tenths"
        chain = recorded(result, verifier=name, gold="5").chains[0]
        assert sum(one.tokens for one in chain) == result.usage.tokens
        assert sum(one.calls for one in chain) == result.usage.calls


async def test_chains_of_one_run_are_told_apart_by_what_they_revise():
    result = await run(numbering(1, 2, 3, 4, 5, 6), chains=2, max_revisions=2)
    question = recorded(result, chains=2, max_revisions=2)
    assert said(question) == ["135", "246"]
    assert [one.base for one in question.chains[1]] == [None, 0, 1]


async def test_chains_that_another_ended_by_passing_are_refused():
    result = await run(numbering(1, 2, 10, 4), chains=2)
    with pytest.raises(ValueError, match="passed and ended the other chains of its run"):
        recorded(result, chains=2)


async def test_chains_that_cannot_be_told_apart_are_refused():
    silent = await run(numbering("What?", 2, 3, 4, 5, 6), chains=2, max_revisions=2)
    with pytest.raises(
        ValueError,
        match="was begun 2 times in a run of chains=3, so its chains cannot be told apart",
    ):
        recorded(silent, chains=3)


async def test_a_run_that_was_cut_off_is_refused():
    cut = await run(numbering(1, 2, 3, 4), budget=Budget(calls=2))
    with pytest.raises(ValueError, match="was cut off by calls"):
        recorded(cut)


async def test_a_result_of_something_else_is_refused():
    other = await ask(self_consistency(numbering(3), max_samples=1, answer="number"))
    with pytest.raises(ValueError, match="must be one of refine, got self_consistency"):
        recorded(other)


def test_there_must_be_something_to_judge_by():
    with pytest.raises(ValueError, match="neither a gold answer nor a verifier"):
        recorded(verifier=None)
    with pytest.raises(ValueError, match="kind must be the name of a kind of answer, got 'auto'"):
        recorded_chains([], id="q", verifier="tenths", kind="auto", max_revisions=4)
