"""The outbox: a row for each mail to each person, and jobs that carry the rows to the mail server."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.audit import record
from accounts.closing import require_open
from accounts.models import ApiKey, Membership, Role, User, Workspace
from jobs.actions import submit
from jobs.models import Job
from mmm_project.problems import Conflict, Invalid
from reports.deliveries import pacing
from reports.deliveries.links import site_url
from reports.deliveries.mime import SUBJECT_LENGTH, one_line
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Recipient, Schedule
from reports.workspace_deletion import DELETION_JOB

JOB_KIND = "reports.deliver"
LATE = "Late: "
JOBS_A_TICK = 500
PAUSE_BETWEEN_COPIES = dt.timedelta(minutes=1)
_LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
_ON_ITS_WAY = (Delivery.Status.WAITING, Delivery.Status.SENDING)
_CAN_BE_SENT_AGAIN = (Delivery.Status.SENT, Delivery.Status.FAILED, Delivery.Status.UNKNOWN)


def enqueue(
    *,
    workspace: Workspace,
    purpose: Delivery.Purpose,
    recipients: Iterable[Recipient],
    subject: str,
    body: str = "",
    edition: Edition | None = None,
    occurrence: Occurrence | None = None,
    alert_event: AlertEvent | None = None,
    formats: Sequence[str] = (),
    by: User | None = None,
) -> list[Delivery]:
    """Put a mail to each recipient into the outbox, in the caller's transaction; return those that are new.

    Nobody gets one who has unsubscribed or whose address was rejected, or who has one of this occurrence, or of this
    alert's event, already. What is beyond the workspace's mails of a day is noted as failed.
    """
    late = LATE if occurrence is not None and occurrence.late else ""
    reachable: dict[str, Recipient] = {}
    for recipient in recipients:
        if recipient.unsubscribed_at is None and recipient.rejected_at is None:
            reachable.setdefault(recipient.email.lower(), recipient)
    rows = [
        Delivery(
            workspace=workspace,
            purpose=purpose,
            recipient=recipient,
            email=recipient.email,
            subject=one_line(late + subject, SUBJECT_LENGTH),
            body=body,
            edition=edition,
            occurrence=occurrence,
            alert_event=alert_event,
            formats=list(formats),
            requested_by=by,
        )
        for recipient in reachable.values()
    ]
    return _put(workspace, rows)


def notify(
    *,
    workspace: Workspace,
    user: User,
    subject: str,
    body: str,
    occurrence: Occurrence | None = None,
    alert_event: AlertEvent | None = None,
) -> Delivery | None:
    """Put a notice to a member into the outbox, in the caller's transaction.

    `body`: paragraphs, with an empty line between them. With `occurrence` or `alert_event`, each person gets one notice
    about it: None if there is one already.
    """
    row = Delivery(
        workspace=workspace,
        purpose=Delivery.Purpose.NOTICE,
        email=user.email,
        subject=one_line(subject, SUBJECT_LENGTH),
        body=body,
        occurrence=occurrence,
        alert_event=alert_event,
    )
    return next(iter(_put(workspace, [row])), None)


def whom_to_tell(workspace: Workspace, user: User | None) -> list[User]:
    """The user, if still a member who can sign in, or else the workspace's owners."""
    members = Membership.objects.filter(workspace=workspace, user__is_active=True).select_related("user")
    asked = members.filter(user=user).first() if user else None
    if asked:
        return [asked.user]
    return [owner.user for owner in members.filter(role=Role.OWNER).order_by("pk")]


def tell_of_failure(delivery: Delivery) -> None:
    """Tell whoever made the schedule or the alert that a mail of it came to nothing, once about each occurrence.

    Not about notices, which would go round in circles.
    """
    about = source_of(delivery)
    if delivery.purpose == Delivery.Purpose.NOTICE or about is None:
        return
    name = one_line(about.name)
    tries = f" after {delivery.attempts} tries" if delivery.attempts > 1 else ""
    log = site_url(reverse("reports:deliveries", kwargs={"slug": delivery.workspace.slug}))
    body = "\n\n".join(
        [
            f"“{name}” of {one_line(delivery.workspace.name)} could not be delivered to {delivery.email}{tries}.",
            one_line(delivery.error),
            f"The list of deliveries shows what became of each, and sends what failed again: {log}",
        ]
    )
    for user in whom_to_tell(delivery.workspace, about.created_by):
        notify(
            workspace=delivery.workspace,
            user=user,
            subject=f"Not delivered: {name}",
            body=body,
            occurrence=delivery.occurrence,
            alert_event=delivery.alert_event,
        )


def source_of(delivery: Delivery) -> Schedule | Alert | None:
    """The schedule or the alert that a mail belongs to; None for notices about neither."""
    if delivery.occurrence is not None:
        return delivery.occurrence.schedule
    return delivery.alert_event.alert if delivery.alert_event is not None else None


def is_being_deleted(workspace_id: int) -> bool:
    """Whether somebody has asked to delete the workspace: nothing goes out any more."""
    return Job.objects.filter(workspace=workspace_id, kind=DELETION_JOB).exists()


@transaction.atomic
def resend(*, delivery: Delivery, by: User | None, api_key: ApiKey | None = None) -> Delivery:
    """Send a mail once more, as a delivery of its own.

    Raises Conflict for one that is on its way, was sent within the last minute by somebody's word, or whose recipient
    gets no more mails, or whose workspace is being deleted, and Invalid beyond the mails of a day.
    """
    # Locked, so that of two clicks at once the second finds the first.
    stored = Delivery.objects.select_for_update().get(pk=delivery.pk)
    require_open(stored.workspace)
    if stored.status not in _CAN_BE_SENT_AGAIN:
        raise Conflict("Only what was sent, has failed or may not have arrived can be sent again.")
    if stored.resends.filter(status__in=_ON_ITS_WAY).exists():
        raise Conflict("This is being sent again already.")
    since = timezone.now() - PAUSE_BETWEEN_COPIES
    if stored.resends.filter(created_at__gt=since).exists() or (stored.resend_of_id and stored.created_at > since):
        raise Conflict("This was sent again within the last minute. Wait a moment.")
    if stored.purpose == Delivery.Purpose.REPORT and stored.edition_id is None:
        raise Conflict("The report of this delivery has been deleted, so it cannot be sent again.")
    if _left_today(stored.workspace) <= 0:
        raise Invalid(_too_many())
    copied = ("workspace", "purpose", "occurrence", "edition", "alert_event", "subject", "body", "formats")
    row = Delivery(
        **{name: getattr(stored, name) for name in copied},
        recipient=_present_recipient(stored),
        email=stored.email,
        resend_of=stored,
        requested_by=by,
    )
    record(
        workspace=stored.workspace,
        actor=by,
        api_key=api_key,
        action="delivery.sent_again",
        target=stored.email,
        of=str(stored.pk),
    )
    (again,) = _put(stored.workspace, [row])
    return again


@transaction.atomic
def enable(*, recipient: Recipient, by: User | None, api_key: ApiKey | None = None) -> None:
    """Let mails go to an address again that a mail server has rejected; do nothing if they do already."""
    rejected = Recipient.objects.filter(pk=recipient.pk, rejected_at__isnull=False)
    if rejected.update(rejected_at=None, rejected_because=""):
        about = subscription_of(recipient)
        record(
            workspace=about.workspace,
            actor=by,
            api_key=api_key,
            action="recipient.enabled",
            target=recipient.email,
            of=about.name,
        )


def subscription_of(recipient: Recipient) -> Schedule | Alert:
    """The schedule or the alert whose mails a recipient gets: every recipient has one."""
    about = recipient.schedule or recipient.alert
    if about is None:
        raise ValueError("A recipient is one of a schedule or of an alert.")
    return about


def send_due(now: dt.datetime) -> int:
    """Submit a job for each mail that waits for its next try and has none; return how many.

    Of several ticks at once, one does so for a mail. While the mail server is away, nothing is submitted but, after
    each pause, one mail that finds out whether it is back.
    """
    due = Delivery.objects.filter(status=Delivery.Status.WAITING, next_try_at__lte=now)
    most = JOBS_A_TICK
    if pacing.may_be_away():
        if pacing.is_away() or Delivery.objects.filter(status__in=_ON_ITS_WAY, job__status__in=_LIVE).exists():
            return 0
        most = 1
    idle = due.exclude(job__status__in=_LIVE).select_related("workspace").order_by("next_try_at")[:most]
    submitted = 0
    for delivery in idle:
        with transaction.atomic():
            job = submit(workspace=delivery.workspace, kind=JOB_KIND)
            seen = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.WAITING, job=delivery.job_id)
            if seen.update(job=job):
                submitted += 1
            else:
                transaction.set_rollback(True)  # another tick was first: no job, and no doorbell
    return submitted


@transaction.atomic
def _put(workspace: Workspace, rows: Sequence[Delivery]) -> list[Delivery]:
    """Insert rows that are not there yet, each with its job; return them."""
    if not rows:
        return []
    # One transaction at a time counts the mails of the day; rows that only refer to the workspace need not wait.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    related = ("workspace", "occurrence__schedule", "alert_event__alert", "recipient")
    new = list(Delivery.objects.filter(pk__in=[row.pk for row in rows]).select_related(*related).order_by("email"))
    left, now = _left_today(workspace, but=new), timezone.now()
    refused = []
    for place, delivery in enumerate(new):
        if _counts(delivery) and place >= left:
            delivery.status, delivery.error = Delivery.Status.FAILED, _too_many()
            refused.append(delivery)
        else:
            delivery.job, delivery.next_try_at = submit(workspace=workspace, kind=JOB_KIND), now
    Delivery.objects.bulk_update(new, ["status", "error", "job", "next_try_at"])
    if refused:
        tell_of_failure(refused[0])
    return new


def _counts(delivery: Delivery) -> bool:
    """Whether it is one of the mails of the day: notices are only where somebody sends them again."""
    return delivery.purpose != Delivery.Purpose.NOTICE or delivery.resend_of_id is not None


def _left_today(workspace: Workspace, but: Sequence[Delivery] = ()) -> int:
    """How many mails the workspace may still send now, by those of the last 24 hours that count."""
    since = timezone.now() - dt.timedelta(days=1)
    mails = Delivery.objects.filter(workspace=workspace, created_at__gt=since).exclude(
        Q(purpose=Delivery.Purpose.NOTICE, resend_of=None) | Q(status=Delivery.Status.FAILED, attempts=0)
    )
    return int(settings.MAILS_A_DAY) - mails.exclude(pk__in=[delivery.pk for delivery in but]).count()


def _too_many() -> str:
    return f"This workspace has sent {settings.MAILS_A_DAY:,} mails within a day. Send it again tomorrow."


def _present_recipient(delivery: Delivery) -> Recipient | None:
    """Who gets a mail that is sent again; None for a notice. Raises Conflict if nobody does any more."""
    if delivery.purpose == Delivery.Purpose.NOTICE:
        if not Membership.objects.filter(workspace=delivery.workspace, user__email__iexact=delivery.email).exists():
            raise Conflict(f"{delivery.email} is no longer a member of this workspace.")
        return None
    about = source_of(delivery)
    recipient = delivery.recipient
    if recipient is None and about is not None:  # removed, and put on the list again
        recipient = about.recipients.filter(email__iexact=delivery.email).first()
    if recipient is None:
        raise Conflict(f"{delivery.email} is no longer among the recipients.")
    if recipient.unsubscribed_at is not None:
        raise Conflict(f"{delivery.email} has unsubscribed.")
    if recipient.rejected_at is not None:
        raise Conflict(f"The address {delivery.email} was rejected. Allow mails to it again first.")
    return recipient
