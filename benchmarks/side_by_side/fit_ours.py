"""This project, as it fits a model for its users, without trying it on periods held back.

What is timed is what is timed of the peers: from the data to draws that have converged, with the baselines that belong
to them. It looks by itself whether its draws have converged, and goes on until they have: more draws at `scale` 2 are
more at most.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from weightings.methods.jax_runtime import configure

configure()

import numpy as np  # noqa: E402 - JAX is set up before it is imported

from tests.weightings.worlds import panel  # noqa: E402
from weightings.methods import convergence, fitting  # noqa: E402, F401 - all that a fit imports
from weightings.methods.preparing import Choices  # noqa: E402
from weightings.methods.quantities import Window, quantities  # noqa: E402
from weightings.methods.sampling import DRAWING, WARMING_UP, Settings  # noqa: E402

SETTINGS = Settings(seed=1, threads=os.cpu_count() or 1)
PACKAGES = ("numpyro", "jax", "jaxlib", "numpy")


def fit(world: dict[str, Any], scale: int) -> dict[str, Any]:
    known = panel(world["revenue"], world["spend"], names=tuple(world["channels"].tolist()))
    seen: dict[str, float] = {}
    settings = Settings(seed=SETTINGS.seed, threads=SETTINGS.threads, most_draws=scale * SETTINGS.most_draws)
    return {"fitted": fitting.fit(known, Choices(), settings, lambda phase, _share: _note(seen, phase)), "seen": seen}


def _note(seen: dict[str, float], phase: str) -> None:
    """Keep when a phase was last heard of: several times a second, and when it ends."""
    seen[phase] = time.perf_counter()


def report(told: dict[str, Any]) -> dict[str, Any]:
    fitted, seen = told["fitted"], told["seen"]
    positions, given = fitted.draws.positions, fitted.prepared.panel
    chains, draws, _size = positions.shape
    spend = given.spend.sum(axis=0)
    found = quantities(fitted.posterior, Window(0, len(given)), spend=spend, exposure=spend)
    return {
        "draws": {"position": positions},
        "roi": found.return_on_spend.reshape(chains, -1, len(spend)),
        # From the end of the warm-up to the last draw, as it happened.
        "sampling_seconds": seen[DRAWING] - seen[WARMING_UP],
        "divergences": int(np.sum(fitted.draws.diverging)),
        "settings": {
            "chains": chains,
            "warmup": SETTINGS.warmup,
            "draws": draws,
            "target_accept": SETTINGS.target_accept,
        },
    }
