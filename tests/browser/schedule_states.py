"""Schedules in every state: one that runs and has been sent, one that the product has paused."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User, Workspace
from reports.models import Delivery, Occurrence, Schedule
from reports.schedules.actions import Settings, create_schedule
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import Content

RECIPIENTS = (
    "ann@example.com",
    "somebody.with.quite.a.long.name@a-company-of-some-length.example.com",
    "bob@example.com",
)


def schedule_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Keep a schedule that has gone out well, badly and late; return what arguments of URLs stand for."""
    zone = ZoneInfo("Europe/Berlin")
    mondays = Recurrence("weekly", dt.time(9), zone, weekday=0)
    schedule = _keep(shop, owner, "Board on Mondays", Content(kind="dashboard"), mondays)
    schedule.recipients.filter(email=RECIPIENTS[2]).update(unsubscribed_at=timezone.now())
    for days, state, remarks in (
        (21, Delivery.Status.SENT, {}),
        (14, Delivery.Status.FAILED, {}),
        (7, Delivery.Status.WAITING, {"late": True, "missed": 2}),
    ):
        at = timezone.now() - dt.timedelta(days=days)
        occurrence = Occurrence.objects.create(schedule=schedule, due_at=at, claimed_at=at, **remarks)
        _mail(occurrence, Delivery.Status.SENT, RECIPIENTS[0])
        _mail(occurrence, state, RECIPIENTS[1])
    return {"schedule_id": schedule.pk}


def schedule_cases(shop: Workspace, owner: User) -> dict[str, Mapping[str, object]]:
    """Keep a schedule of a question of its own that the product has paused; return its arguments."""
    last_days = Recurrence("monthly", dt.time(7, 30), ZoneInfo("America/New_York"), month_day=31)
    linear = Content(kind="attribution", params={"model": ["linear"]})
    schedule = _keep(shop, owner, "Credit at the end of each month, for everybody who ever asked", linear, last_days)
    because = "Nobody is left who gets it: all recipients have unsubscribed or cannot be reached."
    Schedule.objects.filter(pk=schedule.pk).update(paused_at=timezone.now(), next_run_at=None, paused_because=because)
    at = timezone.now() - dt.timedelta(days=30)
    Occurrence.objects.create(schedule=schedule, due_at=at, claimed_at=at, problem="There are no figures yet.")
    return {"paused schedule": {"slug": shop.slug, "schedule_id": schedule.pk}}


def _keep(shop: Workspace, owner: User, name: str, content: Content, recurrence: Recurrence) -> Schedule:
    settings = Settings(
        name=name,
        content=content,
        period="previous_month",
        formats=["pdf", "pptx"],
        recurrence=recurrence,
        recipients=RECIPIENTS,
    )
    return create_schedule(workspace=shop, settings=settings, by=shop.memberships.get(user=owner))


def _mail(occurrence: Occurrence, status: Delivery.Status, email: str) -> Delivery:
    return Delivery.objects.create(
        workspace=occurrence.schedule.workspace,
        purpose=Delivery.Purpose.REPORT,
        occurrence=occurrence,
        recipient=occurrence.schedule.recipients.get(email=email),
        email=email,
        subject=f"{occurrence.schedule.name}: 1\N{EN DASH}31 Oct 2026",
        status=status,
        error="" if status == Delivery.Status.SENT else "The mail server did not answer.",
    )
