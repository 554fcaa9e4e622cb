"""`tscale draw`: a picture of a graph."""

import pytest

GRAPH = """
from tests.scripted import Scripted
from tscale_graph import best_of_n
from beside import verifier

print("loading")
graph = best_of_n(Scripted(model_name="mine"), verifier)
compiled = graph.compile()
number = 3

def make():
    return graph

def configured(config):
    return compiled
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "beside.py").write_text("def verifier(question, answer): return True\n")
    path = tmp_path / "graphs.py"
    path.write_text(GRAPH)
    return path


@pytest.mark.parametrize(
    "name",
    ["self-consistency", "best_of_n", "beam-search", "ab-mcts", "lats", "refine",
     "extended-thinking", "router"],
)  # fmt: skip
def test_every_technique_is_drawn_by_its_name(name, tscale, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = tscale("draw", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("flowchart TB\n")
    assert name.replace("_", "-") in done.stdout


def test_a_composition_is_written_as_in_python(tscale):
    done = tscale(
        "draw",
        "ab-mcts([refine(openai:gpt-5-mini, equation), local], judge:openai:gpt-5, max_nodes=9)",
        "--text",
    )
    assert done.returncode == 0, done.stderr
    for words in ("ab-mcts", "refine", "[openai:gpt-5-mini]", "[local]", "up to 9 nodes",
                  "verify · judge: openai:gpt-5", "verify · equation"):  # fmt: skip
        assert words in done.stdout


def test_what_has_commas_stands_in_quotes(tscale):
    done = tscale("draw", "best-of-n(a, 'constraints:words=8,contains=river')", "--text")
    assert "verify · constraints:words=8,contains=river" in done.stdout


@pytest.mark.parametrize("variable", ["graph", "compiled", "make", "configured"])
def test_a_graph_in_a_file(variable, file, tscale):
    done = tscale("draw", f"{file}:{variable}", "--text")
    assert done.returncode == 0, done.stderr
    assert "[mine]" in done.stdout
    assert "loading" not in done.stdout, "what the file prints is no part of the picture"


def test_a_graph_in_a_module(file, tscale, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert '(["mine"])' in tscale("draw", "graphs:graph").stdout


@pytest.mark.parametrize(
    ("name", "start"),
    [("g.svg", "<svg"), ("g.html", "<!doctype"), ("g.mmd", "flowchart"), ("g.txt", "┌─ refine")],
)
def test_the_suffix_names_the_format(name, start, tscale, tmp_path):
    done = tscale("draw", "refine", "--out", str(tmp_path / name))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"the picture is in {tmp_path / name}" in done.stderr
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("nonsense",), "technique must be one of self-consistency, best-of-n"),
        (("best-of-n(a",), "must have a comma or ) at the end"),
        (("best-of-n(a, equation))",), "must have nothing more before ')'"),
        (("best-of-n(a, nonsense)",), "verifier must be one of equation"),
        (("best-of-n(a, equation, size=3)",), "unexpected keyword argument 'size'"),
        (("best-of-n(a, equation, n=0)",), "n must be at least 1, got 0"),
        (("router(a, size=3)",), "unexpected keyword argument 'size'"),
        (("extended-thinking(refine(a))",), "extended_thinking needs a chat model"),
        (("no/such.py:graph",), "there is no file no/such.py"),
        (("no.such.module:graph",), "no.such.module failed: ModuleNotFoundError"),
        (("graphs.py",), "name a technique (see tscale techniques), path/to/file.py:graph"),
        (("{file}:missing",), "has no variable missing"),
        (("{file}:number",), "must be a LangGraph graph, got int"),
        (("{broken}:graph",), "failed: KeyError: 'NO_KEY'"),
        (("{leaves}:graph",), "failed: SystemExit"),
        (("refine", "--out", "g.pdf"), "--out must end in .svg, .html, .mmd, .txt"),
        (("refine", "--out", "no/such/g.svg"), "there is no folder no/such"),
        (("refine", "--out", "g.svg", "--text"), "not allowed with argument"),
        ((), "the following arguments are required: graph"),
    ],
)
def test_bad_input_is_told_in_one_line(asked, told, file, tscale):
    broken, leaves = file.parent / "broken.py", file.parent / "leaves.py"
    broken.write_text("import os\nos.environ['NO_KEY']\n")
    leaves.write_text("raise SystemExit(0)\n")
    places = {"file": file, "broken": broken, "leaves": leaves}
    done = tscale("draw", *(part.format(**places) for part in asked))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.replace("loading\n", "").count("\n") == 1
