"""Rows of touches and outcomes, as tables outside the database hold them, made journeys.

All rows of a customer must be there; which other customers are does not matter. So a part of the customers gives the
journeys that it gives among all of them.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from marketing.frames import Conversions, Int64Column, Journeys, Touches
from marketing.journeys import build_journeys

# What `Rows.goal` says of an outcome: the goal that is asked about, the one that makes leads, or another.
ASKED_GOAL, LEAD_GOAL, OTHER_GOAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Cut:
    """How journeys are cut: as `build_journeys` has it, microseconds. `lead_goal`: a code, None where nobody asks."""

    period_start_us: int
    period_stop_us: int
    window_us: int
    lead_goal: int | None = None


def rows_schema(customer: pa.DataType) -> pa.Schema:
    """The columns of rows: touches and outcomes one below the other.

    `is_touch`: which of both. `customer`: text or a whole number. `at`: microseconds since 1970 UTC. `sequence`: what
    orders rows of one customer at one time. `code`: the traffic source of a touch, the goal of an outcome.
    `interaction`: of a touch. `value`, `converted`: of an outcome, account currency.
    """
    return pa.schema(
        [
            ("is_touch", pa.bool_()),
            ("customer", customer),
            ("at", pa.int64()),
            ("sequence", pa.int64()),
            ("code", pa.int32()),
            ("interaction", pa.int16()),
            ("value", pa.float64()),
            ("converted", pa.bool_()),
        ]
    )


def journeys_of_rows(*, rows: pa.Table, cut: Cut) -> Journeys:
    """Cut the journeys of rows, whose order changes nothing.

    `rows`: of `rows_schema`, without empty cells. Rows of one customer and time are ordered by `sequence`, then by
    `code`, outcomes then by value. Raises ValueError as `build_journeys` does.
    """
    is_touch = rows["is_touch"]
    return build_journeys(
        touches=_touches(rows.filter(is_touch)),
        conversions=_conversions(rows.filter(pc.invert(is_touch))),
        goal=ASKED_GOAL,
        period_start_us=cut.period_start_us,
        period_stop_us=cut.period_stop_us,
        window_us=cut.window_us,
        lead_goal=cut.lead_goal,
    )


def ids_of_customers(customer: pa.ChunkedArray) -> Int64Column:
    """The id of each customer, (R,) int64: whole numbers themselves, of text the first 63 bits of its BLAKE2b.

    Two of n customers share an id with probability about n**2 / 2**64: 5e-6 at ten million. Both then count as one.
    """
    if pa.types.is_integer(customer.type):
        return np.asarray(customer.to_numpy(), np.int64)
    encoded = customer.combine_chunks().dictionary_encode()
    digests = bytearray()
    for key in encoded.dictionary.to_pylist():
        digests += hashlib.blake2b(key.encode(), digest_size=8).digest()
    ids = (np.frombuffer(digests, ">u8") >> 1).astype(np.int64)
    return ids[encoded.indices.to_numpy()] if len(ids) else ids


def _touches(rows: pa.Table) -> Touches:
    ids = ids_of_customers(rows["customer"])
    order = np.lexsort((_column(rows, "code"), _column(rows, "sequence"), _column(rows, "at"), ids))
    ids = ids[order]
    begins = np.flatnonzero(np.concatenate([np.ones(min(len(ids), 1), np.bool_), ids[1:] != ids[:-1]]))
    return Touches(
        customer_ids=ids[begins],
        offsets=np.append(begins, len(ids)).astype(np.int64),
        touched_at=_column(rows, "at")[order],
        source=_column(rows, "code")[order].astype(np.uint32),
        interaction=_column(rows, "interaction")[order].astype(np.uint8),
    )


def _conversions(rows: pa.Table) -> Conversions:
    ids = ids_of_customers(rows["customer"])
    by = ("converted", "value", "code", "sequence", "at")
    order = np.lexsort((*(_column(rows, name) for name in by), ids))
    return Conversions(
        customer_ids=ids[order],
        converted_at=_column(rows, "at")[order],
        goal=_column(rows, "code")[order].astype(np.uint32),
        value=_column(rows, "value")[order],
        converted=_column(rows, "converted")[order],
    )


def _column(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    column: npt.NDArray[Any] = rows[name].to_numpy()
    return column
