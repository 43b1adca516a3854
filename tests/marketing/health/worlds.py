"""Demo worlds, clean and with planted faults, as data health sees them once they are imported.

The tallies are made from the frames by pandas, not by the product's own code, so that the two can be held against each
other (test_gathering).
"""

import datetime as dt
import zoneinfo
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketing.demo import DemoWorld, build_world
from marketing.demo.faults import Planted, plant
from marketing.frames import Conversions, Touches
from marketing.grouping import CHANNEL_TYPES, classify
from marketing.health.checks import Observations
from marketing.health.checks.observations import (
    ChannelSeen,
    GoalSeen,
    ImportSeen,
    SeriesSeen,
    SourceSeen,
    SpendTally,
)
from marketing.health.checks.tallying import count_around, see_conversions, tally_touches
from marketing.periods import day_number, start_of_day_us

YESTERDAY = dt.date(2026, 11, 24)
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
TOUCH_KEY = ["customer", "occurred_at", "channel", "source", "medium", "campaign", "interaction"]


@cache
def clean_world(seed: int = 7, days: int = 730) -> DemoWorld:
    """A demo world that ends yesterday."""
    return build_world(YESTERDAY, seed=seed, days=days)


def world_with(*faults: str, seed: int = 7, days: int = 730) -> tuple[DemoWorld, list[Planted]]:
    return plant(clean_world(seed, days), *faults)


def observe(world: DemoWorld, *, window_days: int = 30) -> Observations:
    """The world as data health sees it after its import into a workspace of its own."""
    first = min(world.spend["date"].min(), world.outcomes["date"].min()).date()
    axis = pd.date_range(first, YESTERDAY)
    starts = np.array([start_of_day_us(day.date(), ZONE) for day in [*axis, axis[-1] + pd.Timedelta(1, "D")]])
    repeated = world.touchpoints.duplicated(TOUCH_KEY)
    rows = world.touchpoints[~repeated].fillna({"channel": "", "source": "", "medium": "", "campaign": ""})
    said = ["channel", "source", "medium", "campaign"]
    described = rows[said].drop_duplicates(ignore_index=True)
    rows = rows.assign(position=_positions(rows[said], described))
    described["group"] = [
        channel or classify(source, medium, campaign)
        for channel, source, medium, campaign in described.itertuples(index=False)
    ]
    types: dict[str, str] = dict(world.channels.itertuples(index=False))
    names = list(dict.fromkeys([*world.channels["channel"], *described["group"], *world.spend["channel"]]))
    channels = [ChannelSeen(name, types.get(name) or CHANNEL_TYPES.get(name, "paid")) for name in names]
    place = {name: position for position, name in enumerate(names)}
    sources = [
        SourceSeen(place[group], bool(channel), source, medium, campaign)
        for channel, source, medium, campaign, group in described.itertuples(index=False)
    ]
    touches, conversions, goals = _frames(rows, world.conversions)
    channel_of_source = np.array([source.channel for source in sources], np.int64)
    first_day = day_number(first)
    return Observations(
        first_day=first_day,
        yesterday=day_number(YESTERDAY),
        window_days=window_days,
        currency="EUR",
        channels=channels,
        sources=sources,
        touches=tally_touches(
            touches=touches,
            day_starts=starts,
            first_day=first_day,
            position_of_source=np.arange(len(sources)),
        ),
        goals=[GoalSeen(name, name == "Purchase") for name in goals],
        conversions=see_conversions(
            touches=touches,
            conversions=conversions,
            day_starts=starts,
            first_day=first_day,
            window_days=window_days,
        ),
        clock=count_around(
            touches=touches,
            conversions=conversions,
            is_sale=np.array([name == "Purchase" for name in goals]),
            channel_of_source=channel_of_source,
            channels=len(channels),
        ),
        spend=_spend(world.spend, place),
        booked={
            campaign.lower(): place[channel]
            for channel, campaign in world.spend[["channel", "campaign"]].dropna().itertuples(index=False)
        },
        outcomes=_series(world.outcomes, "outcome"),
        controls=_series(world.controls, "control"),
        imports=_imports(world, repeated),
    )


def _positions(rows: pd.DataFrame, described: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Of each row the position of the description that is the same in every column."""
    code = np.zeros(len(rows) + len(described), np.int64)
    for column in described:
        codes, _ = pd.factorize(pd.concat([rows[column], described[column]]))
        code = code * (codes.max() + 1) + codes
    known, asked = pd.Index(code[len(rows) :]), pd.Index(code[: len(rows)])
    return np.asarray(known.get_indexer(asked), np.int64)


def _frames(rows: pd.DataFrame, conversions: pd.DataFrame) -> tuple[Touches, Conversions, list[str]]:
    keys = pd.Index(sorted({*rows["customer"], *conversions["customer"]}))
    source = rows["position"].to_numpy()
    at, customer = _microseconds(rows["occurred_at"]), keys.get_indexer(rows["customer"])
    order = np.lexsort((at, customer))
    ids, counts = np.unique(customer[order], return_counts=True)
    touches = Touches(
        customer_ids=ids.astype(np.int64),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        touched_at=at[order],
        source=source[order].astype(np.uint32),
        interaction=np.zeros(len(order), np.uint8),
    )
    goals = list(dict.fromkeys(conversions["goal"]))
    at, customer = _microseconds(conversions["occurred_at"]), keys.get_indexer(conversions["customer"])
    order = np.lexsort((at, customer))
    return (
        touches,
        Conversions(
            customer_ids=customer[order].astype(np.int64),
            converted_at=at[order],
            goal=conversions["goal"].map(goals.index).to_numpy()[order].astype(np.uint32),
            value=conversions["value"].to_numpy()[order].astype(np.float64),
            converted=np.ones(len(order), np.bool_),
        ),
        goals,
    )


def _microseconds(moments: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)


def _days(dates: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _spend(spend: pd.DataFrame, place: dict[str, int]) -> SpendTally:
    by_day = spend.groupby(["channel", "date"], as_index=False)[["spend", "impressions", "clicks"]].sum()
    return SpendTally(
        channel=by_day["channel"].map(place).to_numpy().astype(np.int64),
        day=_days(by_day["date"]),
        spend=by_day["spend"].to_numpy().astype(np.float64),
        impressions=by_day["impressions"].to_numpy().astype(np.float64),
        clicks=by_day["clicks"].to_numpy().astype(np.float64),
    )


def _series(table: pd.DataFrame, column: str) -> list[SeriesSeen]:
    return [
        SeriesSeen(
            str(name),
            _days(rows.sort_values("date")["date"]),
            rows.sort_values("date")["value"].to_numpy().astype(np.float64),
            is_money=name == "Sales",
        )
        for name, rows in table.groupby(column)
    ]


def _imports(world: DemoWorld, repeated: "pd.Series[bool]") -> list[ImportSeen]:
    days = world.touchpoints["occurred_at"].dt.tz_convert(ZONE).dt.tz_localize(None)
    again = _days(days[repeated])
    if not len(again):
        return []
    at = world.touchpoints["occurred_at"]
    counted = int((~repeated & at.between(at[repeated].min(), at[repeated].max())).sum())
    return [ImportSeen("touchpoints", "touchpoints.csv", len(again), counted, int(again.min()), int(again.max()))]
