"""The audit log in the API."""

import csv
import io

from accounts.actions import change_settings
from accounts.models import User, Workspace
from tests.api.conftest import ClientFor, WithKey

EVENTS = "/api/v1/audit-events/"


def test_who_did_what_and_with_which_key(with_key: WithKey, workspace: Workspace, owner: User) -> None:
    reader = with_key("audit:read", "settings:write")
    reader.patch("/api/v1/workspaces/acme/", {"window_days": 14}, content_type="application/json")
    newest = reader.get(EVENTS).json()["results"][0]
    assert (newest["action"], newest["actor"], newest["target"]) == ("settings.changed", owner.email, "acme")
    assert newest["detail"]["changes"] == {"window_days": {"before": 30, "after": 14}}
    assert newest["api_key"].startswith("A program (mmm_")
    assert newest["what"] == "Changed the settings"


def test_filters(with_key: WithKey, workspace: Workspace, owner: User) -> None:
    reader = with_key("audit:read")
    change_settings(workspace=workspace, values={"window_days": 14}, by=None)

    def actions(query: str) -> list[str]:
        answer = reader.get(f"{EVENTS}?{query}")
        assert answer.status_code == 200, answer.json()
        return [event["action"] for event in answer.json()["results"]]

    assert actions("action=settings") == actions("actor=product") == ["settings.changed"]
    assert actions(f"actor={owner.email.upper()}") == ["api_key.created"]
    assert actions("actor=nobody@example.com") == []
    assert actions("target=program") == ["api_key.created"]
    assert actions("end=2020-01-01") == []
    assert reader.get(f"{EVENTS}?start=yesterday").status_code == 400
    assert reader.get(f"{EVENTS}?api_key=1").status_code == 400


def test_as_a_table_with_nothing_that_a_spreadsheet_computes(
    with_key: WithKey, workspace: Workspace, owner: User
) -> None:
    change_settings(workspace=workspace, values={"name": "=1+1"}, by=owner)
    reader = with_key("audit:read")
    answer = reader.get(EVENTS, headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    header, *rows = csv.reader(io.StringIO(answer.getvalue().decode()))
    assert header == ["at", "action", "what", "target", "actor", "api_key", "detail"]
    listed = reader.get(EVENTS).json()["results"]
    assert [row[1] for row in rows] == [event["action"] for event in listed]
    assert not any(cell.startswith("=") for row in rows for cell in row)
    assert listed[0]["action"] == "audit.exported"


def test_who_may_read_it(with_key: WithKey, client_for: ClientFor, admin: User, analyst: User) -> None:
    assert with_key("data:read").get(EVENTS).status_code == 403
    assert client_for(analyst).get(EVENTS).status_code == 403
    assert client_for(admin).get(EVENTS).status_code == 200


def test_the_number_of_queries_does_not_grow(
    with_key: WithKey, workspace: Workspace, owner: User, django_assert_max_num_queries: object
) -> None:
    reader = with_key("audit:read")
    reader.get(EVENTS)  # the first call of a minute also looks the plan up
    counts = []
    for number in (2, 12):
        for _ in range(number):
            change_settings(workspace=workspace, values={"window_days": workspace.window_days % 300 + 1}, by=owner)
        with django_assert_max_num_queries(12) as asked:  # type: ignore[operator]
            reader.get(EVENTS)
        counts.append(len(asked))
    assert counts[0] == counts[1]
