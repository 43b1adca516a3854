"""Demo data on a workspace: in what state it is, loading it, and taking it away again."""

from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Membership, User, Workspace
from accounts.permissions import Permission, allows
from jobs.actions import request_cancel, submit
from jobs.models import Job
from jobs.progress import Progress
from marketing.importing.demo import DATASETS, remove_files, request_demo
from marketing.importing.removal import remove_rows
from marketing.importing.undo import remove_unused_names, undo_imports
from marketing.models import Import
from marketing.periods import yesterday
from mmm_project.problems import Conflict

REMOVAL_JOB = "marketing.remove_demo"
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
WAITING = (Import.Status.PENDING, Import.Status.LOADING)

Situation = Literal["none", "loading", "loaded", "removing", "failed"]


@dataclass(frozen=True, kw_only=True)
class DemoState:
    """Where the demo data of a workspace stands. `percent`: while it is loading or being removed; `error`: why not."""

    situation: Situation
    phase: str = ""
    percent: int = 0
    error: str = ""
    has_own_data: bool = False

    @property
    def is_moving(self) -> bool:
        return self.situation in ("loading", "removing")


def demo_state(workspace: Workspace) -> DemoState:
    """Return the state of the workspace's demo data; two queries."""
    removal = Job.objects.filter(workspace=workspace, kind=REMOVAL_JOB, status__in=LIVE).first()
    if removal is not None:
        return DemoState(situation="removing", phase="Removing the demo data", percent=int(removal.progress * 100))
    imports = list(
        Import.objects.filter(workspace=workspace).exclude(status=Import.Status.UNDONE).select_related("job")
    )
    demo = [batch for batch in imports if batch.origin == Import.Origin.DEMO]
    has_own_data = any(batch.origin != Import.Origin.DEMO and batch.status != Import.Status.FAILED for batch in imports)
    waiting = [batch for batch in demo if batch.status in WAITING]
    active = [batch for batch in demo if batch.status == Import.Status.ACTIVE]
    if waiting:
        running = next((batch for batch in reversed(waiting) if batch.job.phase), waiting[-1])
        done = len(active) + sum(batch.job.progress for batch in waiting)
        phase = f"{running.get_dataset_display()}: {running.job.phase}" if running.job.phase else "Waiting for a worker"
        return DemoState(situation="loading", phase=phase, percent=int(100 * done / len(DATASETS)))
    if active:
        return DemoState(situation="loaded", has_own_data=has_own_data)
    failed = next((batch for batch in demo if batch.status == Import.Status.FAILED and batch.job.error), None)
    if failed is not None:
        return DemoState(situation="failed", error=failed.job.error, has_own_data=has_own_data)
    return DemoState(situation="none", has_own_data=has_own_data)


def load_demo_data(*, workspace: Workspace, by: User) -> None:
    """Queue the imports of two years of demo data up to yesterday; nothing happens if they are on their way already.

    Raises Conflict for a workspace that has data of its own, and DemoAlreadyLoaded.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        state = demo_state(workspace)
        if state.is_moving:
            return
        if state.has_own_data:
            raise Conflict("This workspace has data of its own. Demo data goes into an empty workspace only.")
        request_demo(workspace=workspace, end=yesterday(now=timezone.now(), zone=workspace.zone), by=by)
        record(workspace=workspace, actor=by, action="demo.requested")


def may_remove(membership: Membership) -> bool:
    """Whether the member may take the demo data away: everybody's, or all of it their own."""
    if allows(membership.role, Permission.DELETE_ANY_IMPORT):
        return True
    demo = Import.objects.filter(workspace=membership.workspace, origin=Import.Origin.DEMO)
    others = demo.exclude(status__in=[Import.Status.UNDONE, Import.Status.FAILED]).exclude(
        requested_by=membership.user_id
    )
    return allows(membership.role, Permission.DELETE_OWN_IMPORT) and not others.exists()


def remove_demo_data(*, workspace: Workspace, by: User, ring: bool = True) -> Job | None:
    """Queue the removal of the demo data; None if there is none, the job there is if it has been asked for already."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        standing = Job.objects.filter(workspace=workspace, kind=REMOVAL_JOB, status__in=LIVE).first()
        if standing is not None:
            return standing
        demo = Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO).select_related("job", "workspace")
        kept = list(demo.exclude(status__in=[Import.Status.UNDONE, Import.Status.FAILED]))
        if not kept:
            return None
        for batch in kept:
            if batch.status in WAITING:
                request_cancel(job=batch.job, by=by)
        record(workspace=workspace, actor=by, action="demo.removed")
        return submit(workspace=workspace, kind=REMOVAL_JOB, ring=ring)


def run_removal(job: Job, progress: Progress) -> None:
    """The job handler: make the demo data count no longer, then delete its rows, names and files. Safe to repeat."""
    workspace = job.workspace
    demo = Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO).order_by("pk")
    undo_imports(workspace=workspace, imports=list(demo), by=None)
    to_clear = list(demo.filter(status__in=[Import.Status.UNDONE, Import.Status.FAILED], accepted__gt=0))
    for place, batch in enumerate(to_clear):
        progress("Deleting rows", place / len(to_clear))
        for _count in remove_rows(batch):
            progress("Deleting rows", place / len(to_clear))
        Import.objects.filter(pk=batch.pk).update(accepted=0)
    remove_unused_names(workspace)
    remove_files(workspace)
