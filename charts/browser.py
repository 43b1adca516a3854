"""Charts in the browser: what static/js/charts.js draws, and the room that the page keeps for it beforehand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from charts import browser_heatmap, browser_sankey
from charts.chart import Chart
from charts.heat import Scale, scale
from charts.sankey import SankeySpec
from charts.sankey_layout import lay_out
from charts.spec import Category, ChartSpec, Kind, Mark, Series, SmallMultiples, Table, TableCell

# Heights in CSS pixels. They are settled before the width is known, so that nothing moves when a chart is drawn.
COLUMNS_HEIGHT, COLUMNS_HEIGHT_IN_PANEL = 280, 210
ROWS_AXIS_HEIGHT = 46
ROW_LABEL_HEIGHT = 24  # beside the bars on wide screens, above them on narrow ones
BAR_HEIGHT, DOT_HEIGHT, LINKED_HEIGHT = 14, 11, 24


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One entry of the key: a colour (`shape`: "line", "bar" or "dot") and what it stands for.

    `varied`: its marks have colours of their own.
    """

    name: str
    colour: str
    shape: str
    dashed: bool
    varied: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot of a figure. `role`: what assistive technology takes the plot for; links may stand in a group only.

    `scale`: of a heatmap, what its colours stand for.
    """

    spec: ChartSpec | SankeySpec
    payload: dict[str, Any]
    height_px: int
    role: str
    key: tuple[KeyEntry, ...]
    table: Table
    row_hrefs: tuple[str, ...]
    scale: Scale | None = None

    @property
    def is_flow(self) -> bool:
        return isinstance(self.spec, SankeySpec)

    @property
    def rows(self) -> Iterator[tuple[str, str, tuple[TableCell, ...]]]:
        """The rows of the table: label, address (or "") and cells."""
        for (category, cells), href in zip(self.table.rows, self.row_hrefs, strict=True):
            yield category.label, href, cells


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart laid out for its template. `key`: for all panels together, where they have the same series.

    `key_gives_way`: whether the plot names its series itself where it has room for that. `interval`: the level of the
    intervals, with `interval_shape`, how they are drawn ("ribbon" or "whisker"); "" without any.
    """

    panels: tuple[Panel, ...]
    is_multiple: bool
    key: tuple[KeyEntry, ...]
    key_gives_way: bool
    interval: str
    interval_shape: str


def figure(chart: Chart) -> Figure:
    """Lay `chart` out for templates/components/chart.html."""
    if isinstance(chart, SankeySpec):
        return Figure(
            panels=(_flow_panel(chart),),
            is_multiple=False,
            key=(),
            key_gives_way=False,
            interval="",
            interval_shape="",
        )
    is_multiple = isinstance(chart, SmallMultiples)
    keys = {_key(spec) for spec in chart.panels}
    common = keys.pop() if len(keys) == 1 else ()
    intervals = {spec.interval for spec in chart.panels if spec.has_intervals and spec.kind != Kind.HEATMAP}
    return Figure(
        panels=tuple(_panel(spec, in_grid=is_multiple, own_key=not common) for spec in chart.panels),
        is_multiple=is_multiple,
        key=common,
        key_gives_way=not is_multiple and chart.panels[0].kind == Kind.LINE,
        interval=intervals.pop() if len(intervals) == 1 else "",
        interval_shape="ribbon" if chart.panels[0].kind == Kind.LINE else "whisker",
    )


def payload(chart: ChartSpec) -> dict[str, Any]:
    """Return `chart` as JSON for the browser; what is empty or false is left out of marks and categories.

    `links` says what leads somewhere: "category" (one address for each), "mark" (several in a category), "cell" (of a
    heatmap) or "none".
    A category's `href` is its own or the one that all of its marks share. A mark of a waterfall says where its step
    starts, `from`.
    """
    links = _links(chart)
    own = browser_heatmap.of_chart(chart) if chart.kind == Kind.HEATMAP else {}
    return {
        "kind": str(chart.kind),
        "title": chart.title,
        "category_title": chart.category_title,
        "interval": chart.interval,
        "stacked": chart.adds_up,
        "horizontal": chart.in_rows,
        "links": links,
        "axis": {
            "title": chart.axis.title,
            "low": chart.axis.low,
            "high": chart.axis.high,
            "ticks": [{"value": tick.value, "text": tick.text} for tick in chart.axis.ticks],
        },
        "categories": [
            _category(category, href if links == "category" else "")
            for category, href in zip(chart.categories, _row_hrefs(chart), strict=True)
        ],
        "series": [_series(chart, series) for series in chart.series],
        **own,
    }


def height_px(chart: ChartSpec, *, in_grid: bool = False) -> int:
    """Return the height of the plot; `in_grid`: it is one of small multiples."""
    if chart.kind == Kind.HEATMAP:
        return browser_heatmap.height_px(chart)
    if not chart.in_rows:
        return COLUMNS_HEIGHT_IN_PANEL if in_grid else COLUMNS_HEIGHT
    lanes = 1 if chart.adds_up else len(chart.series)
    if _links(chart) == "mark":
        row = ROW_LABEL_HEIGHT + LINKED_HEIGHT * len(chart.series)
    elif chart.has_rows_of_bars:
        row = ROW_LABEL_HEIGHT + BAR_HEIGHT * lanes
    else:
        row = ROW_LABEL_HEIGHT + max(BAR_HEIGHT, DOT_HEIGHT * lanes if chart.has_intervals else 0)
    return ROWS_AXIS_HEIGHT + row * len(chart.categories)


def _panel(spec: ChartSpec, *, in_grid: bool, own_key: bool) -> Panel:
    return Panel(
        spec=spec,
        payload=payload(spec),
        height_px=height_px(spec, in_grid=in_grid),
        role="img" if _links(spec) == "none" and spec.kind != Kind.HEATMAP else "group",
        key=_key(spec) if own_key else (),
        table=spec.table(),
        row_hrefs=_row_hrefs(spec),
        scale=scale(spec) if spec.kind == Kind.HEATMAP else None,
    )


def _flow_panel(spec: SankeySpec) -> Panel:
    layout = lay_out(spec)
    return Panel(
        spec=spec,
        payload=browser_sankey.payload(spec, layout),
        height_px=round(layout.height_px),
        role="group",
        key=(),
        table=spec.table(),
        row_hrefs=tuple(link.href for link in spec.links),
    )


def _key(spec: ChartSpec) -> tuple[KeyEntry, ...]:
    """One series needs no key: the title says what it is. Those of a heatmap are columns, and named there."""
    if len(spec.series) == 1 or spec.kind == Kind.HEATMAP:
        return ()
    shape = {Kind.LINE: "line", Kind.DOTS: "dot"}.get(spec.kind, "bar")
    return tuple(
        KeyEntry(
            name=series.name,
            colour=str(series.colour),
            shape="dot" if shape == "line" and series.is_a_point else shape,
            dashed=series.dashed,
            varied=any(mark.colour not in (None, series.colour) for mark in series.marks if mark),
        )
        for series in spec.series
    )


def _links(chart: ChartSpec) -> str:
    counts = {len(_hrefs(chart, place)) for place in range(len(chart.categories))}
    if counts == {0}:
        return "none"
    if chart.kind == Kind.HEATMAP:
        return "cell"
    return "category" if max(counts) == 1 else "mark"


def _hrefs(chart: ChartSpec, place: int) -> set[str]:
    hrefs = {mark.href for series in chart.series if (mark := series.marks[place])}
    return {*hrefs, chart.categories[place].href} - {""}


def _row_hrefs(chart: ChartSpec) -> tuple[str, ...]:
    """Return where each category leads: its own address, or the one that its marks share, or ""."""
    shared = (_hrefs(chart, place) for place in range(len(chart.categories)))
    return tuple(
        category.href or (next(iter(hrefs)) if len(hrefs) == 1 else "")
        for category, hrefs in zip(chart.categories, shared, strict=True)
    )


def _category(category: Category, href: str) -> dict[str, Any]:
    shown = {"label": category.label, "tick": category.tick_text if category.tick else "", "href": href}
    return _without_empty(shown)


def _series(chart: ChartSpec, series: Series) -> dict[str, Any]:
    starts = [step[0] if step else None for step in chart.steps] if chart.kind == Kind.WATERFALL else None
    return {
        "name": series.name,
        "colour": str(series.colour),
        "dashed": series.dashed,
        "marks": [
            _mark(mark) | ({"from": starts[place]} if starts else {}) | _cell(chart, mark) if mark else None
            for place, mark in enumerate(series.marks)
        ],
    }


def _cell(chart: ChartSpec, mark: Mark) -> dict[str, Any]:
    return browser_heatmap.of_mark(chart, mark) if chart.kind == Kind.HEATMAP else {}


def _mark(mark: Mark) -> dict[str, Any]:
    interval = {} if mark.low is None else {"low": mark.low, "high": mark.high}
    words = {
        "low_text": mark.low_text if interval else "",
        "high_text": mark.high_text if interval else "",
        "detail": list(mark.detail),
        "href": mark.href,
        "colour": str(mark.colour or ""),
    }
    return {"value": mark.value, "text": mark.text, **interval, **_without_empty(words)}


def _without_empty(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in entries.items() if entry}
