"""The best ratio on populations whose best ratio is known, and what no population may change."""

import random
from functools import lru_cache
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.made_up_chains import asked, chain, population
from tscale_graph.recordings.chains import RecordedChains
from tscale_graph.recordings.choosing_ratios import Chooser
from tscale_graph.recordings.ratios import BestRatios, best_ratios
from tscale_graph.recordings.revising import Expected, Ratio, every_ratio

pytestmark = pytest.mark.slow

EASY = population(48, name="easy", first=0.3, fixed=0.8)
"""Seldom right at first, but a revision puts most of them right."""
HARD = population(48, name="hard", first=0.25, fixed=0.0)
"""Right at first or never: revisions come to nothing."""


def is_hard(question: RecordedChains) -> float:
    return float(question.id.startswith("hard"))


@lru_cache
def by_kind(easy: int = 48, hard: int = 48, *, least: int = 20) -> BestRatios:
    questions = EASY[:easy] + HARD[:hard]
    return best_ratios(questions, mean_calls=3.2, bins=2, difficulty=is_hard, min_questions=least)


def test_it_goes_on_in_sequence_where_revisions_help_and_in_parallel_where_they_do_not():
    easy, hard = by_kind().classes
    assert {one.split("/")[0] for one in easy.ids} == {"easy"}
    assert (easy.chosen.ratio.chains, hard.chosen.ratio.revisions) == (1, 0)
    assert easy.chosen.ratio.revisions >= 2
    assert hard.chosen.ratio.chains == 3


def test_what_it_finds_is_what_is_true_of_the_population():
    easy, hard = by_kind().classes
    revisions = easy.chosen.ratio.revisions
    assert easy.held_out.accuracy == pytest.approx(1 - 0.7 * 0.2**revisions, abs=0.05)
    assert hard.held_out.accuracy == pytest.approx(1 - 0.75**3, abs=0.08)
    assert easy.held_out.low <= easy.held_out.accuracy <= easy.held_out.high
    assert hard.sequential.accuracy == pytest.approx(0.25, abs=0.08)
    assert easy.sequential.accuracy > easy.parallel.accuracy
    assert hard.parallel.accuracy > hard.sequential.accuracy


def test_by_difficulty_it_beats_one_ratio_for_all():
    found = by_kind()
    assert found.held_out.accuracy > found.one_for_all.accuracy + 0.02
    assert found.held_out.accuracy > max(found.parallel.accuracy, found.sequential.accuracy)


def test_without_a_verifier_revisions_that_make_right_answers_wrong_are_not_made():
    rng = random.Random(4)
    questions = []
    for k in range(60):
        said = []
        for _ in range(8):
            first = "3" if rng.random() < 0.6 else rng.choice("1245")
            said.append(first + "".join(rng.choice("1245") for _ in range(4)))
        questions.append(asked(*said, name=f"q{k}", verified=False))
    (every,) = best_ratios(questions, mean_calls=14, bins=1).classes
    assert every.chosen.ratio.revisions == 0
    assert every.chosen.ratio.chains >= 3
    assert every.held_out.accuracy > 0.65


def test_where_the_best_can_not_be_told_from_a_cheaper_one_the_cheaper_is_chosen():
    never = population(20, name="never", first=0.0, fixed=0.0)
    always = population(20, name="always", first=1.0, fixed=0.0)
    for questions in (never, always):
        (every,) = best_ratios(questions, mean_tokens=10_000).classes
        assert every.chosen.ratio == Ratio(chains=1, revisions=0)


def test_held_out_figures_do_not_count_luck():
    """Of many ratios that are all as good, the best looks better than any; held out it does not."""
    rights, held = [], []
    for seed in range(20):
        rng = random.Random(seed)
        ratios = tuple(Ratio(chains=k, revisions=0) for k in range(1, 21))
        tables = [
            {
                ratio: Expected(
                    accuracy=float(rng.random() < 0.5), tokens=20 - ratio.chains, calls=1
                )
                for ratio in ratios
            }
            for _ in range(40)
        ]
        chooser = Chooser(ratios, "calls", 2)
        chosen = chooser.best(tables)
        rights.append(fmean(table[chosen].accuracy for table in tables))
        fitted = chooser.fitted(tables, [k % 5 for k in range(40)])
        held.append(fmean(one.accuracy for one in fitted.best))
    assert fmean(rights) > 0.56
    assert fmean(held) == pytest.approx(0.5, abs=0.03)


populations = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10_000)), min_size=8, max_size=14
)


def drawn(some, *, verified=True) -> list[RecordedChains]:
    return [
        asked(
            *(
                chain(random.Random(f"{seed}/{k}"), first=first, fixed=fixed, revisions=2)
                for k in range(4)
            ),
            name=f"q{place}",
            max_revisions=2,
            verified=verified,
        )
        for place, (first, fixed, seed) in enumerate(some)
    ]


@settings(deadline=None, max_examples=40)
@given(populations, st.floats(300, 2000), st.booleans())
def test_nothing_is_chosen_over_the_budget_and_every_question_is_in_one_class(
    some, limit, verified
):
    questions = drawn(some, verified=verified)
    found = best_ratios(questions, mean_tokens=limit, min_questions=2, bins=3, folds=2)
    assert sorted(one for each in found.classes for one in each.ids) == sorted(
        question.id for question in questions
    )
    by_id = {question.id: every_ratio(question, but_first=2) for question in questions}
    for each in found.classes:
        assert each.chosen.tokens <= limit
        assert each.chosen in each.table
        costs = [row.tokens for row in each.table]
        assert costs == sorted(costs)
        for row in each.table:
            at = [by_id[one][row.ratio] for one in each.ids]
            assert row.tokens == pytest.approx(fmean(one.tokens for one in at))
            assert row.calls == pytest.approx(fmean(one.calls for one in at))
            assert row.accuracy == pytest.approx(fmean(one.accuracy for one in at))
    together = [one for each in found.classes for one in each.held_out.each]
    assert list(found.held_out.each) == together
    assert found.held_out.accuracy == pytest.approx(fmean(together))


@settings(deadline=None, max_examples=20)
@given(populations, st.randoms(use_true_random=False))
def test_what_is_right_on_the_chains_that_are_played_never_moves_a_question(some, rng):
    questions = drawn(some)
    moved = [
        question.model_copy(
            update={
                "chains": (
                    *question.chains[:2],
                    *(drawn([(rng.random(), 0.5, rng.getrandbits(20))])[0].chains[2:]),
                )
            }
        )
        for question in questions
    ]
    first, second = (
        best_ratios(one, mean_calls=9, min_questions=2, folds=2) for one in (questions, moved)
    )
    assert [each.ids for each in first.classes] == [each.ids for each in second.classes]


def test_a_new_question_finds_its_class_by_its_difficulty():
    found = by_kind()
    easy, hard = found.classes
    assert (easy.begins, easy.ends, hard.begins, hard.ends) == (None, 1.0, 1.0, None)
    assert [found.at(value) for value in (-1, 0.99, 1.0, 7)] == [easy, easy, hard, hard]


def test_classes_of_too_few_questions_are_pooled():
    assert len(best_ratios(EASY[:30], mean_calls=3, bins=5).classes) == 1
    assert len(by_kind(30, 10).classes) == 1
    assert len(by_kind(30, 10, least=10).classes) == 2


def test_it_repeats_by_its_seed_and_travels_as_json():
    first = best_ratios(HARD[:24], mean_calls=3, seed=1)
    assert first == best_ratios(HARD[:24], mean_calls=3, seed=1)
    assert first.parallel != best_ratios(HARD[:24], mean_calls=3, seed=2).parallel
    assert BestRatios.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("questions", "arguments", "said"),
    [
        (EASY, {}, "give one of mean_tokens and mean_calls, got None and None"),
        (EASY, {"mean_tokens": 9, "mean_calls": 3}, "give one of mean_tokens and mean_calls, got"),
        (EASY, {"mean_calls": 0}, "mean_calls must be above 0, got 0"),
        (EASY, {"mean_tokens": float("nan")}, "mean_tokens must be above 0, got nan"),
        (EASY, {"mean_tokens": 90}, "mean_tokens must be at least 105.0, what one answer costs"),
        (EASY, {"mean_calls": 3, "bins": 0}, "bins must be at least 1, got 0"),
        (EASY, {"mean_calls": 3, "folds": 1}, "folds must be at least 2, got 1"),
        (EASY, {"mean_calls": 3, "probes": 0}, "probes must be at least 1 to tell difficulty by a"),
        (EASY, {"mean_calls": 3, "probes": 8}, "question 'easy/0' must have more than 8 chains"),
        (EASY[:4], {"mean_calls": 3}, "needs at least 5 questions, one a fold, got 4"),
        ([*EASY, EASY[0]], {"mean_calls": 3}, "must be of one question, got 'easy/0' twice"),
        ([*EASY, asked("1", "2", "3", verified=False)], {"mean_calls": 3}, "all have a verifier"),
        ([asked("1", "2", "3", name=f"q{k}", verified=False) for k in range(9)],
         {"mean_calls": 3, "probes": 1}, "must be at least 2 to tell difficulty by agreement"),
    ],
)  # fmt: skip
def test_what_it_cannot_answer_is_refused_in_one_line(questions, arguments, said):
    with pytest.raises(ValueError, match=said) as refused:
        best_ratios(questions, **arguments)
    assert "\n" not in str(refused.value)
