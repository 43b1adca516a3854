"""Demo data on a workspace: in what state it is, loading it, and taking it away again."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import Membership, User, Workspace
from accounts.permissions import Permission, allows
from jobs.actions import request_cancel, submit
from jobs.handlers import JobDeferred
from jobs.models import Job
from jobs.progress import Progress
from marketing import store
from marketing.importing.demo import DATASETS, remove_files, request_demo
from marketing.importing.removal import ENDED, imports_to_clear, remove_names, remove_rows
from marketing.models import Import
from marketing.periods import yesterday
from mmm_project.problems import Conflict

REMOVAL_JOB = "marketing.remove_demo"
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
WAITING = (Import.Status.PENDING, Import.Status.LOADING)
WAITING_FOR_A_WORKER = "Waiting for a worker"
SHARE_OF_UNDOING = 0.2  # of the progress bar; the rest is deleting rows

Situation = Literal["none", "loading", "loaded", "removing", "failed"]


@dataclass(frozen=True, kw_only=True)
class DemoState:
    """Where the demo data of a workspace stands.

    `phase` and `percent`: while it is loading or being removed. `error`: why that failed, and `removal_failed` which
    of the two it was. `rows`, `loaded_by` (an e-mail address) and `loaded_at`: of what counts now.
    """

    situation: Situation
    phase: str = ""
    percent: int = 0
    error: str = ""
    removal_failed: bool = False
    rows: int = 0
    loaded_by: str = ""
    loaded_at: dt.datetime | None = None
    has_own_data: bool = False

    @property
    def is_moving(self) -> bool:
        return self.situation in ("loading", "removing")


@dataclass(frozen=True, kw_only=True)
class DemoBadge:
    """What every page of a workspace with demo data says about it."""

    may_remove: bool
    is_being_removed: bool


def demo_state(workspace: Workspace) -> DemoState:
    """Return the state of the workspace's demo data; three queries."""
    removal = _last_removal(workspace)
    if removal is not None and removal.status in LIVE:
        phase = removal.phase or WAITING_FOR_A_WORKER
        return DemoState(situation="removing", phase=phase, percent=int(removal.progress * 100))
    imports = _newest_imports(workspace, since=removal)
    waiting = [batch for batch in imports if batch.status in WAITING]
    active = [batch for batch in imports if batch.status == Import.Status.ACTIVE]
    if waiting:
        return _loading(active, waiting)
    removal_failed = (
        removal is not None
        and removal.status == Job.Status.FAILED
        and all(batch.job_id < removal.pk for batch in imports)
    )
    failures = [batch.job.error for batch in imports if batch.status == Import.Status.FAILED and batch.job.error]
    if removal is not None and removal_failed:
        failures = [removal.error]
    situation: Situation = "failed" if failures else "loaded" if active else "none"
    last = max(active, key=lambda batch: batch.pk, default=None)
    return DemoState(
        situation=situation,
        error=next(iter(failures), ""),
        removal_failed=removal_failed,
        rows=sum(batch.accepted for batch in active),
        loaded_by=last.requested_by.email if last and last.requested_by else "",
        loaded_at=last.activated_at if last else None,
        has_own_data=_has_own_data(workspace),
    )


def _last_removal(workspace: Workspace) -> Job | None:
    return Job.objects.filter(workspace=workspace, kind=REMOVAL_JOB).order_by("-pk").first()


def _newest_imports(workspace: Workspace, *, since: Job | None) -> list[Import]:
    """The newest demo import of each dataset that has one; of failed ones those that began after the job `since`."""
    failed = Q(status=Import.Status.FAILED, job__gt=since.pk if since else 0)
    demo = _demo_imports(workspace).filter(failed | ~Q(status__in=ENDED)).select_related("job", "requested_by")
    newest = {batch.dataset: batch for batch in demo.defer("errors", "mapping").order_by("pk")}
    return list(newest.values())


def _demo_imports(workspace: Workspace) -> QuerySet[Import]:
    return Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO)


def _has_own_data(workspace: Workspace) -> bool:
    own = Import.objects.filter(workspace=workspace).exclude(origin=Import.Origin.DEMO)
    return own.exclude(status__in=ENDED).exists()


def _loading(active: list[Import], waiting: list[Import]) -> DemoState:
    running = next((batch for batch in waiting if batch.job.phase), None)
    phase = f"{running.get_dataset_display()}: {running.job.phase}" if running else WAITING_FOR_A_WORKER
    done = len(active) + sum(batch.job.progress for batch in waiting)
    return DemoState(situation="loading", phase=phase, percent=int(100 * done / len(DATASETS)))


def load_demo_data(*, workspace: Workspace, by: User) -> None:
    """Queue the imports of two years of demo data up to yesterday; nothing happens if they are on their way already.

    Raises Conflict for a workspace that has data of its own, and DemoAlreadyLoaded.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if demo_state(workspace).is_moving:
            return
        if _has_own_data(workspace):
            raise Conflict("This workspace has data of its own. Demo data goes into an empty workspace only.")
        request_demo(workspace=workspace, end=yesterday(now=timezone.now(), zone=workspace.zone), by=by)
        record(workspace=workspace, actor=by, action="demo.requested")


def demo_badge(membership: Membership) -> DemoBadge | None:
    """Return the badge if the member's workspace holds demo data; one query."""
    removal = Job.objects.filter(workspace=membership.workspace_id, kind=REMOVAL_JOB, status__in=LIVE)
    active = Import.objects.filter(
        workspace=membership.workspace_id, origin=Import.Origin.DEMO, status=Import.Status.ACTIVE
    )
    found = list(active.order_by().values_list("requested_by", Exists(removal)).distinct())
    if not found:
        return None
    return DemoBadge(
        may_remove=_may_remove(membership, {requested_by for requested_by, _ in found}),
        is_being_removed=found[0][1],
    )


def may_remove(membership: Membership) -> bool:
    """Whether the member may take the demo data away: anybody's, or all of it their own."""
    demo = _demo_imports(membership.workspace).exclude(status__in=ENDED)
    return _may_remove(membership, set(demo.order_by().values_list("requested_by", flat=True).distinct()))


def _may_remove(membership: Membership, requested_by: set[int | None]) -> bool:
    if requested_by <= {membership.user_id} and allows(membership.role, Permission.DELETE_OWN_IMPORT):
        return True
    return allows(membership.role, Permission.DELETE_ANY_IMPORT)


def remove_demo_data(*, workspace: Workspace, by: User | None, ring: bool = True) -> Job | None:
    """Queue the removal of the demo data; None if there is none, the job there is if it has been asked for already.

    Demo data that is still being loaded is stopped.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        last = _last_removal(workspace)
        if last is not None and last.status in LIVE:
            return last
        kept = list(_demo_imports(workspace).exclude(status__in=ENDED).select_related("job__workspace"))
        if not kept and (last is None or last.status == Job.Status.DONE):
            return None
        for batch in kept:
            if batch.status in WAITING:
                request_cancel(job=batch.job, by=by)
        record(workspace=workspace, actor=by, action="demo.removal_requested")
        return submit(workspace=workspace, kind=REMOVAL_JOB, ring=ring)


def run_removal(job: Job, progress: Progress) -> None:
    """The job handler: let the demo data count no longer, then delete its rows, names and files. Safe to repeat."""
    from marketing.importing.undo import undo_imports  # pandas and pyarrow: only where imports are carried out

    workspace, demo = job.workspace, _demo_imports(job.workspace)
    if demo.filter(status__in=WAITING).exists():
        raise JobDeferred  # they have been told to stop
    undo_imports(
        workspace=workspace,
        imports=list(demo.filter(status=Import.Status.ACTIVE)),
        by=None,
        on_progress=lambda done: progress("Taking back", SHARE_OF_UNDOING * done),
    )
    store.discard(workspace=workspace, import_ids=demo.filter(status__in=ENDED).values_list("pk", flat=True))
    _delete_rows(imports_to_clear().filter(workspace=workspace), progress)
    remove_names(workspace)
    with transaction.atomic():
        # Who asks for demo data anew waits here, and keeps the files of that.
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if not demo.exclude(status__in=ENDED).exists():
            remove_files(workspace)
    progress.complete(lambda: _note_removal(workspace))


def _delete_rows(ended: QuerySet[Import], progress: Progress) -> None:
    batches = list(ended)
    total = sum(batch.accepted + batch.duplicates for batch in batches)
    deleted = 0
    progress("Deleting rows", SHARE_OF_UNDOING)
    for batch in batches:
        for count in remove_rows(batch):
            deleted += count
            progress("Deleting rows", SHARE_OF_UNDOING + (1 - SHARE_OF_UNDOING) * deleted / total)


def _note_removal(workspace: Workspace) -> None:
    record(workspace=workspace, action="demo.removed")
