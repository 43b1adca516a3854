"""Every drawing of a Sankey diagram carries the same numbers at the same heights."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from django.template.loader import render_to_string
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image
from pptx import Presentation
from pptx.util import Inches

from charts import SankeySpec
from charts.browser import figure
from charts.example_flows import FLOWS
from charts.sankey_layout import FLOW_PX, NODE_PX, lay_out
from charts.sankey_office import DRAWN_WIDTH_PX, SHEET_WIDTH_PX, add_to_sheet, add_to_slide, height_in_rows
from charts.svg import render
from charts.svg_sankey import png
from tests.charts.sankeys import sankey, two_steps
from tests.charts.test_svg import SVG, points, texts

LEAST_NODE_PX = 1.0
every_example = pytest.mark.parametrize("spec", FLOWS.values(), ids=FLOWS.keys())


def payload(spec: SankeySpec) -> dict[str, Any]:
    """What the browser gets, after its way through JSON."""
    told: dict[str, Any] = json.loads(json.dumps(figure(spec).panels[0].payload, allow_nan=False))
    return told


def paths(spec: SankeySpec, *, width_px: int = 960) -> dict[str, list[tuple[float, float]]]:
    """The corners of every node and link of the picture, by what follows the chart's id in theirs."""
    root = fromstring(render(spec, width_px=width_px))
    return {path.get("id", "").removeprefix(f"{spec.id}-"): points(path) for path in root.iter(f"{SVG}path")}


def scale(spec: SankeySpec) -> float:
    return FLOW_PX / sum(node.value for node in spec.nodes if node.step == 1)


@every_example
def test_the_browser_gets_every_value_text_detail_and_address(spec: SankeySpec) -> None:
    told = payload(spec)
    (series,) = told["series"]
    said = [
        (category["label"], mark["value"], mark["text"], mark["detail"], category["href"])
        for category, mark in zip(told["categories"], series["marks"], strict=True)
    ]

    nodes = [(one.label, one.value, one.text, list(one.detail), one.href) for one in spec.nodes]
    links = [(spec.link_label(one), one.value, one.text, list(one.detail), one.href) for one in spec.links]
    assert sorted(said) == sorted(nodes + links)
    assert [said[one["index"]] for one in told["nodes"]] == nodes
    assert [said[one["index"]] for one in told["ribbons"]] == links
    assert (series["name"], told["step_titles"]) == (spec.value_title, list(spec.step_titles))


@every_example
def test_the_browser_gets_the_heights_of_the_layout(spec: SankeySpec) -> None:
    told, layout = payload(spec), lay_out(spec)

    assert figure(spec).panels[0].height_px == layout.height_px
    for node, box in zip(told["nodes"], layout.boxes, strict=True):
        assert (node["column"], node["y0"], node["y1"]) == pytest.approx((box.column, box.top, box.bottom), abs=1e-3)
    for drawn, ribbon in zip(told["ribbons"], layout.ribbons, strict=True):
        assert drawn["tops"] == pytest.approx(ribbon.tops, abs=1e-3)
        assert drawn["thickness"] == pytest.approx(ribbon.thickness, abs=1e-3)


def test_links_have_their_sources_colour() -> None:
    spec = two_steps()
    told = payload(spec)
    colours = [mark["colour"] for mark in told["series"][0]["marks"]]

    for ribbon, link in zip(told["ribbons"], spec.links, strict=True):
        assert colours[ribbon["index"]] == spec.nodes[link.source].colour
        assert colours[told["nodes"][ribbon["source"]]["index"]] == spec.nodes[link.source].colour
    assert [ribbon["is_loss"] for ribbon in told["ribbons"]] == [False, False, True, False, False, True]


def test_a_diagram_that_leads_nowhere_is_walked_through_without_links() -> None:
    spec = two_steps()
    nodes = tuple(replace(node, href="") for node in spec.nodes)
    plain = replace(spec, nodes=nodes, links=tuple(replace(link, href="") for link in spec.links))

    assert payload(spec)["links"] == "category"
    assert payload(plain)["links"] == "none"
    assert not any("href" in category for category in payload(plain)["categories"])


def test_the_page_lets_the_diagram_scroll_and_has_its_table() -> None:
    page = render_to_string("components/chart.html", {"chart": two_steps()})

    assert '<div class="flow-scroll" role="region" aria-label="Diagram: Journeys">' in page
    assert 'role="group" aria-labelledby="example-flows-title"' in page
    assert '<th scope="row"><a href="#">1 Search → Conversion</a></th>' in page
    cells = re.findall(r'<td class="number">(.*?)</td>', page)
    assert cells == ["10", "33.3%", "12", "40.0%", "8", "26.7%", "20", "100.0%", "5", "16.7%", "25", "83.3%"]


@pytest.mark.parametrize("width_px", [960, 480])
@every_example
def test_the_picture_gives_back_every_value(spec: SankeySpec, width_px: int) -> None:
    drawn = paths(spec, width_px=width_px)

    for place, node in enumerate(spec.nodes):
        ys = [y for _, y in drawn[f"n{place}"]]
        height = max(node.value * scale(spec), LEAST_NODE_PX)
        assert max(ys) - min(ys) == pytest.approx(height, abs=1e-3)
    for place, link in enumerate(spec.links):
        corners = drawn[f"l{place}"]
        half = len(corners) // 2  # along the upper edge, and back along the lower one; the start comes again at its end
        upper, lower = corners[:half], corners[half : 2 * half][::-1]
        thickness = link.value * scale(spec)
        for (x, y), (below_x, below_y) in zip(upper, lower, strict=True):
            assert below_x == pytest.approx(x, abs=1e-3)
            assert below_y - y == pytest.approx(thickness, abs=1e-3)


@every_example
def test_the_picture_has_the_heights_of_the_layout(spec: SankeySpec) -> None:
    drawn, layout = paths(spec), lay_out(spec)

    for place, box in enumerate(layout.boxes):
        ys = [y for _, y in drawn[f"n{place}"]]
        assert (min(ys) + max(ys)) / 2 == pytest.approx(box.middle, abs=1e-3)
    for place, ribbon in enumerate(layout.ribbons):
        ys = [y for _, y in drawn[f"l{place}"]]
        assert ys[0] == pytest.approx(ribbon.tops[0], abs=1e-3)
        assert ys[len(ys) // 2 - 1] == pytest.approx(ribbon.tops[-1], abs=1e-3)


def test_the_picture_names_every_node_with_its_value() -> None:
    said = set(texts(render(two_steps())))

    assert {"1st touch", "2nd touch", "End", "Search 30", "Email 20", "Email 30"} <= said
    assert {"Conversion", "17", "Drop-off", "33"} <= said


def test_a_value_is_left_out_of_the_picture_rather_than_cut() -> None:
    """Of a quarter of the width, which ends have at most, the long value needs more where it is narrow."""
    value, text = 1_234_567_890_123.0, "1,234,567,890,123"
    spec = sankey({((1, "Search"), (2, "Conversion")): value}, steps=1)

    wide, narrow = (texts(render(spec, width_px=width)) for width in (960, 240))
    assert wide[-2:] == ["Conversion", text]
    assert narrow[-1].startswith("Conv")
    assert {part for one in narrow for part in one.split() if "," in part} == {text}  # of the channel, in full


@every_example
def test_the_bitmap_is_sharp_and_shows_every_node_where_the_layout_has_it(spec: SankeySpec) -> None:
    image = Image.open(io.BytesIO(png(spec, width_px=900))).convert("RGB")
    layout = lay_out(spec)

    assert image.width == 1800
    assert image.height == pytest.approx(2 * layout.height_px, abs=1)
    for node, box in zip(spec.nodes, layout.boxes, strict=True):
        if box.column == 0 and box.bottom - box.top > 2:
            colour = image.getpixel((round(NODE_PX), round(2 * box.middle)))
            assert colour == tuple(bytes.fromhex(node.colour.hex[1:]))
    assert image.getpixel((1799, image.height - 1)) == (255, 255, 255)


def test_names_in_letters_that_the_font_does_not_have_are_drawn_all_the_same() -> None:
    spec = sankey({((1, "広告 🎉 $10 to $20"), (2, "Conversion")): 10}, steps=1)

    assert Image.open(io.BytesIO(png(spec, width_px=600))).size[0] == 1200
    assert "広告 🎉 $10 to $20 10" in texts(render(spec))


def test_the_slide_has_a_picture_that_says_what_it_shows() -> None:
    spec = replace(two_steps(), title="Bell\x07", summary="Of 50 journeys\x00 17 convert.")
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    place = {"left": Inches(1), "top": Inches(1), "width": Inches(8), "height": Inches(4)}
    add_to_slide(slide, spec, **place)
    file = io.BytesIO()
    presentation.save(file)

    (picture,) = Presentation(file).slides[0].shapes
    assert picture.name == "Bell\ufffd"
    assert picture._element.nvPicPr.cNvPr.get("descr") == "Of 50 journeys\ufffd 17 convert."
    assert {side: getattr(picture, side) for side in place} == place
    image = Image.open(io.BytesIO(picture.image.blob))
    assert image.width / image.height == pytest.approx(2, abs=0.01)  # nothing is stretched
    assert image.height == pytest.approx(2 * lay_out(spec).height_px, abs=1)


def test_the_sheet_has_a_picture_that_says_what_it_shows() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    add_to_sheet(sheet, two_steps(), anchor="B3")
    add_to_sheet(sheet, FLOWS["journeys"], anchor="B40")
    file = io.BytesIO()
    book.save(file)

    opened = load_workbook(file).active
    assert isinstance(opened, Worksheet)
    for image, spec, row in zip(opened._images, (two_steps(), FLOWS["journeys"]), (3, 40), strict=True):
        anchor = image.anchor
        assert anchor.pic.nvPicPr.cNvPr.descr == spec.summary
        assert (anchor._from.col, anchor._from.row) == (1, row - 1)
        width, height = anchor.ext.width / 9525, anchor.ext.height / 9525  # EMU in a pixel
        assert width == SHEET_WIDTH_PX
        assert height == pytest.approx(lay_out(spec).height_px * SHEET_WIDTH_PX / DRAWN_WIDTH_PX, abs=1)
        assert height <= 20 * (height_in_rows(spec) - 1) < height + 20
    ids = [image.anchor.pic.nvPicPr.cNvPr.id for image in opened._images]
    assert len(set(ids)) == 2
