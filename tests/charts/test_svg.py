"""SVG pictures: their geometry gives the values back, and they are safe, accessible and the same each time."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree.ElementTree import Element

import matplotlib as mpl
import pytest
from defusedxml.ElementTree import fromstring
from weasyprint import HTML

from charts import Category, Chart, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples
from charts.canvas import text_width_px
from charts.examples import EXAMPLES
from charts.placing import apart
from charts.svg import render, render_rows, rows_of
from tests.charts.readings import KINDS_WITH_AN_AXIS, PANELS, Readings, expected
from tests.charts.regenerate import GALLERY
from tests.charts.test_spec import mark, spec
from tests.charts.waterfalls import WATERFALLS

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]


class Drawing:
    """A picture as a reader sees it: places of paths, turned into values by two lines of the grid."""

    def __init__(self, svg: str, chart: ChartSpec) -> None:
        self.root = fromstring(svg)
        self.chart = chart
        self.in_rows = chart.kind in (Kind.DOTS, Kind.WATERFALL) or (chart.kind == Kind.BARS and chart.horizontal)
        self.paths = {path.get("id", ""): points(path) for path in self.root.iter(f"{SVG}path")}
        last = len(chart.axis.ticks) - 1
        self._ticks = [(self.along(f"tick-{number}")[0], chart.axis.ticks[number].value) for number in (0, last)]

    def along(self, name: str) -> list[float]:
        """The coordinates of a path in the direction of the value axis."""
        return [point[0 if self.in_rows else 1] for point in self.paths[f"{self.chart.id}-{name}"]]

    def value(self, place: float) -> float:
        (first, low), (last, high) = self._ticks
        return low + (place - first) / (last - first) * (high - low)

    def read(self) -> Readings:
        readings = Readings()
        pattern = re.compile(rf"{self.chart.id}-(s(\d+)-c(\d+)(?:-c(\d+))?(-interval)?)")
        for match in filter(None, map(pattern.fullmatch, self.paths)):
            name, number, first = match[1], int(match[2]), int(match[3])
            places = range(first, int(match[4] or first) + 1)
            values = [self.value(place) for place in self.along(name)]
            if len(places) > 1 and len(values) == 2 * len(places) - 1:
                values.append(values[0])  # an outline that ends where it starts is closed without saying so again
            if match[5]:
                highs = reversed(values[len(places) :])
                for place, low, high in zip(places, values, highs, strict=False):
                    readings.intervals[number, place] = (low, high)
            else:
                for place, value in zip(places, self._values(values, len(places)), strict=True):
                    readings.values[number, place] = value
        return readings

    def _values(self, places: list[float], count: int) -> list[float]:
        kind = self.chart.kind
        if kind == Kind.DOTS or (kind == Kind.LINE and count == 1):
            return [(min(places) + max(places)) / 2]
        if kind == Kind.LINE:
            return places
        if kind == Kind.AREA:
            bases = places[count : 2 * count][::-1]
            return [top - base for top, base in zip(places[:count], bases, strict=True)]
        return [places[1] - places[0]]


def points(path: Element) -> list[Point]:
    numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", path.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in fromstring(svg).iter(f"{SVG}text")]


def assert_drawn(svg: str, chart: ChartSpec) -> None:
    drawn, wanted = Drawing(svg, chart).read(), expected(chart)
    near = 1e-3 * (chart.axis.high - chart.axis.low)
    assert drawn.values == pytest.approx(wanted.values, abs=near)
    assert drawn.intervals.keys() == wanted.intervals.keys()
    for place, ends in wanted.intervals.items():
        assert drawn.intervals[place] == pytest.approx(ends, abs=near)


@pytest.mark.parametrize("width_px", [960, 480])
@pytest.mark.parametrize("name", PANELS)
def test_the_geometry_gives_back_every_value_and_interval(name: str, width_px: int) -> None:
    assert_drawn(render(PANELS[name], width_px=width_px), PANELS[name])


def test_small_multiples_draw_each_panel_with_its_values() -> None:
    svg = render(EXAMPLES["small-multiples"])

    for panel in EXAMPLES["small-multiples"].panels:
        assert_drawn(svg, panel)
        assert panel.title in texts(svg)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_golden_picture_is_what_is_drawn(name: str) -> None:
    golden = (GALLERY / f"{name}.svg").read_bytes()

    assert golden == render(EXAMPLES[name]).encode(), "look at the change, then: python -m tests.charts.regenerate"


def test_the_gallery_holds_no_other_pictures() -> None:
    assert {path.stem for path in GALLERY.glob("*.svg")} == set(EXAMPLES)


@pytest.mark.parametrize("chart", EXAMPLES.values(), ids=EXAMPLES)
def test_a_picture_says_what_it_shows_and_needs_no_style(chart: Chart) -> None:
    svg = render(chart)
    root = fromstring(svg)

    assert root.get("role") == "img"
    named = {element.get("id"): element.text or "" for element in root if element.get("id")}
    title, description = (named[one] for one in root.get("aria-labelledby", "").split())
    assert title == chart.title
    assert chart.summary in description
    assert chart.title not in texts(svg)
    assert not re.search(r"style|url\(|clip-path|gradient|xlink|var\(|<use|<script", svg)


@pytest.mark.parametrize("chart", EXAMPLES.values(), ids=EXAMPLES)
def test_no_id_is_there_twice(chart: Chart) -> None:
    ids = re.findall(r'\bid="([^"]+)"', render(chart))

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width_px", [960, 480, 300])
@pytest.mark.parametrize("chart", EXAMPLES.values(), ids=EXAMPLES)
def test_everything_lies_within_the_picture(chart: Chart, width_px: int) -> None:
    root = fromstring(render(chart, width_px=width_px))
    height = float(root.get("height", "0"))

    places = [point for path in root.iter(f"{SVG}path") for point in points(path)]
    places += [(float(text.get("x", "")), float(text.get("y", ""))) for text in root.iter(f"{SVG}text")]
    assert root.get("width") == str(width_px)
    assert all(-1 <= x <= width_px + 1 and -1 <= y <= height + 1 for x, y in places)


def test_bars_start_at_zero() -> None:
    chart = PANELS["example-upright-bars"]
    drawing = Drawing(render(chart), chart)

    for place in range(len(chart.categories)):
        assert drawing.value(drawing.along(f"s0-c{place}")[0]) == pytest.approx(0, abs=1e-3)


def test_a_value_between_two_gaps_is_drawn() -> None:
    categories = tuple(Category(label=label) for label in "abc")
    chart = spec(kind=Kind.LINE, categories=categories, series=(line(None, mark(4, 3, 5), None),))

    assert_drawn(render(chart), chart)


def test_one_category_and_a_series_of_gaps_are_drawn() -> None:
    for kind in KINDS_WITH_AN_AXIS:
        several = () if kind in (Kind.HISTOGRAM, Kind.WATERFALL) else (replace(line(None), name="Nothing"),)
        chart = spec(kind=kind, categories=(Category(label="Search"),), series=(line(mark(4)), *several))
        assert_drawn(render(chart), chart)


def test_stacked_values_below_zero_stack_downwards() -> None:
    chart = spec(
        axis=replace(spec().axis, low=-10),
        stacked=True,
        series=(line(mark(4), mark(-2)), replace(line(mark(-3), mark(-5)), name="Costs")),
    )

    assert_drawn(render(chart), chart)


@pytest.mark.parametrize("name", WATERFALLS)
def test_each_step_begins_where_the_one_before_it_ends(name: str) -> None:
    chart = WATERFALLS[name]
    near = 1e-3 * (chart.axis.high - chart.axis.low)

    for width_px in (960, 480):
        drawing = Drawing(render(chart, width_px=width_px), chart)
        assert drawing.read().values == pytest.approx(expected(chart).values, abs=near)
        ends = {
            place: [drawing.value(at) for at in drawing.along(f"s0-c{place}")[:2]]
            for _number, place in drawing.read().values
        }
        so_far = 0.0
        for place, one in enumerate(chart.series[0].marks):
            if one:
                assert ends[place][0] == pytest.approx(0.0 if one.is_total else so_far, abs=near)
                so_far = ends[place][1]


def line(*marks: Mark | None) -> Series:
    return Series(name="Revenue", colour=Colour.ACCENT, marks=marks)


def test_names_are_drawn_as_they_are_written() -> None:
    names = ("a < b & c", "$10 to $20", "広告 🎉", "tab\tand\x0bcontrol", "=cmd|'/c'!A1")
    chart = spec(
        horizontal=True,
        categories=tuple(Category(label=name) for name in names),
        series=(line(*(mark(1) for _ in names)),),
    )

    drawn = texts(render(chart))

    assert {"a < b & c", "$10 to $20", "広告 🎉", "tab and\N{REPLACEMENT CHARACTER}control", "=cmd|'/c'!A1"} <= set(
        drawn
    )


def test_an_amount_that_does_not_fit_is_left_out_rather_than_cut() -> None:
    chart = EXAMPLES["line"]

    assert "Same weeks of 2024 €177,000" in texts(render(chart))
    assert "Same weeks of 2024" in texts(render(chart, width_px=480))


def test_a_name_that_is_as_wide_as_its_room_is_not_cut() -> None:
    for name in ("Expected", "Baseline", "Observed", "Other channels", "Budget", "Wdth"):
        categories = (Category(label=name), Category(label="a"))
        chart = spec(horizontal=True, categories=categories, series=(line(mark(1), mark(2)),))
        for width_px in range(300, 400, 7):
            assert name in texts(render(chart, width_px=width_px))


@pytest.mark.parametrize("apart_by", [0, 1, 2, 5])
@pytest.mark.parametrize("at", [1, 5, 9])
@pytest.mark.parametrize("width_px", [280, 324, 480, 960])
def test_names_of_points_that_are_close_do_not_meet(apart_by: int, at: int, width_px: int) -> None:
    count = 21
    rising: list[Mark | None] = [mark(place / 2) for place in range(count)]

    def point(place: int) -> list[Mark | None]:
        return [rising[place] if place == other else None for other in range(count)]

    chart = spec(
        kind=Kind.LINE,
        categories=tuple(Category(label=f"€{place}") for place in range(count)),
        series=(
            replace(line(*rising), name="Observed"),
            replace(line(*point(at)), name="Present"),
            replace(line(*point(at + apart_by)), name="Recommended"),
        ),
    )
    written = {
        text.text: (
            float(text.get("x", "")) - (text_width_px(text.text or "") if text.get("text-anchor") == "end" else 0),
            float(text.get("y", "")),
        )
        for text in fromstring(render(chart, width_px=width_px)).iter(f"{SVG}text")
    }
    (x, y), (other_x, other_y) = written["Present"], written["Recommended"]
    meet = x < other_x + text_width_px("Recommended") and other_x < x + text_width_px("Present")
    assert not meet or abs(y - other_y) >= 13


def test_rows_of_panels_are_pictures_of_their_own() -> None:
    chart = EXAMPLES["small-multiples"]
    assert isinstance(chart, SmallMultiples)
    rows = render_rows(chart, width_px=680)

    assert [len(row) for row in rows_of(chart, width_px=680)] == [2] * len(rows)
    assert len(rows) > 1
    for row, panels in zip(rows, rows_of(chart, width_px=680), strict=True):
        assert fromstring(row).get("width") == "680"
        for panel in panels:
            assert_drawn(row, panel)
            assert panel.title in texts(row)
    assert len({name for row in rows for name in re.findall(r'\bid="([^"]+)"', row)}) == sum(
        len(re.findall(r'\bid="', row)) for row in rows
    )


def test_labels_move_apart_and_keep_their_order() -> None:
    assert apart([10, 10, 50], least=15, most=100) == [10, 25, 50]
    assert apart([98, 99, 100], least=15, most=100) == [70, 85, 100]
    assert apart([50, 10], least=15, most=100) == [50, 10]


def test_two_threads_draw_the_same_pictures_as_one() -> None:
    charts: list[Chart] = [*EXAMPLES.values()] * 2
    one_by_one = [render(chart) for chart in charts]

    with ThreadPoolExecutor(max_workers=4) as threads:
        assert list(threads.map(render, charts)) == one_by_one


def test_drawing_leaves_matplotlibs_settings_alone() -> None:
    before = settings()
    render(EXAMPLES["line"])

    assert settings() == before


def settings() -> dict[str, object]:
    """All but the backend, which matplotlib chooses, and loads, when it is looked at."""
    return {name: value for name, value in mpl.rcParams.items() if name != "backend"}


def test_a_picture_has_a_least_width() -> None:
    with pytest.raises(ValueError, match="needs 240 pixels"):
        render(EXAMPLES["line"], width_px=100)


def test_small_multiples_stand_below_each_other_where_it_is_narrow() -> None:
    chart = EXAMPLES["small-multiples"]
    assert isinstance(chart, SmallMultiples)
    heights = [float(fromstring(render(chart, width_px=width)).get("height", "0")) for width in (960, 480)]

    assert heights[1] > 1.5 * heights[0]


def test_weasyprint_prints_the_pictures() -> None:
    pictures = "".join(render(chart, width_px=640) for chart in EXAMPLES.values())

    assert HTML(string=pictures).write_pdf().startswith(b"%PDF")
