"""One budget for a batch, with real graphs on recorded samples: beside as many samples for each.

    python -m tests.benchmarks.batching [exams] [mixed] [--samples 2 4 8] [--seeds 4]

Half of the questions show what to believe of each class, and the others are the batch; both ways.
`abatch` is beside as many samples for each question at the same total: one at a time, each with its
prompt (what passes a verifier takes no more), and all at once, so that they share one; and beside
itself with a learnt predictor of difficulty. Intervals are bootstraps over questions.

exams: ten exams, votes. mixed: those and the families of the embedded model, three of which have a
verifier that is never wrong.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.mixture import VERIFIED, Beside, Sized, at_tokens, mixture
from tests.benchmarks.tuning import Questions, exams, halves
from tscale_graph import Budget, Policy, batch
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import ClassPolicy
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.simulating import prepare
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning import fit_difficulty
from tscale_graph.tuning.batches import rehearse_uniform
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.priors import class_prior
from tscale_graph.tuning.settings import Setting

Keys = Sequence[tuple[str, RecordedQuestion]]
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
FAMILIES = ("letters", "equations", "countdown", "sentences")


def batches(*, mixed: bool) -> Questions:
    """Classes with their questions."""
    if not mixed:
        return exams()
    return {name: asked for name, asked in mixture().items() if name in (*FAMILIES, *exams())}


def differences(questions: Questions, *, samples: float, seeds: int) -> dict[str, np.ndarray]:
    """(n,) what sharing gains on each question: over sampling all alike, and by a predictor."""
    found: dict[str, list[np.ndarray]] = {}
    for tuning, testing in halves(questions, splits=2):
        policy = _policy({name: class_prior(list(map(prepare, asked)))
                          for name, asked in tuning.items()})  # fmt: skip
        keys = [(name, one) for name, asked in testing.items() for one in asked]
        total = int(samples * sum(_sample_tokens(one) for _, one in keys))
        how = {"tokens": total, "verified": [name in VERIFIED for name, _ in keys]}
        decks = [prepare(one) for _, one in keys]
        difficulty = fit_difficulty(tuning)
        plain, told, apart = (np.zeros(len(keys)) for _ in range(3))
        for seed in range(seeds):
            plain += _shared(keys, policy, total, seed) / seeds
            told += _shared(keys, policy, total, seed, prior=difficulty) / seeds
            apart += np.array(rehearse_uniform(decks, seed=seed, **how).right) / seeds
        beside = {
            "one at a time": plain - apart,
            "all at once": plain - at_tokens(_at_once(testing), total / len(keys)),
            "a predictor of difficulty, less without": told - plain,
        }
        for name, gain in beside.items():
            found.setdefault(name, []).append(gain)
    return {name: np.concatenate(each) for name, each in found.items()}


def _at_once(testing: Questions) -> list[Sized]:
    """As many samples for each in one request, which share a prompt."""
    votes = measure(testing, [Setting.vote(n) for n in SIZES], replays=1)
    settings = [Setting.best_of(n, stop="fixed") for n in SIZES]
    best = measure(testing, settings, replays=1)
    exact = np.array([name in VERIFIED for name, asked in testing.items() for _ in asked])
    right = np.where(exact[:, None], best.accuracy, votes.accuracy)
    return [Sized(str(n), right[:, k], votes.tokens[:, k]) for k, n in enumerate(SIZES)]


@dataclass(frozen=True)
class _Recorded:
    """Says of a solution what the recording says of it."""

    known: Mapping[str, Mapping[str, bool]]
    reads_solutions = True

    def __call__(self, question: str, text: str) -> bool:
        return self.known[question][text.strip()]


def _shared(keys: Keys, policy: Policy, total: int, seed: int, **more: Any) -> np.ndarray:
    """(n,) what `abatch` got right."""
    model = ReplayModel(questions=tuple(one for _, one in keys), seed=seed)
    known = {one.question: {s.text.strip(): s.correct for s in one.samples} for _, one in keys}

    asked = [{"question": one.question, "task_class": name} for name, one in keys]
    results = batch(
        asked,
        policy,
        budget=Budget(tokens=total),
        model=model,
        seed=0,
        verifier=_Recorded(known),
        **more,
    )
    spent = sum(result.usage.tokens for result in results)
    if spent > total:
        raise AssertionError(f"{spent} tokens were spent of {total}")
    return np.array([
        known[one.question].get(result.text.strip(), False) if name in VERIFIED
        else result.answer == one.gold
        for result, (name, one) in zip(results, keys, strict=True)
    ])  # fmt: skip


def _policy(priors: dict[str, AnswerPrior]) -> Policy:
    entries = {}
    for name, prior in priors.items():
        stop = f"value_of_information:1e-06,a={prior.a:.4g},b={prior.b:.4g},gamma={prior.gamma:.4g}"
        if name in VERIFIED:
            arguments: dict[str, Any] = {"n": 40, "max_output_tokens": 64}
            entries[name] = ClassPolicy(technique="best_of_n", arguments=arguments)
            continue
        kind, most = ("choice", 600) if name in exams() else ("number", 20)
        arguments = {"max_samples": 40, "answer": kind, "stop": stop, "max_output_tokens": most}
        entries[name] = ClassPolicy(technique="self_consistency", arguments=arguments)
    return Policy(default_class=next(iter(entries)), classes=entries)


def _sample_tokens(question: RecordedQuestion) -> float:
    outputs = [sample.output_tokens for sample in question.samples]
    return question.prompt_size + sum(outputs) / len(outputs)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="*", default=["exams", "mixed"])
    parser.add_argument("--samples", type=float, nargs="+", default=[2, 4, 8])
    parser.add_argument("--seeds", type=int, default=4)
    asked = parser.parse_args(arguments)
    console = Console(width=110)
    if not exams():
        console.print("skipped: the exams are not there")
        return
    for what in asked.what:
        questions = batches(mixed=what == "mixed")
        many = sum(map(len, questions.values())) // 2
        table = Table("samples each", "beside", "points", "95 %", box=None, title=f"{what}, {many} "
                      f"questions a batch, {asked.seeds} seeds", title_justify="left")  # fmt: skip
        for samples in asked.samples:
            found = differences(questions, samples=samples, seeds=asked.seeds)
            for name, gain in found.items():
                mean, low, high = Beside(gain, 1.0).interval()
                table.add_row(f"{samples:g}", name, f"{100 * mean:+.2f}",
                              f"{100 * low:+.2f} to {100 * high:+.2f}")  # fmt: skip
        console.print(table)


if __name__ == "__main__":
    main()
