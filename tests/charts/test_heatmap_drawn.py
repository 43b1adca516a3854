"""Heatmaps on pages and in pictures: both say the same values, in the colours of their classes."""

import json
import re
from collections import Counter
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from django.template.loader import render_to_string

from charts import ChartSpec, Mark, SmallMultiples
from charts.browser import figure, height_px, payload
from charts.example_flows import FLOWS
from charts.example_heatmaps import MANY, PAIRS, SHARES
from charts.examples import EXAMPLES
from charts.heat import heat_class, scale, shade, shade_name
from charts.svg import render, without_texts
from tests.charts.heatmaps import SHARES as SCALE_OF_SHARES
from tests.charts.heatmaps import cell, every_heatmap, looks, marks, matrix
from tests.charts.readings import Place, Readings, expected

SVG = "{http://www.w3.org/2000/svg}"


@every_heatmap
def test_the_payload_holds_every_value_interval_and_class(chart: ChartSpec) -> None:
    read, seen = Readings(), {}
    for number, series in enumerate(json.loads(json.dumps(payload(chart), allow_nan=False))["series"]):
        for place, mark in enumerate(series["marks"]):
            if mark:
                read.values[number, place] = mark["value"]
                seen[number, place] = (mark["shade"], mark.get("thin", False))
            if mark and "low" in mark:
                read.intervals[number, place] = (mark["low"], mark["high"])
    assert read == expected(chart)
    assert seen == {place: (shade_name(number), is_thin) for place, (number, is_thin) in looks(chart).items()}


def test_cells_are_links_of_their_own() -> None:
    linked = matrix((replace(cell(5), href="/a/"), cell(6)))
    assert payload(linked)["links"] == "cell"
    assert payload(matrix((cell(5),)))["links"] == "none"
    assert [figure(chart).panels[0].role for chart in (linked, matrix((cell(5),)))] == ["group", "group"]


def test_only_what_is_the_same_both_ways_is_of_a_pair() -> None:
    def named_alike(chart: ChartSpec) -> ChartSpec:
        names = [category.label for category in chart.categories]
        series = tuple(replace(one, name=name) for one, name in zip(chart.series, names, strict=True))
        return replace(chart, series=series)

    both_ways = matrix((None, cell(5)), (cell(5), None))
    assert not payload(both_ways)["symmetric"]
    assert payload(named_alike(both_ways))["symmetric"]
    elsewhere = matrix((None, replace(cell(5), href="/a/b/")), (replace(cell(5), href="/b/a/"), None))
    assert payload(named_alike(elsewhere))["symmetric"]
    assert not payload(named_alike(matrix((None, cell(5)), (cell(6), None))))["symmetric"]
    assert not payload(matrix((cell(5), cell(6))))["symmetric"]


def test_names_of_columns_run_upwards_where_there_are_many_or_a_long_word() -> None:
    assert [payload(chart)["names_turned"] for chart in (PAIRS, SHARES, MANY)] == [False, False, True]
    assert payload(of_names("Remarketing-Display"))["names_turned"]
    assert height_px(of_names("Retargeting Campaigns")) < height_px(of_names("Remarketing-Display"))
    assert height_px(of_names("x" * 500)) < 200


def of_names(*names: str) -> ChartSpec:
    """A row of cells with these names of columns."""
    chart = matrix(tuple(cell(1) for _ in names))
    return replace(chart, series=tuple(replace(one, name=name) for one, name in zip(chart.series, names, strict=True)))


def test_rows_of_links_are_high_enough_to_be_pointed_at() -> None:
    for rows in (2, 16, 17, 50):
        laid_out = payload(matrix(*((cell(1),) for _ in range(rows))))
        assert laid_out["row"] >= 24
        height = height_px(matrix(*((cell(1),) for _ in range(rows))))
        assert height == laid_out["header"] + rows * laid_out["row"]


def test_the_page_has_the_scale_a_place_to_scroll_and_links_in_the_table() -> None:
    page = render_to_string("components/chart.html", {"chart": PAIRS})
    key = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('<p class="heat-scale">') :].split("</p>")[0]))
    assert key.split() == [
        "Conversions",
        "more",
        "or",
        "fewer",
        "than",
        "alone",
        "−120",
        "0",
        "+120",
        "Not",
        "enough",
        "evidence",
    ]
    assert re.findall(r"heat-step heat-([\w-]+)", page) == [step.name for step in scale(PAIRS).steps]
    assert f'role="region" aria-label="Cells: {PAIRS.title}"' in page
    assert '<td class="number"><a href="#">+102 (62–142)</a></td>' in page
    assert "swatch-whisker" not in page


def test_a_chart_without_thin_evidence_does_not_explain_hatching() -> None:
    assert "is-thin" not in render_to_string("components/chart.html", {"chart": SHARES})


def boxes(path: Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the boxes that a path is made of."""
    found = []
    for outline in path.get("d", "").split("M")[1:]:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", outline)]
        found.append((min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])))
    return found


class Picture:
    """A picture as a reader sees it: boxes in colours, stripes over some of them, and words."""

    def __init__(self, chart: ChartSpec, svg: str) -> None:
        root = fromstring(svg)
        prefix = re.compile(rf"{chart.id}-((?:below|above)-\d|middle)(-thin)?")
        self.paths = {path.get("id", ""): path for path in root.iter(f"{SVG}path")}
        self.classes = {name: match[1] for name in self.paths if (match := prefix.fullmatch(name)) and not match[2]}
        self.words = [
            (float(text.get("x", "")), float(text.get("y", "")), text.text or "", text.get("fill", ""), text)
            for text in root.iter(f"{SVG}text")
        ]
        every = [box for name in self.classes for box in boxes(self.paths[name])]
        lefts, tops = sorted({round(box[0], 2) for box in every}), sorted({round(box[1], 2) for box in every})
        self.cells = {
            (lefts.index(round(box[0], 2)), tops.index(round(box[1], 2))): (name, box)
            for name in self.classes
            for box in boxes(self.paths[name])
        }

    def stripes(self, place: Place) -> bool:
        """Whether a stripe lies in the cell."""
        name, (left, top, right, bottom) = self.cells[place]
        hatching = self.paths.get(f"{name}-thin")
        return hatching is not None and any(
            left <= box[0] and box[2] <= right and top <= box[1] and box[3] <= bottom for box in boxes(hatching)
        )

    def text(self, place: Place) -> tuple[str, str] | None:
        """What stands in the cell, and in which colour."""
        _name, (left, top, right, bottom) = self.cells[place]
        inside = [(text, fill) for x, y, text, fill, _ in self.words if left < x < right and top < y < bottom]
        assert len(inside) <= 1
        return inside[0] if inside else None


@pytest.mark.parametrize("width_px", [1600, 960, 480])
@every_heatmap
def test_the_picture_has_every_cell_in_the_colour_of_its_class(chart: ChartSpec, width_px: int) -> None:
    picture, wanted = Picture(chart, render(chart, width_px=width_px)), looks(chart)

    assert picture.cells.keys() == wanted.keys()
    for place, (number, is_thin) in wanted.items():
        name, _box = picture.cells[place]
        assert picture.classes[name] == shade_name(number)
        assert picture.paths[name].get("fill") == shade(number).fill
        assert picture.stripes(place) == is_thin
        if is_thin:
            assert picture.paths[f"{name}-thin"].get("stroke") == shade(number).line


@every_heatmap
def test_cells_say_their_values_where_all_of_them_have_room(chart: ChartSpec) -> None:
    wide, narrow = (Picture(chart, render(chart, width_px=width_px)) for width_px in (1600, 240))

    for place, mark in marks(chart).items():
        assert wide.text(place) == (mark.text, shade(heat_class(mark.value, chart.axis)).text)
        assert narrow.text(place) is None


def test_where_there_is_less_room_letters_are_smaller_rather_than_left_out() -> None:
    def sizes(width_px: int) -> set[float]:
        texts = {mark.text for mark in marks(SHARES).values()}
        words = Picture(SHARES, render(SHARES, width_px=width_px)).words
        return {
            float(element.get("font-size", "0").removesuffix("px")) for *_, text, _, element in words if text in texts
        }

    found = {width: max(sizes(width), default=0.0) for width in (1600, 480, 420, 400, 380, 240)}
    assert found[1600] == 13
    assert any(9 <= size < 13 for size in found.values())
    assert [*found.values()] == sorted(found.values(), reverse=True)


@every_heatmap
@pytest.mark.parametrize("width_px", [1600, 960, 680, 480, 300, 240])
def test_a_picture_says_all_of_its_values_or_is_told_to_have_no_room(chart: ChartSpec, width_px: int) -> None:
    picture = Picture(chart, render(chart, width_px=width_px))
    is_written = [picture.text(place) is not None for place in marks(chart)]
    assert set(is_written) == {without_texts(chart, width_px=width_px) == []}


def test_only_heatmaps_are_ever_without_texts() -> None:
    small = SmallMultiples(id="both", title="Two", summary="Two.", panels=(SHARES, MANY))
    assert without_texts(small, width_px=680) == [SHARES, MANY]
    assert without_texts(small, width_px=1600) == []
    assert without_texts(EXAMPLES["upright-bars"], width_px=240) == []
    assert without_texts(next(iter(FLOWS.values())), width_px=240) == []


def test_the_picture_has_the_scale_and_says_what_hatching_means() -> None:
    said = Counter(text for _x, _y, text, _fill, _ in Picture(PAIRS, render(PAIRS)).words)
    assert all(
        said[text] == 1 for text in ("Conversions more or fewer than alone", "−120", "+120", "Not enough evidence")
    )
    assert said["Paid Search"] == 2
    assert "Not enough evidence" not in render(SHARES)


def test_names_of_columns_run_upwards_in_a_narrow_picture() -> None:
    def turned(width_px: int) -> set[str]:
        words = Picture(PAIRS, render(PAIRS, width_px=width_px)).words
        return {text for *_, text, _fill, element in words if "rotate(-90" in element.get("transform", "")}

    assert turned(960) == set()
    assert turned(300) == {series.name for series in PAIRS.series}


def test_panels_of_heatmaps_have_their_titles_and_cells() -> None:
    panels = (replace(PAIRS, title="All customers"), replace(SHARES, title="What follows"))
    svg = render(SmallMultiples(id="both", title="Two", summary="Two matrices.", panels=panels))
    for panel in panels:
        picture = Picture(panel, svg)
        assert picture.cells.keys() == marks(panel).keys()
        assert panel.title in [text for _x, _y, text, _fill, _ in picture.words]


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_matrix_of_one_cell_is_drawn(value: float) -> None:
    chart = matrix((Mark(value=value, text=f"{value:.0%}"),), axis=SCALE_OF_SHARES)
    assert Picture(chart, render(chart)).text((0, 0)) == (f"{value:.0%}", "#14181f")


def test_a_matrix_without_values_is_drawn() -> None:
    chart = matrix((None, None))
    assert Picture(chart, render(chart)).cells == {}
    assert payload(chart)["links"] == "none"
