"""Makes the process reward model that ships with the package, from nothing but questions.

    python -m tests.benchmarks.process_rewards.make FOLDER [--keep]

Writes questions, labels the steps of their solutions by rollouts of the embedded model, records 64
samples of each held-out question, trains, and evaluates: everything that `tscale prm` does, one
command after the other. Each goes on where it was stopped. On two cores it takes about two hours.
`--keep` puts the model into the package, its report beside this file, and the samples into `data/`.
"""

import argparse
import gzip
import json
import shutil
import sys
from pathlib import Path

from tests.benchmarks.process_rewards import families, truth
from tscale_graph.cli.main import main as tscale
from tscale_graph.verifiers.process.buying import MAJORITY, SINGLE, WEIGHTED
from tscale_graph.verifiers.process.model import SHIPPED, ProcessRewardModel

HERE = Path(__file__).parent
DATA, REPORT = HERE / "data", HERE / "report"
SAMPLES = {"sums": 32}
"""Of each held-out question; 64 where nothing is said."""
TOKENS = {"sums": "64"}
"""The most of one completion; 48 where nothing is said."""
ENOUGH = "tokens=20000000"


def run(*command: str) -> None:
    """One command of `tscale`, which has to succeed."""
    print("$ tscale", *command, file=sys.stderr)
    status = tscale(command)
    if status:
        sys.exit(status)


def sampled(folder: Path, family: str, part: str) -> tuple[str, ...]:
    """How the questions of a family are asked."""
    return (
        str(folder / f"{family}-{part}.jsonl"), "--examples",
        str(folder / f"{family}-examples.jsonl"), "--answer", "number", "--budget", ENOUGH,
        "--max-output-tokens", TOKENS.get(family, "48"),
    )  # fmt: skip


def take(folder: Path) -> None:
    """Label and record; what is there already is not asked for again."""
    families.write(folder)
    for family in families.FAMILIES:
        for part in ("train", "test") if family.train else ("test",):
            asked = sampled(folder, family.name, part)
            out = str(folder / f"{family.name}-{part}-labels.jsonl.gz")
            run("prm", "label", *asked, "--out", out, "--steps", "line")
        asked = sampled(folder, family.name, "test")
        out = str(folder / f"{family.name}-samples.jsonl.gz")
        many = str(SAMPLES.get(family.name, 64))
        run("record", *asked, "--out", out, "--samples", many)


def keep(folder: Path, model: Path, report: Path) -> None:
    """Put the results where they belong; files of many small pieces are packed as one."""
    DATA.mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rb") as file:
            (DATA / path.name).write_bytes(gzip.compress(file.read(), mtime=0))
    for source, target in ((model, SHIPPED), (report, REPORT)):
        shutil.copytree(source, target, dirs_exist_ok=True)


def figures() -> str:
    """What the manual shows of the reports that were kept, as a table in Markdown."""
    lines = [
        "| held-out questions | one sample | majority of 16 | weighted vote of 16 | above majority "
        "(95 %) | AUC of steps (95 %) | calibration error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for folder, other in ((REPORT, {}), (REPORT / "another-kind", {"all": "sums, not learnt"})):
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        for bought, steps in zip(told["bought"], told["steps"], strict=True):
            row = bought["counts"].index(16)
            one, most, weighted = (
                f"{bought['curves'][way][row]['value']:.1%}" for way in (SINGLE, MAJORITY, WEIGHTED)
            )
            gain, auc = bought["comparisons"][WEIGHTED][row]["difference"], steps["auc"]
            more = f"{gain['value']:+.1%} ({gain['low']:+.1%} to {gain['high']:+.1%})"
            name = f"{other.get(bought['group'], bought['group'])}, {bought['questions']}"
            lines.append(
                f"| {name} | {one} | {most} | {weighted} | {more} | "
                f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f}) | "
                f"{steps['calibration_error']['value']:.3f} |"
            )
    return "\n".join(lines)


def main(folder: Path, *, keeping: bool) -> None:
    """Make all of it."""
    take(folder)
    model, report = folder / "model", folder / "report"
    learnt = [family.name for family in families.FAMILIES if family.train]
    labels = [str(folder / f"{name}-train-labels.jsonl.gz") for name in learnt]
    run("prm", "train", *labels, "--out", str(model), "--steps", "line")
    unseen = [family.name for family in families.FAMILIES if not family.train]
    for names, out, more in (
        (learnt, report, ("--train", *labels)),
        (unseen, report / "another-kind", ()),
    ):
        held_out = [str(folder / f"{name}-test-labels.jsonl.gz") for name in names]
        samples = [str(folder / f"{name}-samples.jsonl.gz") for name in names]
        run(
            "prm", "evaluate", str(model), "--labels", *held_out, "--samples", *samples, *more,
            "--out", str(out),
        )  # fmt: skip
        known = truth.report(ProcessRewardModel.load(model), held_out)
        (out / "truth.md").write_text(f"{known}\n", encoding="utf-8")
        print(known)
    if keeping:
        keep(folder, model, report)
        print(figures())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    main(asked.folder, keeping=asked.keep)
