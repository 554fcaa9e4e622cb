"""One budget for a batch, with real graphs on recorded samples: beside as many samples for each.

    python -m tests.benchmarks.batching [--samples 2 4 8] [--seeds 4]

Half of the exams' questions show what to believe of each exam, and the others are the batch; both
ways. `abatch` is beside as many samples for each question at the same total: one at a time, each
with its prompt, and all at once, so that they share one. Intervals are bootstraps over questions.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.mixture import Beside, Sized, at_tokens
from tests.benchmarks.tuning import exams, halves
from tscale_graph import Budget, Policy, batch
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import ClassPolicy
from tscale_graph.recordings.simulating import prepare
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning.batches import rehearse_uniform
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.priors import class_prior
from tscale_graph.tuning.settings import Setting

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


def differences(*, samples: float, seeds: int) -> dict[str, np.ndarray]:
    """(n,) what sharing gains on each question, over each way of sampling all alike."""
    found: dict[str, list[np.ndarray]] = {"one at a time": [], "all at once": []}
    for tuning, testing in halves(exams(), splits=2):
        policy = _policy({name: class_prior(list(map(prepare, asked)))
                          for name, asked in tuning.items()})  # fmt: skip
        keys = [(name, one) for name, asked in testing.items() for one in asked]
        decks = [prepare(one) for _, one in keys]
        total = int(samples * sum(_sample_tokens(one) for _, one in keys))
        votes = measure(testing, [Setting.vote(n) for n in SIZES], replays=1)
        sized = [Sized(str(n), votes.accuracy[:, k], votes.tokens[:, k])
                 for k, n in enumerate(SIZES)]  # fmt: skip
        together = at_tokens(sized, total / len(keys))
        right, apart = np.zeros(len(keys)), np.zeros(len(keys))
        for seed in range(seeds):
            model = ReplayModel(questions=tuple(one for _, one in keys), seed=seed)
            asked = [{"question": one.question, "task_class": name} for name, one in keys]
            results = batch(asked, policy, budget=Budget(tokens=total), model=model, seed=0)
            spent = sum(result.usage.tokens for result in results)
            if spent > total:
                raise AssertionError(f"{spent} tokens were spent of {total}")
            right += [r.answer == one.gold for r, (_, one) in zip(results, keys, strict=True)]
            apart += rehearse_uniform(decks, tokens=total, seed=seed).right
        found["one at a time"].append((right - apart) / seeds)
        found["all at once"].append(right / seeds - together)
    return {name: np.concatenate(each) for name, each in found.items()}


def _policy(priors: dict[str, AnswerPrior]) -> Policy:
    entries = {}
    for name, prior in priors.items():
        stop = f"value_of_information:1e-06,a={prior.a:.4g},b={prior.b:.4g},gamma={prior.gamma:.4g}"
        arguments = {"max_samples": 40, "answer": "choice", "stop": stop, "max_output_tokens": 600}
        entries[name] = ClassPolicy(technique="self_consistency", arguments=arguments)
    return Policy(default_class=next(iter(entries)), classes=entries)


def _sample_tokens(question) -> float:
    outputs = [sample.output_tokens for sample in question.samples]
    return question.prompt_size + sum(outputs) / len(outputs)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=float, nargs="+", default=[2, 4, 8])
    parser.add_argument("--seeds", type=int, default=4)
    asked = parser.parse_args(arguments)
    console = Console(width=110)
    if not exams():
        console.print("skipped: the exams are not there")
        return
    table = Table("samples each", "beside", "points", "95 %", box=None, title="ten exams, 450 "
                  f"questions a batch, {asked.seeds} seeds", title_justify="left")  # fmt: skip
    for samples in asked.samples:
        for name, gain in differences(samples=samples, seeds=asked.seeds).items():
            mean, low, high = Beside(gain, 1.0).interval()
            table.add_row(f"{samples:g}", name, f"{100 * mean:+.2f}",
                          f"{100 * low:+.2f} to {100 * high:+.2f}")  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
