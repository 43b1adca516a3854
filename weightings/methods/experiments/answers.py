"""What a model says of experiments: each lift as it was measured, and as it is modelled without and with them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from weightings.methods.experiments.lifts import EPOCH, Experiment, Reading
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.health import Check, experiment_check
from weightings.methods.posterior import Posterior, blocks_of
from weightings.methods.preparing import with_tail
from weightings.methods.quantities import Quantities
from weightings.methods.summaries import NOTHING, Summary, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Told:
    """A fit that can be asked about experiments. `found`: its quantities of the period that is reported."""

    posterior: Posterior
    found: Quantities
    converged: bool


def modelled_lift(posterior: Posterior, reading: Reading) -> FloatArray | None:
    """What the model says of a test's lift, per draw, (S,), in the outcome's unit; None where it can say nothing.

    Of the channel's media of the test's days the test's are the share that its spend is of theirs.
    """
    window = reading.modelled
    if window is None:
        return None
    if isinstance(posterior, GeoPosterior) and reading.experiment.geo in posterior.geos:
        posterior = posterior.of_geo(posterior.geos.index(reading.experiment.geo))
    lead, behind = posterior.lead, reading.behind(posterior.tail)
    reach = slice(window.start, lead + window.stop + behind)  # from `lead` periods before the window on
    whole = with_tail(posterior.amounts, behind)
    amounts, without = whole[..., reach], window.without(whole, lead)[..., reach]
    lift = np.empty(len(posterior.sigma))
    for block in blocks_of(len(lift), 4 * amounts.size):
        missing = posterior.added(block, amounts) - posterior.added(block, without)
        lift[block] = missing[:, window.place].sum(axis=1)
    return np.asarray(lift * window.ratio * posterior.scale.unit)


def tail_probability(experiment: Experiment, lift: FloatArray) -> float:
    """How probable it is to measure a lift that is as far out as this one, on either side, if (S,) draws of it are so.

    Source of the posterior predictive p-value: Gelman, Meng, Stern 1996, Statistica Sinica 6.
    """
    above = float(np.mean(ndtr((lift - experiment.lift) / experiment.error)))
    return 2 * min(above, 1 - above)


def experiments_json(
    readings: Sequence[Reading], after: Told, before: Told | None, level: float
) -> list[dict[str, Any]]:
    """Of each experiment: what was measured, how it entered the model, and what that says `before` it had any."""
    return [
        {
            "channel": reading.experiment.channel,
            "start": _date(reading.experiment.start),
            "end": _date(reading.experiment.end),
            "geo": reading.experiment.geo,
            "lift": reading.experiment.lift,
            "standard_error": reading.experiment.standard_error,
            "spend": reading.experiment.spend,
            "counts": reading.counts,
            "incremental_per_spend": _measured(reading.experiment, level),
            "route": reading.route,
            "why": reading.why,
            "before": _said(before, reading, level),
            "after": _said(after, reading, level),
        }
        for reading in readings
    ]


def experiment_checks(readings: Sequence[Reading], after: Posterior, before: Posterior | None) -> Iterator[Check]:
    """Whether each experiment that is used agrees with the other data: with the model as it was `before` it had any.

    Where there is no such fit the one that has learnt from them is asked, which they have drawn towards themselves.
    """
    asked = after if before is None else before
    for reading in readings:
        if reading.route is not None and (lift := modelled_lift(asked, reading)) is not None:
            subject = f"{reading.experiment.channel}, {reading.experiment.span}"
            probability = tail_probability(reading.experiment, lift)
            yield experiment_check(subject, probability, has_learnt=before is None)


def _said(by: Told | None, reading: Reading, level: float) -> dict[str, Any] | None:
    """What a fit says of a test and its channel; None where there is no such fit, or the test is not used."""
    if by is None or reading.route is None:
        return None
    lift = modelled_lift(by.posterior, reading)
    place = by.found.media.index(reading.experiment.channel)
    return {
        "incremental_per_spend": summary(by.found.return_on_spend[:, place], level),
        "lift": None if lift is None else summary(lift, level),
        "tail_probability": None if lift is None else tail_probability(reading.experiment, lift),
        "converged": by.converged,
    }


def _measured(experiment: Experiment, level: float) -> Summary:
    """The return that a test implies, with a normal interval."""
    if experiment.spend == 0:
        return dict(NOTHING)
    mean = experiment.lift / experiment.spend
    reach = float(ndtri(0.5 + level / 2)) * experiment.standard_error / experiment.spend
    return {"median": mean, "mean": mean, "low": mean - reach, "high": mean + reach}


def _date(day: int) -> str:
    return (EPOCH + dt.timedelta(day)).isoformat()
