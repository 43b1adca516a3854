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
from weightings.methods.experiments.lifts import Counts, Experiment, Reading, Use, read
from weightings.methods.experiments.priors import likely_carry_over, with_experiments
from weightings.methods.media_mix import AdstockName, MediaMixModel, SaturationName
from weightings.methods.outcome_scale import CannotBeModelled, OutcomeScale, outcome_scale
from weightings.methods.priors import EffectKind, EffectPrior, LogNormal, Priors, shape_priors

FloatArray: TypeAlias = npt.NDArray[np.float64]

LAGS: Mapping[Granularity, int] = {"day": 28, "week": 13, "month": 4}
NEGLIGIBLE = 1e-12  # of the largest singular value: no direction at all


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How to model. `lags`: periods of carry-over. `knots` of the trend: by the length of the data where None.

    `effects`: what is believed of some media, by name; all others take the default. `experiments`: lifts that were
    measured, how they are to be used, and what they count.
    """

    adstock: AdstockName = "geometric"
    saturation: SaturationName = "hill"
    lags: int | None = None
    knots: int | None = None
    effects: Mapping[str, LogNormal] = field(default_factory=dict)
    experiments: tuple[Experiment, ...] = ()
    experiments_as: Use = "auto"
    lifts_count: Counts = "all"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A panel made ready for a model.

    `media`: P names, paid media first. `amounts`: (P, L - 1 + T) exposure in multiples of `media_scales` (P,), the
    first L - 1 periods before the outcome; those that nobody knows are taken to be as the first that are.
    `units`: (P,) what one unit of effect is, in multiples of the outcome's scale.
    `data`: what the density takes. `readings`: how each experiment enters it.
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
    readings: tuple[Reading, ...] = ()


def prepare(panel: MediaPanel, choices: Choices) -> Prepared:
    """Scale a panel and lay out its data. Raises CannotBeModelled without media or outcomes that differ."""
    if not panel.channels and not panel.organic:
        raise CannotBeModelled("There are no media to model.")
    lags = lags_of(panel, choices)
    model = MediaMixModel((*panel.channels, *panel.organic), lags, choices.adstock, choices.saturation)
    scale = outcome_scale(panel.outcome, panel.bounds)
    scaled = scale.scaled(panel.outcome)
    amounts, media_scales = _amounts(panel, lags)
    readings = read(panel, choices.experiments, choices.experiments_as, choices.lifts_count)
    priors, doubted = media_priors(panel, choices, readings)
    baseline = baseline_of(panel, level=float(np.nanmean(scaled)), knots=choices.knots)
    units = effect_units(panel, [effect.kind for effect in priors.effects], scale.unit)
    data = density_data(
        scaled=scaled,
        lagged_amounts=lagged(with_tail(amounts, lags - 1).T, lags)[:, :, lags - 1 :],
        lagged_before=lagged(only_before(amounts, lags - 1).T, lags)[:, :, lags - 1 :],
        baseline=baseline,
        units=units,
        priors=priors.arrays(model.blocks),
    )
    data |= experiment_data(readings, amounts, lags=lags, unit=scale.unit)
    return Prepared(panel, model, priors, scale, baseline, amounts, media_scales, units, data, doubted, readings)


def lags_of(panel: MediaPanel, choices: Choices) -> int:
    """Over how many periods media carry over: the granularity's unless chosen."""
    return LAGS[panel.granularity] if choices.lags is None else choices.lags


def media_priors(panel: MediaPanel, choices: Choices, readings: Sequence[Reading]) -> tuple[Priors, bool]:
    """What is believed of the media beforehand; and whether spend and outcome seem not to be in one currency.

    `readings`: of experiments, some of which may be beliefs.
    """
    kinds, doubted = effect_kinds(panel, choices.effects)
    effects = [
        EffectPrior(kind, choices.effects.get(name) or _default(panel, kind, name))
        for name, kind in zip((*panel.channels, *panel.organic), kinds, strict=True)
    ]
    shapes = shape_priors(panel.granularity)
    likely = likely_carry_over(choices.adstock, lags_of(panel, choices), shapes)
    adjusted = choices.experiments_as == "adjusted_prior"
    effects = with_experiments(panel, effects, readings, likely, adjusted=adjusted, size=_size(panel))
    return Priors(tuple(effects), shapes), doubted


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
    believed = usual.is_one_currency(expected=expected, outcome=_size(panel))
    doubted = panel.is_money and paid > 0 and not believed
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
        return usual.usual_share(None)
    spend = panel.spend[panel.history :].sum(axis=0)
    return usual.usual_share(float(spend[panel.channels.index(name)] / spend.sum()))


def effect_units(panel: MediaPanel, kinds: Sequence[EffectKind], unit: float) -> FloatArray:
    """What one unit of each medium's effect adds to the outcome over all periods together, in multiples of `unit`."""
    spend = panel.spend[panel.history :].sum(axis=0)
    adds = {"contribution": _size(panel), "log_odds": float(len(panel))}
    return np.array([spend[place] if kind == "roi" else adds[kind] for place, kind in enumerate(kinds)]) / unit


def _size(panel: MediaPanel) -> float:
    """How much outcome there is in all, whatever its sign; periods that are not known count as the others do."""
    return float(np.nanmean(np.abs(panel.outcome))) * len(panel)


def _amounts(panel: MediaPanel, lags: int) -> tuple[FloatArray, FloatArray]:
    """Exposure in multiples of its usual amount, the mean of the periods that have any; and these scales."""
    exposure = known_amounts(panel, lags)
    seen = exposure[:, lags - 1 :]
    active = np.count_nonzero(seen, axis=1)
    scales = seen.sum(axis=1) / np.maximum(active, 1)
    scales = np.where(scales > 0, scales, 1.0)
    return exposure / scales[:, None], scales


def known_amounts(panel: MediaPanel, lags: int) -> FloatArray:
    """Exposure from L - 1 periods before the outcome on, (P, L - 1 + T), as far as it is known and as it then was."""
    exposure = np.hstack([panel.exposure, panel.organic_exposure]).T
    known = exposure[:, max(panel.history - (lags - 1), 0) :]
    unknown = lags - 1 - (known.shape[1] - len(panel))
    # Nothing is known of media before the data begin. That there were none would be the less likely guess, unless the
    # first that is known of a medium is that there were none.
    as_at_first = np.where(known[:, :1] > 0, known[:, : max(lags - 1, 1)].mean(axis=1, keepdims=True), 0.0)
    return np.hstack([np.repeat(as_at_first, unknown, axis=1), known])


def with_tail(amounts: FloatArray, periods: int) -> FloatArray:
    """Amounts (..., N) with as many periods of none behind them."""
    return np.pad(amounts, [(0, 0)] * (amounts.ndim - 1) + [(0, periods)])


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
    length = bucket(periods)
    known = np.isfinite(scaled)
    bases = SingularBases.of(baseline.columns * known[:, None], [baseline.scales_at(s) for s in TREND_SCALES])
    width = bucket(len(bases.directions))
    return {
        "outcome": padded(np.where(known, scaled, 0.0), length),
        "known": padded(known.astype(np.float64), length),
        "known_count": np.array(float(known.sum())),
        "counted": padded(np.ones(periods), length),
        "lagged": padded(lagged_amounts, length),
        "lagged_before": lagged_before,
        "unit": units,
        "directions": padded(padded(bases.directions, length).T, width).T,
        "rotations": padded(padded(bases.rotations, width).swapaxes(1, 2), width).swapaxes(1, 2),
        "singular_values": padded(bases.values, width),
        "log_weights": np.full(len(TREND_SCALES), -np.log(len(TREND_SCALES))),
        "priors": dict(priors),
    }


def experiment_data(
    readings: Sequence[Reading], amounts: FloatArray, *, lags: int, unit: float, geos: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The part of the density's data on lifts that enter it, `experiments`; nothing where there are none.

    `amounts`: (P, L - 1 + T), or (G, P, L - 1 + T) of G `geos`. `unit`: of the outcome. Padded to a power of two of
    them and to as many periods for each; what is padding has a precision of 0 and no media.
    """
    entering = [
        (reading.experiment, reading.window, reading.behind(lags - 1))
        for reading in readings
        if reading.route == "likelihood" and reading.window is not None
    ]
    if not entering:
        return {}
    count = 1 << (len(entering) - 1).bit_length()
    width = bucket(max(window.periods + behind for _experiment, window, behind in entering))
    shape = (count, *amounts.shape[:-2], lags, width)
    found: dict[str, npt.NDArray[Any]] = {"channel": np.zeros(count, np.int64)}
    found |= {name: np.zeros(count) for name in ("lift", "precision")}
    found |= {name: np.zeros(shape) for name in ("lagged_with", "lagged_without")}
    for row, (experiment, window, behind) in enumerate(entering):
        media = amounts[..., window.place, :]
        if experiment.geo in geos:
            media = np.where([[geo == experiment.geo] for geo in geos], media, 0.0)
        without = window.without(media, lags - 1)
        found["channel"][row] = window.place
        found["lagged_with"][row] = padded(window.lagged(media, lags, behind), width)
        found["lagged_without"][row] = padded(window.lagged(without, lags, behind), width)
        # Of all media of the window the test's are the share that its spend is, and their lift is taken to be that too.
        found["lift"][row] = experiment.lift / window.ratio / unit
        found["precision"][row] = (window.ratio * unit / experiment.error) ** 2
    return {"experiments": found}


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


def padded(array: FloatArray, length: int) -> FloatArray:
    """Zeros behind, along the last axis."""
    behind = [(0, 0)] * (array.ndim - 1) + [(0, length - array.shape[-1])]
    return np.pad(np.asarray(array, np.float64), behind)
