"""`tscale sleep`, as a person or a script uses it, on a real SQLite file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reader import Reader, written
from tscale_graph import cli

MENU = written({"tea": 2, "cake": 3})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a menu, and a model that reads it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "menu.md").write_text(MENU)
    monkeypatch.setattr("tscale_graph.models.loading._from_provider", lambda name: Reader())
    return tmp_path


MODEL = ("--model", "openai:reader")
SLEEP = ("sleep", "menu.md", *MODEL, "--budget", "tokens=90000")


def ask(tscale, question="How much is tea?", *more):
    context = ("--context", "menu.md", "--budget", "tokens=90000", "--json")
    return tscale("solve", question, *MODEL, *context, *more)


def test_sleeping_asking_and_the_books(here, tscale):
    done = tscale(*SLEEP)
    assert (done.returncode, done.stderr) == (0, "")
    assert "menu.md: 1 of 1 documents rewritten, 2 of 2 questions answered" in done.stdout
    assert done.stdout.splitlines()[-1] == "nothing is left to do"
    result = json.loads(ask(tscale).stdout)
    assert (result["answer"], result["technique"], result["usage"]["calls"]) == ("2", "wake", 0)
    [row] = json.loads(tscale("sleep", "status", "--json").stdout)
    assert row["context"] == str(here / "menu.md")
    assert row["asked"] == {"answer": 1}
    assert not row["paid_off"]
    table = tscale("sleep", "status").stdout
    assert "1 at once" in table
    assert "questions" in table


def test_another_owner_and_another_text_have_nothing_of_it(here, tscale):
    tscale(*SLEEP, "--owner", "acme")
    served = json.loads(ask(tscale, "How much is tea?", "--owner", "acme").stdout)
    assert served["technique"] == "wake"
    other = json.loads(ask(tscale).stdout)
    assert other["notes"][0] == "nothing was prepared for this context"
    (here / "menu.md").write_text(MENU.replace("2", "5"))
    changed = json.loads(ask(tscale, "How much is tea?", "--owner", "acme").stdout)
    assert changed["answer"] == "5"
    assert "no context was worked through" in tscale("sleep", "status", "--owner", "x").stdout


def test_a_budget_that_ends_is_told_and_gone_on_from(here, tscale):
    assert tscale("sleep", "menu.md", *MODEL, "--budget", "tokens=9").stdout.splitlines()[-1] == (
        "the limit on tokens is too little for one call"
    )
    done = tscale("sleep", "menu.md", *MODEL, "--budget", "calls=2", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["cut_off_by"] == "calls"
    assert tscale(*SLEEP).returncode == 0


def test_files_are_the_same_from_wherever_they_are_named(here, tscale, monkeypatch):
    store = str(here / "store.sqlite")
    assert tscale(*SLEEP, "--store", store).returncode == 0
    (here / "deeper").mkdir()
    monkeypatch.chdir(here / "deeper")
    for path in ("../menu.md", str(here / "menu.md")):
        context = ("--context", path, "--store", store, "--budget", "tokens=90000", "--json")
        result = json.loads(tscale("solve", "How much is tea?", *MODEL, *context).stdout)
        assert result["technique"] == "wake"
    [row] = json.loads(tscale("sleep", "status", "--store", store, "--json").stdout)
    assert row["asked"] == {"answer": 2}


def test_folders_are_read_whole(here, tscale):
    (here / "all" / "more").mkdir(parents=True)
    (here / "all" / "more" / "bar.md").write_text(written({"wine": 7}))
    (here / "all" / "menu.md").write_text(MENU)
    done = tscale("sleep", "all", *MODEL, "--budget", "tokens=90000")
    assert "all: 2 of 2 documents rewritten, 3 of 3 questions answered" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sleep", "menu.md"), "no budget: say what this may cost"),
        (("sleep", "nowhere.md", "--budget", "calls=1"), "nowhere.md"),
        (("sleep", "binary", "--budget", "calls=1"), "binary is not text in UTF-8"),
        (("sleep", "empty", "--budget", "calls=1"), "there are no files in empty"),
        (("sleep", "status"), "there is no store tscale-sleep.sqlite"),
        (("sleep", "status", "--budget", "calls=1"), "it takes no --budget"),
        (("sleep", "status", "--max-output-tokens", "9"), "it takes no --max-output-tokens"),
        (("sleep", "status", "--phi", "-1"), "--phi must be at least 0, got -1.0"),
        (("sleep", "status", "--store", "binary"), "the store binary cannot be used: file is not"),
        ((*SLEEP, "--store", "no/where.sqlite"), "there is no folder for the store"),
        ((*SLEEP, "--questions", "0"), "questions must be at least 1, got 0"),
        (("solve", "Hi", "--budget", "calls=1", "--owner", "a"), "--owner is for --context"),
        (("solve", "Hi", "--context", "menu.md"), "no budget"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(here, tscale, arguments, told):
    (here / "binary").write_bytes(b"\xff\xfe\x00" * 100)
    (here / "empty").mkdir()
    done = tscale(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_postgres_server_that_is_not_there_is_told_in_one_line(here, tscale):
    done = tscale(*SLEEP, "--store", "postgresql://nobody@127.0.0.1:9/none")
    assert done.returncode == 2
    assert "the Postgres store cannot be used" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_told_to_end_it_gives_way_and_keeps_what_it_has(here):
    root = Path(cli.__file__).parents[2]
    program = (
        "import sys, tscale_graph.models.loading as loading; from tests.reader import Reader; "
        "loading._from_provider = lambda name: Reader(delay=1.0); "
        "from tscale_graph.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *SLEEP, "--json"],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    store = here / "tscale-sleep.sqlite"
    deadline = time.monotonic() + 30
    while not store.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.3)  # in the middle of a call
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    slept = json.loads(out)
    assert slept["status"] == "gave_way"
    assert slept["answered"] < 2
