"""The builder of a report: its form, which comes back as it is then, and what is saved of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions import set_plan
from accounts.models import User, Workspace
from marketing.models import Campaign
from reports.blocks.definition import KINDS, MOST_BLOCKS
from reports.models import Edition, Report
from tests.reports.builder.conftest import MakeReport
from tests.reports.builder.steps import fields_of
from tests.reports.rows import add_rows
from tests.weightings.results import finished
from weightings.models import Scenario

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
HTML = "<script>alert(1)</script>"
WITHOUT_SCENARIOS = [kind for kind in KINDS if kind != "scenarios"]


def address(report: Report) -> str:
    return f"/w/acme/reports/{report.pk}/"


def titles(html: str) -> list[str]:
    """The titles of the blocks, in their order."""
    return [part.split("</h2>")[0].split("</span> ")[1] for part in html.split('<h2 id="block-')[1:]]


def a_scenario(workspace: Workspace, name: str) -> Scenario:
    run = finished(workspace)
    run.fingerprint = name
    run.job.save()
    run.save()
    return Scenario.objects.create(workspace=workspace, run=run, name=name, plan={})


def test_the_page_shows_every_block_with_its_settings(
    analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    report = make_report("Review", *WITHOUT_SCENARIOS)
    html = client_for(analyst).get(address(report)).content.decode()
    assert f'/schedules/new/?report={report.pk}"' in html
    assert titles(html) == [kind.title() for kind in WITHOUT_SCENARIOS]
    assert "The newest model of this outcome that has converged and is not stale is shown" in html
    assert "Data-driven attribution is part of the Professional plan" in html
    assert "Save and preview" in html


def test_a_viewer_sees_what_it_is_made_of_and_changes_nothing(
    viewer: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    report = make_report("Review", "text")
    client = client_for(viewer)
    html = client.get(address(report)).content.decode()
    assert titles(html) == ["Text"]
    assert '<fieldset class="report-fields" disabled>' in html
    for word in ("Move down", "Add block", "Duplicate", "Save and preview", "Schedule this report", "/delete/"):
        assert word not in html
    for action in ("save", "preview", "add", "remove:1"):
        assert client.post(address(report), fields_of(report, action=action)).status_code == 403
    assert client.post(f"{address(report)}duplicate/").status_code == 403
    assert client.get(f"{address(report)}delete/").status_code == 403
    assert client.post(f"{address(report)}delete/").status_code == 403
    assert Report.objects.count() == 1


def test_for_outsiders_there_is_no_such_report(
    outsider: User, owner: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    report = make_report("Review", "text")
    for path in (address(report), f"/w/elsewhere/reports/{report.pk}/"):
        assert client_for(outsider).get(path).status_code == 404
        assert client_for(outsider).post(path, fields_of(report, action="save")).status_code == 404
        assert client_for(outsider).post(f"{path}duplicate/").status_code == 404
        assert client_for(outsider).post(f"{path}delete/").status_code == 404
    for missing in (report.pk + 1, 2**70):
        assert client_for(owner).get(f"/w/acme/reports/{missing}/").status_code == 404


def test_other_methods_are_not_allowed(owner: User, client_for: ClientFor, make_report: MakeReport) -> None:
    path = address(make_report())
    assert client_for(owner).delete(path).status_code == 405
    assert client_for(owner).get(f"{path}duplicate/").status_code == 405
    assert client_for(owner).put(f"{path}delete/").status_code == 405


@pytest.mark.parametrize(
    ("action", "order", "said"),
    [
        ("up:2", ["Attribution", "Text", "Dashboard"], "“Attribution” is now block 1 of 3."),
        ("down:2", ["Text", "Dashboard", "Attribution"], "“Attribution” is now block 3 of 3."),
        ("up:1", ["Text", "Attribution", "Dashboard"], "“Text” is now block 1 of 3."),
        ("down:3", ["Text", "Attribution", "Dashboard"], "“Dashboard” is now block 3 of 3."),
        ("remove:1", ["Attribution", "Dashboard"], "“Text” is removed."),
        ("up:9", ["Text", "Attribution", "Dashboard"], ""),
        ("remove:x", ["Text", "Attribution", "Dashboard"], ""),
    ],
)
def test_blocks_are_moved_and_removed_before_anything_is_saved(
    analyst: User, client_for: ClientFor, make_report: MakeReport, action: str, order: list[str], said: str
) -> None:
    report = make_report("Review", "text", "attribution", "dashboard")
    sent = fields_of(report, action=action, **{"b1-text": "Not saved yet", "name": ""})
    response = client_for(analyst).post(address(report), sent)
    html = response.content.decode()
    assert response.status_code == 200
    assert titles(html) == order
    assert f'role="status">{said}</p>' in html
    assert ("Not saved yet" in html) == (action != "remove:1")
    assert "Give the report a name" not in html  # nobody has asked to save it
    report.refresh_from_db()
    assert [block["kind"] for block in report.blocks] == ["text", "attribution", "dashboard"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_of_each_kind_is_added_at_the_end(
    analyst: User, client_for: ClientFor, make_report: MakeReport, kind: str
) -> None:
    report = make_report("Review", "text")
    sent = fields_of(report, action="add", kind=kind, **{"b1-text": "Not saved yet"})
    response = client_for(analyst).post(address(report), sent, headers=HTMX)
    html = response.content.decode()
    assert titles(html) == ["Text", KINDS[kind].label]
    assert '<h2 id="block-2" tabindex="-1" autofocus>' in html
    assert "Not saved yet" in html
    assert "<html" not in html
    assert ("There are no saved scenarios yet" in html) == (kind == "scenarios")
    assert f'hx-swap-oob="true">“{KINDS[kind].label}” is added as block 2.</p>' in html


def test_nonsense_adds_nothing(analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    report = make_report("Review", "text")
    sent = fields_of(report, action="add", kind="magic", block=["1:text", "1:text", "x:text", "2:magic", "99999:text"])
    assert titles(client_for(analyst).post(address(report), sent).content.decode()) == ["Text"]


def test_a_full_report_takes_no_more_blocks(analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    report = make_report("Review", *["text"] * MOST_BLOCKS)
    sent = fields_of(report, action="add", kind="text")
    html = client_for(analyst).post(address(report), sent).content.decode()
    assert len(titles(html)) == MOST_BLOCKS
    assert "A report has no more blocks than these." in html


def test_what_is_saved_is_what_was_sent_in_its_order(
    shop: Workspace, analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    spring = Campaign.objects.create(workspace=shop, name="Spring")
    scenario = a_scenario(shop, "More search")
    report = make_report("Review", "text", "attribution", "dashboard", "crosschannel", "weightings")
    sent = fields_of(
        report,
        action="save",
        name="New name",
        period="last_7",
        comparison="year",
        campaign="Spring",
        block=["2:attribution", "1:text", "3:dashboard", "4:crosschannel", "5:weightings", "6:scenarios"],
        **{
            "b1-title": "Our view",
            "b1-text": "One.\r\nTwo.",
            "b2-model": ["last", "linear"],
            "b2-metric": "goal:Trial",
            "b2-dimension": "campaign",
            "b2-window_days": "45",
            "b3-model": "first",
            "b3-goal": "Lead",
            "b4-goal": "Lead",
            "b4-window_days": "",
            "b6-title": "",
            "b6-scenarios": [str(scenario.pk)],
        },
    )
    shop.goals.create(name="Trial", kind="other")
    response = client_for(analyst).post(address(report), sent)
    assert response.headers["Location"] == address(report)
    report.refresh_from_db()
    assert (report.name, report.period, report.comparison, report.campaign) == ("New name", "last_7", "year", spring)
    assert [(block["kind"], block["title"], block["params"]) for block in report.blocks] == [
        (
            "attribution",
            "Attribution",
            {
                "model": ["last", "linear"],
                "metric": "conversions",
                "goal": "Trial",
                "dimension": "campaign",
                "window_days": 45,
            },
        ),
        ("text", "Our view", {"text": "One.\nTwo."}),
        ("dashboard", "Dashboard", {"model": "first", "goal": "Lead"}),
        ("crosschannel", "Crosschannel", {"goal": "Lead"}),
        ("weightings", "Weightings", {}),
        ("scenarios", "Scenario comparison", {"scenarios": [scenario.pk]}),
    ]
    again = fields_of(report)
    assert again["b1-metric"] == "goal:Trial"
    assert again["b1-model"] == ["last", "linear"]
    assert again["b6-scenarios"] == [str(scenario.pk)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"period": "tomorrow"}, "tomorrow is not one of the available choices"),
        ({"campaign": "Nobody"}, "There is no campaign “Nobody” in this workspace."),
        ({"b1-text": "x" * 10_001}, "A text has at most 10,000 characters"),
        ({"b2-window_days": "0"}, "greater than or equal to 1"),
        ({"b2-metric": "goal:Nobody"}, "There is no goal “Nobody”"),
        ({"b2-segment": "Nobody"}, "There is no segment “Nobody”"),
        ({"b2-model": ["custom:77"]}, "There is no model “custom:77”"),
        ({"b2-model": ["data_driven"]}, "Data-driven attribution is part of the Professional plan"),
        ({"b3-goal": "Nobody"}, "There is no goal “Nobody”"),
        ({"b3-model": "data_driven"}, "Data-Driven is not kept for every day"),
        ({"b4-outcome": "Nobody"}, "Nobody"),
        ({"b5-scenarios": ["77"]}, "77 is not one of the available choices"),
        ({"b5-scenarios": []}, "Choose one scenario at least."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    shop: Workspace,
    analyst: User,
    client_for: ClientFor,
    make_report: MakeReport,
    wrong: dict[str, Any],
    said: str,
) -> None:
    scenario = a_scenario(shop, "More search")
    report = make_report("Review", "text", "attribution", "dashboard", "weightings")
    sent = fields_of(report, action="save", **{"b1-title": "Kept as typed"})
    sent |= {"block": [*sent["block"], "5:scenarios"], "b5-scenarios": [str(scenario.pk)], "b5-title": ""}
    response = client_for(analyst).post(address(report), sent | wrong)
    html = response.content.decode()
    assert response.status_code == 422
    assert said in html
    assert "Kept as typed" in html
    report.refresh_from_db()
    assert len(report.blocks) == 4


def test_a_name_that_is_taken_is_said(analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    make_report("Other")
    report = make_report("Review", "text")
    response = client_for(analyst).post(address(report), fields_of(report, action="save", name="Other"))
    assert response.status_code == 422
    assert "There is a report of this name already." in response.content.decode()


def test_another_workspaces_scenario_is_not_there(
    shop: Workspace, elsewhere: Workspace, analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    theirs, _ours = a_scenario(elsewhere, "Their plan"), a_scenario(shop, "Our plan")
    report = make_report("Review", "text")
    sent = fields_of(report, action="save", block=["2:scenarios"], **{"b2-title": "", "b2-scenarios": [str(theirs.pk)]})
    response = client_for(analyst).post(address(report), sent)
    assert response.status_code == 422
    assert "Their plan" not in response.content.decode()


def test_without_scenarios_the_block_says_so_when_it_is_saved(
    analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    report = make_report("Review", "text")
    sent = fields_of(report, action="save", block=["2:scenarios"], **{"b2-title": ""})
    response = client_for(analyst).post(address(report), sent)
    assert response.status_code == 422
    assert "Choose one scenario at least." in response.content.decode()


def test_what_is_there_no_longer_stays_chosen_and_is_named(
    shop: Workspace, analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    trial = shop.goals.create(name="Trial", kind="other")
    report = make_report("Review", "crosschannel", "attribution")
    client = client_for(analyst)
    client.post(
        address(report), fields_of(report, action="save", **{"b1-goal": "Trial", "b2-model": ["time_decay:14"]})
    )
    trial.delete()
    html = client.get(address(report)).content.decode()
    assert '<option value="Trial" selected>Trial (no longer there)</option>' in html
    assert "Time Decay, 14 days" in html
    response = client.post(address(report), fields_of(report, action="save"))
    assert response.status_code == 422
    assert "There is no goal “Trial”" in response.content.decode()


def test_a_model_that_the_plan_no_longer_has_can_be_taken_away(
    shop: Workspace, analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    report = make_report("Review", "attribution")
    client = client_for(analyst)
    client.post(address(report), fields_of(report, action="save", **{"b1-model": ["data_driven", "linear"]}))
    set_plan(workspace=shop, plan="starter", by=None)
    html = client.get(address(report)).content.decode()
    boxes = [part.split(">")[0] for part in html.split("<input")]
    locked = [box for box in boxes if 'value="shapley"' in box or 'value="data_driven"' in box]
    assert [("disabled" in box, "checked" in box) for box in locked] == [(False, True), (True, False)]
    assert client.post(address(report), fields_of(report, action="save")).status_code == 422
    client.post(address(report), fields_of(report, action="save", **{"b1-model": ["linear"]}))
    report.refresh_from_db()
    assert report.blocks[0]["params"]["model"] == ["linear"]


@pytest.mark.usefixtures("figures")
def test_a_preview_saves_first_and_leads_to_its_edition(
    analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    report = make_report("Review", "dashboard")
    sent = fields_of(report, action="preview", name="Saved first", period="last_7")
    response = client_for(analyst).post(address(report), sent)
    edition = Edition.objects.get()
    assert response.headers["Location"] == f"/w/acme/editions/{edition.pk}/"
    assert (edition.title, edition.requested_by, edition.report) == ("Saved first", analyst, report)
    assert (str(edition.start), str(edition.end)) == ("2026-03-25", "2026-03-31")


def test_there_is_no_preview_of_an_empty_report(analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    report = make_report()
    response = client_for(analyst).post(address(report), fields_of(report, action="preview"))
    assert response.status_code == 422
    assert "Add a block first" in response.content.decode()
    assert not Edition.objects.exists()


def test_duplicating_leads_to_the_copy(analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    report = make_report("Review", "text")
    response = client_for(analyst).post(f"{address(report)}duplicate/")
    copy = Report.objects.get(name="Review (copy)")
    assert response.headers["Location"] == address(copy)


def test_deleting_names_the_schedules_that_go_too(shop: Workspace, analyst: User, client_for: ClientFor) -> None:
    report = add_rows(shop, name="Monday").report
    report.schedules.update(created_by=analyst)
    client = client_for(analyst)
    html = " ".join(client.get(f"{address(report)}delete/").content.decode().split())
    assert "1 schedule that sends it goes with it: “Monday”." in html
    assert Report.objects.exists()
    assert client.post(f"{address(report)}delete/").headers["Location"] == "/w/acme/reports/"
    assert not Report.objects.exists()


def test_html_is_only_text(shop: Workspace, analyst: User, client_for: ClientFor, make_report: MakeReport) -> None:
    Campaign.objects.create(workspace=shop, name=HTML)
    a_scenario(shop, HTML)
    report = make_report(HTML, "text", "attribution", campaign=Campaign.objects.get(name=HTML))
    sent = fields_of(report, action="add", kind="scenarios", **{"b1-title": HTML, "b1-text": HTML, "b2-segment": HTML})
    client = client_for(analyst)
    pages = [client.post(address(report), sent), client.get(address(report)), client.get("/w/acme/reports/")]
    pages.append(client.get(f"{address(report)}delete/"))
    for page in pages:
        assert HTML not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()


def test_more_blocks_of_a_kind_are_no_more_queries(
    analyst: User, client_for: ClientFor, make_report: MakeReport
) -> None:
    few, many = make_report("Few", *WITHOUT_SCENARIOS), make_report("Many", *3 * WITHOUT_SCENARIOS)
    client = client_for(analyst)
    counted = []
    for report in (few, few, many):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(report)).status_code == 200
        counted.append(len(queries))
    assert counted[1] == counted[2]
