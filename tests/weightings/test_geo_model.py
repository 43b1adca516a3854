"""The density of the geo model is the model written out in full; its baselines are drawn from their distribution."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from marketing.frames import GeoPanel
from tests.weightings.geo_worlds import geo_panel
from tests.weightings.test_media_mix import curve_by_hand
from weightings.methods.baseline import TREND_SCALES
from weightings.methods.experiments.lifts import Experiment
from weightings.methods.geo.fitting import prior_of, prior_positions, reported_baseline
from weightings.methods.geo.model import GeoMediaMixModel
from weightings.methods.geo.posterior import GeoPosterior, geo_posterior_of
from weightings.methods.geo.preparing import GeoPrepared, prepare_geos
from weightings.methods.outcome_scale import CannotBeModelled
from weightings.methods.preparing import Choices
from weightings.methods.quantities import Quantities, Window, quantities, response_grid
from weightings.methods.storing import pack_geo_panel, pack_posterior, unpack_geo_panel, unpack_posterior

FloatArray = npt.NDArray[np.float64]
CHOICES = (Choices(), Choices(adstock="delayed", saturation="logistic", lags=5, knots=0))


@cache
def _density(model: GeoMediaMixModel) -> Any:
    """Compiled once for all data of the same shapes."""
    return jax.jit(model.log_density)


@cache
def _likelihood(model: GeoMediaMixModel) -> Any:
    return jax.jit(model.log_likelihood)


def media_by_hand(prepared: GeoPrepared, parameters: dict[str, FloatArray]) -> FloatArray:
    """What media add per size in each geo, by loops: (G, T)."""
    lead, periods, sizes = prepared.model.lags - 1, len(prepared.panel), prepared.panel.sizes
    total = np.zeros((len(sizes), periods))
    for c in range(len(prepared.model.media)):
        curves, added = [], 0.0
        for g, size in enumerate(sizes):
            amounts = np.append(prepared.amounts[g, c], np.zeros(lead))
            curve = _curve(prepared, parameters, c, amounts)
            before = _curve(prepared, parameters, c, np.where(np.arange(len(amounts)) < lead, amounts, 0.0))
            curves.append(curve)
            added += size * parameters["deviation"][c, g] * (np.sum(curve) - np.sum(before))
        for g in range(len(sizes)):
            beta = parameters["effect"][c] * prepared.data["unit"][c] * parameters["deviation"][c, g] / added
            total[g] += beta * curves[g][:periods]
    return total


def _curve(prepared: GeoPrepared, parameters: dict[str, FloatArray], c: int, amounts: FloatArray) -> FloatArray:
    class OfNational:
        model = prepared.model.national

    return np.asarray(curve_by_hand(OfNational(), parameters, c, amounts))  # type: ignore[arg-type]


def covariance(prepared: GeoPrepared, parameters: dict[str, FloatArray], scale: float) -> FloatArray:
    """Of all geos' outcomes one after another, (G T, G T), by its definition."""
    geos, periods, _width = prepared.own.shape
    found = np.zeros((geos, periods, geos, periods))
    common = prepared.common * prepared.baseline.scales_at(scale)
    for g in range(geos):
        for h in range(geos):
            found[g, :, h] = common[g] @ common[h].T + parameters["shared"] ** 2 * np.eye(periods)
        found[g, :, g] += prepared.own[g] @ prepared.own[g].T + parameters["sigma"][g] ** 2 * np.eye(periods)
    return found.reshape(geos * periods, -1)


def written_out(prepared: GeoPrepared, parameters: dict[str, FloatArray]) -> float:
    residual = (prepared.scaled - media_by_hand(prepared, parameters)).reshape(-1)
    known = np.isfinite(residual)
    each = [
        multivariate_normal(cov=covariance(prepared, parameters, scale)[np.ix_(known, known)]).logpdf(residual[known])
        for scale in TREND_SCALES
    ]
    return float(logsumexp(each) - np.log(len(TREND_SCALES)))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("choices", CHOICES)
def test_the_likelihood_is_that_of_the_model_written_out(choices: Choices, missing: bool) -> None:
    prepared = prepare_geos(geo_panel(missing=missing), choices)
    for position in prior_positions(prepared, 3, np.random.default_rng(3)):
        parameters = prepared.model.parameters(position, prepared.data["priors"])
        found = float(_likelihood(prepared.model)(parameters, prepared.data))
        assert found == pytest.approx(written_out(prepared, parameters), rel=1e-8)


def test_the_prior_of_a_position_is_what_it_is_drawn_from() -> None:
    prepared = prepare_geos(geo_panel(), Choices())
    position = prior_positions(prepared, 1, np.random.default_rng(8))[0]
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    geos = len(prepared.model.geos)
    priors = prepared.data["priors"]
    spread = priors["sigma_spread"] ** 2 * np.ones((geos, geos)) + priors["sigma_geo_spread"] ** 2 * np.eye(geos)
    sigmas = multivariate_normal(np.full(geos, priors["sigma_location"]), spread)
    middle = np.full(geos, priors["sigma_location"])
    prior = norm.logpdf(position[:-geos]).sum() + sigmas.logpdf(np.log(parameters["sigma"])) - sigmas.logpdf(middle)
    constant = -0.5 * len(position[:-geos]) * np.log(2 * np.pi)
    found = float(_density(prepared.model)(position, prepared.data))
    assert found - written_out(prepared, parameters) == pytest.approx(prior - constant, rel=1e-7)


def test_effects_of_geos_add_up_to_the_national_effect_in_every_draw() -> None:
    prepared = prepare_geos(geo_panel(), Choices())
    fitted = prior_of(prepared, 20, np.random.default_rng(1))
    found = quantities(fitted, Window(0, 40), spend=_spend(prepared.panel), exposure=_spend(prepared.panel))
    assert [effect.kind for effect in prepared.priors.effects] == ["roi", "roi"]
    np.testing.assert_allclose(found.return_on_spend, fitted.parameters["effect"], rtol=1e-10)
    assert fitted.beta.shape == (20, 2, 3)
    assert np.ptp(fitted.beta, axis=2).min() > 0


def test_what_is_said_of_geos_adds_up_to_what_is_said_of_all() -> None:
    prepared = prepare_geos(geo_panel(missing=True), Choices())
    fitted = _posterior(prepared, draws=12)
    window = Window(5, 30)
    spend = np.stack([each.spend[4:][5:30].sum(axis=0) for each in prepared.panel.panels])
    national = quantities(fitted, window, spend=spend.sum(axis=0), exposure=spend.sum(axis=0))
    geos = [
        quantities(fitted.of_geo(place), window, spend=spend[place], exposure=spend[place])
        for place in range(len(fitted.geos))
    ]
    for name in ("expected", "baseline", "contribution", "incremental", "carry_over", "marginal"):
        total = sum(getattr(each, name) for each in geos)
        np.testing.assert_allclose(getattr(national, name), total, rtol=1e-9, err_msg=name)
    curves = sum(response_grid(fitted.of_geo(place), window, (0.0, 0.7, 2.0)) for place in range(3))
    np.testing.assert_allclose(response_grid(fitted, window, (0.0, 0.7, 2.0)), curves, rtol=1e-9, atol=1e-9)
    _require_reconciled(national)


def test_the_noise_of_all_geos_is_what_they_add_up_to() -> None:
    prepared = prepare_geos(geo_panel(), Choices())
    position = prior_positions(prepared, 1, np.random.default_rng(2))
    parameters = prepared.model.parameters(position[0], prepared.data["priors"])
    fitted = geo_posterior_of(prepared, position, np.random.default_rng(1))
    rng, sizes = np.random.default_rng(4), prepared.panel.sizes
    noise = rng.normal(0, 1, (400_000, 3)) * parameters["sigma"] + rng.normal(0, 1, (400_000, 1)) * parameters["shared"]
    np.testing.assert_allclose(fitted.noise[0], noise.std(axis=0), rtol=0.01)
    assert fitted.parameters["sigma"][0] == pytest.approx((noise @ sizes).std(), rel=0.01)


def test_baselines_are_drawn_from_their_distribution_given_the_rest() -> None:
    """Mean and covariance of many draws, against conditioning in the joint normal distribution written out."""
    prepared = prepare_geos(geo_panel(missing=True), Choices(knots=0))
    position = prior_positions(prepared, 1, np.random.default_rng(2))[0]
    draws = geo_posterior_of(prepared, np.repeat(position[None], 3000, axis=0), np.random.default_rng(6))
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    residual = (prepared.scaled - media_by_hand(prepared, parameters)).reshape(-1)
    known = np.isfinite(residual)
    geos, periods, width = prepared.own.shape
    shared = prepared.common.shape[2]
    design = np.zeros((geos * periods, shared + geos * width))
    for g in range(geos):
        rows = slice(g * periods, (g + 1) * periods)
        design[rows, :shared] = prepared.common[g]
        design[rows, shared + g * width : shared + (g + 1) * width] = prepared.own[g]
    scales = np.append(prepared.baseline.scales, np.ones(geos * width))
    noise = covariance(prepared, parameters, 1.0) - (design * scales**2) @ design.T
    noise, design = noise[np.ix_(known, known)], design[known]
    precision = design.T @ np.linalg.solve(noise, design) + np.diag(scales**-2)
    exact = np.linalg.inv(precision)
    mean = exact @ design.T @ np.linalg.solve(noise, residual[known])
    error = (draws.coefficients.mean(axis=0) - mean) / np.sqrt(np.diag(exact) / len(draws.coefficients))
    assert np.abs(error).max() < 4.5
    spread = draws.coefficients.std(axis=0) / np.sqrt(np.diag(exact))
    assert np.abs(spread - 1).max() < 0.06
    correlation = np.corrcoef(draws.coefficients.T)
    expected = exact / np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.abs(correlation - expected).max() < 0.08


def test_the_scale_of_the_trend_is_drawn_by_its_probability() -> None:
    prepared = prepare_geos(geo_panel(), Choices())
    position = prior_positions(prepared, 1, np.random.default_rng(2))[0]
    draws = geo_posterior_of(prepared, np.repeat(position[None], 1000, axis=0), np.random.default_rng(6))
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    residual = (prepared.scaled - media_by_hand(prepared, parameters)).reshape(-1)
    each = [multivariate_normal(cov=covariance(prepared, parameters, s)).logpdf(residual) for s in TREND_SCALES]
    expected = np.exp(each - logsumexp(each))
    found = np.bincount(draws.trend_scale, minlength=len(TREND_SCALES)) / len(draws.trend_scale)
    assert np.all(np.abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 1000) + 1e-9)


def test_the_order_and_the_currency_change_nothing() -> None:
    panel = geo_panel(missing=True)
    prepared = prepare_geos(panel, Choices())
    position = prior_positions(prepared, 1, np.random.default_rng(2))[0]
    found = float(_density(prepared.model)(position, prepared.data))
    order = [2, 0, 1]
    turned = replace(
        panel,
        geos=tuple(panel.geos[place] for place in order),
        panels=tuple(panel.panels[place] for place in order),
        sizes=panel.sizes[order],
    )
    moved = _moved(prepared, position, order)
    assert float(_density(prepared.model)(moved, prepare_geos(turned, Choices()).data)) == pytest.approx(found)
    dear = replace(panel, panels=tuple(_in_cents(each) for each in panel.panels))
    assert float(_density(prepared.model)(position, prepare_geos(dear, Choices()).data)) == pytest.approx(found)


def test_the_baseline_of_all_geos_is_named_by_column() -> None:
    prepared = prepare_geos(geo_panel(), Choices())
    fitted = prior_of(prepared, 4, np.random.default_rng(1))
    baseline = reported_baseline(prepared)
    np.testing.assert_array_equal(baseline.columns, fitted.columns)
    assert len(baseline.groups) == fitted.columns.shape[1]
    assert set(baseline.groups) == {"intercept", "trend", "control: Control 1"}


def _moved(prepared: GeoPrepared, position: FloatArray, order: list[int]) -> FloatArray:
    """The position for geos in another order."""
    media, geos = len(prepared.model.media), len(prepared.model.geos)
    start = prepared.model.size - 1 - geos - media * geos
    deviations = position[start : start + media * geos].reshape(media, geos)[:, order].reshape(-1)
    return np.concatenate(
        [position[:start], deviations, position[start + media * geos : -geos], position[-geos:][order]]
    )


def _in_cents(panel: Any) -> Any:
    return replace(panel, outcome=100 * panel.outcome, spend=100 * panel.spend, exposure=100 * panel.exposure)


def _spend(panel: GeoPanel) -> FloatArray:
    return np.asarray(np.sum([each.spend[each.history :].sum(axis=0) for each in panel.panels], axis=0))


def _posterior(prepared: GeoPrepared, *, draws: int) -> GeoPosterior:
    positions = prior_positions(prepared, draws, np.random.default_rng(7))
    return geo_posterior_of(prepared, positions, np.random.default_rng(8))


def _require_reconciled(found: Quantities) -> None:
    np.testing.assert_allclose(found.baseline + found.contribution.sum(axis=1), found.expected, rtol=1e-12)


def test_a_stored_model_of_geos_is_read_as_it_was() -> None:
    panel = geo_panel(missing=True)
    fitted = _posterior(prepare_geos(panel, Choices()), draws=4)
    described, arrays = pack_posterior(fitted)
    again = unpack_posterior(json.loads(json.dumps(described)), arrays)
    assert isinstance(again, GeoPosterior)
    assert again.geos == fitted.geos
    for name in ("baseline", "beta", "noise", "sizes", "amounts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
    described, arrays = pack_geo_panel(panel)
    same = unpack_geo_panel(json.loads(json.dumps(described)), arrays)
    np.testing.assert_array_equal(same.national().outcome, panel.national().outcome)
    assert (same.geos, len(same)) == (panel.geos, 40)


def test_a_model_without_media_or_with_a_silent_geo_is_refused() -> None:
    panel = geo_panel()
    silent = replace(panel.panels[1], outcome=np.full(40, np.nan))
    with pytest.raises(CannotBeModelled, match="no values of the outcome in “Geo 2”"):
        prepare_geos(replace(panel, panels=(panel.panels[0], silent, panel.panels[2])), Choices())
    constant = replace(panel.panels[1], outcome=np.full(40, 7.0))
    with pytest.raises(CannotBeModelled, match="“Geo 2” is the same in every period"):
        prepare_geos(replace(panel, panels=(panel.panels[0], constant, panel.panels[2])), Choices())


@pytest.mark.parametrize("geo", ["", "Geo 2"])
def test_a_lift_enters_the_likelihood_as_what_its_geos_add(geo: str) -> None:
    panel = geo_panel()
    days = panel.panels[0].period_start[4:]
    spend = sum(
        each.spend[4 + 10 : 4 + 14, 1].sum()
        for each, name in zip(panel.panels, panel.geos, strict=True)
        if geo in ("", name)
    )
    tested = Experiment(
        channel="Channel 2",
        start=int(days[10]),
        end=int(days[13]) + 6,
        lift=900.0,
        standard_error=90.0,
        spend=float(spend) / 2,
        geo=geo,
    )
    prepared = prepare_geos(panel, Choices(experiments=(tested,)))
    without = prepare_geos(panel, Choices())
    position = prior_positions(prepared, 1, np.random.default_rng(2))[0]
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    added = 0.0
    for place, name in enumerate(panel.geos):
        if geo in ("", name):
            amounts = prepared.amounts.copy()
            amounts[place, 1, prepared.model.lags - 1 + 10 : prepared.model.lags - 1 + 14] = 0.0
            lost = _media_of(prepared, parameters, prepared.amounts) - _media_of(prepared, parameters, amounts)
            added += lost[place].sum() * prepared.unit * panel.sizes[place]
    expected = -0.5 * ((900.0 - added / 2) / 90.0) ** 2
    found = float(_density(prepared.model)(position, prepared.data))
    plain = float(_density(without.model)(position, without.data))
    assert found - plain == pytest.approx(expected, rel=1e-7)
    assert prepared.readings[0].route == "likelihood"


def _media_of(prepared: GeoPrepared, parameters: dict[str, FloatArray], amounts: FloatArray) -> FloatArray:
    """What such amounts add per size, by loops, with the betas of the amounts that there were: (G, T + L - 1)."""
    lead, sizes = prepared.model.lags - 1, prepared.panel.sizes
    total = np.zeros((len(sizes), len(prepared.panel) + lead))
    for c in range(len(prepared.model.media)):
        added = 0.0
        for g, size in enumerate(sizes):
            whole = np.append(prepared.amounts[g, c], np.zeros(lead))
            before = np.where(np.arange(len(whole)) < lead, whole, 0.0)
            curves = [np.sum(_curve(prepared, parameters, c, each)) for each in (whole, before)]
            added += size * parameters["deviation"][c, g] * (curves[0] - curves[1])
        for g in range(len(sizes)):
            beta = parameters["effect"][c] * prepared.data["unit"][c] * parameters["deviation"][c, g] / added
            total[g] += beta * _curve(prepared, parameters, c, np.append(amounts[g, c], np.zeros(lead)))
    return total
