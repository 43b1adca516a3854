"""The charts of the path explorer: how long journeys are, how old, where they begin, go on and end."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, Tick, axis
from crosschannel.labels import CONVERSION, DROP_OFF
from crosschannel.presentation.figures import days
from mmm_project import formats

MOST_DOTS = 15
LONGEST_LABEL = 28
TICKS_ON_AN_AXIS = 10
FEW_MOVES = 30  # of a row, below which its shares say little
QUARTILES_SHOWN = "Middle half"

Row = Mapping[str, Any]


def lengths_chart(lengths: Sequence[Row], *, title: str, currency: str) -> ChartSpec:
    """Journeys by their number of touches."""
    total = sum(row["journeys"] for row in lengths)
    marks = tuple(
        Mark(
            value=row["journeys"],
            text=formats.count(row["journeys"]),
            detail=(
                f"{formats.percent(row['journeys'] / total)} of journeys",
                f"Conversion rate {_rate(row)}",
                f"Value {formats.money(row['value'], currency)}",
            ),
        )
        for row in lengths
    )
    return ChartSpec(
        id="touches-per-journey",
        kind=Kind.HISTOGRAM,
        title=title,
        subtitle="Journeys by number of touches",
        summary=f"Journeys by number of touches. {title}.",
        category_title="Touches",
        categories=tuple(
            Category(label=f"{row['touches']}{'+' if row['or_more'] else ''}", tick=_has_tick(place, len(lengths)))
            for place, row in enumerate(lengths)
        ),
        series=(Series(name="Journeys", colour=Colour.ACCENT, marks=marks),),
        axis=_counts(marks, "Journeys"),
    )


def lags_chart(bins: Sequence[Row], touch: str, *, title: str) -> ChartSpec:
    """Conversions by days since their `touch`: "first" or "last"."""
    total = sum(row[touch] for row in bins)
    marks = tuple(
        Mark(
            value=row[touch],
            text=formats.count(row[touch]),
            detail=(f"{formats.percent(row[touch] / total)} of conversions with a touch",),
        )
        for row in bins
    )
    return ChartSpec(
        id=f"days-from-{touch}-touch",
        kind=Kind.HISTOGRAM,
        title=title,
        subtitle=f"Conversions by days from the {touch} touch",
        summary=f"Conversions by days from the {touch} touch. {title}.",
        category_title=f"Days from the {touch} touch",
        categories=tuple(
            Category(
                label=f"{row['from_days']:g}\N{EN DASH}{row['to_days']:g} days",
                short=f"{row['from_days']:g}\N{EN DASH}{row['to_days']:g}",
                tick=_has_tick(place, len(bins)),
            )
            for place, row in enumerate(bins)
        ),
        series=(Series(name="Conversions", colour=Colour.ACCENT, marks=marks),),
        axis=_counts(marks, "Conversions"),
    )


def first_last_chart(found: Mapping[str, Any], *, title: str, hrefs: Mapping[str, str]) -> ChartSpec:
    """Journeys by the channel of their first touch and that of their last, as shares of all."""
    names, journeys, conversions = found["channels"], found["journeys"], found["conversions"]
    total = sum(map(sum, journeys))

    def mark(row: int, column: int) -> Mark:
        count, converted = journeys[row][column], conversions[row][column]
        rate = f"Conversion rate {formats.percent(converted / count)}" if count else ""
        return Mark(
            value=count / total,
            text=formats.percent(count / total),
            detail=tuple(filter(None, (formats.count(count, "journey"), rate))),
        )

    return ChartSpec(
        id="first-last",
        kind=Kind.HEATMAP,
        title=title,
        subtitle="Share of journeys by the channel of their first touch (rows) and of their last (columns)",
        summary=f"Share of journeys by first and last channel. {title}.",
        category_title="First touch",
        categories=tuple(Category(label=name, href=hrefs.get(name, "")) for name in names),
        series=tuple(
            Series(name=name, colour=Colour.ACCENT, marks=tuple(mark(row, column) for row in range(len(names))))
            for column, name in enumerate(names)
        ),
        axis=_shares((count / total for line in journeys for count in line), "Share of journeys"),
    )


def transitions_chart(rows: Sequence[tuple[str, Sequence[float]]], columns: Sequence[str], *, title: str) -> ChartSpec:
    """Where journeys go next: for each row's name its counts by column, as shares of the row.

    The first row is the start of journeys, at which none ends.
    """

    def mark(row: int, column: int) -> Mark | None:
        counts, is_start = rows[row][1], row == 0
        total = sum(counts)
        if not total or (is_start and columns[column] in (CONVERSION, DROP_OFF)):
            return None
        of_row = formats.count(total, "journey") if is_start else f"{formats.count(total)} touches"
        return Mark(
            value=counts[column] / total,
            text=formats.percent(counts[column] / total),
            detail=(f"{formats.count(counts[column])} of {of_row}",),
            is_thin=total < FEW_MOVES,
        )

    return ChartSpec(
        id="transitions",
        kind=Kind.HEATMAP,
        title=title,
        subtitle=(
            "What comes next, as a share of the row: of journeys at their start, else of the channel's touches; "
            f"hatched: fewer than {FEW_MOVES}, not enough evidence"
        ),
        summary=f"What follows each channel's touches. {title}.",
        category_title="After",
        categories=tuple(Category(label=name) for name, _counts in rows),
        series=tuple(
            Series(name=name, colour=Colour.ACCENT, marks=tuple(mark(row, column) for row in range(len(rows))))
            for column, name in enumerate(columns)
        ),
        axis=_shares((count / (sum(counts) or 1) for _name, counts in rows for count in counts), "Share of the row"),
    )


def time_to_convert_chart(
    channels: Sequence[Row], *, title: str, colours: Mapping[str, Colour], hrefs: Mapping[str, str]
) -> ChartSpec:
    """Days from each channel's first touch to the conversion: the median, and between which days the middle half is."""
    shown = channels[:MOST_DOTS]
    marks = tuple(
        Mark(
            value=row["p50"],
            text=days(row["p50"]),
            low=row["p25"],
            high=row["p75"],
            low_text=formats.count(round(row["p25"], 1)),
            high_text=formats.count(round(row["p75"], 1)),
            detail=(f"{formats.count(row['conversions'], 'conversion')} whose journey holds it",),
            href=hrefs.get(row["channel"], ""),
            colour=colours.get(row["channel"]),
        )
        for row in shown
    )
    return ChartSpec(
        id="time-to-convert",
        kind=Kind.DOTS,
        title=title,
        subtitle="Days from a channel's first touch in the journey to the conversion, median and middle half",
        summary=f"Days from each channel's first touch to the conversion. {title}.",
        category_title="Channel",
        categories=tuple(_category(row["channel"]) for row in shown),
        series=(Series(name="Median", colour=Colour.OTHER, marks=marks),),
        axis=axis([row["p75"] for row in shown], title="Days to the conversion", text=formats.count),
        interval=f"{QUARTILES_SHOWN} of conversions",
    )


def _category(label: str) -> Category:
    return Category(label=label, short=f"{label[: LONGEST_LABEL - 1]}…" if len(label) > LONGEST_LABEL else "")


def _rate(row: Row) -> str:
    return formats.percent(row["conversions"] / row["journeys"]) if row["journeys"] else NO_FIGURE


def _has_tick(place: int, places: int) -> bool:
    return place % -(-places // TICKS_ON_AN_AXIS) == 0


def _counts(marks: Sequence[Mark], title: str) -> Axis:
    return axis([mark.value for mark in marks], title=title, text=formats.short_count, whole=True)


def _shares(shares: Iterable[float], title: str) -> Axis:
    """From zero to the largest share, as a whole number of percent: a heatmap's highest colour is then one it has."""
    ends = (0.0, max(1, math.ceil(100 * max(shares))) / 100)
    return Axis(title=title, low=0.0, high=ends[1], ticks=tuple(Tick(end, f"{end:.0%}") for end in ends))
