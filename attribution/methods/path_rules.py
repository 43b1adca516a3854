"""Rule models of aggregated paths: each path is a journey that stands for as many conversions as went along it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attribution.methods.rules import RuleCredit, RuleModel, rule_credit
from marketing.frames import MICROSECONDS_PER_DAY, BoolColumn, Float64Column, Journeys, PathTable, Touches


def path_rule_credit(
    *, paths: PathTable, models: Sequence[RuleModel], direct: BoolColumn, threads: int = 1
) -> RuleCredit:
    """Credit the conversions of the paths, and their value, to the groups of their steps under each model.

    `direct`: (G,) bool, which groups are Direct. Conversions and value are weights: fractions count, and value need not
    come with conversions. Aggregated paths know no times: each step counts as a day, and the last one as the moment of
    the conversion. They know no leads either: the W shape is that of a journey without one.

    Time and memory are those of `rule_credit`, twice. Raises ValueError as it does.
    """
    journeys = paths_as_journeys(paths, paths.conversions)
    by_conversions, by_value = (
        rule_credit(
            journeys=replace(journeys, converted=weight != 0, value=weight),
            models=models,
            group_of_source=np.arange(paths.groups),
            groups=paths.groups,
            direct_source=direct,
            threads=threads,
        )
        for weight in (paths.conversions, paths.value)
    )
    # What a journey is worth is handed out in full, whatever it is counted in.
    return replace(by_conversions, conversions=by_conversions.value, value=by_value.value)


def paths_as_journeys(paths: PathTable, weight: Float64Column) -> Journeys:
    """The paths as one converted journey each, of a customer of its own, worth its weight; without those worth none."""
    touched_at = np.arange(len(paths.steps)) * MICROSECONDS_PER_DAY
    touches = Touches(
        customer_ids=np.arange(len(paths)),
        offsets=paths.offsets,
        touched_at=touched_at,
        source=paths.steps.astype(np.uint32),
        interaction=np.zeros(len(paths.steps), np.uint8),
    )
    return Journeys(
        touches=touches,
        start=paths.offsets[:-1],
        stop=paths.offsets[1:],
        customer=np.arange(len(paths)),
        customers=len(paths),
        anchor_at=touched_at[paths.offsets[1:] - 1],
        converted=weight != 0,
        value=weight,
    )
