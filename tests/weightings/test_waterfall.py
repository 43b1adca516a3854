"""From the baseline through the channels to the expected outcome, and on paper, slides and sheets alike."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Workspace
from charts import ChartSpec, Colour, Kind
from marketing.importing.dimensions import ensure_channels
from reports.exports import FORMATS, write
from tests.weightings.results import BASELINE, CHANNELS, EXPECTED, around, finished
from weightings.presentation.document import document
from weightings.presentation.results import Result
from weightings.presentation.waterfall_sections import waterfall

pytestmark = pytest.mark.django_db


def drawn(workspace: Workspace, **changes: Any) -> ChartSpec:
    (chart,) = waterfall(Result(finished(workspace, **changes)))
    return chart


def values(chart: ChartSpec) -> list[float]:
    return [mark.value for mark in chart.series[0].marks if mark]


def of_channels(workspace: Workspace, *contributions: float) -> dict[str, Any]:
    """A result of as many channels, that still adds up."""
    (first, *_rest) = finished(workspace).result["channels"]
    expected = BASELINE + sum(contributions)
    channels = [
        first
        | {
            "channel": f"Channel {place + 1}",
            "contribution": around(amount),
            "contribution_share": around(amount / expected),
        }
        for place, amount in enumerate(contributions)
    ]
    series = dict(finished(workspace).result["series"])
    empty = {"mean": [0.0] * 12, "low": [0.0] * 12, "high": [0.0] * 12}
    series["channels"] = [{"channel": channel["channel"], **empty} for channel in channels]
    curves = {"multipliers": [0.0, 1.0, 1.5], "channels": []}
    return {"channels": channels, "expected": around(expected), "series": series, "curves": curves}


def test_it_leads_from_the_baseline_through_the_channels_to_what_is_expected(workspace: Workspace) -> None:
    ensure_channels(workspace=workspace, names=["TV"])
    run = finished(workspace)
    (chart,) = waterfall(Result(run))
    assert chart.kind == Kind.WATERFALL
    assert [category.label for category in chart.categories] == ["Baseline", "Search", "TV", "Blog", "Expected"]
    assert values(chart) == [15_000, 2200, 2100, 700, 20_000]
    marks = chart.series[0].marks
    assert [mark.is_total for mark in marks if mark] == [False] * 4 + [True]
    assert [mark.colour for mark in marks if mark] == [
        *(Colour.OTHER, Colour.OTHER, Colour.CHANNEL_1, Colour.OTHER, Colour.OTHER),
    ]
    assert [mark.href for mark in marks if mark] == [
        *("", f"/w/acme/weightings/runs/{run.pk}/channels/0/", f"/w/acme/weightings/runs/{run.pk}/channels/1/"),
        *(f"/w/acme/weightings/runs/{run.pk}/channels/2/", ""),
    ]
    assert marks[2] is not None
    assert (marks[2].text, marks[2].detail) == (
        "€2,100",
        ("90% interval €1,470–€2,730", "10.5% of expected Sales"),
    )
    assert chart.title == "Media add €5,000 to a baseline of €15\N{NO-BREAK SPACE}k"
    assert chart.summary.replace("\N{NO-BREAK SPACE}", " ") == (
        "From a baseline of €15 k channels lead to an expected Sales of €20 k. Search adds most, €2,200."
    )


def test_its_numbers_are_those_of_the_table_beside_it(workspace: Workspace) -> None:
    (section,) = (one for one in document(finished(workspace)).sections if one.title == "Contributions")
    chart, table = section.charts[0], section.tables[0]
    assert isinstance(chart, ChartSpec)
    in_table = {row.label: row.cells[0].value for row in table.rows}
    in_chart = {category.label: value for category, value in zip(chart.categories, values(chart), strict=True)}
    assert in_chart == in_table
    assert sum(values(chart)[:-1]) == pytest.approx(values(chart)[-1])


def test_channels_past_the_eighth_are_one_step_together(workspace: Workspace) -> None:
    amounts = [100.0 * place for place in range(1, 12)]  # 100 to 1100
    chart = drawn(workspace, result=of_channels(workspace, *amounts))
    assert [category.label for category in chart.categories] == [
        *("Baseline", *(f"Channel {place}" for place in range(11, 3, -1)), "Other channels", "Expected"),
    ]
    assert values(chart)[-2:] == [600.0, 21_600.0]
    folded = chart.series[0].marks[-2]
    assert folded is not None
    assert (folded.detail, folded.href) == (("Channel 3, Channel 2 and Channel 1",), "")


@pytest.mark.parametrize("names", [["Channel 3", "Channel 2", "Channel 1"], ["Channel 3"]], ids=["the same", "others"])
def test_their_step_has_an_interval_where_the_result_knows_it(workspace: Workspace, names: list[str]) -> None:
    amounts = [100.0 * place for place in range(1, 12)]
    together = {"media": names, "contribution": around(600.0), "contribution_share": around(600 / 21_600)}
    chart = drawn(workspace, result=of_channels(workspace, *amounts) | {"smaller_media": together})
    folded = chart.series[0].marks[-2]
    assert folded is not None
    said = ("90% interval €420–€780", "2.8% of expected Sales") if len(names) == 3 else ()
    assert (folded.value, folded.detail) == (600.0, ("Channel 3, Channel 2 and Channel 1", *said))


def test_eight_channels_are_eight_steps(workspace: Workspace) -> None:
    chart = drawn(workspace, result=of_channels(workspace, *[100.0] * 8))
    assert len(chart.categories) == 10


def test_a_channel_that_takes_away_falls_and_comes_last(workspace: Workspace) -> None:
    chart = drawn(workspace, result=of_channels(workspace, -400.0, 300.0, 50.0))
    assert values(chart) == [15_000, 300, 50, -400, 14_950]
    assert chart.steps[3] == (15_350, 14_950)
    assert chart.title == "Media take €50 from a baseline of €15\N{NO-BREAK SPACE}k"
    assert chart.series[0].marks[3] is not None
    assert chart.series[0].marks[3].text == "−€400"


def test_a_negative_baseline_begins_below_zero(workspace: Workspace) -> None:
    result = of_channels(workspace, 900.0, 300.0)
    result |= {
        "baseline": {"outcome": around(-1000.0), "share": around(-5.0)},
        "expected": around(200.0),
    }
    chart = drawn(workspace, result=result)
    assert chart.steps == ((0, -1000), (-1000, -100), (-100, 200), (0, 200))
    assert chart.axis.low <= -1000


def test_an_outcome_with_bounds_is_shown_in_points(workspace: Workspace) -> None:
    result = of_channels(workspace, 0.05, 0.02)
    result |= {"baseline": {"outcome": around(0.33), "share": around(0.8)}, "expected": around(0.4)}
    chart = drawn(workspace, is_money=False, bounds=[0, 1], result=result)
    assert values(chart) == pytest.approx([33, 5, 2, 40])
    assert [mark.text for mark in chart.series[0].marks if mark] == ["33 points", "5 points", "2 points", "40 points"]
    assert chart.axis.title == "Expected Sales, points"


def test_parts_that_do_not_add_up_are_not_drawn(workspace: Workspace) -> None:
    run = finished(workspace, result={"expected": around(EXPECTED * 1.001)})
    assert list(waterfall(Result(run))) == []
    assert "waterfall" not in {chart.id for chart in document(run).charts}


@pytest.mark.parametrize("form", FORMATS)
def test_it_can_be_taken_away_in_every_format(form: str, workspace: Workspace) -> None:
    run = finished(workspace, result=of_channels(workspace, 900.0, -300.0))
    whole = document(run)
    (section,) = (one for one in whole.sections if "waterfall" in {chart.id for chart in one.charts})
    assert len(write(replace(whole, sections=(section,)), form)) > 500
    assert len(CHANNELS) == 2
