"""The charts of the dashboard and its detail pages."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.cube.kept_models import RULES, Models
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples, axis
from marketing.periods import Period
from mmm_project import formats
from reports.numbers import Daily, Float64s, Group, History, Measures, largest

MOST_BARS = 12
MOST_NAMED = 6  # in a sentence
MOST_MODELS = 16  # drawn side by side; the rules are always among them
LONGEST_NAME = 32  # characters beside an axis
DAYS_DRAWN_SINGLY = 62
DAYS_IN_A_BIN = 7
TICKS_ON_A_TIME_AXIS = 6
LinkTo = Callable[[Group], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all charts of a page say alike: the currency, the period, what it is compared with, the models' names."""

    currency: str
    period: str
    compared: str  # the compared period's dates, "" without one
    comparison: str  # "previous period", "" without one
    model: str
    models: Models

    def money(self, value: float) -> str:
        return formats.short_money(value, self.currency)

    def compared_name(self, compared: str = "") -> str:
        return (compared or self.comparison)[:1].upper() + (compared or self.comparison)[1:]


def roas_chart(groups: Sequence[Group], *, chart_id: str, what: str, frame: Frame, link: LinkTo) -> ChartSpec | None:
    """ROAS of the groups that have spend, highest first, beside the compared period; None if none has.

    Of many those with the largest shares of revenue or spend. Groups that no model credits leave no touches (as
    television does): attribution knows nothing about their return.
    """
    known = [group for group in groups if group.roas is not None]
    ranked = sorted(largest(known, MOST_BARS), key=lambda group: -_roas(group.now))
    unseen = [group for group in groups if group.now.roas is not None and not group.is_seen]
    if not ranked:
        return None
    of_most = f" of the {MOST_BARS} largest" if len(known) > MOST_BARS else ""
    marks = tuple(
        Mark(
            value=_roas(group.now),
            text=formats.ratio(_roas(group.now)),
            detail=_roas_detail(group, frame),
            href=link(group),
            colour=group.colour,
        )
        for group in ranked
    )
    series = [Series(name=f"ROAS, {frame.model}", colour=Colour.ACCENT, marks=marks)]
    if any(group.roas_before is not None for group in ranked):
        before = tuple(_ratio_mark(group.before) for group in ranked)
        series.append(Series(name=frame.compared_name(), colour=Colour.OTHER, marks=before))
    best, worst = ranked[0], ranked[-1]
    title = f"{best.name} returns most{of_most}: {formats.ratio(_roas(best.now))} for each {frame.currency} spent"
    rest = f"; {worst.name} returns least, {formats.ratio(_roas(worst.now))}" if len(ranked) > 1 else ""
    return ChartSpec(
        id=chart_id,
        kind=Kind.BARS,
        title=title,
        subtitle=f"ROAS, {frame.model}: credited revenue / spend, {frame.period}"
        + (f", of the {MOST_BARS} with the largest shares of revenue or spend" if of_most else "")
        + _unseen_note(unseen),
        summary=f"{title}{rest}.",
        category_title=what,
        categories=tuple(Category(label=group.name) for group in ranked),
        series=tuple(series),
        axis=axis_of(series, title=f"Revenue for each {frame.currency} spent", text=formats.count),
        horizontal=True,
    )


def distribution_chart(
    groups: Sequence[Group], total: Measures, *, chart_id: str, frame: Frame, link: LinkTo
) -> ChartSpec | None:
    """Each channel's share of spend beside its share of revenue; None without revenue and spend."""
    known = [group for group in groups if group.now.spend or group.now.revenue]
    shown = largest(known, MOST_BARS)
    if not shown or not total.revenue:
        return None
    revenue = tuple(_share_mark(group, group.now.revenue, total.revenue, frame, link) for group in shown)
    series = [Series(name="Share of revenue", colour=Colour.ACCENT, marks=revenue)]
    if total.spend:
        spend = tuple(
            _share_mark(group, group.now.spend, total.spend, frame, link, grey=True) if group.now.spend else None
            for group in shown
        )
        series.append(Series(name="Share of spend", colour=Colour.OTHER, marks=spend))
    leader = max(shown, key=lambda group: group.now.revenue)
    title = f"{leader.name} brings {formats.percent(leader.now.revenue / total.revenue)} of revenue"
    if total.spend:
        title += f" with {formats.percent(leader.now.spend / total.spend)} of spend"
    return ChartSpec(
        id=chart_id,
        kind=Kind.BARS,
        title=title,
        subtitle=f"Shares of revenue, {frame.model}, and of spend, {frame.period}"
        + (f"; the {MOST_BARS} with the largest of either" if len(known) > MOST_BARS else ""),
        summary=f"{title}, {frame.period}.",
        category_title="Channel",
        categories=tuple(Category(label=group.name) for group in shown),
        series=tuple(series),
        axis=axis_of(series, title="Share of all channels", text=lambda share: f"{share:.0%}"),
        horizontal=True,
    )


def models_chart(
    revenue_by_model: Mapping[str, float], *, chart_id: str, name: str, frame: Frame, chosen: str
) -> ChartSpec | None:
    """What each model credits one channel or campaign with; None where none credits anything."""
    if not any(revenue_by_model.values()):
        return None
    drawn = _drawn(list(revenue_by_model), chosen)
    models = sorted(drawn, key=lambda model: -revenue_by_model[model])
    marks = tuple(
        Mark(
            value=revenue_by_model[model],
            text=frame.money(revenue_by_model[model]),
            detail=(formats.money(revenue_by_model[model], frame.currency),),
            colour=Colour.ACCENT if model == chosen else Colour.OTHER,
        )
        for model in models
    )
    series = (Series(name="Credited revenue", colour=Colour.ACCENT, marks=marks),)
    labels = [frame.models.label(model) for model in models]
    title = f"{labels[0]} credits {name} most, {labels[-1]} least"
    own = ", and your own" if any(model not in RULES for model in models) else ""
    left_out = len(revenue_by_model) - len(models)
    rest = f"; {left_out} more of your own can be chosen" if left_out else ""
    return ChartSpec(
        id=chart_id,
        kind=Kind.BARS,
        title=title,
        subtitle=f"Revenue credited by each rule model{own}, {frame.period}{rest}",
        summary=f"{title}: {frame.money(revenue_by_model[models[0]])} against "
        f"{frame.money(revenue_by_model[models[-1]])}.",
        category_title="Model",
        categories=tuple(Category(label=label, short=_cut(label)) for label in labels),
        series=series,
        axis=axis_of(series, title=f"Credited revenue, {frame.currency}", text=frame.money),
        horizontal=True,
    )


def _cut(label: str) -> str:
    """A name that leaves room for the bars: people call their models as they like."""
    return label if len(label) <= LONGEST_NAME else f"{label[: LONGEST_NAME - 1]}…"


def _drawn(models: Sequence[str], chosen: str) -> list[str]:
    """The models that a chart has room for: the chosen one and all rules, then the workspace's own."""
    return sorted(models, key=lambda model: (model != chosen, model not in RULES))[:MOST_MODELS]


def history_charts(history: History, *, chart_id: str, frame: Frame, titles: Mapping[str, str]) -> SmallMultiples:
    """Revenue, spend, conversions and ROAS over time, each with the compared period dashed.

    `titles`: a sentence for each of "revenue", "spend", "conversions" and "roas". Up to two months each day is drawn,
    beyond that the daily average of each seven days, counted back from the end.
    """
    size = 1 if history.now.period.days <= DAYS_DRAWN_SINGLY else DAYS_IN_A_BIN
    now = _binned(history.now, size)
    before = _binned(history.before, size) if history.before else None
    per = "per day" if size == 1 else "per day, averages of seven"
    money = frame.money
    looks = {
        "revenue": (f"Revenue {per}", money, money),
        "spend": (f"Spend {per}", money, money),
        "conversions": (f"Conversions {per}", formats.short_count, formats.short_count),
        "roas": (f"ROAS {per}", formats.ratio, formats.count),
    }
    panels = [
        _panel(
            f"{chart_id}-{measure}",
            now,
            before,
            measure,
            frame=frame,
            unit=unit,
            text=text,
            tick_text=tick_text,
            title=titles[measure],
        )
        for measure, (unit, text, tick_text) in looks.items()
        if any(now[measure])  # what is zero throughout has no shape to look at
    ]
    return SmallMultiples(
        id=chart_id,
        title="Trends",
        subtitle=frame.period + (f"; dashed: {frame.comparison}, {frame.compared}" if before else ""),
        summary=" ".join(titles[panel.id.rpartition("-")[2]] for panel in panels),
        panels=tuple(panels),
    )


@dataclass(frozen=True, slots=True)
class _Bins:
    """Values by measure, one for each bin, None where there is none; the days that each bin covers."""

    first_days: Sequence[dt.date]
    last_days: Sequence[dt.date]
    values: Mapping[str, Sequence[float | None]]

    def __getitem__(self, measure: str) -> Sequence[float | None]:
        return self.values[measure]


def _binned(daily: Daily, size: int) -> _Bins:
    days = daily.days
    stops = list(range(len(days), 0, -size))[::-1]
    starts = [max(stop - size, 0) for stop in stops]
    lengths = np.array(stops) - np.array(starts)

    def sums(values: Float64s) -> Float64s:
        total: Float64s = np.add.reduceat(values, starts)
        return total

    revenue, spend = sums(daily.revenue), sums(daily.spend)
    return _Bins(
        first_days=[days[start] for start in starts],
        last_days=[days[stop - 1] for stop in stops],
        values={
            "revenue": (revenue / lengths).tolist(),
            "spend": (spend / lengths).tolist() if spend.any() else [None] * len(stops),
            "conversions": (sums(daily.conversions) / lengths).tolist(),
            "roas": [float(r / s) if s > 0 else None for r, s in zip(revenue, spend, strict=True)],
        },
    )


def _panel(
    chart_id: str,
    now: _Bins,
    before: _Bins | None,
    measure: str,
    *,
    frame: Frame,
    unit: str,
    text: Callable[[float], str],
    tick_text: Callable[[float], str],
    title: str,
) -> ChartSpec:
    count = len(now.last_days)
    every = max(-(-count // TICKS_ON_A_TIME_AXIS), 1)
    categories = tuple(
        Category(label=_days(first, last), short=f"{last:%-d %b}", tick=(count - 1 - place) % every == 0)
        for place, (first, last) in enumerate(zip(now.first_days, now.last_days, strict=True))
    )
    series = [
        Series(name="This period", colour=Colour.ACCENT, marks=tuple(_time_mark(value, text) for value in now[measure]))
    ]
    if before and any(value is not None for value in before[measure]):
        marks = _aligned_at_the_end(before, measure, count, text)
        series.append(Series(name=frame.compared_name(), colour=Colour.OTHER, marks=marks, dashed=True))
    return ChartSpec(
        id=chart_id,
        kind=Kind.LINE,
        title=title,
        summary=f"{title}. {unit}, {frame.period}.",
        category_title="Days",
        categories=categories,
        series=tuple(series),
        axis=axis_of(series, title=unit, text=tick_text),
    )


def _aligned_at_the_end(
    before: _Bins, measure: str, count: int, text: Callable[[float], str]
) -> tuple[Mark | None, ...]:
    """The compared period's marks in as many places: the same dates last year may be a day more or less."""
    marks = [
        _time_mark(value, text, detail=(_days(first, last),))
        for value, first, last in zip(before[measure], before.first_days, before.last_days, strict=True)
    ]
    gaps: list[Mark | None] = [None] * count
    return tuple([*gaps, *marks][-count:])


def _unseen_note(groups: Sequence[Group]) -> str:
    """Names what left no touches, of many the largest by spend."""
    if not groups:
        return ""
    by_spend = sorted(groups, key=lambda group: -group.now.spend)
    names = [group.name for group in by_spend[:MOST_NAMED]]
    if len(groups) > MOST_NAMED:
        names.append(f"{len(groups) - MOST_NAMED} more")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f". {listed} left no touches, so attribution says nothing about {'it' if len(names) == 1 else 'them'}"


def axis_of(series: Sequence[Series], *, title: str, text: Callable[[float], str]) -> Axis:
    marks = [mark for one in series for mark in one.marks if mark]
    values = [number for mark in marks for number in (mark.value, mark.low, mark.high)]
    return axis(values, title=title, text=text)


def _time_mark(value: float | None, text: Callable[[float], str], detail: tuple[str, ...] = ()) -> Mark | None:
    return None if value is None else Mark(value=value, text=text(value), detail=detail)


def _roas(measures: Measures) -> float:
    return measures.roas or 0.0


def _ratio_mark(measures: Measures | None) -> Mark | None:
    if measures is None or measures.roas is None:
        return None
    return Mark(value=measures.roas, text=formats.ratio(measures.roas))


def _roas_detail(group: Group, frame: Frame) -> tuple[str, ...]:
    lines = [
        f"Revenue {formats.money(group.now.revenue, frame.currency)}",
        f"Spend {formats.money(group.now.spend, frame.currency)}",
    ]
    if group.before and group.before.roas:
        change = formats.change(_roas(group.now) / group.before.roas - 1)
        lines.append(f"{change} against {formats.ratio(group.before.roas)} in the {frame.comparison}")
    return tuple(lines)


def _share_mark(group: Group, part: float, total: float, frame: Frame, link: LinkTo, *, grey: bool = False) -> Mark:
    return Mark(
        value=part / total,
        text=formats.percent(part / total),
        detail=(formats.money(part, frame.currency),),
        href=link(group),
        colour=None if grey else group.colour,
    )


def _days(first: dt.date, last: dt.date) -> str:
    return Period(first, last).label
