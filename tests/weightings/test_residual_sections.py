"""Where a model was off: residuals by period, the largest by name, and whether they come one by one."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.documents import Section
from charts import ChartSpec, Kind
from tests.weightings.results import EXPECTED, WEEKS, finished
from weightings.presentation.document import document
from weightings.presentation.residual_sections import fit_and_residuals
from weightings.presentation.results import Result

pytestmark = pytest.mark.django_db
USUAL = EXPECTED / WEEKS


def shown(workspace: Workspace, residuals: list[float | None] | None = None, **changes: Any) -> Section:
    """The section where the observed weeks are these much above what was expected."""
    if residuals is not None:
        series = dict(finished(workspace).result["series"])
        series["observed"] = [None if one is None else USUAL + one for one in residuals]
        changes["result"] = {"series": series} | changes.get("result", {})
    return fit_and_residuals(Result(finished(workspace, **changes)))


def chart(section: Section) -> ChartSpec:
    (found,) = section.charts
    assert isinstance(found, ChartSpec)
    return found


def test_residuals_are_what_was_observed_less_what_was_expected(workspace: Workspace) -> None:
    lines = chart(shown(workspace))
    assert lines.kind == Kind.LINE
    residual, band = lines.series
    assert [round(mark.value) if mark else None for mark in residual.marks] == [
        *(-50, 50, -50, 50, -50, None, -50, 50, -50, 50, -50, 50),
    ]
    assert {(mark.value, mark.low, mark.high) for mark in band.marks if mark} == {(0.0, -100.0, 100.0)}
    assert lines.interval == "90% prediction interval"
    assert (residual.name, band.name, band.dashed) == ("Residual", "Expected", True)


def test_the_largest_misses_are_named_by_their_weeks(workspace: Workspace) -> None:
    residuals = [10.0, -160.0, 20.0, 5.0, None, 30.0, 120.0, 1.0, 2.0, -3.0, 4.0, 5.0]
    section = shown(workspace, residuals)
    assert chart(section).title == "The largest miss is €160, in the week of 12 January 2026"
    said = " ".join(section.sentences)
    assert (
        "Furthest off in 5 Jan – 29 Mar 2026: the week of 12 January 2026, €160 below what was expected, outside the "
        "interval of predictions; the week of 16 February 2026, €120 above what was expected, outside the interval of "
        "predictions; the week of 9 February 2026, €30 above what was expected." in said
    )
    assert "2 of 11 weeks lie outside the 90% interval of predictions." in said


@pytest.mark.parametrize(
    ("residuals", "sentence"),
    [
        ([60.0, 50, 40, 50, 30, 20, -20, -40, -50, -40, -60, -40], "more than what chance alone would bring, ±0.57"),
        ([60.0, -50, 40, -50, 30, -20, 20, -40, 50, -40, 60, -40], "beyond what chance alone would bring, ±0.57"),
        ([60.0, 0, 0, -50, 0, 0, 20, 0, 0, -40, 0, 0], "0.00 (lag-1 autocorrelation), within what chance alone"),
    ],
    ids=["lasting", "alternating", "one by one"],
)
def test_it_says_what_residuals_that_follow_each_other_mean(
    residuals: list[float | None], sentence: str, workspace: Workspace
) -> None:
    assert sentence in " ".join(shown(workspace, residuals).sentences)


def test_what_lasts_is_looked_for_in_all_data_and_misses_in_the_period(workspace: Workspace) -> None:
    period = {"start": "2026-03-02", "end": "2026-03-29", "periods": 4, "first": 8}
    section = shown(workspace, [500.0, *[1.0, -1.0] * 5, 9.0], result={"period": period})
    assert len(chart(section).categories) == 4
    said = " ".join(section.sentences)
    assert "week of 5 January" not in said
    assert "the week of 23 March 2026, €9 above" in said
    assert "±0.57" in said  # of twelve weeks


def test_without_an_observed_outcome_there_is_nothing_to_be_off_from(workspace: Workspace) -> None:
    section = shown(workspace, [None] * WEEKS)
    assert section.charts == ()
    assert section.sentences[-1].startswith("Nothing is known of Sales in 5 Jan – 29 Mar 2026")


def test_a_perfect_fit_says_nothing_of_correlation(workspace: Workspace) -> None:
    section = shown(workspace, [0.0] * WEEKS)
    assert "autocorrelation" not in " ".join(section.sentences)
    assert chart(section).title.startswith("The largest miss is €0")


@pytest.mark.parametrize(
    ("granularity", "when"), [("day", "on 5 January 2026"), ("month", "in January 2026"), ("week", "in the week of 5")]
)
def test_periods_are_named_as_they_are(granularity: str, when: str, workspace: Workspace) -> None:
    section = shown(workspace, [70.0, *[1.0] * 11], result={"granularity": granularity}, granularity=granularity)
    assert when in chart(section).title


def test_misses_of_a_share_are_in_points(workspace: Workspace) -> None:
    run = finished(workspace, is_money=False, bounds=[0, 1])
    series = run.result["series"]
    series["expected"]["mean"], series["observed"] = [0.4] * WEEKS, [0.45, *[0.4] * (WEEKS - 1)]
    series["predicted"] = {"low": [0.38] * WEEKS, "high": [0.42] * WEEKS}
    section = fit_and_residuals(Result(run))
    assert chart(section).title == "The largest miss is 5 points, in the week of 5 January 2026"
    assert [round(mark.value, 6) for mark in chart(section).series[0].marks if mark] == [5, *[0] * (WEEKS - 1)]


def test_it_stands_beside_the_fit(workspace: Workspace) -> None:
    section = shown(workspace)
    assert section.sentences[0].startswith("Over all data that the model has learnt from, it explains 90.0%")
    titles = [one.title for one in document(finished(workspace)).sections]
    assert titles.index("Fit and residuals") == titles.index("Over time") + 1
