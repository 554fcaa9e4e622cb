"""The command, run in the process of the tests or in one of its own, and a server to ask."""

import io
import subprocess
import sys

import pytest

from tests.fake_server import FakeServer
from tscale_graph.cli import main


@pytest.fixture(scope="session")
def running():
    with FakeServer(in_process=True) as server:
        yield server


@pytest.fixture
def asked_by_default(running, monkeypatch):
    """A server that openai:* models ask; a test says how it behaves."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", running.url)
    return running


@pytest.fixture
def tscale(capsys, monkeypatch):
    """Runs the command here; what came of it is told as of a process."""

    def run(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as ended:  # what argparse refuses
            status = ended.code
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    return run


@pytest.fixture
def tscale_process():
    """Runs the command as a person does: for what only a process of its own can show."""

    def run(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "tscale_graph", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
