"""Everything that people do to schedules. Only this package writes Schedule and Occurrence."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone as clock

from accounts.audit import record
from accounts.models import Membership, Workspace
from accounts.permissions import Permission, allows
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted
from reports.blocks.relative_periods import PERIODS
from reports.deliveries.addresses import clean_addresses
from reports.exports import FORMATS
from reports.models import Edition, Occurrence, Recipient, Schedule
from reports.schedules.calendar import Recurrence, next_after
from reports.schedules.contents import Content, clean_content, content_of, period_at, request_for

LONGEST_NAME = 100
# Whoever presses a button twice means it once.
SENT_AGAIN_AFTER = dt.timedelta(minutes=1)


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
        raise NotFound("There is no such schedule in this workspace.")
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
def create_schedule(*, workspace: Workspace, settings: Settings, by: Membership) -> Schedule:
    """Let something go out again and again. Raises NotPermitted, PlanRequired, and Invalid with `errors` by field."""
    _require(allows(by.role, Permission.SCHEDULE_OWN), Permission.SCHEDULE_OWN)
    _lock(workspace)
    settings = _cleaned(workspace, settings, besides=None)
    schedule = Schedule.objects.create(
        workspace=workspace,
        created_by=by.user,
        next_run_at=next_after(settings.recurrence, clock.now()),
        **_fields(settings),
    )
    Recipient.objects.bulk_create([Recipient(schedule=schedule, email=email) for email in settings.recipients])
    record(
        workspace=workspace,
        action="schedule.created",
        target=schedule.name,
        actor=by.user,
        schedule=str(schedule.pk),
        recipients=list(settings.recipients),
    )
    return schedule


@transaction.atomic
def change_schedule(*, schedule: Schedule, settings: Settings, by: Membership) -> None:
    """Change what goes out, when, or to whom. Raises as `create_schedule` does.

    What has been due meanwhile, and not been claimed yet, still goes out. Who has unsubscribed stays so.
    """
    _require_authority(schedule, by)
    _lock(schedule.workspace)
    schedule.refresh_from_db()
    settings = _cleaned(schedule.workspace, settings, besides=schedule)
    now, moved = clock.now(), settings.recurrence != recurrence_of(schedule)
    fields = _fields(settings)
    if moved and schedule.next_run_at and schedule.next_run_at > now:
        fields["next_run_at"] = next_after(settings.recurrence, now)
    changed = sorted(name for name, value in fields.items() if getattr(schedule, name) != value)
    for name, value in fields.items():
        setattr(schedule, name, value)
    schedule.save(update_fields=[*fields, "updated_at"])
    added, removed = _change_recipients(schedule, settings.recipients)
    if changed or added or removed:
        record(
            workspace=schedule.workspace,
            action="schedule.changed",
            target=schedule.name,
            actor=by.user,
            schedule=str(schedule.pk),
            changed=[name for name in changed if name != "next_run_at"],
            recipients_added=added,
            recipients_removed=removed,
        )


@transaction.atomic
def pause_schedule(*, schedule: Schedule, by: Membership) -> bool:
    """Send nothing until it is resumed; False if it is paused already. Raises NotPermitted."""
    _require_authority(schedule, by)
    running = Schedule.objects.filter(pk=schedule.pk, paused_at=None)
    if not running.update(paused_at=clock.now(), paused_because="", next_run_at=None):
        return False
    record(workspace=schedule.workspace, action="schedule.paused", target=schedule.name, actor=by.user)
    return True


@transaction.atomic
def resume_schedule(*, schedule: Schedule, by: Membership) -> bool:
    """Let it go out again from its next time on; False if it is not paused. Raises NotPermitted, PlanRequired, Invalid.

    Where whoever made it may no longer schedule reports, whoever resumes it answers for it from then on.
    """
    _require_authority(schedule, by)
    now = clock.now()
    clean_content(schedule.workspace, content_of(schedule), period=period_at(schedule.workspace, schedule.period, now))
    owner = Membership.objects.filter(workspace=schedule.workspace_id, user=schedule.created_by_id).first()
    keeps = owner is not None and allows(owner.role, Permission.SCHEDULE_OWN)
    paused = Schedule.objects.filter(pk=schedule.pk, paused_at__isnull=False)
    if not paused.update(
        paused_at=None,
        paused_because="",
        next_run_at=next_after(recurrence_of(schedule), now),
        created_by=schedule.created_by_id if keeps else by.user_id,
    ):
        return False
    record(workspace=schedule.workspace, action="schedule.resumed", target=schedule.name, actor=by.user)
    return True


@transaction.atomic
def delete_schedule(*, schedule: Schedule, by: Membership) -> None:
    """Delete it with its recipients and times; what it made and the log of its mails stay. Raises NotPermitted."""
    _require_authority(schedule, by)
    record(
        workspace=schedule.workspace,
        action="schedule.deleted",
        target=schedule.name,
        actor=by.user,
        schedule=str(schedule.pk),
    )
    Schedule.objects.filter(pk=schedule.pk).delete()


@transaction.atomic
def send_now(*, schedule: Schedule, by: Membership, ring: bool = True) -> Occurrence:
    """Send it to its recipients at once, beside its times. Raises NotPermitted, PlanRequired, Invalid, and Conflict."""
    _require_authority(schedule, by)
    locked = Schedule.objects.select_for_update(of=("self",)).select_related("workspace", "report__campaign")
    schedule, now = locked.get(pk=schedule.pk), clock.now()
    if Occurrence.objects.filter(schedule=schedule, manual=True, claimed_at__gt=now - SENT_AGAIN_AFTER).exists():
        raise Conflict(f"“{schedule.name}” is on its way already. It can be sent again in a minute.")
    if not reachable(schedule):
        raise Conflict(f"Nobody would get “{schedule.name}”: all have unsubscribed or cannot be reached.")
    edition = request_for(schedule, due_at=now, by=by.user, trigger=Edition.Trigger.SCHEDULE, ring=ring)
    record(workspace=schedule.workspace, action="schedule.sent_now", target=schedule.name, actor=by.user)
    return Occurrence.objects.create(schedule=schedule, due_at=now, claimed_at=now, manual=True, edition=edition)


def preview(*, schedule: Schedule, by: Membership, ring: bool = True) -> Edition:
    """Make what would go out now, without a mail. Raises NotPermitted, PlanRequired, Invalid."""
    _require(allows(by.role, Permission.SCHEDULE_OWN), Permission.SCHEDULE_OWN)
    return request_for(schedule, due_at=clock.now(), by=by.user, trigger=Edition.Trigger.PAGE, ring=ring)


def reachable(schedule: Schedule) -> bool:
    """Whether anybody would get a mail of it."""
    return Recipient.objects.filter(schedule=schedule, unsubscribed_at=None, rejected_at=None).exists()


def _require_authority(schedule: Schedule, by: Membership) -> None:
    own = schedule.created_by_id == by.user_id
    _require(may_change(schedule, by), Permission.SCHEDULE_OWN if own else Permission.SCHEDULE_ANY)


def _require(allowed: bool, permission: Permission) -> None:
    if not allowed:
        raise NotPermitted(f"You may not {permission.value}. An owner or admin of the workspace can.")


def _lock(workspace: Workspace) -> None:
    """Let one transaction at a time name schedules of the workspace."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)


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


def _change_recipients(schedule: Schedule, addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """Add and remove recipients; return which. Those that stay keep what is known of them."""
    known = set(Recipient.objects.filter(schedule=schedule).values_list("email", flat=True))
    added, removed = [one for one in addresses if one not in known], sorted(known - set(addresses))
    Recipient.objects.filter(schedule=schedule, email__in=removed).delete()
    Recipient.objects.bulk_create([Recipient(schedule=schedule, email=email) for email in added])
    return added, removed
