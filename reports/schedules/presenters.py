"""What the pages of schedules show; all queries and wording are finished here."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from accounts.models import Membership, Workspace
from mmm_project import formats
from reports.blocks.relative_periods import PERIODS
from reports.deliveries.clock_times import instant_in_words
from reports.deliveries.log import DeliveryRow, delivery_rows
from reports.deliveries.recipients import UNSUBSCRIBED, listed
from reports.exports import FORMATS
from reports.models import Occurrence, Recipient, Schedule
from reports.schedules.actions import may_change, recurrence_of
from reports.schedules.calendar import Recurrence, upcoming
from reports.schedules.contents import content_of, period_at, settings_of
from reports.schedules.outcomes import Outcome, outcome_of, with_mails
from reports.schedules.words import other_date_of, recurrence_in_words, warning_of

NEXT_SHOWN, PAST_SHOWN, MAILS_SHOWN = 3, 10, 50


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment: for machines, and by the clock of a zone for people."""

    iso: str
    words: str


@dataclass(frozen=True, slots=True)
class NextRun:
    """A time at which it goes out, and the days that it will cover; "" where no period is chosen."""

    at: Instant
    days: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A schedule in the list. `next_run`: None while paused."""

    name: str
    url: str
    what: str
    when: str
    next_run: Instant | None
    recipients: str
    outcome: Outcome | None
    paused_because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTime:
    """A time that a schedule was due. `remark`: that it was late, or sent by hand. `edition_url`: "" without one."""

    due: Instant
    remark: str
    outcome: Outcome
    edition_url: str


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """Somebody who gets the mails. `state`: why they get none, or ""."""

    email: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When it goes out: in words, what to know about it, and the next times with their offset from UTC."""

    when: str
    warnings: Sequence[str]
    runs: Sequence[NextRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePage:
    """A schedule for its page. `settings`: of its analysis, where they are not the usual ones."""

    schedule: Schedule
    facts: Sequence[tuple[str, str]]
    settings: Sequence[tuple[str, str]]
    next: Next
    recipients: Sequence[RecipientRow]
    past: Sequence[PastTime]
    deliveries: Sequence[DeliveryRow]
    may_change: bool
    is_paused: bool
    paused_because: str


def schedules_of(workspace: Workspace) -> QuerySet[Schedule]:
    """The schedules of a workspace by name, with what a row of the list needs."""
    latest = Occurrence.objects.filter(schedule=OuterRef("pk")).order_by("-due_at").values("pk")[:1]
    reached = Q(recipients__unsubscribed_at=None, recipients__rejected_at=None)
    return (
        Schedule.objects.filter(workspace=workspace)
        .select_related("workspace", "report")
        .annotate(
            latest=Subquery(latest),
            all_recipients=Count("recipients", filter=Q(recipients__removed_at=None)),
            reached=Count("recipients", filter=reached),
        )
        .order_by("name", "pk")
    )


def present_rows(schedules: Iterable[Schedule]) -> list[ScheduleRow]:
    """Return the rows of the list for what `schedules_of` found; as many queries, however many there are."""
    found = list(schedules)
    ids = [latest for schedule in found if (latest := getattr(schedule, "latest", None))]
    occurrences = with_mails(Occurrence.objects.filter(pk__in=ids))
    outcomes = {occurrence.pk: outcome_of(occurrence) for occurrence in occurrences}
    return [_row(schedule, outcomes) for schedule in found]


def present_schedule(schedule: Schedule, membership: Membership, *, now: dt.datetime) -> SchedulePage:
    """Return the schedule's page as a member sees it."""
    past = with_mails(schedule.occurrences.all())[:PAST_SHOWN]
    zone = ZoneInfo(schedule.zone)
    return SchedulePage(
        schedule=schedule,
        facts=_facts(schedule, now),
        settings=settings_of(
            schedule.workspace, content_of(schedule), period_at(schedule.workspace, schedule.period, now)
        ),
        next=present_next(recurrence_of(schedule), schedule.workspace, schedule.period, now=now),
        recipients=[_recipient(one, zone) for one in listed(schedule)],
        past=[_past(occurrence, schedule, zone) for occurrence in past],
        deliveries=delivery_rows(schedule, membership=membership, most=MAILS_SHOWN),
        may_change=may_change(schedule, membership),
        is_paused=schedule.paused_at is not None,
        paused_because=schedule.paused_because,
    )


def present_next(recurrence: Recurrence, workspace: Workspace, period: str, *, now: dt.datetime) -> Next:
    """Say when something recurs, and its next times with the days that each will cover; `period`: "" for not chosen."""
    times = upcoming(recurrence, now, NEXT_SHOWN)
    other_dates = (other_date_of(at, recurrence.zone, workspace.zone) for at in times) if period else ()
    warnings = (warning_of(recurrence), next(filter(None, other_dates), ""))
    return Next(
        when=recurrence_in_words(recurrence),
        warnings=[warning for warning in warnings if warning],
        runs=[
            NextRun(_instant(at, recurrence.zone), period_at(workspace, period, at).label if period else "")
            for at in times
        ],
    )


def _row(schedule: Schedule, outcomes: Mapping[int, Outcome]) -> ScheduleRow:
    zone, total = ZoneInfo(schedule.zone), schedule.all_recipients  # type: ignore[attr-defined]
    reached = schedule.reached  # type: ignore[attr-defined]
    count = formats.count(total, "recipient")
    return ScheduleRow(
        name=schedule.name,
        url=_url("schedule", schedule),
        what=_what(schedule),
        when=recurrence_in_words(recurrence_of(schedule)),
        next_run=_instant(schedule.next_run_at, zone) if schedule.next_run_at else None,
        recipients=count if reached == total else f"{count}, {reached} of them reached",
        outcome=outcomes.get(schedule.latest),  # type: ignore[attr-defined]
        paused_because=schedule.paused_because,
    )


def _facts(schedule: Schedule, now: dt.datetime) -> list[tuple[str, str]]:
    days = period_at(schedule.workspace, schedule.period, now).label
    owner = schedule.created_by
    return [
        ("Analysis type", _what(schedule)),
        ("Period", f"{PERIODS.get(schedule.period, schedule.period)} (today: {days})"),
        ("Frequency", recurrence_in_words(recurrence_of(schedule))),
        ("Report format", ", ".join(_labels(schedule))),
        ("Set up by", owner.email if owner else "somebody who has left"),
    ]


def _what(schedule: Schedule) -> str:
    label = content_of(schedule).label
    return f"{label}, with settings of its own" if schedule.kind and schedule.params else label


def _labels(schedule: Schedule) -> list[str]:
    return [FORMATS[form].label if form in FORMATS else str(form) for form in schedule.formats]


def _recipient(recipient: Recipient, zone: ZoneInfo) -> RecipientRow:
    state = ""
    if recipient.unsubscribed_at:
        state = f"Unsubscribed on {recipient.unsubscribed_at.astimezone(zone):%-d %b %Y}: {UNSUBSCRIBED}"
    elif recipient.rejected_at:
        because = recipient.rejected_because or "The mail server did not take it."
        state = f"Rejected on {recipient.rejected_at.astimezone(zone):%-d %b %Y}: {because}"
    return RecipientRow(recipient.email, state)


def _past(occurrence: Occurrence, schedule: Schedule, zone: ZoneInfo) -> PastTime:
    remarks = []
    if occurrence.manual:
        remarks.append("sent by hand")
    if occurrence.late:
        remarks.append(f"late: on {instant_in_words(occurrence.claimed_at, zone)}")
    if occurrence.missed:
        remarks.append(f"stands for {formats.count(occurrence.missed, 'earlier time')} as well")
    edition = occurrence.edition
    kwargs = {"slug": schedule.workspace.slug, "edition_id": edition.pk} if edition else {}
    return PastTime(
        due=_instant(occurrence.due_at, zone),
        remark="; ".join(remarks),
        outcome=outcome_of(occurrence),
        edition_url=reverse("reports:edition", kwargs=kwargs) if edition else "",
    )


def _instant(instant: dt.datetime, zone: ZoneInfo) -> Instant:
    return Instant(instant.isoformat(), instant_in_words(instant, zone))


def _url(name: str, schedule: Schedule) -> str:
    return reverse(f"reports:{name}", kwargs={"slug": schedule.workspace.slug, "schedule_id": schedule.pk})
