"""Experiments in the model: the density as written out by hand, what changes nothing, windows, and the answer."""

import datetime as dt
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given as having
from hypothesis import strategies as st
from scipy import stats

from tests.weightings.lifts import AT_THE_END, TESTS, curve, density, experiment, lift_by_hand, market
from tests.weightings.worlds import panel
from weightings.methods import fitting
from weightings.methods.experiments.answers import Told, experiment_checks, experiments_json, modelled_lift
from weightings.methods.experiments.answers import tail_probability as tail
from weightings.methods.experiments.lifts import Counts, Experiment, Use, experiment_window, period_days, read
from weightings.methods.media_mix import modelled_lifts
from weightings.methods.preparing import Choices, Prepared, experiment_data, prepare
from weightings.methods.quantities import Window, quantities
from weightings.methods.sampling import Settings

MODELS = (
    Choices(lags=5),
    Choices(lags=5, adstock="delayed"),
    Choices(lags=5, saturation="logistic", knots=0),
)
COUNTS: tuple[Counts, ...] = ("all", "within")


# The likelihood


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


# Windows and routes


@pytest.mark.parametrize(
    ("start", "days", "periods", "shares"),
    [
        (0, 7, (0, 1), [1.0]),
        (3, 1, (0, 1), [1 / 7]),
        (6, 2, (0, 2), [1 / 7, 1 / 7]),
        (5, 16, (0, 3), [2 / 7, 1.0, 1.0]),
        (273, 7, (39, 40), [1.0]),
    ],
)
def test_days_become_shares_of_weeks(start: int, days: int, periods: tuple[int, int], shares: list[float]) -> None:
    window = experiment_window(market(), experiment(start=start, days=days))
    assert window is not None
    assert (window.start, window.stop) == periods
    assert window.shares.tolist() == pytest.approx(shares)


@pytest.mark.parametrize(("start", "days"), [(-1, 5), (274, 7), (-10, 400), (300, 5)])
def test_a_window_that_is_not_wholly_in_the_data_is_none(start: int, days: int) -> None:
    assert experiment_window(market(), experiment(start=start, days=days)) is None
    (reading,) = read(market(), [experiment(start=start, days=days)], "auto")
    assert (reading.route, reading.modelled) == ("prior", None)
    assert "not all in the weeks that the model of “Sales” learns from" in reading.why


def test_days_of_history_are_not_days_of_the_outcome() -> None:
    whole = market()
    given = panel(whole.outcome[4:], whole.spend, history=4)
    assert experiment_window(given, experiment(start=27)) is None
    window = experiment_window(given, experiment(start=28, days=7))
    assert window is not None
    assert window.start == 0
    assert window.spend == pytest.approx(given.spend[4, 0])


def test_months_have_their_own_lengths() -> None:
    months = np.arange("2023-11", "2024-04", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    given = replace(panel(np.arange(5.0), np.ones((5, 1)), granularity="month"), period_start=months)
    starts, ends = period_days(given)
    assert (ends - starts + 1).tolist() == [30, 31, 31, 29, 31]
    leap = dt.date(2024, 2, 29).toordinal() - dt.date(1970, 1, 1).toordinal()
    window = experiment_window(given, replace(experiment(), start=leap, end=leap + 1))
    assert window is not None
    assert window.shares.tolist() == pytest.approx([1 / 29, 1 / 31])


def test_by_day_every_day_is_a_period() -> None:
    given = panel(np.arange(50.0), np.ones((50, 1)), granularity="day")
    window = experiment_window(given, experiment(start=45, days=5))
    assert window is not None
    assert (window.start, window.stop, window.spend) == (45, 50, 5.0)


@having(st.integers(0, 279), st.integers(1, 280))
def test_shares_of_periods_add_up_to_the_days(start: int, days: int) -> None:
    test = experiment(start=start, days=min(days, 280 - start))
    window = experiment_window(market(), test)
    assert window is not None
    assert 7 * window.shares.sum() == pytest.approx(test.days)
    assert np.all((window.shares > 0) & (window.shares <= 1))


@pytest.mark.parametrize(
    ("times", "route"), [(0.01, "likelihood"), (1.0, "likelihood"), (1.04, "likelihood"), (1.06, "prior")]
)
def test_a_test_of_more_than_was_spent_is_a_belief(times: float, route: str) -> None:
    given = market()
    window = experiment_window(given, experiment())
    assert window is not None
    (reading,) = read(given, [experiment(spend=times * window.spend)], "auto")
    assert reading.route == route
    assert (reading.modelled is None) == (route == "prior")
    assert ("Check the spend of both" in reading.why) == (route == "prior")


def test_a_test_on_days_without_spend_in_the_data_is_a_belief() -> None:
    given = market()
    spend = given.spend.copy()
    spend[1:6, 0] = 0.0
    (reading,) = read(replace(given, spend=spend, exposure=spend), [experiment()], "auto")
    assert reading.route == "prior"
    assert reading.why.endswith("the data have no spend of the channel in them.")


@pytest.mark.parametrize(
    ("change", "test", "use", "why"),
    [
        ({"bounds": (0.0, 1e6)}, experiment(), "likelihood", "“Sales” has bounds"),
        ({"is_money": False}, experiment(), "auto", "lifts are taken to be in money, and “Sales” is not"),
        ({}, experiment("Radio"), "auto", "the channel has no spend in these data"),
        ({}, experiment(spend=0.0), "prior", "nothing was spent on it"),
    ],
)
def test_what_cannot_be_used_says_why(change: dict[str, Any], test: Experiment, use: Use, why: str) -> None:
    given = replace(market(), **change)
    (reading,) = read(given, [test], use)
    assert reading.route is None
    assert why in reading.why
    position = np.zeros(prepare(given, Choices(lags=5)).model.size)
    assert density(prepare(given, Choices(lags=5, experiments=(test,), experiments_as=use)), position) == density(
        prepare(given, Choices(lags=5)), position
    )


def test_a_standard_error_below_a_hundredth_of_the_lift_is_raised_and_remarked_on() -> None:
    tests = [
        experiment(lift=lift, standard_error=error, **more)
        for lift, error, more in (
            (900.0, 8.9, {}),
            (-900.0, 8.9, {"start": -100}),
            (900.0, 9.0, {}),
            (900.0, 8.9, {"channel": "Radio"}),
        )
    ]
    assert [test.error for test in tests] == [9.0] * 4
    used, belief, precise, unused = read(market(), tests, "auto")
    (raised,) = used.remarks
    assert raised == (
        "The standard error of the experiment on “Channel 1” (13 Jan – 9 Feb 2022) is below 1% of its lift, and is "
        "taken to be 1% of it: hardly any lift is known better."
    )
    assert belief.remarks[0] == belief.why
    assert belief.remarks[1].startswith("The standard error of the experiment on “Channel 1” (25 Sep")
    assert precise.remarks == ()
    assert unused.remarks == (unused.why,)


def test_experiments_are_used_for_other_outcomes_if_asked_for() -> None:
    assert [reading.route for reading in read(replace(market(), is_money=False), TESTS, "likelihood")] == [
        "likelihood"
    ] * 3


@pytest.mark.parametrize(
    "wrong",
    [{"lift": np.nan}, {"standard_error": 0.0}, {"standard_error": np.inf}, {"spend": -1.0}, {"days": 0}],
    ids=str,
)
def test_numbers_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="An experiment on “Channel 1” must have finite numbers"):
        experiment(**wrong)


# The answer


def told() -> tuple[Told, Prepared]:
    prepared = prepare(
        market(), Choices(lags=5, experiments=(*TESTS, experiment("Radio"), experiment(start=-50, days=7)))
    )
    draws = fitting.prior_of(prepared, 200, np.random.default_rng(1))
    given = prepared.panel
    found = quantities(
        draws, Window(20, 40), spend=given.spend[20:].sum(axis=0), exposure=given.exposure[20:].sum(axis=0)
    )
    return Told(draws, found, True), prepared


def test_the_answer_sets_what_was_measured_beside_what_is_modelled() -> None:
    after, prepared = told()
    found = experiments_json(prepared.readings, after, None, 0.9)
    assert [one["route"] for one in found] == ["likelihood"] * 3 + [None, "prior"]
    assert found[0]["start"] == "2022-01-13"
    assert found[0]["end"] == "2022-02-04"
    measured = found[0]["incremental_per_spend"]
    assert measured["median"] == 6.0
    assert measured["high"] - measured["median"] == pytest.approx(1.6449 * 100 / 150, rel=1e-4)
    lift = modelled_lift(after.posterior, prepared.readings[0])
    assert lift is not None
    assert found[0]["after"]["lift"]["median"] == pytest.approx(np.median(lift))
    returns = after.found.return_on_spend[:, 0]
    assert found[0]["after"]["incremental_per_spend"]["low"] == pytest.approx(np.quantile(returns, 0.05))
    assert found[0]["before"] is None
    assert found[3]["after"] is None
    assert found[4]["after"]["lift"] is None
    assert {one["counts"] for one in found} == {"all"}
    assert [check.subject for check in experiment_checks(prepared.readings, after.posterior, None)] == [
        "Channel 1, 13 Jan – 4 Feb 2022",
        "Channel 2, 14–27 Mar 2022",
        "Channel 1, 1 Aug 2022",
    ]


@pytest.mark.parametrize(
    ("lift", "verdict"),
    [(0.0, "good"), (1.9, "good"), (2.5, "review"), (-2.5, "review"), (3.5, "fail"), (-3.5, "fail")],
)
def test_an_experiment_that_the_model_contradicts_is_a_matter_of_health(lift: float, verdict: str) -> None:
    """All draws at 0, a standard error of 1: the two-sided tail of a standard normal."""
    test = experiment(lift=lift, standard_error=1.0)
    assert tail(test, np.zeros(50)) == pytest.approx(2 * stats.norm.sf(abs(lift)))
    after, prepared = told()
    (reading,) = read(prepared.panel, [replace(test, spend=100.0)], "auto")
    nothing = replace(after.posterior, beta=np.zeros_like(after.posterior.beta))
    for checks in (experiment_checks([reading], nothing, None), experiment_checks([reading], after.posterior, nothing)):
        (check,) = checks
        assert check.verdict == verdict
        assert check.value == pytest.approx(2 * stats.norm.sf(abs(lift)))


def test_health_asks_the_model_without_experiments_and_says_so_if_there_is_none() -> None:
    after, prepared = told()
    (reading,) = read(prepared.panel, [experiment(lift=1e6, standard_error=1e4)], "auto")
    (by_before,) = experiment_checks([reading], after.posterior, after.posterior)
    (by_after,) = experiment_checks([reading], after.posterior, None)
    assert by_before.advice.startswith("What the model without experiments says of its lift is far")
    assert by_after.advice.startswith("What the model, which has learnt from it, says of its lift is far")


def test_the_tail_is_that_of_lifts_measured_anew() -> None:
    rng = np.random.default_rng(3)
    modelled = rng.normal(10, 2, 100_000)
    test = experiment(lift=14.0, standard_error=1.5)
    anew = modelled + 1.5 * rng.standard_normal(100_000)
    assert tail(test, modelled) == pytest.approx(2 * np.mean(anew >= 14.0), abs=0.004)
