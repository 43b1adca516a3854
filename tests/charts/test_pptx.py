"""PowerPoint charts, read back from the XML of their parts after saving and opening."""

import io
from typing import Any

import pytest
from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Inches

from charts import Category, ChartSpec, Kind, Mark, Series
from charts.pptx import add_chart
from tests.charts.readings import KINDS_WITH_AN_AXIS, PANELS, Readings, expected
from tests.charts.test_spec import mark, spec
from tests.charts.waterfalls import WATERFALLS, readings_of, waterfall


def saved(chart: ChartSpec) -> Any:
    """The frame of a chart in a presentation that was saved and opened again."""
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    add_chart(slide, chart, left=Inches(1), top=Inches(1), width=Inches(8), height=Inches(5))
    file = io.BytesIO()
    presentation.save(file)
    (frame,) = Presentation(file).slides[0].shapes
    return frame


def space(chart: ChartSpec) -> Any:
    return saved(chart).chart._chartSpace


def numbers(source: Any) -> dict[int, float]:
    """The numbers of a cache or literal, by their place; gaps have none."""
    return {int(point.get("idx")): float(point.findtext(qn("c:v"))) for point in source.iter(qn("c:pt"))}


def names(element: Any) -> list[str]:
    return [value.text for value in element.find(qn("c:cat")).iter(qn("c:v"))]


def lengths(chart: ChartSpec) -> dict[str, list[float]]:
    """What a waterfall is stacked of, by the names of its series."""
    return {
        drawn.find(qn("c:tx")).findtext(f".//{qn('c:v')}"): list(numbers(drawn.find(qn("c:val"))).values())
        for drawn in space(chart).iter(qn("c:ser"))
    }


def read(chart: ChartSpec) -> Readings:
    if chart.kind == Kind.WATERFALL:
        return readings_of(chart, lengths(chart))
    readings = Readings()
    order = [series.name for series in chart.series]
    ends: dict[tuple[str, str], dict[int, float]] = {}
    for drawn in space(chart).iter(qn("c:ser")):
        name = drawn.find(qn("c:tx")).findtext(f".//{qn('c:v')}")
        values = numbers(drawn.find(qn("c:val")))
        if name not in order:
            owner, _, end = name.rpartition(", ")
            ends[owner, end] = values
            continue
        readings.values |= {(order.index(name), place): value for place, value in values.items()}
        if (bars := drawn.find(qn("c:errBars"))) is not None:
            plus, minus = numbers(bars.find(qn("c:plus"))), numbers(bars.find(qn("c:minus")))
            for place, up in plus.items():
                ends.setdefault((name, "low"), {})[place] = values[place] - minus[place]
                ends.setdefault((name, "high"), {})[place] = values[place] + up
    for (owner, end), values in ends.items():
        if end == "low":
            highs = ends[owner, "high"]
            readings.intervals |= {(order.index(owner), place): (low, highs[place]) for place, low in values.items()}
    return readings


@pytest.mark.parametrize("name", PANELS)
def test_the_chart_gives_back_every_value_and_interval(name: str) -> None:
    drawn, wanted = read(PANELS[name]), expected(PANELS[name])

    assert drawn.values == wanted.values
    assert drawn.intervals.keys() == wanted.intervals.keys()
    for place, ends in wanted.intervals.items():
        assert drawn.intervals[place] == pytest.approx(ends, rel=1e-12)


@pytest.mark.parametrize("name", PANELS)
def test_categories_axis_and_summary_are_the_charts(name: str) -> None:
    chart, frame = PANELS[name], saved(PANELS[name])
    axis = frame.chart.value_axis

    assert names(next(frame.chart._chartSpace.iter(qn("c:ser")))) == [one.tick_text for one in chart.categories]
    assert (axis.minimum_scale, axis.maximum_scale) == (chart.axis.low, chart.axis.high)
    assert axis.axis_title.text_frame.text == chart.axis.title
    assert frame._element.nvGraphicFramePr.cNvPr.get("descr") == chart.summary
    assert not frame.chart.has_title


@pytest.mark.parametrize("name", PANELS)
def test_series_have_the_charts_colours(name: str) -> None:
    chart = PANELS[name]
    drawn = {s.find(qn("c:tx")).findtext(f".//{qn('c:v')}"): s for s in space(chart).iter(qn("c:ser"))}

    for series in chart.series:
        element = drawn[series.name]
        properties = element.find(f"{qn('c:marker')}/{qn('c:spPr')}" if chart.kind == Kind.DOTS else qn("c:spPr"))
        colours = [colour.get("val") for colour in properties.iter(qn("a:srgbClr"))]
        assert colours[0] == series.colour.hex.removeprefix("#").upper()


def test_bars_have_their_channels_colours() -> None:
    chart = PANELS["example-bars-with-whiskers"]
    points = list(space(chart).iter(qn("c:dPt")))

    drawn = [next(point.iter(qn("a:srgbClr"))).get("val") for point in points]
    assert drawn == [one.colour.hex[1:].upper() for one in chart.series[0].marks if one and one.colour]


def test_what_is_compared_with_is_dashed_and_ends_of_ribbons_are_not_in_the_legend() -> None:
    element = space(PANELS["example-line"])
    dashes = [next(series.iter(qn("a:prstDash"))).get("val") for series in element.iter(qn("c:ser"))]

    assert dashes == ["solid", "sysDot", "sysDot", "dash"]
    assert [entry.find(qn("c:idx")).get("val") for entry in element.iter(qn("c:legendEntry"))] == ["1", "2"]


def test_the_axis_names_every_fourth_week() -> None:
    element = space(PANELS["example-line"])

    assert next(element.iter(qn("c:tickLblSkip"))).get("val") == "4"
    assert next(element.iter(qn("c:dispBlanksAs"))).get("val") == "gap"


def test_rows_start_on_top_with_their_axis_below() -> None:
    element = space(PANELS["example-grouped-bars"])

    assert element.find(f".//{qn('c:catAx')}/{qn('c:scaling')}/{qn('c:orientation')}").get("val") == "maxMin"
    assert element.find(f".//{qn('c:valAx')}/{qn('c:crosses')}").get("val") == "max"


def test_numbers_read_as_on_the_page() -> None:
    chart = saved(PANELS["example-grouped-bars"]).chart

    assert chart.value_axis.tick_labels.number_format == '"€"#,##0," k";-"€"#,##0," k";"€0"'
    assert chart.plots[0].series[0].data_labels.number_format == '"€"#,##0'


@pytest.mark.parametrize("name", WATERFALLS)
def test_a_waterfall_is_stacked_so_that_each_step_begins_where_the_one_before_it_ends(name: str) -> None:
    chart = WATERFALLS[name]

    assert read(chart).values == pytest.approx(expected(chart).values, rel=1e-12)
    assert next(space(chart).iter(qn("c:grouping"))).get("val") == "stacked"
    assert next(space(chart).iter(qn("c:overlap"))).get("val") == "100"


def test_what_holds_the_steps_up_cannot_be_seen() -> None:
    held, steps = list(space(WATERFALLS["falling"]).iter(qn("c:ser")))

    assert held.find(f"{qn('c:spPr')}/{qn('a:noFill')}") is not None
    assert steps.find(f"{qn('c:spPr')}/{qn('a:noFill')}") is None


def test_long_steps_are_labelled_with_their_sign_and_short_ones_are_not() -> None:
    chart = waterfall(100.0, 2.0, -40.0)
    steps = list(space(chart).iter(qn("c:ser")))[-1]

    labels = {label.find(qn("c:idx")).get("val"): label for label in steps.iter(qn("c:dLbl"))}
    shown_as = {place: label.find(qn("c:numFmt")).get("formatCode") for place, label in labels.items()}
    assert shown_as == {"0": '"€"#,##0.00;"€"#,##0.00', "2": '"−""€"#,##0.00;"−""€"#,##0.00', "3": shown_as["0"]}
    assert {label.find(qn("c:showVal")).get("val") for label in labels.values()} == {"1"}


def test_a_series_of_one_mark_is_drawn_as_a_dot() -> None:
    chart = spec(kind=Kind.LINE, series=(spec_series(mark(4), mark(3)), spec_series(None, mark(3), name="Now")))
    symbols = [one.get("val") for one in space(chart).iter(qn("c:symbol"))]

    assert symbols == ["none", "circle"]


def test_a_histogram_has_no_gaps_between_its_bars() -> None:
    assert saved(PANELS["example-histogram"]).chart.plots[0].gap_width == 0


SERIES = ["idx", "order", "tx", "spPr", "invertIfNegative", "marker", "dPt", "dLbls", "errBars", "cat", "val", "smooth"]
AXIS = ["axId", "scaling", "delete", "axPos", "majorGridlines", "title", "numFmt", "majorTickMark", "minorTickMark",
        "tickLblPos", "spPr", "txPr", "crossAx", "crosses", "crossBetween", "auto", "lblAlgn", "lblOffset",
        "tickLblSkip", "majorUnit", "noMultiLvlLbl"]  # fmt: skip
LABEL = ["idx", "layout", "tx", "numFmt", "spPr", "txPr", "dLblPos", "showLegendKey", "showVal", "showCatName",
         "showSerName", "showPercent", "showBubbleSize"]  # fmt: skip
ERROR_BARS = ["errDir", "errBarType", "errValType", "noEndCap", "plus", "minus", "val", "spPr"]


@pytest.mark.parametrize("name", PANELS)
def test_elements_stand_in_the_order_of_the_schema(name: str) -> None:
    """PowerPoint offers to repair a file in which they do not."""
    orders = {"ser": SERIES, "catAx": AXIS, "valAx": AXIS, "dLbl": LABEL, "errBars": ERROR_BARS}

    for tag, order in orders.items():
        for element in space(PANELS[name]).iter(qn(f"c:{tag}")):
            places = [order.index(etree.QName(child).localname) for child in element]
            assert places == sorted(places), [etree.QName(child).localname for child in element]


def test_names_that_xml_cannot_hold_are_written_without_those_characters() -> None:
    chart = spec(
        title="Bell\x07",
        summary="Null\x00",
        categories=(Category(label="Search\x0b"), Category(label="<Social> & more")),
        series=(Series(name="Re\x01venue", colour=spec().series[0].colour, marks=(mark(1), mark(2))),),
    )
    frame = saved(chart)

    assert names(next(frame.chart._chartSpace.iter(qn("c:ser")))) == ["Search\ufffd", "<Social> & more"]
    assert frame.name == "Bell\ufffd"


@pytest.mark.parametrize("kind", KINDS_WITH_AN_AXIS)
def test_charts_of_one_category_with_few_ticks_are_made(kind: Kind) -> None:
    chart = spec(kind=kind, categories=(Category(label="Search"),), series=(spec_series(mark(4)),))

    assert read(chart).values == {(0, 0): 4}


def spec_series(*marks: Mark | None, name: str = "Revenue") -> Series:
    return Series(name=name, colour=spec().series[0].colour, marks=marks)
