"""What alerts and their events say: on pages, in mails, in the log."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from marketing.models import Channel, Goal
from marketing.periods import Period
from mmm_project import formats
from reports.alerts.judging import DayJudged, NoVerdict
from reports.alerts.series import Series
from reports.methods.anomalies import Direction
from reports.models import Alert

LABELS: Mapping[str, str] = MappingProxyType(dict(Alert.Metric.choices))
SPANS: Mapping[int, str] = MappingProxyType({1: "each day", 7: "the last 7 days", 30: "the last 30 days"})


def metric_in_words(metric: str, channel: Channel | None, goal: Goal | None) -> str:
    """ "Revenue", "ROAS of Search", "Conversions to Lead of Email": the goal is named unless it is the default one."""
    of_goal = f" to {goal.name}" if goal and not goal.is_default and metric != Alert.Metric.SPEND else ""
    return LABELS[metric] + of_goal + (f" of {channel.name}" if channel else "")


def watched_in_words(alert: Alert) -> str:
    """When the alert is raised: "when spend of Search falls below €100 over the last 7 days"."""
    what = metric_in_words(alert.metric, alert.channel, alert.goal)
    what = what if alert.metric == Alert.Metric.ROAS else what[:1].lower() + what[1:]
    does = _CONDITIONS[Alert.Condition(alert.condition)][alert.metric == Alert.Metric.CONVERSIONS]
    if alert.condition == Alert.Condition.ANOMALY:
        return f"when {what} {does} unlike the days before"
    over = "on a day" if alert.days == 1 else f"over {SPANS.get(alert.days, f'the last {alert.days} days')}"
    threshold = amount(_threshold(alert), alert.metric, alert.workspace.currency)
    return f"when {what} {does} {threshold} {over}"


def amount(value: float, metric: str, currency: str) -> str:
    """A value of the metric in full, with its unit."""
    if metric == Alert.Metric.ROAS:
        return formats.ratio(value)
    return formats.count(value) if metric == Alert.Metric.CONVERSIONS else formats.money(value, currency)


def short_amount(value: float, metric: str, currency: str) -> str:
    """A value of the metric with three digits that matter."""
    if metric == Alert.Metric.ROAS:
        return formats.ratio(value)
    return formats.short_count(value) if metric == Alert.Metric.CONVERSIONS else formats.short_money(value, currency)


def event_in_words(alert: Alert, series: Series, judged: DayJudged) -> str:
    """The day, its number and what it is held against, as one sentence."""
    currency = alert.workspace.currency
    what = metric_in_words(alert.metric, series.channel, series.goal)
    verb = "were" if alert.metric == Alert.Metric.CONVERSIONS else "was"
    if judged.low is not None and judged.high is not None:
        low, high = (short_amount(end, alert.metric, currency) for end in (judged.low, judged.high))
        side = "more" if judged.direction == Direction.ABOVE else "less"
        number = amount(judged.value or 0, alert.metric, currency)
        when = f"{what} on {day_in_words(judged.day)}"
        sentence = f"{when} {verb} {number}: {side} than the {low} to {high} that were expected."
        return sentence + _where_none_came(series, judged)
    when = f"on {day_in_words(judged.day)}" if alert.days == 1 else f"of {_span(alert, judged.day)}"
    number, threshold = (amount(each, alert.metric, currency) for each in (judged.value or 0, _threshold(alert)))
    return f"{what} {when} {verb} {number}, {judged.direction} {threshold}." + _where_none_came(series, judged)


def no_figures_in_words(series: Series) -> str:
    """That the figures have stopped."""
    return f"No figures since {day_in_words(series.last)}."


def basis_in_words(alert: Alert, series: Series | None) -> str:
    """Where the numbers come from, and what they are held against."""
    credit = f"Credited by {series.model_label}. " if series and series.model_label else ""
    if alert.condition != Alert.Condition.ANOMALY:
        return f"{credit}The threshold is {amount(_threshold(alert), alert.metric, alert.workspace.currency)}."
    return (
        f"{credit}Expected is what the eight weeks before a day lead to, by weekday and level, give or take what such "
        "expectations were off by in the half year before, and 20% at least."
    )


def no_verdict_in_words(reason: NoVerdict) -> str:
    """Why nothing can be said about a day."""
    return _NO_VERDICTS[reason]


def day_in_words(day: dt.date) -> str:
    return f"{day:%-d %b %Y}"


def _where_none_came(series: Series, judged: DayJudged) -> str:
    """What may be behind it that the day is low, where conversions have stopped and other data go on."""
    until, last_day = series.conversions_until, series.last_conversions_day
    if until is None or last_day is None or judged.day <= until or judged.direction != Direction.BELOW:
        return ""
    return (
        f" Either nobody converted, or the import of conversions has stopped: its last day is {day_in_words(last_day)}."
    )


def _span(alert: Alert, day: dt.date) -> str:
    """The days of a threshold that looks at several: "the 7 days 1-7 Jun 2026"."""
    return f"the {alert.days} days {Period.last_days(alert.days, until=day).label}"


def _threshold(alert: Alert) -> float:
    return float(alert.threshold or 0)


# Of one thing, and of several.
_CONDITIONS: Mapping[Alert.Condition, tuple[str, str]] = MappingProxyType(
    {
        Alert.Condition.ABOVE: ("rises above", "rise above"),
        Alert.Condition.BELOW: ("falls below", "fall below"),
        Alert.Condition.ANOMALY: ("is", "are"),
    }
)
_NO_VERDICTS: Mapping[NoVerdict, str] = MappingProxyType(
    {
        NoVerdict.NO_SPEND: "Nothing was spent, so there is no ROAS.",
        NoVerdict.TOO_FEW_DAYS: "There are too few days before it to tell what is usual.",
        NoVerdict.MOSTLY_ZERO: "Most of the eight weeks before have nothing of it, so nothing is unusual.",
    }
)
