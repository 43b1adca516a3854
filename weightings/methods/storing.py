"""Panels and fitted models as JSON and arrays: what a child process is given, and what a run keeps for years.

Loading needs neither JAX nor the code that fitted the model: everything a result is computed from is in the arrays.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Quantities, Window

FloatArray: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

FORMAT = 1  # of what is stored; goes up when what is read changes its meaning

_PANEL_ARRAYS = ("period_start", "outcome", "spend", "exposure", "organic_exposure", "control", "event", "holiday")
_PANEL_NAMES = ("channels", "exposure_units", "organic", "organic_units", "controls", "events", "holidays")
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
    return described, arrays


def unpack_posterior(described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Posterior:
    """The posterior that was packed, by this version or an earlier one. Raises UnknownFormat for a later one's."""
    if described["format"] > FORMAT:
        raise UnknownFormat(
            f"This model was stored in format {described['format']}, and this version reads up to {FORMAT}. Update the "
            "installation, or run the model again."
        )
    bounds = described["scale"]["bounds"]
    return Posterior(
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
