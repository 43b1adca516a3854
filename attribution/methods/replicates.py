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
    `removal_effects`, `conversion_rates`: by name of the Markov model, samples of shape (G,) and ().
    `total_conversions`, `total_value`: samples of shape (), what there was to credit.
    `converting_customers`: number of customers who converted.
    """

    models: tuple[str, ...]
    credited_conversions: Sample
    credited_value: Sample
    removal_effects: dict[str, Sample]
    conversion_rates: dict[str, Sample]
    total_conversions: Sample
    total_value: Sample
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
        return {name: sample.replicates for name, sample in self.removal_effects.items()}

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
        self.totals = np.zeros((2, self.lanes))
        chains = [model.name for model in models if isinstance(model, MarkovModel)]
        self.effects = {name: np.zeros((self.lanes, groups)) for name in chains}
        self.rates = {name: np.zeros(self.lanes) for name in chains}

    def put(self, number: int, cells: npt.NDArray[np.float64], of_paths: Sequence[PathShares]) -> None:
        """Take in pass `number`: `cells` as `bootstrap_kernel.add_weighted` sums them, and what path models say."""
        raw = number * LANES + np.arange(LANES)
        raw = raw[raw < self.lanes]
        here = slice(0, len(raw))
        # The lane that leaves nobody out is the last of the jackknife's.
        lanes = np.where(raw < GROUPS_LEFT_OUT, raw + 1, np.where(raw == GROUPS_LEFT_OUT, 0, raw))
        touched, untouched = cells[-2, :, here], cells[-1, :, here]
        self.totals[:, lanes] = touched + untouched
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
            if found.removal_effect is not None and found.conversion_rate is not None:
                self.effects[model.name][lanes] = found.removal_effect[here]
                self.rates[model.name][lanes] = found.conversion_rate[here]

    def replicates(self, converting_customers: float) -> Replicates:
        return Replicates(
            models=tuple(model.name for model in self.models),
            credited_conversions=_sample(self.conversions),
            credited_value=_sample(self.value),
            removal_effects={name: _sample(lanes) for name, lanes in self.effects.items()},
            conversion_rates={name: _sample(lanes) for name, lanes in self.rates.items()},
            total_conversions=_sample(self.totals[0]),
            total_value=_sample(self.totals[1]),
            converting_customers=converting_customers,
        )


def _sample(lanes: npt.NDArray[np.float64]) -> Sample:
    return Sample(lanes, GROUPS_LEFT_OUT)
