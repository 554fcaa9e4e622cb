"""`tscale prm`, as a person or a script uses it."""

import importlib.util
import json
import re

import pytest

from tests.verifiers.process.simulated import label_questions, recorded_questions, written_to
from tscale_graph.verifiers.process.model import ProcessRewardModel


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    made = {
        "labels": label_questions(40),
        "others": label_questions(20, family="others"),
        "held": label_questions(30, seed=5),
        "samples": recorded_questions(20, seed=6, samples=16),
        "few": label_questions(5),
    }
    return {name: written_to(folder / f"{name}.jsonl.gz", asked) for name, asked in made.items()}


@pytest.fixture
def trained(files, tmp_path, tscale):
    done = tscale(
        "prm", "train", str(files["labels"]), str(files["others"]),
        "--out", str(tmp_path / "prm"), "--kind", "boosting", "--policy", "a small one",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path / "prm", done


def test_a_model_is_trained_and_what_was_tried_is_printed(trained):
    folder, done = trained
    assert "training on 60 questions with " in done.stderr
    assert "Classifiers and featurizers, on 15 validation questions" in done.stdout
    assert "boosting: position, wording, arithmetic" in done.stdout
    assert f"{folder}: boosting on " in done.stdout
    assert "steps of 36 questions, calibrated on 9, chosen on 15" in done.stdout
    card = ProcessRewardModel.load(folder).card
    assert card.policy == "a small one"
    assert card.data == "60 questions: equations 40, others 20"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", card.created)


@pytest.mark.slow
def test_a_model_is_evaluated_and_reported(trained, files, tmp_path, tscale):
    folder, _ = trained
    out = tmp_path / "report"
    done = tscale(
        "prm", "evaluate", str(folder), "--labels", str(files["held"]),
        "--samples", str(files["samples"]), "--train", str(files["labels"]), "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for title in ("Right answers in %", "Percentage points above", "Scores of", "Models that know"):
        assert title in done.stdout
    assert done.stdout.endswith(f"report: {out / 'report.html'}\n")
    told = json.loads((out / "report.json").read_text())
    assert told["bought"][0]["counts"] == [1, 2, 4, 8, 16]
    assert told["steps"][0]["auc"]["low"] > 0.6
    assert (out / "accuracy.svg").exists()


def test_questions_of_the_training_are_left_out_and_that_is_said(trained, files, tmp_path, tscale):
    folder, _ = trained
    both = [str(files["held"]), str(files["labels"])]
    done = tscale(
        "prm", "evaluate", str(folder), "--labels", *both, "--out", str(tmp_path / "report")
    )
    assert done.returncode == 0, done.stderr
    left_out = re.search(r"(\d+) of 70 questions of .* are left out", done.stderr)
    assert int(left_out[1]) >= 40
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert told["steps"][0]["questions"] == 70 - int(left_out[1])
    assert told["notes"][0].startswith(f"{left_out[1]} of 70 questions")


def test_a_model_is_not_evaluated_on_its_own_questions(trained, files, tmp_path, tscale):
    folder, _ = trained
    out = tmp_path / "report"
    done = tscale(
        "prm", "evaluate", str(folder), "--labels", str(files["labels"]), "--out", str(out)
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "all 40 questions had a part in the training of the model" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{few}"], "training needs at least 20 questions, got 5"),
        (["{samples}"], "there are no completions of given steps: label solutions first"),
        (["missing.jsonl"], "No such file or directory: 'missing.jsonl'"),
        (["{labels}", "--kind", "forest"], "kind must be one of auto, logistic"),
        (["{labels}", "--labels", "people"], "labels must be one of shares, bisection"),
        (["{labels}", "--steps", "word"], "steps must be one of paragraph, line"),
        (["{labels}", "--steps", "sentence"], "cut in different ways: line, sentence"),
        (["{labels}", "--features", "colour"], "features must be among position, wording"),
    ],
)
def test_what_cannot_be_learnt_from_is_one_line(files, tmp_path, tscale, arguments, told):
    given = [argument.format(**files) for argument in arguments]
    done = tscale("prm", "train", *given, "--out", str(tmp_path / "prm"))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr.splitlines()[-1]
    assert len([line for line in done.stderr.splitlines() if line.startswith("tscale:")]) == 1
    assert not (tmp_path / "prm").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to evaluate on: give --labels, --samples or both"),
        (["--samples", "{samples}", "--train", "{labels}"], "--train needs --labels"),
    ],
)
def test_an_evaluation_of_nothing_is_refused(files, tmp_path, tscale, arguments, told):
    given = [argument.format(**files) for argument in arguments]
    done = tscale("prm", "evaluate", "nowhere", *given, "--out", str(tmp_path / "report"))
    assert done.returncode == 2
    assert told in done.stderr


def test_no_model_is_one_line(files, tmp_path, tscale):
    done = tscale(
        "prm", "evaluate", str(tmp_path), "--labels", str(files["held"]), "--out", str(tmp_path)
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "model.json" in done.stderr


def test_prm_alone_says_what_there_is(tscale):
    done = tscale("prm")
    assert done.returncode == 2
    assert "action" in done.stderr
    help_text = tscale("prm", "--help").stdout
    assert "train" in help_text
    assert "evaluate" in help_text


def test_a_package_that_is_missing_is_named(monkeypatch, tscale):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sklearn" else found(name)
    )
    done = tscale("prm", "train", "labels.jsonl", "--out", "prm")
    assert done.returncode == 2
    assert "pip install 'tscale-graph[prm]'" in done.stderr


@pytest.mark.slow
def test_the_command_answers_without_what_it_needs_to_train(tscale_process):
    done = tscale_process("prm", "train", "--help")
    assert done.returncode == 0
    assert "bisection:4" in done.stdout


def test_questions_with_fewer_samples_limit_how_far_it_goes(trained, tmp_path, tscale):
    path = tmp_path / "uneven.jsonl"
    written_to(path, recorded_questions(6, seed=8, samples=8))
    written_to(path, recorded_questions(6, seed=9, samples=5))
    folder, out = trained[0], tmp_path / "report"
    done = tscale("prm", "evaluate", str(folder), "--samples", str(path), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "the least is 5 samples, the most 8" in done.stdout
    assert json.loads((out / "report.json").read_text())["bought"][0]["counts"] == [1, 2, 4]
