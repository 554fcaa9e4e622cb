"""What is measured is what the simulator plays and what an enumeration says."""

import itertools

import numpy as np
import pytest

from tests.recordings.made_up import many, question
from tscale_graph.recordings.simulating import prepare, simulate
from tscale_graph.stopping import AnswerPrior, FirstPass, stopping_rule
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.playable import replayable
from tscale_graph.tuning.settings import Setting, default_settings


def test_votes_of_a_fixed_number_are_exact():
    asked = question("q", "3312-4", prompt_tokens=10)
    measured = measure({"numbers": [asked]}, [Setting.vote(n) for n in (1, 2, 3)])
    for column, n in enumerate((1, 2, 3)):
        rights, tokens = [], []
        for drawn in itertools.combinations(asked.samples, n):
            said = [sample.answer for sample in drawn if sample.answer]
            most = max((said.count(answer) for answer in said), default=0)
            leaders = {answer for answer in said if said.count(answer) == most}
            rights.append(("3" in leaders) / max(1, len(leaders)))
            tokens.append(10 + sum(sample.output_tokens for sample in drawn))
        assert measured.accuracy[0, column] == pytest.approx(np.mean(rights))
        assert measured.tokens[0, column] == pytest.approx(np.mean(tokens))
        assert measured.calls[0, column] == n


@pytest.mark.parametrize(
    "setting",
    [
        Setting.vote(12, stop="beta:0.8"),
        Setting.vote(12, stop="window:3"),
        Setting.vote(12, stop="value_of_information:1e-4,a=1,b=2,gamma=1", max_parallel=1),
        Setting.vote(12, stop="beta:0.8", max_parallel=3, speculate=2),
        Setting.vote(12, stop="beta:0.8", speculate=1),
        Setting.vote(
            12,
            stop="value_of_information:1e-4,a=1,b=2,gamma=1",
            max_parallel=4,
            speculate=3,
        ),
        Setting.best_of(6, stop="fixed", select="max"),
        Setting.best_of(6, stop="sprt"),
        Setting.best_of(6, stop="sprt", speculate=2),
    ],
    ids=lambda setting: setting.name,
)
def test_everything_else_is_what_the_simulator_plays(setting):
    asked = many(4, 20)
    measured = measure({"numbers": asked}, [setting], replays=5)
    one = replayable(setting)
    checked = "recorded" if one.verified else "none"
    for row, each in enumerate(asked):
        deck = prepare(each, verification=checked)
        played = [
            simulate(
                deck,
                one.rule,
                seed=seed,
                max_samples=one.most,
                select=one.select,
                max_parallel=one.max_parallel,
                speculate=one.speculate,
            )
            for seed in range(5)
        ]
        assert measured.accuracy[row, 0] == pytest.approx(np.mean([p.right for p in played]))
        assert measured.tokens[row, 0] == pytest.approx(np.mean([p.tokens for p in played]))
        assert measured.calls[row, 0] == pytest.approx(np.mean([p.samples for p in played]))


@pytest.mark.parametrize("speculate", [0, 1, 3, 9])
def test_where_the_verifier_is_never_wrong_only_accuracy_is_more_exact_than_the_simulator(
    speculate,
):
    asked = many(4, 20)
    setting = Setting.best_of(6, speculate=speculate)
    measured = measure({"numbers": asked}, [setting], replays=400)
    for row, each in enumerate(asked):
        deck = prepare(each, verification="recorded")
        played = [
            simulate(
                deck,
                FirstPass(),
                seed=seed,
                max_samples=6,
                select="weighted",
                speculate=speculate,
            )
            for seed in range(400)
        ]
        assert measured.tokens[row, 0] == pytest.approx(np.mean([p.tokens for p in played]))
        assert measured.accuracy[row, 0] == pytest.approx(
            np.mean([p.right for p in played]), abs=0.08
        )


def test_a_value_of_information_is_played_with_what_the_other_half_shows():
    asked = many(12, 20)
    setting = Setting.vote(16, stop="value_of_information:1e-3")
    measured = measure({"numbers": asked}, [setting], replays=3)
    told = measure({"numbers": asked}, [setting], replays=3, priors=measured.priors)
    assert isinstance(measured.priors["numbers"], AnswerPrior)
    assert told.priors == measured.priors
    policy = setting.as_policy(measured.priors["numbers"])
    prior = measured.priors["numbers"]
    assert stopping_rule(policy.arguments["stop"]).prior.a == pytest.approx(prior.a, rel=1e-3)


def test_what_cannot_be_replayed_is_left_out_with_a_note():
    bare = [
        q.model_copy(
            update={
                "samples": tuple(
                    s.model_copy(update={"score": None, "passed": None}) for s in q.samples
                )
            }
        )
        for q in many(3, 6)
    ]
    measured = measure({"law": bare}, [Setting.vote(1), Setting.vote(8), Setting.best_of(2)])
    assert np.isnan(measured.accuracy[:, 1:]).all()
    assert measured.notes == (
        "law: 1 settings need more than the 6 recorded samples",
        "law: 1 settings need a verifier, and none is recorded",
    )


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (Setting(name="trees", technique="lats"), "lats cannot be replayed from samples"),
        (Setting.vote(3, temperature=0), "temperature cannot be replayed"),
        (Setting.vote(3, stop="magic"), "setting 'vote magic, at most 3': stop must be one of"),
        (Setting.vote(0), "samples must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_refused_in_one_line(setting, says):
    with pytest.raises(ValueError, match=says) as error:
        measure({"numbers": many(2, 4)}, [setting])
    assert "\n" not in str(error.value)


def test_bad_input_is_refused_in_one_line():
    one = [Setting.vote(1)]
    with pytest.raises(ValueError, match="replays must be at least 1, got 0"):
        measure({"a": many(2)}, one, replays=0)
    with pytest.raises(ValueError, match="class 'a' must have at least one question, got none"):
        measure({"a": []}, one)
    with pytest.raises(ValueError, match="name of its own, got 'one pass' twice"):
        measure({"a": many(2)}, one * 2)
    with pytest.raises(ValueError, match='verified must be "no", "scores" or "decides"'):
        default_settings("yes")


def test_default_settings_have_names_of_their_own_and_can_be_replayed():
    for verified in ("no", "scores", "decides"):
        for most in (1, 5, 40):
            settings = default_settings(verified, most=most)
            assert len({setting.name for setting in settings}) == len(settings)
            assert all(replayable(setting).most <= most for setting in settings)


def test_what_is_not_measured_has_no_price():
    asked = {"numbers": [question("q", "3312")], "checked": [question("r", "3312")]}
    settings = [Setting.vote(2), Setting.best_of(2, stop="fixed")]
    measured = measure(
        asked, settings, verification={"numbers": "none", "checked": "gold"},
        usd=lambda inputs, outputs: inputs + 2 * outputs,
    )  # fmt: skip
    assert np.isnan(measured.usd[0, 1])
    assert np.isnan(measured.tokens[0, 1])
    assert np.isfinite(measured.usd[[0, 1, 1], [0, 0, 1]]).all()
    assert (measured.usd[1] > measured.tokens[1]).all()
