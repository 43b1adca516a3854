"""The markets that all systems fit, and how far a posterior of their ROI is from the truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tests.weightings.worlds import Family, world

FloatArray: TypeAlias = npt.NDArray[np.float64]

FAMILIES: tuple[Family, ...] = ("delayed", "power", "exponential", "walk", "correlated", "noisy")
SEED = 301  # of no other study
LEVEL = 0.9
QUANTILES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
STUDY = {"study": "side by side", "families": FAMILIES, "seed": SEED, "level": LEVEL}


@dataclass(frozen=True, eq=False)
class GivenWorld:
    """A market in a file, and what is not in it: the true `roi` (C,), incremental outcome over spend of all weeks.

    The peers' ROI leaves out what media add behind the last week, which is about a percent of 156 weeks.
    """

    name: str
    path: Path
    roi: FloatArray


def write_worlds(folder: Path) -> list[GivenWorld]:
    """The markets as `.npz` for the systems' programs: spend, revenue, dates and the channels' names, not the truth."""
    written = []
    for family in FAMILIES:
        known = world(family, SEED)
        path = folder / f"{family}-{SEED}.npz"
        np.savez(
            path,
            spend=known.panel.spend,
            revenue=known.panel.outcome,
            dates=known.panel.period_start.astype("datetime64[D]").astype(str),
            channels=np.array(known.panel.channels),
        )
        written.append(GivenWorld(f"{family}:{SEED}", path, known.roi))
    return written


def against_truth(roi: FloatArray, truth: FloatArray) -> dict[str, Any]:
    """Quantiles of draws of ROI (chains, draws, C), and by channel how they lie to the truth (C,)."""
    low, median, high = np.quantile(roi.reshape(-1, len(truth)), QUANTILES, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error, width = np.log(median / truth), np.log(high / low)
    return {
        "roi": [low.tolist(), median.tolist(), high.tolist()],
        "covered": ((low <= truth) & (truth <= high)).tolist(),
        "log_error": error.tolist(),
        "log_width": width.tolist(),
    }
