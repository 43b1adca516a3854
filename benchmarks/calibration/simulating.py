"""Simulation-based calibration: truth from the prior, data from the truth, the truth's rank in the posterior.

A model is made ready once, so that its scales and its priors do not depend on the outcome that is simulated. For each
simulation only the outcome is new, and nothing is compiled anew. Source: Talts and others 2018.
"""

import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.calibration.uniformity import ranks_of
from benchmarks.records import Record, Records
from weightings.methods.sampling import Data, Draws, SamplingError, Settings, Target, sample

FloatArray: TypeAlias = npt.NDArray[np.float64]

SEED = 20261126
# Of 4 chains. As the effective draws are 400 at least, those that are ranked are about 4 autocorrelation times apart.
RANKED = 100
USUAL = Settings(seed=0)
# What did not converge is sampled anew with smaller steps, longer warm-up and more draws.
PATIENT = Settings(seed=1, warmup=1500, draws=2000, most_draws=16000, target_accept=0.95)


@dataclass(frozen=True, eq=False)
class Simulated:
    """A truth and its data. `true`: (Q,). `data`: what the target's density takes.

    `quantities`: from positions (S, D) that were drawn and random numbers to the same quantities of each draw, (S, Q).
    """

    true: FloatArray
    data: Data
    quantities: Callable[[FloatArray, np.random.Generator], FloatArray]


class Calibrated(Protocol):
    """A model that can be calibrated: `quantities` are the names of Q numbers, `target` is what is sampled."""

    @property
    def name(self) -> str: ...
    @property
    def quantities(self) -> tuple[str, ...]: ...
    @property
    def target(self) -> Target: ...
    def simulate(self, rng: np.random.Generator) -> Simulated:
        """A truth from the prior and data from it. All data have the same shapes."""


def study_of(model: Calibrated, settings: Settings = USUAL) -> dict[str, Any]:
    """What records must have in common to be read together."""
    return {
        "model": model.name,
        "quantities": list(model.quantities),
        "seed": SEED,
        "ranked": RANKED,
        "settings": [settings.chains, settings.warmup, settings.draws, settings.most_draws, settings.target_accept],
    }


def simulate_all(
    model: Calibrated, numbers: Iterable[int], records: Records, *, threads: int, told: Callable[[int, Record], None]
) -> None:
    """Do what is missing of these simulations, one after another."""
    for number in numbers:
        if str(number) not in records:
            record = rank_one(model, number, threads=threads)
            records.add(str(number), record)
            told(number, record)


def rank_one(
    model: Calibrated, number: int, *, threads: int = 2, usual: Settings = USUAL, patient: Settings = PATIENT
) -> dict[str, Any]:
    """One simulation; its number is its seed. `ranks` are None if it could not be sampled at all.

    A simulation is never left out for how it was sampled: its ranks count even where it did not converge.
    """
    began = time.perf_counter()
    rng = np.random.default_rng([SEED, zlib.crc32(model.name.encode()), number])
    simulated = model.simulate(rng)
    draws, attempts = None, 0
    for settings in (usual, patient):
        attempts += 1
        seeded = replace(settings, seed=2 * number + settings.seed, threads=threads)
        try:
            draws = sample(model.target, simulated.data, seeded)
        except SamplingError:
            continue
        if draws.converged:
            break
    record: dict[str, Any] = {"attempts": attempts, "converged": False, "ranks": None}
    if draws is not None:
        drawn = simulated.quantities(_far_apart(draws.positions), rng)
        record |= _sampled(draws) | {"ranks": ranks_of(simulated.true, drawn, rng).tolist()}
    return record | {"seconds": round(time.perf_counter() - began, 3)}


def _far_apart(positions: FloatArray) -> FloatArray:
    """`RANKED` positions (RANKED, D), as many of each chain, evenly spaced."""
    chains, count, size = positions.shape
    kept = RANKED // chains
    places = (np.arange(kept) + 1) * count // kept - 1
    return positions[:, places].reshape(chains * kept, size)


def _sampled(draws: Draws) -> dict[str, Any]:
    found = draws.convergence
    return {
        "converged": draws.converged,
        "stuck": len(draws.stuck),
        "restarts": sum(draws.restarts),
        "draws": draws.positions.shape[1],
        "max_rhat": round(float(np.max(found.r_hat)), 5),
        "min_ess": round(float(np.min(np.minimum(found.bulk_ess, found.tail_ess))), 1),
        "divergences": int(draws.diverging.sum()),
    }
