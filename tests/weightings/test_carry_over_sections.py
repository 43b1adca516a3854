"""How long effects last: by lag and within how many periods, also of runs that kept less."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.documents import Section
from charts import SmallMultiples
from tests.weightings.results import around, finished
from weightings.presentation.carry_over_sections import how_long_effects_last
from weightings.presentation.document import document
from weightings.presentation.results import Result

pytestmark = pytest.mark.django_db
LONG: dict[str, Any] = {
    "carry_over_weights": [0.4, 0.2, 0.2, 0.1, 0.1],
    "carry_over_by_lag": {
        "low": [0.3, 0.1, 0.1, 0.05, 0.0],
        "median": [0.41, 0.2, 0.19, 0.1, 0.1],
        "high": [0.5, 0.3, 0.3, 0.2, 0.2],
    },
    "effect_within": {
        "half": {"median": 2.0, "mean": 1.9, "low": 1.0, "high": 3.0},
        "most": {"median": 4.0, "mean": 4.1, "low": 3.0, "high": 5.0},
    },
}
KEPT_SINCE = ("carry_over_by_lag", "effect_within")


def channels(workspace: Workspace, **of_tv: Any) -> list[dict[str, Any]]:
    return [
        channel | (of_tv if channel["channel"] == "TV" else {}) for channel in finished(workspace).result["channels"]
    ]


def shown(workspace: Workspace, **changes: Any) -> Section:
    (section,) = how_long_effects_last(Result(finished(workspace, **changes)))
    return section


def test_it_says_within_how_many_periods_half_and_most_of_each_effect_come(workspace: Workspace) -> None:
    section = shown(workspace, result={"channels": channels(workspace, **LONG)})
    (chart,) = section.charts
    assert isinstance(chart, SmallMultiples)
    assert chart.title == "The effect of TV lasts longest: half of it comes within 2 weeks, 90% within 4 weeks"
    assert [panel.title for panel in chart.panels] == ["TV", "Search", "Blog"]  # by spend
    assert chart.panels[0].subtitle == "Half of it within 2 weeks (1–3), 90% within 4 weeks (3–5)"
    assert chart.panels[1].subtitle == "Half of it within 1 week, 90% within 2 weeks"  # without doubt
    (table,) = section.tables
    assert [cell.with_interval for cell in table.rows[0].cells] == [
        *("41.0% (30.0%–50.0%)", "2 weeks (1–3)", "4 weeks (3–5)"),
    ]
    assert "The model looks 5 weeks ahead" in section.sentences[0]


def test_each_lag_has_its_weight_and_interval(workspace: Workspace) -> None:
    (chart,) = shown(workspace, result={"channels": channels(workspace, **LONG)}).charts
    panel = chart.panels[0]
    assert [category.label for category in panel.categories][:3] == [
        "In the same week",
        "1 week later",
        "2 weeks later",
    ]
    marks = panel.series[0].marks
    assert [(mark.value, mark.low, mark.high) for mark in marks if mark] == list(
        zip(*(LONG["carry_over_by_lag"][end] for end in ("median", "low", "high")), strict=True)
    )
    assert panel.interval == "90% interval"
    assert len({panel.axis.high for panel in chart.panels}) == 1  # one axis, so that they can be compared


def test_runs_that_kept_only_mean_weights_are_read_from_these(workspace: Workspace) -> None:
    old = [
        {key: value for key, value in channel.items() if key not in KEPT_SINCE}
        for channel in channels(workspace, **LONG)
    ]
    section = shown(workspace, result={"channels": old})
    (chart,) = section.charts
    assert chart.title == "The effect of TV lasts longest: half of it comes within 2 weeks, 90% within 4 weeks"
    assert [mark.value for mark in chart.panels[0].series[0].marks if mark] == LONG["carry_over_weights"]
    assert chart.panels[0].interval == ""
    assert section.tables[0].note.endswith("By mean weights, of which no intervals are kept.")
    assert chart.subtitle.endswith("means")


def test_it_says_so_where_another_may_last_as_long(workspace: Workspace) -> None:
    wide = {"half": around(1.0, reach=0.0), "most": {"median": 2.0, "mean": 2.2, "low": 1.0, "high": 3.0}}
    found = channels(workspace, **LONG)
    found[0] |= {"effect_within": wide}
    (chart,) = shown(workspace, result={"channels": found}).charts
    assert chart.title.startswith("The effect of TV lasts longest, though intervals overlap: half of it comes within 2")


def test_where_several_last_as_long_none_is_said_to_last_longest(workspace: Workspace) -> None:
    (chart,) = shown(workspace).charts
    assert chart.title == "90% of every channel's effect comes within 2 weeks"


def test_of_one_channel_nothing_lasts_longest(workspace: Workspace) -> None:
    only = [channel for channel in channels(workspace, **LONG) if channel["channel"] == "TV"]
    (chart,) = shown(workspace, result={"channels": only}).charts
    assert chart.title == "Half of the effect of TV comes within 2 weeks, 90% within 4 weeks"


def test_a_model_that_keeps_no_weights_has_no_such_section(workspace: Workspace) -> None:
    without = [
        {key: value for key, value in channel.items() if key not in (*KEPT_SINCE, "carry_over_weights", "parameters")}
        for channel in channels(workspace)
    ]
    run = finished(workspace, model="lightweight:carryover", result={"channels": without})
    assert how_long_effects_last(Result(run)) == ()
    assert "How long effects last" not in {section.title for section in document(run).sections}


def test_it_is_a_section_of_the_run(workspace: Workspace) -> None:
    titles = [section.title for section in document(finished(workspace)).sections]
    assert titles.index("How long effects last") == titles.index("Response curves") + 1


def test_draws_between_two_periods_are_whole_ones(workspace: Workspace) -> None:
    between = {"half": around(1.5, reach=0.4), "most": {"median": 2.5, "mean": 2.4, "low": 1.6, "high": 3.4}}
    (chart,) = shown(workspace, result={"channels": channels(workspace, effect_within=between)}).charts
    assert chart.panels[0].subtitle == "Half of it within 2 weeks (1–2), 90% within 2 weeks (2–3)"
