"""What the newest media mix model says channels returned, whatever the period that the dashboard shows."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.fields.json import KT, KeyTransform

from accounts.models import Workspace
from analyses import runs
from analyses.age import is_stale
from analyses.models import Run
from marketing.channel_index import ChannelIndex
from marketing.models import Outcome
from marketing.periods import Period
from reports.ratios import Ratio
from weightings.finished import finished_runs, only_converged
from weightings.standing import doubts

MOST_LOOKED_THROUGH, MOST_LOOKED_AT = 200, 20  # of runs: by what they are about, and by whether they converged
# The parts of a result that are read: the whole of it is ten times as long.
PARTS = ("channels", "period", "confidence", "diagnostics", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaMix:
    """The newest converged run about an outcome in money.

    `by_channel`: incremental ROI, its median and interval, in the run's own `period`, by the channel's id.
    `confidence`: of the intervals, in percent. `unsplit`: channels that the run knows as several and that are one now,
    so that it says nothing of them. `doubts`: why it is not to be acted on, or "". `is_outdated`: the data, or how
    models are computed, have changed since.
    """

    run_id: uuid.UUID
    asked_at: dt.datetime
    outcome: str
    period: Period
    confidence: int
    by_channel: Mapping[int, Ratio]
    unsplit: tuple[str, ...]
    doubts: str
    is_stale: bool
    is_outdated: bool


def newest_media_mix(workspace: Workspace, *, index: ChannelIndex) -> MediaMix | None:
    """Return the newest converged model of sales in money, else of any outcome in money; None without one.

    One query, one more for each run that is looked at until one has converged, and where one has, up to three to see
    whether the data have changed since.
    """
    for run_id in _candidates(workspace):
        if found := _converged(run_id):
            return _read(found, index)
    return None


def _candidates(workspace: Workspace) -> list[uuid.UUID]:
    """Runs about outcomes in money, those about the first one of kind sales first, the newest first; not read yet."""
    sales = Outcome.objects.filter(workspace=workspace, kind=Outcome.Kind.SALES, is_money=True)
    named = sales.filter(name=OuterRef("about")).values("pk")[:1]
    asked = finished_runs(workspace).filter(params__measured_in="money", params__bounds__isnull=True)
    newest_first = asked.annotate(about=KT("params__outcome"), sales=Subquery(named))[:MOST_LOOKED_THROUGH]
    known = list(newest_first.values_list("pk", "sales"))
    known.sort(key=lambda each: (each[1] is None, each[1]))
    return [run_id for run_id, _sales in known[:MOST_LOOKED_AT]]


def _converged(run_id: uuid.UUID) -> Run | None:
    """The run with the parts of its result that are read, if its model has converged."""
    parts = {f"result_{name}": KeyTransform(name, "result") for name in PARTS}
    asked = only_converged(Run.objects.filter(pk=run_id)).defer("result").annotate(**parts)
    return asked.select_related("workspace", "job").first()


def _read(run: Run, index: ChannelIndex) -> MediaMix:
    result: dict[str, Any] = {name: getattr(run, f"result_{name}") for name in PARTS}
    period = result["period"]
    by_channel, unsplit = _by_channel(result["channels"], index)
    return MediaMix(
        run_id=run.pk,
        asked_at=run.created_at,
        outcome=run.params["outcome"],
        period=Period(dt.date.fromisoformat(period["start"]), dt.date.fromisoformat(period["end"])),
        confidence=int(result["confidence"]),
        by_channel=by_channel,
        unsplit=unsplit,
        doubts=doubts(result),
        is_stale=is_stale(run),
        is_outdated=runs.inputs_changed(run),
    )


def _by_channel(rows: list[dict[str, Any]], index: ChannelIndex) -> tuple[dict[int, Ratio], tuple[str, ...]]:
    """Returns by the channel that each name counts for now, and the names of those that are several merged since."""
    named = [(channel, row["roi"]) for row in rows if (channel := index.named(row["channel"]))]
    times = Counter(channel.pk for channel, _roi in named)
    found = {
        channel.pk: Ratio(roi["median"], roi["low"], roi["high"])
        for channel, roi in named
        if times[channel.pk] == 1 and roi and roi["median"] is not None
    }
    return found, tuple(sorted({channel.name for channel, _roi in named if times[channel.pk] > 1}))
