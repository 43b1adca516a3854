"""What is due goes out: each due time of a schedule is claimed once, however many schedulers tick."""

import datetime as dt
import logging
import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.audit import record
from accounts.models import Membership
from accounts.plans import PlanRequired
from mmm_project.problems import Invalid, QuotaExceeded
from reports.models import Edition, Occurrence, Schedule
from reports.schedules import notices
from reports.schedules.actions import as_claimed, reachable, recurrence_of, stop, why_not
from reports.schedules.announcing import announce_pause
from reports.schedules.calendar import Due, last_due, next_after
from reports.schedules.contents import request_for

logger = logging.getLogger(__name__)

LATE_AFTER = dt.timedelta(minutes=15)


def claim_due(now: dt.datetime) -> int:
    """Ask for the edition of each schedule that is due; return how many schedules were claimed.

    Those of a workspace that nobody is in are left alone: it is being deleted.
    """
    members = Membership.objects.filter(workspace=OuterRef("workspace"))
    due = Schedule.objects.filter(Exists(members), next_run_at__lte=now, paused_at=None)
    claimed = 0
    for schedule_id in due.order_by("next_run_at").values_list("pk", flat=True):
        try:
            claimed += _claim(schedule_id, now)
        except Exception:
            # It stays due, and the others are not kept waiting.
            logger.exception("The schedule %s could not be claimed", schedule_id)
    return claimed


@transaction.atomic
def _claim(schedule_id: uuid.UUID, now: dt.datetime) -> bool:
    """Claim what is due of the schedule, all of it or nothing; False where another tick was first.

    Of several times that were missed, the last one goes out, and says how many it stands for.
    """
    # Locked, so that what goes out is what was set up at this moment.
    related = Schedule.objects.select_for_update(of=("self",), no_key=True).select_related(
        "workspace__subscription__plan", "report__campaign", "created_by"
    )
    schedule = related.filter(pk=schedule_id, next_run_at__lte=now).first()
    if schedule is None or schedule.next_run_at is None:
        return False
    due = _last_due(schedule, schedule.next_run_at, now)
    ours = Schedule.objects.filter(pk=schedule_id, next_run_at=schedule.next_run_at, paused_at=None)
    if not ours.update(next_run_at=next_after(recurrence_of(schedule), now)) or due is None:
        return False
    if because := _refusal(schedule):
        _pause(schedule, because, now, due_at=due.at)
        return True
    occurrence = Occurrence.objects.create(
        schedule=schedule,
        due_at=due.at,
        claimed_at=now,
        missed=due.missed,
        late=now - due.at > LATE_AFTER,
        **as_claimed(schedule),
    )
    try:
        occurrence.edition = request_for(
            schedule, due_at=due.at, by=schedule.created_by, trigger=Edition.Trigger.SCHEDULE
        )
    except PlanRequired as refusal:
        occurrence.delete()
        _pause(schedule, refusal.detail, now, due_at=due.at)
    except (Invalid, QuotaExceeded) as refusal:
        # The month's runs are used up, say: by its next time there may be others.
        notices.say_what_failed(occurrence, refusal.detail)
    else:
        occurrence.save(update_fields=["edition"])
    return True


def _last_due(schedule: Schedule, first: dt.datetime, now: dt.datetime) -> Due | None:
    """The latest time from `first` on that was not claimed yet; None where all were.

    A schedule that is resumed by a clock that is behind, or was set back, comes to a time that was claimed before.
    """
    claimed = Occurrence.objects.filter(schedule=schedule, manual=False, due_at__range=(first, now))
    if latest := claimed.order_by("-due_at").first():
        return last_due(recurrence_of(schedule), latest.due_at, now)
    later = last_due(recurrence_of(schedule), first, now)
    return Due(later.at, later.missed + 1) if later else Due(first, 0)


def _refusal(schedule: Schedule) -> str:
    """Why the schedule may not go out any more; "" where it may."""
    if because := why_not(schedule):
        return because
    if not reachable(schedule):
        return "Nobody is left who gets it: all recipients have unsubscribed or cannot be reached."
    return ""


def _pause(schedule: Schedule, because: str, now: dt.datetime, *, due_at: dt.datetime) -> None:
    stop(schedule, because=because, now=now)
    record(workspace=schedule.workspace, action="schedule.paused", target=schedule.name, because=because)
    notices.say_that_it_is_paused(schedule, because)
    announce_pause(schedule, due_at=due_at)
