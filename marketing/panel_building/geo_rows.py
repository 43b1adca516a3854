"""What a panel of geos is built from: the rows of each geo, and those of all of them together as a nation's."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from marketing.frames import GeoPanel, Int64Column, MediaPanel
from marketing.panel_building.outcome import OutcomeByPeriod
from marketing.panel_building.rhythm import Calendar, added_up, weekday
from marketing.panel_building.rows import MEASURES, DaySeries, MediaRows, PanelProblem, PanelRemark, PanelRows

NO_GEO = ""  # of rows that are of all geos


@dataclass(frozen=True, slots=True, eq=False)
class LoadedGeoPanel:
    """A panel of geos, and what there is to say about how it came about."""

    panel: GeoPanel
    remarks: tuple[PanelRemark, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeoRows:
    """All that a panel of geos is built from, by the names of geos as rows bear them, NO_GEO for rows without one.

    `media`: all of the same channels and series. `controls`, `events`: by their names first; the days of an event as
    in `PanelRows`. `holidays`: those of all geos.

    Raises ValueError if the media of geos are not of the same channels and series.
    """

    outcome_name: str
    outcome: Mapping[str, DaySeries]
    media: Mapping[str, MediaRows]
    controls: Mapping[str, Mapping[str, DaySeries]] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Int64Column]] = field(default_factory=dict)
    holidays: Mapping[str, Int64Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        alike = {
            (media.channels, media.names, tuple(media.channel_of_series.tolist())) for media in self.media.values()
        }
        if len(alike) > 1:
            raise ValueError("The media of all geos must be of the same channels and series.")

    def require_usable(self) -> None:
        """Raise PanelProblem as `PanelRows.require_usable` does, and with the name of the geo."""
        for geo in sorted({*self.outcome, *self.media, *(geo for of in self.controls.values() for geo in of)}):
            with said_of(geo):
                PanelRows(
                    outcome=self.outcome.get(geo, series_of_all(self.outcome_name, ())),
                    outcome_geos=np.empty(0, np.int64),
                    media=self.media.get(geo, media_of_all(())),
                    controls=[of[geo] for of in self.controls.values() if geo in of],
                ).require_usable()

    def as_nation(self, geos: Collection[str]) -> PanelRows:
        """The outcome of these geos added up; the media, events and holidays of these and of all. No controls."""
        of_geos = [geo for geo in (NO_GEO, *geos) if geo in self.media]
        outcome = series_of_all(self.outcome_name, [self.outcome[geo] for geo in geos])
        return PanelRows(
            outcome=outcome,
            outcome_geos=np.ones(len(outcome.day), np.int64),  # what a geo lacks is said of the geo
            media=media_of_all([self.media[geo] for geo in of_geos]),
            events={name: event_days(by_geo, (NO_GEO, *geos)) for name, by_geo in self.events.items()},
            holidays=self.holidays,
        )

    def without_impressions(self, channels: Collection[str]) -> Self:
        """The same, as if nobody had counted the impressions of these channels."""
        return replace(self, media={geo: _without_impressions(media, channels) for geo, media in self.media.items()})


@dataclass(frozen=True, slots=True, eq=False)
class PanelPeriods:
    """The periods of a panel: numbers of the calendar, (N,) int64, the first `history` of them before the outcome."""

    calendar: Calendar
    period: Int64Column
    history: int

    @classmethod
    def of(cls, panel: MediaPanel) -> Self:
        calendar = Calendar(panel.granularity)
        if panel.granularity == "week":
            calendar = Calendar("week", int(weekday(panel.period_start[:1])[0]))
        return cls(calendar, calendar.period_of(panel.period_start), panel.history)

    @property
    def outcome(self) -> OutcomeByPeriod:
        """The periods of the outcome, none of them known yet."""
        period = self.period[self.history :]
        return OutcomeByPeriod(period, np.full(len(period), np.nan), None)


@contextmanager
def said_of(geo: str) -> Iterator[None]:
    """Let a problem say which geo it is about."""
    try:
        yield
    except PanelProblem as problem:
        if geo == NO_GEO:
            raise
        raise PanelProblem(problem.code, f"In “{geo}”: {problem.sentence}") from problem


def series_of_all(name: str, series: Sequence[DaySeries]) -> DaySeries:
    """The series added up by day, each sum rounded once."""
    if not series:
        return DaySeries(name, np.empty(0, np.int64), np.empty(0))
    day, group = np.unique(np.concatenate([one.day for one in series]), return_inverse=True)
    value = np.concatenate([one.value for one in series])
    return DaySeries(name, day, added_up(group=group, value=value, groups=len(day)))


def media_of_all(media: Sequence[MediaRows]) -> MediaRows:
    """Media of the same channels and series added up by series and day, each sum rounded once."""
    if not media:
        none = np.empty(0, np.int64)
        return MediaRows((), (), none, none, none, np.empty(0), np.empty(0), np.empty(0))
    days, day = np.unique(np.concatenate([one.day for one in media]), return_inverse=True)
    series = np.concatenate([one.series for one in media])
    width = max(len(days), 1)
    key, group = np.unique(series * width + day, return_inverse=True)
    spend, impressions, clicks = (
        added_up(group=group, value=np.concatenate([getattr(one, of) for one in media]), groups=len(key))
        for of in MEASURES
    )
    return replace(
        media[0], series=key // width, day=days[key % width], spend=spend, impressions=impressions, clicks=clicks
    )


def event_days(by_geo: Mapping[str, Int64Column], geos: Sequence[str]) -> Int64Column:
    """The days of an event in any of these geos, NO_GEO among them if it is named; in any order."""
    return np.concatenate([np.empty(0, np.int64), *(by_geo[geo] for geo in geos if geo in by_geo)])


def _without_impressions(media: MediaRows, channels: Collection[str]) -> MediaRows:
    blind = np.array([channel in channels for channel in media.channels], np.bool_)
    of_row = blind[media.channel_of_series[media.series]]
    return replace(media, impressions=np.where(of_row, 0.0, media.impressions))
