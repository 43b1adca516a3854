"""A Sankey diagram as a picture: SVG for PDF and mail, PNG for slides and sheets.

In the SVG every node is a path with the id "-n3" after the chart's, for the fourth node, and every link one with "-l3".
"""

import io
import itertools

from charts.canvas import FONT_PX, MUTED, Canvas, Curve, Point, drawing, shortened, text_width_px
from charts.sankey import SankeyNode, SankeySpec
from charts.sankey_layout import GAP_PX, NODE_PX, Box, Ribbon, lay_out
from charts.wording import printable

_WORDS_PX = 6.0  # from a node to its name
_LINE_PX = 16.0
_WIDE_PX, _SMALL_PX = 150.0, 11.0  # from a column to the next; where they stand closer, letters are small
_LEAST_NAME_PX = 44.0
_LEAST_NODE_PX = 1.0  # a node of few is a line, and not nothing
_MOST_FOR_ENDS = 0.25  # of the width, for the names to the right of the ends
_OPACITY, _OPACITY_OF_LOSS = 0.34, 0.17
_ALIKE = 1e-6  # pixels


def drawn(spec: SankeySpec, *, width_px: float) -> Canvas:
    """Draw `spec` on a canvas of its own, in the context of `drawing()`."""
    picture = _Picture(spec, width_px)
    picture.draw()
    return picture.canvas


def png(spec: SankeySpec, *, width_px: float, scale: float = 2.0) -> bytes:
    """Return the picture with `scale` times as many pixels, on white."""
    file = io.BytesIO()
    with drawing():
        drawn(spec, width_px=width_px).write_png(file, scale=scale)
    return file.getvalue()


class _Picture:
    """One diagram on its canvas."""

    def __init__(self, spec: SankeySpec, width_px: float) -> None:
        self._spec, self._layout = spec, lay_out(spec)
        height = self._layout.height_px
        self.canvas = Canvas(width_px, height)
        self._axes = self.canvas.plot(left=0, top=0, width=width_px, height=height, x=(0, width_px), y=(height, 0))
        words = [(text, True) for node in spec.nodes if node.is_end for text in (node.name, node.text)]
        widths = [text_width_px(text, bold=bold) for text, bold in (*words, (spec.step_titles[-1], False))]
        self._right_px = min(max(widths) + _WORDS_PX + 2, width_px * _MOST_FOR_ENDS)
        self._pitch = (width_px - self._right_px - NODE_PX) / spec.last_step
        self._size_px = FONT_PX if self._pitch >= _WIDE_PX else _SMALL_PX

    def draw(self) -> None:
        for column, title in enumerate(self._spec.step_titles):
            text = shortened(title, self._room(column) + NODE_PX, size_px=self._size_px)
            at = (self._left(column), _LINE_PX / 2)
            self.canvas.write(text, at, axes=self._axes, colour=MUTED, size_px=self._size_px)
        for number, (link, ribbon) in enumerate(zip(self._spec.links, self._layout.ribbons, strict=True)):
            colour = self._spec.nodes[link.source].colour.hex
            opacity = _OPACITY_OF_LOSS if self._spec.is_loss(link) else _OPACITY
            start, lines = self._around(ribbon)
            name = f"{self._spec.id}-l{number}"
            self.canvas.outline(self._axes, start, lines, fill=colour, opacity=opacity, name=name)
        for number, (node, box) in enumerate(zip(self._spec.nodes, self._layout.boxes, strict=True)):
            left, right = self._left(box.column), self._left(box.column) + NODE_PX
            spare = max(_LEAST_NODE_PX - (box.bottom - box.top), 0.0) / 2
            top, bottom = box.top - spare, box.bottom + spare
            corners = ((left, top), (right, top), (right, bottom), (left, bottom))
            self.canvas.shape(self._axes, corners, fill=node.colour.hex, name=f"{self._spec.id}-n{number}")
        for node, box in zip(self._spec.nodes, self._layout.boxes, strict=True):
            self._write(node, box)

    def _left(self, column: int) -> float:
        return column * self._pitch

    def _room(self, column: int) -> float:
        """How much room names have beside the nodes of a column."""
        if column == self._spec.last_step:
            return self._right_px - _WORDS_PX
        return self._pitch - NODE_PX - _WORDS_PX - 3

    def _around(self, ribbon: Ribbon) -> tuple[Point, list[Curve]]:
        """The outline of a link: along its upper edge, and back along its lower one."""
        upper: list[Point] = []
        for place, top in enumerate(ribbon.tops):
            left = self._left(ribbon.column + place)
            first, last = place == 0, place == len(ribbon.tops) - 1
            upper += [] if first else [(left, top)]
            upper += [] if last else [(left + NODE_PX, top)]
        lower = [(x, y + ribbon.thickness) for x, y in reversed(upper)]
        lines = [_between(*ends) for ends in itertools.pairwise(upper)]
        back = [_between(*ends) for ends in itertools.pairwise(lower)]
        return upper[0], [*lines, (lower[0],), *back]

    def _write(self, node: SankeyNode, box: Box) -> None:
        lines = self._lines(node, box)
        for place, line in enumerate(lines):
            at = (self._left(box.column) + NODE_PX + _WORDS_PX, box.middle + (place - (len(lines) - 1) / 2) * _LINE_PX)
            bold = node.is_end and place > 0
            self.canvas.write(line, at, axes=self._axes, bold=bold, size_px=self._size_px, halo=not node.is_end)

    def _lines(self, node: SankeyNode, box: Box) -> list[str]:
        """Name a node and say its value, on one line or two. A value is left out rather than cut."""
        size, room = self._size_px, self._room(box.column)
        text = printable(node.text)
        beside = room - text_width_px(f" {text}", size_px=size)
        if not node.is_end and text_width_px(printable(node.name), size_px=size) <= beside:
            return [f"{printable(node.name)} {text}"]
        if node.is_end:
            fits = text_width_px(text, bold=True, size_px=size) <= room
            return [shortened(node.name, room, size_px=size), *([text] if fits else [])]
        if beside > 0 and box.bottom - box.top + GAP_PX >= 2 * _LINE_PX:
            return [shortened(node.name, room, size_px=size), text]
        if beside >= _LEAST_NAME_PX:
            return [f"{shortened(node.name, beside, size_px=size)} {text}"]
        return [shortened(node.name, room, size_px=size)] if room >= _LEAST_NAME_PX else []


def _between(one: Point, other: Point) -> Curve:
    """The line from one point to another: flat at both ends, and straight where they are at one height."""
    if abs(one[1] - other[1]) < _ALIKE:
        return (other,)
    middle = (one[0] + other[0]) / 2
    return (middle, one[1]), (middle, other[1]), other
