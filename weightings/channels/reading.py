"""What campaigns of a channel added in days of a run's period: the run's model, and spend by campaign as it is now."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyses.artifacts import ArtifactMissing
from marketing.periods import EPOCH, Period, day_number
from marketing.selectors import CampaignSpend, load_campaign_spend
from weightings.methods.campaigns import CampaignEffects, campaign_effects
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.quantities import Window
from weightings.methods.summaries import Summary, spread_over, summary
from weightings.params import is_lightweight
from weightings.stored import StoredModel

MOST_CAMPAIGNS = 25  # of their own; those with less spend are read as one
MOST_NUMBERS, FEWEST_DRAWS = 4_000_000, 200  # all draws, unless that would take more than about a second
NO_CAMPAIGN = 0  # the id of spend that names none
NO_SPEND = "Nothing was spent on {channel} in {period}, so there are no campaigns to read."
GONE = (
    "The spend of {channel} in {period} is no longer among the data. Run the model again on the newest data to read "
    "its campaigns."
)
NONE_NAMED = (
    "The spend of {channel} names no campaigns. Import it with a column of campaigns to read here what each added."
)
OF_GEOS = (
    "Campaigns are read from models of one market only, and this one has several geos side by side. Ask the question "
    "without geos to read them."
)
LIGHTWEIGHT = (
    "LightweightMMM's models keep nothing that campaigns could be told apart by. Choose another model to read them."
)
ORGANIC = "{channel} has no spend, and campaigns are told apart by theirs."


class CannotRead(Exception):
    """Campaigns that nothing can be said of; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What one campaign did, or `count` of them together.

    `name`, `campaign_id`: "" and None of several, and of spend that names none. `days`: with spend in the period.
    `spend`: account currency. `per_spend`: incremental outcome per unit of spend, ROI where the outcome is money;
    `pays`: the probability that it is above 1. `to_come`: the mean share of the incremental outcome that falls behind
    the data. `is_running`: there was spend in the last period that the model knows, or later. `last_seen`: the last day
    with spend, in the period or later; None without any.
    """

    name: str
    campaign_id: int | None
    count: int
    days: Sequence[dt.date]
    spend: float
    incremental: Summary
    split: Summary
    per_spend: Summary
    pays: float
    to_come: float
    is_running: bool
    last_seen: dt.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The campaigns of a channel, those with most spend first. `period`: of whole periods; `is_whole`: all the run's.

    `medium`: what the channel added in it, which the splits add up to. `draws` of `draws_kept` were computed from.
    `problem`: why other days are read than were asked for, "" if they are the ones.
    """

    period: Period
    is_whole: bool
    reaches_end: bool
    campaigns: Sequence[Campaign]
    medium: Summary
    spend: float
    draws: int
    draws_kept: int
    problem: str = ""


class PeriodsOfRun:
    """The periods of a run's model by their days."""

    def __init__(self, model: StoredModel) -> None:
        panel = model.panel
        self.starts: npt.NDArray[np.int64] = panel.period_start[panel.history :]
        last = day_number(dt.date.fromisoformat(model.result["estimation"]["end"]))
        self.ends: npt.NDArray[np.int64] = np.append(self.starts[1:] - 1, last)
        self.window = model.window
        self.granularity: str = panel.granularity

    def within(self, asked: Period | None) -> tuple[Window, str]:
        """The whole periods of the run's that lie within the days asked for; all, and why, where none does."""
        if asked is None:
            return self.window, ""
        first, last = day_number(asked.start), day_number(asked.end)
        places = np.arange(self.window.start, self.window.stop)
        inside = places[(self.starts[places] >= first) & (self.ends[places] <= last)]
        if len(inside):
            return Window(int(inside[0]), int(inside[-1]) + 1), ""
        return self.window, (
            f"There is no whole {self.granularity} of the run's period within {asked.label}, so all of it is shown."
        )

    def days(self, window: Window) -> Period:
        return Period(_date(self.starts[window.start]), _date(self.ends[window.stop - 1]))


def read_campaigns(model: StoredModel, channel: str, asked: Period | None) -> Reading:
    """Read the campaigns of a channel in whole periods within the days `asked` for, or in all of the run's period.

    Raises CannotRead where nothing can be said.
    """
    try:
        return _read(model, channel, asked)
    except (ArtifactMissing, CannotBePlanned) as problem:
        raise CannotRead(str(problem)) from problem


def _read(model: StoredModel, channel: str, asked: Period | None) -> Reading:
    _require_readable(model, channel)
    periods, panel = PeriodsOfRun(model), model.panel
    window, problem = periods.within(asked)
    days = periods.days(window)
    spend = load_campaign_spend(workspace=model.run.workspace, channel=channel, start=days.start)
    place = panel.channels.index(channel)
    of_period = panel.spend[panel.history + window.start : panel.history + window.stop, place]
    inside = spend.day <= day_number(days.end)
    if not of_period.sum() > 0:
        raise CannotRead(NO_SPEND.format(channel=channel, period=days.label))
    if not inside.any():
        raise CannotRead(GONE.format(channel=channel, period=days.label))
    if not spend.campaign[inside].any():
        raise CannotRead(NONE_NAMED.format(channel=channel))
    acting = panel.exposure[panel.history + window.start : panel.history + window.stop, place] > 0
    groups, shares = _shared_out(spend, inside, periods.starts[window.start : window.stop], acting)
    fitted = model.posterior
    kept = len(fitted.sigma)
    width = (len(shares) + 2) * (window.periods + fitted.lead + fitted.tail)
    some = fitted.take(spread_over(kept, max(MOST_NUMBERS // width, FEWEST_DRAWS)))
    effects = campaign_effects(some, place, window, shares)
    rows = _Rows(spend, days, int(periods.starts[-1]))
    return Reading(
        period=days,
        is_whole=window == model.window,
        reaches_end=window.stop == len(periods.starts),
        campaigns=[
            _campaign(rows.of(ids), effects.of(row), spend=float(shares[row] @ of_period), level=model.level)
            for row, ids in enumerate(groups)
        ],
        medium=summary(effects.medium, model.level),
        spend=float(of_period.sum()),
        draws=len(some.sigma),
        draws_kept=kept,
        problem=problem,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Spend from the first of some days on. `last_known`: the first day of the last period that the model knows."""

    spend: CampaignSpend
    days: Period
    last_known: int

    def of(self, ids: tuple[int, ...]) -> "_Activity":
        """When campaigns of these ids had spend."""
        seen = self.spend.day[np.isin(self.spend.campaign, ids)]
        last = int(seen.max()) if len(seen) else None
        return _Activity(
            ids,
            "" if len(ids) > 1 or ids == (NO_CAMPAIGN,) else self.spend.names[ids[0]],
            [_date(day) for day in np.unique(seen[seen <= day_number(self.days.end)])],
            None if last is None else _date(last),
            last is not None and last >= self.last_known,
        )


@dataclass(frozen=True, slots=True)
class _Activity:
    """Campaigns, the days on which they had spend, and the last of them, in the period or later, if there is any."""

    ids: tuple[int, ...]
    name: str
    days: Sequence[dt.date]
    last_seen: dt.date | None
    is_running: bool


def _campaign(activity: _Activity, effects: CampaignEffects, *, spend: float, level: float) -> Campaign:
    per_spend = effects.incremental / spend if spend > 0 else np.full_like(effects.incremental, np.nan)
    total = float(effects.incremental.mean())
    return Campaign(
        name=activity.name,
        campaign_id=activity.ids[0] if len(activity.ids) == 1 and activity.ids[0] != NO_CAMPAIGN else None,
        count=len(activity.ids),
        days=activity.days,
        spend=spend,
        incremental=summary(effects.incremental, level),
        split=summary(effects.split, level),
        per_spend=summary(per_spend, level),
        pays=float(np.mean(per_spend > 1)),
        to_come=float(effects.to_come.mean()) / total if total else 0.0,
        is_running=activity.is_running,
        last_seen=activity.last_seen,
    )


def _require_readable(model: StoredModel, channel: str) -> None:
    if is_lightweight(model.run.params):
        raise CannotRead(LIGHTWEIGHT)
    if "geos" in model.result["stored"]["panel"]:
        raise CannotRead(OF_GEOS)
    if channel not in model.panel.channels:
        raise CannotRead(ORGANIC.format(channel=channel))


def _shared_out(
    spend: CampaignSpend,
    inside: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    acting: npt.NDArray[np.bool_],
) -> tuple[Sequence[tuple[int, ...]], npt.NDArray[np.float64]]:
    """The campaigns to read, each as the ids that it holds, and their shares of the spend of each period (K, periods).

    `inside`: the rows of the period. `acting`: whether there is anything of the channel in each period. What acts
    without any spend is no campaign's.
    """
    groups = _groups(spend, inside)
    period = np.searchsorted(starts, spend.day[inside], side="right") - 1
    amounts = np.zeros((len(groups), len(starts)))
    for row, ids in enumerate(groups):
        mine = np.isin(spend.campaign[inside], ids)
        amounts[row] = np.bincount(period[mine], spend.spend[inside][mine], len(starts))
    total = amounts.sum(axis=0)
    shares = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    unspent = acting & (total == 0)
    if unspent.any():
        if (NO_CAMPAIGN,) not in groups:
            groups, shares = [*groups, (NO_CAMPAIGN,)], np.vstack([shares, np.zeros(len(starts))])
        shares[-1, unspent] = 1.0
    return groups, shares


def _groups(spend: CampaignSpend, inside: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Most spend first, the smallest campaigns as one, and last what names none."""
    ids, place = np.unique(spend.campaign[inside], return_inverse=True)
    totals = np.bincount(place, spend.spend[inside])
    by_spend = [int(ids[one]) for one in np.argsort(-totals, kind="stable") if ids[one] != NO_CAMPAIGN]
    groups = [(one,) for one in by_spend[:MOST_CAMPAIGNS]]
    rest = tuple(by_spend[MOST_CAMPAIGNS:])
    return [*groups, *([rest] if rest else []), *([(NO_CAMPAIGN,)] if NO_CAMPAIGN in ids else [])]


def _date(day: int | np.int64) -> dt.date:
    return EPOCH.date() + dt.timedelta(int(day))
