"""Published and recomputed answers of other media mix packages, from the reference data beside the project.

Every vector of the file is either run here or listed with the reason why nothing here corresponds to it.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketing.frames import Float64Column, Float64Table
from weightings.methods.adstock import adstock, delayed_weights, geometric_weights, lagged
from weightings.methods.experiments.priors import adjustment
from weightings.methods.knots import knot_positions, knot_weights
from weightings.methods.planning import risk
from weightings.methods.planning.budget import BudgetWishes, recommend
from weightings.methods.planning.objectives import FixedTotal
from weightings.methods.planning.surface import GRID, ResponseSurface
from weightings.methods.saturation import hill, logistic
from weightings.methods.scores import crps, ks_distance, variance_inflation_factors

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm" / "vectors.json"
needs_vectors = pytest.mark.skipif(not VECTORS.is_file(), reason=f"The reference vectors are not in {VECTORS}.")

Inputs = dict[str, Any]


@functools.cache
def vectors() -> dict[str, dict[str, Any]]:
    """Vectors by id."""
    return {vector["id"]: vector for vector in json.loads(VECTORS.read_text())["vectors"]}


def column(values: list[float]) -> Float64Table:
    """One channel's media, (N, 1)."""
    return np.array(values, np.float64)[:, None]


def geometric(media: Float64Table, retention: list[float], lags: int) -> Float64Table:
    """(C, N) adstock with weights that sum to 1 over the window."""
    return np.asarray(adstock(lagged(media, lags), geometric_weights(np.array(retention), lags)))


def weight_at_lag_zero(retention: float, lags: int) -> float:
    """What an unnormalised geometric weight of 1 at lag 0 is divided by here is 1 over this."""
    return float(geometric_weights(np.array([retention]), lags)[0, 0])


def meridian_weights(given: Inputs) -> Float64Column:
    """Unnormalised there, with 1 at lag 0, and written from the longest lag to the shortest."""
    weights: Float64Column = geometric_weights(np.array([given["alpha"]]), given["window_size"])[0]
    return np.asarray(weights[given["lags"]] / weights[0])


def meridian_adstock_at_the_end(given: Inputs) -> Float64Column:
    media = np.array(given["media_time_by_channel"])
    return np.asarray(geometric(media, given["alpha"], given["max_lag"] + 1)[:, -1])


def meridian_adstock(given: Inputs) -> Float64Column:
    return np.asarray(geometric(column(given["media"]), [given["alpha"]], given["max_lag"] + 1)[0])


def meridian_adstock_of_a_short_history(given: Inputs) -> Float64Column:
    """Meridian cuts the window to the periods there are; here the caller says how long the window is."""
    lags = min(given["max_lag"] + 1, len(given["media"]))
    return np.asarray(geometric(column(given["media"]), [given["alpha"]], lags)[0])


def pymc_geometric(given: Inputs) -> Float64Column:
    """Unnormalised there, with 1 at lag 0."""
    normalised = geometric(column(given["x"]), [given["alpha"]], given["l_max"])[0]
    return np.asarray(normalised / weight_at_lag_zero(given["alpha"], given["l_max"]))


def pymc_delayed_weights(given: Inputs) -> Float64Column:
    """Unnormalised there, with 1 at the peak."""
    weights = delayed_weights(np.array([given["alpha"]]), np.array([float(given["theta"])]), given["l_max"])[0]
    return np.asarray(weights / weights[given["theta"]])


def robyn_geometric(given: Inputs) -> Float64Column:
    """Unnormalised there with 1 at lag 0, and without an end, which a window as long as the data is not short of."""
    periods = len(given["x"])
    normalised = geometric(column(given["x"]), [given["theta"]], periods)[0]
    return np.asarray(normalised / weight_at_lag_zero(given["theta"], periods))


def lightweight_adstock(given: Inputs) -> Float64Column:
    """Without an end there and normalised as such, by 1 - retention; here over a window as long as the data."""
    periods, retention = len(given["data"]), given["lag_weight"]
    normalised = geometric(column(given["data"]), [retention], periods)[0]
    return np.asarray(normalised / weight_at_lag_zero(retention, periods) * (1 - retention))


def lightweight_carryover(given: Inputs) -> Float64Column:
    lags = given["number_lags"]
    retention, delay = np.array([given["ad_effect_retention_rate"]]), np.array([given["peak_effect_delay"]])
    return np.asarray(adstock(lagged(column(given["data"]), lags), delayed_weights(retention, delay, lags))[0])


def hill_of_meridian(given: Inputs) -> Float64Column:
    return np.asarray(hill(np.array(given["x"]), given["ec"], given["slope"]))


def hill_at_its_middle(given: Inputs) -> list[float]:
    return [float(hill(kappa, kappa, slope)) for slope, kappa in given["slope_kappa"]]


def hill_of_robyn(given: Inputs) -> dict[str, Any]:
    """Robyn takes the half saturation as a share of the largest value: inflexion = gamma max x."""
    inflexion = given["gamma"] * max(given["x"])
    return {"inflexion": inflexion, "x_saturated": hill(np.array(given["x"]), inflexion, given["alpha"])}


def michaelis_menten(scale: str, half: str) -> Callable[[Inputs], Float64Column]:
    """scale x / (half + x): the Hill curve of slope 1, scaled."""
    return lambda given: np.asarray(given[scale] * hill(np.array(given["x"], np.float64), given[half], 1.0))


def knots(given: Inputs) -> Float64Table:
    """A number of knots stands for that many, evenly spread; a list for the periods themselves."""
    periods, wanted = given["n_times"], given["knots"]
    return knot_weights(periods, knot_positions(periods, wanted) if isinstance(wanted, int) else np.array(wanted))


def crps_of_rows(given: Inputs) -> Float64Column:
    return crps(np.array(given["y_pred_samples"], np.float64), np.array(given["y_true"], np.float64))


def crps_of_equal_rows(given: Inputs) -> Float64Column:
    draws = np.tile(np.array(given["y_pred_samples_repeat10"], np.float64), (10, 1))
    return crps(draws, np.array(given["y_true"], np.float64))


def variance_inflation(_given: Inputs) -> Float64Column:
    """The file has the columns in words."""
    line = np.arange(25.0)
    root = np.sqrt(line) + 2
    return variance_inflation_factors(
        np.column_stack([line, root, line**0.25 - 5, np.ones(25), np.zeros(25), 30 - line, root])
    )


def distance_of_prior_and_posterior(given: Inputs) -> dict[str, float]:
    """Of the four distances only Kolmogorov and Smirnov's is used here."""
    return {"KS": ks_distance(np.array(given["p"], np.float64), np.array(given["q"], np.float64))}


def meridian_calibration(given: Inputs) -> dict[str, float]:
    found = adjustment(
        geometric_weights(np.array(given["alpha"]), given["max_lag"] + 1),
        periods=given["experiment_weeks"],
        weeks_since_end=given["weeks_since_end"],
        channel_spend_per_day=given["channel_daily_spend"],
        experiment_spend_per_day=given["experiment_daily_spend"],
    )
    return {
        "p": found.captured,
        "gamma": found.gamma,
        "tau_duration": found.tau_duration,
        "tau_recency": found.tau_recency,
        "tau_spend": found.tau_spend,
        "mean": found.mean(given["point_estimate"]),
        "sd": found.error(given["standard_error"]),
    }


def risk_of(measure: Callable[[Float64Column, Float64Column], float]) -> Callable[[Inputs], float]:
    """The vectors' parameters are in their names: `value_at_risk(0.95)`."""
    return lambda given: measure(np.array(given["samples"], np.float64), np.array(given["budgets"], np.float64))


def pymc_best_budget(given: Inputs) -> dict[str, Any]:
    """Its `total_budget` is spent in every period; the total here is the horizon's."""
    periods, draws, channels = given["num_periods"], len(given["beta_draws"]), 2
    weights = geometric_weights(np.array(given["alpha_draws"]), given["l_max"])
    even = np.tile(np.eye(1, periods + given["trailing_zero_periods"] + 1).cumsum(), (channels, 1))[:, :-1]
    even[:, periods:] = 0.0
    stock = adstock(lagged(even.T, given["l_max"]), weights)  # (S, C, N) of a spend of 1 in each period
    rate, beta = np.array(given["lam_draws"]), np.array(given["beta_draws"])
    multipliers = GRID * given["per_period_budget"] / 2
    responses = beta[:, :, None] * np.stack(
        [logistic(multiplier * stock, rate[:, :, None]).sum(axis=2) for multiplier in multipliers], axis=2
    )
    total = float(given["per_period_budget"] * periods)
    surface = ResponseSurface(
        channels=("channel_1", "channel_2"),
        spend=np.full(channels, total / 2),
        multipliers=GRID,
        grid=responses,
        without=np.zeros(draws),
        observed=np.ones(channels),
    )
    free = dict.fromkeys(surface.channels, (0.0, total))
    found = recommend(surface, BudgetWishes(goal=FixedTotal(total), limits=free))
    by_period = dict(zip(surface.channels, found.recommended / periods, strict=True))
    return {**by_period, "response": found.objective_recommended}


RUN: dict[str, Callable[[Inputs], Any]] = {
    "mer_geo_w_0.5": meridian_weights,
    "mer_adstock_geometric": meridian_adstock_at_the_end,
    "mer_adstock_ones": meridian_adstock,
    "mer_adstock_alpha1": meridian_adstock,
    "mer_adstock_short_history": meridian_adstock_of_a_short_history,
    "mer_hill_slope0": hill_of_meridian,
    "mer_hill_11": hill_of_meridian,
    "mer_knots_0_2": knots,
    "mer_knots_no_left": knots,
    "mer_knots_int3": knots,
    "mer21_calibration_adjust": meridian_calibration,
    "pymc_geo": pymc_geometric,
    "pymc_delayed": pymc_delayed_weights,
    "pymc_logistic": lambda given: logistic(given["x"], given["lam"]),
    "pymc_mm": michaelis_menten("alpha", "lam"),
    "pymc_hill_mid": hill_at_its_middle,
    "pymc_crps_1": crps_of_rows,
    "pymc_crps_doc": crps_of_equal_rows,
    "pymc_util_value_at_risk": risk_of(lambda draws, _spend: risk.value_at_risk(draws, 0.95)),
    "pymc_util_conditional_value_at_risk": risk_of(lambda draws, _spend: risk.conditional_value_at_risk(draws, 0.95)),
    "pymc_util_sharpe_ratio": risk_of(lambda draws, _spend: risk.sharpe_ratio(draws, 0.01)),
    "pymc_util_raroc": risk_of(lambda draws, spend: risk.raroc(draws, spend, 0.01)),
    "pymc_util_adjusted_value_at_risk_score": risk_of(
        lambda draws, _spend: risk.adjusted_value_at_risk_score(draws, 0.95, 0.8)
    ),
    "pymc_util_portfolio_entropy": risk_of(lambda _draws, spend: risk.portfolio_entropy(spend)),
    "pymc_budget_slsqp": pymc_best_budget,
    "robyn_geo": robyn_geometric,
    "robyn_hill": hill_of_robyn,
    "robyn_micmen": michaelis_menten("Vmax", "Km"),
    "lmmm_adstock": lightweight_adstock,
    "lmmm_carryover_impulse": lightweight_carryover,
    "lmmm_vif": variance_inflation,
    "lmmm_prior_post_ks": distance_of_prior_and_posterior,
}

BINOMIAL = "Carry-over is geometric or delayed; there is no binomial decay."
WEIBULL = "Carry-over is geometric or delayed; there is no Weibull decay."
SIGMOID = "Saturation is a Hill or a logistic curve from 0; there is no sigmoid with a midpoint of its own."
HEALTH = "Each check of a model's health has its own verdict; there is no score that sums them up."

NO_COUNTERPART = {
    "mer_binom_w_0": BINOMIAL,
    "mer_binom_w_0.25": BINOMIAL,
    "mer_binom_w_0.5": BINOMIAL,
    "mer_binom_w_0.6667": BINOMIAL,
    "mer_binom_w_1": BINOMIAL,
    "mer_adstock_binomial": BINOMIAL,
    "mer_alpha_star_map": BINOMIAL,
    "mer_media_median": "Media are scaled by their mean, not by the median of what is not zero.",
    "mer_health_perfect": HEALTH,
    "mer_health_worst": HEALTH,
    "mer_health_mixed": HEALTH,
    "mer_health_edge": HEALTH,
    "pymc_binomial": BINOMIAL,
    "pymc_weibull_pdf": WEIBULL,
    "pymc_weibull_cdf": WEIBULL,
    "pymc_hillsig_0": SIGMOID,
    "pymc_hillsig_1": SIGMOID,
    "pymc_hillsig_-1": SIGMOID,
    "pymc_isl": "The logistic curve is given by its rate; there is no inverse scaling to a half saturation.",
    "robyn_weibull_cdf": WEIBULL,
    "robyn_weibull_pdf": WEIBULL,
    "robynpy_inflexion": "Half saturation is a multiple of mean media, not a point between the least and the most.",
    "robynpy_error_score": "One posterior is sampled; no candidate models are ranked by a combined error.",
    "lmmm_halfnormal": "No half-normal prior is given by its mean.",
}


def tolerance_of(vector: dict[str, Any], name: str) -> tuple[float, float]:
    """The vector's own relative and absolute tolerance, for the number of this name where it has several."""
    stated = vector["tolerance"]
    if "decimal" in stated:
        return 0.0, 1.5 * 10 ** -stated["decimal"]  # as `numpy.testing.assert_almost_equal` has it
    if name == "response":
        return stated["response_rel"], 0.0
    return stated.get("rtol", 0.0), stated.get("atol", stated.get("KS", stated.get("budget_abs", 0.0)))


@needs_vectors
def test_every_vector_is_run_or_has_a_reason_why_not() -> None:
    assert RUN.keys() | NO_COUNTERPART.keys() == vectors().keys()
    assert not RUN.keys() & NO_COUNTERPART.keys()


@needs_vectors
@pytest.mark.parametrize("vector_id", RUN)
def test_reference_vector(vector_id: str) -> None:
    vector = vectors()[vector_id]
    found, expected = RUN[vector_id](vector["input"]), vector["expected"]
    if not isinstance(expected, dict):
        found, expected = {"": found}, {"": expected}
    for name in found:
        relative, absolute = tolerance_of(vector, name)
        assert relative + absolute > 0
        known = np.array(expected[name], np.float64)  # the file writes "inf" and "nan" as text
        assert np.shape(found[name]) == known.shape
        np.testing.assert_allclose(found[name], known, rtol=relative, atol=absolute)
