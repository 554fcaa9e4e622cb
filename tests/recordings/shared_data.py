"""Recordings of larger models, read where they lie: beside the project, where they are at all."""

import gzip
import json
from pathlib import Path

import pytest

from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.records import RecordedQuestion

SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "exams": "jhu_gpt35_10exams_nooverlap_notext.jsonl.gz",
    "qwen": "qwen25math_math100_rm8.jsonl.gz",
    "codet": "codet_humaneval_codegen16b_100.jsonl.gz",
    "game24": "tot_game24_gpt4_cot100.jsonl.gz",
}
_KINDS = {"exams": "choice", "qwen": "math", "codet": "text", "game24": "text"}


def shared(name: str) -> list[RecordedQuestion]:
    """One of the recordings, as `recorded`; of the exams, the temperatures from 0.5 to 1.0."""
    scores = "reward" if name == "qwen" else "probability"
    read = read_recording(_present(name), scores=scores)
    questions = [q.model_copy(update={"kind": _KINDS[name]}) for q in read]
    if name != "exams":
        return questions
    return [
        q.model_copy(
            update={"samples": tuple(s for s in q.samples if 0.5 <= (s.temperature or 0) <= 1.0)}
        )
        for q in questions
    ]


def recorded(name: str) -> list[dict]:
    """The lines of one of the recordings as they are; skips a test where they are absent."""
    with gzip.open(_present(name), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _present(name: str) -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name} is not beside the project")
    return SHARED / FILES[name]
