"""Journeys counted by what the model of interactions knows of each: its channels, its length and its stratum.

Millions of journeys become thousands of cells. A journey without touches met no channel and is in none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths, read_only

MOST_CHANNELS = 50  # that have pairs; all others are together one more, without pairs
# The first touches of each bucket. Exact where most journeys are: a coarser length takes the place of interactions, as
# journeys of more touches hold more channels and convert at another rate.
LENGTH_BUCKETS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 21, 31)

MOST_KEYS_IN_A_TABLE = 1 << 25  # looking them up there is many times quicker than sorting them
SHARES = 24  # parts of a journey's touches, to which each channel's share of them is rounded

UInt8Table = npt.NDArray[np.uint8]
UInt64Column = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Journeys by the mix of their channels, their length and stratum.

    `channels`: the groups that have a bit of their own, most journeys first, C at most 50. `has_others`: whether bit C
    stands for all other groups. `shares`: (K, C or C+1) uint8, which part of a cell's touches each bit has, in
    SHARES-ths; at least one where it has any. `sets`: (K,) uint64, the bits that have any. `length`: (K,) int64, index
    into LENGTH_BUCKETS. `segment`, `month`: (K,) int64, index of the stratum. `journeys`, `conversions`: (K,) float64.
    `customer_offsets`: (U+1,) int64; the journeys of the customer at position u are `offsets[u]:offsets[u+1]` in
    `cell` (J,) int64 and `converted` (J,) bool.
    """

    channels: tuple[int, ...]
    has_others: bool
    shares: UInt8Table
    sets: UInt64Column
    length: Int64Column
    segment: Int64Column
    month: Int64Column
    journeys: Float64Column
    conversions: Float64Column
    customer_offsets: Int64Column
    cell: Int64Column
    converted: BoolColumn

    def __len__(self) -> int:
        return len(self.sets)

    def holds(self, bit: int) -> BoolColumn:
        """Which cells hold the channel of this bit: (K,) bool."""
        held: BoolColumn = (self.sets >> np.uint64(bit)) & np.uint64(1) == 1
        return held


@dataclass(frozen=True, slots=True, eq=False)
class _Mixes:
    """What paths are made of, M kinds of it. `of_path`: (P,) int64; `shares` (M, B), `sets`, `length` (M,) as Cells."""

    channels: tuple[int, ...]
    has_others: bool
    of_path: Int64Column
    shares: UInt8Table
    sets: UInt64Column
    length: Int64Column


def count_cells(
    *, journeys: Journeys, paths: JourneyPaths, segment: Int64Column | None = None, month: Int64Column | None = None
) -> Cells:
    """Count journeys by cell.

    `paths`: those of the journeys. `segment`, `month`: (J,) int64, strata of each journey, numbered from 0; one stratum
    where None. The cells are the same whatever the order of the journeys. Time O(J log J).
    """
    kept = np.flatnonzero(paths.path_of_journey >= 0)
    mixes = _mixes(paths.table)
    mix = mixes.of_path[paths.path_of_journey[kept]]
    strata = [np.zeros(len(kept), np.int64) if one is None else one[kept] for one in (segment, month)]
    segments, months = (int(one.max(initial=0)) + 1 for one in strata)
    key = (mix * segments + strata[0]) * months + strata[1]
    distinct, cell = _numbered(key, len(mixes.length) * segments * months)
    mix_of_cell, stratum = np.divmod(distinct, segments * months)
    by_customer = np.argsort(journeys.customer[kept], kind="stable")
    customer, converted = journeys.customer[kept][by_customer], journeys.converted[kept]
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    return Cells(
        channels=mixes.channels,
        has_others=mixes.has_others,
        shares=mixes.shares[mix_of_cell],
        sets=mixes.sets[mix_of_cell],
        length=mixes.length[mix_of_cell],
        segment=stratum // months,
        month=stratum % months,
        journeys=np.bincount(cell, minlength=len(distinct)).astype(np.float64),
        conversions=np.bincount(cell, converted, len(distinct)).astype(np.float64),
        customer_offsets=np.append(starts, len(customer)).astype(np.int64),
        cell=cell[by_customer],
        converted=converted[by_customer],
    )


def _numbered(key: Int64Column, keys: int) -> tuple[Int64Column, Int64Column]:
    """The distinct ones among keys of 0..keys-1, ascending, and the place of each key (J,) among them."""
    if keys > MOST_KEYS_IN_A_TABLE:
        distinct, place = np.unique(key, return_inverse=True)
        return distinct, place
    occurs = np.zeros(keys, np.bool_)
    occurs[key] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[key]


def _mixes(table: PathTable) -> _Mixes:
    """Give the channels that most journeys meet a bit each, the others one together, and tell paths' mixes apart.

    Of channels that as many journeys meet, the one with the smaller number comes first.
    """
    # Here, not above: numba takes a second to import.
    from crosschannel.methods.interactions_kernel import mix_codes, read_codes
    from crosschannel.methods.walk_kernel import weigh_groups
    from marketing.journey_paths_kernel import number_paths

    offsets, steps = read_only(table.offsets), read_only(table.steps)
    met = np.zeros(table.groups)
    weigh_groups(met, offsets, steps, read_only(table.conversions + table.nulls))
    ranked = [int(group) for group in np.argsort(-met, kind="stable") if met[group] > 0]
    channels = tuple(ranked[:MOST_CHANNELS])
    bits = len(channels) + (len(ranked) > len(channels))
    bit = np.full(table.groups, len(channels), np.int64)
    bit[list(channels)] = np.arange(len(channels))

    # A path's mix is written as numbers: its length, then each bit with its share.
    first_touches = np.array(LENGTH_BUCKETS, np.int64)
    start, stop, codes = mix_codes(offsets, steps, bit, bits, first_touches, SHARES)
    known = len(first_touches) + bits * (SHARES + 1)
    of_path, first = number_paths(read_only(start), read_only(stop), read_only(codes), read_only(np.arange(known)))
    shares, length = np.zeros((len(first), bits), np.uint8), np.zeros(len(first), np.int64)
    sets = np.zeros(len(first), np.uint64)
    read_codes(shares, sets, length, start[first], stop[first], codes, len(first_touches), SHARES)
    # In an order of their own, which no order of paths changes.
    order = np.lexsort((*shares.T, length))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return _Mixes(
        channels=channels,
        has_others=bits > len(channels),
        of_path=place[of_path] if len(order) else of_path,
        shares=shares[order],
        sets=sets[order],
        length=length[order],
    )
