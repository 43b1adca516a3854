"""Rows in the order of lists: the newest import first, and within one the last row first.

Each table of rows has an index by import and id, so that any place of a list is found at once, however long the list,
and stays where it is while rows arrive.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from django.db.models import QuerySet

from marketing.models import Import, ImportedRow

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = QuerySet[Any, Row]

FIRST_IMPORTS, MOST_IMPORTS = 50, 5_000  # of a query: most pages need a few, and SQLite takes 32,766 parameters
ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """A row beside which a list goes on: the id of its import, and its own."""

    batch: int
    row: int

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(row["batch_id"], row["id"])

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that `str` wrote. Raises ValueError."""
        batch, row = (int(part) for part in text.split("-"))
        if not (0 < batch < 2**63 and 0 < row < 2**63):
            raise ValueError(f"“{text}” is no place.")
        return cls(batch, row)

    def __str__(self) -> str:
        return f"{self.batch}-{self.row}"


def walk(
    rows: Rows, imports: QuerySet[Import], *, most: int, beside: Place | None = None, backwards: bool = False
) -> list[Row]:
    """Return up to `most` of the `rows` of these imports, in the order of lists (`backwards`: in the other one).

    `rows` have `id` and `batch_id` among their values. `beside`: only what comes after this place; it may be gone.
    """
    found: list[Row] = []
    for batches in _batches(imports, beside, backwards=backwards):
        if beside is not None and batches[0] == beside.batch:
            found += _of_one(rows, batches.pop(0), beside, backwards=backwards)[:most]
        if len(found) < most and len(batches) == 1:
            found += _of_one(rows, batches[0], None, backwards=backwards)[: most - len(found)]
        elif len(found) < most and batches:
            found += _ordered(rows.filter(batch__in=batches), backwards=backwards)[: most - len(found)]
        if len(found) == most:
            break
    return found


def stream(rows: Rows, imports: QuerySet[Import]) -> Iterator[list[Row]]:
    """Yield all of the rows, some at a time, in the order of lists. No query is open meanwhile."""
    beside = None
    while some := walk(rows, imports, most=ROWS_AT_ONCE, beside=beside):
        yield some
        if len(some) < ROWS_AT_ONCE:
            return
        beside = Place.of(some[-1])


def _batches(imports: QuerySet[Import], beside: Place | None, *, backwards: bool) -> Iterator[list[int]]:
    """Yield the ids of the imports in the order of lists, from that of the place on; ever more at a time."""
    ids = imports.order_by("pk" if backwards else "-pk").values_list("pk", flat=True)
    beyond, size = "pk__gt" if backwards else "pk__lt", FIRST_IMPORTS
    left = ids if beside is None else ids.filter(**{f"{beyond}e": beside.batch})
    while batches := list(left[:size]):
        last, is_last = batches[-1], len(batches) < size
        yield batches
        if is_last:
            return
        left, size = ids.filter(**{beyond: last}), min(size * 10, MOST_IMPORTS)


def _of_one(rows: Rows, batch: int, beside: Place | None, *, backwards: bool) -> Rows:
    """The rows of one import, beside the place.

    They are bounded at both ends, as PostgreSQL may look for them by their ids alone; and not twice at either end, as
    SQLite would begin at whichever bound it pleases.
    """
    ids = rows.model._default_manager.filter(batch=batch).order_by("pk").values("pk")
    low: Any = {"pk__gte": ids[:1]}
    high: Any = {"pk__lte": ids.reverse()[:1]}
    if beside is not None and backwards:
        low = {"pk__gt": beside.row}
    elif beside is not None:
        high = {"pk__lt": beside.row}
    return _ordered(rows.filter(batch=batch, **low, **high), backwards=backwards)


def _ordered(rows: Rows, *, backwards: bool) -> Rows:
    return rows.order_by("batch_id", "pk") if backwards else rows.order_by("-batch_id", "-pk")


def visible(model: type[ImportedRow]) -> QuerySet[Any]:
    """Return the rows that no other row says anew; of which imports is for `walk` to know."""
    return model._default_manager.filter(shadowed=False)
