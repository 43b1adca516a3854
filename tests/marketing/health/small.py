"""Observations written by hand: what a check is held against where a demo world would say too much."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.health.checks import Observations
from marketing.health.checks.observations import (
    ChannelSeen,
    ClockCount,
    ConversionsSeen,
    GoalSeen,
    SeriesSeen,
    SourceSeen,
    SpendTally,
    TouchTally,
)

FIRST_DAY = 20_000  # 4 October 2024

Counts = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]


def small(
    days: int,
    *,
    types: Mapping[str, str] | None = None,
    touches: Mapping[str, Counts] | None = None,
    spend: Mapping[str, Amounts] | None = None,
    outcomes: Mapping[str, Amounts] | None = None,
    conversions: Counts | None = None,
    values: Amounts | None = None,
    untouched: Counts | None = None,
    clock: Mapping[str, tuple[int, int]] | None = None,
    **others: Any,
) -> Observations:
    """So many days of what is named, by channel or outcome; (D,) each, NaN for days without a row.

    `types`: of channels, paid without. `conversions`: to “Purchase”, one of `values` after the other, with a touch each
    but for `untouched` of a day. `clock`: touches before and after a sale. `others`: fields of Observations.
    """
    touches, spend, clock = touches or {}, spend or {}, clock or {}
    names = list(dict.fromkeys([*(types or {}), *touches, *spend, *clock]))
    counts = conversions if conversions is not None else np.zeros(days, np.int64)
    day = np.repeat(np.arange(days), counts)
    place_of_day = np.arange(len(day)) - np.searchsorted(day, day)
    lacking = untouched if untouched is not None else np.zeros(days, np.int64)
    return Observations(
        first_day=FIRST_DAY,
        yesterday=FIRST_DAY + days - 1,
        window_days=30,
        currency="EUR",
        channels=[ChannelSeen(name, (types or {}).get(name, "paid")) for name in names],
        sources=[SourceSeen(place, True, "", "", "All year") for place in range(len(names))],
        touches=_touches(names, touches),
        goals=[GoalSeen("Purchase", True)],
        conversions=ConversionsSeen(
            day + FIRST_DAY,
            np.zeros(len(day), np.int64),
            values if values is not None else np.full(len(day), 50.0),
            (place_of_day >= lacking[day]).astype(np.int64),
        ),
        clock=ClockCount(*np.array([clock.get(name, (0, 0)) for name in names], np.int64).reshape(-1, 2).T),
        spend=_spend(names, spend),
        outcomes=[
            SeriesSeen(name, np.flatnonzero(np.isfinite(amounts)) + FIRST_DAY, amounts[np.isfinite(amounts)])
            for name, amounts in (outcomes or {}).items()
        ],
        **others,
    )


def _touches(names: Sequence[str], touches: Mapping[str, Counts]) -> TouchTally:
    found = [
        (names.index(name), int(day), counts[day]) for name, counts in touches.items() for day in counts.nonzero()[0]
    ]
    table = np.array(found, np.int64).reshape(-1, 3)
    return TouchTally(table[:, 0], table[:, 1] + FIRST_DAY, table[:, 2])


def _spend(names: Sequence[str], spend: Mapping[str, Amounts]) -> SpendTally:
    known = {name: np.flatnonzero(np.isfinite(amounts)) for name, amounts in spend.items()}
    channel = np.repeat([names.index(name) for name in spend], [len(days) for days in known.values()])
    day = np.concatenate([np.empty(0, np.int64), *known.values()])
    amount = np.concatenate([np.empty(0), *(spend[name][days] for name, days in known.items())])
    unknown = np.full(len(day), np.nan)
    return SpendTally(channel.astype(np.int64), day + FIRST_DAY, amount, unknown, unknown)
