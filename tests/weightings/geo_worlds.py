"""Simulated markets of several geos whose truth is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel
from tests.weightings.worlds import panel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GeoWorld:
    """A panel, and what each channel's spend truly added per unit of spend: (C,) in all geos, (G, C) in each."""

    panel: GeoPanel
    roi: FloatArray
    geo_roi: FloatArray


def geo_panel(
    *, geos: int = 3, weeks: int = 40, channels: int = 2, history: int = 4, seed: int = 5, missing: bool = False
) -> GeoPanel:
    """A few geos with a control, small enough to write densities out; perhaps with gaps in the outcome."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(0.5, 2.0, geos)
    sizes /= sizes.mean()
    panels = []
    for size in sizes:
        spend = size * rng.gamma(2, 50, (weeks + history, channels)) * (rng.random((weeks + history, channels)) < 0.8)
        control = rng.normal(0, 1, (weeks, 1))
        level = size * (3000 + 300 * np.sin(np.arange(weeks) / 8) + 100 * control[:, 0])
        outcome = level + spend[history:].sum(axis=1) + rng.normal(0, 100 * size, weeks)
        panels.append(panel(outcome, spend, history=history, controls=control))
    if missing:
        panels[0].outcome[[3, 17, weeks - 1]] = np.nan
        panels[1].outcome[[3, 20]] = np.nan
        for each in panels:
            each.outcome[30] = np.nan
    return GeoPanel(tuple(f"Geo {place + 1}" for place in range(geos)), tuple(panels), sizes)


def geo_world(seed: int, *, geos: int = 8, weeks: int = 104, channels: int = 3) -> GeoWorld:
    """A market of several geos: effects, levels, slopes of a control and noise differ, and some noise is shared."""
    rng = np.random.default_rng([seed, 77])
    population = np.exp(rng.normal(0, 0.7, geos))
    population /= population.mean()
    shared = np.exp(0.5 * rng.normal(0, 1, (weeks + 26, channels)))
    spend = shared * np.exp(0.5 * rng.normal(0, 1, (geos, weeks + 26, channels)))
    lag = np.arange(13)[:, None]
    weights = rng.uniform(0.1, 0.7, channels) ** lag
    weights /= weights.sum(axis=0)
    stock = sum(weights[place] * np.pad(spend, ((0, 0), (place, 0), (0, 0)))[:, : weeks + 26] for place in range(13))
    response = 1 - np.exp(-rng.uniform(0.3, 1.5, channels) * np.asarray(stock))[:, 26:]
    per_head = 1000.0
    roi = np.exp(rng.normal(0.3, 0.5, channels))
    spend *= 0.3 * per_head / (roi * spend.mean(axis=(0, 1))).sum()
    effects = np.exp(rng.normal(0, 0.3, (geos, channels)))
    total = np.einsum("g,gc,gtc->c", population, effects, response)
    scale = roi * np.einsum("g,gtc->c", population, spend[:, 26:]) / total
    added = effects[:, None] * response * scale
    season = 0.1 * np.sin(2 * np.pi * np.arange(weeks) / 52.18)
    control = rng.normal(0, 1, (geos, weeks))
    common = rng.normal(0, 0.03, weeks)
    level = 1 + rng.normal(0, 0.1, (geos, 1)) + season + common + rng.normal(0.05, 0.02, (geos, 1)) * control
    noise = np.exp(rng.normal(np.log(0.05), 0.3, (geos, 1))) * rng.normal(0, 1, (geos, weeks))
    outcome = population[:, None] * (per_head * (level + noise) + added.sum(axis=2))
    panels = tuple(
        panel(outcome[place], (population[place] * spend[place])[13:], history=13, controls=control[place][:, None])
        for place in range(geos)
    )
    geo_roi = added.sum(axis=1) / spend[:, 26:].sum(axis=1)
    names = tuple(f"Geo {place + 1}" for place in range(geos))
    return GeoWorld(GeoPanel(names, panels, population), roi, geo_roi)
