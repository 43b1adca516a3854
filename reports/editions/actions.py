"""Asking for an edition: the runs of its blocks are asked for, and a job waits for them and puts them together."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts.models import ApiKey, User, Workspace
from analyses import registry
from analyses.age import is_stale
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from analyses.similar import asking_the_same
from jobs import actions as job_actions
from marketing.models import Campaign
from marketing.periods import Period
from mmm_project.problems import NotFound
from reports.blocks.definition import KINDS, Block, analysis_params
from reports.models import Edition, Report
from weightings.finished import finished_runs, only_converged

JOB_KIND = "reports.edition"
OF_A_BLOCK = ("id", "kind", "title", "extent", "params")  # the rest is what an edition found for it
_TRIGGERS = {
    Edition.Trigger.PAGE: Run.Trigger.PAGE,
    Edition.Trigger.API: Run.Trigger.API,
    Edition.Trigger.SCHEDULE: Run.Trigger.SCHEDULE,
}


def request_edition(
    *,
    workspace: Workspace,
    title: str,
    blocks: Sequence[Block],
    period: Period,
    comparison: str,
    by: User | None,
    trigger: Edition.Trigger,
    campaign: Campaign | None = None,
    report: Report | None = None,
    formats: Sequence[str] = (),
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Edition:
    """Ask for what the blocks show of the period, and for the document of it all.

    `blocks`: in canonical form. `formats`: files to be made with it. Raises PlanRequired, having written nothing. What
    cannot be asked of the present data is no error: its block says why.
    """
    with transaction.atomic():
        asked = {"by": by, "trigger": _TRIGGERS[trigger], "api_key": api_key, "ring": ring}
        resolved = [_resolved(workspace, block, period, asked) for block in blocks]
        definition = {
            "blocks": resolved,
            "comparison": comparison,
            "campaign": {"id": campaign.pk, "name": campaign.name} if campaign else None,
            "formats": list(formats),
        }
        return Edition.objects.create(
            workspace=workspace,
            report=report,
            job=job_actions.submit(workspace=workspace, kind=JOB_KIND, ring=ring),
            title=title[:200],
            start=period.start,
            end=period.end,
            definition=definition,
            requested_by=by,
            trigger=trigger,
        )


def request_again(
    *,
    edition: Edition,
    by: User | None,
    trigger: Edition.Trigger = Edition.Trigger.PAGE,
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Edition:
    """Ask for another edition of the same blocks and period, on the present data. Raises PlanRequired and NotFound."""
    asked = edition.definition
    campaign = None
    if asked["campaign"]:
        campaign = Campaign.objects.filter(workspace=edition.workspace_id, pk=asked["campaign"]["id"]).first()
        if campaign is None:
            raise NotFound(f"The campaign “{asked['campaign']['name']}” is no longer there.")
    return request_edition(
        workspace=edition.workspace,
        title=edition.title,
        blocks=[{name: block[name] for name in OF_A_BLOCK} for block in asked["blocks"]],
        period=Period(edition.start, edition.end),
        comparison=asked["comparison"],
        campaign=campaign,
        report=edition.report,
        by=by,
        trigger=trigger,
        api_key=api_key,
        ring=ring,
    )


def runs_of(edition: Edition) -> dict[str, Run]:
    """The runs that the edition is made of, by the id of their block; without those that are gone."""
    ids = {block["id"]: block["run"] for block in edition.definition["blocks"] if block.get("run")}
    found = Run.objects.filter(workspace=edition.workspace_id, pk__in=set(ids.values()))
    by_id = {str(run.pk): run for run in found.select_related("workspace", "job", "requested_by", "api_key")}
    return {block: by_id[run_id] for block, run_id in ids.items() if run_id in by_id}


def _resolved(workspace: Workspace, block: Block, period: Period, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The block with the run that answers it, or with the sentence that says why there is none.

    `asked`: who asks and how, as `request_run` takes it.
    """
    resolved = {**block, "run": None, "problem": ""}
    kind = KINDS[block["kind"]].analysis
    if not kind:
        return resolved
    params = analysis_params(block, period)
    try:
        run = _newest_model(workspace, params) if kind == "weightings" else None
        run = run or request_run(workspace=workspace, kind=kind, params=params, **asked)
    except InvalidParams as refusal:
        return resolved | {"problem": refusal.detail}
    return resolved | {"run": str(run.pk)}


def _newest_model(workspace: Workspace, params: dict[str, Any]) -> Run | None:
    """The newest converged media mix model of the same question that is not too old to be acted on.

    Such a model is about all data and takes minutes: a weekly report does not need another one each week.
    """
    same = asking_the_same(
        workspace=workspace, kind="weightings", params=registry.get("weightings").clean(workspace, params)
    )
    finished = only_converged(finished_runs(workspace).filter(pk__in=same.order_by().values("pk")))
    run = finished.select_related("workspace", "job").defer("result").first()
    return None if run is None or is_stale(run) else run


def get_edition(*, workspace: Workspace, edition_id: uuid.UUID) -> Edition | None:
    """The edition of the workspace with this id."""
    related = Edition.objects.select_related("workspace", "job", "report", "requested_by")
    return related.filter(workspace=workspace, pk=edition_id).first()
