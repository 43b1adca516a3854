"""The numbers of the dashboard and its detail pages, read from the daily cube; no wording, no formatting."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from accounts.models import Workspace
from attribution.labels import NONE
from attribution.methods.cube import NO_CAMPAIGN, UNTOUCHED, Cube, Part, Sums
from charts import Colour, channel_colour
from marketing.channel_index import ChannelIndex, channel_index
from marketing.experiments import MeasuredLift, measured_lifts
from marketing.models import Campaign, Channel
from marketing.periods import Period, day_number
from reports.data_driven import DataDriven, newest_data_driven
from reports.media_mix import MediaMix, newest_media_mix
from reports.state import DashboardState

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
# Groups that are no channel or campaign: touches without a campaign, and conversions without a touch.
NO_CAMPAIGN_KEY, UNTOUCHED_KEY = NO_CAMPAIGN, UNTOUCHED
OTHERS_KEY = -2
MOST_GROUPS = 200
DAYS_OF_52_WEEKS = 364  # a season earlier, on the same weekdays


@dataclass(frozen=True, slots=True)
class Measures:
    """What a period, a channel or a campaign brought under one attribution model, and what was spent on it."""

    conversions: float
    revenue: float
    spend: float

    @property
    def roas(self) -> float | None:
        """Revenue for each unit of spend; None where nothing was spent."""
        return self.revenue / self.spend if self.spend > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A channel or a campaign. `revenue_by_model`: credited under each model; `before`: in the compared period.

    `is_mixed`: several of them, among which spend that models can credit and spend that none can.
    """

    key: int
    name: str
    colour: Colour
    now: Measures
    before: Measures | None
    revenue_by_model: Mapping[str, float]
    is_mixed: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether any model credits it, now or in the compared period: what leaves no touches is credited by none."""
        return any(self.revenue_by_model.values()) or bool(self.before and self.before.revenue)

    @property
    def roas(self) -> float | None:
        """Credited revenue for each unit of spend; None where models cannot know it, or nothing was spent."""
        return self.now.roas if self.is_seen and not self.is_mixed else None

    @property
    def roas_before(self) -> float | None:
        """The same in the compared period."""
        return self.before.roas if self.before and self.is_seen and not self.is_mixed else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Daily:
    """Figures of each day of a period: (T,) float64 each."""

    period: Period
    spend: Float64s
    revenue: Float64s
    conversions: Float64s

    @property
    def days(self) -> Sequence[dt.date]:
        return self.period.dates()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """The daily figures of a period, of what it is compared with, and of the same season a year earlier."""

    now: Daily
    before: Daily | None
    year_before: Daily | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a page is about: everything, one channel or one campaign. Its figures now and in the compared period.

    `channels`, `campaigns`: what it is made of, by credited revenue; empty where that makes no sense. `lifts`: what
    experiments measured. `data_driven`: what a run has credited channels with in the same period, if there is one.
    `media_mix`: what the newest media mix model says they returned, in its own period.
    """

    now: Measures
    before: Measures | None
    revenue_by_model: Mapping[str, float]
    history: History
    channels: Sequence[Group] = ()
    campaigns: Sequence[Group] = ()
    lifts: Sequence[MeasuredLift] = ()
    data_driven: DataDriven | None = None
    media_mix: MediaMix | None = None
    is_everything: bool = False

    @property
    def has_roas(self) -> bool:
        """Whether its ROAS can be known: of everything it is blended, of a part models have to credit it."""
        return self.is_everything or any(self.revenue_by_model.values()) or bool(self.before and self.before.revenue)

    @property
    def roas(self) -> float | None:
        """Revenue for each unit of spend; None where models cannot know it, or nothing was spent."""
        return self.now.roas if self.has_roas else None

    @property
    def roas_before(self) -> float | None:
        """The same in the compared period."""
        return self.before.roas if self.before and self.has_roas else None


def largest(groups: Sequence[Group], most: int) -> list[Group]:
    """The groups with the largest share of revenue or of spend, whichever is larger, in the order given.

    So nobody's largest spender is left out because it leaves no touches.
    """
    places = _prominent([group.now.revenue for group in groups], [group.now.spend for group in groups], most)
    return [groups[place] for place in sorted(places.tolist())]


def _prominent(revenue: Sequence[float] | Float64s, spend: Sequence[float] | Float64s, most: int) -> Int64s:
    """The places of so many with the largest share of either, of equal ones the first."""
    shares = [np.asarray(amounts, np.float64) for amounts in (revenue, spend)]
    largest_share = np.max([each / max(float(each.sum()), 1e-300) for each in shares], axis=0)
    return np.argsort(-largest_share, kind="stable")[:most]


class Reader:
    """Reads a page's figures from the daily cube, with as many queries whatever the amount of data."""

    def __init__(self, workspace: Workspace, cube: Cube, state: DashboardState, *, window_days: int = 0) -> None:
        """`state`: with a model that the cube holds. `window_days`: the cube's; the workspace's if it is 0."""
        self._workspace, self._cube, self._goal = workspace, cube, state.goal
        self._model = cube.models.index(state.model)
        # An older cube may hold models that have been archived since.
        self._offered = [place for place, name in enumerate(cube.models) if state.models.is_offered(name)]
        self._period, self._compared = state.choice.period, state.choice.compared
        self._window_days = window_days or workspace.window_days

    @cached_property
    def _index(self) -> ChannelIndex:
        return channel_index(workspace=self._workspace)

    def overview(self) -> Subject:
        """Everything, by channel and by campaign."""
        found = newest_data_driven(
            self._workspace,
            period=self._period,
            goal=self._goal.name,
            window_days=self._window_days,
            index=self._index,
        )
        subject = self._subject(lambda part: part, overall=True, channels=True, campaigns=True)
        return replace(subject, data_driven=found, media_mix=newest_media_mix(self._workspace, index=self._index))

    def channel(self, channel: Channel) -> Subject:
        """One channel, by campaign."""
        return self._subject(lambda part: part.of_channel(channel.pk), campaigns=True, only=channel)

    def campaign(self, campaign: Campaign) -> Subject:
        """One campaign, by the channels that it runs on."""
        return self._subject(lambda part: part.of_campaign(campaign.pk), channels=True, with_lifts=False)

    def _subject(
        self,
        cut: Callable[[Part], Part],
        *,
        overall: bool = False,
        channels: bool = False,
        campaigns: bool = False,
        only: Channel | None = None,
        with_lifts: bool = True,
    ) -> Subject:
        now, before = self._part(self._period, cut), self._part(self._compared, cut)
        assert now is not None  # noqa: S101 - there is always a period
        # Under every model the credit of all together is what there is; that of last touch adds up without rounding.
        model = self._cube.models.index("last") if overall else self._model
        total = now.total()
        return Subject(
            now=_measures(total, 0, model),
            before=_measures(before.total(), 0, model) if before else None,
            revenue_by_model=self._by_model(total),
            history=self._history(cut, model),
            channels=self._channels(now, before) if channels else (),
            campaigns=self._campaigns(now, before) if campaigns else (),
            lifts=measured_lifts(self._workspace, only=only, index=self._index) if with_lifts else (),
            is_everything=overall,
        )

    def _part(self, period: Period | None, cut: Callable[[Part], Part]) -> Part | None:
        if period is None:
            return None
        first, last = day_number(period.start), day_number(period.end)
        return cut(self._cube.part(first_day=first, last_day=last, goal=self._goal.pk))

    def _history(self, cut: Callable[[Part], Part], model: int) -> History:
        year_before = self._period.shifted(-DAYS_OF_52_WEEKS)
        return History(
            now=self._daily(self._period, cut, model),
            before=self._daily(self._compared, cut, model) if self._compared else None,
            year_before=self._daily(year_before, cut, model) if self._reaches_back_to(year_before.start) else None,
        )

    def _reaches_back_to(self, day: dt.date) -> bool:
        """Whether there are conversions or spend as early as that: else its days are unknown, not zero."""
        firsts = [
            int(rows.day[0])
            for rows in (self._cube.credit.get(self._goal.pk), self._cube.spend)
            if rows and len(rows.day)
        ]
        return bool(firsts) and min(firsts) <= day_number(day)

    def _daily(self, period: Period, cut: Callable[[Part], Part], model: int) -> Daily:
        part = self._part(period, cut)
        assert part is not None  # noqa: S101 - it has a period
        days = part.by_day()
        return Daily(
            period=period, spend=days.spend, revenue=days.value[:, model], conversions=days.conversions[:, model]
        )

    def _channels(self, now: Part, before: Part | None) -> list[Group]:
        sums, compared = now.by_channel(), before.by_channel() if before else None
        names = {pk: (each.name, channel_colour(each.colour_slot)) for pk, each in self._index.channels.items()}
        return self._groups(sums, compared, lambda _keys: names)

    def _campaigns(self, now: Part, before: Part | None) -> list[Group]:
        sums, compared = now.by_campaign(), before.by_campaign() if before else None

        def names(keys: Sequence[int]) -> dict[int, tuple[str, Colour]]:
            found = Campaign.objects.filter(workspace=self._workspace, pk__in=keys).values_list("pk", "name")
            return {pk: (name, Colour.ACCENT) for pk, name in found}

        return self._groups(sums, compared, names)

    def _groups(
        self, sums: Sums, compared: Sums | None, names: Callable[[Sequence[int]], Mapping[int, tuple[str, Colour]]]
    ) -> list[Group]:
        """The groups by credited revenue, then spend; those beyond the largest are added up as one."""
        order = np.lexsort((sums.spend, sums.value[:, self._model]))[::-1]
        prominent = _prominent(sums.value[order, self._model], sums.spend[order], MOST_GROUPS)
        is_kept = np.isin(np.arange(len(order)), prominent)
        kept, rest = order[is_kept], order[~is_kept]
        known = {**names(sums.key[kept].tolist()), **_NOT_NAMED}
        places = {} if compared is None else {int(key): place for place, key in enumerate(compared.key)}
        groups = []
        for place in kept.tolist():
            key = int(sums.key[place])
            name, colour = known.get(key, _REMOVED)
            before = None if compared is None else _before(compared, places.get(key), self._model)
            groups.append(self._group(key, name, colour, _row(sums, place), before))
        if len(rest):
            before = None
            if compared is not None:
                later = [places[key] for key in sums.key[rest].tolist() if key in places]
                before = _measures(_added_up(compared, np.array(later, np.int64)), 0, self._model)
            name = f"{len(rest):,} others"
            others = self._group(OTHERS_KEY, name, Colour.OTHER, _added_up(sums, rest), before)
            credited = sums.value[rest][:, self._offered].any(axis=1)
            groups.append(replace(others, is_mixed=bool((sums.spend[rest] > 0)[~credited].any() and credited.any())))
        return groups

    def _group(self, key: int, name: str, colour: Colour, sums: Sums, before: Measures | None) -> Group:
        return Group(
            key=key,
            name=name,
            colour=colour,
            now=_measures(sums, 0, self._model),
            before=before,
            revenue_by_model=self._by_model(sums),
        )

    def _by_model(self, sums: Sums) -> dict[str, float]:
        """The value of the only group under each model that can be chosen."""
        return {self._cube.models[place]: float(sums.value[0, place]) for place in self._offered}


def _before(compared: Sums, place: int | None, model: int) -> Measures:
    return Measures(0.0, 0.0, 0.0) if place is None else _measures(compared, place, model)


def _row(sums: Sums, place: int) -> Sums:
    return _added_up(sums, np.array([place]))


def _added_up(sums: Sums, places: npt.NDArray[np.int64]) -> Sums:
    """These groups as one."""
    return Sums(
        np.zeros(1, np.int64),
        sums.conversions[places].sum(axis=0, keepdims=True),
        sums.value[places].sum(axis=0, keepdims=True),
        sums.spend[places].sum(keepdims=True),
    )


def _measures(sums: Sums, place: int, model: int) -> Measures:
    return Measures(
        conversions=float(sums.conversions[place, model]),
        revenue=float(sums.value[place, model]),
        spend=float(sums.spend[place]),
    )


_NOT_NAMED = {
    NO_CAMPAIGN_KEY: ("(not set)", Colour.OTHER),
    UNTOUCHED_KEY: (NONE, Colour.OTHER),
}
_REMOVED = ("(removed)", Colour.OTHER)  # since the cube was computed
