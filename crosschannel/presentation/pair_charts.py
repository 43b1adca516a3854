"""The charts of a pair's report: how its journeys convert, how far apart its channels come, and month by month."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from marketing.periods import Period
from mmm_project import formats


@dataclass(frozen=True, slots=True)
class Rate:
    """Some journeys and how many of them converted. `said`: a further line about them."""

    name: str
    journeys: float
    conversions: float
    colour: Colour = Colour.OTHER
    said: str = ""

    @property
    def value(self) -> float:
        return self.conversions / self.journeys


@dataclass(frozen=True, slots=True)
class Gap:
    """Journeys whose first touches of the two channels are so many days apart; `until` is None in the last bin."""

    first: str
    from_days: float
    until: float | None
    journeys: int
    colour: Colour

    @property
    def label(self) -> str:
        if self.until is None:
            return f"{self.from_days:g}+"
        return f"{self.from_days:g}\N{EN DASH}{self.until:g}"


def rates_chart(rates: Sequence[Rate], *, title: str, subtitle: str) -> ChartSpec:
    """Conversion rates of kinds of journeys, which are the categories."""
    marks = tuple(
        Mark(
            value=rate.value,
            text=formats.percent(rate.value),
            detail=(rate.said or _counted(rate),),
            colour=rate.colour,
        )
        for rate in rates
    )
    return ChartSpec(
        id="conversion-rates",
        kind=Kind.BARS,
        title=title,
        subtitle=subtitle,
        summary=f"{subtitle}. {title}.",
        category_title="Journeys",
        categories=tuple(Category(label=rate.name) for rate in rates),
        series=(Series(name="Conversion rate", colour=Colour.OTHER, marks=marks),),
        axis=axis([mark.value for mark in marks], title="Conversion rate", text=_percent),
        horizontal=True,
    )


def gaps_chart(gaps: Sequence[Gap], *, title: str, sides: tuple[str, str]) -> ChartSpec:
    """Days between the two first touches; `sides`: whose touch is first on the left, and on the right."""
    total = sum(gap.journeys for gap in gaps)
    left, right = sides
    what = f"Days between the first touches: {left} first on the left, {right} first on the right"
    return ChartSpec(
        id="days-between",
        kind=Kind.HISTOGRAM,
        title=title,
        subtitle=f"Journeys with both channels. {what}",
        summary=f"{what}. {title}.",
        category_title="Days between the first touches",
        categories=tuple(Category(label=f"{gap.label} days, {gap.first} first", short=gap.label) for gap in gaps),
        series=(
            Series(
                name="Journeys with both",
                colour=Colour.OTHER,
                marks=tuple(
                    Mark(
                        value=gap.journeys,
                        text=formats.count(gap.journeys),
                        detail=(f"{formats.percent(gap.journeys / total)} of journeys with both",),
                        colour=gap.colour,
                    )
                    for gap in gaps
                ),
            ),
        ),
        axis=axis([gap.journeys for gap in gaps], title="Journeys with both", text=formats.short_count, whole=True),
    )


def monthly_rates_chart(months: Sequence[Period], lines: Sequence[Sequence[Rate]], *, title: str) -> ChartSpec:
    """Conversion rates month by month, a line for each kind of journeys; a gap where there are none of them."""
    series = tuple(
        Series(
            name=line[0].name,
            colour=line[0].colour,
            marks=tuple(
                Mark(value=rate.value, text=formats.percent(rate.value), detail=(_counted(rate),))
                if rate.journeys
                else None
                for rate in line
            ),
            dashed=bool(place),
        )
        for place, line in enumerate(lines)
    )
    what = "Conversion rate by the month in which journeys end"
    return ChartSpec(
        id="rate-by-month",
        kind=Kind.LINE,
        title=title,
        subtitle=what,
        summary=f"{what}. {title}.",
        category_title="Month",
        categories=month_categories(months),
        series=series,
        axis=axis(
            [mark.value for each in series for mark in each.marks if mark], title="Conversion rate", text=_percent
        ),
    )


def monthly_journeys_chart(
    months: Sequence[Period], both: Sequence[Rate], totals: Sequence[int], *, title: str
) -> ChartSpec:
    """Journeys with both channels, month by month; `totals`: all journeys."""
    what = "Journeys with both channels by the month in which they end"
    return ChartSpec(
        id="journeys-by-month",
        kind=Kind.BARS,
        title=title,
        subtitle=what,
        summary=f"{what}. {title}.",
        category_title="Month",
        categories=month_categories(months),
        series=(
            Series(
                name="Journeys with both",
                colour=Colour.ACCENT,
                marks=tuple(
                    Mark(
                        value=rate.journeys,
                        text=formats.count(rate.journeys),
                        detail=(f"{formats.percent(rate.journeys / total)} of {formats.count(total, 'journey')}",)
                        if total
                        else (),
                    )
                    for rate, total in zip(both, totals, strict=True)
                ),
            ),
        ),
        axis=axis([rate.journeys for rate in both], title="Journeys with both", text=formats.short_count, whole=True),
    )


def month_categories(months: Sequence[Period]) -> tuple[Category, ...]:
    """Months by name; one that the period cuts says its days."""
    every = -(-len(months) // 12)
    return tuple(
        Category(label=month_label(month), short=f"{month.start:%b %Y}", tick=(len(months) - 1 - place) % every == 0)
        for place, month in enumerate(months)
    )


def month_label(month: Period) -> str:
    """A month: "Mar 2026", or the days of one that is cut."""
    is_whole = month.start.day == 1 and (month.end + dt.timedelta(1)).day == 1
    return f"{month.start:%b %Y}" if is_whole else month.label


def _counted(rate: Rate) -> str:
    return f"{formats.count(rate.conversions, 'conversion')} of {formats.count(rate.journeys, 'journey')}"


def _percent(share: float) -> str:
    return formats.percent(share).replace(".0%", "%")
