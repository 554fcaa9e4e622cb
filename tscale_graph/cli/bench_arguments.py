"""What `tscale bench` and `tscale tune` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from typing import Any

from tscale_graph.cli.arguments import add_asking, command_of

_BENCH_HELP = """\
Run techniques and policies on a file of questions, side by side, and keep the outcome of each run:
answer, right or wrong, cost, cut-offs. Run it again to go on where it was killed or cut off, or
with more to try.

examples:
  tscale bench questions.jsonl --out runs.jsonl --budget usd=5 --request tokens=20000 \\
      --model openai:gpt-5-mini --try "one pass=self-consistency(max_samples=1)" \\
      --try "self-consistency(max_samples=16)" --try "best-of-n(verifier=equation, n=8)"
  tscale bench questions.jsonl --out runs.jsonl --budget tokens=2000000 --try policy.yaml
  tscale bench exams.jsonl.gz --replay --out runs.jsonl --budget tokens=9000000 \\
      --request tokens=40000 --try "self-consistency(max_samples=40)" --class-field source
  tscale report runs.jsonl --out report

questions.jsonl has a question a line: "id", "question", and "gold" (the right answer) or
"verifier" (see tscale techniques), or both; and "task_class" where classes are to be told apart.
CLASS=FILE puts all questions of a file into a class. With --replay the files are recordings of
tscale record, and nothing is asked: their samples are played.

exit status:
  0  every run is in the file     3  cut off by the budget
  1  some runs failed             130  interrupted
  2  wrong use
"""

_TUNE_HELP = """\
Find out on your own questions what pays for each class of task, and write it down as a policy: the
most accuracy for a mean cost of a request, or the least cost for an accuracy. Says what to expect
on new questions, and claims no difference that the questions do not show.

examples:
  tscale tune questions.jsonl --out policy.yaml --mean-tokens 3000 --budget usd=5 \\
      --model openai:gpt-5-mini
  tscale tune easy=easy.jsonl hard=hard.jsonl --out policy.yaml --accuracy 0.9 \\
      --budget tokens=5000000 --try "extended-thinking(thinking_tokens=2000)"
  tscale tune exams.jsonl.gz --replay --class-field source --out policy.yaml --mean-calls 7
  tscale solve "What is 17 * 23?" --policy policy.yaml --class easy

The model is sampled on every question (40 times, --samples), and what can be told from
samples is: votes, best-of-N, stopping rules, each in many sizes. What --try names is run besides.
All that was paid for is kept in a folder beside the policy (--keep), so that a run that was killed
or cut off goes on, and another aim costs nothing.

exit status:
  0  the policy is written     3  cut off by the budget: the policy is of what was measured
  1  failed                    130  interrupted
  2  wrong use, or too little was measured
"""


_REPORT_HELP = """\
Look at what tscale bench found: accuracy against tokens, dollars and latency, what is on the
frontier, where each class sits and where its tokens went, what the budgets cut off, and every
question. Writes report.html, which loads nothing, report.md, report.json and frontier.svg.

examples:
  tscale report runs.jsonl --out report
  tscale report monday.jsonl tuesday.jsonl --out report --highlight "self-consistency"

exit status:
  0  written      1  a file could not be written      2  wrong use
"""


def add_report(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale report`."""
    report = command_of(commands, "report", "look at what a benchmark found", _REPORT_HELP)
    report.add_argument("outcomes", nargs="+", metavar="FILE", help="of tscale bench")
    report.add_argument("--out", required=True, metavar="FOLDER", help="where the report goes")
    report.add_argument(
        "--highlight",
        action="append",
        metavar="NAME",
        help="the setting that it is about (those that a router served); may be repeated",
    )
    report.add_argument("--title", help="of the report")
    report.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")


def add_bench(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale bench`."""
    told = "run techniques and policies on a file of questions"
    bench = command_of(commands, "bench", told, _BENCH_HELP)
    _add_questions(bench)
    bench.add_argument("--out", required=True, metavar="PATH", help="the outcomes (.jsonl[.gz])")
    _add_trying(bench, required=True)
    bench.add_argument("--runs", type=int, metavar="N", help="of each on each question (default 1)")
    bench.add_argument(
        "--classify",
        metavar="CLASSIFIER",
        help="rules, trained, llm:…: tells policies the classes, instead of the questions",
    )
    own = "of what is not given one"
    add_asking(bench, temperature=own, output=own)


def add_tune(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale tune`."""
    tune = command_of(commands, "tune", "learn a policy from your own questions", _TUNE_HELP)
    _add_questions(tune)
    tune.add_argument("--out", required=True, metavar="PATH", help="the policy (.yaml or .json)")
    aim = tune.add_mutually_exclusive_group(required=True)
    aim.add_argument("--mean-tokens", type=float, metavar="N", help="of a request, at most")
    aim.add_argument("--mean-calls", type=float, metavar="N", help="of a request, at most")
    aim.add_argument("--mean-usd", type=float, metavar="X", help="of a request, at most")
    aim.add_argument("--accuracy", type=float, metavar="P", help="to reach, at the least cost")
    tune.add_argument("--cost", help="what is kept low for an accuracy: tokens, calls or usd")
    tune.add_argument("--samples", type=int, metavar="N", help="of each question (default 40)")
    _add_trying(tune, required=False)
    tune.add_argument("--keep", metavar="FOLDER", help="for what is measured (default OUT.runs)")
    tune.add_argument("--default-class", metavar="CLASS", help="of tasks that nothing is known of")
    tune.add_argument("--shares", metavar="A=1,B=3", help="of your traffic, if not as here")
    tune.add_argument("--caution", type=float, metavar="X", help="standard errors (default 0.5)")
    tune.add_argument(
        "--waves", metavar="N,N", help="samples that a vote asks for at once (default 1,4,8)"
    )
    tune.add_argument("--json", action="store_true", help="print all that was found as JSON")
    add_asking(tune, temperature="0 to 2 (default 0.8)", output="of one sample (default 512)")


def _add_questions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "questions", nargs="+", metavar="[CLASS=]FILE", help="questions, one JSON object a line"
    )
    command.add_argument("--replay", action="store_true", help="the files are recordings")
    command.add_argument("--class-field", metavar="NAME", help="the field that says the class")


def _add_trying(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument(
        "--try",
        dest="tried",
        action="append",
        required=required,
        metavar="[NAME=]WHAT",
        help="a composition (see tscale draw), or a policy file; may be repeated",
    )
    command.add_argument("--request", metavar="LIMITS", help="the budget of each request")
    command.add_argument("--max-parallel", type=int, metavar="N", help="requests at once")
