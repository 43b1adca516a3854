"""Schedules in the API: set up, changed, paused, sent and removed as on their pages, by those who may."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from analyses.models import Run
from reports.models import Delivery, Edition, Occurrence, Recipient, Report, Schedule
from reports.schedules.tick import claim_due
from tests.api.conftest import WithKey
from tests.attribution.results import finished
from tests.reports.api.conftest import READ, V1, WRITE, ClientFor, listed, patch, post, refused
from tests.reports.export_world import kept
from tests.reports.schedules.conftest import DAILY, Keep, work

WEEKLY = {
    "period": "previous_week",
    "formats": ["csv"],
    "frequency": "weekly",
    "weekday": 0,
    "time": "09:00",
    "zone": "Europe/Berlin",
    "recipients": ["Ann@Example.com", "bob@example.com"],
}


def make(client: Client, **body: object) -> dict[str, Any]:
    answer = post(client, "schedules/", WEEKLY | body)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    assert answer["Location"] == made["url"]
    return made


def test_a_schedule_of_a_report(program: Client, note: Report, owner: User) -> None:
    made = make(program, report=note.pk)
    assert program.get(made["url"]).json() == made
    expected = WEEKLY | {
        "workspace": "acme",
        "name": "Weekly note",
        "report": note.pk,
        "kind": None,
        "params": {},
        "month_day": None,
        "recipients": ["ann@example.com", "bob@example.com"],
        "unreached": [],
        "next_run_at": "2026-04-06T07:00:00Z",
        "paused_at": None,
        "paused_because": "",
        "last_occurrence": None,
        "created_by": owner.email,
    }
    assert expected.items() <= made.items()
    assert made["next_runs"][:2] == [
        {"at": "2026-04-06T07:00:00Z", "start": "2026-03-30", "end": "2026-04-05"},
        {"at": "2026-04-13T07:00:00Z", "start": "2026-04-06", "end": "2026-04-12"},
    ]
    event = AuditEvent.objects.get(action="schedule.created")
    assert (event.actor, event.api_key is not None) == (owner, True)


def test_a_schedule_of_an_analysis_and_of_a_run(program: Client, shop: Workspace) -> None:
    of_kind = make(program, kind="attribution", params={"model": "last,linear"}, name="Credit")
    assert (of_kind["report"], of_kind["kind"], of_kind["params"]) == (None, "attribution", {"model": "last,linear"})
    run = kept(finished(shop, goal="Lead"))
    of_run = make(program, run=str(run.pk))
    assert of_run["kind"] == "attribution"
    assert of_run["params"]["goal"] == "Lead"
    assert not {"start", "end"} & of_run["params"].keys()


def test_the_zone_is_the_workspaces_if_none_is_given(program: Client, shop: Workspace) -> None:
    Workspace.objects.filter(pk=shop.pk).update(timezone="Asia/Tokyo")
    body = {name: value for name, value in WEEKLY.items() if name != "zone"} | {"kind": "dashboard"}
    made = post(program, "schedules/", body).json()
    assert (made["zone"], made["next_run_at"]) == ("Asia/Tokyo", "2026-04-06T00:00:00Z")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": None}, "kind"),
        ({"kind": "text"}, "kind"),
        ({"kind": 5}, "kind"),
        ({"report": 999}, "report"),
        ({"report": 999, "kind": "dashboard"}, "report"),
        ({"run": "11111111-1111-4111-8111-111111111111"}, "run"),
        ({"run": "eleven"}, "run"),
        ({}, "report"),
        ({"kind": "attribution", "params": {"model": "sorcery"}}, "params"),
        ({"kind": "attribution", "params": {"model": "\ud800"}}, "params"),
        ({"kind": "dashboard", "params": ["last"]}, "params"),
        ({"report": 1, "params": {}}, "params"),
        ({"kind": "dashboard", "name": "n" * 101}, "name"),
        ({"kind": "dashboard", "name": 5}, "name"),
        ({"kind": "dashboard", "period": "next_week"}, "period"),
        ({"kind": "dashboard", "formats": []}, "formats"),
        ({"kind": "dashboard", "formats": "pdf"}, "formats"),
        ({"kind": "dashboard", "formats": ["pdf", "docx"]}, "formats.1"),
        ({"kind": "dashboard", "frequency": "hourly"}, "frequency"),
        ({"kind": "dashboard", "weekday": None}, "weekday"),
        ({"kind": "dashboard", "weekday": 7}, "weekday"),
        ({"kind": "dashboard", "weekday": "0"}, "weekday"),
        ({"kind": "dashboard", "weekday": False}, "weekday"),
        ({"kind": "dashboard", "month_day": 1}, "month_day"),
        ({"kind": "dashboard", "frequency": "daily"}, "weekday"),
        ({"kind": "dashboard", "frequency": "monthly", "weekday": None}, "month_day"),
        ({"kind": "dashboard", "frequency": "monthly", "weekday": None, "month_day": 32}, "month_day"),
        ({"kind": "dashboard", "frequency": "monthly", "weekday": None, "month_day": 0}, "month_day"),
        ({"kind": "dashboard", "time": "24:00"}, "time"),
        ({"kind": "dashboard", "time": "9:00"}, "time"),
        ({"kind": "dashboard", "time": "09:00:30"}, "time"),
        ({"kind": "dashboard", "time": 900}, "time"),
        ({"kind": "dashboard", "zone": "Mars/Olympus"}, "zone"),
        ({"kind": "dashboard", "zone": "\ud800"}, "zone"),
        ({"kind": "dashboard", "zone": "../../etc/passwd"}, "zone"),
        ({"kind": "dashboard", "recipients": []}, "recipients"),
        ({"kind": "dashboard", "recipients": "ann@example.com"}, "recipients"),
        ({"kind": "dashboard", "recipients": [5]}, "recipients.0"),
        ({"kind": "dashboard", "recipients": [f"p{number}@example.com" for number in range(51)]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["a@b.co, c@d.co"]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["a@b.co;c@d.co"]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["a@b.co\r\nBcc: c@d.co"]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["a@b.co\n"]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["nobody"]}, "recipients"),
        ({"kind": "dashboard", "recipients": ["a@b.co", "\ud800@b.co"]}, "recipients.1"),
        ({"kind": "dashboard", "created_by": "ann@example.com"}, "created_by"),
    ],
)
def test_bad_bodies_name_the_field(program: Client, note: Report, change: dict[str, Any], field: str) -> None:
    assert refused(post(program, "schedules/", WEEKLY | change)) == [field]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("body", [[], "weekly", None, 5])
def test_a_body_that_is_no_object_is_refused(program: Client, shop: Workspace, body: object) -> None:
    answer = program.post(f"{V1}schedules/", body if body is not None else "null", content_type="application/json")
    assert answer.status_code == 400


def test_fifty_recipients_are_not_too_many(program: Client, shop: Workspace) -> None:
    made = make(program, kind="dashboard", recipients=[f"p{number}@example.com" for number in range(50)])
    assert len(made["recipients"]) == 50


def test_what_the_plan_lacks_is_refused(program: Client, shop: Workspace) -> None:
    answer = post(program, "schedules/", WEEKLY | {"kind": "attribution", "params": {"model": "shapley"}})
    assert (answer.status_code, answer.json()["code"]) == (403, "plan_required")


def test_only_what_is_given_changes(program: Client, keep: Keep, shop: Workspace, note: Report) -> None:
    schedule = keep()
    address = f"schedules/{schedule.pk}/"
    before = program.get(f"{V1}{address}").json()
    renamed = patch(program, address, {"name": "Other"}).json()
    assert renamed == before | {"name": "Other", "updated_at": renamed["updated_at"]}
    assert AuditEvent.objects.get(action="schedule.changed").api_key is not None

    daily = patch(program, address, {"frequency": "daily", "time": "18:30"}).json()
    assert (daily["frequency"], daily["weekday"], daily["time"]) == ("daily", None, "18:30")
    assert daily["next_run_at"] == "2026-04-01T16:30:00Z"
    assert refused(patch(program, address, {"frequency": "monthly"})) == ["month_day"]
    monthly = patch(program, address, {"frequency": "monthly", "month_day": 31}).json()
    assert monthly["next_runs"][0]["at"] == "2026-04-30T16:30:00Z"
    assert patch(program, address, {"zone": "Asia/Tokyo"}).json()["month_day"] == 31

    told = patch(program, address, {"recipients": ["cleo@example.com", "ann@example.com"]}).json()
    assert told["recipients"] == ["ann@example.com", "cleo@example.com"]
    assert refused(patch(program, address, {"params": {"model": "last"}})) == ["params"]
    single = patch(program, address, {"kind": "attribution", "params": {"model": "last"}}).json()
    assert (single["report"], single["kind"], single["params"]) == (None, "attribution", {"model": "last"})
    assert patch(program, address, {"params": {"model": "linear"}}).json()["params"] == {"model": "linear"}
    assert refused(patch(program, address, {"params": {"model": "sorcery"}})) == ["params"]
    assert patch(program, address, {"report": note.pk}).json()["kind"] is None
    assert refused(patch(program, address, {"report": note.pk + 99})) == ["report"]
    keep(name="Taken")
    assert refused(patch(program, address, {"name": "TAKEN"})) == ["name"]


def test_who_has_unsubscribed_stays_so_and_no_token_is_told(program: Client, keep: Keep) -> None:
    schedule = keep()
    ann, bob = Recipient.objects.order_by("email")
    ann.unsubscribed_at = bob.rejected_at = timezone.now()
    bob.rejected_because = "No such user."
    ann.save()
    bob.save()
    body = program.get(f"{V1}schedules/{schedule.pk}/").json()
    assert body["recipients"] == [ann.email, bob.email]
    at = {"since": "2026-04-01T09:00:00Z"}
    assert body["unreached"] == [
        {"id": ann.pk, "email": ann.email, "reason": "unsubscribed", "detail": "", **at},
        {"id": bob.pk, "email": bob.email, "reason": "rejected", "detail": "No such user.", **at},
    ]
    assert "unsubscribe/" not in str(body)
    patch(program, f"schedules/{schedule.pk}/", {"recipients": [bob.email]})
    body = patch(program, f"schedules/{schedule.pk}/", {"recipients": [ann.email, bob.email]}).json()
    assert [entry["reason"] for entry in body["unreached"]] == ["unsubscribed", "rejected"]
    assert refused(post(program, f"schedules/{schedule.pk}/send-now/"), 409) == []

    enabled = post(program, f"recipients/{bob.pk}/enable/")
    assert (enabled.status_code, enabled.json()["rejected_at"]) == (200, None)
    assert post(program, f"recipients/{ann.pk}/enable/").json()["unsubscribed_at"] is not None
    assert post(program, f"recipients/{2**70}/enable/").status_code == 404
    assert AuditEvent.objects.get(action="recipient.enabled").api_key is not None


def test_paused_and_resumed(program: Client, keep: Keep) -> None:
    schedule = keep()
    for _ in range(2):
        paused = post(program, f"schedules/{schedule.pk}/pause/")
        assert paused.status_code == 200
        assert (paused.json()["next_run_at"], paused.json()["next_runs"]) == (None, [])
        assert paused.json()["paused_at"] == "2026-04-01T09:00:00Z"
    resumed = post(program, f"schedules/{schedule.pk}/resume/").json()
    assert (resumed["paused_at"], resumed["next_run_at"]) == (None, "2026-04-06T07:00:00Z")
    events = AuditEvent.objects.filter(action__in=["schedule.paused", "schedule.resumed"])
    assert [event.api_key is not None for event in events] == [True, True]
    Recipient.objects.update(unsubscribed_at=timezone.now())
    post(program, f"schedules/{schedule.pk}/pause/")
    assert refused(post(program, f"schedules/{schedule.pk}/resume/"), 409) == []


def test_sent_at_once_and_only_once_a_minute(program: Client, keep: Keep) -> None:
    schedule = keep()
    sent = post(program, f"schedules/{schedule.pk}/send-now/")
    body = sent.json()
    assert (sent.status_code, sent["Location"], body["edition_url"]) == (202, body["edition_url"], sent["Location"])
    assert (body["status"], body["manual"], body["outcome"]) == ("being_made", True, "Being made")
    assert refused(post(program, f"schedules/{schedule.pk}/send-now/"), 409) == []
    work()
    assert program.get(sent["Location"]).json()["status"] == "done"
    (occurrence,) = listed(program, f"schedules/{schedule.pk}/occurrences/")
    assert occurrence["edition"] == body["edition"]
    assert (occurrence["status"], occurrence["outcome"]) == ("sent", "Sent to 2 recipients")
    last = program.get(f"{V1}schedules/{schedule.pk}/").json()["last_occurrence"]
    assert last == occurrence
    assert AuditEvent.objects.get(action="schedule.sent_now").api_key is not None


def test_a_preview_sends_nothing(program: Client, keep: Keep) -> None:
    answer = post(program, f"schedules/{keep().pk}/preview/")
    assert (answer.status_code, answer["Location"]) == (202, answer.json()["url"])
    assert Edition.objects.get().trigger == Edition.Trigger.API
    work()
    assert not Delivery.objects.exists()
    assert not Occurrence.objects.exists()


def test_what_is_to_come_over_a_change_of_clocks(program: Client, keep: Keep) -> None:
    schedule = keep(recurrence=DAILY)
    with time_machine.travel(dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC), tick=False):
        body = program.get(f"{V1}schedules/{schedule.pk}/upcoming/?number=2").json()
        assert [run["at"] for run in body["results"]] == ["2026-10-25T08:00:00Z", "2026-10-26T08:00:00Z"]
    assert (body["paused"], body["when"]) == (False, "Every day at 09:00, Europe/Berlin")
    assert len(program.get(f"{V1}schedules/{schedule.pk}/upcoming/").json()["results"]) == 3
    assert len(program.get(f"{V1}schedules/{schedule.pk}/upcoming/?number=100").json()["results"]) == 100
    for number in ("0", "101", "many", ""):
        assert refused(program.get(f"{V1}schedules/{schedule.pk}/upcoming/?number={number}")) == ["number"]
    patch(program, f"schedules/{schedule.pk}/", {"frequency": "monthly", "month_day": 31})
    body = program.get(f"{V1}schedules/{schedule.pk}/upcoming/").json()
    assert body["warnings"] == ["It goes out on the last day of shorter months."]


def test_occurrences_come_newest_first_with_what_came_of_them(program: Client, keep: Keep) -> None:
    schedule = keep(recurrence=DAILY)
    for day in (2, 3):
        with time_machine.travel(dt.datetime(2026, 4, day, 8, tzinfo=dt.UTC), tick=False):
            claim_due(timezone.now())
    first = Occurrence.objects.order_by("due_at")[0]
    Occurrence.objects.filter(pk=first.pk).update(problem="The plan lacks it.")
    newest, oldest = listed(program, f"schedules/{schedule.pk}/occurrences/")
    assert (newest["due_at"], newest["status"], newest["late"]) == ("2026-04-03T07:00:00Z", "being_made", True)
    assert (oldest["status"], oldest["outcome"]) == ("not_sent", "Not sent. The plan lacks it.")
    page = program.get(f"{V1}schedules/{schedule.pk}/occurrences/?page_size=1").json()
    assert [row["due_at"] for row in program.get(page["next"]).json()["results"]] == [oldest["due_at"]]


def test_the_list_is_narrowed(program: Client, keep: Keep, note: Report) -> None:
    of_note, single = keep(name="Note"), make(program, kind="dashboard", recipients=["cleo@example.com"])
    post(program, f"schedules/{single['id']}/pause/")

    def names(query: str) -> list[str]:
        return sorted(row["name"] for row in listed(program, f"schedules/?{query}"))

    assert names("") == ["Dashboard", "Note"]
    assert names(f"report={note.pk}") == ["Note"]
    assert names("kind=dashboard") == ["Dashboard"]
    assert names("paused=true") == ["Dashboard"]
    assert names("paused=false") == ["Note"]
    assert names("recipient=CLEO@example.com") == ["Dashboard"]
    patch(program, f"schedules/{of_note.pk}/", {"recipients": ["bob@example.com"]})
    assert names("recipient=ann@example.com") == []
    for query in ("kind=text", "paused=perhaps", "report=x", "recipient=%00", "name=x"):
        assert refused(program.get(f"{V1}schedules/?{query}")) == [query.partition("=")[0]]


def test_removed(program: Client, keep: Keep) -> None:
    schedule = keep()
    assert program.delete(f"{V1}schedules/{schedule.pk}/").status_code == 204
    assert program.get(f"{V1}schedules/{schedule.pk}/").status_code == 404
    assert AuditEvent.objects.get(action="schedule.deleted").api_key is not None
    assert Delivery.objects.get(purpose="notice").email == "analyst@example.com"  # who set it up is told


ACTIONS = ("pause/", "resume/", "send-now/")


def test_analysts_change_their_own_and_admins_any(
    keep: Keep, client_for: ClientFor, analyst: User, admin: User, owner: User
) -> None:
    own, other = keep(name="Own"), keep(by=owner, name="Other")
    client = client_for(analyst)
    assert {row["name"] for row in listed(client, "schedules/")} == {"Own", "Other"}
    assert patch(client, f"schedules/{other.pk}/", {"name": 5}).status_code == 403
    assert client.delete(f"{V1}schedules/{other.pk}/").status_code == 403
    assert [post(client, f"schedules/{other.pk}/{action}").status_code for action in ACTIONS] == [403] * 3
    assert patch(client, f"schedules/{own.pk}/", {"name": "Mine"}).status_code == 200
    assert [post(client, f"schedules/{own.pk}/{action}").status_code for action in ACTIONS] == [200, 200, 202]
    assert client.delete(f"{V1}schedules/{own.pk}/").status_code == 204
    of_admin = client_for(admin)
    assert patch(of_admin, f"schedules/{other.pk}/", {"name": "Ours"}).status_code == 200
    assert [post(of_admin, f"schedules/{other.pk}/{action}").status_code for action in ACTIONS] == [200, 200, 202]


def test_viewers_strangers_and_other_scopes_get_nothing(
    keep: Keep, with_key: WithKey, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    schedule = keep()
    one = f"schedules/{schedule.pk}/"
    reads, writes = ("schedules/", one, f"{one}upcoming/", f"{one}occurrences/"), ("schedules/", one, *ACTIONS)
    for path in reads:
        assert client_for(viewer).get(f"{V1}{path}").status_code == 403
        assert with_key(WRITE).get(f"{V1}{path}").status_code == 403
        assert with_key(READ).get(f"{V1}{path}").status_code == 200
    assert listed(client_for(outsider), "schedules/") == []
    for path in writes:
        address = path if path.startswith("schedules/") else f"{one}{path}"
        method = patch if address == one else post
        assert method(client_for(viewer), address, {}).status_code == 403
        assert method(with_key(READ), address, {}).status_code == 403
        if address != "schedules/":
            assert method(client_for(outsider), address, {}).status_code == 404


def test_rows_of_others_do_not_exist(program: Client, outsider: User, shop: Workspace) -> None:
    elsewhere = outsider.memberships.get().workspace
    theirs = Report.objects.create(workspace=elsewhere, name="Theirs", period="last_7", blocks=[])
    run = kept(finished(elsewhere))
    for name, pk, unknown in (
        ("report", theirs.pk, theirs.pk + 99),
        ("run", str(run.pk), "11111111-1111-4111-8111-111111111111"),
    ):
        answer = post(program, "schedules/", WEEKLY | {name: pk})
        assert refused(answer) == [name]
        assert answer.json() == post(program, "schedules/", WEEKLY | {name: unknown}).json()
    assert Run.objects.count() == 1


def test_who_loses_the_role_keeps_no_authority(
    keep: Keep, with_key: WithKey, client_for: ClientFor, analyst: User
) -> None:
    schedule, reader = keep(), with_key(READ, of=analyst)
    assert [row["id"] for row in listed(reader, "schedules/")] == [str(schedule.pk)]
    Membership.objects.filter(user=analyst).update(role=Role.VIEWER)
    assert reader.get(f"{V1}schedules/").status_code == 403
    assert patch(client_for(analyst), f"schedules/{schedule.pk}/", {"name": "Mine"}).status_code == 403
