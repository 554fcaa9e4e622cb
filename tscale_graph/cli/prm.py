"""`tscale prm`: a process reward model from labelled solutions, and what it is worth."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tscale_graph.cli.main import COMPLETE, WRONG_USE

if TYPE_CHECKING:
    from tscale_graph.recordings.records import RecordedQuestion
    from tscale_graph.verifiers.process.features import Featurizer
    from tscale_graph.verifiers.process.model import ProcessRewardModel


def prm_command(asked: argparse.Namespace) -> int:
    """Label, train or evaluate; returns the exit status."""
    needed = ("numpy",) if asked.action == "label" else ("numpy", "sklearn")
    if any(importlib.util.find_spec(package) is None for package in needed):
        told = "process reward models need another package: pip install 'tscale-graph[prm]'"
        print(f"tscale: {told}", file=sys.stderr)
        return WRONG_USE
    try:
        return _ACTIONS[asked.action](asked)
    except (ValueError, ImportError, OSError) as error:
        print(f"tscale: {error}", file=sys.stderr)
        return WRONG_USE


def _label(asked: argparse.Namespace) -> int:
    from tscale_graph.cli.labelling import label_command

    return label_command(asked)


def _train(asked: argparse.Namespace) -> int:
    from tscale_graph.verifiers.process.report.contents import training_tables
    from tscale_graph.verifiers.process.training import train

    _check_folder(asked.out)
    recorded = _read(asked.files, rollouts=True)
    _say(f"training on {_counted(recorded)}")
    training = train(
        recorded,
        created=datetime.date.today().isoformat(),
        featurizers=_featurizers(asked.features),
        labels=asked.labels,
        steps=asked.steps,
        kind=asked.kind,
        policy=asked.policy,
        seed=asked.seed,
    )
    training.model.save(asked.out)
    for table in training_tables(training):
        print(f"{table.text()}\n")
    card, parts = training.model.card, training.parts
    print(
        f"{asked.out}: {card.kind} on {', '.join(card.featurizers)}, aggregate {card.aggregate}; "
        f"{card.labelled_steps:,} steps of {parts['train']:,} questions, calibrated on "
        f"{parts['calibrate']:,}, chosen on {parts['validate']:,}"
    )
    print(
        f"validation: AUC of steps {card.metrics['auc']:.3f}, of solutions "
        f"{card.metrics['solution_auc']:.3f}; use it as verifier prm:{asked.out}"
    )
    return COMPLETE


def _evaluate(asked: argparse.Namespace) -> int:
    from tscale_graph.verifiers.process.ablating import ablations
    from tscale_graph.verifiers.process.buying import bought_by_families, scored_samples
    from tscale_graph.verifiers.process.evaluating import evaluate_families, held_out_labels
    from tscale_graph.verifiers.process.model import ProcessRewardModel
    from tscale_graph.verifiers.process.report.contents import Report, findings, tables
    from tscale_graph.verifiers.process.report.writing import write_report

    _check_folder(asked.out)
    if not asked.labels and not asked.samples:
        raise ValueError("nothing to evaluate on: give --labels, --samples or both")
    if asked.train and not asked.labels:
        raise ValueError("--train needs --labels: models that know less are measured on steps")
    folder: str = asked.model.removeprefix("prm:")
    model = ProcessRewardModel.load(None if folder == "prm" else folder)
    notes: list[str] = []
    labelled = (
        held_out_labels(model, _unseen(model, asked.labels, notes, rollouts=True))
        if asked.labels
        else []
    )
    recorded = _unseen(model, asked.samples, notes, rollouts=False) if asked.samples else []
    train = held_out_labels(model, _read(asked.train, rollouts=True)) if asked.train else []
    seed: int = asked.seed
    if labelled:
        _say(f"scoring the steps of {len(labelled):,} questions")
    steps = evaluate_families(model, labelled, seed=seed) if labelled else []
    sizes = sorted(len(one.samples) for one in recorded)
    if sizes and sizes[0] < sizes[-1]:
        notes.append(
            f"N goes up to what every question has: the least is {sizes[0]} samples, the most "
            f"{sizes[-1]}"
        )
    if recorded:
        _say(f"scoring the samples of {_counted(recorded)}")
    bought = bought_by_families(scored_samples(model, recorded), seed=seed) if recorded else []
    if train:
        _say(f"fitting models that know less to {len(train):,} questions")
    less = ablations(model, train, labelled, seed=seed) if train else []
    report = Report(model.card, tuple(steps), tuple(bought), tuple(less), tuple(notes))
    files = write_report(asked.out, report)
    for table in tables(report)[1:]:
        print(f"{table.text()}\n")
    for told in (*findings(report), *notes):
        print(textwrap.fill(told, 100, subsequent_indent="  "))
    print(f"\nreport: {files[0]}")
    return COMPLETE


_ACTIONS = {"label": _label, "train": _train, "evaluate": _evaluate}


def _check_folder(out: str) -> None:
    if Path(out).is_file():
        raise ValueError(f"--out must be a folder, got the file {out}")


def _featurizers(names: str | None) -> list[Featurizer]:
    from tscale_graph.verifiers.process.model import BUILT_IN, built_in

    found: list[Featurizer] = []
    for name in names.split(",") if names else BUILT_IN:
        featurizer = built_in(name)
        if featurizer is None:
            known = ", ".join([*BUILT_IN, "hidden", "logprobs"])
            raise ValueError(f"features must be among {known}, got {name!r}")
        found.append(featurizer)
    return found


def _read(files: Sequence[str], *, rollouts: bool) -> list[RecordedQuestion]:
    from tscale_graph.recordings.files import read_recording

    found: list[RecordedQuestion] = []
    for file in files:
        before = len(found)
        found += read_recording(file, rollouts=rollouts)
        if len(found) == before:
            raise ValueError(f"{file} has no question")
    return found


def _unseen(
    model: ProcessRewardModel, files: Sequence[str], notes: list[str], *, rollouts: bool
) -> list[RecordedQuestion]:
    """The questions that the model was not made with; a note on those that are left out."""
    from tscale_graph.verifiers.process.evaluating import held_out

    kept, left_out = held_out(model, _read(files, rollouts=rollouts))
    if left_out:
        notes.append(
            f"{left_out} of {left_out + len(kept)} questions of {', '.join(files)} are left out: "
            "they had a part in the training of the model"
        )
        _say(notes[-1])
    return kept


def _counted(recorded: Iterable[RecordedQuestion]) -> str:
    sizes = [len(one.samples) for one in recorded]
    return f"{len(sizes):,} questions with {sum(sizes):,} samples"


def _say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)
