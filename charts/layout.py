"""How a chart's picture is laid out: the room that its texts need, and where its marks and names go in what is left."""

import itertools
import math
from dataclasses import dataclass

from charts.canvas import shortened, text_width_px
from charts.placing import broken, far_end
from charts.spec import ChartSpec, Kind, Mark, Series
from charts.wording import printable, with_interval

LINE_PX = 18.0  # from one line of text to the next
GAP_PX = 8.0
LEADER_PX = 16.0  # from the end of a line or area to its name
_BAR_PX, _BETWEEN_ROWS_PX, _THICKEST_BAR_PX = 18.0, 12.0, 64.0
_GROUP = 0.72  # of the room of a category, the part that upright bars fill


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the marks of a series lie across a category's room: a centre relative to the category's, and a breadth."""

    centre: float
    breadth: float


@dataclass(frozen=True, slots=True)
class EndLabel:
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


class Layout:
    """The measures of one chart on its part of the picture; `named`: its title is written above it."""

    def __init__(self, spec: ChartSpec, *, width_px: float, named: bool) -> None:
        self.spec, self._width_px, self.named = spec, width_px, named
        self.in_rows = spec.in_rows
        self.steps = spec.steps if spec.kind == Kind.WATERFALL else ()
        self.runs_on = spec.kind in (Kind.LINE, Kind.AREA)
        self.count = len(spec.categories)
        self.lane_count = self._count_lanes()
        self.ends = self._end_labels()
        self.key = len(spec.series) > 1 and not self.ends
        self.header_px = LINE_PX * (named + self.key + (not self.in_rows)) + (GAP_PX if not self.in_rows else 4)
        self.left_px = self._measure_left()
        self.right_px = self._measure_right()
        self.plot_px = width_px - self.left_px - self.right_px
        if self.in_rows:
            self.plot_height_px = self.count * (self.lane_count * _BAR_PX + _BETWEEN_ROWS_PX)
        else:
            self.plot_height_px = min(max(width_px * 0.34, 150.0), 320.0)
        self.tick_texts = {} if self.in_rows else self._fit_ticks()
        tick_lines = max((len(lines) for lines in self.tick_texts.values()), default=1)
        footer_px = GAP_PX + (1 + tick_lines) * LINE_PX
        self.height_px = round(self.header_px + self.plot_height_px + footer_px)

    def _count_lanes(self) -> int:
        if self.spec.kind == Kind.BARS and not self.spec.adds_up:
            return len(self.spec.series)
        with_intervals = [one for one in self.spec.series if any(mark and mark.low is not None for mark in one.marks)]
        # Dots share a lane until their whiskers would hide each other.
        return len(self.spec.series) if self.spec.kind == Kind.DOTS and len(with_intervals) > 1 else 1

    def _measure_left(self) -> float:
        spec = self.spec
        if not self.in_rows:
            return max(text_width_px(tick.text) for tick in spec.axis.ticks) + GAP_PX
        widest = max(text_width_px(category.tick_text) for category in spec.categories)
        left = min(widest, self._width_px * 0.35) + GAP_PX
        return left + self._overhang(left, below=True)

    def _measure_right(self) -> float:
        if self.ends:
            widest = max(text_width_px(end.text) for end in self.ends)
            return min(widest, self._width_px * 0.4) + LEADER_PX + 4
        last_tick_px = text_width_px(self.spec.axis.ticks[-1].text if self.in_rows else "") / 2
        return max(GAP_PX, last_tick_px + 2, self._overhang(self.left_px, below=False) if self.in_rows else 0)

    def _fit_ticks(self) -> dict[int, list[str]]:
        """The named categories of an upright chart: of many on a scale some give way, bars' names are broken or cut."""
        step = self.plot_px / max(self.count - 1 if self.runs_on else self.count, 1)
        named = [place for place, category in enumerate(self.spec.categories) if category.tick]
        texts = {place: printable(self.spec.categories[place].tick_text) for place in named}
        if self.spec.kind != Kind.BARS:
            room = step * min((right - left for left, right in itertools.pairwise(named)), default=self.count)
            every = math.ceil((max(map(text_width_px, texts.values()), default=0) + 6) / room)
            return {place: [texts[place]] for place in named[::every]}
        return {place: broken(text, max(step - 6, 24)) for place, text in texts.items()}

    def _overhang(self, left: float, *, below: bool) -> float:
        """How far the widest value beside its bar reaches beyond the plot, if the plot were as narrow as it may get."""
        if not self.values_are_written:
            return 0.0
        axis = self.spec.axis
        widths = [
            (text_width_px(with_interval(mark)) + GAP_PX, end)
            for series in self.spec.series
            for place, mark in enumerate(series.marks)
            if mark
            for end, sign in (self.beside(mark, place),)
            if (sign < 0) is below
        ]
        narrowest = self._width_px - left - max((width for width, _ in widths), default=0.0)
        per_unit = narrowest / (axis.high - axis.low)
        rooms = ((end - axis.low if below else axis.high - end) * per_unit for _, end in widths)
        return max([0.0, *(width - room for (width, _), room in zip(widths, rooms, strict=True))])

    @property
    def values_are_written(self) -> bool:
        """Whether rows have their values at the end of the bar or dot."""
        return (self.spec.kind == Kind.BARS and not self.spec.adds_up) or len(self.spec.series) == 1

    def beside(self, mark: Mark, place: int) -> tuple[float, int]:
        """Beyond which value a mark's text stands, and on which side of it: 1 after it, -1 before it."""
        if not self.steps:
            return far_end(mark), -1 if mark.value < 0 else 1
        step = self.steps[place] or (0.0, 0.0)
        return (min(step), -1) if max(step) <= 0 and min(step) < 0 else (max(step), 1)

    def _end_labels(self) -> list[EndLabel]:
        if not (self.runs_on or (self.spec.adds_up and not self.in_rows and len(self.spec.series) > 1)):
            return []
        labels = []
        for number, series in enumerate(self.spec.series):
            if self.is_named_point(series):
                continue
            known = [place for place, mark in enumerate(series.marks) if mark]
            if not known:
                continue
            place = known[-1] if self.spec.kind == Kind.LINE else self.count - 1
            mark = series.marks[place]
            value = mark.value if mark else 0.0
            if self.spec.adds_up:
                value = self.base(number, place, value) + (value / 2 if len(self.spec.series) > 1 else value)
            name = series.name if len(self.spec.series) > 1 else ""
            labels.append(EndLabel(name, mark.text if mark else "", series, place, value))
        return labels

    def is_named_point(self, series: Series) -> bool:
        """Whether a series of a line chart is one mark, with its name beside it."""
        return self.spec.kind == Kind.LINE and len(self.spec.series) > 1 and series.is_a_point

    def base(self, number: int, place: int, value: float) -> float:
        """Where a mark starts: of stacked series, on those before it with the same sign."""
        if self.steps:
            return (self.steps[place] or (0.0, 0.0))[0]
        if not self.spec.adds_up:
            return 0.0
        below = (series.marks[place] for series in self.spec.series[:number])
        return sum(mark.value for mark in below if mark and (mark.value < 0) is (value < 0))

    def lane(self, number: int) -> Lane:
        if self.in_rows:
            share = self.lane_count * _BAR_PX / (self.lane_count * _BAR_PX + _BETWEEN_ROWS_PX)
        elif self.spec.kind == Kind.HISTOGRAM:
            share = 1.0
        else:
            room_px = self.plot_px / self.count
            share = min(_GROUP, self.lane_count * _THICKEST_BAR_PX / room_px)
        breadth = share / self.lane_count
        lane = number if self.lane_count > 1 else 0
        return Lane((lane - (self.lane_count - 1) / 2) * breadth, breadth)

    def fits_above_bars(self, lane: Lane) -> bool:
        """Whether the value of every upright bar has room above it."""
        room_px = self.plot_px / self.count * (lane.breadth if self.lane_count > 1 else 1)
        texts = (mark.text for series in self.spec.series for mark in series.marks if mark)
        return all(text_width_px(text) + 2 <= room_px for text in texts)
