"""What `tscale draw`, `record` and `prm` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from typing import Any

_PRM_HELP = """\
A process reward model of your own, from questions with right answers and the model that you use:
it scores every step of a solution by how likely the solution is to come out right from there, and
is a verifier for best-of-n, beam-search and lats.

examples:
  tscale prm label questions.jsonl --out labels.jsonl.gz --budget tokens=2000000
  tscale prm train labels.jsonl.gz --out my-prm
  tscale prm evaluate my-prm --labels held-out.jsonl.gz --samples samples.jsonl.gz --out report
  tscale solve "Solve 3x + 4 = 19 for x." --technique best-of-n --verify prm:my-prm \\
      --budget tokens=20000
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

_TRAIN_HELP = """\
Train a process reward model, choose its classifier and features on questions kept aside for that,
and print what was tried.

examples:
  tscale prm train labels.jsonl.gz --out my-prm
  tscale prm train equations.jsonl stories.jsonl --out my-prm --labels bisection

A label file is what tscale prm label writes; steps are cut as they were there.

exit status:
  0  trained        2  wrong use, or labels that nothing can be learnt from
"""

_EVALUATE_HELP = """\
Measure a process reward model on questions that it has never seen: how well it scores steps (from
a label file), and what it buys over majority voting (from a recording of `tscale record`). Writes
report.html, report.md, report.json and pictures. Questions of its training are left out.

examples:
  tscale prm evaluate my-prm --labels held-out.jsonl.gz --samples samples.jsonl.gz --out report
  tscale prm evaluate my-prm --labels held-out.jsonl.gz --train labels.jsonl.gz --out report

exit status:
  0  evaluated      2  wrong use, or no question that the model has not seen
"""


_DRAW_HELP = """\
Draw a graph as a person would: the steps of a technique in a box, and in the step that asks a
model, that model or the technique in its place. Nothing is asked, and no key is needed.

examples:
  tscale draw best-of-n
  tscale draw "best-of-n(extended-thinking(openai:gpt-5-mini), equation)" --text
  tscale draw "ab-mcts([refine(openai:gpt-5-mini), local], judge:local)" --out search.html
  tscale draw agent.py:graph --out agent.svg

what to draw:
  name             a technique (see tscale techniques) of your model and verifier
  name(argument,…) of these: models, verifiers, techniques in turn, [several models], option=value
  file.py:graph    the variable of a file, or of package.module:graph, that holds a LangGraph
                   graph, compiled or not, or a function that makes one; the file is run

Mermaid goes to standard output: paste it into Markdown on GitHub, or into mermaid.live.

exit status:
  0  drawn        1  the file could not be written        2  wrong use, or no such graph
"""


_POLICY_HELP = """\
A policy says what is done with each class of task: technique, arguments, models, verifier, budget
and fallback, in a YAML or JSON file for tscale solve --policy and for router(Policy.load(…)).

examples:
  tscale policy show > policy.yaml      the default policy, with comments, to start from
  tscale policy check policy.yaml       everything that is wrong with a file, a line for each
  tscale policy schema > policy.schema.json
                                        for editors: begin the policy with the line
                                        # yaml-language-server: $schema=policy.schema.json
  tscale solve "How many r's are in strawberry?" --policy policy.yaml

exit status:
  0  nothing is wrong        2  something is, or wrong use
"""


_SLEEP_HELP = """\
Work through a context while nobody asks: rewrite its documents densely, think of questions, and
keep verified answers to them. Run it again to go on and to improve what is there. Questions are
answered from that with tscale solve --context, or with wake in a program.

examples:
  tscale sleep handbook.md --budget tokens=200000
  tscale sleep handbook/ --name handbook --owner acme --store postgresql://localhost/app \\
      --model openai:gpt-5-mini --budget usd=0.50
  tscale solve "How many days of leave are there?" --context handbook.md --budget tokens=20000
  tscale sleep status                 what it has cost and saved, per context

It gives way when it is told to end (SIGTERM, Ctrl-C): calls in flight are dropped, and what there
is is kept. A context that was worked through --patience times is left alone until somebody asks.

exit status:
  0  done for now        2  wrong use        130  interrupted
  1  failed              3  cut off by the budget
"""


def add_sleep(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale sleep`."""
    sleep = command_of(commands, "sleep", "work through a context ahead of questions", _SLEEP_HELP)
    sleep.add_argument("context", nargs="+", help='files and folders of text; or "status"')
    sleep.add_argument("--budget", metavar="LIMITS", help="of this run (required)")
    sleep.add_argument("--model", default="local", help="local, or provider:model (default local)")
    sleep.add_argument("--verify", metavar="VERIFIER", help="of answers: see tscale techniques")
    add_keeping(sleep)
    sleep.add_argument("--questions", type=int, metavar="N", help="that it may have (default 16)")
    sleep.add_argument("--samples", type=int, metavar="N", help="of each answer (default 5)")
    sleep.add_argument(
        "--patience", type=int, metavar="N", help="times without questions (default 3)"
    )
    sleep.add_argument("--temperature", type=float, metavar="T", help="0 to 2 (default 0.7)")
    sleep.add_argument("--max-output-tokens", type=int, metavar="N", help="of one reply")
    sleep.add_argument("--seed", type=int, help="for runs that repeat")
    told = "price of a token asleep, in tokens that somebody waits for (default 1)"
    sleep.add_argument("--phi", type=float, default=1.0, help=f"for status: the {told}")
    sleep.add_argument("--json", action="store_true", help="print it as JSON")


def add_keeping(command: argparse.ArgumentParser) -> None:
    """Declare where and under which names what is prepared for a context is kept."""
    command.add_argument("--store", metavar="PATH", help="an SQLite file, or postgresql://…")
    command.add_argument("--name", help="of the context, through all its versions")
    command.add_argument("--owner", action="append", metavar="NAME", help="tenant; then user")


def add_policy(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale policy` and what it can do."""
    policy = command_of(commands, "policy", "show or check what is done per class", _POLICY_HELP)
    actions = policy.add_subparsers(dest="action", metavar="action", required=True)
    show = command_of(actions, "show", "print a policy as YAML", _POLICY_HELP)
    show.add_argument("file", nargs="?", help="a policy file; the default policy if none")
    check = command_of(actions, "check", "say what is wrong with a file", _POLICY_HELP)
    check.add_argument("file", help="a policy file, YAML or JSON")
    command_of(actions, "schema", "print the JSON schema of policy files", _POLICY_HELP)


def add_draw(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale draw`."""
    draw = command_of(commands, "draw", "draw a graph, techniques within techniques", _DRAW_HELP)
    draw.add_argument("graph", help="a technique, a composition, or file.py:graph")
    form = draw.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="in characters, for a terminal")
    form.add_argument("--out", metavar="PATH", help="into a file: .svg, .html, .mmd or .txt")


def add_sampling(command: argparse.ArgumentParser) -> None:
    """Declare how a file of questions is sampled."""
    command.add_argument("questions", help="a file of questions, one JSON object a line")
    command.add_argument("--out", required=True, metavar="PATH", help="the recording (.jsonl[.gz])")
    add_asking(command, temperature="0 to 2 (default 0.8)", output="of one sample (default 512)")


def add_asking(command: argparse.ArgumentParser, *, temperature: str, output: str) -> None:
    """Declare how a model is asked the questions of a file.

    Args:
        command: of which command.
        temperature: what to say of that option.
        output: the same, of the output limit.
    """
    command.add_argument("--budget", metavar="LIMITS", help="of the whole run (required)")
    command.add_argument("--model", help="local, or provider:model (default local)")
    command.add_argument("--temperature", type=float, metavar="T", help=temperature)
    command.add_argument("--max-output-tokens", type=int, metavar="N", help=output)
    command.add_argument("--verify", metavar="VERIFIER", help="for questions that name none")
    command.add_argument("--answer", help="how to read answers: auto, number, choice, text, …")
    command.add_argument("--system", metavar="TEXT", help="a system prompt")
    command.add_argument("--seed", type=int, help="for runs that repeat (default 0)")
    command.add_argument("--examples", metavar="PATH", help="worked examples to show")
    command.add_argument(
        "--shown",
        choices=("turns", "message"),
        default="turns",
        help='examples as turns, or in one message as "Q: … A: …"',
    )


def add_prm(commands: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Declare `tscale prm` and what it can do."""
    prm = command_of(commands, "prm", "train a process reward model on your own task", _PRM_HELP)
    actions = prm.add_subparsers(dest="action", metavar="action", required=True)
    _add_label(actions)
    _add_train(actions)
    _add_evaluate(actions)


def _add_label(actions: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    label = command_of(actions, "label", "sample solutions, and label their steps", _LABEL_HELP)
    add_sampling(label)
    label.add_argument("--solutions", type=int, metavar="N", help="of each question (default 6)")
    label.add_argument("--labels", help="shares or bisection (default shares)")
    label.add_argument("--steps", help="paragraph (default), line, sentence, delimiter:…")
    label.add_argument("--continuation", help="auto, prefill or prompt (default auto)")
    label.add_argument("--max-parallel", type=int, metavar="N", help="completions in flight")


def _add_train(actions: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    train = command_of(actions, "train", "train a model on labelled solutions", _TRAIN_HELP)
    train.add_argument("files", nargs="+", metavar="LABELS", help="label files (.jsonl[.gz])")
    train.add_argument("--out", required=True, metavar="FOLDER", help="where the model goes")
    train.add_argument("--steps", help="where steps end, for files that do not say")
    train.add_argument(
        "--labels",
        metavar="METHOD",
        help="shares, bisection, bisection:4, …, instead of how the files were labelled",
    )
    train.add_argument(
        "--features",
        metavar="NAMES",
        help="to choose among: position,wording,arithmetic (default), hidden,logprobs",
    )
    train.add_argument(
        "--kind", default="auto", help="auto, logistic, boosting or both (default auto)"
    )
    train.add_argument("--policy", metavar="NAME", help="whose solutions these are, for the card")
    train.add_argument("--seed", type=int, default=0, help="of splits and trees (default 0)")


def _add_evaluate(actions: argparse._SubParsersAction[Any]) -> None:  # pyright: ignore[reportPrivateUsage]
    told = "measure a model on questions that it has never seen"
    evaluate = command_of(actions, "evaluate", told, _EVALUATE_HELP)
    evaluate.add_argument("model", metavar="MODEL", help="the folder of a model, or prm")
    evaluate.add_argument("--labels", nargs="+", metavar="PATH", help="held-out label files")
    evaluate.add_argument("--samples", nargs="+", metavar="PATH", help="held-out recordings")
    evaluate.add_argument(
        "--train", nargs="+", metavar="PATH", help="label files to fit models that know less to"
    )
    evaluate.add_argument("--out", required=True, metavar="FOLDER", help="where the report goes")
    evaluate.add_argument("--seed", type=int, default=0, help="of all draws (default 0)")


def command_of(
    commands: argparse._SubParsersAction[Any],  # pyright: ignore[reportPrivateUsage]
    name: str,
    told: str,
    description: str,
) -> argparse.ArgumentParser:
    """Declare a command, or what one can do, with a description that keeps its lines."""
    return commands.add_parser(
        name,
        help=told,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
