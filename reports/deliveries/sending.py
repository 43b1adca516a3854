"""Carrying a row of the outbox to the mail server: claimed, handed over once, and ended in a state with a sentence."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs import actions as job_actions
from jobs.models import Job
from jobs.progress import Progress
from reports.deliveries import pacing
from reports.deliveries.announcing import announce_delivery
from reports.deliveries.outbox import is_being_deleted, tell_of_failure
from reports.deliveries.transport import NO_SERVER, Fate, Outcome, hand_over, has_mail_server
from reports.models import Delivery, Recipient

# After each try that failed; the fifth is the last.
BACKOFF = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2))
ATTEMPTS = len(BACKOFF) + 1
INTERRUPTED = (
    "Sending was interrupted while the mail server was being spoken to, so the message may have arrived or not. Ask "
    "the recipient, and send it again if it has not."
)
UNSUBSCRIBED = "The recipient unsubscribed before it was sent."
NO_RECIPIENT = "The recipient was removed before it was sent."
REJECTED_BEFORE = "The address was rejected before, so it was not sent."
CANCELLED = "It was cancelled before it was sent."
CLOSED = "The workspace is being deleted."
_ENDS = {
    Fate.FAILED: Delivery.Status.FAILED,
    Fate.REJECTED: Delivery.Status.REJECTED,
    Fate.UNKNOWN: Delivery.Status.UNKNOWN,
}


class CannotCompose(Exception):
    """What a mail is about is not there any more; the message says so as a sentence."""


def deliver(job: Job, progress: Progress) -> None:
    """The job handler: send the mail of this job, unless an earlier claim may have done so already."""
    related = ("workspace", "edition__workspace", "occurrence__schedule", "alert_event__alert", "recipient")
    delivery = Delivery.objects.select_related(*related).filter(job=job).first()
    if delivery is None:
        _finish(progress, lambda: None)
    elif delivery.status == Delivery.Status.SENDING:
        _finish(progress, lambda: _conclude(delivery, Outcome(Fate.UNKNOWN, INTERRUPTED)))
    elif refusal := _refusal(delivery):
        _finish(progress, lambda: _refuse(delivery, Outcome(Fate.FAILED, refusal)))
    elif pacing.is_away():
        _finish(progress, lambda: _postpone(delivery))
    else:
        with pacing.one_at_a_time():
            _try(delivery, progress)


def _try(delivery: Delivery, progress: Progress) -> None:
    """Put the mail together and speak to the mail server, while no other thread of this process does."""
    if pacing.is_away():  # found out by the thread that was waited for
        _finish(progress, lambda: _postpone(delivery))
        return
    # Here, not above: it brings libraries that only workers need, and this module is loaded by every process.
    from reports.deliveries.letters import compose

    try:
        mail = compose(delivery)
    except CannotCompose as reason:
        sentence = str(reason)
        _finish(progress, lambda: _refuse(delivery, Outcome(Fate.FAILED, sentence)))
        return
    if not _claim(delivery, progress):
        _finish(progress, lambda: None)
        return
    outcome = hand_over(mail)
    (pacing.note_away if outcome.is_away else pacing.note_reached)()
    _finish(progress, lambda: _conclude(delivery, outcome))


def _finish(progress: Progress, write: Callable[[], None]) -> None:
    """End the job and write what became of its mail; the row of the mail says it all, so the job is forgotten."""

    def write_and_forget() -> None:
        write()
        job_actions.forget(job=progress.job)

    progress.complete(write_and_forget)


def settle(job: Job) -> None:
    """Run when the job ends as failed or cancelled: its mail ends with it, and says why."""
    for delivery in Delivery.objects.filter(job=job):
        if delivery.status == Delivery.Status.SENDING:
            _conclude(delivery, Outcome(Fate.UNKNOWN, INTERRUPTED))
        elif delivery.status == Delivery.Status.WAITING:
            _refuse(delivery, Outcome(Fate.FAILED, job.error or CANCELLED))
    job_actions.forget(job=job)


def _refusal(delivery: Delivery) -> str:
    """Why nothing can be sent at all, or ""."""
    if is_being_deleted(delivery.workspace_id):
        return CLOSED
    return "" if has_mail_server() else NO_SERVER


@transaction.atomic
def _claim(delivery: Delivery, progress: Progress) -> bool:
    """Take the row for this attempt; False if it does not wait any more, or its recipient wants or gets no mails.

    Raises LeaseLost where another worker has taken the job over meanwhile: nobody else would end what is taken here.
    """
    progress("Speaking to the mail server", 0.5)
    waiting = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.WAITING, job=delivery.job_id)
    if delivery.purpose != Delivery.Purpose.NOTICE:
        withdrawn, rejected = Delivery.Status.WITHDRAWN, Delivery.Status.REJECTED
        gone = {"next_try_at": None}
        waiting.filter(recipient=None).update(status=withdrawn, error=NO_RECIPIENT, **gone)
        waiting.filter(recipient__unsubscribed_at__isnull=False).update(status=withdrawn, error=UNSUBSCRIBED, **gone)
        waiting.filter(recipient__rejected_at__isnull=False).update(status=rejected, error=REJECTED_BEFORE, **gone)
    sending = {"status": Delivery.Status.SENDING, "attempts": F("attempts") + 1, "next_try_at": None}
    return bool(waiting.update(**sending))


def _postpone(delivery: Delivery) -> None:
    """Let it wait a little, which is no try."""
    waiting = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.WAITING, job=delivery.job_id)
    waiting.update(next_try_at=timezone.now() + pacing.PAUSE)


def _refuse(delivery: Delivery, outcome: Outcome) -> None:
    """End a mail that was not tried."""
    _end(delivery, Delivery.Status.WAITING, outcome)


def _conclude(delivery: Delivery, outcome: Outcome) -> None:
    """Write what became of a try, in the caller's transaction."""
    now, sending = timezone.now(), Delivery.Status.SENDING
    ours = Delivery.objects.filter(pk=delivery.pk, status=sending, job=delivery.job_id)
    if outcome.fate is Fate.SENT:
        if ours.update(status=Delivery.Status.SENT, sent_at=now, error=""):
            announce_delivery(delivery)
        return
    if outcome.fate is not Fate.LATER:
        _end(delivery, sending, outcome)
        return
    attempts = ours.values_list("attempts", flat=True).first() or ATTEMPTS
    if attempts < ATTEMPTS:
        next_try_at = now + BACKOFF[attempts - 1]
        ours.update(status=Delivery.Status.WAITING, next_try_at=next_try_at, error=outcome.sentence)
    else:
        _end(delivery, sending, Outcome(Fate.FAILED, outcome.sentence))


def _end(delivery: Delivery, seen: Delivery.Status, outcome: Outcome) -> None:
    """End a mail that was not sent, or may not have been, and tell whoever has to know."""
    ours = Delivery.objects.filter(pk=delivery.pk, status=seen, job=delivery.job_id)
    if not ours.update(status=_ENDS[outcome.fate], next_try_at=None, error=outcome.sentence):
        return
    if outcome.fate is Fate.REJECTED and delivery.recipient_id is not None:
        reached = Recipient.objects.filter(pk=delivery.recipient_id, rejected_at=None)
        reached.update(rejected_at=timezone.now(), rejected_because=outcome.sentence)
    # Without a mail server a notice would fail for the same reason, and a closed workspace has nobody to tell.
    if outcome.sentence not in (NO_SERVER, CLOSED, CANCELLED):
        delivery.refresh_from_db()
        tell_of_failure(delivery)
