"""The list of reports, and what a new one begins with."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, Workspace
from marketing.models import Campaign
from reports.blocks.templates import TEMPLATES
from reports.builder import actions
from reports.models import Report
from tests.reports.builder.conftest import MakeReport
from tests.reports.rows import add_rows

ClientFor = Callable[[User | None], Client]
LIST, NEW = "/w/acme/reports/", "/w/acme/reports/new/"
NAMED = {"name": "Mine", "period": "last_30", "comparison": "none", "campaign": ""}


def test_the_list_says_what_each_report_is_made_of(
    shop: Workspace, viewer: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    campaign = Campaign.objects.create(workspace=shop, name="Spring")
    make_report("Of spring", "dashboard", "attribution", period="last_7", campaign=campaign)
    rows = add_rows(shop)
    text = client_for(viewer).get(LIST).content.decode()
    assert "Dashboard · Attribution" in text
    assert "Last 7 days · “Spring”" in text
    assert "Last month · 1 schedule" in text
    assert text.count(f'href="/w/acme/editions/{rows.edition.pk}/"') == 2  # with its report, and among the recent ones
    assert "Failed" in text
    assert "New report" not in text


def test_without_reports_the_templates_are_offered(analyst: User, shop: Workspace, client_for: ClientFor) -> None:
    text = client_for(analyst).get(LIST).content.decode()
    for name, template in TEMPLATES.items():
        assert f'href="/w/acme/reports/new/?template={name}"' in text
        assert template.purpose in text


def test_a_viewer_without_reports_reads_why(viewer: User, shop: Workspace, client_for: ClientFor) -> None:
    text = client_for(viewer).get(LIST).content.decode()
    assert "As a viewer you read reports here" in text
    assert "?template=" not in text


def test_the_list_does_not_exist_for_outsiders(outsider: User, shop: Workspace, client_for: ClientFor) -> None:
    assert client_for(outsider).get(LIST).status_code == 404
    assert client_for(outsider).post(NEW, NAMED).status_code == 404


def test_the_list_is_only_read(owner: User, shop: Workspace, client_for: ClientFor) -> None:
    assert client_for(owner).post(LIST).status_code == 405
    assert client_for(owner).put(NEW).status_code == 405


def test_more_reports_and_editions_are_no_more_queries(
    shop: Workspace,
    owner: User,
    client_for: ClientFor,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(owner)
    add_rows(shop)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for number in range(6):
        add_rows(shop, name=f"Review {number}")
    with django_assert_num_queries(len(few)):
        assert client.get(LIST).content.decode().count("report-row") == 7


def test_a_viewer_begins_no_report(viewer: User, shop: Workspace, client_for: ClientFor) -> None:
    client = client_for(viewer)
    assert client.get(NEW).status_code == 403
    assert client.post(f"{NEW}?template=monthly_review", NAMED).status_code == 403
    assert not Report.objects.exists()


@pytest.mark.parametrize("query", ["", "?template=magic"])
def test_a_new_report_begins_with_choosing_a_template(
    analyst: User, shop: Workspace, client_for: ClientFor, query: str
) -> None:
    text = client_for(analyst).get(f"{NEW}{query}").content.decode()
    assert all(template.label in text for template in TEMPLATES.values())
    assert "Empty report" in text


def test_a_template_brings_its_period_and_a_name_that_is_free(
    analyst: User, shop: Workspace, client_for: ClientFor, make_report: MakeReport
) -> None:
    make_report("Weekly performance")
    text = client_for(analyst).get(f"{NEW}?template=weekly_performance").content.decode()
    assert 'value="Weekly performance 2"' in text
    assert '<option value="previous_week" selected>' in text


@pytest.mark.parametrize("name", ["monthly_review", "empty"])
def test_creating_leads_to_the_report(analyst: User, shop: Workspace, client_for: ClientFor, name: str) -> None:
    response = client_for(analyst).post(f"{NEW}?template={name}", NAMED)
    report = Report.objects.get()
    assert response.headers["Location"] == f"/w/acme/reports/{report.pk}/"
    assert (report.name, report.period, report.comparison) == ("Mine", "last_30", "none")
    assert report.created_by == analyst
    assert len(report.blocks) == (5 if name == "monthly_review" else 0)


def test_the_report_of_a_campaign_asks_which_one(analyst: User, shop: Workspace, client_for: ClientFor) -> None:
    client = client_for(analyst)
    spring = Campaign.objects.create(workspace=shop, name="Spring")
    refused = client.post(f"{NEW}?template=mid_campaign", NAMED)
    assert refused.status_code == 422
    assert "Choose the campaign that this report is about." in refused.content.decode()
    client.post(f"{NEW}?template=mid_campaign", NAMED | {"campaign": "Spring"})
    assert Report.objects.get().campaign == spring


def test_a_shop_without_campaigns_is_not_asked_which_one(analyst: User, shop: Workspace, client_for: ClientFor) -> None:
    client_for(analyst).post(f"{NEW}?template=mid_campaign", NAMED)
    assert Report.objects.get().campaign is None


@pytest.mark.parametrize("name", ["Their campaign", "Nobody's", "a\0b"])
def test_a_campaign_that_is_not_of_this_workspace_is_not_there(
    analyst: User, shop: Workspace, elsewhere: Workspace, client_for: ClientFor, name: str
) -> None:
    Campaign.objects.create(workspace=shop, name="Spring")
    response = client_for(analyst).post(f"{NEW}?template=empty", NAMED | {"campaign": name})
    assert response.status_code == 422
    assert not Report.objects.exists()


def test_of_many_campaigns_names_are_suggested(
    analyst: User, shop: Workspace, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.builder.forms.MOST_IN_A_LIST", 1)
    Campaign.objects.bulk_create(Campaign(workspace=shop, name=f"Campaign {number}") for number in range(3))
    client = client_for(analyst)
    text = client.get(f"{NEW}?template=empty").content.decode()
    assert '<option value="Campaign 2"></option>' in text
    client.post(f"{NEW}?template=empty", NAMED | {"campaign": "Campaign 2"})
    assert Report.objects.get().campaign == Campaign.objects.get(name="Campaign 2")


def test_a_name_that_is_taken_is_said_beside_it(
    analyst: User, shop: Workspace, client_for: ClientFor, make_report: MakeReport
) -> None:
    make_report("Mine")
    response = client_for(analyst).post(f"{NEW}?template=empty", NAMED)
    assert response.status_code == 422
    assert "There is a report of this name already." in response.content.decode()


def test_a_full_workspace_says_so(
    analyst: User, shop: Workspace, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST", 0)
    response = client_for(analyst).post(f"{NEW}?template=empty", NAMED)
    assert response.status_code == 422
    assert "A workspace keeps at most 0 reports." in response.content.decode()
