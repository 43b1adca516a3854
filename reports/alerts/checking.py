"""Looking at what alerts watch, after each change of the figures and once a day, and telling of what is noticed."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Membership, Workspace
from attribution.cube.daily_cube import cube_runs
from jobs.models import Job
from marketing.periods import EPOCH, Period, start_of_day_us
from reports.alerts import wording
from reports.alerts.actions import pause_for, why_not
from reports.alerts.judging import DayJudged, days_that_raise, judge_days
from reports.alerts.series import Series, SeriesReader
from reports.deliveries import outbox
from reports.deliveries.links import site_url
from reports.models import Alert, AlertEvent, Delivery

logger = logging.getLogger(__name__)

DAYS_LOOKED_AT = 7  # back from the last day that is known, so that late data are seen
MOST_DAYS_LOOKED_AT = 30  # where days come together after a pause
MAILS_A_DAY = 2
EARLIEST_ZONE = dt.timedelta(hours=14)  # ahead of UTC: where a day begins first
WEEK = 7


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found: days that raise events, and the events that no longer, or again, are so."""

    new: Sequence[DayJudged] = ()
    taken_back: Sequence[int] = ()
    back_again: Sequence[int] = ()


def check_due(now: dt.datetime) -> int:
    """Look at every alert whose figures, or local day, are others than at its last look; return how many were.

    One query where none is due. Of several that do this at once one writes what it found.
    """
    due: dict[Workspace, list[Any]] = defaultdict(list)
    for alert in _perhaps_due(now):
        if alert.checked_cube != alert.newest_cube or alert.checked_on != _today(alert.workspace, now):
            due[alert.workspace].append(alert)
    looked = 0
    for workspace, alerts in due.items():
        reader = SeriesReader(workspace, now=now)
        looked += sum(_check(alert, reader, now) for alert in alerts)
    return looked


def _perhaps_due(now: dt.datetime) -> QuerySet[Alert, Any]:
    """Those with figures that were not looked at, or not on the newest day that there is anywhere."""
    done = cube_runs().filter(workspace=OuterRef("workspace"), void=False, job__status=Job.Status.DONE)
    # A workspace that nobody is in is being deleted.
    members = Membership.objects.filter(workspace=OuterRef("workspace"))
    watching = Alert.objects.filter(Exists(members), paused_at=None)
    watching = watching.annotate(newest_cube=Subquery(done.values("pk")[:1]))
    days_over = Q(checked_on=None) | Q(checked_on__lt=(now.astimezone(dt.UTC) + EARLIEST_ZONE).date())
    others = Q(checked_cube=None) | ~Q(checked_cube=F("newest_cube"))
    return (
        watching.filter(newest_cube__isnull=False)
        .filter(days_over | others)
        .select_related("workspace", "channel", "goal", "created_by")
        .order_by("workspace", "created_at")
    )


def _check(alert: Any, reader: SeriesReader, now: dt.datetime) -> bool:
    """Judge the last days, then claim the look and write what it found together; False if another was first."""
    series, found = None, Found()
    try:
        series = reader.series(alert)
        if series is not None:
            found = _noticed(alert, series)
    except Exception:
        # The next figures, or the next day, are another try; the other alerts are not kept waiting.
        logger.exception("The alert %s could not be looked at", alert.pk)
    with transaction.atomic():
        same = Alert.objects.filter(
            pk=alert.pk, paused_at=None, revision=alert.revision, watched_from=alert.watched_from
        )
        as_found = same.filter(checked_cube=alert.checked_cube, checked_on=alert.checked_on)
        if not as_found.update(
            checked_cube=alert.newest_cube,
            checked_on=_today(alert.workspace, now),
            checked_until=series.last if series else alert.checked_until,
        ):
            return False
        if because := why_not(alert):
            pause_for(alert, because)
            return True
        AlertEvent.objects.filter(pk__in=found.taken_back).update(taken_back_at=now)
        AlertEvent.objects.filter(pk__in=found.back_again).update(taken_back_at=None)
        if series is not None and found.new:
            _raise(alert, series, found.new, now)
    return True


def _noticed(alert: Alert, series: Series) -> Found:
    """What is found at this look. What an earlier revision of the alert noticed is another story."""
    judged = judge_days(alert, series)
    beyond = {day.day for day in judged if day.is_beyond}
    events = list(alert.events.filter(revision=alert.revision, day__gte=judged[0].day, day__lte=judged[-1].day))
    since = series.last - dt.timedelta(DAYS_LOOKED_AT - 1)
    if alert.checked_until is not None:
        since = min(since, alert.checked_until + dt.timedelta(1))
    since = max(since, alert.watched_from, series.last - dt.timedelta(MOST_DAYS_LOOKED_AT - 1))
    return Found(
        new=days_that_raise(judged, raised={event.day for event in events}, since=since),
        taken_back=[each.pk for each in events if each.day not in beyond and each.taken_back_at is None],
        back_again=[each.pk for each in events if each.day in beyond and each.taken_back_at is not None],
    )


def _raise(alert: Alert, series: Series, days: Sequence[DayJudged], now: dt.datetime) -> None:
    """Record the events, and mail as many as the day has mails left for, those of the newest days first."""
    start = EPOCH + dt.timedelta(microseconds=start_of_day_us(_today(alert.workspace, now), alert.workspace.zone))
    left = MAILS_A_DAY - alert.events.filter(mailed=True, created_at__gte=start).count()
    recipients = list(alert.recipients.filter(unsubscribed_at=None, rejected_at=None))
    for day in sorted(days, key=lambda day: day.day, reverse=True):
        event = AlertEvent.objects.create(
            alert=alert,
            revision=alert.revision,
            day=day.day,
            value=day.value or 0.0,
            low=day.low,
            high=day.high,
            sentence=wording.event_in_words(alert, series, day),
            mailed=left > 0,
        )
        if event.mailed:
            left -= 1
            outbox.enqueue(
                workspace=alert.workspace,
                purpose=Delivery.Purpose.ALERT,
                recipients=recipients,
                subject=f"Alert: {alert.name}",
                body=_body(alert, series, event),
                alert_event=event,
            )


def _body(alert: Alert, series: Series, event: AlertEvent) -> str:
    page = reverse("reports:alert", kwargs={"slug": alert.workspace.slug, "alert_id": alert.pk})
    context = {
        "sentence": event.sentence,
        "basis": wording.basis_in_words(alert, series),
        "dashboard_url": site_url(dashboard_path(alert, series, event.day)),
        "name": alert.name,
        "watched": wording.watched_in_words(alert),
        "alert_url": site_url(page),
    }
    return render_to_string("reports/mail/alert.txt", context).strip()


def dashboard_path(alert: Alert, series: Series, day: dt.date) -> str:
    """The dashboard, or its page of the channel, of the days that the event is about; of one day with its week."""
    period = Period.last_days(max(alert.days, WEEK), until=day)
    query = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    if series.goal is not None and not series.goal.is_default:
        query["goal"] = series.goal.name
    where = {"slug": alert.workspace.slug}
    if series.channel is None:
        return f"{reverse('reports:dashboard', kwargs=where)}?{urlencode(query)}"
    channel = reverse("reports:channel", kwargs={**where, "channel_id": series.channel.pk})
    return f"{channel}?{urlencode(query)}"


def _today(workspace: Workspace, now: dt.datetime) -> dt.date:
    return now.astimezone(workspace.zone).date()
