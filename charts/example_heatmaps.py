"""Heatmaps with invented but likely figures: pairs of channels, steps of journeys, and many campaigns."""

import math

from charts.colours import Colour
from charts.example_parts import MINUS, counted
from charts.heat import diverging_axis
from charts.spec import Axis, Category, ChartSpec, Kind, Mark, Series, Tick

_CHANNELS = (
    "Paid Search",
    "Paid Social",
    "Display",
    "Video",
    "Email",
    "Affiliates",
    "Organic Search",
    "Direct",
    "Referral",
)
# Conversions beyond what both channels bring alone, with half the width of their interval and the journeys that touch
# both: for each channel and those after it.
_TOGETHER: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((96, 31, 4210), (58, 27, 2980), (71, 29, 2140), (34, 22, 3870), (-38, 24, 1920), (-87, 33, 6120),
     (-24, 30, 5230), (6, 19, 310)),
    ((42, 25, 2410), (63, 28, 1890), (102, 40, 2760), (17, 21, 880), (49, 26, 3340), (21, 24, 2950), (11, 28, 190)),
    ((28, 23, 1640), (15, 20, 1320), (-52, 26, 740), (19, 22, 2080), (-9, 18, 1710), (4, 31, 160)),
    ((37, 25, 1180), (-6, 27, 430), (44, 24, 1930), (13, 21, 1460), (-14, 38, 120)),
    ((-29, 19, 1050), (-41, 25, 2870), (31, 23, 3640), (8, 22, 270)),
    ((-63, 28, 1380), (-18, 21, 990), (2, 34, 140)),
    ((-33, 24, 4480), (12, 26, 350)),
    ((5, 25, 290),),
    (),
)  # fmt: skip
_FEW_JOURNEYS = 500
_STEPS = _CHANNELS[:8]
# Of 1,000 touchpoints of each channel, how many are followed by one of each channel, by a conversion, or by nothing.
_FOLLOWED = (
    (212, 48, 31, 12, 64, 22, 118, 146, 92, 255),
    (74, 168, 52, 38, 71, 18, 96, 88, 41, 354),
    (61, 57, 121, 29, 33, 14, 72, 64, 22, 527),
    (58, 83, 47, 94, 28, 11, 87, 76, 19, 497),
    (49, 36, 18, 9, 241, 31, 58, 163, 128, 267),
    (83, 29, 16, 7, 47, 139, 52, 91, 147, 389),
    (97, 41, 22, 14, 52, 27, 183, 129, 86, 349),
    (68, 33, 19, 8, 77, 24, 91, 287, 134, 259),
)
_OF_EACH = 7
_CAMPAIGNS = 3 * _OF_EACH


def _signed(value: float) -> str:
    return f"{MINUS if value < 0 else '+' if value > 0 else ''}{abs(value):,.0f}"


def _pairs() -> ChartSpec:
    count = len(_CHANNELS)
    pairs = {
        (row, row + 1 + place): numbers for row, line in enumerate(_TOGETHER) for place, numbers in enumerate(line)
    }

    def mark(row: int, column: int) -> Mark | None:
        if row == column:
            return None
        value, half, journeys = pairs[min(row, column), max(row, column)]
        return Mark(
            value=value,
            text=_signed(value),
            low=value - half,
            high=value + half,
            low_text=_signed(value - half).removeprefix("+"),
            high_text=_signed(value + half).removeprefix("+"),
            detail=(f"{counted(journeys)} journeys touched both",),
            href="#",
            is_thin=journeys < _FEW_JOURNEYS,
        )

    series = tuple(
        Series(name=name, colour=Colour.ACCENT, marks=tuple(mark(row, column) for row in range(count)))
        for column, name in enumerate(_CHANNELS)
    )
    values = [value for value, _half, _journeys in pairs.values()]
    return ChartSpec(
        id="example-heatmap",
        kind=Kind.HEATMAP,
        title="Email and social bring more together than alone; the two kinds of search take from each other",
        subtitle="Conversions beyond the sum of both channels, 1 April to 30 June 2025, 95% interval",
        summary=(
            "Email and Paid Social together bring 102 conversions (62 to 142) more than alone, Paid Search and Organic "
            "Search 87 fewer; with Referral there are too few journeys to say."
        ),
        category_title="Channel",
        categories=tuple(Category(label=name, href="#") for name in _CHANNELS),
        series=series,
        axis=diverging_axis(values, title="Conversions more or fewer than alone", text=_signed),
        interval="95% interval",
    )


def _shares() -> ChartSpec:
    columns = (*_STEPS, "Conversion", "No further step")
    series = tuple(
        Series(
            name=name,
            colour=Colour.ACCENT,
            marks=tuple(Mark(value=line[place] / 1000, text=f"{line[place] / 10:.1f}%") for line in _FOLLOWED),
        )
        for place, name in enumerate(columns)
    )
    return ChartSpec(
        id="example-heatmap-of-shares",
        kind=Kind.HEATMAP,
        title="Display and video seldom lead on: half of their touchpoints are the last",
        subtitle="What follows a touchpoint, share of the row's touchpoints, 1 April to 30 June 2025",
        summary=(
            "Of touchpoints of Display 52.7% are followed by nothing, of Video 49.7%; Affiliates are followed by a "
            "conversion most often, in 14.7%."
        ),
        category_title="After a touchpoint of",
        categories=tuple(Category(label=name) for name in _STEPS),
        series=series,
        axis=Axis(title="Share of touchpoints, %", low=0.0, high=0.6, ticks=(Tick(0.0, "0%"), Tick(0.6, "60%"))),
    )


def _many() -> ChartSpec:
    """Seven campaigns of each of three channels: alike within a channel, and partly at odds with those of another."""
    names = [f"{_CHANNELS[place // _OF_EACH]} {place % _OF_EACH + 1}" for place in range(_CAMPAIGNS)]

    def value(row: int, column: int) -> int:
        wave = math.sin(0.9 * (row + column)) + math.cos(0.37 * row * column)
        return round((30 if row // _OF_EACH == column // _OF_EACH else -8) + 24 * wave)

    def mark(row: int, column: int) -> Mark | None:
        if row == column:
            return None
        return Mark(value=value(row, column), text=_signed(value(row, column)), href="#")

    values = [value(row, column) for row in range(_CAMPAIGNS) for column in range(row)]
    return ChartSpec(
        id="example-heatmap-of-many",
        kind=Kind.HEATMAP,
        title="Campaigns of one channel help each other more than those of others",
        subtitle="Conversions beyond the sum of both campaigns, 1 April to 30 June 2025",
        summary="Of 210 pairs of campaigns, those of one channel mostly bring more together, those of two mostly less.",
        category_title="Campaign",
        categories=tuple(Category(label=name) for name in names),
        series=tuple(
            Series(name=name, colour=Colour.ACCENT, marks=tuple(mark(row, column) for row in range(_CAMPAIGNS)))
            for column, name in enumerate(names)
        ),
        axis=diverging_axis(values, title="Conversions more or fewer than alone", text=_signed),
    )


PAIRS, SHARES, MANY = _pairs(), _shares(), _many()
