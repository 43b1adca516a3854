"""Customer-cluster Poisson bootstrap: what every model would have said, had other customers come.

In each replicate every *customer* counts as often as a Poisson variable of mean 1 says, with all of their journeys:
journeys of one customer are alike, and an interval that took them for independent would be too narrow. All statistics
that models need (credit of rule models, counts of a chain's transitions, conversions of a set of channels) are sums
over customers, so a replicate's are weighted sums. Their variance over replicates is the sum of the customers' squares,
that of a total over a Poisson number of independent customers.

A customer's weights are a hash of the seed, the customer's database id and the number of the replicate. Neither the
order of rows nor other customers change them, and a customer who appears in two runs with one seed has the same weights
in both: differences between runs can be taken replicate by replicate.

Sources: Oza, Russell 2001 (Online bagging and boosting, AISTATS) and Chamandy, Muralidharan, Najmi, Naidu 2012
(Estimating uncertainty for massive data streams, Google) for Poisson weights; Rubin 1981 (The Bayesian bootstrap,
Annals of Statistics 9) for random weights in place of resampling; Field, Welsh 2007 (Bootstrapping clustered data,
JRSS B 69) for clusters.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from attribution.methods.customer_statistics import MEMORY, Customers, Statistics, sorted_customers
from attribution.methods.path_features import PathFeatures, PathShares, path_features
from attribution.methods.replicates import LANES, Collected, Model, Replicates
from attribution.methods.rules import RuleModel
from marketing.frames import BoolColumn, Int64Column, Journeys
from marketing.journey_paths import JourneyPaths, check_groups, path_table

OnProgress: TypeAlias = Callable[[float], None]


def bootstrap(
    *,
    journeys: Journeys,
    models: Sequence[Model],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    replicates: int,
    seed: int,
    paths: JourneyPaths | None = None,
    on_progress: OnProgress = lambda _share: None,
    threads: int = 1,
) -> Replicates:
    """Credit under each model with customers drawn anew, `replicates` times.

    `paths`: those of the journeys, where they are at hand. The other arguments are those of `rule_credit`.
    `on_progress` is told the share that is done some times a second; what it raises ends the work.
    `threads` share the replicates: the result is the same to the last bit whatever their number.

    Time O(R x (touches + customers)), and what a model takes for its counts R times. Memory: the replicates, of
    16 R M (G+1) bytes, 40 bytes a journey, and some 300 MB, or 1 KB for each count of a chain that has more than that
    (200 channels in order 2 have a million). Raises ValueError as `rule_credit` does, and unless
    there are 2 replicates or more.
    """
    if replicates < 2:
        raise ValueError(f"A bootstrap needs 2 replicates or more, not {replicates}.")
    if len({model.name for model in models}) < len(models):
        raise ValueError("Each model may be asked for once only.")
    if len(direct_source) != len(group_of_source):
        raise ValueError(
            f"There are {len(group_of_source)} traffic sources with a group, "
            f"but {len(direct_source)} known as Direct or not."
        )
    check_groups(journeys, group_of_source, groups)
    rules = [model for model in models if isinstance(model, RuleModel)]
    of_paths = [model for model in models if not isinstance(model, RuleModel)]
    path_of_journey, features = None, None
    if of_paths:
        paths = paths or path_table(journeys=journeys, group_of_source=group_of_source, groups=groups)
        path_of_journey, features = paths.path_of_journey, path_features(paths=paths.table, models=of_paths)
    customers = sorted_customers(
        journeys=journeys,
        rules=rules,
        group_of_source=group_of_source,
        groups=groups,
        direct_source=direct_source,
        path_of_journey=path_of_journey,
        features=features,
    )
    collected = Collected(models, groups, replicates)
    for number, cells, shares in _weighted_sums(customers, collected.passes, seed, on_progress, threads):
        collected.put(number, cells, shares)
    return collected.replicates(customers.converting())


def _weighted_sums(
    customers: Customers, passes: int, seed: int, on_progress: OnProgress, threads: int
) -> Iterator[tuple[int, npt.NDArray[np.float64], list[PathShares]]]:
    """Each pass's number, its sums of cells, and what path models make of its counts.

    Threads work on passes of their own, and every pass takes the customers in their order: no sum depends on how many
    threads or blocks there are.
    """
    bytes_of_pass = 8 * LANES * (2 * customers.cells + customers.counts)
    at_once = max(1, min(passes, MEMORY // 2 // bytes_of_pass))
    blocks = len(customers.edges) - 1
    kept = customers.statistics(0) if blocks == 1 else None
    steps, done = passes * (blocks + 1), 0
    with ExitStack() as stack:
        run: Callable[..., Iterator[Any]] = map
        if threads > 1:
            run = stack.enter_context(ThreadPoolExecutor(threads)).map
        for first in range(0, passes, at_once):
            sums = [Sums.of(customers, number) for number in range(first, min(first + at_once, passes))]
            for place in range(blocks):
                block = kept or customers.statistics(place)
                for _ in run(partial(add_block, block, customers.features, seed), sums):
                    done += 1
                    on_progress(done / steps)
            inside = threads if at_once == 1 else 1  # the threads that share a pass, which then is a large one
            for one, shares in zip(sums, run(partial(_shares, customers.features, inside), sums), strict=True):
                yield one.number, one.cells, shares
                done += 1
                on_progress(done / steps)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What pass `number` has added up: `cells` (cells, 2, LANES) and `counts` (features, LANES)."""

    number: int
    cells: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @classmethod
    def of(cls, customers: Customers, number: int) -> "Sums":
        return cls(number, np.zeros((customers.cells, 2, LANES)), np.zeros((customers.counts, LANES)))


def _shares(features: PathFeatures | None, threads: int, sums: Sums) -> list[PathShares]:
    return [] if features is None else features.shares(sums.counts, threads=threads)


def add_block(block: Statistics, features: PathFeatures | None, seed: int, sums: Sums) -> None:
    """Add a block of customers, weighed as in their pass, to sums."""
    from attribution.methods.bootstrap_kernel import add_weighted

    add_weighted(
        sums.cells,
        sums.counts,
        sums.number,
        seed,
        block.ids,
        block.entry_offsets,
        block.entry_cell,
        block.entry_credit,
        block.journey_offsets,
        block.row_of_journey,
        np.zeros(1, np.int64) if features is None else features.offsets,
        np.zeros(0, np.int32) if features is None else features.features,
    )
