"""The first picture of the README: a tuned policy beside single techniques, on recorded samples.

    python -m tests.benchmarks.picture [--keep FOLDER]

Real graphs play recorded samples: of the embedded model on four kinds of questions (three with a
verifier), and of GPT-3.5 on ten exams (matthewrenze/jhu-llm-temperature). Each half of the
questions is answered by a policy that was tuned on the other half. `tscale report` draws it; the
picture goes into `docs/picture`, and what it shows into the README. On two cores it takes ten
minutes; what is in FOLDER already is not played again.
"""

import argparse
import platform
import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from tests.benchmarks.results import README, between
from tests.benchmarks.stopping import recording
from tests.benchmarks.tuning import exams, halves
from tscale_graph import Budget, Policy
from tscale_graph.bench import bench
from tscale_graph.bench.learning import as_question
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.outcomes import Outcome, read_outcomes
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.reporting.writing import write_report
from tscale_graph.tuning.measuring import measure
from tscale_graph.tuning.settings import Setting, default_settings
from tscale_graph.tuning.tuning import tune

OUT = README.parent / "docs" / "picture"
BEGIN, END = "<!-- picture -->\n", "<!-- end of picture -->\n"
VERIFIED = ("equations", "countdown", "sentences")
TUNED = "tuned policy"
LIMIT, RUNS, REPLAYS = 1_900, 2, 10


def classes() -> dict[str, list[RecordedQuestion]]:
    """Every class with its questions; what is not there is left out."""
    found = {name: recording(name) for name in ("letters", *VERIFIED)}
    every = {name: asked for name, asked in found.items() if not isinstance(asked, str)}
    return {
        name: [one.model_copy(update={"task_class": name}) for one in asked]
        for name, asked in {**every, **exams()}.items()
    }


def singles(names: list[str]) -> dict[str, Policy]:
    """Single techniques in several sizes; the second ones use a verifier where there is one."""
    plain = {"one pass": Setting.vote(1), "adaptive vote": Setting.vote(40, stop="beta", wave=4)}
    plain |= {f"vote of {n}": Setting.vote(n) for n in (4, 8, 16, 40)}
    found = {name: _policy(names, setting, setting) for name, setting in plain.items()}
    for n in (4, 8, 16, 32):
        best = Setting.best_of(n, stop="fixed")
        found[f"best of {n}"] = _policy(names, Setting.vote(n), best)
    return found


def outcomes(folder: Path) -> list[Outcome]:
    """All runs; those that are in the folder already are not played again."""
    every = classes()
    model = ReplayModel(questions=tuple(q for asked in every.values() for q in asked))
    given = {
        "budget": Budget(tokens=1_000_000_000),
        "request": Budget(tokens=1_000_000),
        "model": model,
        "runs": RUNS,
        "max_parallel": 8,
    }
    files = [folder / "singles.jsonl"]
    questions = [as_question(one) for asked in every.values() for one in asked]
    bench(questions, singles(list(every)), files[0], **given)
    checked = [s for s in default_settings("decides") if s.technique == "best_of_n"]
    settings = [*default_settings(), *checked]
    for half, (tuning, testing) in enumerate(halves(every, splits=2)):
        tuned = tune(measure(tuning, settings, replays=REPLAYS), mean_tokens=LIMIT)
        files.append(folder / f"tuned-{half}.jsonl")
        asked = [as_question(one) for each in testing.values() for one in each]
        policy = _with_fallbacks(tuned.policy(default_class=next(iter(every))))
        bench(asked, {TUNED: policy}, files[-1], **given)
    return [one for file in files for one in read_outcomes(file)]


def caption(questions: int, findings: Sequence[str]) -> str:
    """What stands in the README: the picture, and what it shows in words."""
    machine = f"2 cores ({platform.machine()})"
    first, second, *_ = findings
    told = (
        f"{first[0].upper()}{first[1:]} {second} Recordings of real models, {questions:,} "
        f"questions of {len(classes())} kinds, each half by a policy tuned on the other half; "
        f"measured on {date.today()}, {machine}, by `python -m tests.benchmarks.picture` "
        "([all of it](docs/picture/report.md))."
    )
    picture = (
        "![Right answers over tokens: a tuned policy beside single techniques]"
        "(docs/picture/frontier.svg)"
    )
    return f"{picture}\n\n{textwrap.fill(told, 100)}\n"


def with_picture(page: str, text: str) -> str:
    """The page with this in the place of what stood there."""
    return between(BEGIN, END, text, page=page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    if not exams():
        raise SystemExit("skipped: the exams are not there")
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / "report"
        summary = write_report(
            outcomes(folder), report, highlight=[TUNED],
            title="A tuned policy beside single techniques",
        )  # fmt: skip
        OUT.mkdir(parents=True, exist_ok=True)
        for name in ("frontier.svg", "report.md"):
            shutil.copy(report / name, OUT / name)
    many = sum(map(len, classes().values()))
    page = README.read_text(encoding="utf-8")
    README.write_text(with_picture(page, caption(many, summary.findings)), encoding="utf-8")
    Console().print(*summary.findings, sep="\n")


def _policy(names: list[str], plain: Setting, verified: Setting) -> Policy:
    entries = {name: (verified if name in VERIFIED else plain).as_policy() for name in names}
    return _with_fallbacks(Policy(default_class=names[0], classes=entries))


def _with_fallbacks(policy: Policy) -> Policy:
    """Each question brings its own verifier: for those without, a class must be able to go on."""
    plain = next(name for name in policy.classes if name not in VERIFIED)
    entries = {
        name: entry.model_copy(update={"fallback": plain if name in VERIFIED else None})
        for name, entry in policy.classes.items()
    }
    return Policy(default_class=policy.default_class, classes=entries)


if __name__ == "__main__":
    main()
