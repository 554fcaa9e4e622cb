"""Other people's recordings of larger models, used where they lie."""

import gzip
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def recorded(name):
    """The questions of one file; skips the test, with the reason, where it is absent."""
    path = FOLDER / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
