"""Asking a question and carrying it out. Nothing else writes `Run`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse_lazy
from structlog.contextvars import bind_contextvars

from accounts import plans
from accounts.models import ApiKey, User, Workspace
from analyses import artifacts, data_health, monthly_runs, registry
from analyses.errors import AnalysisError, InvalidParams
from analyses.models import Run
from analyses.registry import AnalysisKind, Answer, Params
from jobs import actions as job_actions
from jobs.handlers import JobFailed, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from marketing import store
from marketing.data_versions import data_version
from mmm_project.problems import QuotaExceeded
from webhooks.event_types import EventType
from webhooks.events import announce

JOB_KIND = "analyses.run"
TRIES_WHILE_DATA_CHANGES = 3
_SUPERSEDED = (
    "The data changed while this waited, and the same question has been asked of the newest data: "
    "its run is in the history."
)
_DATA_KEPT_CHANGING = "The data kept changing while this was computed. Try again when the imports are through."


def request_run(
    *,
    workspace: Workspace,
    kind: str,
    params: Mapping[str, object],
    by: User | None,
    trigger: Run.Trigger,
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Run:
    """Return the run that answers this question on the present data: a new one, or the live or finished one there is.

    One whose file is lost is no answer: it stays readable, and the question is computed again. With `ring` false the
    caller executes the run's job itself. Raises InvalidParams, and PlanRequired or QuotaExceeded before anything is
    written. Internal kinds are asked only by the product itself, because of new data.
    """
    analysis = registry.get(kind)
    if analysis.internal and trigger != Run.Trigger.DATA:
        raise InvalidParams({"kind": f"“{analysis.label}” is kept up to date by itself and cannot be asked for."})
    cleaned = analysis.clean(workspace, params)
    _require_plan(analysis, workspace, cleaned)
    data_version = current_data_version(workspace=workspace, analysis=analysis)
    fingerprint = _fingerprint(analysis, cleaned, data_version)
    standing = Run.objects.select_related("job").filter(workspace=workspace, fingerprint=fingerprint, void=False)
    tries = 3
    while True:
        if run := standing.first():
            if not artifacts.is_lost(run):
                return run
            discard(run=run)
        tries -= 1
        try:
            with transaction.atomic():
                if trigger != Run.Trigger.DATA:
                    monthly_runs.require_one_more(workspace)
                return Run.objects.create(
                    workspace=workspace,
                    job=job_actions.submit(workspace=workspace, kind=JOB_KIND, queue=analysis.queue, ring=ring),
                    kind=analysis.name,
                    method_version=analysis.method_version,
                    params=cleaned,
                    data_version=data_version,
                    fingerprint=fingerprint,
                    requested_by=by,
                    api_key=api_key,
                    trigger=trigger,
                )
        except QuotaExceeded:
            # Somebody else may have asked the same at this moment, and have got the last run of the month.
            if run := standing.first():
                return run
            raise
        except IntegrityError:
            # Somebody else asked the same at this moment: take theirs, or ask again should it have failed meanwhile.
            if not tries:
                raise


def current_data_version(*, workspace: Workspace, analysis: AnalysisKind) -> str:
    """Return the version of the data that this kind of question would be answered on now."""
    return data_version(workspace=workspace, datasets=analysis.datasets)


def inputs_changed(run: Run) -> bool:
    """Whether the data, or the method, has moved on since the run."""
    analysis = registry.get(run.kind)
    now = current_data_version(workspace=run.workspace, analysis=analysis)
    return (run.data_version, run.method_version) != (now, analysis.method_version)


def execute(job: Job, progress: Progress) -> None:
    """The job handler: compute the run's result on one version of the data and store it with the job's end."""
    run = Run.objects.select_related("workspace").get(job=job)
    bind_contextvars(run_id=run.pk)
    analysis = registry.get(run.kind)
    try:
        _require_plan(analysis, run.workspace, run.params)
    except plans.PlanRequired as refusal:
        raise JobFailed(refusal.detail, code=refusal.code) from refusal
    answer = _compute(run, analysis, job, progress)
    _require_finite(answer.result)
    artifact = artifacts.write(run, answer.arrays, fence=job.fence) if answer.arrays else ""
    try:
        progress.complete(lambda: _store(run, answer.result, artifact))
    except BaseException:
        artifacts.remove(artifact)
        raise


def release_question(job: Job) -> None:
    """Run in the transaction that fails or cancels the job: the same question may be asked again."""
    for run in Run.objects.filter(job=job).select_related("workspace"):
        discard(run=run)
        _announce_end(run, job.status)


def discard(*, run: Run) -> None:
    """Void a run that failed or whose arrays are lost, so that the same question may be asked again."""
    Run.objects.filter(pk=run.pk).update(void=True)
    transaction.on_commit(lambda: artifacts.remove_all(run))


def forget_older(*, workspace: Workspace, kind: str, keep: int) -> int:
    """Delete the ended runs of an internal kind, and their files, but for the newest `keep` done and `keep` void ones.

    Returns how many there were.
    """
    ended = Run.objects.filter(workspace=workspace, kind=kind, job__status__in=Job.ENDED)
    newest_first = ended.select_related("job").defer("result").order_by("-created_at")
    older = [run for void in (False, True) for run in newest_first.filter(void=void)[keep:]]
    for run in older:
        _forget(run)
    return len(older)


def forget_some(*, workspace: Workspace, at_once: int) -> int:
    """Delete some ended runs of a workspace that is being deleted; return how many. Their jobs stay."""
    ended = Run.objects.filter(workspace=workspace, job__status__in=Job.ENDED)
    some = list(ended.order_by("pk").values_list("pk", flat=True)[:at_once])
    Run.objects.filter(pk__in=some).delete()
    return len(some)


def _forget(run: Run) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).delete()
        job_actions.forget(job=run.job)
        transaction.on_commit(lambda: artifacts.remove_all(run))


def _store(run: Run, result: dict[str, Any], artifact: str) -> None:
    Run.objects.filter(pk=run.pk).update(
        result=result, artifact=artifact, artifact_bytes=artifacts.size(artifact) if artifact else 0
    )
    _announce_end(run, Job.Status.DONE)


def _announce_end(run: Run, status: str) -> None:
    """Tell webhooks that the run has ended, in the transaction that ends it, unless nobody asked for it."""
    if run.kind not in registry.names(internal=True):
        announce(
            workspace=run.workspace,
            event=EventType.RUN_FINISHED,
            data={"id": str(run.pk), "kind": run.kind, "status": status},
            path=reverse_lazy("analyses:api_run", kwargs={"run_id": run.pk}),
        )


def _require_plan(analysis: AnalysisKind, workspace: Workspace, params: Params) -> None:
    if feature := analysis.feature(params):
        plans.require_feature(workspace, feature)


def _compute(run: Run, analysis: AnalysisKind, job: Job, progress: Progress) -> Answer:
    """Return the answer on one version of the data, and leave the run pinned to that version.

    Only when the version is the same before and after is it certain which one was read; else it is computed again.
    """
    for _try in range(TRIES_WHILE_DATA_CHANGES):
        _pin(run, analysis, job)
        try:
            answer = analysis.compute(run.workspace, run.params, progress)
            health = data_health.look_up(workspace=run.workspace, analysis=analysis, params=run.params)
        except store.DataChanged:
            continue
        if current_data_version(workspace=run.workspace, analysis=analysis) == run.data_version:
            return replace(answer, result=answer.result | health)
    raise AnalysisError(_DATA_KEPT_CHANGING, code="data_changed")


def _pin(run: Run, analysis: AnalysisKind, job: Job) -> None:
    """Make the run a question about the data as they are now that its work begins."""
    data_version = current_data_version(workspace=run.workspace, analysis=analysis)
    if (data_version, analysis.method_version) == (run.data_version, run.method_version):
        return
    # A worker whose claim has been replaced must not move the run under the feet of the one that replaced it.
    ours = Run.objects.filter(pk=run.pk, job__fence=job.fence, job__status=Job.Status.RUNNING)
    run.data_version, run.method_version = data_version, analysis.method_version
    run.fingerprint = _fingerprint(analysis, run.params, data_version)
    try:
        with transaction.atomic():
            pinned = ours.update(
                data_version=run.data_version, method_version=run.method_version, fingerprint=run.fingerprint
            )
    except IntegrityError:
        raise AnalysisError(_SUPERSEDED, code="superseded") from None
    if not pinned:
        raise LeaseLost


def _fingerprint(analysis: AnalysisKind, params: Params, data_version: str) -> str:
    """Return the hash of everything a result depends on; `params` must be canonical."""
    question = [analysis.name, analysis.method_version, params, data_version]
    canonical = json.dumps(question, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _require_finite(result: dict[str, Any]) -> None:
    """Raise AnalysisError for a result with NaN or infinity in it: JSON has no such numbers, and no answer has."""
    try:
        json.dumps(result, allow_nan=False)
    except ValueError:
        raise AnalysisError(
            "The computation did not arrive at finite numbers. Check the data for extreme values, "
            "or choose another period.",
            code="numerical_error",
        ) from None
