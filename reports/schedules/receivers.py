"""What schedules do when an edition that they asked for is made, or cannot be."""

from typing import Any

from marketing.periods import Period
from reports.deliveries.outbox import enqueue
from reports.editions.signals import edition_failed, edition_made
from reports.models import Delivery, Edition, Occurrence
from reports.schedules import notices


def connect() -> None:
    """Listen to them."""
    edition_made.connect(send, dispatch_uid="reports.schedules.send")
    edition_failed.connect(note_failure, dispatch_uid="reports.schedules.note_failure")


def send(*, edition: Edition, **_: Any) -> None:
    """Put the mails of the edition's occurrence into the outbox, in the transaction that completes the edition."""
    for occurrence in _occurrences(edition):
        schedule = occurrence.schedule
        enqueue(
            workspace=schedule.workspace,
            purpose=Delivery.Purpose.REPORT,
            recipients=schedule.recipients.all(),
            subject=f"{schedule.name}: {Period(edition.start, edition.end).label}",
            edition=edition,
            occurrence=occurrence,
            formats=schedule.formats,
        )


def note_failure(*, edition: Edition, sentence: str, **_: Any) -> None:
    """Note beside the occurrence why there is nothing to send."""
    for occurrence in _occurrences(edition):
        notices.say_what_failed(occurrence, sentence)


def _occurrences(edition: Edition) -> list[Occurrence]:
    return list(
        Occurrence.objects.filter(edition=edition).select_related("schedule__workspace", "schedule__created_by")
    )
