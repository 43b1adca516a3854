"""Experiments in the model's likelihood: the density as written out by hand, and what changes nothing."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from tests.weightings.lifts import AT_THE_END, TESTS, curve, density, experiment, lift_by_hand, market
from tests.weightings.worlds import panel
from weightings.methods import fitting
from weightings.methods.experiments.answers import modelled_lift
from weightings.methods.experiments.lifts import Counts, read
from weightings.methods.media_mix import modelled_lifts
from weightings.methods.preparing import Choices, experiment_data, prepare
from weightings.methods.quantities import Window, quantities
from weightings.methods.sampling import Settings

MODELS = (
    Choices(lags=5),
    Choices(lags=5, adstock="delayed"),
    Choices(lags=5, saturation="logistic", knots=0),
)
COUNTS: tuple[Counts, ...] = ("all", "within")


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("choices", MODELS, ids=str)
def test_experiments_add_the_normal_densities_of_their_lifts(choices: Choices, counts: Counts) -> None:
    given, tests = market(), (*TESTS, AT_THE_END, TESTS[0])
    plain = prepare(given, choices)
    calibrated = prepare(given, replace(choices, experiments=tests, lifts_count=counts))
    assert [reading.route for reading in calibrated.readings] == ["likelihood"] * len(tests)
    rng = np.random.default_rng(0)
    for _ in range(3):
        position = rng.normal(0, 1, plain.model.size)
        parameters = plain.model.parameters(position, plain.data["priors"])
        expected = density(plain, position) - sum(
            0.5 * ((test.lift - lift_by_hand(plain, parameters, test, counts)) / test.standard_error) ** 2
            for test in tests
        )
        assert density(calibrated, position) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_lift_worked_out_by_hand() -> None:
    """No carry-over, no saturation to speak of: the lift is the window's share of the channel's effect."""
    spend = np.zeros((20, 1))
    spend[:, 0] = np.arange(1, 21)
    given = panel(np.random.default_rng(1).normal(100, 5, 20), spend)
    test = experiment(start=7 * 3, days=10, spend=2.0)  # week 4 (spend 4) and 3 days of week 5 (spend 5)
    (reading,) = read(given, [test], "auto")
    window = reading.modelled
    assert window is not None
    assert (window.start, window.stop, window.shares.tolist()) == (3, 5, [1.0, 3 / 7])
    assert window.spend == pytest.approx(4 + 15 / 7)
    prepared = prepare(given, Choices(lags=1, saturation="logistic", experiments=(test,)))
    model = prepared.model
    parameters = {"effect": np.array([2.0]), "retention": np.array([0.0]), "rate": np.array([1e-6])}
    beta = model.beta(
        parameters, prepared.units, model.saturated(prepared.amounts[:, None], parameters), np.zeros((1, 0))
    )
    found = modelled_lifts(model, parameters, beta, prepared.data["experiments"])[0] * prepared.scale.unit
    # ROI 2 on what was spent on the window in the data; of that the test has spent 2.
    assert found == pytest.approx(2 * (4 + 15 / 7))
    assert found * window.ratio == pytest.approx(2 * 2.0)


@pytest.mark.parametrize(("counts", "lift"), [("all", 32 / 3), ("within", 80 / 9)])
def test_a_lift_with_carry_over_worked_out_by_hand(counts: Counts, lift: float) -> None:
    """Two thirds act at once and a third a week later, in a straight line: all of it is spend times ROI."""
    spend = np.zeros((20, 1))
    spend[:, 0] = 2.0
    given = panel(np.random.default_rng(1).normal(100, 5, 20), spend)
    test = experiment(start=7 * 3, days=14, spend=4.0)
    prepared = prepare(given, Choices(lags=2, saturation="logistic", experiments=(test,), lifts_count=counts))
    model = prepared.model
    parameters = {"effect": np.array([8 / 3]), "retention": np.array([0.5]), "rate": np.array([1e-6])}
    # Per unit of beta, in a straight line: 20 weeks of usual media act in full, as the week before the first did too.
    beta = parameters["effect"] * prepared.units / (20 * 0.5e-6)
    found = modelled_lifts(model, parameters, beta, prepared.data["experiments"])[0] * prepared.scale.unit
    # A ROI of 8/3 on 4. Of the second week's 2 a third acts after the test: 8/3 x 2/3 = 16/9 is missing within it.
    assert found == pytest.approx(lift)


@pytest.mark.parametrize("place", [0, 1])
def test_of_all_spend_of_a_window_the_lift_is_its_incremental_outcome(place: int) -> None:
    """What return on spend is reported of: so a lift over its spend is the return of its window."""
    given = market()
    for window in (Window(12, 17), Window(36, 40), Window(0, 40)):
        spend = given.spend[window.start : window.stop].sum(axis=0)
        test = experiment(
            given.channels[place], start=7 * window.start, days=7 * window.periods, spend=float(spend[place])
        )
        prepared = prepare(given, Choices(lags=5, adstock="delayed", experiments=(test,)))
        draws = fitting.prior_of(prepared, 20, np.random.default_rng(0))
        incremental = quantities(draws, window, spend=spend, exposure=spend).incremental[:, place]
        (reading,) = prepared.readings
        (within,) = read(given, [test], "auto", "within")
        lift, shorter = (modelled_lift(draws, read_so) for read_so in (reading, within))
        assert lift is not None
        assert shorter is not None
        np.testing.assert_allclose(lift, incremental, rtol=1e-9)
        assert np.all((shorter > 0) & (shorter < incremental))


def test_with_shapes_held_the_effect_has_its_conjugate_normal_posterior() -> None:
    """Without a trend the model is linear and normal in an effect: precision and mean have a closed form."""
    choices = Choices(lags=5, knots=0, experiments=TESTS)
    prepared = prepare(market(), choices)
    model = prepared.model
    parameters = model.parameters(np.random.default_rng(3).normal(0, 0.5, model.size), prepared.data["priors"])

    def log_likelihood(effect: float) -> float:
        effects = np.array([effect, parameters["effect"][1]])
        return float(model.log_likelihood({**parameters, "effect": jnp.asarray(effects)}, prepared.data))

    below, middle, above = (log_likelihood(effect) for effect in (0.0, 1.0, 2.0))
    precision = -(below - 2 * middle + above)
    mean = 1.0 + 0.5 * (above - below) / precision

    scaled = prepared.scale.scaled(prepared.panel.outcome)
    columns, scales = prepared.baseline.columns, prepared.baseline.scales_at(1.0)
    inverse = np.linalg.inv(parameters["sigma"] ** 2 * np.eye(len(scaled)) + (columns * scales**2) @ columns.T)
    per_effect = []
    for place in (0, 1):
        amounts = prepared.amounts[place]
        whole = curve(model, parameters, place, np.append(amounts, np.zeros(4)))
        before = curve(model, parameters, place, np.append(amounts[:4], np.zeros(4)))
        per_effect.append(prepared.units[place] / (whole.sum() - before.sum()) * whole[: len(scaled)])
    rest = scaled - parameters["effect"][1] * per_effect[1]
    unit_lifts = [
        lift_by_hand(prepared, {**parameters, "effect": np.ones(2)}, test) / test.standard_error
        for test in (TESTS[0], TESTS[2])
    ]
    measured = [test.lift / test.standard_error for test in (TESTS[0], TESTS[2])]
    expected_precision = per_effect[0] @ inverse @ per_effect[0] + np.dot(unit_lifts, unit_lifts)
    expected_mean = (per_effect[0] @ inverse @ rest + np.dot(unit_lifts, measured)) / expected_precision
    assert precision == pytest.approx(expected_precision, rel=1e-6)
    assert mean == pytest.approx(expected_mean, rel=1e-6)


def test_an_exact_experiment_decides_and_a_vague_one_changes_nothing() -> None:
    given = market()
    position = np.random.default_rng(2).normal(0, 0.5, prepare(given, Choices(lags=5)).model.size)
    plain = density(prepare(given, Choices(lags=5)), position)
    vague = prepare(given, Choices(lags=5, experiments=(replace(TESTS[0], standard_error=1e12),)))
    assert density(vague, position) == pytest.approx(plain, rel=1e-12)
    parameters = vague.model.parameters(position, vague.data["priors"])
    truth = lift_by_hand(vague, parameters, TESTS[0])
    exact = prepare(given, Choices(lags=5, experiments=(replace(TESTS[0], lift=truth, standard_error=1e-300),)))
    assert density(exact, position) == pytest.approx(plain, rel=1e-9)
    away = position.copy()
    away[0] += 0.5  # the effect of the first channel, by 57%
    assert density(exact, away) < density(vague, away) - 1000


@pytest.mark.parametrize("factor", [1e-6, 0.01, 1e5])
def test_the_currency_changes_nothing(factor: float) -> None:
    given = market()
    position = np.random.default_rng(4).normal(0, 1, prepare(given, Choices(lags=5)).model.size)
    other = replace(given, outcome=given.outcome * factor, spend=given.spend * factor, exposure=given.exposure * factor)
    in_other = tuple(
        replace(test, lift=test.lift * factor, standard_error=test.standard_error * factor, spend=test.spend * factor)
        for test in TESTS
    )
    for use in ("likelihood", "prior", "adjusted_prior"):
        assert density(
            prepare(other, Choices(lags=5, experiments=in_other, experiments_as=use)), position
        ) == pytest.approx(
            density(prepare(given, Choices(lags=5, experiments=TESTS, experiments_as=use)), position), rel=1e-9
        )


def test_the_order_of_experiments_and_of_channels_changes_nothing() -> None:
    given = market()
    turned = replace(
        given, channels=given.channels[::-1], spend=given.spend[:, ::-1].copy(), exposure=given.exposure[:, ::-1].copy()
    )
    position = np.random.default_rng(4).normal(0, 1, prepare(given, Choices(lags=5)).model.size)
    swapped = np.append(position[:-1].reshape(-1, 2)[:, ::-1].ravel(), position[-1])
    for use in ("likelihood", "prior"):
        found = density(prepare(given, Choices(lags=5, experiments=TESTS, experiments_as=use)), position)
        assert density(
            prepare(given, Choices(lags=5, experiments=TESTS[::-1], experiments_as=use)), position
        ) == pytest.approx(found, rel=1e-10)
        assert density(
            prepare(turned, Choices(lags=5, experiments=TESTS, experiments_as=use)), swapped
        ) == pytest.approx(found, rel=1e-10)


def test_shapes_are_those_of_buckets_and_there_are_none_without_experiments() -> None:
    given = market()
    assert "experiments" not in prepare(given, Choices(lags=5)).data
    within = prepare(given, Choices(lags=5, experiments=TESTS, lifts_count="within")).data["experiments"]
    assert within["lagged_with"].shape == within["lagged_without"].shape == (4, 5, 4)
    data = prepare(given, Choices(lags=5, experiments=TESTS)).data["experiments"]
    assert data["lagged_with"].shape == data["lagged_without"].shape == (4, 5, 8)
    assert data["precision"][3] == 0
    assert not data["lagged_with"][3].any()
    for count, padded in ((1, 1), (2, 2), (5, 8)):
        assert len(prepare(given, Choices(lags=5, experiments=TESTS[:1] * count)).data["experiments"]["lift"]) == padded


def test_the_fit_without_experiments_samples_the_density_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = market()
    choices = Choices(lags=5, experiments=TESTS)
    seen: list[Any] = []

    def caught(_model: Any, data: Any, *_rest: Any) -> Any:
        seen.append(data)
        raise InterruptedError

    monkeypatch.setattr(fitting, "sample", caught)
    calibrated = prepare(given, choices)
    with pytest.raises(InterruptedError):
        fitting.fit_without_experiments(fitting.Fit(calibrated, Any, Any), choices, Settings(seed=1))  # type: ignore[arg-type]
    position = np.random.default_rng(4).normal(0, 1, calibrated.model.size)
    plain = density(prepare(given, Choices(lags=5)), position)
    assert density(calibrated, position) < plain - 1
    assert density(replace(calibrated, data=seen[0]), position) == pytest.approx(plain, rel=1e-14)
    assert seen[0]["experiments"]["lift"].shape == calibrated.data["experiments"]["lift"].shape


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("choices", MODELS, ids=str)
def test_draws_say_of_lifts_what_the_density_does(choices: Choices, counts: Counts) -> None:
    prepared = prepare(market(), replace(choices, experiments=(*TESTS, AT_THE_END), lifts_count=counts))
    draws = fitting.prior_of(prepared, 7, np.random.default_rng(0))
    data = prepared.data["experiments"]
    for place, reading in enumerate(prepared.readings):
        found = modelled_lift(draws, reading)
        assert found is not None
        assert reading.window is not None
        for draw in range(7):
            parameters = {name: values[draw] for name, values in draws.parameters.items()}
            expected = modelled_lifts(prepared.model, parameters, draws.beta[draw], data)[place]
            assert found[draw] == pytest.approx(expected * reading.window.ratio * prepared.scale.unit, rel=1e-9)
            by_hand = lift_by_hand(prepared, parameters, reading.experiment, counts)
            assert found[draw] == pytest.approx(by_hand, rel=1e-9)


def test_lifts_of_geos_are_added_up() -> None:
    """The same function with an axis of geos: amounts (G, P, L - 1 + T) and beta (G, C)."""
    prepared = prepare(market(), Choices(lags=5, adstock="delayed", experiments=TESTS))
    model, rng = prepared.model, np.random.default_rng(6)
    parameters = model.parameters(rng.normal(0, 1, model.size), prepared.data["priors"])
    amounts = prepared.amounts * rng.gamma(2, 1, (3, 1, 1))
    beta = rng.gamma(2, 1, (3, 2))
    data = experiment_data(prepared.readings, amounts, lags=5, unit=1.0)["experiments"]
    assert data["lagged_with"].shape == (4, 3, 5, 8)
    each = [
        modelled_lifts(
            model,
            parameters,
            beta[geo],
            experiment_data(prepared.readings, amounts[geo], lags=5, unit=1.0)["experiments"],
        )
        for geo in range(3)
    ]
    np.testing.assert_allclose(modelled_lifts(model, parameters, beta, data), sum(each), rtol=1e-12)
    in_jax = modelled_lifts(model, {k: jnp.asarray(v) for k, v in parameters.items()}, jnp.asarray(beta), data, jnp)
    np.testing.assert_allclose(np.asarray(in_jax), sum(each), rtol=1e-9)
