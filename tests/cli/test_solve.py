"""The command, as a person or a script uses it."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.fake_server import Behaviour
from tscale_graph.cli import main
from tscale_graph.cli.main import _parser
from tscale_graph.cli.solve import read_as, read_budget

RECORDED = Path(__file__).parent.parent / "recordings" / "letters.jsonl.gz"
SOLVE = ("solve", "--model", "openai:fake", "--budget", "tokens=20000,seconds=20")


@pytest.fixture
def server(asked_by_default):
    asked_by_default.reset(Behaviour(answers={"The answer is 3": 1.0}))
    return asked_by_default


@pytest.mark.slow
def test_the_answer_alone_goes_to_standard_output(server, tscale_process):
    done = tscale_process(*SOLVE, "How many r's are in strawberry?", "--samples", "8")
    assert (done.returncode, done.stdout) == (0, "3\n")
    assert "agreement: 100%" in done.stderr
    assert "one pass is about" in done.stderr
    assert len(server.ledger().requests) == 1, "four samples, one request"


def test_the_question_may_come_from_standard_input_or_a_file(
    server, tmp_path, tscale, tscale_process
):
    path = tmp_path / "question.txt"
    path.write_text("How many?")
    assert tscale_process(*SOLVE, stdin="How many?").stdout == "3\n"
    assert tscale(*SOLVE, "-", stdin="How many?").stdout == "3\n"
    assert tscale(*SOLVE, "--file", str(path)).stdout == "3\n"


@pytest.mark.slow
def test_json_is_the_whole_result(server, tscale_process):
    done = tscale_process(*SOLVE, "How many?", "--json", "--technique", "self-consistency")
    result = json.loads(done.stdout)
    assert (result["answer"], result["status"], result["usage"]["calls"]) == ("3", "complete", 4)
    assert done.stderr == ""


def test_best_of_n_and_the_router(server, tscale):
    server.reset(Behaviour(answers={"x = 5": 1.0}))
    question = "Solve 3x + 4 = 19 for x."
    best = tscale(*SOLVE, question, "--technique", "best-of-n", "--verify", "equation")
    assert (best.returncode, best.stdout) == (0, "x = 5\n")
    assert "verdict: passed" in best.stderr
    routed = tscale(*SOLVE, question, "--technique", "router", "--verify", "equation")
    assert (routed.returncode, routed.stdout) == (0, "x = 5\n")
    assert "class verifiable: an equation to solve" in routed.stderr
    assert "  1  x = 5" in routed.stderr, "samples are shown as they come"


REFINE = ("solve", "How many?", "--budget", "calls=9", "--technique", "refine")


AGGREGATE = (*REFINE[:-1], "aggregate-recursively")


def test_aggregation_takes_its_population_subset_and_generations(server, tscale):
    server.reset(Behaviour(answers={f"The answer is {number}": 1.0 for number in range(9)}))
    sizes = ("--samples", "3", "--subset", "2", "--generations", "2", "--json")
    done = tscale(*SOLVE, "How many?", "--technique", "aggregate-recursively", *sizes)
    result = json.loads(done.stdout)
    assert (result["technique"], result["usage"]["calls"]) == ("aggregate_recursively", 6)
    assert [request.n for request in server.ledger().requests] == [3, 1, 1, 1]


def test_refine_takes_a_verifier_or_none_and_counts_its_versions(server, tscale, tmp_path):
    server.reset(Behaviour(answers={"2 + 3": 0.5, "3 + 4": 0.5}))
    asked = ["solve", "Use the numbers 2, 3, 4 to make 10.", *REFINE[2:], "--samples", "3"]
    asked += ["--model", "openai:fake", "--json"]
    checked = json.loads(tscale(*asked, "--verify", "countdown").stdout)
    assert (checked["technique"], checked["usage"]["calls"]) == ("refine", 3)
    assert checked["verdict"]["passed"] is False
    path = tmp_path / "tree.html"
    alone = tscale(*asked, "--show-tree", str(path))
    assert json.loads(alone.stdout)["usage"]["calls"] > 3
    assert f"the tree is in {path}" in alone.stderr


@pytest.mark.slow
def test_the_exit_status_says_how_it_ended(server, tscale, tscale_process):
    cut = tscale("solve", "How many?", "--model", "openai:fake", "--stop", "fixed",
                 "--budget", "calls=2")  # fmt: skip
    assert (cut.returncode, cut.stdout) == (3, "3\n")
    assert "cut off by calls" in cut.stderr
    server.reset(Behaviour(faults={"hang": 1.0}))
    none = tscale_process("solve", "How many?", "--model", "openai:fake", "--budget", "seconds=1")
    assert (none.returncode, none.stdout) == (4, "")
    assert "seconds=1.0 was used up before there was an answer" in none.stderr
    as_json = tscale(*SOLVE, "How many?", "--budget", "seconds=1", "--json")
    assert as_json.returncode == 4
    result = json.loads(as_json.stdout)
    assert (result["answer"], result["cut_off_by"]) == (None, "seconds")
    assert result["usage"]["calls"] > 0
    server.reset(Behaviour(faults={"400": 1.0}))
    failed = tscale(*SOLVE, "How many?", "--samples", "1")
    assert failed.returncode == 1
    assert len(failed.stderr.strip().splitlines()) <= 2


def test_what_holds_no_answer_is_a_failure_and_is_told_beside(server, tscale):
    server.reset(Behaviour(answers={"Hm.": 1.0}))
    done = tscale(*SOLVE, "How many r's are in strawberry?", "--answer", "number")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no answer could be read" in done.stderr
    assert "Hm." in done.stderr


@pytest.mark.slow
def test_a_terminal_that_knows_no_letter_but_ascii_is_no_obstacle(monkeypatch, tscale_process):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert tscale_process("solve", "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["solve", "How many?"], "no budget: say what this may cost"),
        (
            ["solve", "How many?", "--budget", "tokens=-5"],
            "should be greater than 0, got -5",
        ),
        (["solve", "How many?", "--budget", "tokens=many"], "tokens must be a whole number"),
        (["solve", "How many?", "--budget", "calls=5,calls=9"], "names calls more than once"),
        (["solve", "--file", str(RECORDED), "--budget", "calls=1"], "is not text in UTF-8"),
        (["solve", "How many?", "--budget", "euros=5"], "takes calls=, tokens=, usd= and seconds="),
        (["solve", "How many?", "--budget", "calls=1", "--model", "no:model"], "got 'no:model'"),
        (
            ["solve", "How many?", "--budget", "calls=1", "--technique", "magic"],
            "technique must be",
        ),
        (
            ["solve", "How many?", "--budget", "calls=1", "--technique", "best-of-n"],
            "needs --verify",
        ),
        (
            [
                "solve",
                "x?",
                "--budget",
                "calls=1",
                "--technique",
                "best-of-n",
                "--verify",
                "oracle",
            ],
            "verifier must be one of",
        ),
        (["solve", "--budget", "calls=1"], "no question"),
        (["solve", "", "--budget", "calls=1"], "no question"),
        (["solve", "How many?", "--budget", "calls=1", "--samples", "0"], "at least 1, got 0"),
        (["solve", "How many?", "--budget", "calls=1", "--verify", "equation"], "best-of-n"),
        (["solve", "--file", "nowhere.txt", "--budget", "calls=1"], "nowhere.txt"),
        (["solve", "How many?", "--budget", "usd=1", "--model", "openai:fake"], "is not known"),
        (
            ["solve", "How many?", "--budget", "tokens=3", "--model", "openai:fake"],
            "tokens=3 is too little for the question alone",
        ),
        ([*REFINE, "--samples", "1"], "--samples must be at least 2 with refine, got 1"),
        ([*REFINE, "--select", "max"], "--select is for --technique best-of-n and tree searches"),
        ([*REFINE, "--vote", "majority"], "--vote is for --technique self-consistency"),
        ([*REFINE, "--stop", "fixed"], "--stop is for best-of-n and self-consistency"),
        ([*AGGREGATE, "--select", "max"], "--select is for --technique best-of-n and tree"),
        ([*AGGREGATE, "--verify", "equation"], "--verify is for --technique best-of-n, refine"),
        ([*AGGREGATE, "--speculate", "2"], "--speculate is for best-of-n and self-consistency"),
        ([*AGGREGATE, "--subset", "0"], "subset must be at least 1, got 0"),
        ([*REFINE, "--subset", "2"], "--subset is for --technique aggregate-recursively"),
        (["dance"], "invalid choice"),
        (["solve", "How many?", "--samples", "few"], "--samples"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, says, server, tscale):
    done = tscale(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_wrong_use_ends_the_process_with_2(tscale_process):
    done = tscale_process("solve", "How many?")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("text", ["The answer is 3 [/INST]", "[bold] The answer is 3"])
def test_a_model_that_writes_brackets_is_answered_for_all_the_same(text, server, tscale):
    server.reset(Behaviour(answers={text: 1.0}))
    done = tscale(*SOLVE, "How many?")
    assert (done.returncode, done.stdout) == (0, "3\n")
    assert text in done.stderr


def test_thought_and_answer_are_told_apart(server, tscale):
    asked = ("How many?", "--technique", "extended-thinking", "--thinking-tokens", "100", "--json")
    done = tscale(*SOLVE, *asked)
    result = json.loads(done.stdout)
    (candidate,) = result["candidates"]
    assert (result["answer"], candidate["reasoning"]) == ("3", "The answer is 3")
    assert result["usage"]["reasoning_tokens"] == 4
    assert tscale(*SOLVE, *asked[:3]).stdout == "3\n"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--technique", "extended-thinking", "--samples", "4"), "--samples is not for"),
        (("--technique", "extended-thinking", "--verify", "equation"), "--verify is not for"),
        (("--thinking-tokens", "9"), "--thinking-tokens is for --technique extended-thinking"),
        (("--technique", "extended-thinking", "--thinking-tokens", "0"), "at least 1, got 0"),
        (
            ("--technique", "extended-thinking", "--vote", "majority"),
            "--vote is for --technique self-consistency\n",
        ),
    ],
)
def test_options_of_thinking_are_for_thinking(options, says, server, tscale):
    done = tscale(*SOLVE, "How many?", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_cascade_takes_its_models_with_commas(server, tscale):
    server.reset(Behaviour(answers={"The answer is 3": 1.0}))
    asked = list(SOLVE)
    place = asked.index("--model") + 1
    asked[place] = f"{asked[place]},{asked[place]}"
    done = tscale(*asked, "How many?", "--technique", "cascade", "--samples", "2", "--json")
    result = json.loads(done.stdout)
    assert (result["technique"], result["answer"], result["usage"]["calls"]) == ("cascade", "3", 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--vote", "majority"), "--vote is for --technique self-consistency\n"),
        (("--select", "max"), "--select is for --technique best-of-n"),
        (("--stop", "beta"), "--stop is for best-of-n and self-consistency"),
        ((), "rungs must be at least 2 models or techniques, cheap first, got 1"),
    ],
)
def test_what_a_cascade_does_not_take_is_told_in_one_line(options, says, server, tscale):
    done = tscale(*SOLVE, "How many?", "--technique", "cascade", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ([], None),
        (["--answer", "auto"], None),
        (["--answer", "choice"], "choice"),
        (["--verify", "countdown"], "text"),
        (["--verify", "equation", "--answer", "number"], "number"),
    ],
)
def test_whoever_watches_reads_answers_as_the_technique_does(options, kind):
    read = read_as(_parser().parse_args(["solve", "How many?", *options]))
    assert (read and read.name) == kind


def test_a_budget_is_read_from_one_word():
    budget = read_budget("calls=3, tokens=20_000,usd=0.5,seconds=1.5")
    assert budget.model_dump() == {"calls": 3, "tokens": 20_000, "usd": 0.5, "seconds": 1.5}


def test_help_teaches_and_the_lists_list(capsys):
    with pytest.raises(SystemExit):
        main(["solve", "--help"])
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "exit status:" in text
    assert main(["models"]) == 0
    assert "local" in capsys.readouterr().out
    assert main(["techniques"]) == 0
    listed = capsys.readouterr().out
    assert "self-consistency" in listed
    assert "extended-thinking" in listed
    assert "cascade" in listed
    assert "equation" in listed
    assert main([]) == 2
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.split()[-1] == version("tscale-graph")
