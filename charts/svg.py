"""Charts as SVG for PDF and mail: literal colours, text as text, the same bytes for the same chart.

Titles are not drawn, as the document around the picture prints them; they are in the picture for assistive technology.
Every mark is a path with an id, from which its values can be read back: "-s1-c4" after the chart's id for the fifth
category of the second series (a line from the fifth to the seventh category: "-s1-c4-c6"), and "-interval" after it for
the interval. Lines of the grid are "-tick-0" and so on.
"""

import itertools
import math
import threading
from dataclasses import dataclass

from charts.canvas import FONT_PX, GRID, MUTED, ZERO, Canvas, Point, settings, shortened, text_width_px
from charts.placing import apart, around, broken, far_end, runs
from charts.spec import Chart, ChartSpec, Kind, Mark, Series
from charts.wording import INK, printable, readable_on, with_interval

LEAST_WIDTH_PX = 240
_DRAWING = threading.Lock()  # matplotlib's settings are global to the process
_LINE_PX = 18.0  # from one line of text to the next
_GAP_PX = 8.0
_LEADER_PX = 16.0  # from the end of a line or area to its name
_PANEL_GAP_PX = 32.0
_BAR_PX, _BETWEEN_ROWS_PX, _THICKEST_BAR_PX = 18.0, 12.0, 64.0
_GROUP = 0.72  # of the room of a category, the part that upright bars fill
_DOT_PX = 10.0


def render(chart: Chart, *, width_px: int = 960) -> str:
    """Return `chart` as an SVG picture of this width; its height follows from what it shows.

    Small multiples stand two in a row where there are 640 pixels. Raises ValueError for less than 240 pixels.
    """
    if width_px < LEAST_WIDTH_PX:
        raise ValueError(f"A chart needs {LEAST_WIDTH_PX} pixels, not {width_px}.")
    with _DRAWING, settings():
        columns = 2 if len(chart.panels) > 1 and width_px >= 640 else 1
        panel_px = (width_px - (columns - 1) * _PANEL_GAP_PX) / columns
        panels = [_Panel(spec, width_px=panel_px, named=len(chart.panels) > 1) for spec in chart.panels]
        rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
        heights = [max(panel.height_px for panel in row) for row in rows]
        canvas = Canvas(width_px, sum(heights) + _PANEL_GAP_PX * (len(rows) - 1))
        top = 0.0
        for row, height in zip(rows, heights, strict=True):
            for place, panel in enumerate(row):
                panel.draw(canvas, left=place * (panel_px + _PANEL_GAP_PX), top=top)
            top += height + _PANEL_GAP_PX
        description = " ".join(filter(None, (f"{chart.subtitle}." if chart.subtitle else "", chart.summary)))
        return canvas.svg(name=chart.id, title=chart.title, description=description)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Where the marks of a series lie across a category's room: a centre relative to the category's, and a breadth."""

    centre: float
    breadth: float


@dataclass(frozen=True, slots=True)
class _EndLabel:
    """A name beside the end of a line, area or stack, and where it ends: across the categories, and in value."""

    name: str
    amount: str
    series: Series
    place: int
    value: float

    @property
    def text(self) -> str:
        return f"{self.name} {self.amount}".strip()

    def fitted(self, most_px: float) -> str:
        """The name and the amount, or the name alone: half an amount would be a wrong one."""
        return self.text if text_width_px(self.text) <= most_px else shortened(self.name or self.amount, most_px)


class _Panel:
    """One chart on its part of the picture: first the room for its texts is measured, then it is drawn."""

    def __init__(self, spec: ChartSpec, *, width_px: float, named: bool) -> None:
        self._spec, self._width_px, self._named = spec, width_px, named
        self._in_rows = spec.in_rows
        self._steps = spec.steps if spec.kind == Kind.WATERFALL else ()
        self._runs_on = spec.kind in (Kind.LINE, Kind.AREA)
        self._count = len(spec.categories)
        self._lane_count = self._count_lanes()
        self._ends = self._end_labels()
        self._key = len(spec.series) > 1 and not self._ends
        self._header_px = _LINE_PX * (named + self._key + (not self._in_rows)) + (_GAP_PX if not self._in_rows else 4)
        self._left_px = self._measure_left()
        self._right_px = self._measure_right()
        self._plot_px = width_px - self._left_px - self._right_px
        if self._in_rows:
            self._plot_height_px = self._count * (self._lane_count * _BAR_PX + _BETWEEN_ROWS_PX)
        else:
            self._plot_height_px = min(max(width_px * 0.34, 150.0), 320.0)
        self._tick_texts = {} if self._in_rows else self._fit_ticks()
        tick_lines = max((len(lines) for lines in self._tick_texts.values()), default=1)
        self._footer_px = _GAP_PX + (1 + tick_lines) * _LINE_PX
        self.height_px = round(self._header_px + self._plot_height_px + self._footer_px)

    def _count_lanes(self) -> int:
        if self._spec.kind == Kind.BARS and not self._spec.adds_up:
            return len(self._spec.series)
        with_intervals = [one for one in self._spec.series if any(mark and mark.low is not None for mark in one.marks)]
        # Dots share a lane until their whiskers would hide each other.
        return len(self._spec.series) if self._spec.kind == Kind.DOTS and len(with_intervals) > 1 else 1

    # Measuring

    def _measure_left(self) -> float:
        spec = self._spec
        if not self._in_rows:
            return max(text_width_px(tick.text) for tick in spec.axis.ticks) + _GAP_PX
        widest = max(text_width_px(category.tick_text) for category in spec.categories)
        left = min(widest, self._width_px * 0.35) + _GAP_PX
        return left + self._overhang(left, below=True)

    def _measure_right(self) -> float:
        if self._ends:
            widest = max(text_width_px(end.text) for end in self._ends)
            return min(widest, self._width_px * 0.4) + _LEADER_PX + 4
        last_tick_px = text_width_px(self._spec.axis.ticks[-1].text if self._in_rows else "") / 2
        return max(_GAP_PX, last_tick_px + 2, self._overhang(self._left_px, below=False) if self._in_rows else 0)

    def _fit_ticks(self) -> dict[int, list[str]]:
        """The named categories of an upright chart: of many on a scale some give way, bars' names are broken or cut."""
        step = self._plot_px / max(self._count - 1 if self._runs_on else self._count, 1)
        named = [place for place, category in enumerate(self._spec.categories) if category.tick]
        texts = {place: printable(self._spec.categories[place].tick_text) for place in named}
        if self._spec.kind != Kind.BARS:
            room = step * min((right - left for left, right in itertools.pairwise(named)), default=self._count)
            every = math.ceil((max(map(text_width_px, texts.values()), default=0) + 6) / room)
            return {place: [texts[place]] for place in named[::every]}
        return {place: broken(text, max(step - 6, 24)) for place, text in texts.items()}

    def _overhang(self, left: float, *, below: bool) -> float:
        """How far the widest value beside its bar reaches beyond the plot, if the plot were as narrow as it may get."""
        if not self._values_are_written:
            return 0.0
        axis = self._spec.axis
        widths = [
            (text_width_px(with_interval(mark)) + _GAP_PX, end)
            for series in self._spec.series
            for place, mark in enumerate(series.marks)
            if mark
            for end, sign in (self._beside(mark, place),)
            if (sign < 0) is below
        ]
        narrowest = self._width_px - left - max((width for width, _ in widths), default=0.0)
        per_unit = narrowest / (axis.high - axis.low)
        rooms = ((end - axis.low if below else axis.high - end) * per_unit for _, end in widths)
        return max([0.0, *(width - room for (width, _), room in zip(widths, rooms, strict=True))])

    @property
    def _values_are_written(self) -> bool:
        """Whether rows have their values at the end of the bar or dot."""
        return (self._spec.kind == Kind.BARS and not self._spec.adds_up) or len(self._spec.series) == 1

    def _beside(self, mark: Mark, place: int) -> tuple[float, int]:
        """Beyond which value a mark's text stands, and on which side of it: 1 after it, -1 before it."""
        if not self._steps:
            return far_end(mark), -1 if mark.value < 0 else 1
        step = self._steps[place] or (0.0, 0.0)
        return (min(step), -1) if max(step) <= 0 and min(step) < 0 else (max(step), 1)

    def _end_labels(self) -> list[_EndLabel]:
        if not (self._runs_on or (self._spec.adds_up and not self._in_rows and len(self._spec.series) > 1)):
            return []
        labels = []
        for number, series in enumerate(self._spec.series):
            if self._is_named_point(series):
                continue
            known = [place for place, mark in enumerate(series.marks) if mark]
            if not known:
                continue
            place = known[-1] if self._spec.kind == Kind.LINE else self._count - 1
            mark = series.marks[place]
            value = mark.value if mark else 0.0
            if self._spec.adds_up:
                value = self._base(number, place, value) + (value / 2 if len(self._spec.series) > 1 else value)
            name = series.name if len(self._spec.series) > 1 else ""
            labels.append(_EndLabel(name, mark.text if mark else "", series, place, value))
        return labels

    def _is_named_point(self, series: Series) -> bool:
        """Whether a series of a line chart is one mark, with its name beside it."""
        return self._spec.kind == Kind.LINE and len(self._spec.series) > 1 and series.is_a_point

    def _base(self, number: int, place: int, value: float) -> float:
        """Where a mark starts: of stacked series, on those before it with the same sign."""
        if self._steps:
            return (self._steps[place] or (0.0, 0.0))[0]
        if not self._spec.adds_up:
            return 0.0
        below = (series.marks[place] for series in self._spec.series[:number])
        return sum(mark.value for mark in below if mark and (mark.value < 0) is (value < 0))

    # Drawing

    def draw(self, canvas: Canvas, *, left: float, top: float) -> None:
        axis, edge = self._spec.axis, 0.0 if self._runs_on and self._count > 1 else 0.5
        along, across = (axis.low, axis.high), (-edge, self._count - 1 + edge)
        self._canvas = canvas
        self._axes = canvas.plot(
            left=left + self._left_px,
            top=top + self._header_px,
            width=self._plot_px,
            height=self._plot_height_px,
            x=along if self._in_rows else across,
            y=across[::-1] if self._in_rows else along,
        )
        self._draw_header(left, top)
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

    def _draw_header(self, left: float, top: float) -> None:
        y = top + _LINE_PX / 2
        if self._named:
            self._canvas.write(self._spec.title, (left, y), bold=True)
            y += _LINE_PX
        if not self._in_rows:
            self._canvas.write(self._spec.axis.title, (left, y), colour=MUTED)
            y += _LINE_PX
        if self._key:
            self._draw_key(left, y)
        footer = top + self.height_px - _LINE_PX / 2
        if self._in_rows:
            self._canvas.write(self._spec.axis.title, (left + self._left_px, footer), colour=MUTED)
        else:
            middle = left + self._left_px + self._plot_px / 2
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
                else (self._at(low, tick.value), (-_GAP_PX, 0), "right")
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
            room = self._left_px - _GAP_PX
            for place, category in enumerate(self._spec.categories):
                at = self._at(place, self._spec.axis.low)
                if self._spec.kind == Kind.DOTS:
                    self._canvas.line(self._axes, (at, self._at(place, self._spec.axis.high)), colour=GRID)
                text = shortened(category.tick_text, room)
                self._canvas.write(text, at, axes=self._axes, offset_px=(-_GAP_PX, 0), align="right")
            return
        for place, lines in self._tick_texts.items():
            at = self._at(place, self._spec.axis.low)
            for number, text in enumerate(lines):
                offset = (0, 14 + number * (_LINE_PX - 2))
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
            bases = [self._base(number, first + place, mark.value) for place, mark in enumerate(marks)]
            tops = [
                self._at(first + place, base + mark.value)
                for place, (mark, base) in enumerate(zip(marks, bases, strict=True))
            ]
            outline = tops + [self._at(first + place, base) for place, base in enumerate(bases)][::-1]
            opacity = 0.2 if alone else 1.0
            self._canvas.shape(self._axes, outline, fill=series.colour.hex, opacity=opacity, name=name, edge=not alone)
            if alone and len(tops) > 1:
                self._canvas.line(self._axes, tops, colour=series.colour.hex, width=2.0)

    def _lane(self, number: int) -> _Lane:
        if self._in_rows:
            share = self._lane_count * _BAR_PX / (self._lane_count * _BAR_PX + _BETWEEN_ROWS_PX)
        elif self._spec.kind == Kind.HISTOGRAM:
            share = 1.0
        else:
            room_px = self._plot_px / self._count
            share = min(_GROUP, self._lane_count * _THICKEST_BAR_PX / room_px)
        breadth = share / self._lane_count
        lane = number if self._lane_count > 1 else 0
        return _Lane((lane - (self._lane_count - 1) / 2) * breadth, breadth)

    def _draw_bars(self, number: int, series: Series) -> None:
        lane = self._lane(number)
        written = self._fits_above_bars(lane)
        for place, mark in enumerate(series.marks):
            if mark is None:
                continue
            base = self._base(number, place, mark.value)
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

    def _draw_joints(self, lane: _Lane) -> None:
        """Lead from the end of each step of a waterfall to the next one, which begins there or, a total, ends there."""
        for place, (step, after) in enumerate(itertools.pairwise(self._steps)):
            if step and after:
                edges = (place + lane.breadth / 2, place + 1 - lane.breadth / 2)
                self._canvas.line(self._axes, [self._at(edge, step[1]) for edge in edges], colour=ZERO)

    def _draw_dots(self, number: int, series: Series) -> None:
        for place, mark in enumerate(series.marks):
            if mark is None:
                continue
            centre = place + self._lane(number).centre
            colour = (mark.colour or series.colour).hex
            name = self._name(f"s{number}", f"c{place}")
            self._canvas.dot(self._axes, self._at(centre, mark.value), fill=colour, diameter_px=_DOT_PX, name=name)
            if self._values_are_written:
                self._write_beside(mark, place, centre - place)

    def _draw_whiskers_of_dots(self, number: int, series: Series) -> None:
        """Before any dot, so that no whisker strikes another series' dot out."""
        for place, mark in enumerate(series.marks):
            if mark:
                name, colour = self._name(f"s{number}", f"c{place}"), (mark.colour or series.colour).hex
                self._draw_whisker(mark, place + self._lane(number).centre, name=name, colour=colour)

    def _draw_whisker(self, mark: Mark, place: float, *, name: str, colour: str) -> None:
        if mark.low is not None and mark.high is not None:
            ends = (self._at(place, mark.low), self._at(place, mark.high))
            if self._spec.kind != Kind.DOTS:  # a white edge sets the whisker off from dark bars
                self._canvas.line(self._axes, ends, colour="#ffffff", width=4.0)
            self._canvas.line(self._axes, ends, colour=colour, width=2.0, name=f"{name}-interval")

    def _write_beside(self, mark: Mark, place: int, centre: float) -> None:
        """At the end of a bar or beside a dot, beyond its whisker. `centre`: of its lane, from that of the category."""
        end, sign = self._beside(mark, place)
        at = self._at(place + centre, end)
        if self._in_rows:
            offset = _GAP_PX * sign if self._spec.kind == Kind.DOTS else 6 * sign
            align = "left" if sign > 0 else "right"
            self._canvas.write(with_interval(mark), at, axes=self._axes, offset_px=(offset, 0), align=align)
            return
        self._canvas.write(mark.text, at, axes=self._axes, offset_px=(0, -10 * sign), align="center")

    def _write_inside(self, mark: Mark, place: int, base: float, *, breadth: float, colour: str) -> None:
        length_px, room_px = self._plot_height_px, breadth * self._plot_px / self._count
        if self._in_rows:
            length_px, room_px = self._plot_px, breadth * self._plot_height_px / self._count
        length_px *= abs(mark.value) / (self._spec.axis.high - self._spec.axis.low)
        wide, high = (length_px, room_px) if self._in_rows else (room_px, length_px)
        if wide >= text_width_px(mark.text) + 6 and high >= FONT_PX + 3:
            at = self._at(place, base + mark.value / 2)
            self._canvas.write(mark.text, at, axes=self._axes, align="center", colour=readable_on(colour))

    def _fits_above_bars(self, lane: _Lane) -> bool:
        room_px = self._plot_px / self._count * (lane.breadth if self._lane_count > 1 else 1)
        texts = (mark.text for series in self._spec.series for mark in series.marks if mark)
        return all(text_width_px(text) + 2 <= room_px for text in texts)

    def _name_points(self) -> None:
        """Name marks that are alone: the leftmost above and to its left, others below and to their right.

        So two never meet, and neither lies on a line that rises through them.
        """
        alone = [series for series in self._spec.series if self._is_named_point(series)]
        found = ((place, mark, one.name) for one in alone for place, mark in enumerate(one.marks) if mark)
        points = sorted(found, key=lambda point: point[0])
        for number, (place, mark, name) in enumerate(points):
            room_px = self._plot_px * place / max(self._count - 1, 1)
            before = number == 0 and len(points) > 1 and text_width_px(name) < room_px
            offset, align = ((-5.0, -10.0), "right") if before else ((5.0, 12.0), "left")
            self._canvas.write(name, self._at(place, mark.value), axes=self._axes, offset_px=offset, align=align)

    def _draw_end_labels(self) -> None:
        axis = self._spec.axis
        per_px = (axis.high - axis.low) / self._plot_height_px
        wanted = [(axis.high - end.value) / per_px for end in self._ends]
        transform = self._axes.get_yaxis_transform()
        right = self._axes.get_xlim()[1]
        for end, y_px in zip(self._ends, apart(wanted, least=FONT_PX + 3, most=self._plot_height_px), strict=True):
            value = axis.high - y_px * per_px
            x = [1 + px / self._plot_px for px in (2, _LEADER_PX - 3)]
            if end.place == self._count - 1:
                leader = ((x[0], end.value), (x[1], value))
                self._canvas.line(self._axes, leader, colour=end.series.colour.hex, width=1.5, transform=transform)
            text = end.fitted(self._right_px - _LEADER_PX)
            self._canvas.write(text, (right, value), axes=self._axes, offset_px=(_LEADER_PX, 0))
