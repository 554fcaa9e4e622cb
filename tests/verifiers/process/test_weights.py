"""Files of arrays that may come from anybody: refused in one line, or good to score with."""

import hashlib
import io
import json
import random
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tscale_graph.verifiers.process.classifier import (
    Calibration,
    Linear,
    Projection,
    StepClassifier,
    Trees,
)
from tscale_graph.verifiers.process.saving import ModelCard, load_classifier, save_classifier
from tscale_graph.verifiers.process.weights import LARGEST, packed

CARD = ModelCard(
    policy="none", data="none", created="2026-11-26", steps="line", featurizers=("own",),
    kind="both", labels="shares", questions=0, labelled_steps=0,
)  # fmt: skip
COLUMNS = ("own.a", "own.b", "own.c")
STUMP = Trees(
    roots=np.array([0]),
    column=np.array([1, -1, -1]),
    threshold=np.array([0.5, 0.0, 0.0]),
    left=np.array([1, -1, -1]),
    right=np.array([2, -1, -1]),
    value=np.array([0.0, -1.0, 1.0]),
    bias=0.1,
)
MODEL = StepClassifier(
    COLUMNS,
    np.zeros(3),
    np.ones(3),
    (Linear(np.array([1.0, -1.0]), 0.2), STUMP),
    Calibration(np.array([-1.0, 1.0]), np.array([0.1, 0.9])),
    (Projection(np.array([1, 2]), np.array([[0.5, 0.5]])),),
)
ROWS = np.random.default_rng(0).normal(size=(20, 3))


def arrays():
    with np.load(io.BytesIO(packed(MODEL))) as saved:
        return dict(saved)


def written(folder, weights, card=None):
    """A model whose digest is that of its weights, whatever they are."""
    save_classifier(folder, MODEL, CARD)
    (folder / "weights.npz").write_bytes(weights)
    if card is None:
        told = json.loads((folder / "model.json").read_text())
        told["sha256"] = hashlib.sha256(weights).hexdigest()
        card = json.dumps(told)
    (folder / "model.json").write_text(card)
    return folder


def archive(members, packing=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array))
    return stream.getvalue()


def refused(folder, words):
    with pytest.raises(ValueError, match=words) as caught:
        load_classifier(folder)
    assert "\n" not in str(caught.value)


def test_what_was_saved_is_read_again(tmp_path):
    save_classifier(tmp_path, MODEL, CARD)
    again, card = load_classifier(tmp_path)
    assert card == CARD
    assert np.array_equal(again(ROWS), MODEL(ROWS))


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("calibration.probability", [0.1, 1.5], "in \\[0, 1\\]"),
        ("calibration.probability", [-0.1, 0.5], "in \\[0, 1\\]"),
        ("calibration.probability", [0.9, 0.1], "must ascend"),
        ("calibration.probability", [0.9], "must have the shape \\(2\\)"),
        ("calibration.probability", [0.1, np.nan], "must be finite"),
        ("calibration.log_odds", [1.0, -1.0], "must ascend"),
        ("calibration.log_odds", [-np.inf, 1.0], "must be finite"),
        ("calibration.log_odds", [[-1.0, 1.0]], "must have the shape \\(any\\)"),
        ("scale", [1.0, 0.0, 1.0], "scale must be above 0"),
        ("scale", [1.0, -1.0, 1.0], "scale must be above 0"),
        ("centre", [0.0, np.nan, 0.0], "centre must be finite"),
        ("centre", ["0", "0", "0"], "centre must be of numbers"),
        ("centre", [0j, 0j, 0j], "centre must be of numbers"),
        ("centre", [0.0, 0.0], "centre must have the shape \\(3\\)"),
        ("linear.weights", [1.0, np.inf], "must be finite"),
        ("linear.weights", [1.0, 1.0, 1.0], "must have the shape \\(2\\)"),
        ("linear.bias", [1.0, 1.0], "must have the shape \\(\\)"),
        ("linear.bias", np.nan, "must be finite"),
        ("trees.roots", [-1], "trees.roots must be from 0 to 2"),
        ("trees.roots", [3], "trees.roots must be from 0 to 2"),
        ("trees.roots", [0.0], "trees.roots must be of whole numbers"),
        ("trees.column", [2, -1, -1], "trees.column must be from -1 to 1"),
        ("trees.column", [1.0, -1.0, -1.0], "of whole numbers"),
        ("trees.column", 1, "must have the shape \\(any\\)"),
        ("trees.left", [0, -1, -1], "a node has no end"),
        ("trees.right", [-1, -1, -1], "a node has no end"),
        ("trees.right", [3, -1, -1], "trees.right must be from -1 to 2"),
        ("trees.value", [0.0, np.nan, 1.0], "must be finite"),
        ("trees.threshold", [0.5, 0.0], "must have the shape \\(3\\)"),
        ("projection.0.columns", [1, 3], "must be from 0 to 2"),
        ("projection.0.columns", [1.0, 2.0], "of whole numbers"),
        ("projection.0.columns", [1, 1], "do not fit together"),
        ("projection.0.components", [[0.5, np.nan]], "must be finite"),
        ("projection.0.components", [0.5, 0.5], "must have the shape \\(any, 2\\)"),
    ],
)
def test_arrays_that_do_not_score_are_refused(name, array, words, tmp_path):
    changed = arrays() | {name: np.asarray(array)}
    refused(written(tmp_path, archive({n: npy(a) for n, a in changed.items()})), words)


def test_a_calibration_without_knots_is_refused(tmp_path):
    empty = {name: np.zeros(0) for name in ("calibration.log_odds", "calibration.probability")}
    members = {n: npy(a) for n, a in (arrays() | empty).items()}
    refused(written(tmp_path, archive(members)), "the calibration has no knots")


@pytest.mark.parametrize("name", sorted(arrays()))
def test_without_any_of_its_arrays_a_model_is_refused_or_scores(name, tmp_path):
    members = {n: npy(a) for n, a in arrays().items() if n != name}
    folder = written(tmp_path, archive(members))
    if name in ("linear.weights", "trees.roots"):
        assert len(load_classifier(folder)[0].parts) == 1
    else:
        refused(folder, "is no process reward model: ")


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }\n"


def claimed(length):
    """An array that says that it is far longer than it is."""
    header = HEADER % length
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)


@pytest.mark.parametrize("length", [10**8, 10**15, 10**30])
def test_nothing_is_allocated_on_a_claim(length, tmp_path):
    members = {n: npy(a) for n, a in arrays().items()} | {"centre": claimed(length)}
    folder = written(tmp_path, archive(members))
    tracemalloc.start()
    try:
        refused(folder, "is not as long as that")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_more_than_64_megabytes_are_refused_before_they_are_unpacked(tmp_path):
    packed_tight = archive({"centre": bytes(LARGEST + 1)})
    assert len(packed_tight) < 100_000
    tracemalloc.start()
    try:
        refused(written(tmp_path, packed_tight), "at most 67,108,864 are read")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_directory_that_lies_of_sizes_unpacks_no_more_than_it_says(tmp_path):
    honest = archive({"centre": bytes(LARGEST // 2)})
    lying = honest.replace((LARGEST // 2).to_bytes(4, "little"), (200).to_bytes(4, "little"))
    assert lying != honest
    folder = written(tmp_path, lying)
    tracemalloc.start()
    try:
        refused(folder, "is no process reward model")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    save_classifier(tmp_path, MODEL, CARD)
    with (tmp_path / "weights.npz").open("r+b") as file:
        file.truncate(LARGEST + 1)
    refused(tmp_path, "has 67,108,865 bytes, at most 67,108,864 are read")


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"not a zip file",
        packed(MODEL)[: len(packed(MODEL)) // 2],
        archive({}),
        archive({"centre": b""}),
        archive({"centre": b"\x93NUMPY\x09\x00"}),
        archive({"centre": npy(np.zeros(3))}, zipfile.ZIP_LZMA),
        archive({n: npy(a)[:-1] for n, a in arrays().items()}),
    ],
)
def test_what_is_no_archive_of_arrays_is_refused(weights, tmp_path):
    refused(written(tmp_path, weights), "is no process reward model: .")


def test_a_pickle_is_not_opened(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([{}, {}], dtype=object), allow_pickle=True)
    members = {n: npy(a) for n, a in arrays().items()} | {"centre": stream.getvalue()}
    refused(written(tmp_path, archive(members)), "is no process reward model")


@pytest.mark.parametrize(
    "card",
    ["[" * 100_000, '{"a":' * 100_000, "[]", "1", "null", "{}", '{"format": 1}', "\ud83d"],
)
def test_a_damaged_card_is_refused(card, tmp_path):
    save_classifier(tmp_path, MODEL, CARD)
    (tmp_path / "model.json").write_bytes(card.encode("utf-8", "surrogatepass"))
    refused(tmp_path, "is no process reward model: .")


@pytest.mark.parametrize("columns", [None, "abc", [1, 2, 3], {"a": 1}, ["a", "b"], []])
def test_columns_are_a_list_of_names(columns, tmp_path):
    save_classifier(tmp_path, MODEL, CARD)
    told = json.loads((tmp_path / "model.json").read_text()) | {"columns": columns}
    (tmp_path / "model.json").write_text(json.dumps(told))
    refused(tmp_path, "is no process reward model: .")


PACKED = packed(MODEL)
STORED = archive({n: npy(a) for n, a in arrays().items()}, zipfile.ZIP_STORED)


@given(st.sampled_from((PACKED, STORED)), st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=300, deadline=None)
def test_any_damage_is_refused_in_one_line_or_scores(tmp_path_factory, weights, seed, changes):
    rng = random.Random(seed)
    damaged = bytearray(weights)
    for _ in range(changes):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    folder = written(tmp_path_factory.mktemp("prm"), bytes(damaged))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told, scores = "", np.zeros(0)
        try:
            scores = load_classifier(folder)[0](ROWS)
        except ValueError as error:
            told = str(error)
    assert "\n" not in told
    assert told.startswith(str(folder)) or len(scores) == len(ROWS)
    assert ((scores >= 0) & (scores <= 1)).all()
