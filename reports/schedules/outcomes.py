"""What came of a time that a schedule was due, told from its edition and its mails."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Prefetch, QuerySet

from jobs.models import Job
from mmm_project import formats
from reports.models import Delivery, Occurrence

UNDER_WAY = (Delivery.Status.WAITING, Delivery.Status.SENDING)
FAILED = (Delivery.Status.FAILED, Delivery.Status.REJECTED, Delivery.Status.UNKNOWN)
UNFINISHED = (Job.Status.QUEUED, Job.Status.RUNNING)


class Ending(StrEnum):
    """How far a due time has come, for programs. `INCOMPLETE`: it was sent, but parts of it could not be made."""

    NOT_SENT = "not_sent"
    UNDELIVERED = "undelivered"
    SENDING = "sending"
    SENT = "sent"
    INCOMPLETE = "incomplete"
    BEING_MADE = "being_made"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a time that a schedule was due: a sign and words. `tone`: good, bad, warn, or "" while under way."""

    ending: Ending
    sign: str
    words: str
    tone: str = ""


def with_mails(occurrences: QuerySet[Occurrence]) -> QuerySet[Occurrence]:
    """The occurrences with what `outcome_of` needs; two queries, however many there are."""
    mails = Delivery.objects.order_by("created_at").only("occurrence", "purpose", "email", "status", "created_at")
    made = occurrences.select_related("edition__job").defer("edition__definition")
    return made.prefetch_related(Prefetch("deliveries", queryset=mails))


def outcome_of(occurrence: Occurrence) -> Outcome:
    """What came of an occurrence from `with_mails`. Of mails that were sent again, the last one counts."""
    reports = (mail for mail in occurrence.deliveries.all() if mail.purpose == Delivery.Purpose.REPORT)
    statuses = {mail.email: mail.status for mail in reports}
    if occurrence.problem:
        return Outcome(Ending.NOT_SENT, "✕", f"Not sent. {occurrence.problem}", "bad")
    counts = Counter(statuses.values())
    mails = len(statuses)
    if failed := sum(counts[status] for status in FAILED):
        return Outcome(Ending.UNDELIVERED, "✕", f"{failed} of {formats.count(mails, 'mail')} not delivered", "bad")
    if under_way := sum(counts[status] for status in UNDER_WAY):
        return Outcome(Ending.SENDING, "…", f"{under_way} of {formats.count(mails, 'mail')} being sent")
    if sent := counts[Delivery.Status.SENT]:
        words = f"Sent to {formats.count(sent, 'recipient')}"
        if occurrence.edition and (problems := occurrence.edition.problems):
            words = f"{words}, without {formats.count(len(problems), 'part')}: {problems[0]}"
            return Outcome(Ending.INCOMPLETE, "!", words, "warn")
        return Outcome(Ending.SENT, "✓", words, "good")
    if occurrence.edition and occurrence.edition.job.status in UNFINISHED:
        return Outcome(Ending.BEING_MADE, "…", "Being made")
    if mails:
        return Outcome(Ending.NOBODY, "!", "Sent to nobody: the delivery log says why", "warn")
    return Outcome(Ending.NOBODY, "!", "Sent to nobody: all had unsubscribed or could not be reached", "warn")
