"""What a data-driven model has credited channels with, in a run of the period that the dashboard shows."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import Workspace
from analyses import runs
from analyses.models import Run
from attribution.analysis import KIND
from attribution.catalogue import find
from jobs.models import Job
from marketing.channel_index import ChannelIndex
from marketing.periods import Period

MODELS = ("data_driven", "markov:1")  # the same under two names
# What a run may be asked for besides; the dashboard's figures are those of all customers, touches and their channels.
NARROWED_BY = ("segment", "grouping", "view_through", "data")


@dataclass(frozen=True, slots=True)
class Credited:
    """Credited revenue in account currency, and its interval; None without one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDriven:
    """The newest such run. `model`: its label; `by_channel`: credit by the channel's id; `confidence`: in percent.

    `is_outdated`: the data, or how they are computed, have changed since.
    """

    run_id: uuid.UUID
    finished_at: dt.datetime
    model: str
    by_channel: Mapping[int, Credited]
    confidence: int | None
    is_outdated: bool


def newest_data_driven(
    workspace: Workspace, *, period: Period, goal: str, window_days: int, index: ChannelIndex
) -> DataDriven | None:
    """Return the newest data-driven credit of channels for exactly this question, if any run was asked it.

    One query, and where there is such a run up to three more, to see whether the data have changed since.
    """
    named = Q()
    for model in MODELS:
        named |= Q(params__model__icontains=f'"{model}"')  # in the list as it is written, as SQLite looks into none
    asked = Run.objects.filter(
        named,
        workspace=workspace,
        kind=KIND.name,
        void=False,
        job__status=Job.Status.DONE,
        params__start=period.start.isoformat(),
        params__end=period.end.isoformat(),
        params__goal=goal,
        params__window_days=window_days,
        params__dimension="channel",
    ).exclude(params__has_any_keys=NARROWED_BY)
    run = asked.select_related("job", "workspace").order_by("-created_at").first()
    if run is None or run.result is None or run.job.finished_at is None:
        return None
    model = next(name for name in MODELS if name in run.params["model"])
    return DataDriven(
        run_id=run.pk,
        finished_at=run.job.finished_at,
        model=find(model).label,
        by_channel=_by_channel(run.result["models"][model]["channels"], index),
        confidence=(run.result.get("intervals") or {}).get("confidence"),
        is_outdated=runs.inputs_changed(run),
    )


def _by_channel(rows: list[dict[str, Any]], index: ChannelIndex) -> dict[int, Credited]:
    """Credit by the channel that each name counts for now: it may have been renamed, or merged, since."""
    found: dict[int, Credited] = {}
    for row in rows:
        channel = index.named(row["channel"])
        if channel is None:
            continue
        before = found.get(channel.pk)
        if before is None:
            found[channel.pk] = Credited(row["value"], row.get("value_low"), row.get("value_high"))
        else:  # merged since: the sum is known, but not its interval
            found[channel.pk] = Credited(before.value + row["value"], None, None)
    return found
