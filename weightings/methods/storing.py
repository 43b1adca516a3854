"""Panels and fitted models as JSON and arrays: what a child process is given, and what a run keeps for years.

Loading needs neither JAX nor the code that fitted the model: everything a result is computed from is in the arrays.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel, MediaPanel
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Quantities, Window

FloatArray: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

FORMAT = 2  # of what is stored; goes up when what is read changes its meaning: since 2 there are models of geos

_PANEL_ARRAYS = ("period_start", "outcome", "spend", "exposure", "organic_exposure", "control", "event", "holiday")
_PANEL_NAMES = ("channels", "exposure_units", "organic", "organic_units", "controls", "events", "holidays")
_GEO_ARRAYS = ("sizes", "common", "own", "noise")
_QUANTITIES = ("expected", "baseline", "contribution", "incremental", "carry_over", "marginal", "spend", "exposure")


class UnknownFormat(ValueError):
    """A stored model that this version cannot read; the sentence says why."""


def pack_panel(panel: MediaPanel) -> tuple[dict[str, Any], Arrays]:
    """A panel as JSON and arrays."""
    described = {
        "granularity": panel.granularity,
        "history": panel.history,
        "outcome_name": panel.outcome_name,
        "is_money": panel.is_money,
        "bounds": None if panel.bounds is None else list(panel.bounds),
        **{name: list(getattr(panel, name)) for name in _PANEL_NAMES},
    }
    return described, {f"panel.{name}": getattr(panel, name) for name in _PANEL_ARRAYS}


def unpack_panel(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> MediaPanel:
    """The panel that was packed. Raises KeyError or ValueError where something is missing or damaged."""
    names: dict[str, Any] = {name: tuple(described[name]) for name in _PANEL_NAMES}
    tables: dict[str, Any] = {name: arrays[f"panel.{name}"] for name in _PANEL_ARRAYS}
    return MediaPanel(
        granularity=described["granularity"],
        history=described["history"],
        outcome_name=described["outcome_name"],
        is_money=described["is_money"],
        bounds=None if described["bounds"] is None else tuple(described["bounds"]),
        **names,
        **tables,
    )


def pack_geo_panel(panel: GeoPanel) -> tuple[dict[str, Any], Arrays]:
    """The panels of several geos as JSON and arrays, (G, ...) each."""
    packed = [pack_panel(each) for each in panel.panels]
    described = {**packed[0][0], "geos": list(panel.geos)}
    arrays = {name: np.stack([of_geo[name] for _described, of_geo in packed]) for name in packed[0][1]}
    return described, {**arrays, "panel.sizes": panel.sizes}


def unpack_geo_panel(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> GeoPanel:
    """The panels that were packed. Raises KeyError or ValueError where something is missing or damaged."""
    return GeoPanel(
        geos=tuple(described["geos"]),
        panels=tuple(
            unpack_panel(described, {f"panel.{name}": arrays[f"panel.{name}"][place] for name in _PANEL_ARRAYS})
            for place in range(len(described["geos"]))
        ),
        sizes=arrays["panel.sizes"],
    )


def pack_posterior(posterior: Posterior) -> tuple[dict[str, Any], Arrays]:
    """A posterior as JSON and arrays."""
    model, scale = posterior.model, posterior.scale
    described = {
        "format": FORMAT,
        "media": list(model.media),
        "lags": model.lags,
        "adstock": model.adstock,
        "saturation": model.saturation,
        "scale": {
            "unit": scale.unit,
            "bounds": None if scale.bounds is None else list(scale.bounds),
            "count": scale.count,
        },
        "parameters": list(posterior.parameters),
    }
    arrays = {
        "posterior.amounts": posterior.amounts,
        "posterior.columns": posterior.columns,
        "posterior.beta": posterior.beta,
        "posterior.coefficients": posterior.coefficients,
        "posterior.trend_scale": posterior.trend_scale,
        **{f"posterior.parameter.{name}": values for name, values in posterior.parameters.items()},
    }
    if isinstance(posterior, GeoPosterior):
        described["geos"] = list(posterior.geos)
        arrays |= {f"posterior.{name}": getattr(posterior, name) for name in _GEO_ARRAYS}
    return described, arrays


def unpack_posterior(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Posterior:
    """The posterior that was packed, by this version or an earlier one. Raises UnknownFormat for a later one's."""
    if described["format"] > FORMAT:
        raise UnknownFormat(
            f"This model was stored in format {described['format']}, and this version reads up to {FORMAT}. Update the "
            "installation, or run the model again."
        )
    bounds = described["scale"]["bounds"]
    posterior = Posterior(
        model=MediaMixModel(
            tuple(described["media"]), described["lags"], described["adstock"], described["saturation"]
        ),
        scale=OutcomeScale(
            described["scale"]["unit"], None if bounds is None else tuple(bounds), described["scale"]["count"]
        ),
        amounts=arrays["posterior.amounts"],
        columns=arrays["posterior.columns"],
        parameters={name: arrays[f"posterior.parameter.{name}"] for name in described["parameters"]},
        beta=arrays["posterior.beta"],
        coefficients=arrays["posterior.coefficients"],
        trend_scale=arrays["posterior.trend_scale"],
    )
    if "geos" not in described:
        return posterior
    of_all: dict[str, Any] = {field.name: getattr(posterior, field.name) for field in fields(posterior)}
    of_all |= {name: arrays[f"posterior.{name}"] for name in _GEO_ARRAYS}
    return GeoPosterior(**of_all, geos=tuple(described["geos"]))


def pack_quantities(found: Quantities) -> tuple[dict[str, Any], Arrays]:
    """Quantities as JSON and arrays."""
    described = {"window": [found.window.start, found.window.stop], "media": list(found.media)}
    return described, {f"quantities.{name}": getattr(found, name) for name in _QUANTITIES}


def unpack_quantities(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Quantities:
    """The quantities that were packed."""
    return Quantities(
        window=Window(*described["window"]),
        media=tuple(described["media"]),
        **{name: arrays[f"quantities.{name}"] for name in _QUANTITIES},
    )
