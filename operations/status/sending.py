"""Whether mails and webhooks go out."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count

from mmm_project.admin_links import list_of
from operations.status.lines import Line, State, lasting
from reports.deliveries.pacing import may_be_away
from reports.deliveries.transport import has_mail_server
from reports.models import Delivery, Schedule
from webhooks.models import Delivery as HookDelivery

SINCE = timedelta(hours=24)
OVERDUE_AFTER = timedelta(minutes=5)  # a mail is tried within seconds of its time
HOOKS_OVERDUE_AFTER = timedelta(minutes=15)
LOOKED_AT = 1_000  # of the newest mails, for the one that was sent last: a mail may wait for hours
CAME_TO_NOTHING = (Delivery.Status.FAILED, Delivery.Status.REJECTED, Delivery.Status.UNKNOWN)


def mail_server() -> Line:
    if not has_mail_server():
        is_missed = Schedule.objects.filter(paused_at=None).exists()
        return Line(
            name="Mail server",
            state=State.WARNING if is_missed or not settings.EMBEDDED else State.OK,
            sentence="None is set up: mails to people are printed, and scheduled reports fail.",
            advice="Set EMAIL_URL (docs/operations.md, Mail).",
        )
    if may_be_away():
        return Line(
            name="Mail server",
            state=State.PROBLEM,
            sentence="It could not be reached when it was last tried. One mail finds out every half minute.",
            advice="See that it runs and that EMAIL_URL is right. Mails wait, and are tried for some hours.",
        )
    return Line(name="Mail server", state=State.OK, sentence=f"{settings.EMAIL_HOST}; reached when it was last tried.")


def mails(now: datetime) -> list[Line]:
    """The outbox, and what became of the mails before."""
    waiting = Delivery.objects.filter(status=Delivery.Status.WAITING)
    overdue = waiting.filter(next_try_at__lt=now - OVERDUE_AFTER).count()
    depth, sending = waiting.count(), Delivery.objects.filter(status=Delivery.Status.SENDING).count()
    outbox = Line(
        name="Outbox",
        state=State.WARNING if overdue else State.OK,
        sentence=f"{depth:,} wait, {sending:,} are being sent."
        + (f" {overdue:,} should have been tried {lasting(OVERDUE_AFTER)} ago or earlier." if overdue else ""),
        advice="See that workers and scheduler live and that tick-reports is on." if overdue else "",
        href=list_of("reports.delivery", status__exact=Delivery.Status.WAITING.value),
    )
    return [outbox, _last_mail(now), _failed(now)]


def _last_mail(now: datetime) -> Line:
    newest = Delivery.objects.filter(status=Delivery.Status.SENT).order_by("-created_at")[:LOOKED_AT]
    last = max(filter(None, newest.values_list("sent_at", flat=True)), default=None)
    sentence = f"{lasting(now - last)} ago." if last else "None of a report, an alert or a notice yet."
    href = list_of("reports.delivery", status__exact=Delivery.Status.SENT.value)
    return Line(name="Last mail sent", state=State.OK, sentence=sentence, href=href)


def _failed(now: datetime) -> Line:
    recent = Delivery.objects.filter(status__in=CAME_TO_NOTHING, created_at__gt=now - SINCE).order_by()
    counts = dict(recent.values_list("status").annotate(mails=Count("pk")))
    href = list_of("reports.delivery", status__exact=Delivery.Status.FAILED.value)
    if not counts:
        return Line(name="Mails failed within 24 h", state=State.OK, sentence="None.", href=href)
    told = ", ".join(f"{status} {number:,}" for status, number in sorted(counts.items()))
    failed = bool(counts.get(Delivery.Status.FAILED))
    return Line(
        name="Mails failed within 24 h",
        state=State.WARNING if failed else State.OK,
        sentence=f"{sum(counts.values()):,}: {told}.",
        advice="Their errors say why. When it is mended, send them again from their list." if failed else "",
        href=href,
    )


def hooks(now: datetime) -> Line:
    """What waits to be posted to the addresses of workspaces. Each of them may be away; all of them are not."""
    waiting = HookDelivery.objects.filter(status=HookDelivery.Status.PENDING, endpoint__disabled_at=None)
    overdue = waiting.filter(next_try_at__lt=now - HOOKS_OVERDUE_AFTER, endpoint__rests_until=None).count()
    depth = waiting.count()
    sentence = f"{depth:,} message{'' if depth == 1 else 's'} wait{'s' if depth == 1 else ''}."
    if not overdue:
        return Line(name="Webhooks", state=State.OK, sentence=sentence)
    return Line(
        name="Webhooks",
        state=State.WARNING,
        sentence=f"{sentence} {overdue:,} should have been tried {lasting(HOOKS_OVERDUE_AFTER)} ago or earlier.",
        advice="See that workers live, and that the scheduler does.",
    )
