"""The path explorer of a document: what its titles find, that it shows what was kept, and that all draw it."""

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from analyses.documents import Section
from charts import ChartSpec, Colour, Kind
from charts import browser as in_browser
from charts import pptx as in_pptx
from charts import svg as in_svg
from charts import xlsx as in_xlsx
from crosschannel.computation import Question, answer
from crosschannel.labels import CONVERSION, CONVERTING, DROP_OFF, NOT_CONVERTING, OTHER
from crosschannel.presentation.path_sections import sections
from jobs.progress import Progress
from tests.crosschannel.worlds import DISPLAY, EMAIL, GROUP_OF_SOURCE, SEARCH, SOCIAL, Row, journeys_like

LABELS = ("Email", "Search", "Display", "Social")
PARAMS = {"window_days": 30, "top": 8, "steps": 5, "confidence": 95}
COLOURS = {"Email": Colour.CHANNEL_3}
HREFS = {"Email": "/email/"}
NEXT = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "

# 40 x Email alone, of which 10 convert after two days; 20 x Search, Email, all converting four days after Search and
# one after Email; 15 x Display, Display, Social, none converting.
ROWS = (
    *(Row(n, (EMAIL,), (10.0,), 12.0, n < 10, 5.0 if n < 10 else 0.0) for n in range(40)),
    *(Row(n, (SEARCH, EMAIL), (10.0, 13.0), 14.0, True, 20.0) for n in range(40, 60)),
    *(Row(n, (DISPLAY, DISPLAY, SOCIAL), (10.0, 11.0, 12.0), 12.0, False, 0.0) for n in range(60, 75)),
)


def result_of(rows: Sequence[Row], **params: Any) -> dict[str, Any]:
    """What a run finds of these journeys, of a workspace with the channels that they meet."""
    journeys = journeys_like(rows)
    met = sorted({group for row in rows for group in row.groups})
    place = np.zeros(len(LABELS), np.int64)
    place[met] = np.arange(len(met))
    question = Question(
        journeys=journeys,
        labels=[LABELS[group] for group in met],
        group_of_source=place[GROUP_OF_SOURCE],
        segment=np.zeros(len(journeys), np.int64),
        month=np.zeros(len(journeys), np.int64),
        part_of_month=np.zeros(1, np.int64),
        params=PARAMS | params,
    )
    return answer(question, create_autospec(Progress, instance=True)).result


def shown(result: dict[str, Any], **params: Any) -> dict[str, Section]:
    found = tuple(sections(result, params=PARAMS | params, currency="EUR", colours=COLOURS, hrefs=HREFS))
    assert len({section.title for section in found}) == len(found)
    return {section.title: section for section in found}


def charts_of(found: dict[str, Section]) -> dict[str, ChartSpec]:
    charts = [chart for section in found.values() for chart in section.charts if isinstance(chart, ChartSpec)]
    assert len({chart.id for chart in charts}) == len(charts)
    return {chart.id: chart for chart in charts}


def cells(chart: ChartSpec) -> dict[tuple[str, str], float | None]:
    return {
        (category.label, series.name): mark.value if (mark := series.marks[row]) else None
        for series in chart.series
        for row, category in enumerate(chart.categories)
    }


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return result_of(ROWS)


@pytest.fixture
def found(result: dict[str, Any]) -> dict[str, Section]:
    return shown(result)


def test_everything_there_is_to_tell_has_its_section(found: dict[str, Section]) -> None:
    assert list(found) == [
        "Top paths",
        "How long journeys are",
        "How long conversions take",
        "Where journeys begin and end",
        "What comes next",
        "Time to convert by channel",
    ]
    assert list(charts_of(found)) == [
        "touches-per-journey",
        "days-from-first-touch",
        "days-from-last-touch",
        "first-last",
        "transitions",
        "time-to-convert",
    ]


def test_titles_state_the_finding(found: dict[str, Section]) -> None:
    assert {name: chart.title for name, chart in charts_of(found).items()} == {
        "touches-per-journey": "53.3% of journeys have a single touch; on average they have 1.7",
        "days-from-first-touch": "Half of conversions come within 4 days of the first touch, 95% within 4 days",
        "days-from-last-touch": "Half of conversions come within 1 day of the last touch, 95% within 2 days",
        "first-last": (
            "53.3% of journeys end with the channel they began with; "
            "of the others, most go from Search to Email (26.7%)"
        ),
        "transitions": "53.3% of journeys begin with Email",
        "time-to-convert": "The median is longest for Search, 4 days, and shortest for Email, 1 day",
    }
    (sentence,) = found["Top paths"].sentences
    assert sentence == "53.3% of journeys take the path Email; all are shown."


def test_paths_are_listed_with_what_came_of_them(found: dict[str, Section]) -> None:
    (table,) = found["Top paths"].tables
    assert {row.label: [figure.text for figure in row.cells] for row in table.rows} == {
        "Email": ["40", "53.3%", "10", "25.0%", "€50", "2"],
        f"Search{NEXT}Email": ["20", "26.7%", "20", "100.0%", "€400", "4"],
        f"Display{NEXT}Display{NEXT}Social": ["15", "20.0%", "0", "0.0%", "€0", "–"],
    }


def test_lengths_and_lags_show_what_was_kept(found: dict[str, Section], result: dict[str, Any]) -> None:
    charts = charts_of(found)
    lengths = charts["touches-per-journey"].series[0].marks
    assert [mark.value for mark in lengths if mark] == [40, 20, 15]
    assert [mark.detail[1] for mark in lengths if mark] == [
        *("Conversion rate 25.0%", "Conversion rate 100.0%", "Conversion rate 0.0%"),
    ]
    for touch in ("first", "last"):
        drawn = [mark.value for mark in charts[f"days-from-{touch}-touch"].series[0].marks if mark]
        assert drawn == [row[touch] for row in result["lags"]["bins"]]
        assert sum(drawn) == 30


def test_the_first_and_last_channels_are_shares_of_all_journeys(found: dict[str, Section]) -> None:
    chart = charts_of(found)["first-last"]
    shares = cells(chart)
    counts = Counter((row.groups[0], row.groups[-1]) for row in ROWS)
    for (first, last), share in shares.items():
        assert share == pytest.approx(counts[LABELS.index(first), LABELS.index(last)] / len(ROWS))
    assert sum(share for share in shares.values() if share) == pytest.approx(1)
    assert {category.label: category.href for category in chart.categories}["Email"] == "/email/"


def test_moves_are_shares_of_their_row_and_begin_with_the_start(found: dict[str, Section]) -> None:
    chart = charts_of(found)["transitions"]
    assert chart.categories[0].label == "Start"
    assert [series.name for series in chart.series][-2:] == ["Conversion", "Drop-off"]
    shares = cells(chart)
    assert shares["Start", "Email"] == pytest.approx(40 / 75)
    assert shares["Start", "Conversion"] is None, "a journey has a touch"
    assert shares["Email", "Conversion"] == pytest.approx(30 / 60)
    assert shares["Email", "Drop-off"] == pytest.approx(30 / 60)
    assert shares["Display", "Display"] == pytest.approx(15 / 30)
    for category in chart.categories:
        row = [shares[category.label, series.name] for series in chart.series]
        assert sum(share for share in row if share) == pytest.approx(1)
    thin = {
        category.label
        for row, category in enumerate(chart.categories)
        for series in chart.series
        if (mark := series.marks[row]) and mark.is_thin
    }
    assert thin == {"Search", "Social"}, "those of fewer than thirty touches"


def test_the_time_to_convert_is_a_median_within_the_middle_half(found: dict[str, Section]) -> None:
    chart = charts_of(found)["time-to-convert"]
    assert chart.interval == "Middle half of conversions"
    marks = {
        category.label: mark
        for category, mark in zip(chart.categories, chart.series[0].marks, strict=True)
        if mark is not None
    }
    assert list(marks) == ["Email", "Search"], "those of most conversions first"
    assert (marks["Email"].value, marks["Email"].low, marks["Email"].high) == (1.0, 1.0, 2.0)
    assert marks["Email"].colour == Colour.CHANNEL_3
    assert marks["Email"].href == "/email/"


def test_a_channel_that_often_closes_is_named() -> None:
    rows = [Row(n, (SEARCH, EMAIL), (10.0, 13.0), 14.0, n % 4 == 0, 20.0) for n in range(200)]
    title = charts_of(shown(result_of(rows)))["transitions"].title
    assert title == (
        "100.0% of journeys begin with Search; 25.0% of the touches of Email are followed by a conversion, the most"
    )


def test_lesser_channels_together_are_not_taken_for_one(result: dict[str, Any]) -> None:
    folded = {
        "channels": ["Email", OTHER],
        "journeys": [[10.0, 6.0], [4.0, 80.0]],
        "conversions": [[1.0, 0.0], [0.0, 8.0]],
    }
    moves = {
        "from": ["Email", OTHER, "Start"],
        "to": ["Email", OTHER, CONVERSION, DROP_OFF],
        "counts": [[0.0, 140.0, 10.0, 50.0], [90.0, 0.0, 100.0, 10.0], [110.0, 60.0, 0.0, 0.0]],
    }
    charts = charts_of(shown(result | {"first_last": folded, "transitions": moves}))
    assert charts["first-last"].title == (
        "At least 10.0% of journeys end with the channel they began with; "
        "of the others, most go from Email to Other channels (6.0%)"
    )
    assert charts["transitions"].title.endswith("5.0% of the touches of Email are followed by a conversion, the most")


def test_without_a_conversion_there_are_no_times() -> None:
    found = shown(result_of(ROWS, converting=NOT_CONVERTING), converting=NOT_CONVERTING)
    assert "Time to convert by channel" not in found
    assert found["How long conversions take"].charts == ()
    assert found["How long conversions take"].sentences == (
        "None of these journeys converts, so there is no time to be measured.",
    )
    assert list(charts_of(found)) == ["touches-per-journey", "first-last", "transitions"]


def test_one_path_is_enough() -> None:
    found = shown(result_of([Row(0, (EMAIL,), (10.0,), 12.0, True, 5.0)]))
    assert found["Top paths"].sentences == ("All journeys take one path: Email.",)
    charts = charts_of(found)
    assert charts["first-last"].title == "100.0% of journeys end with the channel they began with"
    assert charts["time-to-convert"].title == ("From the first touch of Email to the conversion the median is 2 days")


def test_a_long_path_leaves_out_its_middle() -> None:
    groups = tuple((EMAIL, SEARCH)[n % 2] for n in range(30))
    row = Row(0, groups, tuple(10.0 + n / 4 for n in range(30)), 20.0, True, 5.0)
    (line,) = shown(result_of([row]))["Top paths"].tables[0].rows
    four = NEXT.join(["Email", "Search"] * 2)
    assert line.label == f"{four}{NEXT}… 22 more …{NEXT}{four}"


# --- Drawn everywhere ---


@pytest.fixture(scope="module")
def worlds_to_draw(result: dict[str, Any]) -> list[dict[str, Any]]:
    asked = ({"converting": CONVERTING}, {"converting": NOT_CONVERTING}, {"min_journeys": 18})
    one = [Row(0, (EMAIL,), (10.0,), 10.0, True, -5.0)]
    return [result, *(result_of(ROWS, **params) for params in asked), result_of(one)]


def test_every_chart_is_drawn_in_every_way(worlds_to_draw: list[dict[str, Any]]) -> None:
    kinds = set()
    for world in worlds_to_draw:
        for chart in charts_of(shown(world)).values():
            assert "<svg" in in_svg.render(chart)
            assert in_browser.payload(chart)
            slide = (deck := Presentation()).slides.add_slide(deck.slide_layouts[6])
            in_pptx.add_chart(slide, chart, left=Inches(1), top=Inches(1), width=Inches(8), height=Inches(5))
            deck.save(io.BytesIO())
            book = Workbook()
            assert book.active is not None
            in_xlsx.add_chart(book.active, chart, data_anchor="B3", chart_anchor="M2")
            book.save(io.BytesIO())
            kinds.add(chart.kind)
    assert kinds == {Kind.HISTOGRAM, Kind.HEATMAP, Kind.DOTS}
