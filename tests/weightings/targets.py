"""Densities to sample whose truth is known."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from weightings.methods.sampling import Settings

QUICK = Settings(seed=3, warmup=300, draws=300, most_draws=1200)


@dataclass(frozen=True)
class Normal:
    """A normal distribution whose mean and precision are data. `scatter`: how far off chains start."""

    size: int = 3
    scatter: float = 1.0

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(f"x{place}" for place in range(self.size))

    @property
    def entangled(self) -> int:
        return 0

    def log_density(self, position: jax.Array, data: Any) -> jax.Array:
        away = position - data["mean"]
        return -0.5 * jnp.sum(away * (data["precision"] @ away))

    def initial(self, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        return rng.normal(0, self.scatter, self.size)


@dataclass(frozen=True)
class TwoHills(Normal):
    """Two hills, one of them e^-40 as high: chains that start on it are stuck there. `starts`: of each try in turn."""

    size: int = 2
    starts: list[float] = field(default_factory=list, hash=False, compare=False)

    def log_density(self, position: jax.Array, data: Any) -> jax.Array:
        hills = [-0.5 * jnp.sum((position - at) ** 2) - low for at, low in ((0.0, 0.0), (40.0, data["low"]))]
        return jnp.logaddexp(*hills)

    def initial(self, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        return np.full(2, self.starts.pop(0) if self.starts else 0.0) + rng.normal(0, 0.1, 2)


@dataclass(frozen=True)
class Nowhere(Normal):
    """No position has a density."""

    def log_density(self, position: jax.Array, data: Any) -> jax.Array:
        return jnp.sum(position - data["mean"]) * jnp.nan


def data_of(seed: int, size: int = 3) -> dict[str, npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 1, (size, size)) + 2 * np.eye(size)
    return {"mean": rng.normal(0, 3, size), "precision": root @ root.T}
