import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.votes.making import candidate, number
from tscale_graph.votes import DeepConf, LogprobVote, StatedConfidenceVote, choose

stated = st.lists(
    st.tuples(st.sampled_from("123"), st.one_of(st.none(), st.floats(0, 1))),
    min_size=1,
    max_size=12,
)


def made(votes, field):
    return [candidate(k, answer, **{field: value}) for k, (answer, value) in enumerate(votes)]


def trace(x):
    return x if x is None else dict(mean=x, lowest_group=x, bottom_groups=x, tail=x)


@given(stated, st.floats(min_value=0.05, max_value=10))
def test_stated_confidence_weighs_by_softmax_within_the_question(votes, temperature):
    raw = [None if c is None else math.exp(c / temperature) for _, c in votes]
    known = [w for w in raw if w is not None]
    if not known:
        return
    filled = [sum(known) / len(known) if w is None else w for w in raw]
    expected = defaultdict(float)
    for (answer, _), weight in zip(votes, filled, strict=True):
        expected[answer] += weight / sum(filled)
    rule = StatedConfidenceVote(temperature)
    choice = choose(made(votes, "stated_confidence"), number, select=rule)
    assert {t.answer: t.weight for t in choice.tallies} == pytest.approx(dict(expected))
    assert choice.tallies[0].weight == max(t.weight for t in choice.tallies)


def test_a_sure_minority_beats_an_unsure_majority():
    votes = made([("1", 0.1), ("1", 0.1), ("2", 1.0)], "stated_confidence")
    assert choose(votes, number, select="majority").winner.answer == "1"
    assert choose(votes, number, select="stated_confidence").winner.answer == "2"


def test_a_sample_weighs_as_the_geometric_mean_of_its_token_probabilities():
    votes = made([("1", math.log(0.2)), ("2", math.log(0.6))], "mean_logprob")
    weights = {t.answer: t.weight for t in choose(votes, number, select=LogprobVote()).tallies}
    assert weights == pytest.approx({"1": 0.25, "2": 0.75})


def test_even_the_least_likely_samples_have_finite_weights():
    votes = made([("1", -1e6), ("2", -2e6)], "mean_logprob")
    assert choose(votes, number, select=LogprobVote(1e-3)).winner.answer == "1"


@pytest.mark.parametrize("select", ["logprob", "stated_confidence", "deepconf"])
def test_where_no_confidence_is_known_the_majority_wins_and_a_note_says_so(select):
    votes = [candidate(0, "1"), candidate(1, "2"), candidate(2, "2")]
    choice = choose(votes, number, select=select)
    assert (choice.winner.answer, choice.lead) == ("2", 1)
    assert choice.notes[0].endswith("every vote counted the same")


@given(
    st.lists(
        st.tuples(st.sampled_from("123"), st.one_of(st.none(), st.integers(0, 9))),
        min_size=1,
        max_size=15,
    ),
    st.sampled_from([0.1, 0.5, 0.9, 1]),
)
def test_deepconf_keeps_the_surest_and_weighs_them_by_confidence(votes, keep):
    known = sorted((c for _, c in votes if c is not None), reverse=True)
    if not known:
        return
    last = known[math.ceil(keep * len(known)) - 1]
    kept = [c for c in known if c >= last]
    expected = {answer: 0.0 for answer, _ in votes}
    for answer, c in votes:
        expected[answer] += sum(kept) / len(kept) if c is None else c if c >= last else 0
    candidates = made([(a, trace(c)) for a, c in votes], "confidence")
    choice = choose(candidates, number, select=DeepConf(keep=keep))
    assert {t.answer: t.weight for t in choice.tallies} == pytest.approx(expected)
    winner = choice.winner.confidence
    assert winner is None or winner.lowest_group >= last


def test_a_sample_that_was_not_kept_never_stands_for_the_answer():
    candidates = made([("1", trace(1.0)), ("1", trace(9.0)), ("2", trace(8.0))], "confidence")
    assert choose(candidates, number, select=DeepConf(keep=0.1)).winner.index == 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LogprobVote(0), "temperature must be above 0, got 0"),
        (lambda: StatedConfidenceVote(math.inf), "temperature must be above 0, got inf"),
        (lambda: DeepConf(keep=0), "keep must be above 0 and at most 1, got 0"),
        (lambda: DeepConf(measure="middle"), "measure must be one of lowest_group, .*'middle'"),
    ],
)
def test_a_wrong_parameter_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
