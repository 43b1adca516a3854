"""The page of one channel of a run: who may see it, and what the run says of the channel."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User, Workspace
from analyses.models import Run
from marketing.models import Channel
from tests.factories import WorkspaceFactory
from tests.weightings.campaign_rows import add_campaigns
from tests.weightings.channel_pages import BLOG, SEARCH, TV, address, campaigns, column, said, shown, table
from tests.weightings.results import a_check, finished
from tests.weightings.stored_runs import a_stored_run
from weightings.presentation.document import document
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def keep(workspace: Workspace, **how: Any) -> Run:
    """A run written by hand, which has a result and no arrays."""
    run = finished(workspace, **how)
    run.job.save()
    run.job, run.fingerprint = run.job, run.pk.hex
    run.save()
    return run


# Who may see it, and where it leads


@pytest.mark.parametrize("role", ["owner", "analyst", "viewer"])
def test_members_see_the_page(role: str, client_for: ClientFor, run: Run, request: pytest.FixtureRequest) -> None:
    add_campaigns(run)
    page = client_for(request.getfixturevalue(role)).get(address(run))
    assert page.status_code == 200
    assert "<h1" in page.text
    assert ">Spring</a>" in page.text
    assert "Channel 1 of 3" in page.text


def test_strangers_sign_in_and_other_workspaces_find_nothing(
    client_for: ClientFor, outsider: User, run: Run, analyst: User
) -> None:
    assert client_for(None).get(address(run)).status_code == 302
    assert client_for(outsider).get(address(run)).status_code == 404
    elsewhere = a_stored_run(WorkspaceFactory.create())
    assert client_for(analyst).get(f"/w/acme/weightings/runs/{elsewhere.pk}/channels/0/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_page_is_only_read(method: str, client_for: ClientFor, owner: User, run: Run) -> None:
    assert getattr(client_for(owner), method)(address(run)).status_code == 405


@pytest.mark.parametrize("place", [3, 10**30])
def test_there_is_no_page_of_a_channel_that_is_not_there(
    place: int, client_for: ClientFor, analyst: User, run: Run
) -> None:
    assert client_for(analyst).get(address(run, place)).status_code == 404


def test_runs_without_a_result_and_of_other_kinds_have_no_such_page(
    client_for: ClientFor, analyst: User, workspace: Workspace, run: Run
) -> None:
    other = keep(workspace)
    Run.objects.filter(pk=other.pk).update(kind="attribution")
    assert client_for(analyst).get(address(other)).status_code == 404
    run.job.__class__.objects.filter(pk=run.job_id).update(status="running")
    assert client_for(analyst).get(address(run)).status_code == 404


def test_it_leads_to_its_neighbours_the_run_the_planner_and_the_dashboard(run: Run) -> None:
    add_campaigns(run, named="TV")
    page = shown(run, SEARCH)
    assert page.before is not None
    assert page.after is not None
    assert [(page.before.label, page.before.url), (page.after.label, page.after.url)] == [
        ("TV", address(run, TV)),
        ("Blog", address(run, BLOG)),
    ]
    links = {link.label: link.url for link in shown(run).links}
    channel = Channel.objects.get(name="TV")
    period = StoredModel(run).result["period"]
    assert links == {
        "The run's results": f"/w/acme/runs/{run.pk}/",
        "Planner": f"/w/acme/weightings/runs/{run.pk}/plan/",
        "Dashboard": f"/w/acme/dashboard/channels/{channel.pk}/?start={period['start']}&end={period['end']}",
    }
    assert shown(run, TV).before is None
    assert shown(run, BLOG).after is None
    assert "Dashboard" not in {link.label for link in page.links}  # nobody knows Search there


# What the run says of the channel


def test_its_cards_are_the_numbers_of_the_runs_tables(run: Run) -> None:
    of_run = document(run)
    tables = {table.title: table for section in of_run.sections for table in section.tables}
    cards = {card.label: card.figure for card in shown(run).cards}
    returns = tables["Returns by channel"]
    for label in ("Incremental ROI", "Marginal ROI", "Efficiency score", "Spend", "Incremental Sales"):
        assert cards[label] == column(returns, label)["TV"], label
    assert cards["Contribution"] == column(tables["What Sales is made of"], "Contribution")["TV"]
    recommended = column(tables["Current and recommended budget"], "Spend, then")["TV"]
    assert cards["Recommended spend"] == recommended


def test_it_has_every_section_that_concerns_the_channel_and_only_it(workspace: Workspace) -> None:
    checks = [
        a_check("VIF", 1.2, 5.0, "good", "TV"),
        a_check("VIF", 9.9, 5.0, "review", "Search"),
        a_check("Correlation", 0.9, 0.8, "review", "TV and Blog"),
        a_check("Correlation", 0.9, 0.8, "review", "Search and Blog"),
    ]
    page = shown(finished(workspace, checks=checks), 1)
    titles = [section.title for section in page.sections]
    assert titles == [
        *("What more or less spend would bring", "How long its effect lasts", "Contribution over time"),
        *("What was believed beforehand", "Checks that concern it"),
    ]
    tables = {table.title: table for section in page.sections for table in section.tables}
    assert [row.cells[0].text for row in tables["Checks of the model"].rows] == ["TV and Blog", "TV"]
    assert [row.label for row in tables["Believed before and after"].rows] == ["TV"]
    assert page.headline == "TV returned 0.50 (0.35–0.65) per €1 spent, clearly less than it cost."
    assert not any("Search" in sentence for section in page.sections for sentence in section.sentences)


def test_where_all_checks_are_good_it_says_so_of_the_channel(workspace: Workspace) -> None:
    page = shown(finished(workspace, checks=[a_check("VIF", 1.2, 5.0, "good", "TV")]), 1)
    (section,) = (one for one in page.sections if one.title == "Checks that concern it")
    assert section.sentences == ("Every check that is about this channel is good.",)


def test_its_contribution_over_time_is_the_runs(run: Run) -> None:
    (section,) = (one for one in shown(run).sections if one.title == "Contribution over time")
    (chart,) = section.charts
    of_run = next(one for one in StoredModel(run).result["series"]["channels"] if one["channel"] == "TV")
    marks = chart.panels[0].series[0].marks
    assert [(mark.value, mark.low, mark.high) for mark in marks if mark] == list(
        zip(of_run["mean"], of_run["low"], of_run["high"], strict=True)
    )


def test_a_channel_without_spend_has_what_it_contributed(run: Run) -> None:
    page = shown(run, BLOG)
    assert page.headline.startswith("Blog contributed ")
    assert {card.label for card in page.cards} == {"Contribution", "Incremental Sales"}
    assert "What more or less spend would bring" not in {section.title for section in page.sections}
    assert page.no_campaigns == "Blog has no spend, and campaigns are told apart by theirs."


def test_an_outcome_that_is_no_money_is_given_per_spend(workspace: Workspace) -> None:
    page = shown(finished(workspace, is_money=False), 1)
    assert page.headline == "TV brought 0.5 (0.35–0.65) of Sales per €1 spent."
    assert {"Incremental Sales per €1", "Of the next €1"} <= {card.label for card in page.cards}


def test_a_channel_whose_returns_are_small_is_given_per_as_much_as_in_the_run(workspace: Workspace) -> None:
    """Search alone would need no such multiple."""
    run = finished(workspace, is_money=False)
    assert run.result is not None
    for channel in run.result["channels"]:
        if channel["spend"]:
            small = 0.004 if channel["channel"] == "TV" else 0.02
            channel["incremental_per_spend"] = {"median": small, "mean": small, "low": small / 2, "high": 2 * small}
    in_table = next(table for section in document(run).sections for table in section.tables)
    (card,) = (card for card in shown(run, 1).cards if card.label == in_table.columns[2])
    assert card.figure == in_table.rows[1].cells[1]
    assert in_table.rows[1].label == "TV"


def test_a_model_in_doubt_says_so_before_its_numbers(workspace: Workspace, client_for: ClientFor, viewer: User) -> None:
    run = a_stored_run(workspace, converged=False)
    add_campaigns(run)
    page = client_for(viewer).get(address(run))
    assert "The model has not converged, so no budget is recommended from it." in page.text
    section = campaigns(run)
    assert said(section).startswith("No verdict is given. The model has not converged")
    assert "Verdict" not in table(section).columns


def test_an_old_model_says_so(workspace: Workspace, client_for: ClientFor, viewer: User) -> None:
    run = a_stored_run(workspace)
    assert "more than 90 days ago" not in client_for(viewer).get(address(run)).text
    Run.objects.filter(pk=run.pk).update(created_at=run.created_at - dt.timedelta(91))
    assert "more than 90 days ago" in client_for(viewer).get(address(run)).text


def test_a_run_written_by_an_earlier_version_shows_what_it_has(
    workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    run = keep(workspace, result={"stored": {"posterior": None, "quantities": {}, "panel": {}}})
    page = client_for(viewer).get(address(run, 1))
    assert page.status_code == 200
    assert "TV returned 0.50" in page.text
    assert "This run was made by an earlier version" in page.text
