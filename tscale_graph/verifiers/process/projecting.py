"""Wide groups of features, such as embeddings, as their principal components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tscale_graph.verifiers.process.classifier import Floats, Projection

COMPONENTS = 32
"""Of a wide group, unless told otherwise."""
WIDE_FROM = 65
"""Columns from which on a group is wide."""

_NEGLIGIBLE = 1e-9


def projections_of(
    columns: Sequence[str], rows: Floats, *, components: int = COMPONENTS
) -> tuple[Projection, ...]:
    """The projection of each wide group of columns onto its principal components.

    A group is the columns whose names have all but the last part, after the last dot, in common:
    "hidden.state.0" to "hidden.state.575" are one.

    Args:
        columns: the names of the features.
        rows: [steps, columns] the standardised features of the training steps.
        components: of each group, at least 1; fewer where the rows have no more directions.

    Raises:
        ValueError: for fewer than one.
    """
    if components < 1:
        raise ValueError(f"components must be at least 1, got {components}")
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        groups.setdefault(name.rpartition(".")[0], []).append(place)
    return tuple(
        _projection(np.array(places, dtype=np.int64), rows, components)
        for places in groups.values()
        if len(places) >= WIDE_FROM
    )


def _projection(
    places: np.ndarray[tuple[int], np.dtype[np.int64]], rows: Floats, components: int
) -> Projection:
    inputs = rows[:, places]
    variances, directions = np.linalg.eigh(inputs.T @ inputs / max(1, len(inputs)))
    largest = np.argsort(variances)[::-1][:components]
    largest = largest[variances[largest] > _NEGLIGIBLE * max(1.0, float(variances.max()))]
    return Projection(places, (directions[:, largest] / np.sqrt(variances[largest])).T)
