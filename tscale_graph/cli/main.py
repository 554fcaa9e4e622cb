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
  echo "What is 17 * 23?" | tscale solve --technique router --budget calls=20

budget (required): any of calls=N, tokens=N, usd=X, seconds=X, joined by commas.
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

_PRM_HELP = """\
Train a process reward model, which scores every step of a solution, from questions with right
answers and the model that is to be judged.

  tscale prm label     sample solutions, and find out how good each of their steps is
"""

_LABEL_HELP = """\
Sample solutions of each question of a file, cut them into steps, and let the model go on from
each step: a step is as good as the share of completions that come to a right answer. Every
completion is kept as it comes. Run it again to go on where it was killed or cut off.

examples:
  tscale prm label questions.jsonl --out labels.jsonl.gz --steps line \\
      --examples examples.jsonl --budget tokens=2000000
  tscale prm label questions.jsonl --out labels.jsonl.gz --labels bisection \\
      --model openai:gpt-5-mini --budget usd=5

questions.jsonl has a question a line: "id", "question", and "gold" (the right answer) or
"verifier" (see tscale techniques), or both. examples.jsonl has worked examples to show before the
question, "question" and "answer": they show the model how to write steps.

labels:
  shares     completions from every step, so that steps have values (Math-Shepherd)
  bisection  a binary search for the first wrong step, with far fewer completions (OmegaPRM)

exit status:
  0  the steps of every question are labelled     3  cut off by the budget
  1  failed                                       130  interrupted
  2  wrong use
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
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


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "models":
        from tscale_graph.cli.listing import list_models

        return list_models()
    if asked.command == "techniques":
        from tscale_graph.cli.listing import list_techniques

        return list_techniques()
    if asked.command == "record":
        from tscale_graph.cli.record import record_command

        return record_command(asked)
    if asked.command == "prm":
        from tscale_graph.cli.labelling import label_command

        return label_command(asked)
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
    solve.add_argument(
        "--technique",
        default="self-consistency",
        help="self-consistency, best-of-n, beam-search, ab-mcts, lats, extended-thinking or router",
    )
    solve.add_argument("--samples", type=int, metavar="N", help="the most samples, or nodes")
    solve.add_argument("--model", default="local", help="local, or provider:model (default local)")
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
    solve.add_argument("--show-tree", metavar="PATH", help="of a tree search: .html, .json, …")
    solve.add_argument("--json", action="store_true", help="print the whole result as JSON")
    record = commands.add_parser(
        "record",
        help="sample a model on a file of questions, and keep every sample",
        description=_RECORD_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_record_arguments(record)
    prm = commands.add_parser(
        "prm",
        help="train a process reward model on your own task",
        description=_PRM_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = prm.add_subparsers(dest="verb", metavar="verb", required=True, parser_class=_Parser)
    label = verbs.add_parser(
        "label",
        help="sample solutions, and label their steps",
        description=_LABEL_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_label_arguments(label)
    commands.add_parser("models", help="which models there are, and what each needs")
    commands.add_parser("techniques", help="which techniques, rules and verifiers there are")
    return parser


def _add_record_arguments(record: argparse.ArgumentParser) -> None:
    """Declare what `tscale record` takes."""
    _add_sampling_arguments(record)
    record.add_argument("--samples", type=int, metavar="N", help="of each question (default 64)")


def _add_label_arguments(label: argparse.ArgumentParser) -> None:
    """Declare what `tscale prm label` takes."""
    _add_sampling_arguments(label)
    label.add_argument("--solutions", type=int, metavar="N", help="of each question (default 6)")
    label.add_argument("--labels", choices=("shares", "bisection"), help="how (default shares)")
    label.add_argument("--steps", help="paragraph (default), line, sentence, delimiter:…")
    label.add_argument("--continuation", help="auto, prefill or prompt (default auto)")
    label.add_argument("--max-parallel", type=int, metavar="N", help="completions in flight")


def _add_sampling_arguments(record: argparse.ArgumentParser) -> None:
    """Declare how a file of questions is sampled."""
    record.add_argument("questions", help="a file of questions, one JSON object a line")
    record.add_argument("--out", required=True, metavar="PATH", help="the recording (.jsonl[.gz])")
    record.add_argument("--budget", metavar="LIMITS", help="of the whole run (required)")
    record.add_argument("--model", help="local, or provider:model (default local)")
    record.add_argument("--temperature", type=float, metavar="T", help="0 to 2 (default 0.8)")
    record.add_argument(
        "--max-output-tokens", type=int, metavar="N", help="of one sample (default 512)"
    )
    record.add_argument("--verify", metavar="VERIFIER", help="for questions that name none")
    record.add_argument("--answer", help="how to read answers: auto, number, choice, text, …")
    record.add_argument("--system", metavar="TEXT", help="a system prompt")
    record.add_argument("--seed", type=int, help="for runs that repeat (default 0)")
    record.add_argument("--examples", metavar="PATH", help="worked examples to show")
    record.add_argument(
        "--shown",
        choices=("turns", "message"),
        default="turns",
        help='examples as turns, or in one message as "Q: … A: …"',
    )
