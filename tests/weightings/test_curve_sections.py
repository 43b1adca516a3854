"""Response curves: where the present spend is, and where the recommended budget would go."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.documents import Section
from charts import ChartSpec, Kind, Mark, SmallMultiples
from tests.weightings.results import MULTIPLIERS, around, finished
from weightings.presentation.curve_sections import response_curve, response_curves
from weightings.presentation.results import Result

pytestmark = pytest.mark.django_db


def budget(**spend: float) -> dict[str, Any]:
    """What the curves read of a recommended budget."""
    now = {"Search": 1000.0, "TV": 4000.0}
    return {
        "channels": [
            {
                "channel": name,
                "spend_current": now[name],
                "spend_recommended": amount,
                "added_recommended": around(amount / 2),
            }
            for name, amount in spend.items()
        ]
    }


def shown(workspace: Workspace, plan: dict[str, Any] | None) -> tuple[Section, dict[str, ChartSpec]]:
    section = response_curves(Result(finished(workspace, result={"budget": plan})))
    (chart,) = section.charts
    assert isinstance(chart, SmallMultiples)
    return section, {panel.title: panel for panel in chart.panels}


def only(panel: ChartSpec, name: str) -> tuple[int, Mark]:
    """The only mark of a series, and its place."""
    (series,) = (one for one in panel.series if one.name == name)
    ((place, mark),) = ((place, mark) for place, mark in enumerate(series.marks) if mark)
    return place, mark


def test_present_and_recommended_spend_are_marked_on_each_curve(workspace: Workspace) -> None:
    section, panels = shown(workspace, budget(Search=1330.0, TV=3670.0))
    assert all(panel.kind == Kind.LINE for panel in panels.values())
    place, present = only(panels["TV"], "Present")
    assert (MULTIPLIERS[place], present.value) == (1.0, 2000.0)
    place, recommended = only(panels["TV"], "Recommended")
    assert MULTIPLIERS[place] == 0.9
    assert (recommended.value, recommended.low, recommended.high) == (1835.0, 1284.5, 2385.5)
    assert recommended.detail == ("€3,670", "0.92 times as much")
    assert panels["TV"].subtitle == "Present spend €4,000, recommended €3,670"
    assert MULTIPLIERS[only(panels["Search"], "Recommended")[0]] == 1.3
    assert "drawn at the nearest tenth of the present spend" in " ".join(section.sentences)


@pytest.mark.parametrize("plan", [None, {"channels": []}], ids=["no budget", "a budget of nothing"])
def test_where_nothing_is_recommended_only_the_present_spend_is_marked(
    plan: dict[str, Any] | None, workspace: Workspace
) -> None:
    section, panels = shown(workspace, plan)
    assert [series.name for series in panels["TV"].series] == ["Observed", "Beyond", "Present"]
    assert "recommended" not in " ".join(section.sentences)


def test_a_run_of_an_earlier_version_has_no_budget_to_mark(workspace: Workspace) -> None:
    run = finished(workspace)
    assert run.result is not None
    run.result.pop("budget", None)
    (chart,) = response_curves(Result(run)).charts
    assert len(chart.panels[0].series) == 3


def test_more_than_the_curve_shows_is_not_marked_and_every_panel_has_the_same_key(workspace: Workspace) -> None:
    _section, panels = shown(workspace, budget(Search=2500.0, TV=8800.0))
    (series,) = (one for one in panels["Search"].series if one.name == "Recommended")
    assert not any(series.marks)
    assert panels["Search"].subtitle == "Present spend €1,000"
    assert MULTIPLIERS[only(panels["TV"], "Recommended")[0]] == 2.2
    assert len({tuple(one.name for one in panel.series) for panel in panels.values()}) == 1


def test_what_is_to_be_spent_no_more_is_marked_at_nothing(workspace: Workspace) -> None:
    _section, panels = shown(workspace, budget(Search=0.0, TV=5000.0))
    place, mark = only(panels["Search"], "Recommended")
    assert (place, mark.value, mark.detail[0]) == (0, 0.0, "€0")


def test_one_channels_curve_alone_says_what_its_spend_adds(workspace: Workspace) -> None:
    result = Result(finished(workspace, result={"budget": budget(TV=3670.0)}))
    (chart,) = response_curve(result, "TV")
    assert chart.title == "The present spend on TV adds €2,000"
    assert chart.subtitle == ("Present spend €4,000, recommended €3,670. Incremental Sales, EUR, 90% interval")
    assert list(response_curve(result, "Blog")) == []  # without spend
    assert list(response_curve(result, "Nobody's")) == []
