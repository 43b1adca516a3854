"""A chart of every kind with invented but likely figures, for the gallery of components and for tests."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from charts import example_flows, example_heatmaps
from charts.chart import Chart
from charts.colours import Colour
from charts.example_parts import (
    CHANNELS,
    COLOURS,
    Text,
    change,
    counted,
    euros,
    extent,
    marks_of,
    marks_with_interval,
    named,
    percent,
    plain,
    ratio,
    thousands_of_euros,
    weeks,
)
from charts.scales import axis
from charts.spec import Category, ChartSpec, Kind, Mark, Series, SmallMultiples

# Weekly revenue of 26 weeks in thousands of euros; no data arrived in the 11th and 12th week.
_REVENUE = (142, 148, 139, 151, 158, 163, 155, 168, 172, 169, None, None, 181, 176, 188, 192, 199, 187, 203, 211)
_REVENUE_AFTER = (208, 216, 224, 219, 231, 238)
_REVENUE_BEFORE = (131, 129, 134, 138, 133, 141, 144, 139, 147, 143, 150, 154, 148, 157, 152, 159, 163, 158, 166, 161)
_REVENUE_BEFORE_AFTER = (168, 172, 165, 174, 170, 177)


def _line() -> ChartSpec:
    now = [None if value is None else value * 1000.0 for value in _REVENUE + _REVENUE_AFTER]
    # The interval widens with the weeks, from 5% to 10% on either side.
    widths = [0.05 + 0.002 * place for place in range(len(now))]
    rows = [
        None if value is None else (value, round(value * (1 - width)), round(value * (1 + width)))
        for value, width in zip(now, widths, strict=True)
    ]
    before = [value * 1000.0 for value in _REVENUE_BEFORE + _REVENUE_BEFORE_AFTER]
    series = (
        Series(name="Revenue", colour=Colour.ACCENT, marks=marks_with_interval(rows, euros)),
        Series(name="Same weeks of 2024", colour=Colour.OTHER, marks=marks_of(before, euros), dashed=True),
    )
    return ChartSpec(
        id="example-line",
        kind=Kind.LINE,
        title="Incremental revenue grew by two thirds in half a year",
        subtitle="Incremental revenue per week, €, 6 January to 6 July 2025, 95% interval",
        summary=(
            "Incremental revenue per week rose from €142,000 in the week of 6 January 2025 to €238,000 in the week of "
            "30 June, against €177,000 a year before; two weeks in March have no data."
        ),
        category_title="Week",
        categories=weeks(26),
        series=series,
        axis=axis(extent(series), title="Incremental revenue per week, €", text=thousands_of_euros),
        interval="95% interval",
    )


def _curve() -> ChartSpec:
    multipliers = [place / 5 for place in range(1, 12)]
    spend = [multiplier * 80_000 for multiplier in multipliers]
    revenue = [190_000 * multiplier / (multiplier + 0.6) for multiplier in multipliers]
    rows = [(round(value), round(0.7 * value), round(1.3 * value)) for value in revenue]

    def part(first: int, last: int) -> tuple[Mark | None, ...]:
        return marks_with_interval([row if first <= place <= last else None for place, row in enumerate(rows)], euros)

    series = (
        Series(name="Observed", colour=Colour.ACCENT, marks=part(0, 4)),
        Series(name="Beyond", colour=Colour.ACCENT, marks=part(4, 10), dashed=True),
        Series(name="Present", colour=Colour.OTHER, marks=part(4, 4)),
        Series(name="Recommended", colour=Colour.CHANNEL_1, marks=part(5, 5)),
    )
    return ChartSpec(
        id="example-curve",
        kind=Kind.LINE,
        title="A fifth more spend on video would bring €7,917 more",
        subtitle="Incremental revenue by spend on video, €, 1 April to 30 June 2025, 95% interval",
        summary="Present spend of €80,000 brings €118,750; the recommended €96,000 would bring €126,667.",
        category_title="Spend",
        categories=tuple(
            Category(label=f"{euros(amount)} ({multiplier:g}×)", short=euros(amount), tick=place % 5 == 4, href="#")
            for place, (amount, multiplier) in enumerate(zip(spend, multipliers, strict=True))
        ),
        series=series,
        axis=axis(extent(series), title="Incremental revenue, €", text=thousands_of_euros),
        interval="95% interval",
    )


def _grouped_bars() -> ChartSpec:
    series = (
        Series(
            name="Data-driven",
            colour=Colour.ACCENT,
            marks=marks_of((412_300, 298_750, 96_400, 143_900, 88_200, 61_450), euros),
        ),
        Series(
            name="Last touch",
            colour=Colour.OTHER,
            marks=marks_of((486_100, 231_900, 52_700, 74_300, 147_600, 108_400), euros),
        ),
    )
    return ChartSpec(
        id="example-grouped-bars",
        kind=Kind.BARS,
        horizontal=True,
        title="Last touch gives video half of what it earns",
        subtitle="Attributed revenue, €, 1 April to 30 June 2025",
        summary=(
            "The data-driven model credits video with €143,900 and last touch with €74,300; email and affiliates get "
            "more from last touch."
        ),
        category_title="Channel",
        categories=named(CHANNELS),
        series=series,
        axis=axis(extent(series), title="Attributed revenue, €", text=thousands_of_euros),
    )


def _bars_with_whiskers() -> ChartSpec:
    rows = (
        (4.12, 3.61, 4.70),
        (2.94, 2.31, 3.66),
        (1.08, 0.62, 1.61),
        (1.87, 1.12, 2.85),
        (6.35, 4.48, 8.74),
        (2.21, 1.74, 2.76),
    )
    marks = tuple(
        Mark(
            value=value,
            text=ratio(value),
            low=low,
            high=high,
            low_text=ratio(low),
            high_text=ratio(high),
            detail=(f"Spend {spend}",),
            href="#",
            colour=colour,
        )
        for (value, low, high), colour, spend in zip(
            rows, COLOURS, ("€100,100", "€101,600", "€89,300", "€77,000", "€13,900", "€27,800"), strict=True
        )
    )
    series = (Series(name="ROAS", colour=Colour.ACCENT, marks=marks),)
    return ChartSpec(
        id="example-bars-with-whiskers",
        kind=Kind.BARS,
        horizontal=True,
        title="Email returns most per euro, and is the least certain",
        subtitle="ROAS (revenue per € of spend) by channel, 1 April to 30 June 2025, 95% interval",
        summary="Email returns 6.35 (4.48 to 8.74) per euro of spend, paid search 4.12; display barely pays at 1.08.",
        category_title="Channel",
        categories=named(CHANNELS),
        series=series,
        axis=axis(extent(series), title="ROAS, revenue per € of spend", text=plain),
        interval="95% interval",
    )


def _stacked_bars() -> ChartSpec:
    parts = {
        "New customers": (Colour.CHANNEL_2, (1840, 1910, 2050, 2230, 2190, 2410)),
        "Returning customers": (Colour.CHANNEL_1, (1220, 1260, 1180, 1340, 1420, 1390)),
        "Unknown": (Colour.OTHER, (310, 290, 330, 280, 260, 240)),
    }
    series = tuple(
        Series(name=name, colour=colour, marks=marks_of(values, counted)) for name, (colour, values) in parts.items()
    )
    totals = [sum(values) for values in zip(*(values for _, values in parts.values()), strict=True)]
    return ChartSpec(
        id="example-stacked-bars",
        kind=Kind.BARS,
        stacked=True,
        title="New customers bring the growth",
        subtitle="Conversions per month by kind of customer, January to June 2025",
        summary="Conversions rose from 3,370 in January to 4,040 in June 2025, and new customers from 1,840 to 2,410.",
        category_title="Month",
        categories=named(("January", "February", "March", "April", "May", "June")),
        series=series,
        axis=axis(totals, title="Conversions per month", text=counted, whole=True),
    )


def _upright_bars() -> ChartSpec:
    series = (
        Series(name="Spend", colour=Colour.OTHER, marks=marks_of((8.0, 12.5, -15.0, 20.0, 2.5, -4.0), change)),
        Series(name="Revenue", colour=Colour.ACCENT, marks=marks_of((14.5, 21.0, -6.5, 34.0, 9.0, -11.5), change)),
    )
    return ChartSpec(
        id="example-upright-bars",
        kind=Kind.BARS,
        title="Video grew fastest; display lost less revenue than spend",
        subtitle="Change of spend and revenue against the quarter before, %, 1 April to 30 June 2025",
        summary="Video's revenue grew by 34% on 20% more spend; display's fell by 6.5% on 15% less.",
        category_title="Channel",
        categories=named(CHANNELS),
        series=series,
        axis=axis(extent(series), title="Change against the quarter before, %", text=change),
    )


def _dots() -> ChartSpec:
    shapley = (
        (30.4, 27.9, 33.1),
        (24.6, 21.8, 27.2),
        (9.8, 7.1, 12.6),
        (14.9, 11.6, 18.4),
        (11.7, 9.9, 13.8),
        (8.6, 7.0, 10.5),
    )
    series = (
        Series(name="Shapley", colour=Colour.CHANNEL_2, marks=marks_with_interval(shapley, percent)),
        Series(name="Linear", colour=Colour.CHANNEL_1, marks=marks_of((32.7, 22.3, 8.9, 11.2, 14.6, 10.3), percent)),
        Series(name="Last touch", colour=Colour.OTHER, marks=marks_of((39.5, 17.8, 4.6, 6.7, 19.1, 12.3), percent)),
    )
    return ChartSpec(
        id="example-dots",
        kind=Kind.DOTS,
        horizontal=True,
        title="The models agree on display and disagree on email",
        subtitle="Share of attributed conversions, %, 1 April to 30 June 2025, 95% interval of Shapley",
        summary="Paid search gets 30.4% of conversions from Shapley, 32.7% from Linear and 39.5% from Last touch.",
        category_title="Channel",
        categories=named(CHANNELS),
        series=series,
        axis=axis(extent(series), title="Share of attributed conversions, %", text=plain),
        interval="95% interval",
    )


def _area() -> ChartSpec:
    values = (310, 322, 298, 341, 365, 359, 372, 390, 402, 381, 417, 433)
    series = (Series(name="Conversions", colour=Colour.ACCENT, marks=marks_of(values, counted)),)
    return ChartSpec(
        id="example-area",
        kind=Kind.AREA,
        title="Conversions are up by two fifths in twelve weeks",
        subtitle="Conversions per week, 7 April to 29 June 2025",
        summary="Conversions per week rose from 310 in the week of 7 April 2025 to 433 in the week of 23 June.",
        category_title="Week",
        categories=weeks(12, first=date(2025, 4, 7), every=3),
        series=series,
        axis=axis(extent(series), title="Conversions per week", text=counted, whole=True),
    )


def _stacked_area() -> ChartSpec:
    spend = (
        (7400, 7550, 7700, 7600, 7900, 8050, 8100, 8250, 8200, 8400, 8350, 8600),
        (6900, 7000, 7300, 7450, 7700, 7900, 8200, 8300, 8600, 8750, 9000, 9200),
        (8200, 8000, 7900, 7600, 7500, 7300, 7200, 6900, 6800, 6500, 6300, 6100),
        (4800, 5100, 5300, 5700, 6000, 6200, 6600, 6900, 7100, 7400, 7700, 8000),
        (1100, 1120, 1150, 1130, 1160, 1180, 1150, 1170, 1190, 1200, 1180, 1210),
        (2200, 2250, 2300, 2280, 2310, 2350, 2340, 2380, 2400, 2390, 2420, 2450),
    )
    series = tuple(
        Series(name=name, colour=colour, marks=marks_of(values, euros))
        for name, colour, values in zip(CHANNELS, COLOURS, spend, strict=True)
    )
    totals = [sum(values) for values in zip(*spend, strict=True)]
    return ChartSpec(
        id="example-stacked-area",
        kind=Kind.AREA,
        title="Video took over the budget that display gave up",
        subtitle="Spend per week by channel, €, 7 April to 29 June 2025",
        summary="Spend per week rose from €30,600 to €35,560 in twelve weeks; video's share from 16% to 22%.",
        category_title="Week",
        categories=weeks(12, first=date(2025, 4, 7), every=3),
        series=series,
        axis=axis(totals, title="Spend per week, €", text=thousands_of_euros),
    )


def _histogram() -> ChartSpec:
    counts = (412, 688, 931, 874, 702, 545, 398, 287, 214, 148, 96, 71, 45, 22)
    starts = range(0, 2 * len(counts), 2)
    bins = tuple(
        Category(label=f"{start} to {start + 2} days", short=f"{start}–{start + 2}", tick=start % 4 == 0)
        for start in starts
    )
    series = (Series(name="Journeys", colour=Colour.ACCENT, marks=marks_of(counts, counted)),)
    return ChartSpec(
        id="example-histogram",
        kind=Kind.HISTOGRAM,
        title="Half of all journeys end within eight days",
        subtitle="Converting journeys by days from first touchpoint to conversion, 1 April to 30 June 2025",
        summary="Of 5,433 converting journeys 2,905 lasted less than eight days and 138 more than 22.",
        category_title="Days from first touchpoint to conversion",
        categories=bins,
        series=series,
        axis=axis(extent(series), title="Journeys", text=counted, whole=True),
    )


def _waterfall() -> ChartSpec:
    steps = (
        ("Baseline", 412_000.0, Colour.OTHER),
        *zip(CHANNELS, (96_400.0, 71_200.0, -18_600.0, 42_900.0, 35_100.0, 12_300.0), COLOURS, strict=True),
    )
    expected = sum(value for _name, value, _colour in steps)
    marks = tuple(
        Mark(
            value=value,
            text=euros(value),
            detail=(f"95% interval {euros(value - 9_000)} to {euros(value + 9_000)}",),
            href="" if name == "Baseline" else "#",
            colour=colour,
        )
        for name, value, colour in steps
    )
    total = Mark(value=expected, text=euros(expected), colour=Colour.OTHER, is_total=True)
    ends = [sum(value for _name, value, _colour in steps[: place + 1]) for place in range(len(steps))]
    return ChartSpec(
        id="example-waterfall",
        kind=Kind.WATERFALL,
        title="Media bring more than a third of expected revenue",
        subtitle="Expected revenue, €, 1 April to 30 June 2025, by what it is owed to",
        summary="From a baseline of €412,000 channels lead to €651,300; display takes €18,600 away.",
        category_title="Owed to",
        categories=tuple(Category(label=label) for label in (*(name for name, *_ in steps), "Expected")),
        series=(Series(name="Contribution", colour=Colour.OTHER, marks=(*marks, total)),),
        axis=axis([0.0, *ends], title="Expected revenue, €", text=thousands_of_euros),
    )


_METRICS: tuple[tuple[str, str, Text, tuple[float, ...], tuple[float, ...]], ...] = (
    (
        "Spend",
        "Spend per week, €",
        thousands_of_euros,
        (30600, 31020, 31650, 31760, 32570, 32980, 33590, 33900),
        (28900, 29400, 29100, 30200, 30600, 30300, 31100, 31500),
    ),
    (
        "Revenue",
        "Revenue per week, €",
        thousands_of_euros,
        (91200, 93400, 92100, 97800, 101300, 99600, 104900, 108200),
        (84100, 86300, 85200, 88900, 87400, 90100, 91600, 90800),
    ),
    (
        "Conversions",
        "Conversions per week",
        counted,
        (1310, 1342, 1298, 1391, 1420, 1405, 1466, 1502),
        (1250, 1262, 1241, 1290, 1277, 1301, 1322, 1318),
    ),
    (
        "ROAS",
        "ROAS, revenue per € of spend",
        plain,
        (2.98, 3.01, 2.91, 3.08, 3.11, 3.02, 3.12, 3.19),
        (2.91, 2.94, 2.93, 2.94, 2.86, 2.97, 2.95, 2.88),
    ),
)


def _small_multiples() -> SmallMultiples:
    return SmallMultiples(
        id="example-small-multiples",
        title="Every metric is ahead of the eight weeks before",
        subtitle="Weekly values, 5 May to 29 June 2025, dashed: the eight weeks before",
        summary="Spend, revenue, conversions and ROAS all ended the eight weeks to 29 June 2025 above those before.",
        panels=tuple(_panel(*metric) for metric in _METRICS),
    )


def _panel(name: str, title: str, text: Text, now: Sequence[float], before: Sequence[float]) -> ChartSpec:
    words = ratio if text is plain else counted if text is counted else euros
    series = (
        Series(name="Now", colour=Colour.ACCENT, marks=marks_of(now, words)),
        Series(name="Before", colour=Colour.OTHER, marks=marks_of(before, words), dashed=True),
    )
    return ChartSpec(
        id=f"example-panel-{name.lower()}",
        kind=Kind.LINE,
        title=name,
        subtitle=title,
        summary=f"{name} went from {words(now[0])} to {words(now[-1])}, against {words(before[-1])} before.",
        category_title="Week",
        categories=weeks(8, first=date(2025, 5, 5), every=3),
        series=series,
        axis=axis(extent(series), title=title, text=text),
    )


EXAMPLES: Mapping[str, Chart] = MappingProxyType(
    {
        "line": _line(),
        "curve": _curve(),
        "grouped-bars": _grouped_bars(),
        "bars-with-whiskers": _bars_with_whiskers(),
        "stacked-bars": _stacked_bars(),
        "upright-bars": _upright_bars(),
        "dots": _dots(),
        "area": _area(),
        "stacked-area": _stacked_area(),
        "histogram": _histogram(),
        "waterfall": _waterfall(),
        "heatmap": example_heatmaps.PAIRS,
        "heatmap-of-shares": example_heatmaps.SHARES,
        "heatmap-of-many": example_heatmaps.MANY,
        **example_flows.FLOWS,
        "small-multiples": _small_multiples(),
    }
)
