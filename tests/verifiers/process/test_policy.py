"""Hidden states and log-probabilities of the embedded model, as features by name."""

import subprocess
import sys

import numpy as np
import pytest

from tests.verifiers.process.test_model import CARD
from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers.process.features import column_names, features_of_many
from tscale_graph.verifiers.process.fitting import LabelledSteps, fit
from tscale_graph.verifiers.process.logprobs import TokenLogprobs
from tscale_graph.verifiers.process.model import ProcessRewardModel, built_in

QUESTION = "Tom has 3 apples and gets 4 more. How many has he?"
STEPS = ["3 + 4 = 7", "答えは 7.", "Die Antwort ist 7."]


def stand_in(monkeypatch, pieces):
    """The embedded model replaced by one that reads so many of the pieces of what it is given."""
    from tscale_graph.models import embedded_states
    from tscale_graph.verifiers.process import policy

    def states_of(question, text, *, system=None):
        told = [*text][:pieces]
        hidden = np.arange(len(told) + 1, dtype=np.float32)[:, None] * np.ones(3, np.float32)
        ids = np.zeros(len(told), dtype=np.int64)
        return embedded_states.States(tuple(told), ids, hidden, len(told) == len(text))

    monkeypatch.setattr(policy, "states_of", states_of)
    monkeypatch.setattr(policy, "log_probabilities", lambda states: -states.hidden[1:, 0])
    return policy


def test_a_step_has_the_state_at_its_end_and_a_blank_one_that_before_it(monkeypatch):
    policy = stand_in(monkeypatch, 99)
    one = policy.HiddenStates(dimensions=3)
    assert one("q", ["ab", " ", "c\n"])[:, 0].tolist() == [3, 3, 5]
    assert one("q", [" "])[:, 0].tolist() == [0], "the end of the question"
    assert one("q", []).shape == (0, 3)
    assert one.columns == ("state.0", "state.1", "state.2")


def test_what_was_not_read_is_unknown(monkeypatch):
    policy = stand_in(monkeypatch, 4)
    found = policy.HiddenStates(dimensions=3)("q", ["ab", "c", "d"])
    assert found[0, 0] == 3
    assert np.isnan(found[1:]).all()
    logprobs = TokenLogprobs(policy.EmbeddedLogprobs())("q", ["ab", "c", "d"])
    assert logprobs[:, 0] == pytest.approx([-1.5, -4, np.nan], nan_ok=True)


def test_states_of_other_weights_have_other_dimensions(monkeypatch):
    policy = stand_in(monkeypatch, 9)
    [(matrix, notes)] = features_of_many([policy.HiddenStates(dimensions=5)], [("q", ["a"])])
    assert np.isnan(matrix).all()
    assert notes == ["the featurizer hidden failed: dimensions must be 3, got 5"]


def test_an_unknown_name_is_no_built_in_featurizer():
    assert built_in("position") is not None
    assert built_in("divination") is None


@pytest.mark.parametrize(
    ("missing", "name", "words"),
    [
        (
            "xllamacpp",
            "hidden",
            "states need other packages: pip install 'tscale-graph[local,prm]'",
        ),
        ("gguf", "logprobs", "log-probabilities need another package: pip install"),
    ],
)
@pytest.mark.slow
def test_a_missing_package_is_told_with_its_extra(missing, name, words):
    program = f"""
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {missing!r} else real(name, *more)
from tscale_graph.verifiers.process.logprobs import TokenLogprobs
from tscale_graph.verifiers.process.model import built_in
built_in("position")
try:
    built_in({name!r})
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert words in told.stdout, told.stderr
    assert told.stdout.count("\n") == 1


@pytest.mark.model
def test_a_model_that_names_them_finds_them_and_scores(tmp_path):
    names = ["hidden", "logprobs"]
    featurizers = [built_in(name) for name in names]
    solutions = [(QUESTION, STEPS[: k + 1]) for k in range(3)]
    *parts, (whole, notes) = features_of_many(featurizers, solutions)
    assert notes == []
    assert np.isfinite(whole).all()
    for k, (part, _) in enumerate(parts):
        np.testing.assert_allclose(part, whole[: k + 1], rtol=1e-3, atol=1e-3)
    rng = np.random.default_rng(0)
    rows = np.repeat(whole, 20, axis=0) + rng.normal(size=(60, whole.shape[1]))
    steps = [
        LabelledSteps(column_names(featurizers), rows, values, np.ones(60), [f"{part}"] * 60)
        for part, values in enumerate(rng.random((2, 60)))
    ]
    card = CARD.model_copy(update={"featurizers": tuple(names)})
    model = ProcessRewardModel(
        fit(*steps, kind="logistic"), tuple(featurizers), step_splitter("line"), "last", card
    )
    model.save(tmp_path)
    again = ProcessRewardModel.load(tmp_path)
    verdict = again(QUESTION, "\n".join(STEPS))
    assert verdict == model(QUESTION, "\n".join(STEPS))
    assert (len(verdict.step_scores), verdict.feedback) == (3, "")
