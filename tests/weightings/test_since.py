"""How a model has predicted what has come since: by hand, against a plan of the same, and where the two do not fit."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import MediaPanel
from tests.weightings.demo_panels import up_to, with_level_dropped, with_spend_restated
from tests.weightings.forecasts import market, some_draws, with_coefficients
from weightings.methods import scores
from weightings.methods.forecasting.backtest import as_a_year_before
from weightings.methods.forecasting.forecast import forecast
from weightings.methods.forecasting.forecast_plan import Plan, laid_out
from weightings.methods.forecasting.since import Since, since, what_came
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.posterior import Posterior

FloatArray = npt.NDArray[np.float64]
KNOWN, WEEKS = 60, 68
LATER = market(weeks=WEEKS, history=0)
EARLIER = up_to(LATER, KNOWN)
NAMES = {"TV": "TV", "Search": "Search", "Blog": "Blog"}
DRAWS = some_draws(EARLIER)


def tried(
    later: MediaPanel = LATER,
    earlier: MediaPanel = EARLIER,
    *,
    posterior: Posterior = DRAWS,
    names: dict[str, str] = NAMES,
    knots: int = 6,
) -> Since:
    return since(earlier, posterior, later, names=names, knots=knots)


def as_planned(later: MediaPanel = LATER) -> Plan:
    behind = slice(KNOWN, None)
    return Plan(
        spend=later.spend[behind],
        organic={"Blog": later.organic_exposure[behind, 0]},
        controls={"Price": later.control[behind, 0]},
        events={"Sale": later.event[behind, 0]},
        holidays={"Easter": later.holiday[behind, 0]},
    )


# What came


def test_what_came_is_a_plan_that_has_come_true() -> None:
    came, planned = what_came(EARLIER, LATER, NAMES), laid_out(EARLIER, as_planned())
    for name in ("period_start", "spend", "exposure", "control", "event", "holiday"):
        np.testing.assert_array_equal(getattr(came, name), getattr(planned, name), err_msg=name)
    assert (came.carried, came.unknown_holidays) == ((), ())


def test_it_predicts_what_a_forecast_of_that_plan_does() -> None:
    found, planned = tried(), forecast(EARLIER, DRAWS, as_planned(), knots=6)
    low, _median, high = np.quantile(planned.predicted, (0.05, 0.5, 0.95), axis=0)
    np.testing.assert_allclose(found.low, low)
    np.testing.assert_allclose(found.high, high)
    np.testing.assert_allclose(found.mean, planned.predicted.mean(axis=0))
    observed = LATER.outcome[KNOWN:]
    np.testing.assert_array_equal(found.observed, observed)
    np.testing.assert_array_equal(found.period_start, LATER.period_start[KNOWN:])
    assert found.crps == pytest.approx(scores.crps(planned.predicted, observed).mean())
    naive = as_a_year_before(LATER, KNOWN, WEEKS - KNOWN)
    assert found.naive_crps == pytest.approx(np.abs(observed - naive).mean())
    assert found.naive_wmape == pytest.approx(np.abs(observed - naive).sum() / observed.sum())
    assert found.skill == pytest.approx(1 - found.crps / found.naive_crps)
    assert found.inside == int(((low <= observed) & (observed <= high)).sum())


def test_impressions_count_as_they_came_not_as_spend_would_have_bought_them() -> None:
    def with_impressions(of: MediaPanel, per_spend: FloatArray) -> MediaPanel:
        return replace(of, exposure=of.spend * per_spend[:, None], exposure_units=("impressions", "impressions"))

    later = with_impressions(LATER, np.where(np.arange(WEEKS) < KNOWN, 10.0, 4.0))
    earlier = up_to(later, KNOWN)
    came = what_came(earlier, later, NAMES)
    np.testing.assert_allclose(came.exposure[:, :2], 4 * LATER.spend[KNOWN:])
    # Where they are no longer counted, they are what the spend bought of late.
    uncounted = replace(later, exposure=later.spend, exposure_units=("spend", "impressions"))
    came = what_came(earlier, uncounted, NAMES)
    np.testing.assert_allclose(came.exposure[:, 0], 10 * LATER.spend[KNOWN:, 0])
    np.testing.assert_allclose(came.exposure[:, 1], later.spend[KNOWN:, 1])


def test_the_past_is_as_the_model_saw_it_whatever_was_restated_since() -> None:
    restated = with_spend_restated(LATER, "TV", 3.0, KNOWN)
    restated = replace(restated, exposure=restated.spend)
    np.testing.assert_array_equal(tried(restated).mean, tried().mean)


def test_channels_that_are_gone_spend_nothing_and_new_ones_do_nothing() -> None:
    later = replace(LATER, channels=("Radio", "Search"))
    came, found = what_came(EARLIER, later, NAMES), tried(later)
    np.testing.assert_array_equal(came.spend[:, 0], 0.0)
    np.testing.assert_array_equal(came.exposure[:, 0], 0.0)
    np.testing.assert_array_equal(came.spend[:, 1], LATER.spend[KNOWN:, 1])
    assert found.new == ("Radio",)
    renamed = replace(LATER, channels=("Television", "Search"))
    by_its_new_name = tried(renamed, names={**NAMES, "TV": "Television"})
    np.testing.assert_array_equal(by_its_new_name.mean, tried().mean)
    assert by_its_new_name.new == ()


def test_what_the_later_data_lack_is_carried_on() -> None:
    later = replace(
        LATER,
        organic=(),
        organic_exposure=np.zeros((WEEKS, 0)),
        organic_units=(),
        controls=("Weather",),
        events=(),
        event=np.zeros((WEEKS, 0)),
        holidays=("Whitsun",),
    )
    came, carried = what_came(EARLIER, later, NAMES), laid_out(EARLIER, Plan(spend=LATER.spend[KNOWN:]))
    for name in ("exposure", "control", "event", "holiday"):
        np.testing.assert_array_equal(getattr(came, name), getattr(carried, name), err_msg=name)
    assert (came.carried, came.unknown_holidays) == (("Blog", "Price"), ("Whitsun",))


# How well it was predicted


def certain(*came: float) -> Since:
    """What is said of a model without a trend that is certain of 100, whatever is spent."""
    posterior = with_coefficients(EARLIER, 0, intercept=[100.0])
    return tried(with_outcome(*came), posterior=posterior, knots=0)


def with_outcome(*came: float) -> MediaPanel:
    """The later data with this outcome at their end."""
    outcome = LATER.outcome.copy()
    outcome[KNOWN:] = np.nan
    outcome[KNOWN : KNOWN + len(came)] = came
    return replace(LATER, outcome=outcome)


def test_scores_by_hand() -> None:
    found = certain(100.0, 125.0, np.nan, 75.0)
    assert (found.known, found.inside) == (3, 1), "the interval of what is certain has no width"
    assert found.wmape == pytest.approx(50 / 300)
    assert found.bias == pytest.approx(0.0)
    assert found.crps == pytest.approx(50 / 3)
    assert found.total == pytest.approx((300.0, 300.0, 300.0))
    assert found.total_observed == pytest.approx(300.0)
    assert np.isnan(found.observed).sum() == 5
    less = certain(80.0, 80.0)
    assert less.bias == pytest.approx(40 / 160)
    assert less.as_far_off == 0.0
    assert less.verdict == "fail"


def test_of_nothing_there_is_no_share() -> None:
    found = certain(0.0, 0.0)
    assert (found.wmape, found.naive_wmape, found.bias) == (None, None, None)


@pytest.mark.parametrize(
    ("inside", "known", "crps", "as_far_off", "verdict"),
    [
        (6, 6, 1.0, 1.0, "good"),
        (4, 6, 1.0, 1.0, "good"),  # so few or fewer: 11%
        (3, 6, 1.0, 1.0, "fail"),  # 1.6%
        (0, 1, 1.0, 1.0, "good"),  # 10%
        (0, 2, 1.0, 1.0, "fail"),  # 1%
        (6, 6, 1.0, 0.02, "fail"),
        (6, 6, 3.0, 1.0, "review"),
        (6, 6, 2.0, 1.0, "good"),
        (3, 6, 3.0, 1.0, "fail"),
    ],
)
def test_verdicts(inside: int, known: int, crps: float, as_far_off: float, verdict: str) -> None:
    found = replace(tried(), inside=inside, known=known, crps=crps, naive_crps=2.0, as_far_off=as_far_off)
    assert found.verdict == verdict


def test_where_a_year_before_hits_all_there_is_no_skill_to_speak_of() -> None:
    assert replace(tried(), naive_crps=0.0).skill is None
    assert replace(tried(), naive_crps=0.0, inside=8, known=8, as_far_off=1.0).verdict == "good"


def test_what_comes_from_the_model_itself_is_predicted_well_and_a_break_badly() -> None:
    """Each draw of the model in turn is the truth: nine tenths of what it brings lie inside, whatever it is."""
    posterior = some_draws(EARLIER, 200)
    truths = forecast(EARLIER, posterior, as_planned(), knots=6, seed=1).predicted
    verdicts, inside = [], 0
    for truth in truths[:60]:
        later = with_outcome(*truth)
        found = tried(later, posterior=posterior)
        inside += found.inside
        verdicts.append(found.verdict)
        assert found.known == WEEKS - KNOWN
    assert inside / (60 * (WEEKS - KNOWN)) == pytest.approx(0.9, abs=0.05)
    assert np.mean([verdict == "fail" for verdict in verdicts]) < 0.15
    broken = [
        tried(with_level_dropped(with_outcome(*truth), 20.0, KNOWN), posterior=posterior).verdict
        for truth in truths[:10]
    ]
    assert set(broken) == {"fail"}


def test_an_outcome_with_bounds_has_a_mean_for_a_total() -> None:
    later = market(weeks=WEEKS, history=0, bounded=True)
    earlier = up_to(later, KNOWN)
    found = tried(later, earlier, posterior=some_draws(earlier))
    assert found.total_observed == pytest.approx(later.outcome[KNOWN:].mean())
    assert 0 <= found.total[0] <= found.total[1] <= found.total[2] <= 100


# Where it cannot be said


def test_more_than_a_year_is_looked_at_for_a_year() -> None:
    later = market(weeks=120, history=0)
    earlier = up_to(later, 60)
    found = tried(later, earlier, posterior=some_draws(earlier))
    assert len(found.observed) == 52


@pytest.mark.parametrize(
    ("later", "names", "sentence"),
    [
        (EARLIER, NAMES, "No whole week has come since"),
        (replace(LATER, period_start=LATER.period_start + 1), NAMES, "do not follow"),
        (replace(LATER, granularity="day"), NAMES, "do not follow"),
        (with_outcome(), NAMES, "No “Sales” is known"),
        (LATER, {**NAMES, "TV": "Media", "Search": "Media"}, "knows as several channels is “Media” now"),
    ],
    ids=["nothing new", "other weeks", "other granularity", "no outcome", "merged"],
)
def test_why_it_cannot_be_said(later: MediaPanel, names: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotBePlanned, match=sentence):
        tried(later, names=names)


def test_weeks_that_are_missing_between_the_two_cannot_be_passed_over() -> None:
    gap = np.r_[0:KNOWN, KNOWN + 1 : WEEKS]
    tables = ("period_start", "outcome", "spend", "exposure", "organic_exposure", "control", "event", "holiday")
    with pytest.raises(CannotBePlanned, match="do not follow"):
        tried(replace(LATER, **{name: getattr(LATER, name)[gap] for name in tables}))


def test_a_posterior_of_other_data_is_refused() -> None:
    with pytest.raises(ValueError, match="not fitted to these data"):
        tried(posterior=some_draws(up_to(LATER, 50)))


def test_models_of_geos_are_not_continued() -> None:
    geo = object.__new__(GeoPosterior)
    with pytest.raises(CannotBePlanned, match="geos side by side"):
        tried(posterior=geo)
