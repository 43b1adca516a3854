"""From a panel to what the density of the media mix model takes, with all scaling kept so that it can be inverted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

from marketing.frames import Granularity, MediaPanel
from weightings.methods import priors as usual
from weightings.methods.adstock import lagged
from weightings.methods.baseline import TREND_SCALES, Baseline, baseline_of
from weightings.methods.media_mix import AdstockName, MediaMixModel, SaturationName
from weightings.methods.outcome_scale import CannotBeModelled, OutcomeScale, outcome_scale
from weightings.methods.priors import EffectKind, EffectPrior, LogNormal, Priors, shape_priors

FloatArray: TypeAlias = npt.NDArray[np.float64]

LAGS: Mapping[Granularity, int] = {"day": 28, "week": 13, "month": 4}
NEGLIGIBLE = 1e-12  # of the largest singular value: no direction at all


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How to model. `lags`: periods of carry-over. `knots` of the trend: by the length of the data where None.

    `effects`: what is believed of some media, by name; all others take the default.
    """

    adstock: AdstockName = "geometric"
    saturation: SaturationName = "hill"
    lags: int | None = None
    knots: int | None = None
    effects: Mapping[str, LogNormal] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A panel made ready for a model.

    `media`: P names, paid media first. `amounts`: (P, L - 1 + T) exposure in multiples of `media_scales` (P,), the
    first L - 1 periods before the outcome; those that nobody knows are taken to be as the first that are.
    `units`: (P,) what one unit of effect is, in multiples of the outcome's scale.
    `data`: what the density takes.
    """

    panel: MediaPanel
    model: MediaMixModel
    priors: Priors
    scale: OutcomeScale
    baseline: Baseline
    amounts: FloatArray
    media_scales: FloatArray
    units: FloatArray
    data: dict[str, Any]
    money_doubted: bool


def prepare(panel: MediaPanel, choices: Choices) -> Prepared:
    """Scale a panel and lay out its data. Raises CannotBeModelled without media or outcomes that differ."""
    if not panel.channels and not panel.organic:
        raise CannotBeModelled("There are no media to model.")
    lags = LAGS[panel.granularity] if choices.lags is None else choices.lags
    model = MediaMixModel((*panel.channels, *panel.organic), lags, choices.adstock, choices.saturation)
    scale = outcome_scale(panel.outcome, panel.bounds)
    scaled = scale.scaled(panel.outcome)
    amounts, media_scales = _amounts(panel, lags)
    kinds, doubted = effect_kinds(panel, choices.effects)
    priors = Priors(
        tuple(
            EffectPrior(kind, choices.effects.get(name) or _default(panel, kind, name))
            for name, kind in zip(model.media, kinds, strict=True)
        ),
        shape_priors(panel.granularity),
    )
    baseline = baseline_of(panel, level=float(np.nanmean(scaled)), knots=choices.knots)
    units = np.array([_unit(panel, scale, place, kind) for place, kind in enumerate(kinds)])
    data = density_data(
        scaled=scaled,
        lagged_amounts=lagged(with_tail(amounts, lags - 1).T, lags)[:, :, lags - 1 :],
        lagged_before=lagged(only_before(amounts, lags - 1).T, lags)[:, :, lags - 1 :],
        baseline=baseline,
        units=units,
        priors=priors.arrays(model.blocks),
    )
    return Prepared(panel, model, priors, scale, baseline, amounts, media_scales, units, data, doubted)


def effect_kinds(panel: MediaPanel, effects: Mapping[str, LogNormal]) -> tuple[list[EffectKind], bool]:
    """How each medium's effect is expressed; and whether spend and outcome seem not to be in one currency.

    ROI needs an outcome in money and spend; where a usual ROI would make all media together next to nothing of the
    outcome, or more than all of it, spend is no money of that currency, and shares of the outcome are believed instead.
    What somebody expects of a channel, in `effects`, is a ROI in any case.
    """
    paid, organic = len(panel.channels), len(panel.organic)
    if panel.bounds is not None:
        return ["log_odds"] * (paid + organic), False
    usual_roi = LogNormal(*usual.ROI)
    medians = [effects.get(name, usual_roi).median for name in panel.channels]
    expected = float(panel.spend[panel.history :].sum(axis=0) @ medians)
    outcome = _size(panel)
    low, high = usual.BELIEVABLE_SHARE
    doubted = panel.is_money and paid > 0 and not low * outcome <= expected <= high * outcome
    otherwise: EffectKind = "roi" if panel.is_money and not doubted else "contribution"
    of_paid: list[EffectKind] = ["roi" if name in effects else otherwise for name in panel.channels]
    of_organic: list[EffectKind] = ["contribution"] * organic
    return of_paid + of_organic, doubted


def _default(panel: MediaPanel, kind: EffectKind, name: str) -> LogNormal:
    if kind == "roi":
        return LogNormal(*usual.ROI)
    if kind == "log_odds":
        return LogNormal(*usual.LOG_ODDS)
    if name in panel.organic:
        return LogNormal(float(np.log(usual.ORGANIC_SHARE)), usual.SHARE_SPREAD)
    spend = panel.spend[panel.history :].sum(axis=0)
    share = spend[panel.channels.index(name)] / spend.sum()
    return LogNormal(float(np.log(usual.PAID_SHARE * share)), usual.SHARE_SPREAD)


def _unit(panel: MediaPanel, scale: OutcomeScale, place: int, kind: EffectKind) -> float:
    """What one unit of a medium's effect adds to the scaled outcome over all periods together."""
    if kind == "roi":
        return float(panel.spend[panel.history :, place].sum() / scale.unit)
    if kind == "log_odds":
        return len(panel) / scale.unit
    return _size(panel) / scale.unit


def _size(panel: MediaPanel) -> float:
    """How much outcome there is in all, whatever its sign; periods that are not known count as the others do."""
    return float(np.nanmean(np.abs(panel.outcome))) * len(panel)


def _amounts(panel: MediaPanel, lags: int) -> tuple[FloatArray, FloatArray]:
    """Exposure in multiples of its usual amount, the mean of the periods that have any; and these scales."""
    exposure = np.hstack([panel.exposure, panel.organic_exposure]).T
    seen = exposure[:, panel.history :]
    active = np.count_nonzero(seen, axis=1)
    scales = seen.sum(axis=1) / np.maximum(active, 1)
    scales = np.where(scales > 0, scales, 1.0)
    known = exposure[:, max(panel.history - (lags - 1), 0) :]
    unknown = lags - 1 - (known.shape[1] - seen.shape[1])
    # Nothing is known of media before the data begin. That there were none would be the less likely guess, unless the
    # first that is known of a medium is that there were none.
    as_at_first = np.where(known[:, :1] > 0, known[:, : max(lags - 1, 1)].mean(axis=1, keepdims=True), 0.0)
    return np.hstack([np.repeat(as_at_first, unknown, axis=1), known]) / scales[:, None], scales


def with_tail(amounts: FloatArray, periods: int) -> FloatArray:
    """Amounts (P, N) with as many periods of none behind them."""
    return np.pad(amounts, ((0, 0), (0, periods)))


def only_before(amounts: FloatArray, lead: int) -> FloatArray:
    """Amounts from before the outcome alone, and as many periods of none: (P, 2 lead)."""
    return with_tail(amounts[:, :lead], lead)


def density_data(
    *,
    scaled: FloatArray,
    lagged_amounts: FloatArray,
    lagged_before: FloatArray,
    baseline: Baseline,
    units: FloatArray,
    priors: Mapping[str, FloatArray],
) -> dict[str, Any]:
    """The arrays of `MediaMixModel.log_density`, padded to lengths that many datasets share.

    `scaled`: (T,) outcome, NaN where not known. `lagged_amounts`: (P, L, T + L - 1), with the periods behind the last.
    `lagged_before`: (P, L, L - 1), of the media from before alone. What is padding is zero, and not counted.
    """
    periods = lagged_amounts.shape[2]
    padded = bucket(periods)
    known = np.isfinite(scaled)
    bases = SingularBases.of(baseline.columns * known[:, None], [baseline.scales_at(s) for s in TREND_SCALES])
    width = bucket(len(bases.directions))
    return {
        "outcome": _padded(np.where(known, scaled, 0.0), padded),
        "known": _padded(known.astype(np.float64), padded),
        "known_count": np.array(float(known.sum())),
        "counted": _padded(np.ones(periods), padded),
        "lagged": _padded(lagged_amounts, padded),
        "lagged_before": lagged_before,
        "unit": units,
        "directions": _padded(_padded(bases.directions, padded).T, width).T,
        "rotations": _padded(_padded(bases.rotations, width).swapaxes(1, 2), width).swapaxes(1, 2),
        "singular_values": _padded(bases.values, width),
        "log_weights": np.full(len(TREND_SCALES), -np.log(len(TREND_SCALES))),
        "priors": dict(priors),
    }


@dataclass(frozen=True, eq=False)
class SingularBases:
    """Z diag(s_g) by its singular vectors, for each of G prior scales. All of them span what the columns of Z do.

    `directions`: (K, T), orthonormal, the space that they span. `rotations`: (G, K, K), the left singular vectors
    within it: those of scale g are `rotations[g] @ directions`. `values`: (G, K) squared singular values.
    """

    directions: FloatArray
    rotations: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, columns: FloatArray, scales: Sequence[FloatArray]) -> "SingularBases":
        """Of columns (T, B) and scales (B,)."""
        left, singular, _right = linalg.svd(columns, full_matrices=False)
        directions = left[:, singular > NEGLIGIBLE * singular.max(initial=0.0)].T
        rotations = np.empty((len(scales), len(directions), len(directions)))
        values = np.empty((len(scales), len(directions)))
        for place, scale in enumerate(scales):
            within, singular, _right = linalg.svd((directions @ columns) * scale, full_matrices=False)
            rotations[place], values[place] = within.T, singular**2
        return cls(directions, rotations, values)


def bucket(length: int) -> int:
    """The least length of at least this that is a small number (up to 16) times a power of two: at most 12.5% more."""
    step = 1
    while length > 16 * step:
        step *= 2
    return -(-length // step) * step


def _padded(array: FloatArray, length: int) -> FloatArray:
    """Zeros behind, along the last axis."""
    behind = [(0, 0)] * (array.ndim - 1) + [(0, length - array.shape[-1])]
    return np.pad(np.asarray(array, np.float64), behind)
