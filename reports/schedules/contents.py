"""What a schedule sends: a report, or one analysis as a report of a single block."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts import plans
from accounts.models import ApiKey, User, Workspace
from analyses import registry
from analyses.errors import InvalidParams
from analyses.models import Run
from jobs.models import Job
from marketing.periods import Period
from mmm_project.problems import Invalid
from reports.blocks.definition import DASHBOARD, FULL, KINDS, Block, analysis_params, clean_block
from reports.blocks.relative_periods import period_of
from reports.editions.actions import request_edition
from reports.models import Edition, Report, Schedule

# Of one block: the kinds that make sense alone.
ANALYSES = (DASHBOARD, "attribution", "weightings", "crosschannel")
_OF_THE_PERIOD = ("Period", "Period reported")
COMPARISON = "previous"  # of a dashboard that goes out alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A report, or else the kind of a block and its params."""

    report: Report | None = None
    kind: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called: the report's name, or the kind's."""
        return self.report.name if self.report else KINDS[self.kind].label

    def blocks(self) -> Sequence[Block]:
        if self.report:
            blocks: Sequence[Block] = self.report.blocks
            return blocks
        title, params = KINDS[self.kind].label, dict(self.params)
        return [{"id": "block", "kind": self.kind, "title": title, "extent": FULL, "params": params}]


def content_of(schedule: Schedule) -> Content:
    return Content(report=schedule.report, kind=schedule.kind, params=schedule.params)


def find_run(workspace: Workspace, run_id: str) -> Run | None:
    """The finished run of the workspace with this id that can be scheduled; None for anything else."""
    try:
        asked = uuid.UUID(run_id)
    except ValueError:
        return None
    kinds = [kind.analysis for kind in KINDS.values() if kind.analysis]
    done = Run.objects.filter(workspace=workspace, kind__in=kinds, job__status=Job.Status.DONE)
    return done.select_related("workspace", "job").defer("result").filter(pk=asked).first()


def content_of_run(run: Run) -> Content:
    """The question of a finished run, to be asked again of other periods. Raises Invalid for one without a block."""
    kind = next((name for name, kind in KINDS.items() if kind.analysis == run.kind), "")
    if not kind or run.job.status != Job.Status.DONE:
        raise Invalid("Only finished runs of attribution, weightings and cross-channel can be scheduled.")
    block = clean_block(run.workspace, {"kind": kind, "params": run.params}, period=_period_of_run(run))
    return Content(kind=kind, params=block["params"])


def clean_content(workspace: Workspace, content: Content, *, period: Period) -> Content:
    """Return it in canonical form. Raises Invalid where it cannot go out, and PlanRequired."""
    if content.report:
        if content.report.workspace_id != workspace.pk:
            raise Invalid("There is no such report in this workspace.")
        if not content.report.blocks:
            raise Invalid(f"“{content.report.name}” has no blocks yet, so there is nothing to send.")
    elif content.kind in ANALYSES:
        block = clean_block(workspace, {"kind": content.kind, "params": content.params}, period=period)
        content = Content(kind=content.kind, params=block["params"])
    else:
        raise Invalid(f"“{content.kind[:40]}” cannot be scheduled. Choose one of {', '.join(ANALYSES)}, or a report.")
    _require_plan(workspace, content, period)
    return content


def settings_of(workspace: Workspace, content: Content, period: Period) -> list[tuple[str, str]]:
    """The settings of an analysis that has some of its own, in words; those of the period change each time."""
    if content.report or not content.params or not KINDS[content.kind].analysis:
        return []
    analysis = registry.get(KINDS[content.kind].analysis)
    (block,) = content.blocks()
    try:
        params = analysis.clean(workspace, analysis_params(block, period))
    except InvalidParams:  # there are no data for it at present
        return []
    return [(name, value) for name, value in analysis.settings(params) if name not in _OF_THE_PERIOD]


def request_for(
    schedule: Schedule,
    *,
    due_at: dt.datetime,
    by: User | None,
    trigger: Edition.Trigger,
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Edition:
    """Ask for the edition that is due at an instant; its period is seen from that day. Raises PlanRequired, Invalid."""
    workspace, content = schedule.workspace, content_of(schedule)
    if not content.blocks():
        raise Invalid(f"“{content.label}” has no blocks any more, so there is nothing to send.")
    return request_edition(
        workspace=workspace,
        title=content.label,
        blocks=content.blocks(),
        period=period_at(workspace, schedule.period, due_at),
        comparison=content.report.comparison if content.report else COMPARISON,
        campaign=content.report.campaign if content.report else None,
        by=by,
        trigger=trigger,
        report=content.report,
        formats=schedule.formats,
        api_key=api_key,
        ring=ring,
    )


def period_at(workspace: Workspace, name: str, instant: dt.datetime) -> Period:
    """The days that a relative period means in the workspace at an instant."""
    return period_of(name, today=instant.astimezone(workspace.zone).date(), week_start=workspace.week_start)


def _period_of_run(run: Run) -> Period:
    return Period(*(dt.date.fromisoformat(run.params[name]) for name in ("start", "end")))


def _require_plan(workspace: Workspace, content: Content, period: Period) -> None:
    """Raise PlanRequired for what the plan does not have; it is asked again each time that the schedule is due."""
    for block in content.blocks():
        if not KINDS[block["kind"]].analysis:
            continue
        analysis = registry.get(KINDS[block["kind"]].analysis)
        try:
            params = analysis.clean(workspace, analysis_params(block, period))
        except InvalidParams:
            continue  # there are no data for it yet: its block will say so
        if feature := analysis.feature(params):
            plans.require_feature(workspace, feature)
