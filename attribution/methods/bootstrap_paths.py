"""Poisson bootstrap of aggregated paths, of which nobody knows whose they were.

A path with n conversions and m null paths counts, in each replicate, with Poisson(n) conversions and Poisson(m) null
paths: each of them is taken for a customer of its own. Where customers come back, intervals are therefore too narrow.
Weights that are no whole numbers are rates all the same, with as much variance as they are large: a table whose weights
were halved says less, and its intervals are wider. A path's value follows its conversions, as though each was worth the
same; so intervals of value do not know that orders differ in size, and are too narrow too.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from attribution.methods.customer_statistics import Customers, Statistics, sorted_customers
from attribution.methods.path_features import PathFeatures, path_features
from attribution.methods.path_rules import paths_as_journeys
from attribution.methods.replicates import GROUPS_LEFT_OUT, JACKKNIFE_PASSES, LANES, Collected, Model, Replicates
from attribution.methods.rules import RuleModel
from marketing.frames import BoolColumn, Float64Column, PathTable
from marketing.journey_paths import merge_paths


def bootstrap_paths(
    *,
    paths: PathTable,
    models: Sequence[Model],
    direct: BoolColumn,
    replicates: int,
    seed: int,
    on_progress: Callable[[float], None] = lambda _share: None,
) -> Replicates:
    """Credit under each model with conversions and null paths drawn anew, `replicates` times.

    `direct`: (G,) bool, which groups are Direct. `on_progress` is told the share that is done; what it raises ends the
    work. The order of the paths changes nothing.

    Time O(R x steps), and what a model takes for its counts R times. Raises ValueError unless there are 2 replicates or
    more, and as the models do.
    """
    if replicates < 2:
        raise ValueError(f"A bootstrap needs 2 replicates or more, not {replicates}.")
    if len({model.name for model in models}) < len(models):
        raise ValueError("Each model may be asked for once only.")
    table = merge_paths(
        offsets=paths.offsets,
        steps=paths.steps,
        groups=paths.groups,
        conversions=paths.conversions,
        value=paths.value,
        nulls=paths.nulls,
    ).table
    rules = [model for model in models if isinstance(model, RuleModel)]
    features = path_features(paths=table, models=[model for model in models if not isinstance(model, RuleModel)])
    each_once = sorted_customers(
        journeys=paths_as_journeys(table, np.ones(len(table))),
        rules=rules,
        group_of_source=np.arange(table.groups),
        groups=table.groups,
        direct_source=direct,
    )
    collected = Collected(models, table.groups, replicates)
    key = (seed, _fingerprint(table))
    for number in range(collected.passes):
        cells, counts = _sums(table, each_once, features, key, number)
        collected.put(number, cells, features.shares(counts))
        on_progress((number + 1) / collected.passes)
    return collected.replicates(float(table.conversions.sum()))


def _fingerprint(table: PathTable) -> int:
    """Tables that differ are drawn independently under one seed: those of two periods have no customer in common."""
    found = 0
    for column in (table.offsets, table.steps, table.conversions, table.value, table.nulls):
        found = zlib.crc32(np.ascontiguousarray(column).data, found)
    return found


def _sums(
    table: PathTable, each_once: Customers, features: PathFeatures, key: tuple[int, int], number: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What pass `number` adds up to, as `bootstrap_kernel.add_weighted` does for customers."""
    of_conversions, of_nulls = (np.random.default_rng([*key, number, end]) for end in range(2))
    cells, counts = np.zeros((each_once.cells, 2, LANES)), np.zeros((features.number, LANES))
    converted = table.conversions > 0
    worth = np.divide(table.value, table.conversions, out=np.zeros(len(table)), where=converted)
    for place, (first, behind) in enumerate(zip(each_once.edges[:-1], each_once.edges[1:], strict=True)):
        here = slice(first, behind)
        conversions = _weights(of_conversions, table.conversions[here], number)
        nulls = _weights(of_nulls, table.nulls[here], number)
        value = np.where(converted[here, None], worth[here, None] * conversions, table.value[here, None])
        statistics = each_once.statistics(place)
        cells[:, 0] += _spread(statistics, each_once.cells, conversions)
        cells[:, 1] += _spread(statistics, each_once.cells, value)
        for end, weights in enumerate((conversions, nulls)):
            _add_counts(counts, features, features.row_of_path[here, end], weights)
    return cells, counts


def _weights(rng: np.random.Generator, rates: Float64Column, number: int) -> npt.NDArray[np.float64]:
    """(P, LANES): Poisson weights, or, in the passes of the jackknife, the rates less a random part in each lane."""
    if number >= JACKKNIFE_PASSES:
        return rng.poisson(rates[:, None], (len(rates), LANES)).astype(np.float64)
    weights = np.maximum(rates[:, None] - rng.poisson(rates[:, None] / GROUPS_LEFT_OUT, (len(rates), LANES)), 0.0)
    if number == JACKKNIFE_PASSES - 1:
        weights[:, -1] = rates
    return weights


def _spread(statistics: Statistics, cells: int, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(cells, LANES): what conversions or value of these weights are credited to."""
    from scipy.sparse import csr_array

    entries = statistics.entry_offsets[-1]
    share = csr_array(
        (statistics.entry_credit[:entries, 0], statistics.entry_cell[:entries], statistics.entry_offsets),
        shape=(len(weights), cells),
    )
    return np.asarray(share.T @ weights)


def _add_counts(
    counts: npt.NDArray[np.float64],
    features: PathFeatures,
    row: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> None:
    """Add weights of paths (P, LANES), whose rows of features these are, to the counts of their features."""
    from scipy.sparse import csr_array

    taken = np.flatnonzero(row >= 0)
    if not len(taken) or not features.number:
        return
    # The rows of one kind of end ascend with the paths, but those of the other kind lie between them.
    every = csr_array(
        (np.ones(len(features.features)), features.features, features.offsets),
        shape=(len(features.offsets) - 1, features.number),
    )
    counts += every[row[taken]].T @ weights[taken]
