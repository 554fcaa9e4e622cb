"""The benchmark of ratios on the kept recording: what the manual shows is what it measures."""

from functools import lru_cache
from statistics import fmean

import pytest

from tests.benchmarks.ratio import (
    BEGIN,
    BUDGETS,
    END,
    FILE,
    LEAST,
    MANUAL,
    at_cost,
    kept_in,
    measure,
    report,
)
from tests.recordings.made_up_chains import population
from tests.recordings.revisions import CHAINS, REVISIONS
from tscale_graph.recordings.files import read_chains
from tscale_graph.recordings.revising import Ratio, every_ratio

pytestmark = pytest.mark.slow


@lru_cache
def kept():
    return list(read_chains(FILE))


@lru_cache
def rows(budget):
    return measure(kept(), budget)


def test_the_recording_is_whole():
    assert len({question.id for question in kept()}) == len(kept()) >= 2 * LEAST
    for question in kept():
        assert (len(question.chains), question.max_revisions) == (CHAINS, REVISIONS)
        for chain in question.chains:
            assert all(one.passed is not True for one in chain[:-1]), "a pass ends its chain"
            assert all(one.correct == (one.passed is True) for one in chain)
    assert FILE.stat().st_size < 300_000


def test_the_manual_shows_what_is_measured_on_it():
    shown = MANUAL.read_text().split(BEGIN)[1].split(END)[0]
    assert shown == report(kept())


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_others_get_as_many_tokens_as_the_choice_took_or_all_that_were_recorded(budget):
    for row in rows(budget):
        for other in (row.parallel, row.sequential):
            assert other.tokens <= row.best.tokens + 1e-6
            assert len(other.each) == len(row.best.each)


@pytest.mark.parametrize("budget", BUDGETS)
def test_this_model_does_better_with_more_answers_than_with_revisions(budget):
    *classes, by_difficulty, one_ratio = rows(budget)
    assert len(classes) == 2
    assert all(row.ratio.revisions == 0 for row in classes)
    for row in (by_difficulty, one_ratio):
        assert row.over(row.sequential).low > 0
        assert row.over(row.parallel).low <= 0


def test_the_manual_says_what_revisions_do():
    chains = [chain for question in kept() for chain in question.chains]
    first = fmean(chain[0].correct for chain in chains)
    ever = fmean(any(one.correct for one in chain) for chain in chains)
    words = MANUAL.read_text()
    assert f"{first:.1%} of its first versions".replace("%", " %") in words
    assert f"{ever:.1%} of its chains".replace("%", " %") in words


def test_two_ratios_are_mixed_to_cost_what_was_asked_for():
    tables = [
        every_ratio(one, shared_prompt=False) for one in population(9, name="h", first=0.2, fixed=0)
    ]
    ratios = [Ratio(chains=k, revisions=0) for k in (1, 2, 3)]
    two, three = (fmean(t[r].tokens for t in tables) for r in ratios[1:])
    mixed = at_cost(tables, ratios, (two + 3 * three) / 4)
    assert mixed.tokens == pytest.approx((two + 3 * three) / 4)
    right = [fmean(t[r].accuracy for t in tables) for r in ratios[1:]]
    assert mixed.accuracy == pytest.approx((right[0] + 3 * right[1]) / 4)
    assert at_cost(tables, ratios, 10 * three).tokens == pytest.approx(three)
    assert at_cost(tables, ratios, 1).tokens == pytest.approx(
        fmean(t[ratios[0]].tokens for t in tables)
    )


def test_the_manual_must_mark_where_the_table_goes():
    assert kept_in(f"a\n{BEGIN}old\n{END}b\n", "new\n") == f"a\n{BEGIN}new\n{END}b\n"
    with pytest.raises(ValueError, match="once, got 0 places"):
        kept_in("nothing", "new\n")
