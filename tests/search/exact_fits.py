"""Fits the mixed model to made-up scores with PyMC, and keeps what it finds beside this file.

    python -m tests.search.exact_fits [scenario …]

The model is the one of `tscale_graph.search.mixed`, sampled with NUTS as its authors do (Inoue et
al. 2025, arXiv:2503.04412), only longer and with smaller steps, and with both standard deviations
kept above the resolution. Needs PyMC and its sampler nutpie, which nothing else here does; takes
some ten minutes.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import BaseModel

FILE = Path(__file__).with_name("exact_fits.json")
CHAINS, TUNING, DRAWS = 4, 2000, 10_000
COMBINATIONS = 400_000
RESOLUTION = 0.01

SCENARIOS: dict[str, list[list[float]]] = {
    "one child": [[0.6]],
    "two singletons": [[0.3], [0.7]],
    "one good deep child": [[0.8, 0.85, 0.9], [0.2], [0.3]],
    "pass or fail": [[1, 0, 1], [0, 0], [1], [0, 1, 0, 1]],
    "one winner": [[0.9, 0.85, 0.95, 0.8, 0.9, 0.88], [0.4, 0.5], [0.3]],
    "nearly saturated": [[1.0, 0.95, 0.99], [0.97, 1.0], [0.93]],
    "eight long groups": [
        [0.31, 0.42, 0.18, 0.55, 0.37],
        [0.62, 0.48, 0.71, 0.53, 0.66, 0.59],
        [0.12, 0.27, 0.08, 0.33, 0.21, 0.17, 0.24],
        [0.74, 0.81, 0.58, 0.69, 0.77, 0.84, 0.63, 0.72],
        [0.45, 0.52, 0.39, 0.61, 0.34, 0.47, 0.56, 0.41, 0.5],
        [0.83, 0.66, 0.91, 0.78, 0.72, 0.88, 0.69, 0.8, 0.75, 0.94],
        [0.29, 0.15, 0.4, 0.22, 0.36, 0.19, 0.31, 0.26, 0.44, 0.11, 0.33],
        [0.57, 0.68, 0.49, 0.73, 0.6, 0.54, 0.65, 0.51, 0.7, 0.62, 0.46, 0.58],
    ],
    "ten singletons": [
        [0.1], [0.25], [0.3], [0.35], [0.4], [0.5], [0.55], [0.6], [0.7], [0.9],
    ],
    "near-identical low scores": [[0.1, 0.12], [0.08], [0.13, 0.09, 0.1], [0.11]],
    "unequal groups": [
        [0.5, 0.62, 0.44, 0.58, 0.71, 0.39, 0.55, 0.6, 0.48, 0.66, 0.52, 0.57, 0.43, 0.63, 0.5,
         0.59, 0.47, 0.68, 0.54, 0.56],
        [0.75],
        [0.2, 0.35, 0.3],
        [0.6, 0.7, 0.45, 0.8, 0.65, 0.55, 0.72],
    ],
    "many small groups": [
        [0.2], [0.5, 0.4], [0.7], [0.3, 0.35, 0.1], [0.9, 0.6], [0.45], [0.0], [0.55, 0.8], [0.65],
        [0.25, 0.15], [0.4, 0.5, 0.6], [0.35], [0.75, 0.7], [0.1], [0.85], [0.3, 0.45],
    ],
    "one long group": [
        [0.7, 0.5, 0.9, 0.6, 0.8, 0.75, 0.55, 0.65, 0.85, 0.45, 0.7, 0.6, 0.95, 0.5, 0.72],
    ],
    "opposites": [[0.0, 0.05, 0.1], [0.95, 1.0, 0.9]],
}  # fmt: skip


class Fit(BaseModel):
    """What PyMC made of one scenario.

    Attributes:
        scenario: name of it.
        observations: scores of each child.
        choice: P(the arm's own predictive draw is the greatest) of a fresh child, then of each
            child, when every arm draws independently of the others.
        r_hat: the greatest of any parameter.
        divergences: of all chains together.
    """

    scenario: str
    observations: list[list[float]]
    choice: list[float]
    r_hat: float
    divergences: int


class ExactFits(BaseModel):
    """All fits, and what made them."""

    pymc: str
    nutpie: str
    date: str
    draws: int
    combinations: int
    fits: list[Fit]


def read() -> ExactFits:
    """What was kept last."""
    return ExactFits.model_validate_json(FILE.read_text())


def fit(scenario: str, observations: list[list[float]]) -> Fit:
    """Sample the posterior of one scenario, and combine predictive draws of its arms."""
    import arviz
    import pymc

    child = np.repeat(np.arange(len(observations)), [len(scores) for scores in observations])
    with pymc.Model():
        mu = pymc.Normal("mu", 0.5, 0.2)
        group_sd = pymc.TruncatedNormal("group_sd", mu=0, sigma=0.2, lower=RESOLUTION)
        noise_sd = pymc.TruncatedNormal("noise_sd", mu=0, sigma=0.3, lower=RESOLUTION)
        z = pymc.Normal("z", 0, 1, shape=len(observations))
        pymc.Normal("y", mu + group_sd * z[child], noise_sd, observed=np.concatenate(observations))
        trace = pymc.sample(
            draws=DRAWS,
            tune=TUNING,
            chains=CHAINS,
            target_accept=0.99,
            random_seed=2025,
            progressbar=False,
            nuts_sampler="nutpie",
        )
    posterior = {name: trace.posterior[name].values for name in ("mu", "group_sd", "noise_sd", "z")}
    mu, group_sd, noise_sd = (posterior[name].ravel() for name in ("mu", "group_sd", "noise_sd"))
    z = posterior["z"].reshape(len(mu), -1)

    rng = np.random.default_rng(2025)
    arms = np.empty((len(observations) + 1, COMBINATIONS))
    for arm in range(len(arms)):
        own = rng.integers(len(mu), size=COMBINATIONS)
        offset = z[own, arm - 1] if arm else rng.standard_normal(COMBINATIONS)
        level = mu[own] + group_sd[own] * offset
        arms[arm] = level + noise_sd[own] * rng.standard_normal(COMBINATIONS)
    choice = np.bincount(arms.argmax(axis=0), minlength=len(arms)) / COMBINATIONS
    return Fit(
        scenario=scenario,
        observations=observations,
        choice=[round(float(share), 5) for share in choice],
        r_hat=round(max(float(v.max()) for v in arviz.rhat(trace).values()), 4),
        divergences=int(trace.sample_stats["diverging"].sum()),
    )


def main(names: list[str]) -> None:
    """Fit the named scenarios, or all, and keep the others as they are."""
    try:
        import nutpie
        import pymc
    except ImportError:
        sys.exit("the exact fits are made with PyMC: pip install pymc nutpie")
    kept = {fit.scenario: fit for fit in read().fits} if names else {}
    for name in names or SCENARIOS:
        kept[name] = fit(name, SCENARIOS[name])
        results = ExactFits(
            pymc=pymc.__version__,
            nutpie=nutpie.__version__,
            date=datetime.now(UTC).date().isoformat(),
            draws=CHAINS * DRAWS,
            combinations=COMBINATIONS,
            fits=[kept[name] for name in SCENARIOS if name in kept],
        )
        FILE.write_text(results.model_dump_json(indent=2) + "\n")
        print(name, kept[name].choice, kept[name].r_hat, kept[name].divergences, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
