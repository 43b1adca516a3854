"""Charts as SVG for PDF and mail: literal colours, text as text, the same bytes for the same chart.

Titles are not drawn, as the document around the picture prints them; they are in the picture for assistive technology.
Every mark is a path with an id, from which its values can be read back: "-s1-c4" after the chart's id for the fifth
category of the second series (a line from the fifth to the seventh category: "-s1-c4-c6"), and "-interval" after it for
the interval. Lines of the grid are "-tick-0" and so on.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from charts import svg_heatmap, svg_sankey
from charts.canvas import FONT_PX, GRID, MUTED, ZERO, Canvas, Point, drawing, shortened, text_width_px
from charts.chart import Chart
from charts.layout import GAP_PX, LEADER_PX, LINE_PX, Lane, Layout
from charts.placing import Spot, apart, around, around_point, runs
from charts.sankey import SankeySpec
from charts.spec import ChartSpec, Kind, Mark, Series, SmallMultiples
from charts.wording import INK, readable_on, with_interval

LEAST_WIDTH_PX = 240
_PANEL_GAP_PX = 32.0
_DOT_PX = 10.0


def render(chart: Chart, *, width_px: int = 960) -> str:
    """Return `chart` as an SVG picture of this width; its height follows from what it shows.

    Small multiples stand two in a row where there are 640 pixels. Raises ValueError for less than 240 pixels.
    """
    with canvas_of(chart, width_px=width_px) as canvas:
        description = " ".join(filter(None, (f"{chart.subtitle}." if chart.subtitle else "", chart.summary)))
        return canvas.svg(name=chart.id, title=chart.title, description=description)


def without_texts(chart: Chart, *, width_px: int) -> list[ChartSpec]:
    """The heatmaps of `chart` whose cells have no room for their values in a picture of this width."""
    if isinstance(chart, SankeySpec):
        return []
    panel_px = _panel_px(len(chart.panels), width_px)
    heatmaps = (spec for spec in chart.panels if spec.kind == Kind.HEATMAP)
    with drawing():
        return [
            spec
            for spec in heatmaps
            if not svg_heatmap.HeatLayout(spec, width_px=panel_px, named=len(chart.panels) > 1).is_written
        ]


@contextmanager
def canvas_of(chart: Chart, *, width_px: int) -> Iterator[Canvas]:
    """The context to write a picture of `chart` in. Raises ValueError for less than 240 pixels."""
    if width_px < LEAST_WIDTH_PX:
        raise ValueError(f"A chart needs {LEAST_WIDTH_PX} pixels, not {width_px}.")
    with drawing():
        if isinstance(chart, SankeySpec):
            yield svg_sankey.drawn(chart, width_px=width_px)
        else:
            yield _drawn(chart.panels, width_px)


def render_rows(chart: SmallMultiples, *, width_px: int) -> list[str]:
    """Return each row of panels as a picture of its own, so that the next row may stand on the next page."""
    rows = rows_of(chart, width_px=width_px)
    with drawing():
        return [
            _drawn_rows([row], width_px, among=len(chart.panels)).svg(
                name=f"{chart.id}-row-{number}" if number > 1 else chart.id,
                title=chart.title,
                description=" ".join(panel.summary for panel in row),
            )
            for number, row in enumerate(rows, start=1)
        ]


def rows_of(chart: SmallMultiples, *, width_px: int) -> list[Sequence[ChartSpec]]:
    """Return the panels of each row of a picture of this width."""
    return _rows(chart.panels, width_px)


def _rows(panels: Sequence[ChartSpec], width_px: float) -> list[Sequence[ChartSpec]]:
    columns = _columns(len(panels), width_px)
    return [panels[first : first + columns] for first in range(0, len(panels), columns)]


def _drawn(panels: Sequence[ChartSpec], width_px: float) -> Canvas:
    return _drawn_rows(_rows(panels, width_px), width_px, among=len(panels))


def _drawn_rows(rows: Sequence[Sequence[ChartSpec]], width_px: float, *, among: int) -> Canvas:
    """Draw rows of the panels of a chart that has so many."""
    panel_px = _panel_px(among, width_px)
    layouts = [[_layout(spec, width_px=panel_px, named=among > 1) for spec in row] for row in rows]
    heights = [max(layout.height_px for layout in row) for row in layouts]
    canvas = Canvas(width_px, sum(heights) + _PANEL_GAP_PX * (len(rows) - 1))
    top = 0.0
    for row, height in zip(layouts, heights, strict=True):
        for place, layout in enumerate(row):
            left = place * (panel_px + _PANEL_GAP_PX)
            if isinstance(layout, svg_heatmap.HeatLayout):
                svg_heatmap.draw(layout, canvas, left=left, top=top)
            else:
                _Panel(layout, canvas, left=left, top=top).draw()
        top += height + _PANEL_GAP_PX
    return canvas


def _columns(panels: int, width_px: float) -> int:
    return 2 if panels > 1 and width_px >= 640 else 1


def _panel_px(panels: int, width_px: float) -> float:
    columns = _columns(panels, width_px)
    return (width_px - (columns - 1) * _PANEL_GAP_PX) / columns


def _layout(spec: ChartSpec, *, width_px: float, named: bool) -> Layout | svg_heatmap.HeatLayout:
    if spec.kind == Kind.HEATMAP:
        return svg_heatmap.HeatLayout(spec, width_px=width_px, named=named)
    return Layout(spec, width_px=width_px, named=named)


class _Panel:
    """One chart on its part of the picture."""

    def __init__(self, layout: Layout, canvas: Canvas, *, left: float, top: float) -> None:
        self._layout, self._canvas, self._left, self._top = layout, canvas, left, top
        self._spec, self._in_rows = layout.spec, layout.in_rows
        axis, edge = self._spec.axis, 0.0 if layout.runs_on and layout.count > 1 else 0.5
        along, across = (axis.low, axis.high), (-edge, layout.count - 1 + edge)
        self._axes = canvas.plot(
            left=left + layout.left_px,
            top=top + layout.header_px,
            width=layout.plot_px,
            height=layout.plot_height_px,
            x=along if self._in_rows else across,
            y=across[::-1] if self._in_rows else along,
        )

    def draw(self) -> None:
        self._draw_header()
        self._draw_grid()
        self._draw_categories()
        for number, series in enumerate(self._spec.series):
            if self._spec.kind == Kind.LINE:
                self._draw_ribbon(number, series)
            elif self._spec.kind == Kind.DOTS:
                self._draw_whiskers_of_dots(number, series)
        # What is compared with lies under what it is compared to, and a chart's first series on top of the others.
        order = range(len(self._spec.series))
        for number in reversed(order) if self._spec.kind in (Kind.LINE, Kind.DOTS) else order:
            self._draw_series(number, self._spec.series[number])
        self._draw_zero()
        self._draw_end_labels()
        self._name_points()

    def _at(self, place: float, value: float) -> Point:
        return (value, place) if self._in_rows else (place, value)

    def _name(self, *parts: str) -> str:
        return "-".join((self._spec.id, *parts))

    def _draw_header(self) -> None:
        left, y = self._left, self._top + LINE_PX / 2
        if self._layout.named:
            self._canvas.write(self._spec.title, (left, y), bold=True)
            y += LINE_PX
        if not self._in_rows:
            self._canvas.write(self._spec.axis.title, (left, y), colour=MUTED)
            y += LINE_PX
        if self._layout.key:
            self._draw_key(left, y)
        footer = self._top + self._layout.height_px - LINE_PX / 2
        if self._in_rows:
            self._canvas.write(self._spec.axis.title, (left + self._layout.left_px, footer), colour=MUTED)
        else:
            middle = left + self._layout.left_px + self._layout.plot_px / 2
            self._canvas.write(self._spec.category_title, (middle, footer), colour=MUTED, align="center")

    def _draw_key(self, left: float, y: float) -> None:
        for series in self._spec.series:
            self._canvas.swatch((left, y), fill=series.colour.hex, is_round=self._spec.kind == Kind.DOTS)
            self._canvas.write(series.name, (left + 16, y))
            left += 16 + text_width_px(series.name) + 20

    def _draw_grid(self) -> None:
        low, high = self._axes.get_ylim() if self._in_rows else self._axes.get_xlim()
        for number, tick in enumerate(self._spec.axis.ticks):
            ends = (self._at(low, tick.value), self._at(high, tick.value))
            self._canvas.line(self._axes, ends, colour=GRID, name=self._name("tick", str(number)))
            at, offset, align = (
                (self._at(max(low, high), tick.value), (0, 12), "center")
                if self._in_rows
                else (self._at(low, tick.value), (-GAP_PX, 0), "right")
            )
            self._canvas.write(tick.text, at, axes=self._axes, offset_px=offset, align=align, colour=MUTED)

    def _draw_zero(self) -> None:
        axis = self._spec.axis
        if self._spec.kind == Kind.DOTS or not axis.low <= 0 <= axis.high:
            return
        low, high = self._axes.get_ylim() if self._in_rows else self._axes.get_xlim()
        self._canvas.line(self._axes, (self._at(low, 0), self._at(high, 0)), colour=ZERO)

    def _draw_categories(self) -> None:
        if self._in_rows:
            room = self._layout.left_px - GAP_PX
            for place, category in enumerate(self._spec.categories):
                at = self._at(place, self._spec.axis.low)
                if self._spec.kind == Kind.DOTS:
                    self._canvas.line(self._axes, (at, self._at(place, self._spec.axis.high)), colour=GRID)
                text = shortened(category.tick_text, room)
                self._canvas.write(text, at, axes=self._axes, offset_px=(-GAP_PX, 0), align="right")
            return
        for place, lines in self._layout.tick_texts.items():
            at = self._at(place, self._spec.axis.low)
            for number, text in enumerate(lines):
                offset = (0, 14 + number * (LINE_PX - 2))
                self._canvas.write(text, at, axes=self._axes, offset_px=offset, align="center", colour=MUTED)

    def _draw_series(self, number: int, series: Series) -> None:
        if self._spec.kind == Kind.LINE:
            self._draw_line(number, series)
        elif self._spec.kind == Kind.AREA:
            self._draw_area(number, series)
        elif self._spec.kind == Kind.DOTS:
            self._draw_dots(number, series)
        else:
            self._draw_bars(number, series)

    def _draw_line(self, number: int, series: Series) -> None:
        colour = series.colour.hex
        for first, marks in runs(series.marks):
            name = self._name(f"s{number}", f"c{first}", f"c{first + len(marks) - 1}")
            points = [self._at(first + place, mark.value) for place, mark in enumerate(marks)]
            if len(points) == 1:  # a line through one point cannot be seen
                self._canvas.dot(self._axes, points[0], fill=colour, diameter_px=7, name=name)
                continue
            width = 1.5 if series.dashed else 2.0
            self._canvas.line(self._axes, points, colour=colour, width=width, name=name, dashed=series.dashed)

    def _draw_ribbon(self, number: int, series: Series) -> None:
        for first, marks in runs([mark if mark and mark.low is not None else None for mark in series.marks]):
            name = self._name(f"s{number}", f"c{first}", f"c{first + len(marks) - 1}", "interval")
            lows = [self._at(first + place, mark.low or 0.0) for place, mark in enumerate(marks)]
            highs = [self._at(first + place, mark.high or 0.0) for place, mark in enumerate(marks)]
            if len(marks) == 1:
                self._canvas.line(self._axes, (lows[0], highs[0]), colour=series.colour.hex, width=1.5, name=name)
                continue
            outline = lows + highs[::-1]
            self._canvas.shape(self._axes, outline, fill=series.colour.hex, opacity=0.14, name=name)

    def _draw_area(self, number: int, series: Series) -> None:
        alone = len(self._spec.series) == 1
        for first, marks in runs(series.marks):
            name = self._name(f"s{number}", f"c{first}", f"c{first + len(marks) - 1}")
            bases = [self._layout.base(number, first + place, mark.value) for place, mark in enumerate(marks)]
            tops = [
                self._at(first + place, base + mark.value)
                for place, (mark, base) in enumerate(zip(marks, bases, strict=True))
            ]
            outline = tops + [self._at(first + place, base) for place, base in enumerate(bases)][::-1]
            opacity = 0.2 if alone else 1.0
            self._canvas.shape(self._axes, outline, fill=series.colour.hex, opacity=opacity, name=name, edge=not alone)
            if alone and len(tops) > 1:
                self._canvas.line(self._axes, tops, colour=series.colour.hex, width=2.0)

    def _draw_bars(self, number: int, series: Series) -> None:
        lane = self._layout.lane(number)
        written = self._layout.fits_above_bars(lane)
        for place, mark in enumerate(series.marks):
            if mark is None:
                continue
            base = self._layout.base(number, place, mark.value)
            sides = (place + lane.centre - lane.breadth / 2, place + lane.centre + lane.breadth / 2)
            corners = [self._at(side, value) for side, value in around(sides, (base, base + mark.value))]
            name = self._name(f"s{number}", f"c{place}")
            colour = (mark.colour or series.colour).hex
            self._canvas.shape(self._axes, corners, fill=colour, name=name, edge=True)
            self._draw_whisker(mark, place + lane.centre, name=name, colour=INK)
            if self._spec.adds_up:
                self._write_inside(mark, place, base, breadth=lane.breadth, colour=colour)
            elif self._in_rows or written:
                self._write_beside(mark, place, lane.centre)
        self._draw_joints(lane)

    def _draw_joints(self, lane: Lane) -> None:
        """Lead from the end of each step of a waterfall to the next one, which begins there or, a total, ends there."""
        for place, (step, after) in enumerate(itertools.pairwise(self._layout.steps)):
            if step and after:
                edges = (place + lane.breadth / 2, place + 1 - lane.breadth / 2)
                self._canvas.line(self._axes, [self._at(edge, step[1]) for edge in edges], colour=ZERO)

    def _draw_dots(self, number: int, series: Series) -> None:
        for place, mark in enumerate(series.marks):
            if mark is None:
                continue
            centre = place + self._layout.lane(number).centre
            colour = (mark.colour or series.colour).hex
            name = self._name(f"s{number}", f"c{place}")
            self._canvas.dot(self._axes, self._at(centre, mark.value), fill=colour, diameter_px=_DOT_PX, name=name)
            if self._layout.values_are_written:
                self._write_beside(mark, place, centre - place)

    def _draw_whiskers_of_dots(self, number: int, series: Series) -> None:
        """Before any dot, so that no whisker strikes another series' dot out."""
        for place, mark in enumerate(series.marks):
            if mark:
                name, colour = self._name(f"s{number}", f"c{place}"), (mark.colour or series.colour).hex
                self._draw_whisker(mark, place + self._layout.lane(number).centre, name=name, colour=colour)

    def _draw_whisker(self, mark: Mark, place: float, *, name: str, colour: str) -> None:
        if mark.low is not None and mark.high is not None:
            ends = (self._at(place, mark.low), self._at(place, mark.high))
            if self._spec.kind != Kind.DOTS:  # a white edge sets the whisker off from dark bars
                self._canvas.line(self._axes, ends, colour="#ffffff", width=4.0)
            self._canvas.line(self._axes, ends, colour=colour, width=2.0, name=f"{name}-interval")

    def _write_beside(self, mark: Mark, place: int, centre: float) -> None:
        """At the end of a bar or beside a dot, beyond its whisker. `centre`: of its lane, from that of the category."""
        end, sign = self._layout.beside(mark, place)
        at = self._at(place + centre, end)
        if self._in_rows:
            offset = GAP_PX * sign if self._spec.kind == Kind.DOTS else 6 * sign
            align = "left" if sign > 0 else "right"
            self._canvas.write(with_interval(mark), at, axes=self._axes, offset_px=(offset, 0), align=align)
            return
        self._canvas.write(mark.text, at, axes=self._axes, offset_px=(0, -10 * sign), align="center")

    def _write_inside(self, mark: Mark, place: int, base: float, *, breadth: float, colour: str) -> None:
        layout = self._layout
        length_px, room_px = layout.plot_height_px, breadth * layout.plot_px / layout.count
        if self._in_rows:
            length_px, room_px = layout.plot_px, breadth * layout.plot_height_px / layout.count
        length_px *= abs(mark.value) / (self._spec.axis.high - self._spec.axis.low)
        wide, high = (length_px, room_px) if self._in_rows else (room_px, length_px)
        if wide >= text_width_px(mark.text) + 6 and high >= FONT_PX + 3:
            at = self._at(place, base + mark.value / 2)
            self._canvas.write(mark.text, at, axes=self._axes, align="center", colour=readable_on(colour))

    def _name_points(self) -> None:
        """Name marks that are alone: the leftmost above and to its left, others below and to their right.

        So neither lies on a line that rises through them; where a name would meet another one, it moves on.
        """
        layout, axis = self._layout, self._spec.axis
        alone = [series for series in self._spec.series if layout.is_named_point(series)]
        found = ((place, mark, one.name) for one in alone for place, mark in enumerate(one.marks) if mark)
        points = sorted(found, key=lambda point: point[0])
        taken = [
            Spot(layout.plot_px + LEADER_PX, y_px, text_width_px(end.text))
            for end, y_px in zip(layout.ends, self._ends_px(), strict=True)
        ]
        for number, (place, mark, name) in enumerate(points):
            x = layout.plot_px * place / max(layout.count - 1, 1)
            y = layout.plot_height_px * (axis.high - mark.value) / (axis.high - axis.low)
            width = text_width_px(name)
            spots = list(around_point(x, y, width, before=number == 0 and len(points) > 1))
            inside = [spot for spot in spots if 0 <= spot.y <= layout.plot_height_px and spot.left >= 0]
            free = (spot for spot in inside if not any(spot.meets(other) for other in taken))
            spot = next(free, spots[0])
            taken.append(spot)
            offset, align = (spot.anchor - x, spot.y - y), "right" if spot.is_before else "left"
            at = self._at(place, mark.value)
            self._canvas.write(name, at, axes=self._axes, offset_px=offset, align=align, halo=True)

    def _ends_px(self) -> list[float]:
        """How far below the top of the plot the names at the ends of lines and areas stand."""
        axis, layout = self._spec.axis, self._layout
        per_px = (axis.high - axis.low) / layout.plot_height_px
        wanted = [(axis.high - end.value) / per_px for end in layout.ends]
        return apart(wanted, least=FONT_PX + 3, most=layout.plot_height_px)

    def _draw_end_labels(self) -> None:
        axis, layout = self._spec.axis, self._layout
        per_px = (axis.high - axis.low) / layout.plot_height_px
        transform = self._axes.get_yaxis_transform()
        right = self._axes.get_xlim()[1]
        for end, y_px in zip(layout.ends, self._ends_px(), strict=True):
            value = axis.high - y_px * per_px
            x = [1 + px / layout.plot_px for px in (2, LEADER_PX - 3)]
            if end.place == layout.count - 1:
                leader = ((x[0], end.value), (x[1], value))
                self._canvas.line(self._axes, leader, colour=end.series.colour.hex, width=1.5, transform=transform)
            text = end.fitted(layout.right_px - LEADER_PX)
            self._canvas.write(text, (right, value), axes=self._axes, offset_px=(LEADER_PX, 0))
