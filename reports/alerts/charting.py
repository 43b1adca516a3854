"""The chart of an alert: its metric's last days, what was expected or the threshold, and the days that raise it."""

import datetime as dt
from collections.abc import Collection, Sequence

from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from marketing.periods import Period
from mmm_project import formats
from reports.alerts import wording
from reports.alerts.judging import DayJudged
from reports.alerts.series import Series as Watched
from reports.models import Alert

TICKS_ON_A_TIME_AXIS = 6
RAISED = "Would raise it"


def alert_chart(
    alert: Alert, watched: Watched, judged: Sequence[DayJudged], *, raised: Collection[dt.date]
) -> ChartSpec | None:
    """Draw the judged days; None where there are no values. `raised`: the days to mark."""
    if not any(day.value is not None for day in judged):
        return None
    metric, currency = alert.metric, alert.workspace.currency
    series = _series(alert, watched, judged, raised)
    marks = [mark for one in series for mark in one.marks if mark]
    what = series[0].name
    unit = f"{what}, {'each day' if alert.days == 1 else f'sum of {alert.days} days'}"
    if metric == Alert.Metric.ROAS and alert.days > 1:
        unit = f"{what} of {alert.days} days"
    period = Period(judged[0].day, judged[-1].day).label
    title = _title(sum(day.day in raised for day in judged), period)
    return ChartSpec(
        id="alert-days",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{unit}, {period}",
        summary=f"{title}. {unit}, {period}.",
        category_title="Day",
        categories=_categories(judged),
        series=tuple(series),
        axis=axis(
            [end for mark in marks for end in (mark.value, mark.low, mark.high)],
            title=unit,
            text=lambda value: wording.short_amount(value, metric, currency),
        ),
        interval="Expected range" if any(mark.low is not None for mark in marks) else "",
    )


def _series(alert: Alert, watched: Watched, judged: Sequence[DayJudged], raised: Collection[dt.date]) -> list[Series]:
    """The values, what they are held against, and the days that are marked."""

    def mark(value: float | None, low: float | None = None, high: float | None = None) -> Mark | None:
        if value is None:
            return None
        text, low_text, high_text = (
            "" if end is None else wording.amount(end, alert.metric, alert.workspace.currency)
            for end in (value, low, high)
        )
        return Mark(value=value, text=text, low=low, high=high, low_text=low_text, high_text=high_text)

    what = wording.metric_in_words(alert.metric, watched.channel, watched.goal)
    series = [Series(name=what, colour=Colour.ACCENT, marks=tuple(mark(day.value) for day in judged))]
    if alert.condition == Alert.Condition.ANOMALY:
        expected = tuple(mark(day.expected, day.low, day.high) for day in judged)
        series.append(Series(name="Expected", colour=Colour.OTHER, marks=expected, dashed=True))
    else:
        threshold = tuple(mark(float(alert.threshold or 0)) for _ in judged)
        series.append(Series(name="Threshold", colour=Colour.OTHER, marks=threshold, dashed=True))
    marked = tuple(mark(day.value) if day.day in raised else None for day in judged)
    series.append(Series(name=RAISED, colour=Colour.CHANNEL_1, marks=marked))
    return [one for one in series if any(one.marks)]


def _title(days: int, period: str) -> str:
    return f"{formats.count(days, 'day')} would raise it" if days else f"No day of {period} would raise it"


def _categories(judged: Sequence[DayJudged]) -> tuple[Category, ...]:
    every = max(-(-len(judged) // TICKS_ON_A_TIME_AXIS), 1)
    return tuple(
        Category(
            label=wording.day_in_words(day.day),
            short=f"{day.day:%-d %b}",
            tick=(len(judged) - 1 - place) % every == 0,
        )
        for place, day in enumerate(judged)
    )
