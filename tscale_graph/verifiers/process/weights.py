"""The arrays of a classifier as one file, which may come from anybody.

An `npz` archive of arrays without objects. Nothing in it is executed, nothing is allocated because
it says so, and what is read scores: sizes, types and ranges are checked here.
"""

from __future__ import annotations

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tscale_graph.verifiers.process.classifier import (
    Calibration,
    Floats,
    Ints,
    Linear,
    Projection,
    StepClassifier,
    Trees,
)

LARGEST = 64 * 2**20
"""Bytes of the file, and of all arrays unpacked; more is refused."""
DAMAGE = (
    ValueError, KeyError, TypeError, IndexError, OverflowError, EOFError, MemoryError, SyntaxError,
    RuntimeError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What reading a damaged archive, array or card raises."""

_TREE_ARRAYS = ("roots", "column", "threshold", "left", "right", "value")
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Arrays = dict[str, np.ndarray[Any, Any]]
Read = TypeVar("Read")


def packed(classifier: StepClassifier) -> bytes:
    """The archive of a classifier's arrays."""
    arrays: dict[str, Any] = {
        "centre": classifier.centre,
        "scale": classifier.scale,
        "calibration.log_odds": classifier.calibration.log_odds,
        "calibration.probability": classifier.calibration.probability,
    }
    for part in classifier.parts:
        if isinstance(part, Linear):
            arrays |= {"linear.weights": part.weights, "linear.bias": np.array(part.bias)}
        else:
            arrays |= {f"trees.{name}": getattr(part, name) for name in _TREE_ARRAYS}
            arrays["trees.bias"] = np.array(part.bias)
    for place, one in enumerate(classifier.projections):
        arrays[f"projection.{place}.columns"] = one.columns
        arrays[f"projection.{place}.components"] = one.components
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()


def unpacked(archive: bytes, *, columns: tuple[str, ...]) -> StepClassifier:
    """The classifier of an archive that `packed` made.

    Args:
        archive: at most `LARGEST` bytes, and so many unpacked.
        columns: the names of its features.

    Raises:
        Exception: one of `DAMAGE`, when it is damaged, too large, or scores nothing.
    """
    arrays = _arrays(archive)
    count = len(columns)
    projections = _fitting("projections", lambda: _projections(count, arrays))
    taken = sum(len(one.columns) - len(one.components) for one in projections)
    width = count - taken
    parts: list[Linear | Trees] = []
    if "trees.roots" in arrays:
        parts.append(_fitting("trees", lambda: _trees(arrays, width)))
    if "linear.weights" in arrays:
        weights = _floats(arrays, "linear.weights", (width,))
        parts.insert(0, Linear(weights, float(_floats(arrays, "linear.bias", ()))))
    if not parts:
        raise ValueError("there is neither a linear part nor trees")
    centre, scale = (_floats(arrays, name, (count,)) for name in ("centre", "scale"))
    if not (scale > 0).all():
        raise ValueError("scale must be above 0")
    return StepClassifier(columns, centre, scale, tuple(parts), _calibration(arrays), projections)


def _arrays(archive: bytes) -> Arrays:
    """Every array of an archive; only as much is unpacked as its directory says."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        members = opened.infolist()
        size = sum(one.file_size for one in members)
        if size > LARGEST:
            raise ValueError(f"the arrays have {size:,} bytes, at most {LARGEST:,} are read")
        if any(one.compress_type not in _PACKINGS for one in members):
            raise ValueError("the arrays are packed in another way than deflated")
        found: Arrays = {}
        for one in members:
            with opened.open(one) as member:
                found[one.filename.removesuffix(".npy")] = _array(member.read(one.file_size))
        return found


def _array(written: bytes) -> np.ndarray[Any, Any]:
    """One array, which is as long as its header says."""
    stream = io.BytesIO(written)
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(stream)
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size != len(written) - stream.tell():
        raise ValueError(f"an array of shape {shape} is not as long as that")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _floats(arrays: Arrays, name: str, shape: tuple[int | None, ...]) -> Floats:
    """The array of that name, of finite numbers; None in the shape is any length."""
    array = _shaped(arrays, name, shape)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be of numbers, got {array.dtype}")
    floats: Floats = array.astype(np.float64)
    if not np.isfinite(floats).all():
        raise ValueError(f"{name} must be finite")
    return floats


def _ints(arrays: Arrays, name: str, shape: tuple[int | None, ...], *, low: int, end: int) -> Ints:
    """The array of that name, of whole numbers from `low` to before `end`."""
    array = _shaped(arrays, name, shape)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be of whole numbers, got {array.dtype}")
    if not ((array >= low) & (array < end)).all():
        raise ValueError(f"{name} must be from {low} to {end - 1}")
    return array.astype(np.int64)


def _shaped(
    arrays: Arrays, name: str, shape: tuple[int | None, ...]
) -> np.ndarray[Any, np.dtype[Any]]:
    if name not in arrays:
        raise ValueError(f"there is no array {name}")
    array = arrays[name]
    fits = array.ndim == len(shape) and all(
        wanted in (None, got) for wanted, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        told = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} must have the shape ({told}), got {array.shape}")
    return array


def _fitting(what: str, read: Callable[[], Read]) -> Read:
    try:
        return read()
    except ValueError as error:
        raise ValueError(f"the {what}' arrays do not fit together: {error}") from None


def _calibration(arrays: Arrays) -> Calibration:
    log_odds = _floats(arrays, "calibration.log_odds", (None,))
    probability = _floats(arrays, "calibration.probability", (len(log_odds),))
    if not len(log_odds):
        raise ValueError("the calibration has no knots")
    if (np.diff(log_odds) < 0).any() or (np.diff(probability) < 0).any():
        raise ValueError("the knots of the calibration must ascend")
    if not (probability[0] >= 0 and probability[-1] <= 1):
        raise ValueError("the probabilities of the calibration must be in [0, 1]")
    return Calibration(log_odds, probability)


def _projections(columns: int, arrays: Arrays) -> tuple[Projection, ...]:
    """Those that were saved; refuse any that would be read beyond their ends."""
    found: list[Projection] = []
    while (name := f"projection.{len(found)}.columns") in arrays:
        taken = _ints(arrays, name, (None,), low=0, end=columns)
        name = f"projection.{len(found)}.components"
        found.append(Projection(taken, _floats(arrays, name, (None, len(taken)))))
    every = [place for one in found for place in one.columns.tolist()]
    if len(set(every)) < len(every):
        raise ValueError("a column is taken twice")
    return tuple(found)


def _trees(arrays: Arrays, width: int) -> Trees:
    """Those that were saved; refuse tables that would be read beyond their ends, or without one."""
    count = len(_shaped(arrays, "trees.column", (None,)))
    trees = Trees(
        roots=_ints(arrays, "trees.roots", (None,), low=0, end=count),
        column=_ints(arrays, "trees.column", (count,), low=-1, end=width),
        threshold=_floats(arrays, "trees.threshold", (count,)),
        left=_ints(arrays, "trees.left", (count,), low=-1, end=count),
        right=_ints(arrays, "trees.right", (count,), low=-1, end=count),
        value=_floats(arrays, "trees.value", (count,)),
        bias=float(_floats(arrays, "trees.bias", ())),
    )
    nodes = np.arange(count)
    inner = trees.column >= 0
    if not ((trees.left > nodes)[inner].all() and (trees.right > nodes)[inner].all()):
        raise ValueError("a node has no end")
    return trees
