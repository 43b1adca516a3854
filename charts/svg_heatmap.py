"""A heatmap as a picture: SVG for PDF and mail, PNG for programs that have no such chart.

In the SVG the cells of a class are a path with the id "-above-3" after the chart's, and what hatches some of them one
with "-thin" after that. Texts stand in the cells where all of them have room, in letters of one size.
"""

import io
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from matplotlib.axes import Axes

from charts.canvas import FONT_PX, MUTED, Canvas, Point, drawing, shortened, text_width_px
from charts.heat import Scale, ScaleStep, heat_class, scale, shade, shade_name
from charts.layout import GAP_PX, LINE_PX
from charts.placing import around, broken
from charts.spec import ChartSpec, Mark
from charts.wording import printable

_ROW_PX, _ROW_OF_MANY_PX, _FEW_ROWS = 26.0, 17.0, 16
_BROADEST_PX, _MOST_FOR_NAMES = 110.0, 0.3  # of a cell, and of the width for the names of rows
_LEAST_WHOLE_PX, _AROUND_TEXT_PX = 12.0, 4.0
_SMALLEST_PX, _SMALLER_BY_PX = 9.0, 0.5  # letters in cells: on paper a picture of 680 pixels is 178 mm wide
_TALLEST_NAME_PX = 130.0
_LEAST_PITCH_PX = 15.0  # from one name that runs upwards to the next
_STEP_PX, _STEP_HEIGHT_PX = 15.0, 13.0
_BETWEEN_PX = 20.0  # the parts of the scale
_STRIPE_PX, _STRIPE_WIDTH_PX = 6.0, 1.2
_PEN_UP = (math.nan, math.nan)

Box: TypeAlias = tuple[Point, Point]  # two opposite corners


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the scale: coloured boxes with words before and after them."""

    before: str
    boxes: tuple[ScaleStep, ...]
    after: str
    is_hatched: bool = False

    @property
    def width_px(self) -> float:
        words = [text_width_px(text) for text in (self.before, self.after) if text]
        return sum([*words, *map(_box_px, self.boxes)]) + GAP_PX * (len(words) + bool(self.boxes) - 1)


class HeatLayout:
    """The measures of a heatmap on its part of the picture; `named`: its title is written above it."""

    def __init__(self, spec: ChartSpec, *, width_px: float, named: bool) -> None:
        self.spec, self.named = spec, named
        self.parts = [*_flow(_parts(scale(spec)), width_px)]
        labels = (spec.category_title, *(category.label for category in spec.categories))
        widest = max(map(text_width_px, labels))
        self.names_px = math.ceil(min(widest, width_px * _MOST_FOR_NAMES) + GAP_PX)
        self.breadth_px = min((width_px - self.names_px) / len(spec.series), _BROADEST_PX)
        if self.breadth_px > _LEAST_WHOLE_PX:  # or whole pixels would waste much of the width
            self.breadth_px = math.floor(self.breadth_px)
        self.row_px = _ROW_PX if len(spec.categories) <= _FEW_ROWS else _ROW_OF_MANY_PX
        names = [printable(series.name) for series in spec.series]
        self.names = [broken(name, self.breadth_px - _AROUND_TEXT_PX) for name in names]
        self.names_turned = [" ".join(lines) for lines in self.names] != names
        if self.names_turned:
            self.names = [[shortened(name, _TALLEST_NAME_PX)] for name in names]
            self.header_px = math.ceil(max(text_width_px(name) for (name,) in self.names) + GAP_PX)
        else:
            self.header_px = math.ceil(LINE_PX * max(map(len, self.names)) + GAP_PX / 2)
        self.text_px = self._measure_texts()
        self.top_px = LINE_PX * named + self.parts[-1][2] + LINE_PX + GAP_PX + self.header_px
        self.height_px = round(self.top_px + self.row_px * len(spec.categories) + 2)

    @property
    def is_written(self) -> bool:
        """Whether the cells say their values."""
        return self.text_px > 0

    def _measure_texts(self) -> float:
        """The size of the letters in cells: as large as elsewhere, or smaller so that all have room; 0 without any."""
        texts = {mark.text for series in self.spec.series for mark in series.marks if mark}
        widest = max(map(text_width_px, texts), default=0.0)
        room = self.breadth_px - _AROUND_TEXT_PX
        sizes = itertools.count(FONT_PX, -_SMALLER_BY_PX)
        allowed = itertools.takewhile(lambda size: size >= _SMALLEST_PX, sizes)
        return next((size for size in allowed if widest * size / FONT_PX <= room), 0.0)


def draw(layout: HeatLayout, canvas: Canvas, *, left: float, top: float) -> None:
    """Draw a heatmap with its top left corner at a place of the picture."""
    _Panel(layout, canvas, left, top).draw()


def png(spec: ChartSpec, *, width_px: float, scale: float = 2.0) -> bytes:
    """Return the picture with `scale` times as many pixels, on white."""
    file = io.BytesIO()
    with drawing():
        layout = HeatLayout(spec, width_px=width_px, named=False)
        canvas = Canvas(width_px, layout.height_px)
        draw(layout, canvas, left=0, top=0)
        canvas.write_png(file, scale=scale)
    return file.getvalue()


class _Panel:
    """One heatmap on its part of the picture, with pixels for the units of its plot."""

    def __init__(self, layout: HeatLayout, canvas: Canvas, left: float, top: float) -> None:
        self._layout, self._canvas, self._spec = layout, canvas, layout.spec
        width, height = layout.names_px + layout.breadth_px * len(self._spec.series), float(layout.height_px)
        self._axes: Axes = canvas.plot(left=left, top=top, width=width, height=height, x=(0, width), y=(height, 0))

    def draw(self) -> None:
        y = LINE_PX / 2
        if self._layout.named:
            self._canvas.write(self._spec.title, (0, y), axes=self._axes, bold=True)
            y += LINE_PX
        for part, x, down in self._layout.parts:
            self._draw_part(part, x, y + down)
        self._name_rows()
        self._name_columns()
        cells = [
            (mark, self._box(number, place))
            for number, series in enumerate(self._spec.series)
            for place, mark in enumerate(series.marks)
            if mark
        ]
        classes = {heat_class(mark.value, self._spec.axis) for mark, _ in cells}
        for one in sorted(classes):
            self._draw_cells(one, [cell for cell in cells if heat_class(cell[0].value, self._spec.axis) == one])

    def _draw_part(self, part: _Part, x: float, y: float) -> None:
        if part.before:
            self._canvas.write(part.before, (x, y), axes=self._axes, colour=MUTED)
            x += text_width_px(part.before) + GAP_PX
        for box in part.boxes:
            colours = shade(box.number)
            corners = ((x, y - _STEP_HEIGHT_PX / 2), (x + _box_px(box), y + _STEP_HEIGHT_PX / 2))
            self._canvas.boxes(self._axes, [corners], fill=colours.fill)
            if part.is_hatched:
                self._canvas.line(self._axes, [*_stripes(corners)], colour=colours.line, width=_STRIPE_WIDTH_PX)
            if box.text:
                middle = (x + _box_px(box) / 2, y)
                self._canvas.write(box.text, middle, axes=self._axes, align="center", colour=colours.text)
            x += _box_px(box)
        self._canvas.write(part.after, (x + (GAP_PX if part.boxes else 0), y), axes=self._axes, colour=MUTED)

    def _name_rows(self) -> None:
        layout, edge = self._layout, self._layout.names_px - GAP_PX
        title = shortened(self._spec.category_title, edge)
        self._canvas.write(title, (edge, layout.top_px - LINE_PX / 2), axes=self._axes, align="right", colour=MUTED)
        for place, category in enumerate(self._spec.categories):
            at = (edge, layout.top_px + (place + 0.5) * layout.row_px)
            self._canvas.write(shortened(category.label, edge), at, axes=self._axes, align="right")

    def _name_columns(self) -> None:
        layout = self._layout
        every = math.ceil(_LEAST_PITCH_PX / layout.breadth_px) if layout.names_turned else 1
        for number, lines in [*enumerate(layout.names)][::every]:
            x = layout.names_px + (number + 0.5) * layout.breadth_px
            if layout.names_turned:
                at = (x, layout.top_px - GAP_PX / 2)
                self._canvas.write(lines[0], at, axes=self._axes, turned=True, colour=MUTED)
                continue
            for up, line in enumerate(reversed(lines)):
                at = (x, layout.top_px - (up + 0.5) * LINE_PX)
                self._canvas.write(line, at, axes=self._axes, align="center", colour=MUTED)

    def _box(self, number: int, place: int) -> Box:
        layout = self._layout
        x, y = layout.names_px + number * layout.breadth_px, layout.top_px + place * layout.row_px
        return (x, y), (x + layout.breadth_px, y + layout.row_px)

    def _draw_cells(self, number: int, cells: Sequence[tuple[Mark, Box]]) -> None:
        """Draw the cells of a class."""
        colours, name = shade(number), f"{self._spec.id}-{shade_name(number)}"
        self._canvas.boxes(self._axes, [box for _mark, box in cells], fill=colours.fill, name=name)
        if stripes := [point for mark, box in cells if mark.is_thin for point in _stripes(box)]:
            self._canvas.line(self._axes, stripes, colour=colours.line, width=_STRIPE_WIDTH_PX, name=f"{name}-thin")
        for mark, ((left, top), (right, bottom)) in cells if self._layout.is_written else ():
            middle = ((left + right) / 2, (top + bottom) / 2)
            if mark.is_thin:
                self._clear(mark.text, middle, colour=colours.fill)
            size = self._layout.text_px
            self._canvas.write(mark.text, middle, axes=self._axes, align="center", colour=colours.text, size_px=size)

    def _clear(self, text: str, middle: Point, *, colour: str) -> None:
        """Keep stripes off a text."""
        x, y = middle
        size = self._layout.text_px
        half, half_height = text_width_px(text, size_px=size) / 2 + 2, size / 2 + 1
        corners = [*around((x - half, x + half), (y - half_height, y + half_height))]
        self._canvas.shape(self._axes, corners, fill=colour)


def _stripes(box: Box) -> Iterator[Point]:
    """The ends of stripes over a box, within its white edge, with a place where the pen is up after each."""
    (left, top), (right, bottom) = box
    width, height = right - left - 1, bottom - top - 1
    for stripe in range(1, math.ceil((width + height) / _STRIPE_PX)):
        along = stripe * _STRIPE_PX  # the sum of a point's distances from the corner
        for x in (max(0.0, along - height), min(width, along)):
            yield left + 0.5 + x, top + 0.5 + along - x
        yield _PEN_UP


def _parts(scale: Scale) -> Iterator[_Part]:
    yield _Part("", (), scale.title)
    yield _Part(scale.low, scale.steps, scale.high)
    if scale.thin:
        hatched = next(step for step in scale.steps if step.number == 0)
        yield _Part("", (replace(hatched, text=""),), scale.thin, is_hatched=True)


def _flow(parts: Iterable[_Part], width_px: float) -> Iterator[tuple[_Part, float, float]]:
    """Place the parts beside each other as far as there is room, and below them where there is not."""
    x = y = 0.0
    for part in parts:
        if x and x + part.width_px > width_px:
            x, y = 0.0, y + LINE_PX
        yield part, x, y
        x += part.width_px + _BETWEEN_PX


def _box_px(box: ScaleStep) -> float:
    return max(_STEP_PX, text_width_px(box.text) + GAP_PX) if box.text else _STEP_PX
