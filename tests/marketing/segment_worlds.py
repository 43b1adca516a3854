"""Small worlds for tests of segments, and what a segment holds of them by a loop over journeys and touches."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from marketing.frames import Conversions, Journeys, SourceLookup, Touches
from marketing.journeys import build_journeys
from marketing.segments.evaluation import Codes
from tests.marketing.rows import DAY_US, Outcome, conversions_from

CHANNELS = ("Email", "Search", "Display")
SOURCES = (0, 1, 2, 2)  # the channel of each traffic source: two of them are Display
ATTRIBUTES = {"Loyal": 11, "Fresh": 12}
INTERACTIONS = ("unspecified", "click", "impression")
GOAL = 5
CODES = Codes(
    channels={name.casefold(): frozenset([place]) for place, name in enumerate(CHANNELS)},
    attributes={name.casefold(): frozenset([pk]) for name, pk in ATTRIBUTES.items()},
)


class Seen(NamedTuple):
    """A touch in plain terms; `attribute` is a name or ""."""

    customer: int
    day: int
    source: int = 0
    attribute: str = ""
    interaction: int = 1


@dataclass(frozen=True)
class Market:
    """Rows, and the journeys to GOAL that end on the days from `first` to `last`."""

    touches: list[Seen]
    outcomes: list[Outcome]  # `at` is a day here
    first: int
    last: int
    window: int

    def frames(self) -> tuple[Journeys, Conversions]:
        conversions = conversions_from([one._replace(at=one.at * DAY_US) for one in self.outcomes])
        window_us = self.window * DAY_US
        journeys = build_journeys(
            touches=self._touches(), conversions=conversions, window_us=window_us, null_paths=True, **self.period()
        )
        return journeys, conversions

    def period(self) -> dict[str, int]:
        return {"goal": GOAL, "period_start_us": self.first * DAY_US, "period_stop_us": (self.last + 1) * DAY_US}

    def sorted_touches(self) -> list[Seen]:
        return sorted(self.touches, key=lambda touch: (touch.customer, touch.day))

    def _touches(self) -> Touches:
        rows = self.sorted_touches()
        ids, counts = np.unique(np.array([row.customer for row in rows], np.int64), return_counts=True)
        return Touches(
            customer_ids=ids,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            touched_at=np.array([row.day * DAY_US for row in rows], np.int64),
            source=np.array([row.source for row in rows], np.uint32),
            interaction=np.array([row.interaction for row in rows], np.uint8),
            segment=np.array([ATTRIBUTES.get(row.attribute, 0) for row in rows], np.uint32),
        )


def lookup() -> SourceLookup:
    return SourceLookup(
        channel=np.array(SOURCES, np.uint16),
        campaign=np.zeros(len(SOURCES), np.uint32),
        channels=CHANNELS,
        campaigns=("(not set)",),
        direct=np.zeros(len(CHANNELS), np.bool_),
    )


def by_hand(market: Market, definition: dict[str, Any]) -> list[bool]:
    """Whether the segment holds each journey, found by looking at one after the other.

    Journeys are gone through as `build_journeys` orders them, but what each one is (its customer, its touches, those
    before them) is found in the plain rows.
    """
    journeys, _ = market.frames()
    converting = iter(
        sorted(
            (
                row
                for row in market.outcomes
                if row.converted and row.goal == GOAL and market.first <= row.at <= market.last
            ),
            key=lambda row: (row.customer, row.at),
        )
    )
    rows = market.sorted_touches()
    chosen = []
    for place in range(len(journeys)):
        path = rows[journeys.start[place] : journeys.stop[place]]
        day = int(journeys.anchor_at[place]) // DAY_US
        outcome = next(converting) if journeys.converted[place] else None
        customer = outcome.customer if outcome else path[0].customer
        history = [row for row in rows if row.customer == customer and row.day <= day]
        before = [
            row
            for row in market.outcomes
            if row.customer == customer and row.converted and row.goal == GOAL and row.at < day
        ]
        value = outcome.value if outcome else None
        held = [_holds(one, path, history, bool(before), value) for one in definition["conditions"]]
        chosen.append((any if definition["match"] == "any" and held else all)(held))
    return chosen


def _holds(
    condition: dict[str, Any], path: list[Seen], history: list[Seen], is_returning: bool, value: float | None
) -> bool:
    return _holds_plainly(condition, path, history, is_returning, value) is not bool(condition.get("not"))


def _holds_plainly(
    condition: dict[str, Any], path: list[Seen], history: list[Seen], is_returning: bool, value: float | None
) -> bool:
    what = condition["type"]
    if what == "customer":
        return is_returning is (condition["is"] == "returning")
    if what == "touches":
        return bool(condition.get("at_least", 0) <= len(path) <= condition.get("at_most", float("inf")))
    if what == "value":
        return value is not None and bool(condition.get("at_least", 0) <= value < condition.get("below", float("inf")))
    every = "all_of" in condition
    names: list[str] = condition["all_of" if every else "any_of"]
    if what == "attribute":
        said = [row.attribute for row in history if row.attribute]
        has = set(said[-1:])
    elif what == "interactions":
        has = {INTERACTIONS[row.interaction] for row in path}
    else:
        rows = {"channels": path, "first_channel": path[:1], "acquired_by": history[:1]}[what]
        has = {CHANNELS[SOURCES[row.source]] for row in rows}
    return all(name in has for name in names) if every else any(name in has for name in names)


def markets() -> st.SearchStrategy[Market]:
    days = st.integers(0, 12)
    customers = st.integers(1, 4)
    touches = st.builds(
        Seen, customers, days, st.integers(0, len(SOURCES) - 1), st.sampled_from(["", *ATTRIBUTES]), st.integers(0, 2)
    )
    outcomes = st.builds(
        Outcome, customers, days, st.sampled_from([0.0, 10.0, 20.0, 35.5]), st.sampled_from([GOAL, GOAL, 9]),
        st.sampled_from([True, True, False]),
    )  # fmt: skip
    return st.builds(
        Market,
        st.lists(touches, max_size=14),
        st.lists(outcomes, max_size=8),
        st.integers(0, 5),
        st.integers(6, 12),
        st.integers(0, 9),
    )


def definitions(least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "match": st.sampled_from(["all", "any"]),
            "conditions": st.lists(_conditions(), min_size=least, max_size=4),
        }
    )


BANDS: list[dict[str, Any]] = [
    {"type": "touches", "at_least": 2},
    {"type": "touches", "at_most": 1},
    {"type": "touches", "at_least": 1, "at_most": 3},
    {"type": "value", "at_least": 10},
    {"type": "value", "below": 20},
    {"type": "value", "at_least": 10, "below": 35.5},
]


def _conditions() -> st.SearchStrategy[dict[str, Any]]:
    # Names that nothing bears are part of life: a channel that was deleted, an attribute that no row has.
    channels = st.lists(st.sampled_from([*CHANNELS, "Carrier pigeon"]), min_size=1, max_size=3)
    attributes = st.lists(st.sampled_from([*ATTRIBUTES, "Nobody"]), min_size=1, max_size=2)
    interactions = st.lists(st.sampled_from(INTERACTIONS), min_size=1, max_size=3)
    several = st.sampled_from(["any_of", "all_of"])
    plain = st.one_of(
        attributes.map(lambda names: {"type": "attribute", "any_of": names}),
        st.sampled_from(["new", "returning"]).map(lambda kind: {"type": "customer", "is": kind}),
        channels.map(lambda names: {"type": "first_channel", "any_of": names}),
        channels.map(lambda names: {"type": "acquired_by", "any_of": names}),
        st.builds(lambda key, names: {"type": "channels", key: names}, several, channels),
        st.builds(lambda key, names: {"type": "interactions", key: names}, several, interactions),
        st.sampled_from(BANDS),
    )
    return st.builds(lambda condition, negated: {**condition, "not": negated}, plain, st.booleans())
