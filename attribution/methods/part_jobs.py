"""What a worker's Python does with a part of the customers: rows in, packed arrays out. It knows no Django."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from attribution.methods.customer_rows import Cut, journeys_of_rows
from attribution.methods.partitions import Arrays, Asked, count_paths, pack, weigh_customers
from marketing.frames import Journeys

# The number of a part, and what was computed of it as `pack` writes it; in the words of Spark, and in those of Arrow.
PARTS = "part int, data binary"
ARROW_PARTS = pa.schema([("part", pa.int32()), ("data", pa.binary())])

Batches = Iterable[pa.RecordBatch]


def counting(*, asked: Asked, cut: Cut) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """Return what counts the paths of a part, for `DataFrame.mapInArrow`; see `count_paths`."""
    return _of_part(cut, lambda journeys: count_paths(journeys=journeys, asked=asked))


def weighing(*, asked: Asked, cut: Cut, passes: range) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """Return what weighs the customers of a part, for `DataFrame.mapInArrow`; see `weigh_customers`."""
    return _of_part(cut, lambda journeys: weigh_customers(journeys=journeys, asked=asked, passes=passes))


def _of_part(cut: Cut, compute: Callable[[Journeys], Arrays]) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """Return what computes a part; of one without any journey, nothing."""

    def of_part(batches: Batches) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context, found = TaskContext.get(), list(batches)
        if context is None or not found:
            return
        journeys = journeys_of_rows(rows=pa.Table.from_batches(found), cut=cut)
        del found
        if len(journeys):
            data = pack(compute(journeys))
            yield pa.RecordBatch.from_pydict({"part": [context.partitionId()], "data": [data]}, ARROW_PARTS)

    return of_part
