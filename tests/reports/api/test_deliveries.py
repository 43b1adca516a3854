"""Deliveries in the API: the log of mails, narrowed, as CSV, and sending one again."""

import csv
import datetime as dt
import io
import uuid

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from reports.deliveries.outbox import enqueue, notify
from reports.models import AlertEvent, Delivery, Recipient, Schedule
from tests.api.conftest import WithKey
from tests.reports.api.conftest import READ, V1, WRITE, ClientFor, listed, post, refused
from tests.reports.conftest import NOW
from tests.reports.deliveries.conftest import Enqueue, alert_event

__all__ = ["alert_event"]


@pytest.fixture
def mail(send: Enqueue, ann: Recipient) -> Delivery:
    """A mail to ann of the analyst's schedule, which has failed."""
    (delivery,) = send(ann)
    failed = {"status": Delivery.Status.FAILED, "error": "The mail server said no.", "attempts": 3, "next_try_at": None}
    Delivery.objects.filter(pk=delivery.pk).update(**failed)
    return Delivery.objects.get(pk=delivery.pk)


def test_a_delivery_says_what_became_of_it(program: Client, mail: Delivery, schedule: Schedule, ann: Recipient) -> None:
    body = program.get(f"{V1}deliveries/{mail.pk}/").json()
    assert body == {
        "id": str(mail.pk),
        "url": f"/api/v1/deliveries/{mail.pk}/",
        "workspace": "acme",
        "purpose": "report",
        "status": "failed",
        "email": "ann@example.org",
        "recipient": ann.pk,
        "subject": "Weekly report: 1–30 Jun 2025",
        "formats": ["csv"],
        "schedule": str(schedule.pk),
        "due_at": "2026-03-30T07:00:00Z",
        "alert": None,
        "edition": str(mail.edition_id),
        "attempts": 3,
        "next_try_at": None,
        "error": "The mail server said no.",
        "resend_of": None,
        "requested_by": None,
        "created_at": "2026-04-01T09:00:00Z",
        "sent_at": None,
    }


def test_sent_again(program: Client, mail: Delivery, owner: User) -> None:
    answer = post(program, f"deliveries/{mail.pk}/resend/")
    body = answer.json()
    assert (answer.status_code, answer["Location"]) == (202, body["url"])
    expected = {"status": "waiting", "resend_of": str(mail.pk), "requested_by": owner.email, "attempts": 0}
    assert expected.items() <= body.items()
    assert refused(post(program, f"deliveries/{mail.pk}/resend/"), 409) == []
    assert refused(post(program, f"deliveries/{body['id']}/resend/"), 409) == []
    event = AuditEvent.objects.get(action="delivery.sent_again")
    assert (event.actor, event.api_key is not None) == (owner, True)


def test_nobody_who_has_unsubscribed_is_mailed_again(program: Client, mail: Delivery, ann: Recipient) -> None:
    ann.unsubscribed_at = NOW
    ann.save()
    answer = post(program, f"deliveries/{mail.pk}/resend/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "ann@example.org has unsubscribed.")


@pytest.fixture
def log(
    shop: Workspace, mail: Delivery, send: Enqueue, bob: Recipient, alert_event: AlertEvent, owner: User
) -> list[Delivery]:
    """Beside the mail: one to bob, one of an alert, and a notice, each an hour after the one before."""
    (to_bob,) = send(bob, edition=mail.edition)
    (alerted,) = enqueue(
        workspace=shop,
        purpose=Delivery.Purpose.ALERT,
        recipients=alert_event.alert.recipients.all(),
        subject="Revenue",
        body="Revenue was 80.",
        alert_event=alert_event,
    )
    notice = notify(workspace=shop, user=owner, subject="“Revenue” is paused", body="Because.")
    assert notice
    rows = [mail, to_bob, alerted, notice]
    for hours, row in enumerate(rows):
        Delivery.objects.filter(pk=row.pk).update(created_at=NOW + dt.timedelta(hours=hours))
    return rows


def test_the_list_is_narrowed(
    program: Client, log: list[Delivery], schedule: Schedule, alert_event: AlertEvent
) -> None:
    places = {str(row.pk): place for place, row in enumerate(log)}

    def found(query: str) -> list[int]:
        return [places[row["id"]] for row in listed(program, f"deliveries/?{query}")]

    assert found("") == [3, 2, 1, 0]
    assert found("status=failed") == [0]
    assert found("purpose=report") == [1, 0]
    assert found("purpose=notice") == [3]
    assert found(f"schedule={schedule.pk}") == [1, 0]
    assert found(f"alert={alert_event.alert_id}") == [2]
    assert found(f"edition={log[0].edition_id}&status=waiting") == [1]
    assert found("recipient=ANN@example.org") == [0]
    assert found("created_after=2026-04-01T10:00:00Z&created_before=2026-04-01T12:00:00Z") == [2, 1]
    assert found(f"schedule={uuid.uuid4()}") == []
    for query in ("status=lost", "purpose=spam", "schedule=1", "created_after=soon", "email=a", "recipient=%00"):
        assert refused(program.get(f"{V1}deliveries/?{query}")) == [query.partition("=")[0]]


def test_as_csv_it_is_all_that_is_chosen(program: Client, log: list[Delivery]) -> None:
    answer = program.get(f"{V1}deliveries/?purpose=report&page_size=1", headers={"Accept": "text/csv"})
    assert answer["Content-Disposition"] == 'attachment; filename="deliveries-acme.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [row["email"] for row in rows] == ["bob@example.org", "ann@example.org"]
    assert (rows[1]["status"], rows[1]["formats"], rows[1]["alert"]) == ("failed", "csv", "")
    assert refused(program.get(f"{V1}deliveries/?purpose=spam", headers={"Accept": "text/csv"})) == ["purpose"]


@pytest.mark.usefixtures("log")
def test_no_link_of_a_mail_is_told(program: Client) -> None:
    for accept in ("application/json", "text/csv"):
        text = program.get(f"{V1}deliveries/", headers={"Accept": accept}).getvalue().decode()
        assert "unsubscribe" not in text
        assert "/deliveries/" not in text.replace("/api/v1/deliveries/", "")


def test_analysts_send_their_own_again_and_admins_any(
    mail: Delivery, schedule: Schedule, client_for: ClientFor, analyst: User, admin: User, owner: User
) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(created_by=owner)
    address = f"deliveries/{mail.pk}/resend/"
    assert [row["id"] for row in listed(client_for(analyst), "deliveries/")] == [str(mail.pk)]
    refusal = post(client_for(analyst), address)
    assert (refusal.status_code, refusal.json()["code"]) == (403, "permission_denied")
    assert post(client_for(analyst), f"recipients/{mail.recipient_id}/enable/").status_code == 403
    assert post(client_for(admin), address).status_code == 202
    Schedule.objects.filter(pk=schedule.pk).update(created_by=analyst)
    assert post(client_for(analyst), f"recipients/{mail.recipient_id}/enable/").status_code == 200
    again = Delivery.objects.get(resend_of=mail)
    Delivery.objects.filter(pk=again.pk).update(status="failed", created_at=NOW - dt.timedelta(minutes=5))
    assert post(client_for(analyst), address).status_code == 202


def test_viewers_strangers_and_other_scopes_get_nothing(
    mail: Delivery, with_key: WithKey, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    one, resend = f"{V1}deliveries/{mail.pk}/", f"deliveries/{mail.pk}/resend/"
    enable = f"recipients/{mail.recipient_id}/enable/"
    for path in (f"{V1}deliveries/", one):
        assert client_for(viewer).get(path).status_code == 403
        assert with_key(WRITE).get(path).status_code == 403
    for path in (resend, enable):
        assert post(client_for(viewer), path).status_code == 403
        assert post(with_key(READ), path).status_code == 403
        assert post(client_for(outsider), path).status_code == 404
    assert client_for(outsider).get(one).status_code == 404
    assert listed(client_for(outsider), "deliveries/") == []
    assert Delivery.objects.count() == 1
