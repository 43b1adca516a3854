"""Sorted rows out of unsorted ones, and one sorted whole out of several sorted parts."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from marketing.frames import Int64Column
from marketing.store.segments import Segment, SegmentWriter
from marketing.store.tables import KEY_COLUMNS, Columns, Table

PART_ROWS = 1 << 20  # rows merged in memory at a time
SAMPLE_ROWS = 1 << 15  # one row in so many is looked at to find where to cut


def sorted_rows(rows: Columns) -> Columns:
    """Order rows by customer, time and sequence."""
    order = np.lexsort((rows["at"], rows["customer"]))
    if _ties_out_of_order(rows, order):  # rare: rows come nearly always in the order of their sequence already
        order = np.lexsort((rows["sequence"], rows["at"], rows["customer"]))
    return {name: values[order] for name, values in rows.items()}


def _ties_out_of_order(rows: Columns, order: Int64Column) -> bool:
    customer, at, sequence = (rows[column.name][order] for column in KEY_COLUMNS)
    tied = (customer[1:] == customer[:-1]) & (at[1:] == at[:-1])
    return bool(np.any(tied & (sequence[1:] < sequence[:-1])))


def concatenated(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def merge_on_disk(
    *, table: Table, segments: Sequence[Segment], writer: SegmentWriter, on_progress: Callable[[float], None]
) -> None:
    """Write the rows of all segments in order, holding about `PART_ROWS` of them in memory at a time.

    Time is nearly linear: the sort of each part finds the runs that are sorted already.
    """
    segments = [segment for segment in segments if segment.rows]
    if not segments:
        return
    cuts = _cuts(segments)
    for number, ranges in enumerate(_customer_ranges(segments, cuts)):
        parts = [
            segment.rows_of_customers(table, first, stop)
            for segment, (first, stop) in zip(segments, ranges, strict=True)
        ]
        writer.append(sorted_rows(concatenated(parts)))
        on_progress((number + 1) / (len(cuts) + 1))


def _cuts(segments: Sequence[Segment]) -> Int64Column:
    """Customers at which to cut all segments, so that there are about `PART_ROWS` rows between one and the next."""
    samples = []
    for segment in segments:
        offsets, customer_ids = segment.column("offsets"), segment.column("customer_ids")
        rows = np.arange(SAMPLE_ROWS, segment.rows, SAMPLE_ROWS)
        samples.append(customer_ids[np.searchsorted(offsets, rows, side="right") - 1])
    ordered = np.sort(np.concatenate(samples))
    step = PART_ROWS // SAMPLE_ROWS
    return np.unique(ordered[step - 1 :: step])


def _customer_ranges(segments: Sequence[Segment], cuts: Int64Column) -> Iterator[list[tuple[int, int]]]:
    """For each part, the positions of its first customer and of the one after its last in each segment."""
    edges = []
    for segment in segments:
        inner = np.searchsorted(segment.column("customer_ids"), cuts, side="right")
        edges.append([0, *inner.tolist(), segment.customers])
    for part in range(len(cuts) + 1):
        yield [(edge[part], edge[part + 1]) for edge in edges]


def merge_in_memory(*, table: Table, segments: Sequence[Segment], names: Sequence[str]) -> Columns:
    """Columns of all segments as one: `customer_ids`, `offsets` and `names`, memory maps if there is one segment.

    The rows of the other segments are inserted into those of the first, the largest, in one linear pass.
    """
    base, *others = segments
    columns = {name: base.column(name) for name in ("customer_ids", "offsets", *names)}
    if not any(segment.rows for segment in others):
        return columns
    parts = [segment.rows_of_customers(table, 0, segment.customers) for segment in others]
    added = sorted_rows(concatenated(parts))
    columns |= {"at": base.column("at"), "sequence": base.column("sequence")}
    place = _insertion_points(columns, added) + np.arange(len(added["at"]))
    kept = np.ones(base.rows + len(place), np.bool_)
    kept[place] = False
    merged = _merged_customers(columns, added["customer"])
    for name in names:
        merged[name] = np.empty(len(kept), columns[name].dtype)
        merged[name][kept] = columns[name]
        merged[name][place] = added[name]
    return merged


def part_in_memory(*, table: Table, segments: Sequence[Segment], names: Sequence[str], below: int) -> Columns:
    """As `merge_in_memory`, but only customers with ids under `below`, and copied: for a small part of much."""
    parts = []
    for segment in segments:
        stop = int(np.searchsorted(segment.column("customer_ids"), below))
        parts.append(segment.rows_of_customers(table, 0, stop))
    rows = sorted_rows(concatenated(parts)) if len(parts) > 1 else parts[0]
    customer_ids, counts = np.unique(rows["customer"], return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return {"customer_ids": customer_ids, "offsets": offsets} | {name: rows[name] for name in names}


def _insertion_points(base: Columns, added: Columns) -> Int64Column:
    """Before which row of the base each added row belongs: a binary search among its customer's rows, all at once."""
    customer_ids, offsets = base["customer_ids"], base["offsets"]
    position = np.searchsorted(customer_ids, added["customer"])
    after = np.searchsorted(customer_ids, added["customer"], side="right")
    low, high = offsets[position], offsets[after]
    unsettled = np.flatnonzero(low < high)
    while len(unsettled):
        middle = (low[unsettled] + high[unsettled]) // 2
        at, sequence = base["at"][middle], base["sequence"][middle]
        wanted_at, wanted_sequence = added["at"][unsettled], added["sequence"][unsettled]
        earlier = (at < wanted_at) | ((at == wanted_at) & (sequence < wanted_sequence))
        low[unsettled] = np.where(earlier, middle + 1, low[unsettled])
        high[unsettled] = np.where(earlier, high[unsettled], middle)
        unsettled = unsettled[low[unsettled] < high[unsettled]]
    return low


def _merged_customers(base: Columns, added_customer: Int64Column) -> Columns:
    """`customer_ids` and `offsets` of the base's rows together with rows of these customers, which are sorted."""
    added_ids, added_rows = np.unique(added_customer, return_counts=True)
    place = np.searchsorted(base["customer_ids"], added_ids)
    is_new = place == np.searchsorted(base["customer_ids"], added_ids, side="right")
    customer_ids = np.insert(base["customer_ids"], place[is_new], added_ids[is_new])
    rows = np.insert(np.diff(base["offsets"]), place[is_new], 0)
    rows[np.searchsorted(customer_ids, added_ids)] += added_rows
    return {"customer_ids": customer_ids, "offsets": np.concatenate([[0], np.cumsum(rows)])}
