"""What a model of several geos says of each of them, as JSON."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel, MediaPanel
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.quantities import Quantities, Window, quantities
from weightings.methods.summaries import spread_over, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]

MOST_GEO_DRAWS = 500  # that each geo is spoken of by: there may be hundreds of them


def geos_json(posterior: GeoPosterior, panel: GeoPanel, window: Window, level: float) -> list[dict[str, Any]]:
    """Of each geo: its outcome, its baseline's share of it, and what each medium did there in the window."""
    some = posterior.take(spread_over(len(posterior.sigma), MOST_GEO_DRAWS))
    return [
        _geo(panel.panels[place], geo, float(panel.sizes[place]), quantities_of_geo(some, panel, place, window), level)
        for place, geo in enumerate(panel.geos)
    ]


def quantities_of_geo(posterior: GeoPosterior, panel: GeoPanel, place: int, window: Window) -> Quantities:
    """The quantities of a window in one geo."""
    of_geo = panel.panels[place]
    inside = slice(of_geo.history + window.start, of_geo.history + window.stop)
    spend = np.append(of_geo.spend[inside].sum(axis=0), np.zeros(len(of_geo.organic)))
    exposure = np.append(of_geo.exposure[inside].sum(axis=0), of_geo.organic_exposure[inside].sum(axis=0))
    return quantities(posterior.of_geo(place), window, spend=spend, exposure=exposure)


def _geo(panel: MediaPanel, name: str, size: float, found: Quantities, level: float) -> dict[str, Any]:
    inside = panel.outcome[found.window.start : found.window.stop]
    known = np.isfinite(inside)
    return {
        "geo": name,
        "size": size,
        "observed": {"outcome": float(inside[known].sum()), "periods": len(inside), "periods_known": int(known.sum())},
        "expected": summary(found.expected, level),
        "baseline_share": summary(found.baseline_share, level),
        "channels": [_channel(panel, found, place, level) for place in range(len(found.media))],
    }


def _channel(panel: MediaPanel, found: Quantities, place: int, level: float) -> dict[str, Any]:
    paid = place < len(panel.channels)
    per_spend = summary(found.return_on_spend[:, place], level) if paid else None
    return {
        "channel": found.media[place],
        "spend": float(found.spend[place]) if paid else None,
        "incremental": summary(found.incremental[:, place], level),
        "contribution_share": summary(found.share[:, place], level),
        "incremental_per_spend": per_spend,
        "roi": per_spend if panel.is_money else None,
    }
