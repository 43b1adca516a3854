"""What the snapshot keeps of touchpoints and conversions, and which of their rows are visible."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, F, FloatField, Func, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import Workspace
from marketing.models import Conversion, Dataset, Import, Touchpoint

# Rows as columns of one length: `customer`, `at` (microseconds since 1970 UTC), `sequence` (the primary key), and more.
Columns: TypeAlias = dict[str, npt.NDArray[Any]]


class ImportVersion(NamedTuple):
    """An import as it was when its visible rows were those of `revision`."""

    id: int
    revision: int


class Microseconds(Func):
    """A time as an integer: microseconds since 1970 UTC on SQLite, PostgreSQL's own binary form (since 2000) there."""

    template = "%(expressions)s"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # Django writes 'YYYY-MM-DD HH:MM:SS[.ffffff]'. SQLite rounds to milliseconds, so it gets whole seconds only.
        template = (
            "(unixepoch(substr(%(expressions)s, 1, 19)) * 1000000"
            " + CAST(substr(%(expressions)s || '000000', 21, 6) AS INTEGER))"
        )
        return super().as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `expression` selects it, `stored` is its dtype in the snapshot, `wire` PostgreSQL's binary dtype."""

    name: str
    expression: Combinable
    stored: str
    wire: str


KEY_COLUMNS = (
    Column("customer", F("customer_id"), "i8", ">i8"),
    Column("at", Microseconds("occurred_at"), "i8", ">i8"),
    Column("sequence", F("id"), "i8", ">i8"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of customers' rows in time. `payload`: its columns beside the three that order the rows."""

    name: str
    dataset: Dataset
    model: type[Touchpoint] | type[Conversion]
    payload: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return KEY_COLUMNS + self.payload

    def visible_rows(self, import_ids: Collection[int]) -> "QuerySet[Any, tuple[Any, ...]]":
        """The rows of these imports that no other row shadows, in no particular order."""
        rows = self.model.objects.filter(batch__in=import_ids, shadowed=False)
        return rows.order_by().values_list(*(column.expression for column in self.columns))

    def nothing(self, names: Sequence[str]) -> Columns:
        """What a snapshot without any row loads as."""
        columns = {column.name: np.empty(0, column.stored) for column in self.columns if column.name in names}
        return columns | {"customer_ids": np.empty(0, np.int64), "offsets": np.zeros(1, np.int64)}


# Sources and goals are kept as their database ids: codes of the workspace's own would be smaller, but every merge of
# two segments would have to translate them, and a look-up by id, with gaps, costs 6 bytes for each source ever made.
TOUCHES = Table(
    "touches",
    Dataset.TOUCHPOINTS,
    Touchpoint,
    (
        Column("source", F("traffic_source_id"), "u4", ">i8"),
        Column("interaction", F("interaction"), "u1", ">i2"),
        Column("segment", Coalesce(F("segment_id"), 0), "u4", ">i8"),
    ),
)
CONVERSIONS = Table(
    "conversions",
    Dataset.CONVERSIONS,
    Conversion,
    (
        Column("goal", F("goal_id"), "u4", ">i8"),
        Column("value", Cast("value", FloatField()), "f8", ">f8"),
        Column("converted", F("converted"), "?", "?"),
    ),
)


def active_imports(*, workspace: Workspace) -> dict[Dataset, frozenset[ImportVersion]]:
    """The imports whose rows count now, by dataset: one query, so all are of one moment."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).order_by()
    versions: dict[Dataset, set[ImportVersion]] = {dataset: set() for dataset in Dataset}
    for dataset, *version in active.values_list("dataset", "id", "revision"):
        versions[Dataset(dataset)].add(ImportVersion(*version))
    return {dataset: frozenset(found) for dataset, found in versions.items()}
