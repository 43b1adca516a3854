"""Keeping the daily cubes current: what every sweep looks at, and asks for."""

import datetime as dt
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from analyses import artifacts, runs
from analyses.models import Run
from attribution.cube.daily_cube import (
    KIND,
    Question,
    cube_runs,
    present_params,
    present_question,
    question_of,
    refresh_cube,
)
from marketing.data_versions import data_versions
from marketing.models import Dataset, Import

logger = logging.getLogger(__name__)

CUBES_KEPT = 2
# Imports on their way are waited for, as each would make the cube outdated again; but not for ever.
LONGEST_WAIT_FOR_IMPORTS = dt.timedelta(minutes=10)
# A question whose run came to nothing is not asked again at once.
PAUSE_AFTER_FAILURE = dt.timedelta(minutes=10)
DATASETS = (*KIND.datasets, Dataset.MEDIA_TABLE)  # a media table may bring spend


def keep_cubes_current() -> None:
    """Ask for the cube of each workspace whose data, window, models or method have moved on; clear away old ones.

    Eight queries at most, whatever the number of workspaces, beside what there is to do.
    """
    _keep_current(_workspaces_with_cubes(), cube_runs())


def keep_cube_current(*, workspace: Workspace) -> None:
    """Do so for one workspace at once, where somebody waits for it."""
    found = _workspaces_with_cubes().filter(pk=workspace.pk)
    _keep_current(found, cube_runs().filter(workspace=workspace))


def _keep_current(found: QuerySet[Workspace], cubes: QuerySet[Run]) -> None:
    now = timezone.now()
    workspaces = list(found)
    known: dict[int, list[Run]] = defaultdict(list)
    for run in cubes.defer("result"):
        known[run.workspace_id].append(run)
    params = present_params(workspaces)
    versions = data_versions(workspaces=workspaces, datasets=KIND.datasets)
    on_their_way = Import.objects.filter(status__in=[Import.Status.PENDING, Import.Status.LOADING])
    importing = set(on_their_way.order_by().values_list("workspace", flat=True))
    for workspace in workspaces:
        of_workspace = known[workspace.pk]
        ended = Counter(run.void for run in of_workspace if run.job.finished)
        if max(ended.values(), default=0) > CUBES_KEPT:
            runs.forget_older(workspace=workspace, kind=KIND.name, keep=CUBES_KEPT)
        question = present_question(versions[workspace.pk], params[workspace.pk])
        since = workspace.data_since if workspace.pk in importing else None  # type: ignore[attr-defined] # annotated
        if _is_missing(question, of_workspace, now) and not _is_waited_for(of_workspace, since, now):
            refresh_cube(workspace=workspace)


def _workspaces_with_cubes() -> QuerySet[Workspace]:
    """The workspaces that hold data, or that have a cube of data which may be gone; with `data_since`."""
    active = Import.objects.filter(workspace=OuterRef("pk"), status=Import.Status.ACTIVE, dataset__in=DATASETS)
    standing = Run.objects.filter(workspace=OuterRef("pk"), kind=KIND.name, void=False)
    workspaces = Workspace.objects.filter(Exists(active) | Exists(standing))
    return workspaces.annotate(data_since=Min("imports__activated_at")).order_by("pk")


def _is_missing(question: Question, known: Sequence[Run], now: dt.datetime) -> bool:
    """Whether the cube that answers the question is neither there nor on its way, nor failed a moment ago.

    `known`: the workspace's runs of the cube, newest first. One whose file is lost or damaged is voided.
    """
    if any(not run.job.finished for run in known):
        return False
    answers = [run for run in known if question_of(run) == question]
    for run in answers:
        if not run.void:
            if artifacts.is_whole(run):
                return False
            logger.error("The file of the daily cube %s is lost or damaged; it is computed again", run.pk)
            runs.discard(run=run)
    # Also after a loss: where the file cannot be seen from here, computing it again and again would not help.
    return not any(run.job.finished_at and now - run.job.finished_at < PAUSE_AFTER_FAILURE for run in answers)


def _is_waited_for(known: Sequence[Run], data_since: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether imports on their way are waited for; `data_since`: when data first came in, None if none is on its way.

    What is counted is the age of what can be seen: of the newest cube, or, without any, of the data.
    """
    if data_since is None:
        return False
    newest = next((run.job.finished_at for run in known if not run.void), None)
    return now - (newest or data_since) < LONGEST_WAIT_FOR_IMPORTS
