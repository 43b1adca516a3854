"""From the panels of several geos to what the density of the geo model takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel, MediaPanel
from weightings.methods.adstock import lagged
from weightings.methods.baseline import CONTROL_SCALE, TREND_SCALES, Baseline, baseline_of
from weightings.methods.experiments.lifts import Reading, read
from weightings.methods.geo.model import GeoMediaMixModel
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import CannotBeModelled
from weightings.methods.preparing import (
    LAGS,
    NEGLIGIBLE,
    Choices,
    bucket,
    effect_units,
    experiment_data,
    known_amounts,
    media_priors,
    padded,
)
from weightings.methods.priors import Priors

FloatArray: TypeAlias = npt.NDArray[np.float64]

# How far a geo's baseline lies from that of all, and its controls' slopes from theirs, in standard deviations of the
# outcome per size.
GEO_INTERCEPT_SCALE, GEO_SLOPE_SCALE = 2.0, 0.5
# Of the logarithm of effects over geos: median 0.2, 90% between 0.05 and 0.75.
SPREAD_PRIOR = (float(np.log(0.2)), 0.8)
# Of the logarithm of sigma over geos, around their level.
SIGMA_GEO_SPREAD = 0.5
# Of the noise that all geos share, in standard deviations of the outcome per size: median 0.1, 90% from 0.02 to 0.5.
SHARED_PRIOR = (float(np.log(0.1)), 1.0)


@dataclass(frozen=True, eq=False)
class GeoPrepared:
    """Panels of G geos made ready for a model.

    `national`: all of them as one panel. `unit`: what 1 on the model's scale is in a geo of size 1; an outcome is
    `unit x size` times it. `amounts`: (G, P, L - 1 + T) exposure per size in multiples of `media_scales` (P,).
    `common`: the columns (G, T, B) whose coefficients all geos share, and `baseline` without their numbers: scales and
    groups. `own`: (G, T, K), the columns of which each geo has coefficients of its own, times their prior scale.
    `data`: what the density takes. `readings`: how each experiment enters it.
    """

    panel: GeoPanel
    national: MediaPanel
    model: GeoMediaMixModel
    priors: Priors
    unit: float
    baseline: Baseline
    common: FloatArray
    own: FloatArray
    amounts: FloatArray
    media_scales: FloatArray
    data: dict[str, Any]
    money_doubted: bool
    readings: tuple[Reading, ...] = ()

    @property
    def scaled(self) -> FloatArray:
        """The outcome per size on the model's scale, NaN where it is not known: (G, T)."""
        outcome = np.stack([panel.outcome for panel in self.panel.panels])
        return np.asarray(outcome / (self.unit * self.panel.sizes[:, None]))


def prepare_geos(panel: GeoPanel, choices: Choices) -> GeoPrepared:
    """Scale the panels and lay out their data. Raises CannotBeModelled without media or outcomes that differ."""
    national = panel.national()
    # The national outcome counts where every geo's is known; media and what is said of them do not depend on gaps.
    known = replace(national, outcome=_filled(panel))
    if not known.channels and not known.organic:
        raise CannotBeModelled("There are no media to model.")
    lags = LAGS[known.granularity] if choices.lags is None else choices.lags
    model = GeoMediaMixModel(
        MediaMixModel((*known.channels, *known.organic), lags, choices.adstock, choices.saturation), panel.geos
    )
    per_size = np.stack([each.outcome for each in panel.panels]) / panel.sizes[:, None]
    unit = _spread(per_size, panel)
    level = float(np.nanmean(per_size) / unit)
    readings = read(known, choices.experiments, choices.experiments_as, choices.lifts_count, geos=panel.by_name)
    priors, doubted = media_priors(known, choices, readings)
    baseline, common, own = _columns(panel, level=level, knots=choices.knots)
    amounts, media_scales = _amounts(panel, lags)
    prepared = GeoPrepared(
        panel=panel,
        national=national,
        model=model,
        priors=priors,
        unit=unit,
        baseline=baseline,
        common=common,
        own=own,
        amounts=amounts,
        media_scales=media_scales,
        data={},
        money_doubted=doubted,
        readings=readings,
    )
    units = effect_units(known, [effect.kind for effect in priors.effects], unit)
    data = _density_data(prepared, units)
    data |= experiment_data(readings, amounts, lags=lags, unit=unit, geos=panel.geos)
    return replace(prepared, data=data)


def _filled(panel: GeoPanel) -> FloatArray:
    """The national outcome with what is missing of a geo taken to be as its mean: for sizes of effects only."""
    total = np.zeros(len(panel))
    for geo, each in zip(panel.geos, panel.panels, strict=True):
        if not np.isfinite(each.outcome).any():
            raise CannotBeModelled(f"There are no values of the outcome in “{geo}” to model.")
        total += np.where(np.isfinite(each.outcome), each.outcome, np.nanmean(each.outcome))
    return total


def _spread(per_size: FloatArray, panel: GeoPanel) -> float:
    spread = float(np.nanstd(per_size))
    if not spread > 0:
        raise CannotBeModelled("The outcome is the same in every period and geo: there is nothing to explain.")
    for geo, values in zip(panel.geos, per_size, strict=True):
        if not np.nanstd(values) > 0:
            raise CannotBeModelled(f"The outcome in “{geo}” is the same in every period: there is nothing to explain.")
    return spread


def _columns(panel: GeoPanel, *, level: float, knots: int | None) -> tuple[Baseline, FloatArray, FloatArray]:
    """The common columns (G, T, B), described by a baseline whose own columns are those of the first geo, and each
    geo's own columns (G, T, K) times their prior scale: an intercept and the controls."""
    control = np.stack([each.control for each in panel.panels])
    spread = control.std(axis=(0, 1))
    control = (control - control.mean(axis=(0, 1))) / np.where(spread > 0, spread, 1.0)
    surroundings = [
        baseline_of(replace(each, controls=(), control=each.control[:, :0]), level=level, knots=knots)
        for each in panel.panels
    ]
    common = np.concatenate([np.stack([each.columns for each in surroundings]), control], axis=2)
    names = panel.panels[0].controls
    baseline = Baseline(
        columns=common[0],
        scales=np.append(surroundings[0].scales, np.full(len(names), CONTROL_SCALE)),
        groups=(*surroundings[0].groups, *(f"control: {name}" for name in names)),
    )
    intercept = np.full((*control.shape[:2], 1), GEO_INTERCEPT_SCALE)
    return baseline, common, np.concatenate([intercept, control * GEO_SLOPE_SCALE], axis=2)


def _amounts(panel: GeoPanel, lags: int) -> tuple[FloatArray, FloatArray]:
    """Exposure per size, (G, P, L - 1 + T), in multiples of its usual amount, the mean where there is any; and these
    scales (P,)."""
    amounts = np.stack([known_amounts(each, lags) for each in panel.panels]) / panel.sizes[:, None, None]
    seen = amounts[:, :, lags - 1 :]
    active = np.count_nonzero(seen, axis=(0, 2))
    scales = seen.sum(axis=(0, 2)) / np.maximum(active, 1)
    scales = np.where(scales > 0, scales, 1.0)
    return amounts / scales[:, None], scales


def _density_data(prepared: GeoPrepared, units: FloatArray) -> dict[str, Any]:
    """The arrays of `GeoMediaMixModel.log_density`; what is padding, in time only, is zero there."""
    model, scaled = prepared.model, prepared.scaled
    known, lead = np.isfinite(scaled), model.lags - 1
    tail = np.pad(prepared.amounts, ((0, 0), (0, 0), (0, lead)))
    before = np.pad(prepared.amounts[:, :, :lead], ((0, 0), (0, 0), (0, lead)))
    length, longer = bucket(scaled.shape[1]), bucket(scaled.shape[1] + lead)
    rows = (prepared.common * known[:, :, None] * prepared.baseline.scales_at(1.0)).swapaxes(1, 2)
    own = (prepared.own * known[:, :, None]).swapaxes(1, 2)
    geos, width, _periods = own.shape
    flat = own.reshape(geos * width, -1)
    gappy = np.flatnonzero(known.any(axis=0) & ~known.all(axis=0))
    gaps = bucket(len(gappy)) if len(gappy) else 0
    return {
        "outcome": padded(np.where(known, scaled, 0.0), length),
        "known": padded(known.astype(np.float64), length),
        "known_count": known.sum(axis=1).astype(np.float64),
        "counted": padded(np.ones(scaled.shape[1] + lead), longer),
        "lagged": _lagged(tail, model.lags, longer),
        "lagged_before": _lagged(before, model.lags, lead),
        "unit": units,
        "size": prepared.panel.sizes,
        "common": padded(rows, length),
        "common_scales": np.stack([_trend_only(prepared.baseline, scale) for scale in TREND_SCALES]),
        "gram": rows @ rows.swapaxes(1, 2),
        "own": padded(flat, length),
        "own_gram": flat @ flat.T,
        "own_gram_within": np.kron(np.eye(geos), np.ones((width, width))) * (flat @ flat.T),
        "cross": (own @ rows.swapaxes(1, 2)).reshape(geos * width, -1),
        "gappy": np.pad(gappy, (0, gaps - len(gappy))),
        "own_gappy": padded(flat[:, gappy], gaps),
        "log_weights": np.full(len(TREND_SCALES), -np.log(len(TREND_SCALES))),
        "priors": {
            **prepared.priors.arrays(model.blocks),
            **GEO_PRIORS,
            "sigma_unit": 1 / np.sqrt(2.0 * known.sum(axis=1)),
        },
    }


GEO_PRIORS: Mapping[str, FloatArray] = {
    "shared_location": np.array(SHARED_PRIOR[0]),
    "shared_spread": np.array(SHARED_PRIOR[1]),
    "spread_location": np.array(SPREAD_PRIOR[0]),
    "spread_spread": np.array(SPREAD_PRIOR[1]),
    "sigma_geo_spread": np.array(SIGMA_GEO_SPREAD),
}


def _trend_only(baseline: Baseline, scale: float) -> FloatArray:
    """What the common columns' prior scales at this scale of the trend are of those at 1."""
    at_one = baseline.scales_at(1.0)
    return np.asarray(baseline.scales_at(scale) / np.where(at_one > NEGLIGIBLE, at_one, 1.0))


def _lagged(amounts: FloatArray, lags: int, length: int) -> FloatArray:
    """(G, P, N) -> (P, L, G * length): the periods of all geos after one another, zeros behind those of each."""
    each = np.stack([padded(lagged(of_geo.T, lags)[:, :, lags - 1 :], length) for of_geo in amounts], axis=2)
    return each.reshape(*each.shape[:2], -1)
