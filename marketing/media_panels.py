"""From the database to media panels: the visible figures of a workspace by day and geo, and the public holidays."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Avg, Count, FloatField, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.frames import Float64Column, Granularity, Int64Column
from marketing.left_out import LeftOut, left_out_of, remarks_on
from marketing.models import ChannelSpend, ControlValue, Import, Outcome, OutcomeValue
from marketing.panel_building import (
    MEASURES,
    DaySeries,
    Exposure,
    GeoRows,
    LoadedGeoPanel,
    LoadedPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    PanelRemark,
    PanelRows,
    build_geo_panel,
    build_panel,
)
from marketing.periods import EPOCH, day_number
from marketing.selectors import load_events

__all__ = [
    "LoadedGeoPanel",
    "LoadedPanel",
    "PanelProblem",
    "PanelRemark",
    "PanelRequest",
    "load_geo_panel",
    "load_media_panel",
]

DECIMALS = 6  # of an amount of money
ROWS_AT_ONCE = 10_000
MEDIA_COLUMNS = [("channel", "i8"), ("spend", "f8"), ("impressions", "f8"), ("clicks", "f8")]
LONGEST_MONTH = 31  # days that the last row of an outcome may speak for


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRequest:
    """The panel that is wanted.

    `start`, `end`: the first and the last day that the outcome may be of, None for all there are. `exposure`: what acts
    on people; "auto" is impressions where a channel has some in every period in which it has spend, else spend.
    `holiday_countries`: ISO 3166 codes. `bounds`: what the outcome can be at least and at most, if it does not add up
    over days; brand awareness is bounded by 0 and 1, or 0 and 100, in any case. `history_periods`: of how many periods
    before the outcome media are wanted, at most. `short_allowed`: too few periods are remarked on, not refused.
    `leave_out_channels`, `leave_out_controls`: names of channels, and of controls and events, that are to be as if they
    had never been imported; those of channels may be former ones. It is remarked on where there was something of them.
    """

    outcome: Outcome
    start: dt.date | None
    end: dt.date | None
    granularity: Granularity
    history_periods: int
    exposure: Exposure = "auto"
    holiday_countries: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    short_allowed: bool = False
    leave_out_channels: tuple[str, ...] = ()
    leave_out_controls: tuple[str, ...] = ()


def load_media_panel(*, workspace: Workspace, request: PanelRequest) -> LoadedPanel:
    """Load the panel from the visible rows of a workspace; as many queries, however many rows there are.

    Geos are added up, those of a bounded outcome and of controls averaged; merged channels count for their target.
    Raises PanelProblem if the data do not allow a panel, or a country is not known, and ValueError for a negative
    number of periods or bounds that are none.
    """
    choice = _choice(request)
    outcome, geos = _outcome(workspace, request.outcome, is_averaged=choice.is_bounded)
    first, last = _reach(outcome.day)
    left_out = _left_out(workspace, request)
    loaded = build_panel(
        rows=PanelRows(
            outcome=outcome,
            outcome_geos=geos,
            media=_media(workspace, left_out),
            controls=_controls(workspace, left_out),
            events=_events(workspace, left_out, first, last),
            holidays=holiday_days(countries=request.holiday_countries, start=first, end=last),
        ),
        choice=choice,
    )
    return replace(loaded, remarks=(*remarks_on(workspace, left_out, loaded.panel), *loaded.remarks))


def load_geo_panel(*, workspace: Workspace, request: PanelRequest) -> LoadedGeoPanel:
    """Load a panel of the geos that the outcome's visible rows name; as many queries, however many rows there are.

    Names of geos are the same if every letter is. Merged channels count for their target. Raises as `load_media_panel`
    does, and PanelProblem for an outcome with bounds, and for too few or too many geos.
    """
    choice = _choice(request)
    outcome = _outcome_by_geo(workspace, request.outcome)
    first, last = _reach(np.concatenate([np.empty(0, np.int64), *(series.day for series in outcome.values())]))
    left_out = _left_out(workspace, request)
    loaded = build_geo_panel(
        rows=GeoRows(
            outcome_name=request.outcome.name,
            outcome=outcome,
            media=_media_by_geo(workspace, left_out),
            controls=_controls_by_geo(workspace, left_out),
            events=_events_by_geo(workspace, left_out, first, last),
            holidays=holiday_days(countries=request.holiday_countries, start=first, end=last),
        ),
        choice=choice,
    )
    return replace(loaded, remarks=(*remarks_on(workspace, left_out, loaded.panel.panels[0]), *loaded.remarks))


def holiday_days(*, countries: Iterable[str], start: dt.date, end: dt.date) -> dict[str, Int64Column]:
    """The public holidays from `start` to `end`, both included, by name: days from 1970-01-01, ascending.

    A day is once under each name that it has in any of the countries; in English wherever there is an English name.
    Raises PanelProblem for a country that is not known.
    """
    codes = list(dict.fromkeys(code.strip().upper() for code in countries))
    if not codes:
        return {}
    import holidays  # takes a while, which a web process that only shows results need not spend

    known = holidays.list_supported_countries(include_aliases=False)
    days: dict[str, set[int]] = {}
    for code in codes:
        if code not in known:
            raise PanelProblem(
                "unknown_country",
                f"The holidays of “{code}” are not known. Choose a country by its two letters, like DE.",
            )
        languages = holidays.country_holidays(code).supported_languages
        english = [
            language for language in ("en_US", *languages) if language in languages and language.startswith("en")
        ]
        calendar = holidays.country_holidays(
            code, years=range(start.year, end.year + 1), language=english[0] if english else None
        )
        for day in calendar:
            if start <= day <= end:
                for name in calendar.get_list(day):
                    days.setdefault(_without_doubt(name), set()).add(day_number(day))
    return {name: np.array(sorted(days[name]), np.int64) for name in sorted(days)}


def _without_doubt(name: str) -> str:
    """The name of a holiday whose date was only estimated: the same as in years in which it is certain."""
    return name.replace(", estimated)", ")").replace(" (estimated)", "")


def _left_out(workspace: Workspace, request: PanelRequest) -> LeftOut:
    return left_out_of(workspace, channels=request.leave_out_channels, controls=request.leave_out_controls)


def _choice(request: PanelRequest) -> PanelChoice:
    if request.start is not None and request.end is not None and request.start > request.end:
        raise PanelProblem("start_after_end", f"The period starts on {request.start}, after its end, {request.end}.")
    return PanelChoice(
        granularity=request.granularity,
        start=None if request.start is None else day_number(request.start),
        end=None if request.end is None else day_number(request.end),
        exposure=request.exposure,
        is_money=request.outcome.is_money,
        is_share=request.bounds is None and request.outcome.kind == Outcome.Kind.BRAND_AWARENESS,
        bounds=request.bounds,
        history_periods=request.history_periods,
        short_allowed=request.short_allowed,
    )


def _reach(day: Int64Column) -> tuple[dt.date, dt.date]:
    """The first and the last day that periods of the outcome may hold."""
    first, last = (int(day.min()), int(day.max())) if len(day) else (0, 0)
    return EPOCH.date() + dt.timedelta(first), EPOCH.date() + dt.timedelta(last + LONGEST_MONTH)


def _visible(model: Any, workspace: Workspace) -> QuerySet[Any]:
    visible: QuerySet[Any] = model.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False
    )
    return visible.order_by()


def _outcome(workspace: Workspace, outcome: Outcome, *, is_averaged: bool) -> tuple[DaySeries, Int64Column]:
    """The outcome by day, and of how many geos each value is."""
    rows = (
        _visible(OutcomeValue, workspace)
        .filter(outcome=outcome)
        .values_list("date")
        .annotate(total=Avg("value") if is_averaged else Sum("value"), geos=Count("geo"))
    )
    table = _table(_stream(rows), [("value", "f8"), ("geos", "i8")])
    return DaySeries(outcome.name, table["day"], table["value"]), table["geos"]


def _outcome_by_geo(workspace: Workspace, outcome: Outcome) -> dict[str, DaySeries]:
    rows = _visible(OutcomeValue, workspace).filter(outcome=outcome).values_list("date", "geo", "value")
    table, parts = _by_geo(rows, [("value", "f8")])
    return {geo: DaySeries(outcome.name, table["day"][part], table["value"][part]) for geo, part in parts.items()}


def _media(workspace: Workspace, left_out: LeftOut) -> MediaRows:
    """Media by day and by the channel that rows came with."""
    sums = _media_sums(workspace, left_out, "date", "channel_id")
    return _media_rows(workspace, _table(_stream(sums), MEDIA_COLUMNS))


def _media_by_geo(workspace: Workspace, left_out: LeftOut) -> dict[str, MediaRows]:
    table, parts = _by_geo(_media_sums(workspace, left_out, "date", "geo", "channel_id"), MEDIA_COLUMNS)
    media = _media_rows(workspace, table)
    columns = ("series", "day", *MEASURES)
    return {
        geo: replace(media, **{column: getattr(media, column)[part] for column in columns})
        for geo, part in parts.items()
    }


def _media_sums(workspace: Workspace, left_out: LeftOut, *by: str) -> QuerySet[Any, Any]:
    sums = {"spend_sum": Cast(Sum("spend"), FloatField()), "seen": Sum("impressions"), "clicked": Sum("clicks")}
    totals = {name: Coalesce(total, Value(0.0)) for name, total in sums.items()}
    visible = left_out.without_channels(_visible(ChannelSpend, workspace))
    rows: QuerySet[Any, Any] = visible.values_list(*by).annotate(**totals)
    return rows


def _media_rows(workspace: Workspace, table: Any) -> MediaRows:
    """The rows of a table with the columns of media, in their order."""
    index = channel_index(workspace=workspace)  # read after the rows, so that it knows all of their channels
    present, series = np.unique(table["channel"], return_inverse=True)
    counted = [index.counted_for(pk) for pk in present.tolist()]
    channels = [pk for pk in index.channels if pk in set(counted)]
    place = {pk: number for number, pk in enumerate(channels)}
    return MediaRows(
        channels=tuple(index.channels[pk].name for pk in channels),
        names=tuple(index.channels[pk].name for pk in present.tolist()),
        channel_of_series=np.array([place[pk] for pk in counted], np.int64),
        series=series.astype(np.int64),
        day=table["day"],
        spend=table["spend"].round(DECIMALS),  # SQLite adds up floats: this is what the decimals add up to
        impressions=table["impressions"],
        clicks=table["clicks"],
    )


def _controls(workspace: Workspace, left_out: LeftOut) -> list[DaySeries]:
    """Each control by day, in the order of their names."""
    found = _control_series(workspace, left_out, "control__name")
    return [DaySeries(name, *found[name,]) for (name,) in sorted(found)]


def _controls_by_geo(workspace: Workspace, left_out: LeftOut) -> dict[str, dict[str, DaySeries]]:
    """Each control by geo and day, in the order of their names."""
    found = _control_series(workspace, left_out, "control__name", "geo")
    controls: dict[str, dict[str, DaySeries]] = {}
    for name, geo in sorted(found):
        controls.setdefault(name, {})[geo] = DaySeries(name, *found[name, geo])
    return controls


def _control_series(
    workspace: Workspace, left_out: LeftOut, *by: str
) -> dict[tuple[str, ...], tuple[Int64Column, Float64Column]]:
    """Days and the mean of each, for each control (and geo)."""
    visible = left_out.without_controls(_visible(ControlValue, workspace))
    rows = visible.values_list(*by, "date").annotate(mean=Avg("value"))
    found: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
    for *of, date, mean in _stream(rows):
        days, values = found.setdefault(tuple(of), ([], []))
        days.append(day_number(date))
        values.append(mean)
    return {of: (np.array(days, np.int64), np.array(values, np.float64)) for of, (days, values) in found.items()}


def _events(workspace: Workspace, left_out: LeftOut, first: dt.date, last: dt.date) -> dict[str, Int64Column]:
    """The days from `first` to `last` on which the events of each name are on, in the order of the names."""
    by_name = _events_by_geo(workspace, left_out, first, last)
    return {name: np.concatenate(list(by_geo.values())) for name, by_geo in by_name.items()}


def _events_by_geo(
    workspace: Workspace, left_out: LeftOut, first: dt.date, last: dt.date
) -> dict[str, dict[str, Int64Column]]:
    """The same for each geo."""
    days: dict[str, dict[str, list[Int64Column]]] = {}
    for event in load_events(workspace=workspace, start=first, end=last):
        if event.name in left_out.controls:
            continue
        on = np.arange(day_number(max(event.start, first)), day_number(min(event.end, last)) + 1)
        days.setdefault(event.name, {}).setdefault(event.geo, []).append(on)
    return {name: {geo: np.concatenate(on) for geo, on in days[name].items()} for name in sorted(days)}


def _stream(rows: QuerySet[Any, Any]) -> Iterator[Any]:
    return rows.iterator(chunk_size=ROWS_AT_ONCE)


def _table(rows: Iterable[Any], columns: list[tuple[str, str]]) -> Any:
    """Rows of a date and of numbers as a structured array, `day` first; days from 1970-01-01."""
    return np.fromiter(((day_number(date), *numbers) for date, *numbers in rows), [("day", "i8"), *columns])


def _by_geo(rows: QuerySet[Any, Any], columns: list[tuple[str, str]]) -> tuple[Any, dict[str, slice]]:
    """Rows of a date, a geo and of numbers as a structured array, and where in it the rows of each geo are."""
    codes: dict[str, int] = {}
    coded = ((date, codes.setdefault(geo, len(codes)), *numbers) for date, geo, *numbers in _stream(rows))
    table = _table(coded, [("geo", "i8"), *columns])
    ends = np.cumsum(np.bincount(table["geo"], minlength=len(codes))).tolist()
    parts = {geo: slice(start, end) for geo, start, end in zip(codes, [0, *ends], ends, strict=False)}
    return table[np.argsort(table["geo"], kind="stable")], parts
