"""A standing context from files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def read_documents(paths: Sequence[str]) -> dict[str, str]:
    """The texts of files, and of all files in folders, by their paths below where all of them are.

    So a context is the same from wherever it is read.

    Raises:
        ValueError: for a file that is no text, or no file at all.
        OSError: when one cannot be read.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        inside = path.rglob("*") if path.is_dir() else [path]
        files += sorted(one for one in inside if not one.is_dir())
    if not files:
        raise ValueError(f"there are no files in {', '.join(paths)}")
    below = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    found: dict[str, str] = {}
    for file in files:
        name = Path(os.path.relpath(file, below)).as_posix()
        try:
            found[name] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{file} is not text in UTF-8") from None
    return found


def context_name(paths: Sequence[str]) -> str:
    """What the books of a context of files are kept under where it is not named: its place."""
    return " ".join(Path(path).resolve().as_posix() for path in paths)
