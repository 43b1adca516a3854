"""Credit in the replicates of a bootstrap, beside the estimate and what it would be without some of the customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from attribution.methods.intervals import Interval, Sample, interval, share_of, unseen_credit
from attribution.methods.markov import MarkovModel
from attribution.methods.path_features import PathShares
from attribution.methods.rules import RuleModel
from attribution.methods.shapley import ShapleyModel
from marketing.frames import Float64Column

Model: TypeAlias = RuleModel | MarkovModel | ShapleyModel

GROUPS_LEFT_OUT = 127  # of customers, each of which the jackknife leaves out once
LANES = 64  # replicates that one pass over the customers weighs together
JACKKNIFE_PASSES = 2  # a lane for each group left out, and the last for nobody: the estimate


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Credit under M models by G groups, the last column "(none)", in R replicates.

    `models`: names of the M models, in the order asked for.
    `credited_conversions`, `credited_value`: samples of shape (M, G+1), value in account currency.
    `explained`: by name of a path model and of what its credit follows from (see `PathShares`), samples of shape (G,)
    or ().
    `total_conversions`, `total_value`: samples of shape (), what there was to credit; `untouched_conversions`,
    `untouched_value`: what of it no group is due.
    `converting_customers`: number of customers who converted.
    """

    models: tuple[str, ...]
    credited_conversions: Sample
    credited_value: Sample
    explained: dict[str, dict[str, Sample]]
    total_conversions: Sample
    total_value: Sample
    untouched_conversions: Sample
    untouched_value: Sample
    converting_customers: float

    @property
    def conversions(self) -> Float64Column:
        """(R, M, G+1) float64."""
        return self.credited_conversions.replicates

    @property
    def value(self) -> Float64Column:
        """(R, M, G+1) float64, account currency."""
        return self.credited_value.replicates

    @property
    def removal_effect(self) -> dict[str, Float64Column]:
        """By name of the Markov model: (R, G) float64."""
        return {
            name: figures["removal_effect"].replicates
            for name, figures in self.explained.items()
            if "removal_effect" in figures
        }

    def interval_of_conversions(self, level: float) -> Interval:
        """(M, G+1); where a group was credited with nothing, up to `unseen_credit`."""
        return interval(self.credited_conversions, level, never_seen=self._unseen(self.total_conversions, level))

    def interval_of_value(self, level: float) -> Interval:
        """(M, G+1), account currency."""
        return interval(self.credited_value, level, never_seen=self._unseen(self.total_value, level))

    def interval_of_share(self, level: float, *, by_value: bool) -> Interval:
        """(M, G+1): shares of all conversions, or of all value, that there were to credit."""
        credited = self.credited_value if by_value else self.credited_conversions
        total = self.total_value if by_value else self.total_conversions
        never_seen = self._unseen(total, level) / total.estimate if total.estimate else 0.0
        return interval(share_of(credited, total), level, never_seen=np.minimum(never_seen, 1.0))

    def _unseen(self, total: Sample, level: float) -> Float64Column:
        """(G+1,): "(none)" is what no group is due, and is shown only where there is some."""
        bound = unseen_credit(total=float(total.estimate), customers=self.converting_customers, level=level)
        # Where refunds outweigh sales, nothing is known of how much a group might be due.
        return np.append(np.full(self.credited_conversions.estimate.shape[-1] - 1, max(bound, 0.0)), 0.0)


class Collected:
    """The lanes of passes put where they belong: the estimate first, groups left out next, then the replicates."""

    def __init__(self, models: Sequence[Model], groups: int, replicates: int) -> None:
        self.models, self.groups = tuple(models), groups
        self.passes = JACKKNIFE_PASSES + -(-replicates // LANES)
        self.lanes = 1 + GROUPS_LEFT_OUT + replicates
        self.conversions, self.value = np.zeros((2, self.lanes, len(models), groups + 1))
        self.totals, self.untouched = np.zeros((2, 2, self.lanes))
        self.explained: dict[str, dict[str, npt.NDArray[np.float64]]] = {}

    def put(self, number: int, cells: npt.NDArray[np.float64], of_paths: Sequence[PathShares]) -> None:
        """Take in pass `number`: `cells` as `bootstrap_kernel.add_weighted` sums them, and what path models say."""
        raw = number * LANES + np.arange(LANES)
        raw = raw[raw < self.lanes]
        here = slice(0, len(raw))
        # The lane that leaves nobody out is the last of the jackknife's.
        lanes = np.where(raw < GROUPS_LEFT_OUT, raw + 1, np.where(raw == GROUPS_LEFT_OUT, 0, raw))
        touched, untouched = cells[-2, :, here], cells[-1, :, here]
        self.totals[:, lanes], self.untouched[:, lanes] = touched + untouched, untouched
        rules, paths = 0, iter(of_paths)
        columns = self.groups + 1
        for m, model in enumerate(self.models):
            if isinstance(model, RuleModel):
                credit = cells[rules * columns : (rules + 1) * columns, :, here]
                self.conversions[lanes, m], self.value[lanes, m] = credit[:, 0].T, credit[:, 1].T
                rules += 1
                continue
            found = next(paths)
            share = found.share[here]
            for measure, kept in enumerate((self.conversions, self.value)):
                kept[lanes, m, :-1] = touched[measure, :, None] * share
                kept[lanes, m, -1] = untouched[measure]
            figures = self.explained.setdefault(model.name, {})
            for name, of_lanes in found.explained.items():
                figures.setdefault(name, np.zeros((self.lanes, *of_lanes.shape[1:])))[lanes] = of_lanes[here]

    def replicates(self, converting_customers: float) -> Replicates:
        return Replicates(
            models=tuple(model.name for model in self.models),
            credited_conversions=_sample(self.conversions),
            credited_value=_sample(self.value),
            explained={
                model: {name: _sample(lanes) for name, lanes in figures.items()}
                for model, figures in self.explained.items()
            },
            total_conversions=_sample(self.totals[0]),
            total_value=_sample(self.totals[1]),
            untouched_conversions=_sample(self.untouched[0]),
            untouched_value=_sample(self.untouched[1]),
            converting_customers=converting_customers,
        )


def _sample(lanes: npt.NDArray[np.float64]) -> Sample:
    return Sample(lanes, GROUPS_LEFT_OUT)
