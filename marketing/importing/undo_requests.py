"""Asking for an import to be undone, and carrying that out in the background.

`Import.undone_at` on an import that still counts says that somebody has asked for its undo (`undone_by`); its status
says when that has been done.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import ApiKey, User, Workspace
from accounts.permissions import Permission
from jobs.actions import request_cancel, submit
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Import
from mmm_project.problems import Conflict

UNDO_JOB = "marketing.undo"
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
WAITING = (Import.Status.PENDING, Import.Status.LOADING)
DEMO_HAS_ITS_OWN = "Demo data goes as a whole: use “Remove demo data” at the top of the page."


def delete_permission(*, batch: Import, user: User) -> Permission:
    """Return what a member must be allowed to do to cancel or undo this import."""
    return Permission.DELETE_OWN_IMPORT if batch.requested_by_id == user.pk else Permission.DELETE_ANY_IMPORT


def cancel_import(*, batch: Import, by: User | None, api_key: ApiKey | None = None) -> None:
    """Stop an import that waits or runs; nothing of it stays. Raises Conflict if it has ended."""
    if batch.status not in WAITING or not request_cancel(job=batch.job, by=by, api_key=api_key):
        raise Conflict("This import has ended. If it counts, it can be undone.")


def request_undo(*, batch: Import, by: User | None, api_key: ApiKey | None = None, ring: bool = True) -> Job | None:
    """Queue the undo of an import that counts; None if it is on its way already.

    Raises Conflict for one that does not count, and for demo data.
    """
    if batch.origin == Import.Origin.DEMO:
        raise Conflict(DEMO_HAS_ITS_OWN)
    with transaction.atomic():
        active = Import.objects.filter(pk=batch.pk, status=Import.Status.ACTIVE)
        if not active.filter(undone_at=None).update(undone_at=timezone.now(), undone_by=by):
            if active.exists():
                return None
            raise Conflict("Only an import that counts can be undone.")
        record(
            workspace=batch.workspace,
            actor=by,
            api_key=api_key,
            action="import.undo_requested",
            target=batch.file_name,
            accepted=batch.accepted,
        )
        return submit(workspace=batch.workspace, kind=UNDO_JOB, ring=ring)


def undo_job(workspace: Workspace) -> Job | None:
    """Return the newest undo of the workspace, which says how far it is or why it failed."""
    return Job.objects.filter(workspace=workspace, kind=UNDO_JOB).order_by("-pk").first()


def run_undo(job: Job, progress: Progress) -> None:
    """The job handler: undo every import of the workspace whose undo has been asked for. Safe to repeat."""
    from marketing.importing.undo import undo_imports  # pandas and pyarrow: only where imports are carried out

    asked = list(_asked(job.workspace).select_related("undone_by").order_by("pk"))
    for place, batch in enumerate(asked):

        def show(done: float, place: int = place) -> None:
            progress("Looking for rows that count again", (place + done) / len(asked))

        undo_imports(workspace=job.workspace, imports=[batch], by=batch.undone_by, on_progress=show)


def give_up_undo(job: Job) -> None:
    """What happens with a failed or cancelled undo: the imports count as before, unless another undo is under way."""
    others = Job.objects.filter(workspace=job.workspace, kind=UNDO_JOB, status__in=LIVE).exclude(pk=job.pk)
    if not others.exists():
        _asked(job.workspace).update(undone_at=None, undone_by=None)


def _asked(workspace: Workspace) -> QuerySet[Import]:
    return Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE, undone_at__isnull=False)
