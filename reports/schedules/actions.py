"""Everything that people do to schedules. Only this package writes Schedule and Occurrence."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone as clock

from accounts.audit import record
from accounts.models import ApiKey, Membership, Workspace
from accounts.permissions import Permission, allows
from jobs.models import Job
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted
from reports.blocks.relative_periods import PERIODS
from reports.deliveries.addresses import clean_addresses
from reports.deliveries.recipients import change_list, listed
from reports.deliveries.withdrawing import withdraw
from reports.exports import FORMATS
from reports.models import Edition, Occurrence, Recipient, Report, Schedule
from reports.schedules import notices
from reports.schedules.calendar import Recurrence, next_after
from reports.schedules.contents import Content, clean_content, content_of, period_at, request_for

LONGEST_NAME = 100
# Whoever presses a button twice means it once.
SENT_AGAIN_AFTER = dt.timedelta(minutes=1)
GONE = "There is no such schedule in this workspace."
PAUSED = "It was paused before it was sent."
_UNFINISHED = (Job.Status.QUEUED, Job.Status.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a schedule is made of. `name`: "" for one by what it sends. `period`: a name of PERIODS."""

    name: str = ""
    content: Content
    period: str
    formats: Sequence[str]
    recurrence: Recurrence
    recipients: Sequence[str]


def find_schedule(*, workspace: Workspace, schedule_id: uuid.UUID) -> Schedule:
    """Return a schedule of the workspace. Raises NotFound."""
    related = Schedule.objects.select_related("workspace", "report__campaign", "created_by")
    schedule = related.filter(workspace=workspace, pk=schedule_id).first()
    if schedule is None:
        raise NotFound(GONE)
    return schedule


def recurrence_of(schedule: Schedule) -> Recurrence:
    """When the schedule is due."""
    return Recurrence(
        schedule.frequency,
        schedule.time,
        zone=ZoneInfo(schedule.zone),
        weekday=schedule.weekday,
        month_day=schedule.month_day,
    )


def may_change(schedule: Schedule, membership: Membership) -> bool:
    """Whether a member may change the schedule: their own one, or any."""
    own = schedule.created_by_id == membership.user_id
    return allows(membership.role, Permission.SCHEDULE_OWN if own else Permission.SCHEDULE_ANY)


@transaction.atomic
def create_schedule(
    *, workspace: Workspace, settings: Settings, by: Membership, api_key: ApiKey | None = None
) -> Schedule:
    """Let something go out again and again. Raises NotPermitted, PlanRequired, and Invalid with `errors` by field."""
    _require(allows(by.role, Permission.SCHEDULE_OWN), Permission.SCHEDULE_OWN)
    _lock_names(workspace)
    settings = _cleaned(workspace, settings, besides=None)
    schedule = Schedule.objects.create(
        workspace=workspace,
        created_by=by.user,
        next_run_at=next_after(settings.recurrence, clock.now()),
        **_fields(settings),
    )
    change_list(about=schedule, addresses=settings.recipients)
    record(
        workspace=workspace,
        action="schedule.created",
        target=schedule.name,
        actor=by.user,
        api_key=api_key,
        schedule=str(schedule.pk),
        recipients=list(settings.recipients),
    )
    return schedule


@transaction.atomic
def change_schedule(*, schedule: Schedule, settings: Settings, by: Membership, api_key: ApiKey | None = None) -> None:
    """Change what goes out, when, or to whom. Raises as `create_schedule` does.

    What has been due meanwhile, and not been claimed yet, still goes out; what has been claimed goes out as it was
    then, to those who stay on the list. Who has unsubscribed stays so.
    """
    _require_authority(schedule, by)
    _lock(schedule)
    # Before names are locked: mails that end hold their recipients, and wait for the workspace.
    added, removed = change_list(about=schedule, addresses=clean_addresses(settings.recipients))
    _lock_names(schedule.workspace)
    settings = _cleaned(schedule.workspace, settings, besides=schedule)
    now, moved = clock.now(), settings.recurrence != recurrence_of(schedule)
    fields = _fields(settings)
    if moved and schedule.next_run_at and schedule.next_run_at > now:
        fields["next_run_at"] = next_after(settings.recurrence, now)
    changes = {
        name: {"before": _as_recorded(before), "after": _as_recorded(value)}
        for name, value in sorted(fields.items())
        if name != "next_run_at" and (before := getattr(schedule, name)) != value
    }
    for name, value in fields.items():
        setattr(schedule, name, value)
    schedule.save(update_fields=[*fields, "updated_at"])
    if changes or added or removed:
        record(
            workspace=schedule.workspace,
            action="schedule.changed",
            target=schedule.name,
            actor=by.user,
            api_key=api_key,
            schedule=str(schedule.pk),
            changes=changes,
            recipients_added=added,
            recipients_removed=removed,
        )


@transaction.atomic
def pause_schedule(*, schedule: Schedule, by: Membership, api_key: ApiKey | None = None) -> bool:
    """Send nothing until it is resumed; False if it is paused already. Raises NotPermitted."""
    _require_authority(schedule, by)
    _lock(schedule)
    if not stop(schedule, because="", now=clock.now()):
        return False
    _record(schedule, "schedule.paused", by, api_key)
    return True


def stop(schedule: Schedule, *, because: str, now: dt.datetime) -> bool:
    """Pause a schedule that the caller has locked, and withdraw what of it is not sent yet; False if paused already."""
    running = Schedule.objects.filter(pk=schedule.pk, paused_at=None)
    if not running.update(paused_at=now, paused_because=because, next_run_at=None):
        return False
    being_made = Occurrence.objects.filter(schedule=schedule, problem="", edition__job__status__in=_UNFINISHED)
    being_made.update(problem=PAUSED)
    withdraw(schedule=schedule, sentence=PAUSED)
    return True


@transaction.atomic
def pass_over_what_is_due(*, now: dt.datetime, sentence: str) -> int:
    """Let every schedule go on at its next time after `now`; return how many were due. What is being made is not sent.

    For a database that was restored: nobody knows what has been sent since it was written.
    """
    being_made = Occurrence.objects.filter(problem="", edition__job__status__in=_UNFINISHED)
    being_made.update(problem=sentence)
    due = list(Schedule.objects.select_for_update(no_key=True).filter(next_run_at__lte=now))
    for schedule in due:
        schedule.next_run_at = next_after(recurrence_of(schedule), now)
    Schedule.objects.bulk_update(due, ["next_run_at"])
    return len(due)


@transaction.atomic
def resume_schedule(*, schedule: Schedule, by: Membership, api_key: ApiKey | None = None) -> bool:
    """Let it go out again from its next time on; False if it is not paused.

    Where whoever made it may no longer schedule reports, whoever resumes it answers for it from then on. Raises
    NotPermitted, PlanRequired, Invalid, and Conflict where nobody would get it.
    """
    _require_authority(schedule, by)
    _lock(schedule)
    if schedule.paused_at is None:
        return False
    now = clock.now()
    clean_content(schedule.workspace, content_of(schedule), period=period_at(schedule.workspace, schedule.period, now))
    _require_readers(schedule)
    Schedule.objects.filter(pk=schedule.pk).update(
        paused_at=None,
        paused_because="",
        next_run_at=next_after(recurrence_of(schedule), now),
        created_by=by.user_id if why_not(schedule) else schedule.created_by_id,
    )
    _record(schedule, "schedule.resumed", by, api_key)
    return True


def why_not(schedule: Schedule) -> str:
    """Why it may not go out: nobody who may schedule reports answers for it; "" where somebody does."""
    members = Membership.objects.filter(workspace=schedule.workspace_id).select_related("user")
    owner = members.filter(user=schedule.created_by_id).first()
    if owner is None:
        return "Whoever set it up is no longer a member of the workspace."
    if not owner.user.is_active:
        return f"{owner.user.email} set it up and can no longer sign in."
    if not allows(owner.role, Permission.SCHEDULE_OWN):
        who, role = owner.user.email, owner.get_role_display().lower()
        return f"{who} set it up and may no longer schedule reports as {'an' if role[0] in 'aeiou' else 'a'} {role}."
    return ""


@transaction.atomic
def delete_schedule(*, schedule: Schedule, by: Membership, api_key: ApiKey | None = None) -> None:
    """Delete it with its recipients and times; what it made and the log of its mails stay.

    Whoever set it up is told, unless they do it themselves. Raises NotPermitted.
    """
    delete_schedules([schedule], by=by, api_key=api_key)


def delete_schedules(
    schedules: Iterable[Schedule],
    *,
    by: Membership,
    with_report: Report | None = None,
    api_key: ApiKey | None = None,
) -> None:
    """Delete several in the caller's transaction, as one; `with_report`: the report that goes with them."""
    deleted = list(schedules)
    for schedule in deleted:
        _require_authority(schedule, by)
        _lock(schedule)
        _record(schedule, "schedule.deleted", by, api_key, schedule=str(schedule.pk))
        Schedule.objects.filter(pk=schedule.pk).delete()
    # After all of them: mails that end hold their rows, and wait for the workspace, which notices lock.
    for schedule in deleted:
        if schedule.created_by_id != by.user_id:
            notices.say_that_it_is_deleted(schedule, by.user, with_report)


@transaction.atomic
def send_now(*, schedule: Schedule, by: Membership, api_key: ApiKey | None = None, ring: bool = True) -> Occurrence:
    """Send it to its recipients at once, beside its times. Raises NotPermitted, PlanRequired, Invalid, and Conflict."""
    _require_authority(schedule, by)
    _lock(schedule)
    now = clock.now()
    if Occurrence.objects.filter(schedule=schedule, manual=True, claimed_at__gt=now - SENT_AGAIN_AFTER).exists():
        raise Conflict(f"“{schedule.name}” is on its way already. It can be sent again in a minute.")
    _require_readers(schedule)
    edition = request_for(
        schedule, due_at=now, by=by.user, trigger=Edition.Trigger.SCHEDULE, api_key=api_key, ring=ring
    )
    _record(schedule, "schedule.sent_now", by, api_key)
    return Occurrence.objects.create(
        schedule=schedule, due_at=now, claimed_at=now, manual=True, edition=edition, **as_claimed(schedule)
    )


def preview(
    *,
    schedule: Schedule,
    by: Membership,
    trigger: Edition.Trigger = Edition.Trigger.PAGE,
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Edition:
    """Make what would go out now, without a mail. Raises NotPermitted, PlanRequired, Invalid."""
    _require(allows(by.role, Permission.SCHEDULE_OWN), Permission.SCHEDULE_OWN)
    return request_for(schedule, due_at=clock.now(), by=by.user, trigger=trigger, api_key=api_key, ring=ring)


def reachable(schedule: Schedule) -> bool:
    """Whether anybody would get a mail of it."""
    return Recipient.objects.filter(schedule=schedule, unsubscribed_at=None, rejected_at=None).exists()


def as_claimed(schedule: Schedule) -> dict[str, Any]:
    """What an occurrence keeps of its schedule: nobody gets anything else than what was set up when it was claimed."""
    recipients = listed(schedule).order_by("pk")
    return {
        "name": schedule.name,
        "formats": schedule.formats,
        "recipient_ids": list(recipients.values_list("pk", flat=True)),
    }


def _record(schedule: Schedule, action: str, by: Membership, api_key: ApiKey | None, /, **detail: object) -> None:
    record(workspace=schedule.workspace, action=action, target=schedule.name, actor=by.user, api_key=api_key, **detail)


def _require_readers(schedule: Schedule) -> None:
    if not reachable(schedule):
        sentence = f"Nobody would get “{schedule.name}”: all have unsubscribed or cannot be reached."
        raise Conflict(f"{sentence} Change its recipients first.")


def _require_authority(schedule: Schedule, by: Membership) -> None:
    own = schedule.created_by_id == by.user_id
    _require(may_change(schedule, by), Permission.SCHEDULE_OWN if own else Permission.SCHEDULE_ANY)


def _require(allowed: bool, permission: Permission) -> None:
    if not allowed:
        raise NotPermitted(f"You may not {permission.value}. An owner or admin of the workspace can.")


def _lock(schedule: Schedule) -> None:
    """Let nobody else change, claim or send it meanwhile, and read it anew. Raises NotFound if it has been deleted.

    First of all rows but those of editions, wherever a schedule is written: two that wait for each other would not end.
    """
    if not Schedule.objects.select_for_update(no_key=True).filter(pk=schedule.pk).first():
        raise NotFound(GONE)
    schedule.refresh_from_db()


def _lock_names(workspace: Workspace) -> None:
    """Let one transaction at a time name schedules of the workspace; rows that only refer to it need not wait."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _cleaned(workspace: Workspace, settings: Settings, *, besides: Schedule | None) -> Settings:
    """Return the settings in canonical form. Raises PlanRequired, and Invalid with `errors` by field."""
    if settings.period not in PERIODS:
        _refuse("period", f"“{settings.period[:40]}” is not a period. Choose one of {', '.join(PERIODS)}.")
    formats = [form for form in FORMATS if form in settings.formats]
    if not formats or len(formats) != len(set(settings.formats)):
        _refuse("formats", f"Choose one format at least, of {', '.join(FORMATS)}.")
    try:
        period = period_at(workspace, settings.period, clock.now())
        content = clean_content(workspace, settings.content, period=period)
    except Invalid as refusal:
        _refuse("what", refusal.detail)
    others = Schedule.objects.filter(workspace=workspace)
    others = others.exclude(pk=besides.pk) if besides else others
    return replace(
        settings,
        name=_name(settings.name, content, [name.lower() for name in others.values_list("name", flat=True)]),
        content=content,
        formats=formats,
        recipients=clean_addresses(settings.recipients),
    )


def _name(asked: str, content: Content, taken: Sequence[str]) -> str:
    """The name that was asked for, on one line; or one by what is sent, numbered where another schedule has it."""
    name = " ".join("".join(one if one.isprintable() else " " for one in asked).split())
    if len(name) > LONGEST_NAME:
        _refuse("name", f"A name has at most {LONGEST_NAME} characters; this one has {len(name)}.")
    if name.lower() in taken:
        _refuse("name", f"“{name}” is there already; names that differ only in capitals are the same.")
    if name:
        return name
    label = content.label[: LONGEST_NAME - 5]
    numbered = (f"{label} {number}" for number in range(2, len(taken) + 3))
    return label if label.lower() not in taken else next(one for one in numbered if one.lower() not in taken)


def _refuse(field: str, sentence: str) -> NoReturn:
    raise Invalid(sentence, errors={field: [sentence]})


def _as_recorded(value: Any) -> Any:
    """A value of a schedule as the audit log keeps it."""
    match value:
        case Report(name=name):
            return name
        case dt.time():
            return f"{value:%H:%M}"
    return value


def _fields(settings: Settings) -> dict[str, Any]:
    recurrence, content = settings.recurrence, settings.content
    return {
        "name": settings.name,
        "report": content.report,
        "kind": content.kind,
        "params": dict(content.params),
        "period": settings.period,
        "formats": list(settings.formats),
        "frequency": recurrence.frequency,
        "weekday": recurrence.weekday,
        "month_day": recurrence.month_day,
        "time": recurrence.time,
        "zone": recurrence.zone.key,
    }
