"""One program's way from a report to the mail that brought it, and to the numbers in it."""

import csv
import io
import json
from typing import Any

from django.core import mail

from accounts.models import Workspace
from analyses.models import Run
from tests.api.conftest import WithKey
from tests.reports.api.conftest import READ, V1, WRITE, listed, post
from tests.reports.schedules.conftest import work


def test_from_a_report_to_its_delivery(shop: Workspace, figures: None, with_key: WithKey) -> None:
    program = with_key(READ, WRITE, "attribution:read")
    report = post(
        program,
        "reports/",
        {
            "name": "Month in figures",
            "period": "previous_month",
            "blocks": [
                {"kind": "dashboard", "params": {"model": "last"}},
                {"kind": "attribution", "params": {"model": "last"}},
            ],
        },
    ).json()
    schedule = post(
        program,
        "schedules/",
        {
            "report": report["id"],
            "period": "previous_month",
            "formats": ["csv", "json"],
            "frequency": "monthly",
            "month_day": 1,
            "time": "08:00",
            "zone": "Europe/Berlin",
            "recipients": ["ann@example.com", "bob@example.com"],
        },
    ).json()
    sent = post(program, f"schedules/{schedule['id']}/send-now/")
    assert (sent.status_code, sent.json()["status"]) == (202, "being_made")
    assert listed(program, "deliveries/") == []

    work()

    edition = program.get(sent["Location"]).json()
    assert (edition["status"], edition["trigger"], edition["problems"]) == ("done", "schedule", [])
    assert (edition["start"], edition["end"]) == ("2026-03-01", "2026-03-31")
    mails = listed(program, f"deliveries/?schedule={schedule['id']}&status=sent")
    assert sorted(row["email"] for row in mails) == ["ann@example.com", "bob@example.com"]
    assert {row["edition"] for row in mails} == {edition["id"]}
    assert program.get(schedule["url"]).json()["last_occurrence"]["status"] == "sent"

    figures_of_march = program.get(f"{V1}dashboard/?start=2026-03-01&end=2026-03-31&model=last").json()
    dashboard, attribution = edition["document"]["parts"]
    assert dashboard["data"] == figures_of_march
    assert figures_of_march["total"]["revenue"] == 450
    run = Run.objects.get(kind="attribution")
    assert run.api_key is not None
    assert attribution["data"] == program.get(f"{V1}runs/{run.pk}/exports/json/").json()
    rows = list(csv.DictReader(io.StringIO(program.get(edition["files"]["csv"]).getvalue().decode("utf-8-sig"))))
    (total,) = (row for row in rows if row["part"] == "Dashboard" and row["line"] == "1" and row["column"] == "revenue")
    assert float(total["value"]) == 450

    assert len(mail.outbox) == 2
    (told,) = (part for part in mail.outbox[0].message().walk() if part.get_content_type() == "application/json")
    content = told.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert json.loads(content) == edition["document"]
    assert edition["report"] == report["id"]


def test_asking_twice_under_one_idempotency_key_makes_one(shop: Workspace, with_key: WithKey) -> None:
    program = with_key(READ, WRITE)

    def ask(key: str) -> Any:
        return program.post(
            f"{V1}reports/", {"name": "Weekly"}, content_type="application/json", headers={"Idempotency-Key": key}
        )

    first, second = ask("k-1"), ask("k-1")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotent-Replayed"] == "true"
    assert ask("k-2").status_code == 400
    assert len(listed(program, "reports/")) == 1
