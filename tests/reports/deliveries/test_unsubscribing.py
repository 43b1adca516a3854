"""Unsubscribing by the link of a mail: nobody signs in, looking changes nothing, posting acts."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User, Workspace
from reports.deliveries.links import file_url, unsubscribe_url
from reports.models import AlertEvent, Recipient, Schedule
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out
from tests.smtp_server import MailServer

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path_of(recipient: Recipient) -> str:
    return "/" + unsubscribe_url(recipient).split("/", 3)[3]


def gets_mails(recipient: Recipient) -> bool:
    return Recipient.objects.get(pk=recipient.pk).unsubscribed_at is None


@pytest.fixture
def visitor() -> Client:
    """A browser that is not signed in, and whose forms would have to carry a token against forgery."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(visitor: Client, ann: Recipient, method: str) -> None:
    response = getattr(visitor, method)(path_of(ann))
    assert response.status_code == 200
    assert gets_mails(ann)
    assert not AuditEvent.objects.filter(action="recipient.unsubscribed").exists()
    assert "no-store" in response.headers["Cache-Control"]
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert not response.cookies


def test_the_page_says_what_and_whom_and_offers_a_button(visitor: Client, ann: Recipient) -> None:
    page = visitor.get(path_of(ann)).text
    assert "ann@example.org gets the report “Weekly report” of Acme by mail." in page
    assert '<button class="button" type="submit">Unsubscribe</button>' in page


def test_posting_unsubscribes_this_one_recipient(visitor: Client, ann: Recipient, bob: Recipient) -> None:
    response = visitor.post(path_of(ann))
    assert response.status_code == 200
    assert "You have unsubscribed" in response.text
    assert not gets_mails(ann)
    assert gets_mails(bob)
    event = AuditEvent.objects.get(action="recipient.unsubscribed")
    assert (event.actor, event.target, event.detail) == (None, "ann@example.org", {"of": "Weekly report"})


def test_one_click_of_a_mail_program_unsubscribes_without_cookies(
    send: Enqueue, visitor: Client, ann: Recipient, mail_server: MailServer
) -> None:
    send(ann)
    carry_out()
    (received,) = mail_server.received
    found = re.fullmatch(r"<http://localhost:8000(/unsubscribe/[\w.-]+/)>", received.message["List-Unsubscribe"])
    assert found is not None
    name, _, value = received.message["List-Unsubscribe-Post"].partition("=")
    assert visitor.post(found[1], {name: value}).status_code == 200
    assert not gets_mails(ann)


def test_unsubscribing_twice_is_unsubscribing_once(visitor: Client, ann: Recipient) -> None:
    visitor.post(path_of(ann))
    since = Recipient.objects.get(pk=ann.pk).unsubscribed_at
    assert visitor.post(path_of(ann), ONE_CLICK).status_code == 200
    assert Recipient.objects.get(pk=ann.pk).unsubscribed_at == since
    assert AuditEvent.objects.filter(action="recipient.unsubscribed").count() == 1


def test_a_mistake_can_be_taken_back(visitor: Client, ann: Recipient) -> None:
    page = visitor.post(path_of(ann)).text
    assert "Subscribe again" in page
    response = visitor.post(path_of(ann), {"again": "1"})
    assert "ann@example.org gets the report" in response.text
    assert gets_mails(ann)
    visitor.post(path_of(ann), {"again": "1"})
    assert AuditEvent.objects.filter(action="recipient.subscribed_again").count() == 1


def test_whoever_is_signed_in_sees_the_same(
    client_for: Callable[[User | None], Client], outsider: User, ann: Recipient
) -> None:
    response = client_for(outsider).get(path_of(ann))
    assert response.status_code == 200
    assert "ann@example.org" in response.text


def test_an_alert_is_unsubscribed_alike(visitor: Client, alert_event: AlertEvent) -> None:
    carl = alert_event.alert.recipients.get()
    assert "the alert “Revenue” of Acme" in visitor.get(path_of(carl)).text
    visitor.post(path_of(carl))
    assert not gets_mails(carl)


def test_a_recipient_who_was_removed_is_told_so(visitor: Client, ann: Recipient) -> None:
    path = path_of(ann)
    ann.delete()
    for response in (visitor.get(path), visitor.post(path, ONE_CLICK)):
        assert response.status_code == 200
        assert "You get no more of these mails" in response.text


def test_of_a_schedule_that_was_deleted_one_is_told_so(visitor: Client, ann: Recipient, schedule: Schedule) -> None:
    path = path_of(ann)
    schedule.delete()
    for response in (visitor.get(path), visitor.post(path, ONE_CLICK), visitor.post(path, {"again": "1"})):
        assert response.status_code == 200
        assert "You get no more of these mails" in response.text
    assert not Recipient.objects.exists()


def test_who_was_removed_from_an_alert_and_unsubscribes_is_kept_as_unsubscribed(
    visitor: Client, alert_event: AlertEvent
) -> None:
    carl = alert_event.alert.recipients.get()
    path = path_of(carl)
    carl.delete()
    visitor.post(path, ONE_CLICK)
    kept = alert_event.alert.recipients.get(email="carl@example.org")
    assert kept.unsubscribed_at is not None
    assert kept.removed_at is not None
    assert AuditEvent.objects.get(action="recipient.unsubscribed").target == "carl@example.org"


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_no_token_is_not_found(visitor: Client, ann: Recipient, bob: Recipient, method: str) -> None:
    about, at, signature = path_of(ann).split("/")[2].split(".")
    other = path_of(bob).split("/")[2].split(".")[0]
    assert about != other
    for token in ("1", f"{other}.{at}.{signature}", f"{about}.{at}.{signature[:-1]}", "a.b.c", "%00", "ü"):
        assert getattr(visitor, method)(f"/unsubscribe/{token}/").status_code == 404
    assert gets_mails(ann)
    assert gets_mails(bob)


def test_a_token_of_a_file_is_none_for_unsubscribing(visitor: Client, send: Enqueue, ann: Recipient) -> None:
    (delivery,) = send(ann)
    token = file_url(delivery, "csv").split("/")[-2]
    assert visitor.post(f"/unsubscribe/{token}/").status_code == 404


def test_a_link_works_for_a_year(visitor: Client, ann: Recipient) -> None:
    path, now = path_of(ann), timezone.now()
    with time_machine.travel(now + dt.timedelta(days=364), tick=False):
        assert visitor.get(path).status_code == 200
    with time_machine.travel(now + dt.timedelta(days=366), tick=False):
        response = visitor.post(path)
    assert response.status_code == 410
    assert "A newer mail of the same report or alert has one that works." in response.text
    assert gets_mails(ann)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_do_not_exist(visitor: Client, ann: Recipient, method: str) -> None:
    assert getattr(visitor, method)(path_of(ann)).status_code == 405
    assert gets_mails(ann)


def test_html_in_names_is_only_text(visitor: Client, ann: Recipient, shop: Workspace) -> None:
    Workspace.objects.filter(pk=shop.pk).update(name="<script>alert(1)</script>")
    page = visitor.get(path_of(ann)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
