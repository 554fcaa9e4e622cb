"""The command line: what can be asked, and what the exit status says.

Nothing heavy is imported here, so that `tscale --help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from tscale_graph.cli.arguments import (
    add_draw,
    add_keeping,
    add_policy,
    add_prm,
    add_sampling,
    add_sleep,
)
from tscale_graph.cli.bench_arguments import add_bench, add_report, add_tune

COMPLETE, FAILED, WRONG_USE, CUT_OFF, NO_ANSWER, INTERRUPTED = 0, 1, 2, 3, 4, 130

_SOLVE_HELP = """\
Answer one question, with more compute than one pass and never more than the budget.

examples:
  tscale solve "How many r's are in strawberry?" --budget tokens=20000,seconds=60
  tscale solve "Solve 3x + 4 = 19 for x." --technique best-of-n --verify equation \\
      --samples 16 --budget tokens=20000
  tscale solve --file question.txt --model openai:gpt-5-mini --budget usd=0.02 --json
  tscale solve "Use the numbers 4, 6, 3 to make 21." --technique ab-mcts --verify countdown \\
      --samples 32 --show-tree tree.html --budget tokens=20000
  tscale solve "What is 17 * 23?" --technique extended-thinking --thinking-tokens 2000 \\
      --budget tokens=10000
  tscale solve "What is 17 * 23?" --technique cascade --model openai:gpt-5-nano,openai:gpt-5 \\
      --budget usd=0.05
  tscale solve "Solve 3x + 4 = 19 for x." --policy policy.yaml --class verifiable
  echo "What is 17 * 23?" | tscale solve --technique router --budget calls=20

budget (required, but for a policy whose classes have one): any of calls=N, tokens=N, usd=X,
seconds=X, joined by commas.
  calls    completions asked of a model, retries included
  tokens   prompt and completion tokens over all calls
  usd      dollars at the model's price
  seconds  wall clock; calls in flight are cancelled when it is up

exit status:
  0  complete        3  cut off by the budget, with the best answer so far
  1  failed          4  cut off by the budget before there was any answer
  2  wrong use, such as a question longer than the whole budget
  130  interrupted
"""

_RECORD_HELP = """\
Sample a model many times on each question of a file, and keep every sample: its text, answer,
tokens, mean log-probability and verdict. Run it again to go on where it was killed or cut off.

examples:
  tscale record questions.jsonl --out samples.jsonl.gz --budget tokens=2000000
  tscale record questions.jsonl --out samples.jsonl.gz --samples 16 --verify equation \\
      --examples examples.jsonl --model openai:gpt-5-mini --budget usd=5

questions.jsonl has a question a line: "id", "question", and "gold" (the right answer) or
"verifier" (see tscale techniques), or both. examples.jsonl has worked examples to show before the
question: "question" and "answer".

exit status:
  0  every question has its samples     3  cut off by the budget
  1  failed                             130  interrupted
  2  wrong use
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status.

    What no command expects is told in a line; `python -X dev -m tscale_graph …` shows the trace.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.version:
        from importlib.metadata import version

        print(f"tscale {version('tscale-graph')}")
        return COMPLETE
    if asked.command is None:
        parser.print_help()
        return WRONG_USE
    try:
        return _run(asked)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # a provider's, say
        if sys.flags.dev_mode:
            raise
        from tscale_graph.models.failures import one_line

        print(f"tscale: {one_line(error)}", file=sys.stderr)
        return FAILED


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "models":
        from tscale_graph.cli.listing import list_models

        return list_models()
    if asked.command == "techniques":
        from tscale_graph.cli.listing import list_techniques

        return list_techniques()
    if asked.command == "draw":
        from tscale_graph.cli.draw import draw_command

        return draw_command(asked)
    if asked.command == "policy":
        from tscale_graph.cli.policy import policy_command

        return policy_command(asked)
    if asked.command == "record":
        from tscale_graph.cli.record import record_command

        return record_command(asked)
    if asked.command == "bench":
        from tscale_graph.cli.bench import bench_command

        return bench_command(asked)
    if asked.command == "report":
        from tscale_graph.cli.report import report_command

        return report_command(asked)
    if asked.command == "tune":
        from tscale_graph.cli.tune import tune_command

        return tune_command(asked)
    if asked.command == "sleep":
        from tscale_graph.cli.sleep import sleep_command

        return sleep_command(asked)
    if asked.command == "prm":
        from tscale_graph.cli.prm import prm_command

        return prm_command(asked)
    from tscale_graph.cli.solve import solve_command

    return solve_command(asked)


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, without the usage of everything."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tscale", description="Test-time compute under a budget that nothing exceeds."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="command", parser_class=_Parser)
    solve = commands.add_parser(
        "solve",
        help="answer one question",
        description=_SOLVE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    solve.add_argument("question", nargs="?", help="the question; - or nothing reads it from stdin")
    solve.add_argument("--file", metavar="PATH", help="read the question from a file")
    solve.add_argument("--budget", metavar="LIMITS", help="tokens=20000,seconds=60 (required)")
    solve.add_argument("--policy", metavar="FILE", help="what to do per class: see tscale policy")
    solve.add_argument(
        "--technique",
        help="self-consistency, best-of-n, beam-search, ab-mcts, lats, refine, "
        "aggregate-recursively, extended-thinking, cascade or router (default self-consistency)",
    )
    solve.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="the most samples, nodes or versions; of aggregate-recursively those of a generation",
    )
    solve.add_argument("--generations", type=int, metavar="N", help="of aggregate-recursively")
    solve.add_argument("--subset", type=int, metavar="K", help="answers that each new one sees")
    solve.add_argument(
        "--model",
        default="local",
        help="local, or provider:model (default local); for cascade several, joined by commas",
    )
    solve.add_argument("--verify", metavar="VERIFIER", help="a verifier: see tscale techniques")
    solve.add_argument("--vote", help="how self-consistency chooses: see tscale techniques")
    solve.add_argument("--select", help="how answers are chosen by scores: see tscale techniques")
    solve.add_argument("--speculate", type=int, metavar="K", help="K more samples in each wave")
    solve.add_argument("--stop", help="a stopping rule: see tscale techniques")
    solve.add_argument("--answer", help="how to read answers: auto, number, choice, text, …")
    solve.add_argument("--system", metavar="TEXT", help="a system prompt")
    solve.add_argument("--temperature", type=float, metavar="T", help="0 to 2 (default 0.7)")
    solve.add_argument("--max-output-tokens", type=int, metavar="N", help="of one sample")
    solve.add_argument("--max-parallel", type=int, metavar="N", help="samples in flight at once")
    solve.add_argument("--thinking-tokens", type=int, metavar="N", help="the most of a thought")
    solve.add_argument("--min-thinking-tokens", type=int, metavar="N", help="the fewest of it")
    solve.add_argument("--seed", type=int, help="for runs that repeat")
    solve.add_argument("--class", dest="task_class", help="the class of the task, for the router")
    solve.add_argument(
        "--context",
        action="append",
        metavar="PATH",
        help="what it is about: a file or folder of text, prepared by tscale sleep or not",
    )
    add_keeping(solve)
    solve.add_argument("--show-tree", metavar="PATH", help="of a search or refine: .html, .json, …")
    solve.add_argument("--json", action="store_true", help="print the whole result as JSON")
    record = commands.add_parser(
        "record",
        help="sample a model on a file of questions, and keep every sample",
        description=_RECORD_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_record_arguments(record)
    add_draw(commands)
    add_prm(commands)
    add_policy(commands)
    add_bench(commands)
    add_tune(commands)
    add_report(commands)
    add_sleep(commands)
    commands.add_parser("models", help="which models there are, and what each needs")
    commands.add_parser("techniques", help="which techniques, rules and verifiers there are")
    return parser


def _add_record_arguments(record: argparse.ArgumentParser) -> None:
    """Declare what `tscale record` takes."""
    add_sampling(record)
    record.add_argument("--samples", type=int, metavar="N", help="of each question (default 64)")
