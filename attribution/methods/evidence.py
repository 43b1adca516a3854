"""The part that each group plays in converting journeys: a description of what was observed, beside models' credit."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from marketing.frames import Float64Column, Int64Column, Journeys, PathTable, UInt32Column
from marketing.journey_paths import check_groups, read_only

CLEAR_STANDARD_ERRORS = 3.0  # by which a share must lie beyond one half for a role to be named


class Role(StrEnum):
    """What a group is in a journey that it appears in; exactly one of these, in the order of `Roles.counts`."""

    ONLY = "only"  # its single touch
    OPENS = "opens"  # first, and not last
    BETWEEN = "between"  # neither first nor last
    CLOSES = "closes"  # last, and not first
    BOTH = "both"  # first and last of several touches


@dataclass(frozen=True, slots=True, eq=False)
class Roles:
    """The part each group plays in converting journeys.

    `counts`: (G, 5) float64, journeys by Role; a row adds up to the journeys that the group appears in. `first`,
    `middle`, `last`: (G,) float64, journeys of several touches that it opens, in which it is a touch between, and that
    it closes: one journey may count in all three. `mostly`: (G) the role that clearly more than half of its journeys
    have, None where there is no such one.
    """

    counts: Float64Column
    first: Float64Column
    middle: Float64Column
    last: Float64Column
    mostly: tuple[Role | None, ...]


def roles(*, journeys: Journeys, group_of_source: Int64Column, groups: int) -> Roles:
    """What part each group plays in converting journeys with touches.

    A role is named where more than half of a group's journeys have it, by three standard errors that allow for
    customers who convert several times: ONLY among all of them, the others among those of several touches.
    Time O(touches in journeys + J log J). Raises ValueError if a group or a source is out of bounds.
    """
    check_groups(journeys, group_of_source, groups)
    kept = np.flatnonzero(journeys.converted & (journeys.start < journeys.stop))
    customer = journeys.customer[kept]
    if np.any(customer[1:] < customer[:-1]):
        kept = kept[np.argsort(customer, kind="stable")]
    counts, positions, moments = _counted(
        customer=journeys.customer[kept],
        start=journeys.start[kept],
        stop=journeys.stop[kept],
        source=journeys.touches.source,
        group_of_source=group_of_source,
        groups=groups,
        weight=np.ones(len(kept)),
    )
    return _roles(counts, positions, moments)


def roles_of_paths(table: PathTable) -> Roles:
    """What part each group plays in the journeys of aggregated paths, each as if of another customer."""
    counts, positions, _ = _counted(
        customer=np.arange(len(table)),
        start=table.offsets[:-1],
        stop=table.offsets[1:],
        source=table.steps.astype(np.uint32),
        group_of_source=np.arange(table.groups),
        groups=table.groups,
        weight=table.conversions,
    )
    return _roles(counts, positions, np.eye(len(Role)) * counts[:, :, None])


def _counted(
    *,
    customer: Int64Column,
    start: Int64Column,
    stop: Int64Column,
    source: UInt32Column,
    group_of_source: Int64Column,
    groups: int,
    weight: Float64Column,
) -> tuple[Float64Column, Float64Column, Float64Column]:
    """Counts (G, 5), positions (G, 3) and moments (G, 5, 5) of journeys that are sorted by customer."""
    from attribution.methods.evidence_kernel import count_roles  # here: numba takes a second to import

    counts, positions, moments = np.zeros((groups, 5)), np.zeros((groups, 3)), np.zeros((groups, 5, 5))
    count_roles(
        counts,
        positions,
        moments,
        read_only(customer),
        read_only(start),
        read_only(stop),
        read_only(source),
        read_only(group_of_source),
        read_only(weight),
    )
    return counts, positions, moments


def _roles(counts: Float64Column, positions: Float64Column, moments: Float64Column) -> Roles:
    first, middle, last = positions.T.copy()
    return Roles(counts, first, middle, last, tuple(map(_mostly, counts, moments)))


def _mostly(counts: Float64Column, moments: Float64Column) -> Role | None:
    """The role that clearly more than half of a group's journeys have; `counts` (5,), `moments` (5, 5)."""
    every = np.ones(5)
    several = every.copy()
    several[0] = 0.0
    for place, role in enumerate(Role):
        among = every if role == Role.ONLY else several
        if role != Role.BOTH and _is_clearly_most(counts, moments, np.eye(5)[place], among):
            return role
    return None


def _is_clearly_most(counts: Float64Column, moments: Float64Column, one: Float64Column, among: Float64Column) -> bool:
    """Whether the share `one / among` lies above one half; its variance is that of a ratio of sums over customers."""
    total = float(among @ counts)
    if not total:
        return False
    share = float(one @ counts) / total
    residual = one - 0.5 * among  # under the hypothesis of one half, so that a share of one is not taken as certain
    error = float(np.sqrt(residual @ moments @ residual)) / total
    return share - CLEAR_STANDARD_ERRORS * error > 0.5
