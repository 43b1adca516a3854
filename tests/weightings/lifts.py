"""Lift tests in a small market, and what a model says of them, worked out by loops."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from tests.weightings.worlds import FIRST_MONDAY, panel
from weightings.methods.experiments.lifts import Counts, Experiment
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.preparing import Prepared

FloatArray = npt.NDArray[np.float64]


def experiment(
    channel: str = "Channel 1",
    *,
    start: int = 10,
    days: int = 28,
    lift: float = 900.0,
    standard_error: float = 100.0,
    spend: float = 400.0,
    **more: Any,
) -> Experiment:
    """A test that begins so many days after the first Monday of the outcome."""
    first = FIRST_MONDAY + start
    return Experiment(
        channel=channel,
        start=first,
        end=first + days - 1,
        lift=lift,
        standard_error=standard_error,
        spend=spend,
        **more,
    )


def market(**kwargs: Any) -> MediaPanel:
    """Forty weeks, two channels."""
    rng = np.random.default_rng(5)
    spend = rng.gamma(2, 50, (40, 2)) * (rng.random((40, 2)) < 0.8)
    outcome = 3000 + 300 * np.sin(np.arange(40) / 8) + spend.sum(axis=1) + rng.normal(0, 100, 40)
    return panel(outcome, spend, **kwargs)


# Beginning and ending within a week, of a part of the spend; whole weeks, on another channel; and again on the first.
TESTS = (
    experiment(start=10, days=23, spend=150.0),
    experiment("Channel 2", start=70, days=14, lift=-20.0, standard_error=60.0, spend=90.0),
    experiment(start=210, days=1, lift=30.0, standard_error=25.0, spend=5.0),
)
# What it carries over comes after the data's end.
AT_THE_END = experiment(start=262, days=18, lift=150.0, standard_error=40.0, spend=80.0)


def lift_by_hand(
    prepared: Prepared, parameters: dict[str, FloatArray], test: Experiment, counts: Counts = "all"
) -> float:
    """The modelled lift of a test, in the outcome's unit, by loops over days and periods."""
    model, given = prepared.model, prepared.panel
    place = given.channels.index(test.channel)
    lead, periods = model.lags - 1, len(given)
    amounts = prepared.amounts[place].copy()
    without, spend, touched = amounts.copy(), 0.0, []
    for period in range(periods):
        first_day = int(given.period_start[period])
        inside = sum(test.start <= day <= test.end for day in range(first_day, first_day + 7))
        if inside:
            touched.append(period)
            without[lead + period] *= 1 - inside / 7
            spend += given.spend[period, place] * inside / 7
    without = np.append(without, np.zeros(lead))  # as many weeks after the data's end, without any media
    whole = curve(model, parameters, place, np.append(amounts, np.zeros(lead)))
    before = curve(model, parameters, place, np.append(amounts[:lead], np.zeros(lead)))
    beta = parameters["effect"][place] * prepared.units[place] / (whole.sum() - before.sum())
    changed = curve(model, parameters, place, without)
    counted = touched if counts == "within" else range(touched[0], periods + lead)
    lift = sum(beta * (whole[period] - changed[period]) for period in counted)
    return float(lift * prepared.scale.unit * test.spend / spend)


def curve(model: MediaMixModel, parameters: dict[str, FloatArray], place: int, amounts: FloatArray) -> FloatArray:
    lags, retention = model.lags, parameters["retention"][place]
    powers = (
        np.arange(lags) if model.adstock == "geometric" else (np.arange(lags) - parameters["peak_delay"][place]) ** 2
    )
    weights = retention**powers / np.sum(retention**powers)
    stock = np.array(
        [sum(weights[lag] * amounts[at - lag] for lag in range(lags)) for at in range(lags - 1, len(amounts))]
    )
    if model.saturation == "logistic":
        return np.asarray(np.tanh(parameters["rate"][place] * stock / 2))
    slope = parameters["slope"][place]
    return np.asarray(stock**slope / (stock**slope + parameters["half_saturation"][place] ** slope))


def density(prepared: Prepared, position: FloatArray) -> float:
    return float(prepared.model.log_density(jnp.asarray(position), prepared.data))
