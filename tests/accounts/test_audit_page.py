"""Settings > Audit log: owners and admins look it through and take it along; whatever is in it stays text."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.actions import add_member
from accounts.api_key_actions import create_api_key
from accounts.audit import record
from accounts.models import AuditEvent, Role, User, Workspace
from tests.factories import UserFactory, WorkspaceFactory

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/audit/"
EXPORT = "/w/acme/settings/audit/export/"
HTMX = {"HX-Request": "true", "HX-Target": "events"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User, client_for: ClientFor) -> Client:
    return client_for(owner)


def objects(page: str) -> list[str]:
    """The objects of the events that are shown, in their order."""
    return re.findall(r"<strong>(.*?)</strong>", page)


def body_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def test_an_event_is_shown_in_words_with_what_changed(workspace: Workspace, owner: User, client: Client) -> None:
    record(
        workspace=workspace,
        action="settings.changed",
        target="acme",
        actor=owner,
        changes={"week_start": {"before": 0, "after": 6}},
    )
    page = client.get(PAGE).text
    assert "Changed the settings <strong>acme</strong>" in page
    assert '<th scope="row">Week start</th><td>0</td><td>6</td>' in page
    assert "owner@example.com" in page
    assert "settings.changed" in page


def test_what_people_wrote_stays_text(workspace: Workspace, client: Client) -> None:
    evil = '<script>alert("x")</script>'
    record(workspace=workspace, action="goal.added", target=evil, because=evil)
    page = client.get(PAGE).text
    assert evil not in page
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") == 2


def test_the_address_holds_the_filters(workspace: Workspace, owner: User, client: Client) -> None:
    record(workspace=workspace, action="goal.added", target="Lead", actor=owner)
    record(workspace=workspace, action="import.finished", target="spend.csv")
    assert objects(client.get(PAGE).text) == ["spend.csv", "Lead"]
    filtered = client.get(PAGE, {"action": "goal", "actor": str(owner.pk)}).text
    assert objects(filtered) == ["Lead"]
    assert '<option value="goal" selected>All about goals</option>' in filtered
    assert f'<option value="{owner.pk}" selected>owner@example.com</option>' in filtered
    assert '<input type="hidden" name="action" value="goal">' in filtered
    assert objects(client.get(PAGE, {"actor": "product"}).text) == ["spend.csv"]


def test_htmx_gets_the_events_and_an_address_to_share(workspace: Workspace, client: Client) -> None:
    record(workspace=workspace, action="goal.added", target="Lead")
    asked = {"actor": "", "api_key": "", "action": "goal.added", "target": "le ad", "start": "", "end": ""}
    response = client.get(PAGE, asked, headers=HTMX)
    assert "<html" not in response.text
    assert "No event fits these filters." in response.text
    assert response["HX-Push-Url"] == f"{PAGE}?action=goal.added&target=le+ad"
    assert "HX-Request" in response["Vary"]
    assert client.get(PAGE, {"target": ""}, headers=HTMX)["HX-Push-Url"] == PAGE
    assert "HX-Push-Url" not in client.get(PAGE, asked)


def test_what_cannot_be_a_filter_is_said_and_left_out(workspace: Workspace, client: Client) -> None:
    record(workspace=workspace, action="goal.added", target="Lead")
    response = client.get(
        PAGE, {"actor": "999999", "action": "goal.stolen", "start": "yesterday", "target": "Le\0ad", "api_key": "x"}
    )
    assert response.status_code == 200
    assert objects(response.text) == ["Lead"]
    for sentence in ("This is not in the list", "This is no day", "Null characters are not allowed"):
        assert sentence in response.text
    last_before_first = {"start": "2026-06-02", "end": "2026-06-01"}
    response = client.get(PAGE, last_before_first, headers=HTMX)
    assert "To: This day is before the first one, so it is left out." in response.text
    assert response["HX-Push-Url"] == f"{PAGE}?start=2026-06-02"


def test_pages_carry_the_filters_along(workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.audit_log.page_of.__kwdefaults__", {"after": None, "before": None, "size": 2})
    for number in range(5):
        record(workspace=workspace, action="goal.added", target=f"goal {number}")
        record(workspace=workspace, action="goal.renamed", target="no")
    first = client.get(PAGE, {"action": "goal.added"}).text
    assert objects(first) == ["goal 4", "goal 3"]
    assert 'rel="prev"' not in first
    (older,) = re.findall(r'href="(\?[^"]*)" rel="next"', first)
    second = client.get(f"{PAGE}{older.replace('&amp;', '&')}").text
    assert objects(second) == ["goal 2", "goal 1"]
    (newer,) = re.findall(r'href="(\?[^"]*)" rel="prev"', second)
    assert objects(client.get(f"{PAGE}{newer.replace('&amp;', '&')}").text) == ["goal 4", "goal 3"]


@pytest.mark.parametrize("cursor", ["abc", "-1", "9" * 40, "९", ""])
def test_a_cursor_that_is_none_begins_anew(workspace: Workspace, client: Client, cursor: str) -> None:
    record(workspace=workspace, action="goal.added", target="Lead")
    assert objects(client.get(PAGE, {"after": cursor}).text) == ["Lead"]
    assert objects(client.get(PAGE, {"before": cursor}).text) == ["Lead"]


def test_another_workspaces_people_and_keys_are_no_choice(workspace: Workspace, outsider: User, client: Client) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    create_api_key(workspace=elsewhere, created_by=outsider, name="Their key", scopes=["data:read"])
    page = client.get(PAGE).text
    assert "Their key" not in page
    assert "outsider@example.com" not in page


def test_the_csv_holds_what_the_filters_leave_and_no_formula(workspace: Workspace, owner: User, client: Client) -> None:
    for target in ("=1+1", "+1+1", "-2+3", "@SUM(A1)", "plain"):
        record(workspace=workspace, action="goal.added", target=target, actor=owner, kind="=cmd")
    record(
        workspace=workspace,
        action="goal.kind_changed",
        target="=x",
        changes={"kind": {"before": "=a", "after": "b"}},
    )
    record(workspace=workspace, action="import.finished", target="spend.csv")
    response = client.post(EXPORT, {"format": "csv", "action": "goal"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-log-acme-\d{4}-\d\d-\d\d\.csv"', response["Content-Disposition"])
    header, *rows = csv.reader(io.StringIO(body_of(response)))
    assert header == ["at", "actor", "api_key", "action", "what", "object", "changes", "detail"]
    assert [row[5] for row in rows] == ["'=x", "plain", "'@SUM(A1)", "'-2+3", "'+1+1", "'=1+1"]
    assert rows[0][6] == "kind: =a → b"
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]
    assert json.loads(rows[1][7]) == {"kind": "=cmd"}


def test_the_json_holds_all_of_each_event(workspace: Workspace, owner: User, client: Client) -> None:
    key, _text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["data:read"])
    record(workspace=workspace, action="import.finished", target="s.csv", actor=owner, api_key=key, dataset="spend")
    exported = json.loads(body_of(client.post(EXPORT, {"format": "json", "api_key": str(key.pk)})))
    event = exported[0]
    assert (event["action"], event["what"], event["object"]) == ("import.finished", "Imported a file", "s.csv")
    assert (event["actor"], event["detail"]) == ("owner@example.com", {"dataset": "spend"})
    assert event["api_key"] == {
        "name": "ETL",
        "key": f"mmm_{key.lookup}…{key.last4}",
        "created_by": "owner@example.com",
    }


def test_an_export_is_on_record_and_holds_its_own_trace(workspace: Workspace, owner: User, client: Client) -> None:
    rows = json.loads(body_of(client.post(EXPORT, {"format": "json", "target": "json"})))
    event = AuditEvent.objects.get(action="audit.exported")
    assert (event.actor, event.target, event.detail) == (owner, "JSON", {"filters": {"target": "json"}})
    assert [row["id"] for row in rows] == [event.pk]


@pytest.mark.parametrize("given", [{}, {"format": "xlsx"}, {"format": "csv", "start": "yesterday"}])
def test_an_export_that_cannot_be_made_leaves_no_trace(client: Client, given: dict[str, str]) -> None:
    assert client.post(EXPORT, given).status_code == 400
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/New_York"])
def test_no_day_is_too_far_away(workspace: Workspace, client: Client, zone: str) -> None:
    Workspace.objects.update(timezone=zone)
    record(workspace=workspace, action="goal.added", target="Lead")
    for start, end, shown in (
        ("0001-01-01", "9999-12-31", ["Lead"]),
        ("0001-01-01", "0001-01-01", []),
        ("9999-12-31", "9999-12-31", []),
    ):
        days = {"start": start, "end": end}
        assert objects(client.get(PAGE, days).text) == shown
        rows = json.loads(body_of(client.post(EXPORT, {"format": "json", **days})))
        assert [row["object"] for row in rows if row["action"] == "goal.added"] == shown


def test_owners_and_admins_only(
    workspace: Workspace,
    owner: User,
    admin: User,
    analyst: User,
    viewer: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    for user, status in ((owner, 200), (admin, 200), (analyst, 403), (viewer, 403), (outsider, 404)):
        client = client_for(user)
        assert client.get(PAGE).status_code == status
        response = client.post(EXPORT, {"format": "csv"})
        assert response.status_code == status
        if status == 200:
            body_of(response)
    assert client_for(owner).post(PAGE).status_code == 405
    assert client_for(owner).get(EXPORT).status_code == 405
    assert AuditEvent.objects.filter(action="audit.exported").count() == 2


def test_the_page_asks_the_database_as_often_for_many_events_as_for_one(
    workspace: Workspace, owner: User, client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(30):
        add_member(workspace=workspace, user=UserFactory.create(), role=Role.VIEWER, by=owner)
    client.get(PAGE)
    with django_assert_max_num_queries(14):
        assert len(objects(client.get(PAGE).text)) == 30


def test_an_empty_log_says_so(owner: User, client: Client) -> None:
    page = client.get(PAGE).text
    assert "Nothing like this has happened" in page
    record(workspace=WorkspaceFactory.create(), action="goal.added")
    assert "Nothing like this has happened" in client.get(PAGE).text
