"""What the page gives to the browser: the chart's numbers as JSON and as a table, and room of the right height."""

import json
import re
from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from charts import Category, Chart, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples, axis
from charts.browser import ROWS_AXIS_HEIGHT, figure, height_px, payload
from charts.examples import EXAMPLES
from tests.charts.readings import PANELS, Readings, expected


def bars(*series: Series, links: tuple[str, ...] = ("", ""), horizontal: bool = True) -> ChartSpec:
    values = [end for one in series for mark in one.marks if mark for end in (mark.value, mark.high)]
    return ChartSpec(
        id="bars",
        kind=Kind.BARS,
        horizontal=horizontal,
        title="Search leads",
        summary="Search gets more than Email.",
        category_title="Channel",
        categories=(Category(label="Search", href=links[0]), Category(label="Email", href=links[1])),
        series=series,
        axis=axis(values, title="Revenue, €", text=str),
    )


def of_links(name: str, *hrefs: str) -> Series:
    marks = tuple(Mark(value=place, text=f"€{place}", href=href) for place, href in enumerate(hrefs, start=1))
    return Series(name=name, colour=Colour.ACCENT, marks=marks)


def html(chart: Chart, **options: str) -> str:
    return render_to_string("components/chart.html", {"chart": chart, **options})


@pytest.mark.parametrize("chart", PANELS.values(), ids=PANELS.keys())
def test_the_payload_survives_json_with_every_value_and_interval(chart: ChartSpec) -> None:
    read = Readings()
    for number, series in enumerate(json.loads(json.dumps(payload(chart), allow_nan=False))["series"]):
        for place, mark in enumerate(series["marks"]):
            if mark:
                read.values[number, place] = mark["value"]
            if mark and "low" in mark:
                read.intervals[number, place] = (mark["low"], mark["high"])
    assert read == expected(chart)


def test_a_mark_says_what_it_has_and_nothing_of_what_it_lacks() -> None:
    full = Mark(
        value=2.4,
        text="2.4",
        low=1.9,
        high=3.1,
        low_text="1.9",
        high_text="3.1",
        detail=("Spend €10",),
        href="/a/",
        colour=Colour.CHANNEL_3,
    )
    series = payload(bars(Series(name="ROI", colour=Colour.ACCENT, marks=(full, Mark(value=0, text="0")))))["series"]
    assert series[0] == {
        "name": "ROI",
        "colour": "accent",
        "dashed": False,
        "marks": [
            {
                "value": 2.4,
                "text": "2.4",
                "low": 1.9,
                "high": 3.1,
                "low_text": "1.9",
                "high_text": "3.1",
                "detail": ["Spend €10"],
                "href": "/a/",
                "colour": "channel-3",
            },
            {"value": 0, "text": "0"},
        ],
    }


@pytest.mark.parametrize(
    ("chart", "links", "hrefs", "role"),
    [
        (bars(of_links("Now", "", "")), "none", [None, None], "img"),
        (bars(of_links("Now", "", ""), links=("/s/", "")), "category", ["/s/", None], "group"),
        (bars(of_links("Now", "/s/", "/e/"), of_links("Before", "/s/", "/e/")), "category", ["/s/", "/e/"], "group"),
        (bars(of_links("Now", "/s/", "/e/"), of_links("Before", "/x/", "/e/")), "mark", [None, None], "group"),
        (bars(of_links("Now", "/s/", ""), links=("/other/", "")), "mark", [None, None], "group"),
    ],
)
def test_one_address_makes_a_link_of_the_category_and_several_make_links_of_its_marks(
    chart: ChartSpec, links: str, hrefs: list[str | None], role: str
) -> None:
    laid_out = payload(chart)
    assert laid_out["links"] == links
    assert [category.get("href") for category in laid_out["categories"]] == hrefs
    assert figure(chart).panels[0].role == role


def test_the_steps_of_a_waterfall_say_where_they_begin() -> None:
    chart = PANELS["example-waterfall"]
    marks = payload(chart)["series"][0]["marks"]
    assert [mark["from"] for mark in marks] == [step[0] for step in chart.steps if step]
    assert payload(chart)["horizontal"]
    of_two = height_px(bars(of_links("Now", "", "")))
    rows = len(chart.categories)
    assert height_px(chart) - ROWS_AXIS_HEIGHT == (of_two - ROWS_AXIS_HEIGHT) * rows / 2


def test_the_axis_names_only_the_categories_that_it_should() -> None:
    chart = replace(
        bars(of_links("Now", "", "")),
        categories=(Category(label="Monday 1 June", short="1 June"), Category(label="Tuesday 2 June", tick=False)),
    )
    assert payload(chart)["categories"] == [{"label": "Monday 1 June", "tick": "1 June"}, {"label": "Tuesday 2 June"}]


def test_rows_give_a_chart_its_height_and_columns_do_not() -> None:
    one, two = bars(of_links("Now", "", "")), bars(of_links("Now", "", ""), of_links("Before", "", ""))
    separate = bars(of_links("Now", "/a/", "/b/"), of_links("Before", "/c/", "/d/"))
    assert height_px(one) < height_px(two) < height_px(separate)
    assert height_px(replace(two, stacked=True, axis=axis([0, 4], title="Revenue, €", text=str))) == height_px(one)
    upright = height_px(replace(one, horizontal=False))
    assert upright == height_px(replace(two, horizontal=False)) == height_px(PANELS["example-line"])
    assert height_px(PANELS["example-line"], in_grid=True) < upright


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_table_holds_every_number_of_the_chart(name: str) -> None:
    chart = EXAMPLES[name]
    tables = re.findall(r"<tbody>(.*?)</tbody>", html(chart), re.DOTALL)
    for panel, table in zip(chart.panels, tables, strict=True):
        rows = [
            re.findall(r">([^<>\n]+)</(?:a|td)>|<th scope=\"row\">([^<\n]+)</th>", row)
            for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        ]
        assert [[linked or plain for linked, plain in row] for row in rows] == [
            [category.label, *(cell.text for cell in cells)] for category, cells in panel.table().rows
        ]


def test_the_table_leads_where_the_marks_lead() -> None:
    assert '<th scope="row"><a href="/s/">Search</a></th>' in html(bars(of_links("Now", "/s/", "/e/")))


def test_the_key_names_several_series_and_the_interval() -> None:
    def key(chart: Chart) -> list[str]:
        return re.findall(r"<li.*?</span>(.*?)</li>", html(chart))

    assert key(EXAMPLES["grouped-bars"]) == ["Data-driven", "Last touch"]
    assert key(EXAMPLES["line"]) == ["Revenue", "Same weeks of 2024", "95% interval"]
    assert key(EXAMPLES["area"]) == []


def test_the_key_shows_a_dot_where_a_line_has_one_mark() -> None:
    assert [(entry.name, entry.shape) for entry in figure(EXAMPLES["curve"]).key] == [
        ("Observed", "line"),
        ("Beyond", "line"),
        ("Present", "dot"),
        ("Recommended", "dot"),
    ]


def test_the_key_tells_where_marks_have_colours_of_their_own() -> None:
    own = replace(of_links("Now", "", ""), marks=(Mark(value=1, text="1", colour=Colour.CHANNEL_4), None))
    assert [entry.varied for entry in figure(bars(own, of_links("Before", "", ""))).key] == [True, False]


def test_small_multiples_share_their_key_where_their_series_are_the_same() -> None:
    shared = EXAMPLES["small-multiples"]
    assert [entry.name for entry in figure(shared).key] == ["Now", "Before"]
    assert not any(panel.key for panel in figure(shared).panels)
    one, other = bars(of_links("A", "", ""), of_links("B", "", "")), bars(of_links("C", "", ""), of_links("D", "", ""))
    mixed = SmallMultiples(id="mixed", title="Mixed", summary="Two charts.", panels=(one, replace(other, id="other")))
    assert figure(mixed).key == ()
    assert [[entry.name for entry in panel.key] for panel in figure(mixed).panels] == [["A", "B"], ["C", "D"]]


def test_what_people_wrote_cannot_leave_its_place_in_the_page() -> None:
    evil = "</script><script>alert(1)</script>"
    chart = replace(bars(Series(name=evil, colour=Colour.ACCENT, marks=(Mark(value=1, text=evil), None))), title=evil)
    page = html(chart)
    assert "<script>alert" not in page
    assert json.loads(re.findall(r'<script type="application/json">(.*?)</script>', page)[0])["title"] == evil


def test_the_title_takes_the_heading_that_the_page_needs() -> None:
    chart = bars(of_links("Now", "", ""))
    assert '<h3 class="chart-title" id="bars-title">Search leads</h3>' in html(chart)
    assert '<h2 class="chart-title" id="bars-title">Search leads</h2>' in html(chart, heading="h2")
