"""How well a model fits, and where it was off: residuals by period, and whether they come one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analyses.documents import Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings.methods.scores import lag_one_correlation
from weightings.presentation.results import Result, extent
from weightings.presentation.time_sections import outcome_mark, period_categories, period_names

TITLE = "Fit and residuals"
MOST_MISSES = 3
BY_CHANCE = 1.96  # standard errors of a correlation of residuals that come one by one
JOINED = {"week": "the ", "day": "", "month": ""}  # what stands before the name of a period


def fit_and_residuals(result: Result) -> Section:
    """How far off the model was, over all that it has learnt from and in each period that is reported."""
    misses = _misses(result)
    return Section(
        title=TITLE,
        sentences=(*_accuracy(result), *_autocorrelation(result), *_largest(result, misses)),
        charts=tuple(_chart(result, misses)),
    )


@dataclass(frozen=True, slots=True)
class _Miss:
    """A period's residual, observed less expected, in multiples of the result's factor. `place`: in the period that is
    reported. `is_outside`: the interval of predictions."""

    place: int
    when: str
    value: float
    is_outside: bool


def _accuracy(result: Result) -> Iterator[str]:
    fit = result.data["fit"]
    if fit["r2"] is not None and fit["wmape"] is not None:
        yield (
            f"Over all data that the model has learnt from, it explains {formats.percent(fit['r2'])} of the ups and "
            f"downs (R²) and is off by {formats.percent(fit['wmape'])} on average (wMAPE)."
        )


def _autocorrelation(result: Result) -> Iterator[str]:
    """Whether residuals come one by one, over all data, as a few periods tell too little."""
    series, unit = result.data["series"], result.granularity
    observed = np.array([np.nan if value is None else value for value in series["observed"]])
    residual = observed - np.array(series["expected"]["mean"])
    correlation = lag_one_correlation(residual)
    if not np.isfinite(correlation):
        return
    chance = BY_CHANCE / np.sqrt(np.isfinite(residual).sum())
    found = f"From one {unit} to the next, what the model misses correlates by {formats.ratio(correlation)}"
    within = f"what chance alone would bring, ±{formats.ratio(chance)}"
    if correlation > chance:
        yield (
            f"{found} (lag-1 autocorrelation), more than {within}: something that lasts for several {unit}s is "
            "missing, such as a control or an event, and intervals may be too narrow."
        )
    elif correlation < -chance:
        yield (
            f"{found} (lag-1 autocorrelation), beyond {within}: a {unit} above is often followed by one below, as "
            "where outcomes are booked late."
        )
    else:
        yield f"{found} (lag-1 autocorrelation), within {within}: misses come one by one, as the model takes them to."


def _misses(result: Result) -> list[_Miss]:
    """The residuals of the period that is reported, in time order; of periods whose outcome is known."""
    series, window = result.data["series"], result.window
    columns = (
        series["period_start"][window],
        series["observed"][window],
        series["expected"]["mean"][window],
        series["predicted"]["low"][window],
        series["predicted"]["high"][window],
    )
    return [
        _Miss(place, _when(start, result.granularity), result.factor * (value - mean), not low <= value <= high)
        for place, (start, value, mean, low, high) in enumerate(zip(*columns, strict=True))
        if value is not None
    ]


def _when(start: int, granularity: str) -> str:
    """A period by its name, within a sentence: "the week of 5 January 2026"."""
    name, _short = period_names(start, granularity)
    return JOINED[granularity] + (name[0].lower() + name[1:] if granularity == "week" else name)


def _largest(result: Result, misses: Sequence[_Miss]) -> Iterator[str]:
    """The periods that were furthest off, by their names."""
    furthest = sorted(misses, key=lambda miss: -abs(miss.value))[:MOST_MISSES]
    if not furthest:
        yield f"Nothing is known of {result.outcome} in {result.period.label}, so there is nothing to be off from."
        return
    outside = sum(miss.is_outside for miss in misses)
    listed = "; ".join(_described(result, miss) for miss in furthest)
    yield f"Furthest off in {result.period.label}: {listed}."
    beyond = f"{formats.count(outside)} of {formats.count(len(misses), result.granularity)}"
    if outside:
        verb = "lies" if outside == 1 else "lie"
        yield f"{beyond} {verb} outside the {result.interval_words} of predictions. Look for what happened there."


def _described(result: Result, miss: _Miss) -> str:
    side = "above" if miss.value >= 0 else "below"
    outside = ", outside the interval of predictions" if miss.is_outside else ""
    return f"{miss.when}, {result.rounded(abs(miss.value))} {side} what was expected{outside}"


def _chart(result: Result, misses: Sequence[_Miss]) -> Iterator[ChartSpec]:
    if not misses:
        return
    series, window = result.data["series"], result.window
    starts = series["period_start"][window]
    band = tuple(
        outcome_mark(result, 0.0, low - mean, high - mean)
        for mean, low, high in zip(
            series["expected"]["mean"][window],
            series["predicted"]["low"][window],
            series["predicted"]["high"][window],
            strict=True,
        )
    )
    residual: list[Mark | None] = [None] * len(starts)
    for miss in misses:
        residual[miss.place] = outcome_mark(result, miss.value / result.factor)
    worst = max(misses, key=lambda miss: abs(miss.value))
    per = f"Observed less expected {result.outcome} by {result.granularity}, {result.unit}"
    title = f"The largest miss is {result.rounded(abs(worst.value))}, in {worst.when}"
    yield ChartSpec(
        id="residuals",
        kind=Kind.LINE,
        title=title if result.granularity != "day" else title.replace(", in ", ", on ", 1),
        subtitle=f"{per}, {result.period.label}. The band is the {result.interval_words} of predictions.",
        summary=f"{per}, around 0, which is what was expected. {title}.",
        category_title=result.granularity.capitalize(),
        categories=period_categories(starts, result.granularity),
        series=(
            Series(name="Residual", colour=Colour.CHANNEL_1, marks=tuple(residual)),
            Series(name="Expected", colour=Colour.OTHER, marks=band, dashed=True),
        ),
        axis=axis(extent([*residual, *band]), title=per, text=result.tick),
        interval=f"{result.data['confidence']}% prediction interval",
    )
