"""What schedules do when an edition that they asked for is made, or cannot be."""

from typing import Any

from marketing.periods import Period
from reports.deliveries.outbox import enqueue
from reports.deliveries.recipients import listed
from reports.editions.signals import edition_failed, edition_made
from reports.models import Delivery, Edition, Occurrence, Schedule
from reports.schedules import notices


def connect() -> None:
    """Listen to them."""
    edition_made.connect(send, dispatch_uid="reports.schedules.send")
    edition_failed.connect(note_failure, dispatch_uid="reports.schedules.note_failure")


def send(*, edition: Edition, **_: Any) -> None:
    """Put the mails of the edition's occurrence into the outbox, in the transaction that completes the edition.

    As it was claimed, to those who were on the list then and still are; nothing if it was paused since.
    """
    of_edition = Occurrence.objects.filter(edition=edition)
    # Locked before the occurrence is read: a pause comes before, and is seen, or after, and withdraws the mails.
    list(Schedule.objects.select_for_update(no_key=True).filter(pk__in=of_edition.values("schedule")))
    for occurrence in _occurrences(edition):
        if occurrence.problem:
            continue
        schedule = occurrence.schedule
        enqueue(
            workspace=schedule.workspace,
            purpose=Delivery.Purpose.REPORT,
            recipients=listed(schedule).filter(pk__in=occurrence.recipient_ids),
            subject=f"{occurrence.name}: {Period(edition.start, edition.end).label}",
            edition=edition,
            occurrence=occurrence,
            formats=occurrence.formats,
        )
        if edition.problems:
            notices.say_what_is_missing(occurrence, edition.problems)


def note_failure(*, edition: Edition, sentence: str, **_: Any) -> None:
    """Note beside the occurrence why there is nothing to send."""
    for occurrence in _occurrences(edition):
        notices.say_what_failed(occurrence, sentence)


def _occurrences(edition: Edition) -> list[Occurrence]:
    return list(
        Occurrence.objects.filter(edition=edition).select_related("schedule__workspace", "schedule__created_by")
    )
