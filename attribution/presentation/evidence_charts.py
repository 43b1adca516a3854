"""The charts of an attribution result's evidence: lengths and lags of journeys, roles, shares over time, windows."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attribution.methods.evidence import Role
from attribution.presentation.evidence_words import part_label
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples, axis
from marketing.periods import Period
from mmm_project import formats

MOST_BARS = 12
MOST_PANELS = 6
LONGEST_LABEL = 28
TICKS_ON_A_TIME_AXIS = 5
ROLE_LABELS = {
    Role.ONLY: "Only touch",
    Role.OPENS: "Opens",
    Role.BETWEEN: "Between",
    Role.CLOSES: "Closes",
    Role.BOTH: "Opens and closes",
}
ROLE_COLOURS = {
    Role.ONLY: Colour.OTHER,
    Role.OPENS: Colour.CHANNEL_1,
    Role.BETWEEN: Colour.CHANNEL_4,
    Role.CLOSES: Colour.ACCENT,
    Role.BOTH: Colour.CHANNEL_5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all charts and tables of the evidence say alike.

    `colours`, `hrefs`: of groups, by name. `of_paths`: of aggregated paths, which know no window and have a touch each.
    """

    currency: str
    dimension_label: str
    colours: Mapping[str, Colour] = field(default_factory=dict)
    hrefs: Mapping[str, str] = field(default_factory=dict)
    of_paths: bool = False

    @property
    def conversions(self) -> str:
        """What shares of touches and paths are of."""
        return "conversions" if self.of_paths else "conversions with a touch"

    def href(self, group: Mapping[str, Any]) -> str:
        return self.hrefs.get(group["group"], "") if group["is_one"] else ""


def lengths_chart(lengths: Sequence[Mapping[str, Any]], *, title: str, frame: Frame) -> ChartSpec:
    """Conversions by their number of touches; `lengths`: from one touch on."""
    total = sum(row["conversions"] for row in lengths)
    marks = tuple(
        Mark(
            value=row["conversions"],
            text=formats.count(row["conversions"]),
            detail=(
                f"{formats.percent(row['conversions'] / total)} of {frame.conversions}",
                f"Revenue {formats.money(row['value'], frame.currency)}",
            ),
        )
        for row in lengths
    )
    return ChartSpec(
        id="path-lengths",
        kind=Kind.HISTOGRAM,
        title=title,
        subtitle=f"Conversions by number of touches{'' if frame.of_paths else ' in the lookback window'}",
        summary=f"Conversions by number of touches. {title}.",
        category_title="Touches",
        categories=tuple(
            Category(label=_length(row), tick=place % max(len(lengths) // 10, 1) == 0)
            for place, row in enumerate(lengths)
        ),
        series=(Series(name="Conversions", colour=Colour.ACCENT, marks=marks),),
        axis=_counts([mark.value for mark in marks], "Conversions"),
    )


def lags_chart(bins: Sequence[Mapping[str, Any]], *, title: str) -> ChartSpec:
    """Conversions by days since their first touch."""
    total = sum(row["first"] for row in bins)
    marks = tuple(
        Mark(
            value=row["first"],
            text=formats.count(row["first"]),
            detail=(
                f"{formats.percent(row['first'] / total)} of conversions with a touch",
                f"{formats.count(row['last'], 'conversion')} with the last touch as many days before",
            ),
        )
        for row in bins
    )
    every = max(-(-len(bins) // TICKS_ON_A_TIME_AXIS), 1)
    return ChartSpec(
        id="days-to-conversion",
        kind=Kind.HISTOGRAM,
        title=title,
        subtitle="Conversions by days from the first touch in the lookback window",
        summary=f"Conversions by days from the first touch. {title}.",
        category_title="Days from the first touch",
        categories=tuple(
            Category(
                label=f"{row['from_days']:g}\N{EN DASH}{row['to_days']:g} days",
                short=f"{row['from_days']:g}\N{EN DASH}{row['to_days']:g}",
                tick=place % every == 0,
            )
            for place, row in enumerate(bins)
        ),
        series=(Series(name="Conversions", colour=Colour.ACCENT, marks=marks),),
        axis=_counts([mark.value for mark in marks], "Conversions"),
    )


def roles_chart(groups: Sequence[Mapping[str, Any]], *, title: str, frame: Frame) -> ChartSpec:
    """Journeys in which each group appears, by what it is in them; the largest groups only."""
    shown = groups[:MOST_BARS]
    series = tuple(
        Series(
            name=ROLE_LABELS[role],
            colour=ROLE_COLOURS[role],
            marks=tuple(
                Mark(
                    value=group[role],
                    text=formats.count(group[role]),
                    detail=(f"{formats.percent(group[role] / group['journeys'])} of its journeys",),
                    href=frame.href(group),
                )
                for group in shown
            ),
        )
        for role in Role
        if any(group[role] for group in shown)
    )
    what = f"Converting journeys in which each {frame.dimension_label.lower()} appears, by its place in them"
    return ChartSpec(
        id="roles",
        kind=Kind.BARS,
        title=title,
        subtitle=what,
        summary=f"{what}. {title}.",
        category_title=frame.dimension_label,
        categories=tuple(category(group["group"]) for group in shown),
        series=series,
        axis=_counts([group["journeys"] for group in shown], "Converting journeys"),
        stacked=True,
        horizontal=True,
    )


def shares_chart(
    groups: Sequence[Mapping[str, Any]], parts: Sequence[Period], *, title: str, subtitle: str, level: str, frame: Frame
) -> SmallMultiples:
    """Shares of credit in each part of the period, with their intervals: a panel for each of the largest groups.

    All have one axis, as bands over each other could not be told apart.
    """
    shown = [(group, tuple(map(_share, *(group[k] for k in _ENDS)))) for group in groups[:MOST_PANELS]]
    every = max(-(-len(parts) // TICKS_ON_A_TIME_AXIS), 1)
    categories = tuple(
        Category(label=part_label(part), short=_short(part.start), tick=(len(parts) - 1 - place) % every == 0)
        for place, part in enumerate(parts)
    )
    shares = axis(
        [number for _, marks in shown for mark in marks if mark for number in (mark.value, mark.low, mark.high)],
        title="Share of credit",
        text=lambda share: f"{share:.0%}",
    )
    return SmallMultiples(
        id="shares-over-time",
        title=title,
        subtitle=subtitle,
        summary=f"{subtitle}. {title}.",
        panels=tuple(
            ChartSpec(
                id=f"shares-over-time-{number}",
                kind=Kind.LINE,
                title=group["group"],
                summary=f"{subtitle}: {group['group']}.",
                category_title="Days",
                categories=categories,
                series=(
                    Series(
                        name=group["group"],
                        colour=frame.colours.get(group["group"], Colour.ACCENT),
                        marks=marks,
                    ),
                ),
                axis=shares,
                interval=level,
            )
            for number, (group, marks) in enumerate(shown, start=1)
        ),
    )


def windows_chart(windows: Sequence[Mapping[str, Any]], *, title: str, subtitle: str, chosen: int) -> ChartSpec:
    """The share of touches that each lookback window holds, as far as the data can tell."""
    marks = tuple(
        None
        if window["held"] is None
        else Mark(
            value=window["held"],
            text=formats.percent(window["held"]),
            detail=(f"{formats.percent(1 - window['held'])} of touches are older",),
            colour=Colour.ACCENT if window["days"] == chosen else None,
        )
        for window in windows
    )
    return ChartSpec(
        id="window-holds",
        kind=Kind.BARS,
        title=title,
        subtitle=subtitle,
        summary=f"{subtitle}. {title}.",
        category_title="Lookback window",
        categories=tuple(
            Category(label=f"{formats.count(window['days'], 'day')}{' (chosen)' if window['days'] == chosen else ''}")
            for window in windows
        ),
        series=(Series(name="Touches held", colour=Colour.OTHER, marks=marks),),
        axis=axis([0.0, 1.0], title="Share of touches", text=lambda share: f"{share:.0%}"),
    )


def category(label: str) -> Category:
    """Return a group's place in a chart, its name cut where it is long."""
    return Category(label=label, short=f"{label[: LONGEST_LABEL - 1]}…" if len(label) > LONGEST_LABEL else "")


_ENDS = ("shares", "low", "high")


def _share(share: float | None, low: float | None, high: float | None) -> Mark | None:
    if share is None or low is None or high is None:
        return None
    return Mark(
        value=share,
        text=formats.percent(share),
        low=low,
        high=high,
        low_text=formats.percent(low),
        high_text=formats.percent(high),
    )


def _length(row: Mapping[str, Any]) -> str:
    return f"{row['length']}+" if row["or_more"] else f"{row['length']}"


def _short(day: dt.date) -> str:
    return f"{day:%b %Y}" if day.day == 1 else f"{day:%-d %b}"


def _counts(values: Sequence[float], title: str, text: Callable[[float], str] = formats.short_count) -> Axis:
    return axis(values, title=title, text=text, whole=True)
