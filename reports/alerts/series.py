"""What an alert watches, day by day, read from the daily cube: the same figures that the dashboard shows."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from accounts.models import Workspace
from attribution.catalogue import LAST_RESORT
from attribution.cube.daily_cube import DailyCube, latest_cube
from attribution.cube.kept_models import Models, choice_of, models_of, usual_model
from attribution.methods.cube import Cube
from marketing.channel_index import ChannelIndex, channel_index
from marketing.frames import Int64Column
from marketing.models import Channel, Goal
from marketing.periods import EPOCH, day_number, yesterday
from reports.alerts.reach import File, Reach, active_files, reach_of
from reports.models import Alert

Float64s = npt.NDArray[np.float64]
OVERALL_MODEL = "last"  # under every model the credit of all is the same; that of last touch adds up without rounding
DECIMALS = 9
CREDITED = (Alert.Metric.REVENUE, Alert.Metric.CONVERSIONS, Alert.Metric.ROAS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """A metric of every complete day, in order. `numerator`: (T,) float64; `denominator`: as many, for ROAS the spend.

    `first`: the first day with anything of it. `channel`: the one that counts, where the alert's has been merged.
    `model_label`: of the credit; "" for what no model is needed for. `yesterday`: up to which there could be days.
    `conversions_until`: after it, conversions are zero because none came; None for what needs none.
    `last_conversions_day`: the last with any.
    """

    first: dt.date
    numerator: Float64s
    denominator: Float64s | None
    channel: Channel | None
    goal: Goal | None
    model_label: str
    yesterday: dt.date
    conversions_until: dt.date | None = None
    last_conversions_day: dt.date | None = None

    @property
    def days(self) -> int:
        return len(self.numerator)

    @property
    def last(self) -> dt.date:
        """The last complete day."""
        return self.day(self.days - 1)

    @property
    def days_missing(self) -> int:
        """How many whole days there have been since the last one that is known."""
        return (self.yesterday - self.last).days

    def day(self, place: int) -> dt.date:
        return self.first + dt.timedelta(place)

    def place(self, day: dt.date) -> int:
        return (day - self.first).days

    def over(self, days: int) -> Float64s:
        """(T,) the metric of the last `days` days up to each; NaN where some are missing or nothing was spent."""
        above = _sums(self.numerator, days)
        if self.denominator is None:
            return above
        below = _sums(self.denominator, days)
        ratio: Float64s = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        return ratio


class SeriesReader:
    """Reads what alerts of a workspace watch, from its newest cube; as many queries whatever the number of alerts."""

    def __init__(self, workspace: Workspace, *, now: dt.datetime) -> None:
        self._workspace, self._until = workspace, yesterday(now=now, zone=workspace.zone)

    @cached_property
    def cube(self) -> DailyCube | None:
        _ = self._files  # read first: what comes in between is not in the cube
        return latest_cube(workspace=self._workspace, own=self._models.own)

    @cached_property
    def _files(self) -> Mapping[int, File]:
        return active_files(self._workspace)

    @cached_property
    def _reach(self) -> Reach:
        assert self.cube is not None  # noqa: S101 - asked for below it only
        return reach_of(
            cube=self.cube,
            files=self._files,
            channels=self._index.channels,
            zone=self._workspace.zone,
            yesterday=self._until,
        )

    @cached_property
    def _models(self) -> Models:
        return models_of(self._workspace)

    @cached_property
    def _index(self) -> ChannelIndex:
        return channel_index(workspace=self._workspace)

    @cached_property
    def _goals(self) -> Sequence[Goal]:
        return list(Goal.objects.filter(workspace=self._workspace).order_by("-is_default", "pk"))

    def series(self, alert: Alert) -> Series | None:
        """Return what the alert watches; None where there is nothing of it yet."""
        if self.cube is None:
            return None
        channel = None
        if alert.channel_id is not None:
            channel = self._index.channels[self._index.counted_for(alert.channel_id)]
        goal = self._goal(alert) if alert.metric in CREDITED else None
        is_credit = channel is not None and goal is not None
        model = self._model(self.cube.cube) if is_credit else OVERALL_MODEL
        spent, credited = self._columns(self.cube.cube, channel, goal, model)
        amounts = {
            Alert.Metric.SPEND: (spent,),
            Alert.Metric.REVENUE: (credited[0],),
            Alert.Metric.CONVERSIONS: (credited[1],),
            Alert.Metric.ROAS: (credited[0], spent),
        }[Alert.Metric(alert.metric)]
        first, last = self._begins(amounts), self._ends(alert, channel)
        if first is None or last is None or last < first:
            return None
        kept = slice(first - self._origin, last - self._origin + 1)
        return Series(
            first=EPOCH.date() + dt.timedelta(first),
            numerator=amounts[0][kept],
            denominator=amounts[1][kept] if len(amounts) > 1 else None,
            channel=channel,
            goal=goal,
            model_label=self._models.label(model) if is_credit else "",
            yesterday=self._until,
            conversions_until=self._reach.conversions_there if goal else None,
            last_conversions_day=self._reach.last_conversions_day if goal else None,
        )

    def _goal(self, alert: Alert) -> Goal | None:
        return next((goal for goal in self._goals if alert.goal_id in (None, goal.pk)), None)

    def _model(self, cube: Cube) -> str:
        """What the cube calls the workspace's default model: its newest version, an earlier one, or the last resort."""
        usual = usual_model(workspace=self._workspace, models=self._models)
        earlier = [name for name in cube.models if choice_of(name) == usual]
        newest = self._models.newest(usual)
        return next(name for name in (newest, *earlier, LAST_RESORT, OVERALL_MODEL) if name in cube.models)

    @cached_property
    def _origin(self) -> int:
        """The first day of anything."""
        assert self.cube is not None  # noqa: S101 - asked for below it only
        days = [rows.day for rows in self.cube.cube.credit.values()] + [self.cube.cube.spend.day]
        return min((int(each[0]) for each in days if len(each)), default=day_number(self._until))

    def _columns(
        self, cube: Cube, channel: Channel | None, goal: Goal | None, model: str
    ) -> tuple[Float64s, tuple[Float64s, Float64s]]:
        """Spend, and credited value and conversions, of every day from the origin to yesterday."""
        last = max(day_number(self._until), self._origin)
        part = cube.part(first_day=self._origin, last_day=last, goal=goal.pk if goal else 0)
        part = part.of_channel(channel.pk) if channel else part
        place = cube.models.index(model)

        def by_day(day: Int64Column, amounts: Float64s) -> Float64s:  # not `Part.by_day`, which sums every model
            return np.bincount(day - self._origin, amounts, last - self._origin + 1).astype(np.float64)

        credit = part.credit
        value, conversions = (by_day(credit.day, each[:, place]) for each in (credit.value, credit.conversions))
        return by_day(part.spend.day, part.spend.spend), (value, conversions)

    def _begins(self, amounts: Sequence[Float64s]) -> int | None:
        """The first day with anything in every amount: before it, a zero would be a day that nobody knows of."""
        firsts = [np.flatnonzero(amount) for amount in amounts]
        if any(not len(found) for found in firsts):
            return None
        return self._origin + max(int(found[0]) for found in firsts)

    def _ends(self, alert: Alert, channel: Channel | None) -> int | None:
        """The last day of which all is known that the metric needs."""
        reach, ends = self._reach, list[dt.date | None]()
        if alert.metric in CREDITED:
            ends += [reach.conversions, *([reach.touches] if channel else [])]
        if alert.metric in (Alert.Metric.SPEND, Alert.Metric.ROAS):
            ends.append(reach.spend(self._index.counting_for(channel.pk) if channel else None))
        known = [day_number(day) for day in ends if day is not None]
        return min(known) if len(known) == len(ends) else None


def _sums(values: Float64s, days: int) -> Float64s:
    """(T,) the sum of each day and those before it, `days` in all; NaN where there are not as many."""
    found = np.full(len(values), np.nan)
    if len(values) >= days:
        sums = np.lib.stride_tricks.sliding_window_view(values, days).sum(axis=1)
        found[days - 1 :] = np.round(sums, DECIMALS)  # three times 0.1 is not more than 0.3
    return found
