"""Charts as SVG, for PDF and mail: literal colours, plain paths, text that stays text. Drawn by matplotlib.

The picture holds plot, axes and direct labels; title and subtitle are for the document around it. Each mark's element
has an id, `mark-<series>-<category>` counted from 0, `-low` and `-high` for the ends of its interval, and each tick's
line `tick-<place>`, so that values can be read back from the geometry.
"""

import threading
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from charts.colours import Colour
from charts.spec import ChartSpec, Kind, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, RULE, ZERO = "#14181f", "#5a6372", "#e2e5ea", "#868f9d"
FONTS = ["Inter", "DejaVu Sans"]
FONT_PX = 12
CHARACTER_PX = 6.6  # wide enough for most: the font that the reader has is not known here
COLUMNS_PX, ROW_PX, BAR_PX, AXIS_PX = 300, 20, 15, 46
PX_PER_INCH = 96
# matplotlib's settings are global to the process, and a worker draws in several threads.
_settings = threading.Lock()


def render(chart: ChartSpec, *, width_px: int = 760) -> str:
    """Return the chart as an <svg> element, the same bytes for the same chart."""
    height_px = _height(chart)
    figure = Figure(figsize=(width_px / PX_PER_INCH, height_px / PX_PER_INCH), dpi=PX_PER_INCH)
    FigureCanvasSVG(figure)
    with _settings, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.id, "font.family": FONTS}):
        _Drawing(chart, figure, width_px, height_px).draw()
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _accessible(text.getvalue(), chart)


def _height(chart: ChartSpec) -> int:
    if not _in_rows(chart):
        return COLUMNS_PX
    lanes = 1 if chart.adds_up or chart.kind == Kind.DOTS else len(chart.series)
    return AXIS_PX + len(chart.categories) * (ROW_PX + BAR_PX * lanes if chart.kind == Kind.BARS else 2 * ROW_PX)


def _in_rows(chart: ChartSpec) -> bool:
    return chart.kind == Kind.DOTS or (chart.kind == Kind.BARS and chart.horizontal)


class _Drawing:
    def __init__(self, chart: ChartSpec, figure: Figure, width_px: int, height_px: int) -> None:
        self.chart, self.rows = chart, _in_rows(chart)
        self.width, self.height = width_px, height_px
        left, right, top, bottom = self._margins()
        self.axes: Axes = figure.add_axes(
            (left / width_px, bottom / height_px, 1 - (left + right) / width_px, 1 - (top + bottom) / height_px)
        )

    def draw(self) -> None:
        self._frame()
        draw = {Kind.LINE: self._lines, Kind.AREA: self._areas, Kind.DOTS: self._dots}.get(self.chart.kind, self._bars)
        draw()

    # --- Frame ---------------------------------------------------------------------------------------------------

    def _margins(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom, in pixels."""
        chart = self.chart
        ticks = max(len(tick.text) for tick in chart.axis.ticks) * CHARACTER_PX
        names = max(len(series.name) for series in chart.series) * CHARACTER_PX + 14
        if self.rows:
            labels = min(max(len(category.label) for category in chart.categories) * CHARACTER_PX, self.width / 3)
            texts = max(len(mark.text) for series in chart.series for mark in series.marks if mark) * CHARACTER_PX
            return labels + 14, max(texts + 10, ticks / 2), 22.0 if len(chart.series) > 1 else 4.0, AXIS_PX
        labelled_at_the_end = len(chart.series) > 1 and chart.kind in (Kind.LINE, Kind.AREA)
        key = len(chart.series) > 1 and not labelled_at_the_end
        return ticks + 14, names if labelled_at_the_end else 10, 42.0 if key else 22.0, 26.0

    def _frame(self) -> None:
        axes, chart = self.axes, self.chart
        axes.set_frame_on(False)
        axes.tick_params(length=0, labelsize=_points(FONT_PX), labelcolor=MUTED)
        ticks = [tick.value for tick in chart.axis.ticks]
        texts = [tick.text for tick in chart.axis.ticks]
        count = len(chart.categories)
        named = [(place, category.tick_text) for place, category in enumerate(chart.categories) if category.tick]
        places, names = [place for place, _ in named], [name for _, name in named]
        if self.rows:
            axes.set_xlim(chart.axis.low, chart.axis.high)
            axes.set_ylim(count - 0.5, -0.5)
            axes.set_xticks(ticks, texts)
            axes.set_yticks(places, names, color=INK)
            axes.set_xlabel(chart.axis.title, loc="left", fontsize=_points(FONT_PX), color=MUTED)
        else:
            axes.set_ylim(chart.axis.low, chart.axis.high)
            axes.set_xlim(-0.5, count - 0.5)
            axes.set_yticks(ticks, texts)
            axes.set_xticks(places, names)
            axes.text(
                0, (self.height - 4) / self.height, chart.axis.title, transform=axes.figure.transFigure, va="top",
                fontsize=_points(FONT_PX), color=MUTED,
            )  # fmt: skip
        for place, tick in enumerate(ticks):
            rule = axes.axvline if self.rows else axes.axhline
            rule(tick, color=ZERO if tick == 0 else RULE, linewidth=_points(1), zorder=0, gid=f"tick-{place}")
        if len(chart.series) > 1 and chart.kind not in (Kind.LINE, Kind.AREA):
            self._key()

    def _key(self) -> None:
        """Names and colours of the series above the plot, where they cannot stand beside what they name."""
        left = self.axes.get_position().x0 * self.width
        y = 1 - (10 if self.rows else 30) / self.height
        for series in self.chart.series:
            transform = self.axes.figure.transFigure
            self.axes.plot(
                [left / self.width], [y], marker="o" if self.chart.kind == Kind.DOTS else "s", color=series.colour.hex,
                markersize=_points(9), transform=transform, clip_on=False, linestyle="none",
            )  # fmt: skip
            self._text((left + 10) / self.width, y, series.name, colour=INK, transform=transform, va="center")
            left += 26 + len(series.name) * CHARACTER_PX

    def _text(self, x: float, y: float, text: str, *, colour: str = MUTED, **options: Any) -> None:
        self.axes.text(x, y, text, fontsize=_points(FONT_PX), color=colour, **options)

    # --- Marks ---------------------------------------------------------------------------------------------------

    def _lines(self) -> None:
        for number, series in enumerate(self.chart.series):
            colour, style = series.colour.hex, (0, (4, 3)) if series.dashed else "solid"
            known = [(place, mark) for place, mark in enumerate(series.marks) if mark]
            values = [mark.value if mark else float("nan") for mark in series.marks]
            self.axes.plot(range(len(values)), values, color=colour, linewidth=_points(2), linestyle=style, zorder=3)
            self._ribbon(number, series.marks, colour)
            for place, mark in known:
                self._point(place, mark.value, colour, f"mark-{number}-{place}", size=3 if len(known) < 40 else 0.01)
        self._end_labels([[mark.value if mark else None for mark in series.marks] for series in self.chart.series])

    def _ribbon(self, number: int, marks: tuple[Mark | None, ...], colour: str) -> None:
        spans = [(place, mark) for place, mark in enumerate(marks) if mark and mark.low is not None]
        if not spans:
            return
        lows = [mark.low if mark and mark.low is not None else float("nan") for mark in marks]
        highs = [mark.high if mark and mark.high is not None else float("nan") for mark in marks]
        self.axes.fill_between(range(len(marks)), lows, highs, color=colour, alpha=0.16, linewidth=0, zorder=1)
        for place, mark in spans:
            self._ends(number, place, mark, along=place, upright=True, visible=False)

    def _areas(self) -> None:
        floor = [0.0] * len(self.chart.categories)
        middles: list[list[float | None]] = []
        for number, series in enumerate(self.chart.series):
            top = [low + (mark.value if mark else 0.0) for low, mark in zip(floor, series.marks, strict=True)]
            self.axes.fill_between(range(len(top)), floor, top, color=series.colour.hex, alpha=0.85, linewidth=0)
            for place, mark in enumerate(series.marks):
                if mark:
                    self._point(place, top[place], series.colour.hex, f"mark-{number}-{place}", size=0.01)
            middles.append([(low + high) / 2 for low, high in zip(floor, top, strict=True)])
            floor = top
        self._end_labels(middles)

    def _bars(self) -> None:
        chart = self.chart
        lanes = 1 if chart.adds_up else len(chart.series)
        share = 0.92 if chart.kind == Kind.HISTOGRAM else 0.7 if self.rows else 0.76
        thickness = share / lanes
        for place in range(len(chart.categories)):
            plus = minus = 0.0
            for number, series in enumerate(chart.series):
                mark = series.marks[place]
                if mark is None:
                    continue
                start = 0.0
                if chart.adds_up:
                    start = plus if mark.value >= 0 else minus
                    plus, minus = plus + max(mark.value, 0), minus + min(mark.value, 0)
                along = place if chart.adds_up else place - share / 2 + thickness * (number + 0.5)
                colour = (mark.colour or series.colour).hex
                if self.rows:
                    (patch,) = self.axes.barh([along], [mark.value], thickness * 0.92, left=start, color=colour)
                else:
                    (patch,) = self.axes.bar([along], [mark.value], thickness * 0.92, bottom=start, color=colour)
                patch.set_gid(f"mark-{number}-{place}")
                self._ends(number, place, mark, along=along, upright=not self.rows)
                if self.rows and not chart.adds_up:
                    end = max(mark.value, mark.high or mark.value, 0.0)
                    self.axes.annotate(
                        mark.text, (end, along), (_points(6), 0), textcoords="offset points", va="center_baseline",
                        fontsize=_points(FONT_PX), color=MUTED, annotation_clip=False,
                    )  # fmt: skip

    def _dots(self) -> None:
        for number, series in enumerate(self.chart.series):
            lane = (number - (len(self.chart.series) - 1) / 2) * 0.2 if self.chart.has_intervals else 0.0
            for place, mark in enumerate(series.marks):
                if mark is None:
                    continue
                self._ends(number, place, mark, along=place + lane, upright=False)
                colour = (mark.colour or series.colour).hex
                self._point(mark.value, place + lane, colour, f"mark-{number}-{place}", size=9)

    def _point(self, x: float, y: float, colour: str, gid: str, *, size: float) -> None:
        self.axes.plot(
            [x], [y], marker="o", color=colour, markersize=_points(size), linestyle="none", gid=gid, clip_on=False,
            markeredgewidth=0, zorder=4,
        )  # fmt: skip

    def _ends(self, number: int, place: int, mark: Mark, *, along: float, upright: bool, visible: bool = True) -> None:
        """The interval of a mark as a whisker whose two ends can be told apart."""
        if mark.low is None or mark.high is None:
            return
        for name, start, stop in (("low", mark.value, mark.low), ("high", mark.value, mark.high)):
            across = ([along, along], [start, stop]) if upright else ([start, stop], [along, along])
            self.axes.plot(
                *across, color=INK, linewidth=_points(1.25) if visible else 0, gid=f"mark-{number}-{place}-{name}",
                zorder=5, solid_capstyle="butt", marker="" if not visible else "|" if not upright else "_",
                markersize=_points(7), markevery=[1],
            )  # fmt: skip

    def _end_labels(self, at: list[list[float | None]]) -> None:
        """The series' names where they end, moved apart where two would lie on each other."""
        if len(self.chart.series) == 1:
            return
        ends = []
        for series, values in zip(self.chart.series, at, strict=True):
            last = max((place for place, value in enumerate(values) if value is not None), default=None)
            if last is not None:
                ends.append((values[last] or 0.0, series))
        step = 15 * (self.chart.axis.high - self.chart.axis.low) / (self.height - 48)
        floor = float("-inf")
        for value, series in sorted(ends, key=lambda end: end[0]):
            floor = max(value, floor + step)
            self._text(
                len(self.chart.categories) - 0.5, floor, f"  {series.name}", colour=_readable(series.colour),
                va="center_baseline", fontweight="semibold", clip_on=False,
            )  # fmt: skip


def _readable(colour: Colour) -> str:
    """Text is ink; only lines and areas have colours, some of which are too light to be read."""
    return MUTED if colour == Colour.OTHER else INK


def _points(px: float) -> float:
    return px * 72 / PX_PER_INCH


def _accessible(svg: str, chart: ChartSpec) -> str:
    """Leave out the prologue, which an element within a page may not have, and say what the picture shows."""
    element = svg[svg.index("<svg") :]
    head, _, rest = element.partition(">")
    title = f"<title>{escape(chart.title)}</title><desc>{escape(chart.summary)}</desc>"
    return f'{head} role="img">{title}{rest}'
