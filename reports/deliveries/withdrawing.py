"""Mails that wait in the outbox and are not to be sent after all."""

from reports.models import Delivery, Schedule


def withdraw(*, schedule: Schedule, sentence: str) -> None:
    """End the mails of a schedule that still wait to be sent, in the caller's transaction; the sentence says why."""
    waiting = Delivery.objects.filter(
        occurrence__schedule=schedule, purpose=Delivery.Purpose.REPORT, status=Delivery.Status.WAITING
    )
    waiting.update(status=Delivery.Status.WITHDRAWN, error=sentence, next_try_at=None)


def hold_all(*, sentence: str) -> int:
    """End every mail that waits or is being sent as one that may have arrived; return how many. Each may be sent again.

    For a database that was restored: nobody knows what has been sent since it was written.
    """
    under_way = Delivery.objects.filter(status__in=(Delivery.Status.WAITING, Delivery.Status.SENDING))
    return under_way.update(status=Delivery.Status.UNKNOWN, error=sentence, next_try_at=None)
