"""Reports in the API: put together, changed, copied and removed as on their pages."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from marketing.models import Campaign
from reports.blocks.templates import TEMPLATES
from reports.models import Report
from tests.api.conftest import WithKey
from tests.reports.api.conftest import READ, V1, WRITE, ClientFor, listed, patch, post, refused
from tests.reports.builder.conftest import MakeReport, elsewhere, make_report
from tests.reports.schedules.conftest import Keep

__all__ = ["elsewhere", "make_report"]

TEXT = {"kind": "text", "title": "Note", "params": {"text": "All is well."}}


@pytest.fixture(autouse=True)
def _shop(shop: Workspace) -> None:
    """All of it is in the shop."""


def make(client: Client, **body: object) -> dict[str, Any]:
    answer = post(client, "reports/", {"name": "Weekly", **body})
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    assert answer["Location"] == made["url"]
    return made


def test_a_report_of_blocks(program: Client, shop: Workspace, owner: User) -> None:
    campaign = Campaign.objects.create(workspace=shop, name="Spring")
    blocks = [TEXT, {"kind": "dashboard"}, {"kind": "attribution", "extent": "full", "params": {"model": ["last"]}}]
    made = make(program, period="last_7", comparison="year", campaign=campaign.pk, blocks=blocks)
    assert program.get(made["url"]).json() == made
    assert made["blocks"] == [
        {"id": "block", "kind": "text", "title": "Note", "extent": "brief", "params": {"text": "All is well."}},
        {"id": "block2", "kind": "dashboard", "title": "Dashboard", "extent": "brief", "params": {}},
        {
            "id": "block3",
            "kind": "attribution",
            "title": "Attribution",
            "extent": "full",
            "params": {"model": ["last"]},
        },
    ]
    said = {name: made[name] for name in ("workspace", "name", "template", "period", "comparison", "created_by")}
    assert said == {
        "workspace": "acme",
        "name": "Weekly",
        "template": None,
        "period": "last_7",
        "comparison": "year",
        "created_by": owner.email,
    }
    assert (made["campaign"], made["campaign_name"]) == (campaign.pk, "Spring")
    event = AuditEvent.objects.get(action="report.created")
    assert (event.actor, event.api_key is not None) == (owner, True)


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_a_report_of_a_template(program: Client, template: str) -> None:
    made = make(program, template=template)
    begun = TEMPLATES[template]
    assert (made["template"], made["period"], made["comparison"]) == (template, begun.period, begun.comparison)
    assert [block["title"] for block in made["blocks"]] == [block["title"] for block in begun.blocks]
    assert make(program, name="Other", template=template, period="yesterday")["period"] == "yesterday"


def test_a_template_about_a_campaign_has_to_be_told_which(program: Client, shop: Workspace) -> None:
    campaign = Campaign.objects.create(workspace=shop, name="Spring")
    body = {"name": "Check", "template": "mid_campaign"}
    assert refused(post(program, "reports/", body)) == ["campaign"]
    assert post(program, "reports/", body | {"campaign": campaign.pk}).status_code == 201


def test_an_empty_report(program: Client) -> None:
    made = make(program)
    assert (made["blocks"], made["period"], made["comparison"]) == ([], "previous_month", "previous")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \n "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "a\tb"}, None),
        ({"name": "a\u202eb"}, "name"),
        ({"template": "magic"}, "template"),
        ({"template": "weekly_performance", "blocks": []}, "blocks"),
        ({"period": "next_week"}, "period"),
        ({"comparison": "moon"}, "comparison"),
        ({"comparison": True}, "comparison"),
        ({"campaign": 999}, "campaign"),
        ({"campaign": 2**80}, "campaign"),
        ({"campaign": "1"}, "campaign"),
        ({"campaign": True}, "campaign"),
        ({"reports": 1}, "reports"),
        ({"blocks": {}}, "blocks"),
        ({"blocks": [TEXT] * 21}, "blocks"),
        ({"blocks": ["text"]}, "blocks.0"),
        ({"blocks": [TEXT, {}]}, "blocks.1.kind"),
        ({"blocks": [{"kind": "sorcery"}]}, "blocks.0.kind"),
        ({"blocks": [TEXT | {"extend": "full"}]}, "blocks.0.extend"),
        ({"blocks": [TEXT | {"extent": "most"}]}, "blocks.0.extent"),
        ({"blocks": [TEXT | {"title": "t" * 101}]}, "blocks.0.title"),
        ({"blocks": [TEXT | {"id": "B 1"}]}, "blocks.0.id"),
        ({"blocks": [TEXT | {"params": []}]}, "blocks.0.params"),
        ({"blocks": [TEXT | {"params": {"text": "a\0b"}}]}, "blocks.0.params"),
        ({"blocks": [TEXT | {"params": {"text": "\udfff"}}]}, "blocks.0.params"),
        ({"blocks": [TEXT | {"params": {"text": "t" * 10_001}}]}, "blocks.0.params.text"),
        ({"blocks": [TEXT | {"params": {"txet": ""}}]}, "blocks.0.params.txet"),
        ({"blocks": [{"kind": "dashboard", "params": {"goal": "Fame"}}]}, "blocks.0.params.goal"),
        ({"blocks": [{"kind": "dashboard", "params": {"model": "sorcery"}}]}, "blocks.0.params.model"),
        ({"blocks": [{"kind": "dashboard", "params": {"start": "2026-01-01"}}]}, "blocks.0.params.start"),
        ({"blocks": [{"kind": "attribution", "params": {"period": "last_30"}}]}, "blocks.0.params.period"),
        ({"blocks": [{"kind": "attribution", "params": {"model": "sorcery"}}]}, "blocks.0.params.model"),
        ({"blocks": [{"kind": "attribution", "params": {"modle": "last"}}]}, "blocks.0.params.modle"),
        ({"blocks": [{"kind": "scenarios", "params": {"scenarios": [999]}}]}, "blocks.0.params.scenarios"),
        ({"blocks": [{"kind": "scenarios", "params": {"scenarios": ["9" * 5000]}}]}, "blocks.0.params.scenarios"),
        ({"blocks": [{"kind": "scenarios", "params": {"scenarios": [True]}}]}, "blocks.0.params.scenarios"),
        ({"blocks": [{"kind": "scenarios"}]}, "blocks.0.params.scenarios"),
    ],
)
def test_bad_bodies_name_the_field(program: Client, change: dict[str, Any], field: str | None) -> None:
    answer = post(program, "reports/", {"name": "Weekly", **change})
    if field is None:
        assert answer.status_code == 201
        return
    assert refused(answer) == [field]
    assert not Report.objects.exists()


def test_numbers_that_are_none_are_refused(program: Client) -> None:
    body = '{"name": "Weekly", "blocks": [{"kind": "attribution", "params": {"window_days": 1e999}}]}'
    answer = program.post(f"{V1}reports/", body, content_type="application/json")
    assert refused(answer) == ["blocks.0.params"]


def test_names_are_unique_and_what_the_plan_lacks_is_refused(program: Client) -> None:
    make(program)
    assert refused(post(program, "reports/", {"name": "WEEKLY"})) == ["name"]
    body = {"name": "Other", "blocks": [{"kind": "attribution", "params": {"model": "shapley"}}]}
    answer = post(program, "reports/", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "plan_required")
    assert Report.objects.count() == 1


def test_only_what_is_given_changes(program: Client, shop: Workspace) -> None:
    campaign = Campaign.objects.create(workspace=shop, name="Spring")
    made = make(program, blocks=[TEXT], campaign=campaign.pk, period="last_7")
    address = f"reports/{made['id']}/"
    renamed = patch(program, address, {"name": "Other"}).json()
    assert renamed == made | {"name": "Other", "updated_at": renamed["updated_at"]}
    event = AuditEvent.objects.get(action="report.changed")
    assert (list(event.detail["changes"]), event.api_key is not None) == (["name"], True)
    body = patch(program, address, {"campaign": None, "blocks": [{"kind": "dashboard"}]}).json()
    assert (body["campaign"], [block["kind"] for block in body["blocks"]]) == (None, ["dashboard"])
    assert patch(program, address, {}).json() == body
    assert refused(patch(program, address, {"template": "weekly_performance"})) == ["template"]
    assert refused(patch(program, address, {"blocks": [{"kind": "dashboard", "params": {"goal": "x"}}]})) == [
        "blocks.0.params.goal"
    ]


def test_a_block_that_cannot_be_made_any_more_does_not_keep_the_name(program: Client, note: Report) -> None:
    note.blocks = [{"id": "a", "kind": "scenarios", "title": "Plans", "params": {"scenarios": [999]}}]
    note.save()
    assert patch(program, f"reports/{note.pk}/", {"name": "Other"}).status_code == 200
    body = program.get(f"{V1}reports/{note.pk}/").json()
    assert (body["name"], body["blocks"][0]["extent"]) == ("Other", "brief")


def test_a_copy_and_removal(program: Client) -> None:
    made = make(program, blocks=[TEXT])
    copied = post(program, f"reports/{made['id']}/duplicate/")
    assert (copied.status_code, copied["Location"]) == (201, copied.json()["url"])
    assert (copied.json()["name"], copied.json()["blocks"]) == ("Weekly (copy)", made["blocks"])
    removed = program.delete(made["url"])
    assert (removed.status_code, removed.content) == (204, b"")
    assert program.get(made["url"]).status_code == 404
    assert AuditEvent.objects.get(action="report.deleted").api_key is not None


def test_a_report_with_somebody_elses_schedule_stays(
    program: Client, keep: Keep, note: Report, owner: User, client_for: ClientFor, analyst: User
) -> None:
    schedule = keep(by=owner)
    answer = client_for(analyst).delete(f"{V1}reports/{note.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert schedule.name in answer.json()["detail"]
    assert program.delete(f"{V1}reports/{note.pk}/").status_code == 204


def test_the_list_is_narrowed(program: Client, shop: Workspace, make_report: MakeReport) -> None:
    campaign = Campaign.objects.create(workspace=shop, name="Spring")
    for number in range(2):
        make_report(f"Report {number}", "text", campaign=campaign if number else None)
    assert [row["name"] for row in listed(program, "reports/")] == ["Report 1", "Report 0"]
    assert [row["name"] for row in listed(program, f"reports/?campaign={campaign.pk}")] == ["Report 1"]
    assert listed(program, "reports/?created_before=2026-04-01T09:00:00Z") == []
    assert len(listed(program, "reports/?created_after=2026-04-01T09:00:00Z")) == 2
    assert refused(program.get(f"{V1}reports/?campaign=1.5")) == ["campaign"]
    assert refused(program.get(f"{V1}reports/?name=x")) == ["name"]


def test_who_may(
    with_key: WithKey, client_for: ClientFor, note: Report, viewer: User, analyst: User, outsider: User
) -> None:
    address = f"reports/{note.pk}/"
    reader, writer = with_key(READ), with_key(WRITE)
    assert reader.get(f"{V1}{address}").status_code == 200
    assert writer.get(f"{V1}{address}").status_code == 403
    for client, status in ((reader, 403), (client_for(viewer), 403), (client_for(outsider), 404)):
        assert patch(client, address, {"name": 5}).status_code == status
        assert client.delete(f"{V1}{address}").status_code == status
        assert post(client, f"{address}duplicate/").status_code == status
        assert post(client, f"{address}editions/").status_code == status
    assert client_for(viewer).get(f"{V1}{address}").status_code == 200
    assert post(client_for(viewer), "reports/", {}).status_code == 403
    assert patch(client_for(analyst), address, {"name": "Ours"}).status_code == 200
    assert reader.get(f"{V1}reports/{2**63}/").status_code == 404


def test_campaigns_of_others_do_not_exist(program: Client, note: Report, elsewhere: Workspace) -> None:
    theirs = Campaign.objects.get(workspace=elsewhere)
    unknown = patch(program, f"reports/{note.pk}/", {"campaign": theirs.pk + 1000})
    assert refused(unknown) == ["campaign"]
    assert patch(program, f"reports/{note.pk}/", {"campaign": theirs.pk}).json() == unknown.json()
