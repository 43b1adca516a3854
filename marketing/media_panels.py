"""From the database to a media panel: the visible figures of a workspace by day, and the public holidays."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Avg, Count, FloatField, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.frames import Granularity, Int64Column
from marketing.models import ChannelSpend, ControlValue, Import, Outcome, OutcomeValue
from marketing.panel_building import (
    DaySeries,
    Exposure,
    LoadedPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    PanelRemark,
    PanelRows,
    build_panel,
)
from marketing.periods import EPOCH, day_number
from marketing.selectors import load_events

__all__ = ["LoadedPanel", "PanelProblem", "PanelRemark", "PanelRequest", "load_media_panel"]

DECIMALS = 6  # of an amount of money
ROWS_AT_ONCE = 10_000
LONGEST_MONTH = 31  # days that the last row of an outcome may speak for


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRequest:
    """The panel that is wanted.

    `start`, `end`: the first and the last day that the outcome may be of, None for all there are. `exposure`: what acts
    on people; "auto" is impressions where a channel has some in every period in which it has spend, else spend.
    `holiday_countries`: ISO 3166 codes. `bounds`: what the outcome can be at least and at most, if it does not add up
    over days; brand awareness is bounded by 0 and 1, or 0 and 100, in any case. `history_periods`: of how many periods
    before the outcome media are wanted, at most. `short_allowed`: too few periods are remarked on, not refused.
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


def load_media_panel(*, workspace: Workspace, request: PanelRequest) -> LoadedPanel:
    """Load the panel from the visible rows of a workspace; as many queries, however many rows there are.

    Geos are added up, those of a bounded outcome and of controls averaged; merged channels count for their target.
    Raises PanelProblem if the data do not allow a panel, or a country is not known, and ValueError for a negative
    number of periods or bounds that are none.
    """
    if request.start is not None and request.end is not None and request.start > request.end:
        raise PanelProblem("start_after_end", f"The period starts on {request.start}, after its end, {request.end}.")
    choice = PanelChoice(
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
    outcome, geos = _outcome(workspace, request.outcome, is_averaged=choice.is_bounded)
    first, last = _reach(outcome.day)
    return build_panel(
        rows=PanelRows(
            outcome=outcome,
            outcome_geos=geos,
            media=_media(workspace),
            controls=_controls(workspace),
            events=_events(workspace, first, last),
            holidays=holiday_days(countries=request.holiday_countries, start=first, end=last),
        ),
        choice=choice,
    )


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
    table = _table(rows, [("value", "f8"), ("geos", "i8")])
    return DaySeries(outcome.name, table["day"], table["value"]), table["geos"]


def _media(workspace: Workspace) -> MediaRows:
    """Media by day and by the channel that rows came with."""
    sums = {"spend_sum": Cast(Sum("spend"), FloatField()), "seen": Sum("impressions"), "clicked": Sum("clicks")}
    rows = (
        _visible(ChannelSpend, workspace)
        .values_list("date", "channel_id")
        .annotate(**{name: Coalesce(total, Value(0.0)) for name, total in sums.items()})
    )
    table = _table(rows, [("channel", "i8"), ("spend", "f8"), ("impressions", "f8"), ("clicks", "f8")])
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


def _controls(workspace: Workspace) -> list[DaySeries]:
    """Each control by day, in the order of their names."""
    rows = _visible(ControlValue, workspace).values_list("control__name", "date").annotate(mean=Avg("value"))
    found: dict[str, tuple[list[int], list[float]]] = {}
    for name, date, mean in rows.iterator(chunk_size=ROWS_AT_ONCE):
        days, values = found.setdefault(name, ([], []))
        days.append(day_number(date))
        values.append(mean)
    return [
        DaySeries(name, np.array(days, np.int64), np.array(values, np.float64))
        for name, (days, values) in sorted(found.items())
    ]


def _events(workspace: Workspace, first: dt.date, last: dt.date) -> dict[str, Int64Column]:
    """The days from `first` to `last` on which the events of each name are on, in the order of the names."""
    days: dict[str, list[Int64Column]] = {}
    for event in load_events(workspace=workspace, start=first, end=last):
        on = np.arange(day_number(max(event.start, first)), day_number(min(event.end, last)) + 1)
        days.setdefault(event.name, []).append(on)
    return {name: np.concatenate(days[name]) for name in sorted(days)}


def _table(rows: QuerySet[Any, Any], columns: list[tuple[str, str]]) -> Any:
    """Rows of a date and of numbers as a structured array, `day` first; days from 1970-01-01."""
    stream = rows.iterator(chunk_size=ROWS_AT_ONCE)
    return np.fromiter(((day_number(date), *numbers) for date, *numbers in stream), [("day", "i8"), *columns])
