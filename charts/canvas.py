"""Paths and text on a picture measured in CSS pixels, drawn by matplotlib and written as plain SVG."""

import functools
import io
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, TypeAlias
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.textpath import text_to_path

from charts.wording import INK, printable

Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = tuple[Point, ...]  # the points that a line leads to: one straight on, three as a Bézier curve

MUTED, GRID, ZERO = "#5a6372", "#e2e5ea", "#868f9d"
FONT_PX = 13.0
_PX_PER_INCH = 72  # so that matplotlib's points, the unit of its SVG, are the picture's pixels
# matplotlib brings DejaVu Sans along, so text is measured alike everywhere; Inter, which may be shown, is narrower.
_MEASURED_IN = "DejaVu Sans"
_SHOWN_IN = "Inter, 'DejaVu Sans', sans-serif"
_HALO_PX = 3.0
_ALIKE_PX = 0.01  # what sums and differences of widths may be off by
_DRAWING = threading.Lock()
_CODES = {1: Path.LINETO, 3: Path.CURVE4}
_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "charts",
    "path.simplify": False,  # every vertex is a value
    "text.parse_math": False,  # "$10 to $20" is no formula
    "font.family": [_MEASURED_IN],
}


@contextmanager
def drawing() -> Iterator[None]:
    """The context to draw and save in. As it changes matplotlib's global settings, one thread is in it at a time."""
    with _DRAWING, rc_context(_SETTINGS):
        yield


def text_width_px(text: str, *, bold: bool = False, size_px: float = FONT_PX) -> float:
    font = FontProperties(family=_MEASURED_IN, weight="bold" if bold else "normal", size=size_px)
    width, _, _ = text_to_path.get_text_width_height_descent(_measurable(printable(text)), font, ismath=False)
    return float(width)


def shortened(text: str, most_px: float, *, size_px: float = FONT_PX) -> str:
    """Return `text`, cut and with an ellipsis where it is wider than `most_px`."""
    text = printable(text)
    if text_width_px(text, size_px=size_px) <= most_px + _ALIKE_PX:
        return text
    while text and text_width_px(f"{text}…", size_px=size_px) > most_px:
        text = text[:-1].rstrip()
    return f"{text}…"


class Canvas:
    """A picture of `width_px` by `height_px`; places are counted from its top left corner."""

    def __init__(self, width_px: float, height_px: float) -> None:
        self.width_px, self.height_px = width_px, height_px
        self._figure = Figure(figsize=(width_px / _PX_PER_INCH, height_px / _PX_PER_INCH), dpi=_PX_PER_INCH)
        self._canvas = FigureCanvasSVG(self._figure)
        self._figure.patch.set_visible(False)
        self._texts: list[str] = []
        self._written: list[Annotation] = []
        self._haloed: set[int] = set()
        self._turned: set[int] = set()
        self._above = itertools.count()  # what is drawn later lies above what was drawn before

    def plot(self, *, left: float, top: float, width: float, height: float, x: Point, y: Point) -> Axes:
        """Return a part of the picture with coordinates of its own: `x` from left to right, `y` from bottom to top."""
        bottom = self.height_px - top - height
        box = (left / self.width_px, bottom / self.height_px, width / self.width_px, height / self.height_px)
        axes = self._figure.add_axes(box)
        axes.set_axis_off()
        axes.set_xlim(*x)
        axes.set_ylim(*y)
        return axes

    def line(
        self,
        axes: Axes,
        points: Sequence[Point],
        *,
        colour: str,
        width: float = 1.0,
        name: str = "",
        dashed: bool = False,
        transform: Any = None,
    ) -> None:
        """Draw through `points`; `name` becomes the path's id. `transform`: where they are not in the plot's units."""
        x, y = zip(*points, strict=True)
        line = Line2D(x, y, color=colour, linewidth=width, clip_on=False, gid=name or None, solid_capstyle="butt")
        if dashed:
            line.set_dashes((5 / width, 3.5 / width))  # matplotlib counts dashes in widths of the line
        if transform is not None:
            line.set_transform(transform)
        axes.add_artist(line).set_zorder(next(self._above))

    def shape(
        self,
        axes: Axes,
        points: Sequence[Point],
        *,
        fill: str,
        name: str = "",
        opacity: float = 1.0,
        edge: bool = False,
    ) -> None:
        """Fill the outline through `points`; `edge`: with a white line around it."""
        shape = Polygon(
            points,
            facecolor=fill,
            alpha=opacity if opacity < 1 else None,
            edgecolor="#ffffff" if edge else "none",
            linewidth=1.0 if edge else 0.0,
            clip_on=False,
            gid=name or None,
        )
        axes.add_artist(shape).set_zorder(next(self._above))

    def boxes(self, axes: Axes, corners: Sequence[tuple[Point, Point]], *, fill: str, name: str = "") -> None:
        """Fill boxes, each given by two opposite corners, with a white line around each: as one path."""
        vertices, codes = [], []
        for (x0, y0), (x1, y1) in corners:
            vertices += [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
            codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
        boxes = PathPatch(
            Path(vertices, codes), facecolor=fill, edgecolor="#ffffff", linewidth=1.0, clip_on=False, gid=name or None
        )
        axes.add_artist(boxes).set_zorder(next(self._above))

    def outline(
        self, axes: Axes, start: Point, lines: Sequence[Curve], *, fill: str, name: str = "", opacity: float = 1.0
    ) -> None:
        """Fill what `lines`, straight or curved, enclose from `start` on."""
        codes = [Path.MOVETO, *(_CODES[len(line)] for line in lines for _ in line), Path.CLOSEPOLY]
        path = Path([start, *itertools.chain.from_iterable(lines), start], codes)
        shape = PathPatch(path, facecolor=fill, alpha=opacity, linewidth=0.0, clip_on=False, gid=name or None)
        axes.add_artist(shape).set_zorder(next(self._above))

    def dot(self, axes: Axes, at: Point, *, fill: str, diameter_px: float, name: str = "") -> None:
        (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
        box = axes.get_window_extent()
        width, height = diameter_px * abs(x1 - x0) / box.width, diameter_px * abs(y1 - y0) / box.height
        dot = Ellipse(at, width, height, facecolor=fill, edgecolor="#ffffff", linewidth=1.0, clip_on=False)
        dot.set_gid(name or None)
        axes.add_artist(dot).set_zorder(next(self._above))

    def write(
        self,
        text: str,
        at: Point,
        *,
        axes: Axes | None = None,
        offset_px: Point = (0, 0),
        align: str = "left",
        upright_align: str = "center_baseline",
        colour: str = INK,
        bold: bool = False,
        size_px: float = FONT_PX,
        halo: bool = False,
        turned: bool = False,
    ) -> None:
        """Write `text` at a place of the plot, or of the picture without `axes`; `offset_px`: to the right and down.

        `halo`: with a white edge that sets it off from what it lies on. `turned`: so that it runs upwards.
        """
        self._texts.append(printable(text))
        place = at if axes else (at[0] / self.width_px, 1 - at[1] / self.height_px)
        artist = (axes or self._axes_of_picture).annotate(
            _measurable(self._texts[-1]),
            place,
            xycoords="figure fraction" if axes is None else "data",
            xytext=(offset_px[0], -offset_px[1]),
            textcoords="offset points",
            ha=align,
            va=upright_align,
            color=colour,
            fontsize=size_px,
            fontweight="bold" if bold else "normal",
            annotation_clip=False,
            rotation=90 if turned else 0,
            rotation_mode="anchor" if turned else "default",
        )
        artist.set_gid(f"text {len(self._texts) - 1}")
        artist.set_zorder(next(self._above))
        self._written.append(artist)
        if halo:
            self._haloed.add(len(self._texts) - 1)
        if turned:
            self._turned.add(len(self._texts) - 1)

    def swatch(self, at: Point, *, fill: str, is_round: bool) -> None:
        """Draw the colour of an entry of a key, with its left edge at a place of the picture."""
        x, y = at
        if is_round:
            self.dot(self._axes_of_picture, (x + 5, y), fill=fill, diameter_px=10)
        else:
            self.shape(self._axes_of_picture, ((x, y - 5), (x + 10, y - 5), (x + 10, y + 5), (x, y + 5)), fill=fill)

    @functools.cached_property
    def _axes_of_picture(self) -> Axes:
        return self.plot(
            left=0, top=0, width=self.width_px, height=self.height_px, x=(0, self.width_px), y=(self.height_px, 0)
        )

    def svg(self, *, name: str, title: str, description: str) -> str:
        """Return the picture as SVG; `name`: the start of the ids of its title and description."""
        file = io.StringIO()
        self._figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        width, height = f"{self.width_px:g}", f"{self.height_px:g}"
        root = Element("svg", xmlns="http://www.w3.org/2000/svg", width=width, height=height)
        root.set("viewBox", f"0 0 {width} {height}")
        root.set("role", "img")
        root.set("aria-labelledby", f"{name}-title {name}-desc")
        root.set("font-family", _SHOWN_IN)
        root.set("stroke-linejoin", "round")
        SubElement(root, "title", id=f"{name}-title").text = printable(title)
        SubElement(root, "desc", id=f"{name}-desc").text = printable(description)
        root.extend(self._drawn(fromstring(file.getvalue())))
        for child in root:
            child.tail = "\n"
        root.text = "\n"
        return tostring(root, encoding="unicode") + "\n"

    def write_png(self, file: IO[bytes], *, scale: float) -> None:
        """Write the picture on white, with `scale` times as many pixels as it measures.

        A letter that the font does not have is drawn as a replacement character, for as wide as it was measured.
        """
        known = _letters()
        for place, (text, artist) in enumerate(zip(self._texts, self._written, strict=True)):
            artist.set_text("".join(letter if ord(letter) in known else "\N{REPLACEMENT CHARACTER}" for letter in text))
            if place in self._haloed:
                artist.set_path_effects([withStroke(linewidth=_HALO_PX, foreground="#ffffff")])
        self._figure.patch.set_visible(True)
        self._figure.savefig(file, format="png", dpi=_PX_PER_INCH * scale, facecolor="#ffffff")

    def _drawn(self, matplotlibs: Element) -> Iterable[Element]:
        """Paths and texts without matplotlib's groups, ids and style attributes, which a content policy forbids."""
        for group in matplotlibs.iter("{http://www.w3.org/2000/svg}g"):
            name = group.get("id", "")
            for child in group:
                kind = child.tag.rpartition("}")[2]
                if kind == "path":
                    path = Element("path", {"id": name} if "_" not in name else {})
                    path.set("d", " ".join(child.get("d", "").split()))
                elif kind == "text":
                    place = int(name.removeprefix("text "))
                    path = Element("text", x=child.get("x", ""), y=child.get("y", ""))
                    path.text = self._texts[place]
                    if place in self._turned:
                        path.set("transform", child.get("transform", ""))
                else:
                    continue
                for key, value in _declarations(child.get("style", "")):
                    path.set(key, value)
                if kind == "text" and place in self._haloed:
                    yield _halo(path)
                yield path


def _halo(text: Element) -> Element:
    """The edge of a text, to lie under it: not all that print SVG know an order of fill and stroke."""
    white = {"fill": "#ffffff", "stroke": "#ffffff", "stroke-width": f"{_HALO_PX:g}", "aria-hidden": "true"}
    edge = Element("text", text.attrib | white)
    edge.text = text.text
    return edge


def _declarations(style: str) -> Iterable[tuple[str, str]]:
    for declaration in filter(None, style.split("; ")):
        key, _, value = declaration.partition(": ")
        if key == "font-weight":
            yield key, "600"
        elif key not in ("font-family", "stroke-dashoffset", "stroke-linejoin"):
            yield key, value


def _measurable(text: str) -> str:
    """Return `text` with a wide letter for each that the measuring font does not have, such as Chinese or an emoji."""
    known = _letters()
    return "".join(letter if ord(letter) in known else "M" for letter in text)


@functools.cache
def _letters() -> frozenset[int]:
    return frozenset(get_font(findfont(_MEASURED_IN)).get_charmap())
