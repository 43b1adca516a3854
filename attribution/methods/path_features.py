"""What data-driven models count along paths, numbered, so that a bootstrap can weigh all of it in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from attribution.methods.chain import Chain, chain_of
from attribution.methods.markov import MarkovModel
from attribution.methods.removal import effect_shares
from attribution.methods.shapley import Coalitions, ShapleyModel, coalitions_of
from marketing.frames import Float64Column, Int64Column, PathTable

PathModel: TypeAlias = MarkovModel | ShapleyModel
Int32Column: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class PathShares:
    """A path model's answer in each of L lanes.

    `share`: (L, G) float64, what each group gets of the conversions along paths. `explained`: by name, what that
    follows from, (L, ...) float64: removal_effect and rate_without (L, G), conversion_rate (L,), or
    marginal_effect (L, G).
    """

    share: Float64Column
    explained: Mapping[str, Float64Column]


@dataclass(frozen=True, slots=True, eq=False)
class PathFeatures:
    """Features of paths under several models: transitions of a chain, or sets of channels, that converted or did not.

    `parts`: what each model is computed from. `first_feature`: (models+1,) where each model's features begin.
    `row_of_path`: (P, 2) int64, the row of a path that converted and of one that did not; -1 where none did.
    `offsets`: (rows+1,) int64; the features of row r are `features[offsets[r]:offsets[r+1]]`, repeated where a path
    makes a transition repeatedly.
    """

    models: tuple[PathModel, ...]
    parts: tuple[Chain | Coalitions, ...]
    first_feature: tuple[int, ...]
    row_of_path: Int64Column
    offsets: Int64Column
    features: Int32Column

    @property
    def number(self) -> int:
        """How many features there are."""
        return self.first_feature[-1]

    def shares(self, counts: Float64Column, *, threads: int = 1) -> list[PathShares]:
        """Each model's answer from how often each feature occurred, (features, L) float64.

        `threads` share the lanes of large chains; nothing depends on their number.
        """
        found = []
        for place, (model, part) in enumerate(zip(self.models, self.parts, strict=True)):
            own = counts[self.first_feature[place] : self.first_feature[place + 1]]
            if isinstance(part, Chain):
                effects = part.removal_effects(np.ascontiguousarray(own.T), threads=threads)
                explained = {
                    "removal_effect": effects.effect,
                    "rate_without": effects.rate_without,
                    "conversion_rate": effects.conversion_rate,
                }
                found.append(PathShares(effect_shares(effects.effect), explained))
            elif isinstance(model, ShapleyModel):
                values = part.values(conversions=own[: len(part)], nulls=own[len(part) :], model=model)
                found.append(PathShares(values.shares(), {"marginal_effect": values.phi}))
        return found


def path_features(*, paths: PathTable, models: Sequence[PathModel]) -> PathFeatures:
    """Number what each model counts along the paths. Time and memory O(steps) for each model."""
    taken = np.stack([paths.conversions > 0, paths.nulls > 0], axis=1)
    row_of_path = np.where(taken, np.cumsum(taken).reshape(taken.shape) - 1, -1)
    path_of_row, end_of_row = np.nonzero(taken)
    parts: list[Chain | Coalitions] = []
    columns: list[tuple[Int64Column, Int64Column]] = []  # how many features each row has, and these one after another
    first_feature = [0]
    for model in models:
        if isinstance(model, MarkovModel):
            chain = chain_of(paths=paths, order=model.order, null_paths=model.null_paths)
            columns.append(_transitions(chain, path_of_row, end_of_row))
            parts.append(chain)
            size = chain.graph.transitions
        else:
            sets = coalitions_of(paths)
            columns.append(
                (np.ones(len(path_of_row), np.int64), sets.set_of_path[path_of_row] + len(sets) * end_of_row)
            )
            parts.append(sets)
            size = 2 * len(sets)
        first_feature.append(first_feature[-1] + size)
    lengths = sum((length for length, _ in columns), np.zeros(len(path_of_row), np.int64))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    features = np.empty(offsets[-1], np.int32)
    begins = offsets[:-1].copy()
    for first, (length, own) in zip(first_feature, columns, strict=False):
        features[np.repeat(begins, length) + within(length)] = own + first
        begins += length
    return PathFeatures(tuple(models), tuple(parts), tuple(first_feature), row_of_path, offsets, features)


def _transitions(chain: Chain, path: Int64Column, end: Int64Column) -> tuple[Int64Column, Int64Column]:
    """The transitions of each row, its last one to conversion or to null; no row of a null path that does not count."""
    steps = chain.offsets[path + 1] - chain.offsets[path]
    counts = chain.null_paths | (end == 0)
    length = np.where(counts, steps + 1, 0)
    begin = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    transitions = np.empty(begin[-1], np.int64)
    steps, path, end, begin = steps[counts], path[counts], end[counts], begin[:-1][counts]
    transitions[np.repeat(begin, steps) + within(steps)] = chain.transition_of_step[
        np.repeat(chain.offsets[path], steps) + within(steps)
    ]
    transitions[begin + steps] = np.where(end == 0, chain.conversion_of_path[path], chain.null_of_path[path])
    return length, transitions


def within(lengths: Int64Column) -> Int64Column:
    """0, 1, ... up to each length, one run after another."""
    behind = np.cumsum(lengths)
    return np.arange(behind[-1] if len(behind) else 0) - np.repeat(behind - lengths, lengths)
