"""The evidence in a document: what its titles find, which sections there are, and that every export can draw it."""

import io
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from analyses.documents import DataTable, Section
from attribution.evidence import evidence_of, evidence_of_paths
from attribution.methods.rules import FIRST, LAST, RuleModel
from attribution.presentation.evidence_sections import sections
from charts import Colour, Kind
from charts import browser as in_browser
from charts import pptx as in_pptx
from charts import svg as in_svg
from charts import xlsx as in_xlsx
from marketing.frames import Journeys, PathTable
from marketing.periods import Period
from reports.exports import write
from tests.attribution.evidence_worlds import (
    DIRECT_SOURCE,
    GROUP_OF_SOURCE,
    LABELS,
    WINDOW_DAYS,
    journeys_of,
    previous_of,
    shop,
)
from tests.attribution.test_evidence import FIRST_DAY, PERIOD, UTC, YEAR
from tests.marketing.rows import DAY_US, Outcome, Touch
from tests.reports.documents import a_document

PARAMS = {
    "start": "1970-01-01",
    "end": "1970-12-31",
    "goal": "Purchase",
    "metric": "revenue",
    "window_days": WINDOW_DAYS,
    "model": ["last", "first"],
    "dimension": "channel",
}


def evidence(
    journeys: Journeys,
    *,
    models: tuple[RuleModel, ...] = (LAST, FIRST),
    period: Period = YEAR,
    window_days: int = WINDOW_DAYS,
) -> dict[str, Any]:
    return evidence_of(
        journeys=journeys,
        labels=LABELS,
        group_of_source=GROUP_OF_SOURCE,
        direct_source=DIRECT_SOURCE,
        models=models,
        by_value=True,
        period=period,
        zone=UTC,
        window_days=window_days,
        previous_at=previous_of(journeys),
    )


def shown(found: dict[str, Any], **changes: Any) -> dict[str, Section]:
    drawn = sections(found, params=PARAMS | changes, currency="EUR", dimension="channel")
    return {section.title: section for section in drawn}


def charts_of(found: dict[str, Section]) -> dict[str, Any]:
    return {chart.id: chart for section in found.values() for chart in section.charts}


def rows_of(table: DataTable) -> dict[str, list[str]]:
    return {row.label: [figure.text for figure in row.cells] for row in table.rows}


@pytest.fixture(scope="module")
def changed() -> dict[str, Any]:
    """A year of a shop in which Display takes over touches of Search from July on."""
    return evidence(shop(400, seed=5, changed_from_day=182))


def test_a_run_of_before_there_was_evidence_has_no_sections() -> None:
    assert shown({}) == {}


def test_everything_there_is_to_tell_has_its_section(changed: dict[str, Any]) -> None:
    found = shown(changed)
    assert list(found) == ["Paths to conversion", "Roles", "Over time", "Sales cycle"]
    assert list(charts_of(found)) == ["path-lengths", "days-to-conversion", "roles", "shares-over-time", "window-holds"]


def test_titles_state_the_finding(changed: dict[str, Any]) -> None:
    charts = charts_of(shown(changed))
    assert charts["days-to-conversion"].title.startswith("Half of the conversions come within ")
    assert charts["window-holds"].title == "A window of 7 days is the shortest that holds 95% of touches"
    (sentence, *_) = shown(changed)["Over time"].sentences
    assert sentence.startswith("Under Last Touch: ")
    assert "Search moved most, from " in sentence or "Display moved most, from " in sentence


def test_charts_and_tables_show_what_was_kept(changed: dict[str, Any]) -> None:
    found = shown(changed)
    charts = charts_of(found)
    lengths = changed["lengths"]["touches"][1:]
    assert [mark.value for mark in charts["path-lengths"].series[0].marks if mark] == [
        row["conversions"] for row in lengths
    ]
    over_time = {panel.title: panel for panel in charts["shares-over-time"].panels}
    search = next(group for group in changed["stability"]["models"]["last"] if group["group"] == "Search")
    marks = [mark for mark in over_time["Search"].series[0].marks if mark]
    assert [mark.value for mark in marks] == search["shares"]
    assert [mark.low for mark in marks] == search["low"]
    assert {panel.interval for panel in over_time.values()} == {"95% interval"}
    assert len({panel.axis for panel in over_time.values()}) == 1, "shares are compared between panels"
    top = rows_of(found["Paths to conversion"].tables[0])
    first = changed["paths"]["top"][0]
    assert top[" > ".join(first["steps"])][0] == f"{first['conversions']:,.0f}"


def test_stacked_roles_add_up_to_the_journeys_of_each_channel(changed: dict[str, Any]) -> None:
    chart = charts_of(shown(changed))["roles"]
    for place, category in enumerate(chart.categories):
        group = next(row for row in changed["roles"]["groups"] if row["group"] == category.label)
        stacked = [mark.value for series in chart.series if (mark := series.marks[place])]
        assert sum(stacked) == group["journeys"]


def test_channels_keep_their_colours_and_lead_to_their_pages(changed: dict[str, Any]) -> None:
    drawn = sections(
        changed,
        params=PARAMS,
        currency="EUR",
        dimension="channel",
        colours={"Search": Colour.CHANNEL_7},
        hrefs={"Search": "/search"},
    )
    found = {section.title: section for section in drawn}
    lines = {panel.title: panel.series[0].colour for panel in charts_of(found)["shares-over-time"].panels}
    assert lines == dict.fromkeys(lines, Colour.ACCENT) | {"Search": Colour.CHANNEL_7}
    assert {row.label: row.href for row in found["Roles"].tables[0].rows}["Search"] == "/search"


def test_beyond_the_longest_window_nothing_is_claimed() -> None:
    section = shown(evidence(shop(40, seed=5), window_days=365), window_days=365)["Sales cycle"]
    assert "Touches more than 365 days before a conversion are not looked at." in section.sentences
    assert not any("older than the chosen window" in sentence for sentence in section.sentences)
    assert rows_of(section.tables[0])["365 days (chosen)"][-1] == "–"


def test_clear_roles_are_said_together() -> None:
    touches, outcomes = [], []
    for customer in range(60):
        sources = (2, 1, 3) if customer % 2 else (1, 2, 3)
        touches += [Touch(customer, (10 + place) * DAY_US, source) for place, source in enumerate(sources)]
        outcomes.append(Outcome(customer, 14 * DAY_US, 10.0))
    assert shown(evidence(journeys_of(touches, outcomes)))["Roles"].sentences == ("Email mostly closes journeys.",)


def test_no_touches_leave_a_sentence_why() -> None:
    found = shown(evidence(journeys_of([], [Outcome(0, 14 * DAY_US, 10.0)])))
    assert list(found) == ["Paths to conversion"]
    assert found["Paths to conversion"].sentences == (
        "No touch precedes these conversions within the lookback window of 30 days, so there are no paths to show.",
    )


def test_touches_only_before_the_window_are_told_of_in_the_sales_cycle() -> None:
    touches = [Touch(c, 10 * DAY_US, 1) for c in range(40)] + [Touch(99, -300 * DAY_US, 1)]
    found = shown(evidence(journeys_of(touches, [Outcome(c, 100 * DAY_US) for c in range(40)]), period=PERIOD))
    assert list(found) == ["Paths to conversion", "Sales cycle"]
    finding, outside, *_ = found["Sales cycle"].sentences
    assert finding == "A window of 90 days is the shortest that holds 95% of touches."
    assert outside == (
        "Of the touches seen in the 365 days before conversions, 100.0% lie outside the chosen window of 30 days; "
        "100.0% of conversions have at least one there."
    )


def test_one_path_and_one_part_are_enough() -> None:
    journeys = journeys_of([Touch(0, DAY_US, 1)], [Outcome(0, 2 * DAY_US, 10.0)])
    found = shown(evidence(journeys, period=Period(FIRST_DAY, FIRST_DAY.replace(day=9))))
    assert found["Paths to conversion"].sentences[0] == "All conversions with a touch took one path: Search."
    assert found["Over time"].charts == ()
    assert found["Over time"].sentences[0].startswith("The period is too short to be cut into parts")
    assert found["Sales cycle"].charts == ()  # one conversion cannot tell windows apart
    assert found["Sales cycle"].sentences[0] == "The data do not reach far enough back to compare windows."


def test_a_short_history_is_said() -> None:
    touches = [Touch(c, (100 - age) * DAY_US, 1) for c in range(40) for age in (1, 3, 45, 99)]
    found = shown(evidence(journeys_of(touches, [Outcome(c, 100 * DAY_US) for c in range(40)]), period=PERIOD))
    assert found["Sales cycle"].sentences[-1] == (
        "Touches are known from 2 Jan 1970 on, so only 0.0% of conversions can be seen 365 days back. The shares held "
        "count each age only where it can be seen, up to 99 days; what is older than that is unknown."
    )
    windows = rows_of(found["Sales cycle"].tables[0])
    assert windows["30 days (chosen)"][0] == "50.0%"
    assert windows["60 days"][0] == "–"  # that 60 of 99 days hold what is seen says little


def test_no_revenue_leaves_a_sentence_why() -> None:
    journeys = journeys_of([Touch(0, DAY_US, 1)], [Outcome(0, 2 * DAY_US, 0.0)])
    found = shown(evidence(journeys))
    assert found["Over time"].sentences == ("There is no Purchase revenue in any month to take shares of.",)


def test_linear_that_stands_in_is_said() -> None:
    found = shown(evidence(shop(60, seed=3), models=()), model=["data_driven"])
    assert found["Over time"].sentences[-1] == (
        "Only rule models are followed over time; Linear stands in for the chosen ones."
    )


def test_a_long_path_leaves_out_its_middle() -> None:
    touches = [Touch(0, (10 + n) * DAY_US // 2, 1 + n % 2) for n in range(30)]
    found = shown(evidence(journeys_of(touches, [Outcome(0, 20 * DAY_US, 10.0)])))
    (label,) = rows_of(found["Paths to conversion"].tables[0])
    four = "Search > Display > Search > Display"
    assert label == f"{four} > … 22 more … > {four}"


def test_aggregated_paths_have_neither_times_nor_a_sales_cycle() -> None:
    table = PathTable(
        offsets=np.array([0, 1, 3]),
        steps=np.array([0, 0, 1]),
        groups=2,
        conversions=np.array([10.0, 30.5]),
        value=np.array([100.0, 300.0]),
        nulls=np.array([0.0, 0.0]),
    )
    found = sections(
        evidence_of_paths(table=table, labels=("Email", "Search")),
        params={"metric": "revenue", "model": ["markov:1"], "data": "paths"},
        currency="EUR",
        dimension="channel",
    )
    assert [section.title for section in found] == ["Paths to conversion", "Roles"]
    assert rows_of(found[0].tables[0]) == {
        "Email > Search": ["30.5", "75.3%", "€300"],
        "Email": ["10", "24.7%", "€100"],
    }


# --- Drawn everywhere ---


@pytest.fixture(scope="module")
def worlds_to_draw(changed: dict[str, Any]) -> list[dict[str, Any]]:
    one = journeys_of([Touch(0, DAY_US, 1)], [Outcome(0, 2 * DAY_US, 10.0)])
    refunds = journeys_of(
        [Touch(0, DAY_US, 1), Touch(1, DAY_US, 2)], [Outcome(0, 2 * DAY_US, -10.0), Outcome(1, 2 * DAY_US)]
    )
    return [changed, evidence(one), evidence(refunds), evidence(journeys_of([], [Outcome(0, DAY_US)]))]


def test_every_chart_is_drawn_in_every_way(worlds_to_draw: list[dict[str, Any]]) -> None:
    drawn = 0
    for found in worlds_to_draw:
        for chart in (panel for whole in charts_of(shown(found)).values() for panel in whole.panels):
            assert chart.kind in Kind
            assert "<svg" in in_svg.render(chart)
            assert in_browser.payload(chart)
            slide = (deck := Presentation()).slides.add_slide(deck.slide_layouts[6])
            in_pptx.add_chart(slide, chart, left=Inches(1), top=Inches(1), width=Inches(8), height=Inches(5))
            deck.save(io.BytesIO())
            book = Workbook()
            assert book.active is not None
            in_xlsx.add_chart(book.active, chart, data_anchor="B3", chart_anchor="M2")
            book.save(io.BytesIO())
            drawn += 1
    assert drawn >= 10


@pytest.mark.parametrize("form", ["pdf", "pptx", "xlsx"])
def test_every_export_carries_the_sections(changed: dict[str, Any], form: str) -> None:
    document = a_document(sections=tuple(shown(changed).values()))
    assert len(write(document, form)) > 500
