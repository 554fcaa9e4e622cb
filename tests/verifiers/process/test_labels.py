"""Labels of steps against a model whose step errors are known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tscale_graph.verifiers.process.labels import (
    Bisection,
    Completion,
    Outcomes,
    Prefix,
    Shares,
    StepLabel,
    labelling_named,
    next_rollouts,
    outcomes_of,
)


class Simulated:
    """Solutions of steps that are right or wrong; from a wrong step on few succeed.

    Attributes:
        right: the probability that a step is right.
        recovers: the probability that a completion is right after a wrong step.
    """

    def __init__(self, seed, *, right=0.8, recovers=0.0, length=(4, 12)):
        self.rng = random.Random(seed)
        self.right, self.recovers, self.length = right, recovers, length
        self.rollouts = 0

    def complete(self, question, steps=(), length=None):
        length = length or self.rng.randint(*self.length)
        written = list(steps)
        while len(written) < length:
            fine = self.rng.random() < self.right
            written.append(f"{'right' if fine else 'wrong'} {self.rng.randrange(10**6)}")
        wrong = any(step.startswith("wrong") for step in written)
        right = not wrong or self.rng.random() < self.recovers
        return Completion(question, tuple(written), right, given=len(steps))

    def roll(self, prefix, length):
        self.rollouts += 1
        return self.complete(prefix.question, prefix.steps, length)


def label(labelling, model, solutions):
    completions = list(solutions)
    lengths = {one.question: len(one.steps) for one in solutions}
    while wanted := next_rollouts(labelling, solutions, outcomes_of(completions)):
        for prefix, count in wanted:
            completions += [model.roll(prefix, lengths[prefix.question]) for _ in range(count)]
    return outcomes_of(completions)


def first_wrong(solution):
    return next(k for k, step in enumerate(solution.steps) if step.startswith("wrong"))


@pytest.mark.slow
def test_bisection_finds_the_first_wrong_step_with_half_the_rollouts():
    found = {}
    for name, labelling in (("all", Shares(8, 8, low=0, high=1)), ("half", Bisection(8, 4))):
        model = Simulated(1, right=0.93)
        solutions = [model.complete(f"q{k}") for k in range(400)]
        wrong = [one for one in solutions if not one.right]
        model.rollouts = 0
        known = label(labelling, model, wrong)
        if name == "all":
            by_all = [
                next(
                    length
                    for length in range(1, len(one.steps) + 1)
                    if length == len(one.steps)
                    or not known[Prefix(one.question, one.steps[:length])].right
                )
                - 1
                for one in wrong
            ]
            found[name] = (by_all, model.rollouts)
        else:
            found[name] = ([labelling.first_wrong(one, known) for one in wrong], model.rollouts)
        truth = [first_wrong(one) for one in wrong]
        assert sum(a == b for a, b in zip(found[name][0], truth, strict=True)) >= 0.95 * len(wrong)
    same = sum(a == b for a, b in zip(found["all"][0], found["half"][0], strict=True))
    assert same >= 0.95 * len(found["all"][0])
    assert found["half"][1] <= found["all"][1] / 2


words = st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map(tuple)
completions = st.builds(
    lambda steps, right, given: Completion("q", steps, right, min(given, len(steps))),
    words,
    st.booleans(),
    st.integers(0, 5),
)


@given(st.lists(completions, max_size=12))
def test_a_completion_counts_for_what_the_model_came_by_itself(all_of_them):
    known = outcomes_of(all_of_them)
    for prefix, outcomes in known.items():
        through = [
            one
            for one in all_of_them
            if one.steps[: len(prefix.steps)] == prefix.steps and one.given <= len(prefix.steps)
        ]
        assert outcomes == Outcomes(sum(one.right for one in through), len(through))
    assert sum(o.count for o in known.values()) == sum(
        len(one.steps) + 1 - one.given for one in all_of_them
    )


def test_equal_beginnings_of_different_solutions_share_their_completions():
    one, other = Completion("q", ("a", "b"), True), Completion("q", ("a", "c"), False)
    elsewhere = Completion("another", ("a",), True)
    known = outcomes_of([one, other, elsewhere])
    assert known[Prefix("q", ("a",))] == Outcomes(1, 2)
    wanted = next_rollouts(Shares(rollouts=8, first=4), [one, other], known)
    assert wanted == [(Prefix("q", ("a",)), 2)]


@pytest.mark.parametrize(
    ("right", "count", "missing"),
    [
        (0, 0, 4),
        (1, 3, 1),
        # Beta(1, 5): P(p > 0.15) = 0.85^5 = 0.44; Beta(1, 17) at 16: 0.85^17 = 0.063.
        (0, 4, 4),
        # Beta(5, 1): P(p < 0.5) = 0.5^5 = 0.031: good for certain.
        (4, 4, 0),
        (2, 4, 4),
        (3, 8, 0),
    ],
)
def test_more_rollouts_only_where_it_is_open_on_which_side_it_is(right, count, missing):
    solution = Completion("q", ("a", "b"), True)
    known = {Prefix("q", ("a",)): Outcomes(right, count)}
    wanted = Shares(rollouts=8, first=4).wanted(solution, known)
    assert wanted == ((Prefix("q", ("a",)), missing) if missing else None)


def test_a_beginning_that_is_hopeless_for_certain_needs_no_more():
    solution = Completion("q", ("a", "b"), False)
    known = {Prefix("q", ("a",)): Outcomes(0, 18)}
    assert Shares(rollouts=32).wanted(solution, known) is None


def test_labels_are_shares_and_the_last_is_the_outcome():
    solution = Completion("q", ("a", "b", "c"), False)
    known = {Prefix("q", ("a",)): Outcomes(7, 8), Prefix("q", ("a", "b")): Outcomes(0, 4)}
    labels = Shares().labels(solution, known)
    assert [label.value for label in labels] == pytest.approx([7.5 / 9, 0.5 / 5, 0.0])
    assert [label.weight for label in labels] == pytest.approx([8 / 12, 4 / 8, 1.0])


@given(st.integers(1, 12), st.integers(0, 11), st.integers(1, 6))
def test_bisection_asks_about_a_logarithm_of_the_steps(steps, wrong, rollouts):
    wrong = min(wrong, steps - 1)
    labelling = Bisection(rollouts=rollouts, first=rollouts)
    solution = Completion("q", tuple(map(str, range(steps))), False)
    known, asked = {}, 0
    while (wanted := labelling.wanted(solution, known)) is not None:
        prefix, count = wanted
        assert prefix not in known
        good = len(prefix.steps) <= wrong
        known[prefix] = Outcomes(count if good else 0, count)
        asked += 1
    assert asked <= max(1, steps).bit_length()
    assert labelling.first_wrong(solution, known) == wrong
    values = [label.value for label in labelling.labels(solution, known)]
    assert values == [1.0] * wrong + [0.0] * (steps - wrong)


def test_right_solutions_need_no_bisection():
    solution = Completion("q", ("a", "b"), True)
    assert Bisection().wanted(solution, {}) is None
    assert Bisection().first_wrong(solution, {}) is None
    assert [label.value for label in Bisection().labels(solution, {})] == [1.0, 1.0]


def test_one_right_completion_is_enough_to_go_on():
    solution = Completion("q", ("a", "b", "c", "d"), False)
    known = {Prefix("q", ("a", "b")): Outcomes(1, 4)}
    assert Bisection(8, 4).wanted(solution, known) == (Prefix("q", ("a", "b", "c")), 4)


@given(st.floats(0.02, 0.3), st.integers(0, 2**32))
def test_shares_are_what_they_estimate(error, seed):
    model = Simulated(seed, right=1 - error, length=(3, 3))
    solution = model.complete("q")
    many = [model.roll(Prefix("q", solution.steps[:1]), 3) for _ in range(400)]
    known = outcomes_of([solution, *many])
    expected = 0.0 if solution.steps[0].startswith("wrong") else (1 - error) ** 2
    assert Shares().labels(solution, known)[0].value == pytest.approx(expected, abs=0.13)


UNKNOWN = StepLabel(0.5, 0.0)


def test_between_the_good_and_the_bad_an_unfinished_bisection_knows_nothing():
    solution = Completion("q", tuple("abcdefgh"), False)
    right, wrong = StepLabel(1.0, 1.0), StepLabel(0.0, 1.0)
    known = outcomes_of([solution])
    assert Bisection().labels(solution, known) == [UNKNOWN] * 7 + [wrong]
    known[Prefix("q", tuple("abcd"))] = Outcomes(1, 4)
    assert Bisection().labels(solution, known) == [right] * 4 + [UNKNOWN] * 3 + [wrong]
    known[Prefix("q", tuple("abcdef"))] = Outcomes(0, 4)
    assert Bisection(8).labels(solution, known) == [right] * 4 + [UNKNOWN] * 3 + [wrong]
    assert Bisection(4).labels(solution, known) == [right] * 4 + [UNKNOWN] + [wrong] * 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Shares(rollouts=0), "rollouts must be at least 1, got 0"),
        (lambda: Shares(first=0), "first must be at least 1, got 0"),
        (lambda: Bisection(rollouts=-1), "rollouts must be at least 1, got -1"),
        (lambda: Bisection(first=0), "first must be at least 1, got 0"),
        (lambda: Shares(low=0.6), "0 <= low <= high <= 1, got 0.6 and 0.5"),
        (lambda: Shares(low=-0.1), "got -0.1 and 0.5"),
        (lambda: Shares(high=1.5), "got 0.15 and 1.5"),
        (lambda: Shares(low=float("nan")), "got nan and 0.5"),
    ],
)
def test_labellings_out_of_range_are_refused_in_one_line(make, told):
    with pytest.raises(ValueError, match=told) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_of_few_completions_all_are_asked_for_at_once():
    assert Shares(2) == Shares(2, first=2)
    assert Bisection(2).first == 2


@given(st.sampled_from((Shares, Bisection)), st.integers(1, 40), st.integers(1, 40))
def test_a_name_says_all_of_a_labelling_or_there_is_none(made, rollouts, first):
    one = made(rollouts, first)
    if first == 4 or first >= rollouts <= 4:
        assert labelling_named(one.name) == one
    else:
        assert one.name is None


def test_names_are_as_short_as_they_can_be():
    names = ("shares", "shares:16", "bisection", "bisection:4")
    assert tuple(labelling_named(name).name for name in names) == names
    assert labelling_named("shares:8").name == "shares"
    assert Shares(low=0.1).name is Shares(high=0.6).name is None


@pytest.mark.parametrize("labelling", [Shares(), Bisection()])
def test_nothing_is_asked_about_solutions_that_were_cut_short(labelling):
    looping = Completion("q", ("a", *"b" * 60), False, truncated=True)
    whole = Completion("q", ("a", "c", "d"), False)
    assert next_rollouts(labelling, [looping], outcomes_of([looping])) == []
    known = outcomes_of([looping, whole])
    assert next_rollouts(labelling, [looping, whole], known) == next_rollouts(
        labelling, [whole], known
    )


@pytest.mark.parametrize("labelling", [Shares(), Bisection()])
def test_of_a_solution_that_was_cut_short_only_the_last_step_is_known_to_be_wrong(labelling):
    looping = Completion("q", tuple("abcd"), False, truncated=True)
    labels = labelling.labels(looping, outcomes_of([looping]))
    assert labels == [UNKNOWN] * 3 + [StepLabel(0.0, 1.0)]
    also = Completion("q", tuple("abx"), True)
    labels = labelling.labels(looping, outcomes_of([looping, also]))
    assert labels[1].value >= 0.5
    assert labels[1].weight > 0
    assert labels[2:] == [UNKNOWN, StepLabel(0.0, 1.0)]
