"""Column frames from plain rows, for tests that say what they mean row by row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from marketing.frames import Conversions, Journeys, Touches

DAY_US = 86_400_000_000


class Touch(NamedTuple):
    customer: int
    at: int
    source: int = 0


class Outcome(NamedTuple):
    customer: int
    at: int
    value: float = 0.0
    goal: int = 0
    converted: bool = True


class JourneyRow(NamedTuple):
    """A journey in plain terms; `touches` are positions in the sorted touches."""

    customer: int
    anchor_at: int
    converted: bool
    value: float
    touches: tuple[int, ...]


def touches_from(rows: Sequence[Touch]) -> Touches:
    rows = sorted(rows, key=lambda row: (row.customer, row.at))
    ids, counts = np.unique(np.array([row.customer for row in rows], np.int64), return_counts=True)
    return Touches(
        customer_ids=ids,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        touched_at=np.array([row.at for row in rows], np.int64),
        source=np.array([row.source for row in rows], np.uint32),
        interaction=np.zeros(len(rows), np.uint8),
    )


def conversions_from(rows: Sequence[Outcome]) -> Conversions:
    rows = sorted(rows, key=lambda row: (row.customer, row.at))
    return Conversions(
        customer_ids=np.array([row.customer for row in rows], np.int64),
        converted_at=np.array([row.at for row in rows], np.int64),
        goal=np.array([row.goal for row in rows], np.uint32),
        value=np.array([row.value for row in rows], np.float64),
        converted=np.array([row.converted for row in rows], np.bool_),
    )


def journeys_from(paths: Sequence[JourneyRow], touches: Touches, *, leads: Sequence[int] | None = None) -> Journeys:
    """Journeys whose paths are contiguous; `JourneyRow.customer` is the dense index here. `leads`: times by journey."""
    return Journeys(
        touches=touches,
        start=np.array([min(path.touches, default=0) for path in paths], np.int64),
        stop=np.array([max(path.touches, default=-1) + 1 for path in paths], np.int64),
        customer=np.array([path.customer for path in paths], np.int64),
        customers=max((path.customer for path in paths), default=-1) + 1,
        anchor_at=np.array([path.anchor_at for path in paths], np.int64),
        converted=np.array([path.converted for path in paths], np.bool_),
        value=np.array([path.value for path in paths], np.float64),
        lead_at=None if leads is None else np.array(leads, np.int64),
    )
