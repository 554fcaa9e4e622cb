"""`tscale solve --show-tree`: what a tree search did, in a file."""

import json
import subprocess
import sys

import pytest

from tests.fake_server import Behaviour, FakeServer
from tscale_graph.search_trees import SearchTree

SEARCH = (
    "solve", "--model", "openai:fake", "--budget", "calls=12,seconds=20", "--samples", "4",
    "--technique", "ab-mcts", "--verify", "countdown",
)  # fmt: skip
QUESTION = "Use the numbers 2, 3, 4 to make 10."


@pytest.fixture
def server(monkeypatch):
    with FakeServer(Behaviour(answers={"2 + 3": 0.5, "3 + 4": 0.5}), in_process=True) as running:
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def test_the_tree_is_written_and_the_nodes_on_screen_have_its_numbers(tscale, server, tmp_path):
    path = tmp_path / "tree.json"
    done = tscale(*SEARCH, QUESTION, "--show-tree", str(path))
    tree = SearchTree.from_json(path.read_text())
    assert (tree.technique, tree.question) == ("ab_mcts", QUESTION)
    assert f"the tree is in {path}" in done.stderr
    told = [line.split() for line in done.stderr.splitlines() if line[:3].strip().isdigit()]
    shown = {int(number): " ".join(text) for number, *text in told}
    assert shown == {node.index: node.text for node in tree.nodes[1:]}


@pytest.mark.parametrize(
    ("name", "start"),
    [("tree.html", "<!doctype html"), ("t.mmd", "flowchart"), ("t.dot", "digraph")],
)
def test_the_suffix_names_the_format(name, start, tscale, server, tmp_path):
    tscale(*SEARCH, QUESTION, "--show-tree", str(tmp_path / name), "--json")
    assert (tmp_path / name).read_text().lower().startswith(start)


def test_a_search_that_comes_to_no_answer_leaves_its_tree(tscale, tmp_path, monkeypatch):
    path = tmp_path / "tree.json"
    with FakeServer(Behaviour(latency=20.0), in_process=True) as running:
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        asked = [*SEARCH[:3], "--budget", "calls=3,seconds=1", *SEARCH[7:]]
        done = tscale(*asked, QUESTION, "--show-tree", str(path))
    assert done.returncode == 4
    assert "the limit on seconds came before there was an answer" in done.stderr
    assert len(SearchTree.from_json(path.read_text()).nodes) == 2


@pytest.mark.slow
def test_techniques_that_need_another_package_are_listed_with_what_they_need(tscale):
    without = "import sys; sys.modules['numpy'] = None; from tscale_graph.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "techniques"], capture_output=True, text=True
    )
    assert "self-consistency" in done.stdout
    assert "pip install 'tscale-graph[search]'" in done.stdout
    assert "lets a model think" in done.stdout, "which needs no tree"
    assert done.returncode == 0, done.stderr


def test_json_has_the_tree_too(tscale, server):
    result = json.loads(tscale(*SEARCH, QUESTION, "--json").stdout)
    assert [node["index"] for node in result["tree"]["nodes"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("--show-tree", "tree.pdf"), "--show-tree must end in .html, .json"),
        (("--show-tree", "no/such/folder/tree.html"), "there is no folder no/such/folder"),
        (("--show-tree", "t.html", "--technique", "best-of-n"), "--show-tree is for --technique"),
        (("--vote", "majority"), "--vote is for --technique self-consistency"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_asked(changed, told, tscale, server):
    done = tscale(*SEARCH, QUESTION, *changed)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert server.ledger().requests == []


def test_a_search_that_needs_a_verifier_says_so(tscale, server):
    done = tscale(
        "solve", QUESTION, "--technique", "beam-search", "--model", "openai:fake",
        "--budget", "calls=3",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2,
        "tscale: beam-search needs --verify: see tscale techniques\n",
    )


def test_every_tree_search_is_listed(tscale):
    listed = tscale("techniques").stdout
    assert all(name in listed for name in ("beam-search", "ab-mcts", "lats"))
