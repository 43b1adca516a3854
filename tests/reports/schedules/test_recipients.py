"""The list of recipients, and those on it who have unsubscribed: only they themselves take that back."""

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from reports.deliveries.links import unsubscribe_url
from reports.models import Recipient, Schedule
from reports.schedules import actions
from reports.schedules.contents import content_of
from reports.schedules.tick import claim_due
from tests.reports.schedules.conftest import LIST, MONDAYS, ClientFor, Keep, of, settings_of, utc, work

DUE = utc("2026-04-06T07:00")
ANN, BOB = "ann@example.com", "bob@example.com"
SAYS = "gets nothing until they subscribe again by the link in a mail"


def link_of(recipient: Recipient) -> str:
    return "/" + unsubscribe_url(recipient).split("/", 3)[3]


def listed(schedule: Schedule, by: User, *addresses: str) -> None:
    """Save the schedule with these recipients."""
    settings = settings_of(content=content_of(schedule), name=schedule.name, recipients=addresses)
    actions.change_schedule(schedule=schedule, settings=settings, by=of(by))


def test_who_has_unsubscribed_stays_so_when_removed_and_added_again(keep: Keep, analyst: User) -> None:
    schedule = keep()
    link = link_of(schedule.recipients.get(email=ANN))
    Client().post(link)
    listed(schedule, analyst, BOB)
    listed(schedule, analyst, BOB, "Ann@Example.com")
    claim_due(DUE)
    work()
    assert [message.to for message in mail.outbox] == [[BOB]]
    assert "You have unsubscribed" in Client().get(link).text
    Client().post(link, {"again": "1"})
    ann = schedule.recipients.get(email=ANN)
    assert (ann.unsubscribed_at, ann.removed_at) == (None, None)


def test_who_is_removed_is_on_no_page_and_in_no_list(keep: Keep, analyst: User, client_for: ClientFor) -> None:
    schedule = keep()
    schedule.recipients.filter(email=ANN).update(unsubscribed_at=timezone.now())
    listed(schedule, analyst, BOB)
    client, page = client_for(analyst), f"{LIST}{schedule.pk}/"
    for path in (page, f"{page}edit/", LIST):
        text = client.get(path).text
        assert ANN not in text
        assert SAYS not in text
    assert "; 1 recipient<" in client.get(LIST).text


def test_who_never_unsubscribed_leaves_no_trace_when_removed(keep: Keep, analyst: User) -> None:
    schedule = keep()
    listed(schedule, analyst, BOB)
    assert [recipient.email for recipient in Recipient.objects.all()] == [BOB]


def test_only_who_has_unsubscribed_is_kept(keep: Keep) -> None:
    ann = keep().recipients.get(email=ANN)
    with pytest.raises(IntegrityError), transaction.atomic():
        Recipient.objects.filter(pk=ann.pk).update(removed_at=timezone.now())


def test_an_old_link_of_somebody_added_again_is_about_them(keep: Keep, analyst: User) -> None:
    schedule = keep()
    link = link_of(schedule.recipients.get(email=ANN))
    listed(schedule, analyst, BOB)
    listed(schedule, analyst, BOB, ANN)
    assert f"{ANN} gets the report" in Client().get(link).text
    Client().post(link, {"List-Unsubscribe": "One-Click"})
    assert schedule.recipients.get(email=ANN).unsubscribed_at is not None


def test_who_unsubscribes_after_being_removed_gets_nothing_when_added_again(keep: Keep, analyst: User) -> None:
    schedule = keep()
    link = link_of(schedule.recipients.get(email=ANN))
    listed(schedule, analyst, BOB)
    for _ in range(2):
        assert "You get no more of these mails" in Client().post(link).text
    Client().post(link, {"again": "1"})  # there is nothing to subscribe to
    listed(schedule, analyst, BOB, ANN)
    assert schedule.recipients.get(email=ANN).unsubscribed_at is not None


def test_a_link_is_about_its_own_schedule_only(keep: Keep) -> None:
    first, second = keep(), keep()
    Client().post(link_of(first.recipients.get(email=ANN)))
    assert second.recipients.get(email=ANN).unsubscribed_at is None


def test_the_page_and_the_form_say_who_gets_nothing(keep: Keep, analyst: User, client_for: ClientFor) -> None:
    schedule = keep()
    schedule.recipients.filter(email=ANN).update(unsubscribed_at=timezone.now())
    client, page = client_for(analyst), f"{LIST}{schedule.pk}/"
    assert f"Unsubscribed on 1 Apr 2026: {SAYS}" in client.get(page).text
    form = client.get(f"{page}edit/").text
    assert f"{ANN} has unsubscribed and {SAYS}." in form
    assert f"{BOB} has unsubscribed" not in form


def test_the_form_says_so_of_who_is_typed_in_again(keep: Keep, analyst: User, client_for: ClientFor) -> None:
    schedule = keep(recurrence=MONDAYS)
    schedule.recipients.filter(email=ANN).update(unsubscribed_at=timezone.now())
    listed(schedule, analyst, BOB)
    sent = {"action": "upcoming", "recipients": f"{BOB}, Ann@example.com"}
    form = client_for(analyst).post(f"{LIST}{schedule.pk}/edit/", sent).text
    assert f"{ANN} has unsubscribed and {SAYS}." in form
    assert "has unsubscribed" not in client_for(analyst).post(f"{LIST}new/", sent).text
