"""The report that is kept for each workspace: making it, reading it, and knowing whether it is out of date."""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from django.utils import timezone

from accounts.models import Workspace
from jobs.handlers import JobDeferred
from jobs.models import Job
from jobs.progress import Progress
from marketing import store
from marketing.data_versions import data_versions
from marketing.health.channel_types import type_of_new, types_by_rules
from marketing.health.checks import examine
from marketing.health.gathering import gather
from marketing.health.report import Report
from marketing.models import Channel, Dataset, Goal, HealthReport, Import, Outcome

JOB_KIND = "marketing.health"
METHOD_VERSION = 2  # grows when the same data would be judged otherwise
GATHERING_SHARE = 0.9  # of the progress; examining tallies takes no time beside reading rows
LOOKED_AT = (
    Dataset.TOUCHPOINTS,
    Dataset.CONVERSIONS,
    Dataset.SPEND,
    Dataset.OUTCOMES,
    Dataset.CONTROLS,
    Dataset.EVENTS,
)

# "empty": nothing has been imported; "preparing": the first report is on its way; "ready": there is one.
Situation = Literal["empty", "preparing", "ready"]


@dataclass(frozen=True, kw_only=True)
class KeptReport:
    """The last report. `report`: None if there was nothing to look at. `is_outdated`: data, settings or the day are
    others now.
    """

    report: Report | None
    computed_at: dt.datetime
    is_outdated: bool


def versions(workspaces: Collection[Workspace]) -> dict[int, str]:
    """What a report of each workspace depends on besides the day, as a digest; queries as many for any number.

    The data version holds the rows, merges, names, the time zone and how traffic is grouped. Of channels' types only
    those count that somebody chose: a channel that an analysis creates for what the grouping names changes nothing.
    """
    settings: dict[int, list[object]] = defaultdict(list)
    by_rules = types_by_rules(workspaces)
    for pk, types in by_rules.items():
        settings[pk].append(sorted(types.items()))
    for workspace, name, type_ in _of(Channel, workspaces, "name", "type"):
        if type_ != type_of_new(name, by_rules[workspace]):
            settings[workspace].append([name, type_])
    for workspace, *goal in _of(Goal, workspaces, "name", "kind"):
        settings[workspace].append(goal)
    for workspace, *outcome in _of(Outcome, workspaces, "name", "is_money"):
        settings[workspace].append(outcome)
    digests = {}
    for pk, data in data_versions(workspaces=workspaces, datasets=LOOKED_AT).items():
        digests[pk] = [METHOD_VERSION, data, settings[pk]]
    return {
        workspace.pk: hashlib.sha256(
            json.dumps([*digests[workspace.pk], workspace.window_days, workspace.currency]).encode()
        ).hexdigest()
        for workspace in workspaces
    }


def _of(
    model: type[Channel] | type[Goal] | type[Outcome], workspaces: Collection[Workspace], *fields: str
) -> list[tuple[Any, ...]]:
    rows = model.objects.filter(workspace__in=workspaces).order_by("pk")
    return list(rows.values_list("workspace", *fields))


def today(workspace: Workspace) -> dt.date:
    """The workspace's day."""
    return timezone.now().astimezone(workspace.zone).date()


def kept_report(*, workspace: Workspace) -> KeptReport | None:
    """Return the last report of the workspace; None while there is none. Reads only."""
    kept = HealthReport.objects.filter(workspace=workspace).first()
    if kept is None:
        return None
    present = (versions([workspace])[workspace.pk], today(workspace))
    return KeptReport(
        report=Report.from_json(kept.report),
        computed_at=kept.computed_at,
        is_outdated=(kept.data_version, kept.day) != present,
    )


def situation_of(*, workspace: Workspace, kept: KeptReport | None) -> Situation:
    """Return whether there is a report to read, one to come, or nothing to report on."""
    if kept is not None and kept.report is not None:
        return "ready"
    has_data = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).exists()
    return "preparing" if has_data and (kept is None or kept.is_outdated) else "empty"


def present_report(*, workspace: Workspace) -> Report | None:
    """Return a report of the present data: the kept one, or one that is made, and kept, now; None without any data.

    Raises store.DataChanged if imports kept being undone while they were read.
    """
    kept = kept_report(workspace=workspace)
    if kept is not None and not kept.is_outdated:
        return kept.report
    version, day = versions([workspace])[workspace.pk], today(workspace)
    report = make_report(workspace=workspace)
    _keep(workspace, report, version, day)
    return report


def make_report(*, workspace: Workspace, on_progress: Callable[[float], None] = lambda _done: None) -> Report | None:
    """Look at all data of the workspace up to yesterday; None if there is none. Raises store.DataChanged."""
    seen = gather(workspace=workspace, on_progress=on_progress)
    return None if seen is None else Report.of(seen, examine(seen))


def run_report(job: Job, progress: Progress) -> None:
    """The job handler: make the workspace's report of the present data, and keep it."""
    workspace = job.workspace
    version, day = versions([workspace])[workspace.pk], today(workspace)
    try:
        report = make_report(
            workspace=workspace, on_progress=lambda done: progress("Reading the data", GATHERING_SHARE * done)
        )
    except store.DataChanged:
        raise JobDeferred from None
    progress.complete(lambda: _keep(workspace, report, version, day))


def _keep(workspace: Workspace, report: Report | None, version: str, day: dt.date) -> None:
    HealthReport.objects.update_or_create(
        workspace=workspace,
        defaults={"data_version": version, "day": day, "report": report.to_json() if report else {}},
    )
