"""Mails that wait in the outbox and are not to be sent after all."""

from reports.models import Delivery, Schedule


def withdraw(*, schedule: Schedule, sentence: str) -> None:
    """End the mails of a schedule that still wait to be sent, in the caller's transaction; the sentence says why."""
    waiting = Delivery.objects.filter(
        occurrence__schedule=schedule, purpose=Delivery.Purpose.REPORT, status=Delivery.Status.WAITING
    )
    waiting.update(status=Delivery.Status.WITHDRAWN, error=sentence, next_try_at=None)
