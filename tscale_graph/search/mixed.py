"""How good one more child of a node would be, and one more score of each that it has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PRIOR_SDS = 4.0
"""Where the grid ends, in scales of the wider of the two half-normal priors."""
_WORTH_GROUPING = 24
"""From this many children on, it is faster to treat those with equal counts together."""
_NO_WEIGHT = -300.0
"""Logarithms below this one are as good as it, and numbers too small to be normal are slow."""
_SMALL_COUNT = 1000
"""Whole numbers up to this one are grouped without sorting."""


@dataclass(frozen=True, slots=True)
class MixedModel:
    """The mixed model of AB-MCTS-M (Inoue et al. 2025, arXiv:2503.04412), without MCMC.

    Score i of child j, which has n_j of them, is

        y_ji ~ N(α_j, σ_y²),  α_j ~ N(μ, σ_α²),  μ ~ N(prior_mean, prior_mean_sd²),
        σ_α ~ half-normal(group_sd),  σ_y ~ half-normal(noise_sd).

    Given the two standard deviations all else is Gaussian, so that the α_j and μ integrate out and
    only a sum over a grid of (σ_α, σ_y) remains. With ȳ_j the mean of a child, d_j its deviation
    from prior_mean, J children, N scores, W = Σ_ji (y_ji - ȳ_j)², v_j = σ_α² + σ_y²/n_j:

        p(y_j | μ)  ∝  σ_y^-(n_j - 1) v_j^-½ exp(-W_j / 2σ_y² - (ȳ_j - μ)² / 2v_j)
        μ | y       ~  N(prior_mean + a/P, 1/P),  P = 1/prior_mean_sd² + Σ_j 1/v_j,  a = Σ_j d_j/v_j
        p(y)        ∝  σ_y^-(N - J) Π_j v_j^-½ P^-½ exp(-W / 2σ_y² - ½ Σ_j d_j²/v_j + a² / 2P)

    The last line times the two priors is the weight of a point. The grid is even in the logarithms,
    hence one more factor σ_α σ_y, and its outermost rows count half (trapezoidal rule). As both
    axes have the same step, ρ = σ_α/σ_y is constant along a diagonal and takes 2G - 1 values; and
    as 1/v_j = t_j/σ_y² with t_j = n_j / (1 + n_j ρ²), the sums over children are needed at those
    only.

    The likelihood grows without bound as σ_y falls to 0 when all scores of each child are equal,
    and as σ_α does when all means are: there would be no posterior. Scores that are all 0 are the
    usual start of a search, so both stay at or above `resolution`.

    Attributes:
        prior_mean: of μ.
        prior_mean_sd: of μ, positive.
        group_sd: scale of the prior of σ_α, how children differ; above `resolution`.
        noise_sd: scale of the prior of σ_y, how scores of one child differ; above `resolution`.
        resolution: below which differences of scores mean nothing, positive.
        grid_points: G, on each axis, at least 2. With the default the probabilities of choosing
            each arm are within 0.01 (total variation) of those of 64 points up to some 70 scores;
            with hundreds, σ_y is known better than the step of the grid.
    """

    prior_mean: float = 0.5
    prior_mean_sd: float = 0.2
    group_sd: float = 0.2
    noise_sd: float = 0.3
    resolution: float = 0.01
    grid_points: int = 18

    def __post_init__(self) -> None:
        if not math.isfinite(self.prior_mean):
            raise ValueError(f"prior_mean must be finite, got {self.prior_mean}")
        for name, value, least in (
            ("prior_mean_sd", self.prior_mean_sd, 0),
            ("resolution", self.resolution, 0),
            ("group_sd", self.group_sd, self.resolution),
            ("noise_sd", self.noise_sd, self.resolution),
        ):
            if not least < value < math.inf:
                raise ValueError(f"{name} must be finite and above {least}, got {value}")
        if self.grid_points < 2:
            raise ValueError(f"grid_points must be at least 2, got {self.grid_points}")

    def fit(self, counts: Floats, sums: Floats, squares: Floats) -> MixedPosterior:
        """What the scores of a node's children say.

        Args:
            counts: number of scores of each child, shape (J,), J >= 0; positive, and a fraction
                where a score is to count for less than one.
            sums: of the scores of each child, shape (J,).
            squares: sum of the squared scores of each child, shape (J,).

        Raises:
            ValueError: when the shapes differ, a count is not positive or a number not finite.
        """
        if not (counts.ndim == 1 and counts.shape == sums.shape == squares.shape):
            raise ValueError(
                "counts, sums and squares must be vectors of one length, got shapes "
                f"{counts.shape}, {sums.shape} and {squares.shape}"
            )
        if len(counts) and not counts[counts.argmin()] > 0:
            raise ValueError(f"counts must be positive, got {counts.min()}")
        grid = _grid(self)
        arms = np.zeros((2, len(counts) + 1))
        arms[0, 1:] = counts
        means = sums / counts
        deviations = np.subtract(means, self.prior_mean, out=arms[1, 1:])
        scores, terms = _sums_over_children(counts, deviations, grid.ratios)
        pull = terms[_PULL].copy()
        terms[_PULL] *= pull
        terms[_MISFIT] += max(0.0, float(np.add.reduce(squares) - means.dot(sums)))

        precision, logs, misfit, root = terms.take(grid.diagonal, 1)
        precision += grid.prior_precision
        logs /= precision
        logs -= misfit
        logs *= grid.half_inverse_noise
        logs -= root
        logs += grid.log_prior
        logs -= grid.log_noise * scores
        logs -= logs[logs.argmax()]
        np.maximum(logs, _NO_WEIGHT, out=logs)
        weights = np.exp(logs, out=logs)
        weights /= np.sqrt(precision)
        cumulative = np.add.accumulate(weights)
        if not cumulative[-1] < math.inf:
            raise ValueError("counts, sums and squares must be finite, got one that is not")
        return MixedPosterior(self.prior_mean, grid, cumulative, precision, pull, arms)


class MixedPosterior:
    """What is believed of a node's children, ready to be drawn from. Made by `MixedModel.fit`."""

    __slots__ = ("_arms", "_cumulative", "_grid", "_precision", "_prior_mean", "_pull")

    def __init__(
        self,
        prior_mean: float,
        grid: _Grid,
        cumulative: Floats,
        precision: Floats,
        pull: Floats,
        arms: Floats,
    ) -> None:
        self._prior_mean = prior_mean
        self._grid = grid
        self._cumulative = cumulative
        self._precision = precision
        self._pull = pull
        self._arms = arms

    @property
    def sds(self) -> Floats:
        """The values that σ_α and σ_y may take, ascending, shape (G,)."""
        return self._grid.noise[:: self._grid.points].copy()

    @property
    def weights(self) -> Floats:
        """P(σ_y, σ_α), shape (G, G), each axis as in `sds`."""
        weights = np.diff(self._cumulative, prepend=0.0) / self._cumulative[-1]
        return weights.reshape(self._grid.points, -1)

    def draw(self, rng: np.random.Generator, *, coupled: bool = False) -> tuple[float, Floats]:
        """One score of a new child, and one more score of each child, as they are predicted.

        Given a point of the grid, one more score of child j is Gaussian around
        prior_mean + (1 - s_j) d_j + s_j a/P, with variance s_j²/P + s_j σ_α² + σ_y², where
        s_j = 1 / (1 + n_j ρ²): its α_j and μ are integrated out. A new child has n_j = 0.

        Args:
            rng: what is random.
            coupled: False draws each arm independently of the others, from a point of its own, as
                the authors' TreeQuest does; True gives all arms the same point and the same μ,
                which is textbook Thompson sampling.

        Returns:
            The score of a new child, and those of the children, shape (J,). They are Gaussian, so
            that they may leave [0, 1].
        """
        grid, cumulative = self._grid, self._cumulative
        counts, deviations = self._arms
        below: Floats = rng.random(1 if coupled else len(counts))
        below *= cumulative[-1]
        point: NDArray[np.intp] = cumulative[:-1].searchsorted(below, "right")
        diagonal = grid.diagonal[point]
        ratio, noise, precision = grid.ratios[diagonal], grid.noise[point], self._precision[point]
        shrinkage = 1 / (1 + counts * ratio)
        centre = self._pull[diagonal] / precision
        if coupled:
            centre += noise * rng.standard_normal() / np.sqrt(precision)
            variance = shrinkage * ratio
        else:
            variance = shrinkage / precision
            variance += ratio
            variance *= shrinkage
        variance += 1
        scores = np.sqrt(variance, out=variance)
        scores *= noise
        scores *= rng.standard_normal(len(counts))
        scores += shrinkage * (centre - deviations)
        scores += deviations
        scores += self._prior_mean
        return float(scores[0]), scores[1:]


class _Grid(NamedTuple):
    """All of a grid that does not depend on scores. Points are in rows of equal σ_y."""

    points: int
    """On each axis: G."""
    ratios: Floats
    """ρ² of each diagonal, shape (2G - 1,)."""
    diagonal: NDArray[np.intp]
    """Index in `ratios` of each point, shape (G²,), as are the shapes below."""
    noise: Floats
    """σ_y."""
    log_noise: Floats
    """log σ_y."""
    half_inverse_noise: Floats
    """1 / 2σ_y²."""
    prior_precision: Floats
    """σ_y² / prior_mean_sd²."""
    log_prior: Floats
    """With the factor of the logarithmic axes, the edges, and the σ_y of P^-½."""


@lru_cache(maxsize=32)
def _grid(model: MixedModel) -> _Grid:
    points = model.grid_points
    widest = _PRIOR_SDS * max(model.group_sd, model.noise_sd)
    logs = np.linspace(math.log(model.resolution), math.log(widest), points)
    sds = np.exp(logs)
    edges = np.zeros(points)
    edges[[0, -1]] = -math.log(2)
    noise_prior = edges + logs - (sds / model.noise_sd) ** 2 / 2
    group_prior = edges + logs - (sds / model.group_sd) ** 2 / 2
    column = np.arange(points)
    noise = sds.repeat(points)
    return _Grid(
        points=points,
        ratios=np.exp(2 * (logs[1] - logs[0]) * np.arange(1 - points, points)),
        diagonal=(column - column[:, None] + points - 1).ravel(),
        noise=noise,
        log_noise=logs.repeat(points),
        half_inverse_noise=0.5 / noise**2,
        prior_precision=(noise / model.prior_mean_sd) ** 2,
        log_prior=((noise_prior + logs)[:, None] + group_prior).ravel(),
    )


_PRECISION, _PULL, _MISFIT, _ROOT = range(4)


def _sums_over_children(counts: Floats, deviations: Floats, ratios: Floats) -> tuple[float, Floats]:
    """Number of scores, and at each ρ² the sums of t, dt, d²t and ½ log(1 + nρ²).

    Children with equal counts share t, so that all that matters of them is how many they are and
    their sums of d and of d². Shape of the sums (4, 2G - 1).
    """
    if len(counts) < _WORTH_GROUPING:
        moments = np.empty((3, len(counts)))
        moments[_PRECISION] = 1
        moments[_PULL] = deviations
        np.multiply(deviations, deviations, out=moments[_MISFIT])
    else:
        counts, moments = _grouped(counts, deviations)
    children, column = moments[_PRECISION], counts[:, None]
    roots = column * ratios
    roots += 1
    terms = np.empty((4, len(ratios)))
    np.dot(moments, column / roots, out=terms[:_ROOT])
    np.dot(0.5 * children, np.log(roots, out=roots), out=terms[_ROOT])
    return float(children.dot(counts)), terms


def _grouped(counts: Floats, deviations: Floats) -> tuple[Floats, Floats]:
    """The distinct counts, and for each how many children have it, and their sums of d and d²."""
    group = counts.astype(np.intp)
    if counts[counts.argmax()] <= _SMALL_COUNT and np.array_equal(group, counts):
        children = np.bincount(group)
        present = children.nonzero()[0]
        counts = present.astype(np.float64)
    else:
        counts, group, children = np.unique(counts, return_inverse=True, return_counts=True)
        present = slice(None)
    moments = np.empty((3, len(counts)))
    moments[_PRECISION] = children[present]
    moments[_PULL] = np.bincount(group, deviations)[present]
    moments[_MISFIT] = np.bincount(group, deviations * deviations)[present]
    return counts, moments
