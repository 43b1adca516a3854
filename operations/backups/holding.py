"""What a restored installation does not do by itself: send again what may have been sent since its backup.

Nobody can know which mails and messages went out between the backup and the loss. So none of those that waited then, or
became due since, goes out; each says so, and people can send it by hand. Work that had begun is done again.
"""

from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone as clock

from accounts.audit import record
from jobs.actions import release
from jobs.models import Job
from operations.backups.manifest import Manifest
from operations.models import Heartbeat
from reports.alerts.actions import watch_from_today
from reports.deliveries.withdrawing import hold_all as hold_mails
from reports.schedules.actions import pass_over_what_is_due
from webhooks.outbox import cancel_all
from weightings.refresh.reminders import forgo_what_is_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many mails and messages were waiting, schedules and reminders became due meanwhile, and jobs were running."""

    mails: int
    messages: int
    schedules: int
    reminders: int
    jobs: int


@transaction.atomic
def hold(manifest: Manifest) -> Held:
    """Hold back what may have been sent, queue again what was running, and sign everybody out."""
    now = clock.now()
    because = (
        f"It waited when the backup of {manifest.when} was made, from which this installation was restored, so it may "
        "have been sent or not."
    )
    held = Held(
        mails=hold_mails(sentence=f"{because} Ask the recipient, and send it again if it has not arrived."),
        messages=cancel_all(because=because),
        schedules=pass_over_what_is_due(now=now, sentence=because),
        reminders=forgo_what_is_due(),
        jobs=sum(release(job=job, counted=False) for job in Job.objects.filter(status=Job.Status.RUNNING)),
    )
    watch_from_today(now=now)
    Session.objects.all().delete()  # among them those that were ended since
    Heartbeat.objects.all().delete()  # of processes of the lost installation
    record(
        workspace=None,
        action="installation.restored",
        target=f"backup of {manifest.when}",
        product=manifest.product,
        mails_held=held.mails,
        messages_held=held.messages,
        schedules_passed_over=held.schedules,
    )
    return held
