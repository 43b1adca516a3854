"""The daily cube of a workspace as a kind of run that the product asks for itself, and its reader."""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from django.db.models import QuerySet

from accounts.defaults import LONGEST_WINDOW_DAYS
from accounts.models import Workspace
from analyses import artifacts, runs
from analyses.documents import Document
from analyses.errors import AnalysisError, InvalidParams
from analyses.models import Run
from analyses.registry import AnalysisKind, Answer, PresentedResult
from attribution.cube.kept_models import DEFINITIONS, RULES, OwnModel, asked_of_own, own_models
from attribution.custom.compiling import custom_rule_model
from attribution.methods.cube import NO_CAMPAIGN, UNTOUCHED, CreditRows, Cube, SpendRows
from attribution.methods.custom_definition import parse
from attribution.methods.daily import daily_credit
from attribution.methods.rules import RECONCILED_WITHIN, RuleModel
from jobs.models import Job
from jobs.progress import Progress
from marketing.channels import ensure_grouped_channels
from marketing.frames import MICROSECONDS_PER_DAY, Conversions, Int64Column, SourceLookup, Touches
from marketing.journeys import build_journeys
from marketing.models import Campaign, Dataset, Goal
from marketing.periods import EPOCH, day_number, day_of_us, start_of_day_us
from marketing.selectors import load_daily_spend, load_touches_and_conversions
from marketing.sources import source_lookup
from mmm_project import formats
from mmm_project.tables import Cell

logger = logging.getLogger(__name__)

NAME = "daily_attribution"
LOADING_SHARE = 0.7  # of the progress: building the snapshot is the long part after an import
CUBES_IN_MEMORY = 4
BYTES_IN_MEMORY = 500_000_000  # beyond that fewer cubes: each custom model makes its workspace's cube larger
Question: TypeAlias = tuple[str, str, dict[str, Any]]
_cubes_in_memory: dict[str, Cube] = {}
_memory_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyCube:
    """The newest cube of a workspace. `is_updating`: a newer one is due. The days are those of the last rows.

    `asked_at`: what had been imported by then is in it.
    """

    cube: Cube
    run_id: uuid.UUID
    data_version: str
    window_days: int
    asked_at: dt.datetime
    computed_at: dt.datetime
    is_updating: bool
    conversions_until: dt.date | None
    spend_until: dt.date | None


def latest_cube(*, workspace: Workspace, own: Sequence[OwnModel] | None = None) -> DailyCube | None:
    """Return the cube of the present data, else the newest that is done; None while there is none.

    `own`: the workspace's custom models, where they have been read already. Five queries at most, whatever the amount
    of data; the arrays stay in memory, since a file never changes.
    """
    done = list(cube_runs().filter(workspace=workspace, void=False, job__status=Job.Status.DONE))
    if not done:
        return None
    data_version = runs.current_data_version(workspace=workspace, analysis=KIND)
    known = None if own is None else {workspace.pk: own}
    present = present_question(data_version, present_params([workspace], own=known)[workspace.pk])
    # Where an import has been undone, the cube of the present data is not the newest.
    for run in sorted(done, key=lambda run: question_of(run) != present):
        try:
            cube = _read(run)
        except artifacts.ArtifactMissing as error:
            logger.error("The daily cube %s of %s: %s", run.pk, workspace.slug, error)
            continue
        assert run.result is not None  # noqa: S101 - the run is done
        assert run.job.finished_at is not None  # noqa: S101
        return DailyCube(
            cube=cube,
            run_id=run.pk,
            data_version=run.data_version,
            window_days=run.params["window_days"],
            asked_at=run.created_at,
            computed_at=run.job.finished_at,
            is_updating=question_of(run) != present,
            conversions_until=_day(run.result["conversions_until"]),
            spend_until=_day(run.result["spend_until"]),
        )
    return None


def present_params(
    workspaces: Collection[Workspace], *, own: Mapping[int, Sequence[OwnModel]] | None = None
) -> dict[int, dict[str, Any]]:
    """The params of the cube under each workspace's present settings, by its primary key; two queries at most.

    A workspace without custom models is asked for its window only. `own`: its custom models, where they are known.
    """
    asked = asked_of_own(own_models(workspaces) if own is None else own)
    return {workspace.pk: {"window_days": workspace.window_days} | asked[workspace.pk] for workspace in workspaces}


def present_question(data_version: str, params: dict[str, Any]) -> Question:
    """What the cube of this data version has to be an answer to; `params` as in `present_params`."""
    return data_version, KIND.method_version, params


def question_of(run: Run) -> Question:
    """What the run is an answer to: data version, method version and params."""
    return run.data_version, run.method_version, run.params


def cube_runs() -> QuerySet[Run]:
    """All runs of the daily cube, newest first."""
    return Run.objects.filter(kind=NAME).select_related("job").order_by("-created_at")


def refresh_cube(*, workspace: Workspace, ring: bool = True) -> Run:
    """Ask for the cube of the present data; the one there is, if it is that."""
    return runs.request_run(workspace=workspace, kind=NAME, params={}, by=None, trigger=Run.Trigger.DATA, ring=ring)


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params: the workspace's lookback window, unless another is given, and its custom models."""
    window_days = params.get("window_days", workspace.window_days)
    if not isinstance(window_days, int) or not 1 <= window_days <= LONGEST_WINDOW_DAYS:
        raise InvalidParams({"window_days": f"The lookback window is 1 to {LONGEST_WINDOW_DAYS} days."})
    return present_params([workspace])[workspace.pk] | {"window_days": window_days}


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Credit every conversion there is, of every goal, on its day; and lay the spend beside it."""
    touches, conversions = load_touches_and_conversions(
        workspace=workspace, on_progress=lambda fraction: progress("Reading the data", LOADING_SHARE * fraction)
    )
    sources = source_lookup(workspace=workspace, touches=touches)
    groups = _groups(workspace, sources)
    models = _models(workspace, params, sources)
    calendar = _calendar(workspace, conversions)
    goals = list(Goal.objects.filter(workspace=workspace).order_by("pk"))
    credit: dict[int, CreditRows] = {}
    for place, goal in enumerate(goals):
        progress(f"Crediting {goal.name}", LOADING_SHARE + (1 - LOADING_SHARE) * place / len(goals))
        rows = _credit(goal, touches, conversions, sources, groups, models, calendar, params["window_days"])
        if rows is not None:
            credit[goal.pk] = rows
    spend = load_daily_spend(workspace=workspace)
    cube = Cube(
        tuple(model.name for model in models), credit, SpendRows(spend.day, spend.channel, spend.campaign, spend.spend)
    )
    days = [int(day) for rows in credit.values() for day in (rows.day[0], rows.day[-1])]
    result = {
        "models": list(cube.models),
        "goals": {goal.name: float(credit[goal.pk].conversions[:, 0].sum()) for goal in goals if goal.pk in credit},
        "conversions_from": _iso(min(days, default=None)),
        "conversions_until": _iso(max(days, default=None)),
        "spend_until": _iso(int(spend.day[-1]) if len(spend.day) else None),
    }
    return Answer(result, cube.to_arrays())


def _models(workspace: Workspace, params: Mapping[str, Any], sources: SourceLookup) -> list[RuleModel]:
    """The rules, and the custom models that are asked for. After `_groups`: channels have their types then."""
    own = [
        custom_rule_model(workspace=workspace, name=name, definition=parse(definition), sources=sources)
        for name, definition in params.get(DEFINITIONS, {}).items()
    ]
    return [*RULES.values(), *own]


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """The pairs of channel and campaign: their database ids (G,), and the pair of each traffic source (S,)."""

    channel: Int64Column
    campaign: Int64Column
    of_source: Int64Column


def _groups(workspace: Workspace, sources: SourceLookup) -> _Groups:
    channels = ensure_grouped_channels(workspace=workspace, sources=sources)
    campaigns = dict(Campaign.objects.filter(workspace=workspace).values_list("name", "pk"))
    channel_ids = np.array([channel.pk for channel in channels], np.int64)
    campaign_ids = np.array(
        [NO_CAMPAIGN, *(campaigns.get(name, NO_CAMPAIGN) for name in sources.campaigns[1:])], np.int64
    )
    campaigns_and_none = len(sources.campaigns)
    pairs, of_source = np.unique(
        sources.channel.astype(np.int64) * campaigns_and_none + sources.campaign, return_inverse=True
    )
    return _Groups(
        np.append(channel_ids[pairs // campaigns_and_none], UNTOUCHED),
        np.append(campaign_ids[pairs % campaigns_and_none], UNTOUCHED),
        of_source.astype(np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Calendar:
    """The local days on which anything was decided: when each starts (D,), in microseconds, and the first's number."""

    starts: Int64Column
    first: int

    def day(self, at: Int64Column) -> Int64Column:
        """The local day of each instant, counted from 1970-01-01."""
        return np.searchsorted(self.starts, at, side="right").astype(np.int64) - 1 + self.first


def _calendar(workspace: Workspace, conversions: Conversions) -> _Calendar:
    at = conversions.converted_at
    if not len(at):
        return _Calendar(np.zeros(1, np.int64), 0)
    first, last = (day_of_us(int(end), workspace.zone) for end in (at.min(), at.max()))
    days = [first + dt.timedelta(day) for day in range((last - first).days + 1)]
    starts = np.array([start_of_day_us(day, workspace.zone) for day in days], np.int64)
    return _Calendar(starts, day_number(first))


def _credit(
    goal: Goal,
    touches: Touches,
    conversions: Conversions,
    sources: SourceLookup,
    groups: _Groups,
    models: Sequence[RuleModel],
    calendar: _Calendar,
    window_days: int,
) -> CreditRows | None:
    """Credit all conversions to a goal; None if there is none. Raises AnalysisError if it does not add up."""
    to_goal = conversions.converted & (conversions.goal == goal.pk)
    if not to_goal.any():
        return None
    at = conversions.converted_at[to_goal]
    journeys = build_journeys(
        touches=touches,
        conversions=conversions,
        goal=goal.pk,
        period_start_us=int(at.min()),
        period_stop_us=int(at.max()) + 1,
        window_us=window_days * MICROSECONDS_PER_DAY,
        null_paths=False,
    )
    rows = daily_credit(
        journeys=journeys,
        day=calendar.day(journeys.anchor_at),
        models=models,
        group_of_source=groups.of_source,
        groups=len(groups.channel) - 1,
        direct_source=sources.direct_source(),
    )
    value = journeys.value[journeys.converted]
    off_conversions = np.abs(rows.conversions.sum(axis=0) - len(value)).max()
    off_value = np.abs(rows.value.sum(axis=0) - value.sum()).max()
    if off_conversions > RECONCILED_WITHIN * len(value) or off_value > RECONCILED_WITHIN * np.abs(value).sum():
        raise AnalysisError(
            f"The credit for {goal.name} does not add up to its conversions, so it is not shown. Please report this.",
            code="not_reconciled",
        )
    return CreditRows(rows.day, groups.channel[rows.group], groups.campaign[rows.group], rows.conversions, rows.value)


def _read(run: Run) -> Cube:
    """The run's cube, from memory if it was read before. Raises ArtifactMissing."""
    known = _cubes_in_memory.get(run.artifact)
    if known is not None:
        return known
    arrays = artifacts.read(run)
    try:
        cube = Cube.from_arrays(arrays, models=tuple(run.result["models"]) if run.result else ())
    except (KeyError, ValueError) as error:
        raise artifacts.ArtifactMissing(f"The figures of this run are not those of a daily cube: {error}") from error
    with _memory_lock:
        while _cubes_in_memory and not _is_room_for(cube):
            _cubes_in_memory.pop(next(iter(_cubes_in_memory)))
        _cubes_in_memory[run.artifact] = cube
    return cube


def _is_room_for(cube: Cube) -> bool:
    size = cube.nbytes + sum(each.nbytes for each in _cubes_in_memory.values())
    return len(_cubes_in_memory) < CUBES_IN_MEMORY and size <= BYTES_IN_MEMORY


def _day(iso: str | None) -> dt.date | None:
    return dt.date.fromisoformat(iso) if iso else None


def _iso(number: int | None) -> str | None:
    return None if number is None else (EPOCH.date() + dt.timedelta(number)).isoformat()


def _rows(run: Run) -> Iterator[Sequence[Cell]]:
    """Yield how many conversions of each goal the cube holds."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    yield ("goal", "conversions")
    yield from run.result["goals"].items()


def _describe(params: Mapping[str, Any]) -> str:
    own = len(params.get(DEFINITIONS, {}))
    return f"All days · {params['window_days']}-day window" + (
        f" · {formats.count(own, 'custom model')}" if own else ""
    )


def _document(run: Run) -> Document:
    return Document(
        title=KIND.label,
        subtitle=_describe(run.params),
        headline="The dashboard reads this cube.",
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(("Data version", run.data_version[:12]),),
        sections=(),
        rows=list(_rows(run)),
        data=run.result or {},
        file_name=f"{NAME}-{run.workspace.slug}",
    )


def _present(_run: Run) -> PresentedResult:
    context = {"title": KIND.label, "text": "The dashboard shows what this run computed."}
    return PresentedResult(template_name="components/empty.html", context=context)


KIND = AnalysisKind(
    name=NAME,
    label="Daily attribution",
    method_version="2",
    datasets=(Dataset.TOUCHPOINTS, Dataset.CONVERSIONS, Dataset.SPEND),
    clean=clean,
    compute=compute,
    present=_present,
    document=_document,
    rows=_rows,
    describe=_describe,
    page="reports:dashboard",
    internal=True,
)
