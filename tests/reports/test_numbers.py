"""The dashboard's figures against a shop worked out by hand, and against attribution runs of the same question."""

import datetime as dt
from collections.abc import Mapping

import pytest
from django.utils import timezone

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube.daily_cube import latest_cube
from attribution.labels import MODEL_LABELS
from jobs.execution import execute
from marketing.models import Campaign, Channel
from reports.numbers import Group, Measures, Reader, Subject
from reports.state import DashboardState, dashboard_state
from tests.conftest import ImportRows
from tests.reports.conftest import Refresh

MARCH = {"start": "2026-03-01", "end": "2026-03-31", "compare": "previous"}


def state_of(workspace: Workspace, query: Mapping[str, str]) -> DashboardState:
    state = dashboard_state(query, workspace=workspace, now=timezone.now())
    assert state is not None
    return state


def reader(workspace: Workspace, **query: str) -> Reader:
    cube = latest_cube(workspace=workspace)
    assert cube is not None
    return Reader(workspace, cube.cube, state_of(workspace, MARCH | query))


def overview(workspace: Workspace, **query: str) -> Subject:
    return reader(workspace, **query).overview()


def by_name(groups: object) -> dict[str, Group]:
    assert isinstance(groups, list)
    return {group.name: group for group in groups}


@pytest.mark.usefixtures("figures")
def test_the_cards_are_what_there_is_whoever_gets_the_credit(shop: Workspace) -> None:
    for model in MODEL_LABELS:
        subject = overview(shop, model=model)
        assert subject.now == Measures(conversions=3, revenue=450, spend=180)
        assert subject.before == Measures(conversions=1, revenue=200, spend=50)
    assert overview(shop).now.roas == pytest.approx(2.5)


@pytest.mark.usefixtures("figures")
def test_channels_have_their_credit_under_the_chosen_model_and_their_spend(shop: Workspace) -> None:
    last = by_name(overview(shop, model="last").channels)
    assert {name: group.now for name, group in last.items()} == {
        "Search": Measures(1, 300, 100),
        "Email": Measures(1, 100, 0),
        "(none)": Measures(1, 50, 0),
        "TV": Measures(0, 0, 80),
    }
    assert last["Search"].before == Measures(1, 200, 50)
    assert last["Email"].before == Measures(0, 0, 0)
    linear = by_name(overview(shop, model="linear").channels)
    assert (linear["Search"].now.revenue, linear["Email"].now.revenue) == (150, 250)
    assert linear["Search"].revenue_by_model["first"] == 0
    assert (linear["Search"].is_seen, linear["TV"].is_seen) == (True, False)


@pytest.mark.usefixtures("figures")
def test_campaigns_have_theirs_and_what_has_none_is_told_apart(shop: Workspace) -> None:
    campaigns = by_name(overview(shop, model="last").campaigns)
    assert {name: group.now for name, group in campaigns.items()} == {
        "Brand": Measures(1, 300, 60),
        "Spring": Measures(1, 100, 0),
        "(none)": Measures(1, 50, 0),
        "(not set)": Measures(0, 0, 80),
        "Generic": Measures(0, 0, 40),
    }


@pytest.mark.usefixtures("figures")
def test_groups_come_with_most_revenue_first(shop: Workspace) -> None:
    assert [group.name for group in overview(shop, model="last").channels] == ["Search", "Email", "(none)", "TV"]


@pytest.mark.usefixtures("figures")
def test_without_a_comparison_nothing_is_compared(shop: Workspace) -> None:
    subject = overview(shop, compare="none")
    assert (subject.before, subject.history.before) == (None, None)
    assert {group.before for group in [*subject.channels, *subject.campaigns]} == {None}


@pytest.mark.usefixtures("figures")
def test_a_channel_is_the_sum_of_its_campaigns(shop: Workspace) -> None:
    subject = reader(shop, model="last").channel(Channel.objects.get(name="Search"))
    assert subject.now == Measures(1, 300, 100)
    assert {group.name: group.now for group in subject.campaigns} == {
        "Brand": Measures(1, 300, 60),
        "Generic": Measures(0, 0, 40),
    }
    assert subject.revenue_by_model["linear"] == 150


@pytest.mark.usefixtures("figures")
def test_a_campaign_is_the_sum_of_its_channels(shop: Workspace) -> None:
    subject = reader(shop, model="first").campaign(Campaign.objects.get(name="Spring"))
    assert subject.now == Measures(2, 400, 0)
    assert {group.name: group.now for group in subject.channels} == {"Email": Measures(2, 400, 0)}


@pytest.mark.usefixtures("figures")
def test_days_add_up_to_the_period_and_lie_where_they_happened(shop: Workspace) -> None:
    history = overview(shop).history
    days = dict(zip(history.now.days, history.now.revenue.tolist(), strict=True))
    assert {day: revenue for day, revenue in days.items() if revenue} == {
        dt.date(2026, 3, 10): 300,
        dt.date(2026, 3, 20): 100,
        dt.date(2026, 3, 25): 50,
    }
    assert (len(days), history.now.spend.sum(), history.now.conversions.sum()) == (31, 180, 3)
    assert history.before is not None
    assert (history.before.period.days, history.before.spend.sum()) == (31, 50)


@pytest.mark.usefixtures("figures")
def test_a_year_before_the_data_begin_is_unknown_and_not_zero(
    shop: Workspace, import_rows: ImportRows, refresh: Refresh
) -> None:
    assert overview(shop).history.year_before is None
    import_rows("spend", "date,channel,spend", "2025-03-02,Search,7", "2025-03-05,Search,5")
    refresh()
    earlier = overview(shop).history.year_before
    assert earlier is not None
    assert (earlier.period.start, earlier.spend.sum()) == (dt.date(2025, 3, 2), 12)


@pytest.mark.usefixtures("figures")
def test_another_goal_has_its_own_figures(shop: Workspace) -> None:
    assert overview(shop, goal="Lead").now == Measures(conversions=1, revenue=0, spend=180)


@pytest.mark.usefixtures("figures")
def test_the_newest_experiment_of_a_channel_is_shown_with_its_interval(shop: Workspace) -> None:
    shop.confidence = 90
    (lift,) = overview(shop).lifts
    assert (lift.channel, lift.period.start, lift.roi) == ("Search", dt.date(2026, 2, 1), 0.4)
    assert [lift.low, lift.high] == pytest.approx([0.4 - 0.164485, 0.4 + 0.164485], abs=1e-6)


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("dimension", ["channel", "campaign"])
def test_the_dashboard_and_an_attribution_run_of_the_same_days_agree(shop: Workspace, dimension: str) -> None:
    params = {"start": "2026-03-01", "end": "2026-03-31", "model": list(MODEL_LABELS), "dimension": dimension}
    run = request_run(workspace=shop, kind="attribution", params=params, by=None, trigger=Run.Trigger.CLI, ring=False)
    execute(job_id=run.job_id)
    run.refresh_from_db()
    assert run.result is not None
    for model in MODEL_LABELS:
        subject = overview(shop, model=model)
        groups = by_name(subject.channels if dimension == "channel" else subject.campaigns)
        credited = run.result["models"][model][f"{dimension}s"]
        for row in credited:
            shown = groups[row[dimension]].now if row["value"] else Measures(0, 0, 0)
            assert [shown.conversions, shown.revenue] == pytest.approx([row["conversions"], row["value"]], abs=1e-9)
        assert sum(row["value"] for row in credited) == pytest.approx(subject.now.revenue, abs=1e-9)


def test_many_campaigns_are_added_up_past_the_largest(
    shop: Workspace, import_rows: ImportRows, refresh: Refresh
) -> None:
    rows = [f"2026-03-{1 + n % 28:02},Search,Campaign {n:03},{1 + n}" for n in range(260)]
    import_rows("spend", "date,channel,campaign,spend", *rows)
    refresh()
    campaigns = overview(shop).campaigns
    assert (len(campaigns), campaigns[0].name, campaigns[-1].name) == (201, "Campaign 259", "60 others")
    assert sum(group.now.spend for group in campaigns) == sum(range(1, 261))
