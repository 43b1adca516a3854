"""What each customer's journeys amount to: what a bootstrap weighs and sums up, in blocks that fit in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.methods.path_features import PathFeatures
from attribution.methods.rules import RuleModel, credit_adder
from marketing.frames import BoolColumn, Int64Column, Journeys
from marketing.journey_paths import read_only

MEMORY = 192 << 20  # bytes of sums, half, and of customers' credit, half; the replicates themselves come on top
BYTES_OF_ENTRY = 20  # a cell's number, conversions and value
CELLS_AT_ONCE = 1 << 18  # of customers' credit by model and group: 4 MB
JOURNEYS_AT_ONCE = 1 << 17  # in one call of the compiled loop: some hundredths of a second


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Journeys in the order of their customers' ids, and what is asked about them.

    `order`: (J',) int64, the journeys that matter. `ids`: (C,) int64, ascending, of their customers. `offsets`: (C+1,)
    int64, the journeys of each in `order`. `edges`: where blocks of customers begin and end, for which there is memory.
    """

    journeys: Journeys
    rules: Sequence[RuleModel]
    group_of_source: Int64Column
    groups: int
    direct_source: BoolColumn
    path_of_journey: Int64Column | None
    features: PathFeatures | None
    order: Int64Column
    ids: Int64Column
    offsets: Int64Column
    edges: list[int]

    @property
    def cells(self) -> int:
        return len(self.rules) * (self.groups + 1) + 2

    @property
    def counts(self) -> int:
        return 0 if self.features is None else self.features.number

    def converting(self) -> int:
        """How many customers converted."""
        converted = np.concatenate([[0], np.cumsum(self.journeys.converted[self.order])])
        return int(np.count_nonzero(np.diff(converted[self.offsets])))

    def statistics(self, number: int) -> "Statistics":
        """The statistics of one block of customers."""
        first, behind = self.edges[number], self.edges[number + 1]
        chosen = self.order[self.offsets[first] : self.offsets[behind]]
        journeys = self.journeys.take(chosen)
        offsets = self.offsets[first : behind + 1] - self.offsets[first]
        size = int(_most_entries(journeys, len(self.rules)).sum())
        entry_offsets = np.zeros(behind - first + 1, np.int64)
        entry_cell, entry_credit = np.empty(size, np.int32), np.empty((size, 2))
        self._fill_entries(journeys, offsets, entry_offsets, entry_cell, entry_credit)
        row = np.full(len(journeys), -1, np.int64)
        if self.path_of_journey is not None and self.features is not None:
            path = self.path_of_journey[chosen]
            on_a_path = path >= 0
            row[on_a_path] = self.features.row_of_path[path[on_a_path], 1 - journeys.converted[on_a_path]]
        return Statistics(self.ids[first:behind], entry_offsets, entry_cell, entry_credit, offsets, row)

    def _fill_entries(
        self,
        journeys: Journeys,
        offsets: Int64Column,
        entry_offsets: Int64Column,
        entry_cell: npt.NDArray[np.int32],
        entry_credit: npt.NDArray[np.float64],
    ) -> None:
        """Credit the journeys of some customers at a time, and keep what is not zero."""
        from attribution.methods.bootstrap_kernel import move_entries

        customers, columns = len(offsets) - 1, self.groups + 1
        at_once = max(1, min(customers, CELLS_AT_ONCE // (max(len(self.rules), 1) * columns)))
        stratum = np.repeat(np.arange(customers) % at_once, np.diff(offsets))
        add = credit_adder(journeys, stratum, self.rules, self.group_of_source, self.groups, self.direct_source)
        credit = np.zeros((len(self.rules), at_once * columns, 2))
        cells = credit.reshape(len(self.rules), at_once, columns, 2)
        columns_read = (
            *(journeys.start, journeys.stop, journeys.converted, journeys.value),
            *(read_only(journeys.touches.source), read_only(self.group_of_source.astype(np.int64))),
        )
        for first in range(0, customers, at_once):
            behind = min(first + at_once, customers)
            add(credit, int(offsets[first]), int(offsets[behind]))
            move_entries(entry_offsets, entry_cell, entry_credit, first, behind, offsets, cells, *columns_read)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Some customers' statistics, as `bootstrap_kernel.add_weighted` takes them."""

    ids: Int64Column
    entry_offsets: Int64Column
    entry_cell: npt.NDArray[np.int32]
    entry_credit: npt.NDArray[np.float64]
    journey_offsets: Int64Column
    row_of_journey: Int64Column


def sorted_customers(
    *,
    journeys: Journeys,
    rules: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    path_of_journey: Int64Column | None = None,
    features: PathFeatures | None = None,
) -> Customers:
    """Sort the journeys that matter by customer: null paths do to path models only.

    `path_of_journey`: (J,) int64, the path whose `features` each journey adds; -1 for none.
    """
    matters = np.flatnonzero(journeys.converted) if features is None else np.arange(len(journeys))
    ids = journeys.customer_ids()[matters]
    sort = np.lexsort((journeys.anchor_at[matters], ids))
    order, ids = matters[sort], ids[sort]
    begins = np.flatnonzero(np.concatenate([np.ones(min(len(ids), 1), np.bool_), ids[1:] != ids[:-1]]))
    offsets = np.append(begins, len(ids))
    entries = np.concatenate([[0], np.cumsum(_most_entries(journeys, len(rules))[order])])
    cost = entries[offsets] * (JOURNEYS_AT_ONCE * BYTES_OF_ENTRY) // (MEMORY // 2) + offsets
    edges = np.searchsorted(cost, np.arange(JOURNEYS_AT_ONCE, cost[-1] + JOURNEYS_AT_ONCE, JOURNEYS_AT_ONCE))
    return Customers(
        journeys=journeys,
        rules=rules,
        group_of_source=group_of_source,
        groups=groups,
        direct_source=direct_source,
        path_of_journey=path_of_journey,
        features=features,
        order=order,
        ids=ids[begins],
        offsets=offsets,
        edges=sorted({0, len(begins), *np.minimum(edges, len(begins)).tolist()}),
    )


def _most_entries(journeys: Journeys, rules: int) -> Int64Column:
    """How many entries each journey may add: (J,) int64, a cell of each touch and of "(none)", and the totals."""
    most = rules * (journeys.stop - journeys.start + 1) + 2
    return np.where(journeys.converted, most, 0)
