"""From the due time to the mails: each recipient gets one, at nine by the clock of Berlin, summer and winter."""

import datetime as dt

import pytest
import time_machine
from django.core import mail

from accounts.models import User
from reports import tasks
from reports.editions.signals import edition_failed, edition_made
from reports.models import Delivery, Edition, Occurrence, Report
from tests.reports.schedules.conftest import BERLIN, DAILY, LIST, TEXT, ClientFor, Keep, utc, work


def live_through(start: dt.datetime, end: dt.datetime, *, step: dt.timedelta = dt.timedelta(hours=1)) -> None:
    """Let the scheduler tick twice at every step, as two schedulers do, and the workers work."""
    at = start
    while at <= end:
        with time_machine.travel(at, tick=False):
            tasks.tick()
            tasks.tick()
            work()
        at += step


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("2026-03-28T12:00", "2026-03-30T12:00", ["2026-03-29T07:00", "2026-03-30T07:00"]),
        ("2026-10-23T12:00", "2026-10-26T12:00", ["2026-10-24T07:00", "2026-10-25T08:00", "2026-10-26T08:00"]),
    ],
)
def test_it_is_sent_once_at_nine_before_and_after_the_clocks_change(
    keep: Keep, before: str, after: str, due: list[str]
) -> None:
    with time_machine.travel(utc(before), tick=False):
        keep(recurrence=DAILY, period="yesterday", recipients=["ann@example.com"])
    live_through(utc(before), utc(after))
    assert [one.claimed_at for one in Occurrence.objects.order_by("due_at")] == [utc(text) for text in due]
    assert {one.due_at.astimezone(BERLIN).time() for one in Occurrence.objects.all()} == {dt.time(9)}
    assert [message.to for message in mail.outbox] == [["ann@example.com"]] * len(due)
    assert [delivery.sent_at for delivery in Delivery.objects.order_by("sent_at")] == [utc(text) for text in due]


def test_each_recipient_gets_a_mail_of_their_own_named_by_the_schedule_and_its_days(keep: Keep) -> None:
    keep(name="Board")
    live_through(utc("2026-04-06T06:59:50"), utc("2026-04-06T07:00:20"), step=dt.timedelta(seconds=10))
    assert sorted(message.to[0] for message in mail.outbox) == ["ann@example.com", "bob@example.com"]
    assert {message.subject for message in mail.outbox} == {"Board: 30 Mar \N{EN DASH} 5 Apr 2026"}


def test_after_an_outage_one_mail_goes_out_that_says_it_is_late(keep: Keep) -> None:
    keep(recurrence=DAILY, recipients=["ann@example.com"])
    live_through(utc("2026-04-05T10:00"), utc("2026-04-05T12:00"))
    (message,) = mail.outbox
    assert message.subject.startswith("Late: Weekly note")


def test_missed_reports_are_mentioned_although_the_last_one_is_on_time(keep: Keep) -> None:
    keep(recurrence=DAILY, recipients=["ann@example.com"])  # due on 2, 3, 4 and 5 April at 07:00
    live_through(utc("2026-04-05T07:05"), utc("2026-04-05T07:05"))
    (message,) = mail.outbox
    assert message.subject.startswith("Weekly note")
    assert "This report stands for 3 earlier ones as well, which are not sent." in message.body
    assert "comes late" not in message.body


def test_who_has_unsubscribed_gets_none(keep: Keep) -> None:
    schedule = keep()
    schedule.recipients.filter(email="ann@example.com").update(unsubscribed_at=utc("2026-04-02T00:00"))
    live_through(utc("2026-04-06T07:00"), utc("2026-04-06T07:00"))
    assert [message.to for message in mail.outbox] == [["bob@example.com"]]


def test_an_edition_that_is_said_to_be_made_twice_is_sent_once(keep: Keep) -> None:
    keep()
    live_through(utc("2026-04-06T07:00"), utc("2026-04-06T07:00"))
    edition_made.send(sender=Edition, edition=Edition.objects.get())
    work()
    assert len(mail.outbox) == 2


def test_an_edition_that_nobody_scheduled_is_mailed_to_nobody(keep: Keep) -> None:
    keep()
    live_through(utc("2026-04-06T07:00"), utc("2026-04-06T07:00"))
    Occurrence.objects.all().delete()
    mail.outbox.clear()
    edition_made.send(sender=Edition, edition=Edition.objects.get())
    work()
    assert not mail.outbox


def test_an_edition_that_fails_is_told_to_the_owner_once(keep: Keep, analyst: User) -> None:
    """The dashboard of a workspace without data has nothing to show."""
    from reports.schedules.contents import Content

    keep(content=Content(kind="dashboard"))
    live_through(utc("2026-04-06T07:00"), utc("2026-04-06T07:20"), step=dt.timedelta(minutes=10))
    occurrence = Occurrence.objects.get()
    assert "There are no figures yet" in occurrence.problem
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([analyst.email], "“Dashboard” was not sent")
    assert "Mon 6 Apr 2026, 09:00 (UTC+02:00)" in message.body
    assert isinstance(occurrence.edition, Edition)
    edition_failed.send(sender=Edition, edition=occurrence.edition, sentence="Once more.")
    work()
    assert len(mail.outbox) == 1


def test_what_went_out_without_a_part_is_marked_and_told_to_the_owner_once(
    keep: Keep, note: Report, analyst: User, client_for: ClientFor
) -> None:
    """The dashboard of a workspace without data has nothing to show; the note is there."""
    dashboard = {"id": "figures", "kind": "dashboard", "title": "Figures", "extent": "full", "params": {}}
    Report.objects.filter(pk=note.pk).update(blocks=[TEXT, dashboard])
    note.refresh_from_db()
    schedule = keep(recipients=["ann@example.com"])
    live_through(utc("2026-04-06T07:00"), utc("2026-04-06T07:20"), step=dt.timedelta(minutes=10))
    mails = {message.to[0]: message for message in mail.outbox}
    assert sorted(mails) == ["analyst@example.com", "ann@example.com"]
    assert len(mail.outbox) == 2
    assert mails["analyst@example.com"].subject == "“Weekly note” went out incomplete"
    assert "1 part of it could not be made.\n\nFigures: " in mails["analyst@example.com"].body
    assert "Figures" in mails["ann@example.com"].body
    page = client_for(analyst).get(f"{LIST}{schedule.pk}/")
    assert "Sent to 1 recipient, without 1 part: Figures: " in page.text
