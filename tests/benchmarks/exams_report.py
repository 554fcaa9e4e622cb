"""The first picture of the README: a tuned policy beside fixed settings, on ten exams.

    python -m tests.benchmarks.exams_report [--out docs/exams] [--keep FOLDER]

Real graphs play the recorded samples of GPT-3.5 on ten exams (matthewrenze/jhu-llm-temperature).
Each half of the questions is answered by a policy that was tuned on the other half, for as many
tokens as a vote of 8 takes there; the fixed settings answer all of them. `tscale report` draws it.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from tests.benchmarks.tuning import exams, halves
from tscale_graph import Budget
from tscale_graph.bench import bench
from tscale_graph.bench.learning import as_question, learn
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.outcomes import Outcome, read_outcomes
from tscale_graph.reporting.writing import write_report
from tscale_graph.tuning.settings import Setting

OUT = Path(__file__).parents[2] / "docs" / "exams"
LIMIT = 2_000
RUNS = 4
FIXED = {
    "one pass": Setting.vote(1),
    "vote of 4": Setting.vote(4),
    "vote of 8": Setting.vote(8),
    "vote of 16": Setting.vote(16),
    "vote of 40": Setting.vote(40),
    "adaptive vote (beta)": Setting.vote(40, stop="beta:0.95", wave=4),
}
TUNED = "tuned policy"


def outcomes(folder: Path) -> list[Outcome]:
    """All runs; those that are in the folder already are not played again."""
    plenty, each = Budget(tokens=1_000_000_000), Budget(tokens=1_000_000)
    every = {name: [_of(q, name) for q in asked] for name, asked in exams().items()}
    model = ReplayModel(questions=tuple(q for asked in every.values() for q in asked))
    given = {
        "budget": plenty,
        "request": each,
        "model": model,
        "answer": "choice",
        "runs": RUNS,
        "max_parallel": 8,
    }
    files = [folder / "fixed.jsonl"]
    bench([as_question(q) for asked in every.values() for q in asked], FIXED, files[0], **given)
    for half, (tuning, testing) in enumerate(halves(every, splits=2)):
        known = ReplayModel(questions=tuple(q for asked in tuning.values() for q in asked))
        learnt = learn(
            [as_question(q) for q in known.questions], folder / f"half-{half}", model=known,
            aim={"mean_tokens": LIMIT},
        )  # fmt: skip
        files.append(folder / f"tuned-{half}.jsonl")
        asked = [as_question(q) for each in testing.values() for q in each]
        bench(asked, {TUNED: learnt.policy}, files[-1], **given)
    return [one for file in files for one in read_outcomes(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    if not exams():
        raise SystemExit("skipped: the exams are not there")
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        summary = write_report(
            outcomes(folder), Path(scratch) / "report", highlight=[TUNED],
            title="Ten exams, GPT-3.5: a tuned policy beside fixed settings",
        )  # fmt: skip
        asked.out.mkdir(parents=True, exist_ok=True)
        for name in ("frontier.svg", "report.md"):
            shutil.copy(Path(scratch) / "report" / name, asked.out / name)
        if asked.keep:
            shutil.copytree(Path(scratch) / "report", asked.keep / "report", dirs_exist_ok=True)
    Console().print(*summary.findings, sep="\n")


def _of(question, name):
    return question.model_copy(update={"task_class": name})


if __name__ == "__main__":
    main()
