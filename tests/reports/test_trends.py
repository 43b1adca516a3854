"""The trend of a daily series: worked by hand, against a brute force in plain Python, its invariants, and its truth."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.methods.trends import Direction, NoTrend, Trend, _t_quantile, ratio_trend, trend

Floats = npt.NDArray[np.float64]
SEED = 20240501
WEEKDAY_EFFECT = np.array([0.0, 3.0, 1.0, 2.0, 5.0, -4.0, -6.0])

# Noise that is not itself a straight line, whose interval would be nothing but rounding.
noise = (
    st.lists(st.floats(-10, 10).map(lambda value: round(value, 3)), min_size=30, max_size=60)
    .map(np.array)
    .filter(lambda values: np.ptp(np.diff(values)) > 0.01)
)


def found(answer: Trend | NoTrend) -> Trend:
    assert isinstance(answer, Trend)
    return answer


def numbers(answer: Trend | NoTrend) -> list[float]:
    change = found(answer).change
    return [change.value, change.low, change.high]


def weekdays(days: int) -> npt.NDArray[np.int64]:
    return np.arange(days) % 7


def correlated_noise(rng: np.random.Generator, series: int, days: int, rho: float) -> Floats:
    """(series, days): stationary AR(1) with innovations of standard deviation 1."""
    values: Floats = rng.normal(size=(series, days))
    values[:, 0] /= math.sqrt(1 - rho**2)
    for day in range(1, days):
        values[:, day] += rho * values[:, day - 1]
    return values


# --- Worked by hand ---


def test_a_straight_line_is_its_own_trend() -> None:
    answer = found(trend(values=np.linspace(10, 20, 21), confidence=95))
    assert numbers(answer) == pytest.approx([10, 10, 10])
    assert answer.level == pytest.approx(15)
    assert answer.relative is not None
    assert answer.relative.value == pytest.approx(10 / 15)
    assert (answer.direction, answer.days, answer.confidence) == (Direction.UP, 21, 95)


def test_noise_that_alternates_is_worked_by_hand() -> None:
    # y = +1 -1 +1 ... over 15 days. Sum of (t - 7) y = 0, so the slope is 0; the mean is 1/15.
    answer = found(trend(values=np.array([1.0, -1.0] * 7 + [1.0]), confidence=90))
    assert answer.change.value == pytest.approx(0, abs=1e-12)
    assert answer.level == pytest.approx(1 / 15)
    assert answer.direction == Direction.FLAT
    assert answer.relative is None  # a level that cannot be told from zero


def test_a_ratio_that_rises_is_found_however_spend_moves() -> None:
    spend = np.array([100.0, 0.0, 400.0, 50.0, 900.0, 25.0, 300.0] * 3)
    roas = 2 + np.arange(21) / 20
    answer = found(ratio_trend(numerator=roas * spend, denominator=spend, confidence=95))
    assert numbers(answer) == pytest.approx([1, 1, 1])
    assert answer.level == pytest.approx((roas * spend).sum() / spend.sum())


@pytest.mark.parametrize("probability", [0.9, 0.95, 0.975, 0.995])
@pytest.mark.parametrize("freedom", [4.8, 6, 12, 20.5, 88, 357])
def test_the_quantile_of_students_t_is_scipys(probability: float, freedom: float) -> None:
    assert _t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-3)


# --- An independent brute force ---


def brute_force(above: Sequence[float], below: Sequence[float], weekday: Sequence[int], lags: int) -> list[float]:
    """Change, its 95% interval, and the relative change's, by least squares of NumPy and sums of scalars.

    NaN is a missing day. A regression weighted by D has the rows sqrt(D) x and N / sqrt(D).
    """
    known = [day for day in range(len(above)) if not math.isnan(above[day])]
    span = known[-1] - known[0]
    rows = [[1.0, (day - known[0]) / span, *(float(weekday[day] == name) for name in range(1, 7))] for day in known]
    roots = [math.sqrt(below[day]) for day in known]
    weighted = np.array([[root * cell for cell in row] for root, row in zip(roots, rows, strict=True)])
    target = np.array([above[day] / root for day, root in zip(known, roots, strict=True)])
    coefficients, _, rank, _ = np.linalg.lstsq(weighted, target)
    assert rank == 8
    pseudo_inverse = np.linalg.pinv(weighted)[1]
    total = sum(below[day] for day in known)
    influence = [[0.0, 0.0] for _ in range(span + 1)]
    for place, day in enumerate(known):
        residual = above[day] - below[day] * sum(np.array(rows[place]) * coefficients)
        influence[day - known[0]] = [pseudo_inverse[place] * residual / roots[place], residual / total]
    covariance = brute_covariance(influence, lags)
    scale = len(known) / (len(known) - 8)
    quantile = stats.t.ppf(0.975, min(len(known) - 8, 1.5 * (span + 1) / (lags + 1)))
    change, level = coefficients[1], sum(above[day] for day in known) / total
    margin = quantile * math.sqrt(scale * covariance[0][0])
    # Fieller's interval is where change - r level is within its margin of zero.
    square = level**2 - quantile**2 * scale * covariance[1][1]
    linear = -2 * (change * level - quantile**2 * scale * covariance[0][1])
    ends = sorted(np.roots([square, linear, change**2 - margin**2]).real)
    return [change, change - margin, change + margin, change / level, *ends]


def brute_covariance(influence: list[list[float]], lags: int) -> list[list[float]]:
    days = len(influence)
    rho = [
        sum(influence[day][k] * influence[day - 1][k] for day in range(1, days))
        / sum(influence[day - 1][k] ** 2 for day in range(1, days))
        for k in (0, 1)
    ]
    white = [[influence[day][k] - rho[k] * influence[day - 1][k] for k in (0, 1)] for day in range(1, days)]
    covariance = [[0.0, 0.0], [0.0, 0.0]]
    for first in range(len(white)):
        for second in range(len(white)):
            weight = 1 - abs(first - second) / (lags + 1)
            if weight > 0:
                for i in (0, 1):
                    for j in (0, 1):
                        covariance[i][j] += weight * white[first][i] * white[second][j]
    return [[covariance[i][j] * days / (days - 1) / ((1 - rho[i]) * (1 - rho[j])) for j in (0, 1)] for i in (0, 1)]


@pytest.mark.parametrize("days", [40, 90])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("is_ratio", [False, True])
def test_a_brute_force_finds_the_same(days: int, gaps: bool, is_ratio: bool) -> None:
    rng = np.random.default_rng(SEED + days)
    below = rng.uniform(50, 150, days) if is_ratio else np.ones(days)
    above = below * (
        20 + 0.05 * np.arange(days) + WEEKDAY_EFFECT[weekdays(days)] + correlated_noise(rng, 1, days, 0.5)[0]
    )
    if gaps:
        above[[0, 11, 12, days - 1]] = np.nan
    answer = found(ratio_trend(numerator=above, denominator=below, confidence=95, weekday=weekdays(days)))
    assert answer.relative is not None
    mine = [*numbers(answer), answer.relative.value, answer.relative.low, answer.relative.high]
    theirs = brute_force(above.tolist(), below.tolist(), weekdays(days).tolist(), answer.lags)
    assert mine == pytest.approx(theirs, rel=1e-6)
    assert answer.days == days - 4 * gaps


def test_the_lags_are_those_of_newey_and_west() -> None:
    values = correlated_noise(np.random.default_rng(SEED), 1, 90, 0.5)[0]
    answer = found(trend(values=values, confidence=95))
    time = np.arange(90) - 44.5
    slope, intercept = np.polyfit(time, values, 1)
    scores = (time * (values - intercept - slope * time)).tolist()
    rho = sum(a * b for a, b in zip(scores[1:], scores, strict=False)) / sum(score**2 for score in scores[:-1])
    white = [after - rho * before for after, before in zip(scores[1:], scores, strict=False)]
    pilot = math.floor(4 * (89 / 100) ** (2 / 9))
    covariances = [sum(a * b for a, b in zip(white[lag:], white, strict=False)) for lag in range(pilot + 1)]
    s0 = covariances[0] + 2 * sum(covariances[1:])
    s1 = 2 * sum(lag * covariance for lag, covariance in enumerate(covariances))
    assert answer.lags == math.floor(1.1447 * ((s1 / s0) ** 2 * 89) ** (1 / 3))


# --- Invariants ---


@given(noise=noise, factor=st.floats(0.01, 1000))
@settings(max_examples=40, deadline=None)
def test_in_another_unit_the_change_is_the_same(noise: Floats, factor: float) -> None:
    values = noise + 20 + np.linspace(0, 5, len(noise))
    before, after = found(trend(values=values, confidence=95)), found(trend(values=factor * values, confidence=95))
    assert np.array(numbers(after)) == pytest.approx(factor * np.array(numbers(before)), rel=1e-6, abs=1e-9 * factor)
    assert (before.relative is None) == (after.relative is None)
    if before.relative and after.relative:
        assert after.relative.low == pytest.approx(before.relative.low, rel=1e-6, abs=1e-9)


@given(noise=noise, shift=st.floats(-1000, 1000))
@settings(max_examples=40, deadline=None)
def test_a_shift_of_the_level_changes_nothing(noise: Floats, shift: float) -> None:
    values = noise + np.linspace(0, 5, len(noise))
    assert numbers(trend(values=values + shift, confidence=90)) == pytest.approx(
        numbers(trend(values=values, confidence=90)), rel=1e-6, abs=1e-8
    )


@given(noise=noise, effect=st.lists(st.floats(-50, 50), min_size=7, max_size=7))
@settings(max_examples=40, deadline=None)
def test_a_weekly_pattern_changes_nothing(noise: Floats, effect: list[float]) -> None:
    values, weekday = noise + np.linspace(0, 5, len(noise)), weekdays(len(noise))
    assert numbers(trend(values=values + np.array(effect)[weekday], confidence=95, weekday=weekday)) == pytest.approx(
        numbers(trend(values=values, confidence=95, weekday=weekday)), rel=1e-6, abs=1e-8
    )


@given(noise=noise)
@settings(max_examples=40, deadline=None)
def test_read_backwards_the_change_has_the_other_sign(noise: Floats) -> None:
    values = noise + np.linspace(0, 5, len(noise))
    forwards, backwards = trend(values=values, confidence=95), trend(values=values[::-1], confidence=95)
    assert found(backwards).change.value == pytest.approx(-found(forwards).change.value, rel=1e-6, abs=1e-9)


@given(noise=noise, before=st.integers(0, 20), after=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_days_without_data_around_the_period_change_nothing(noise: Floats, before: int, after: int) -> None:
    values = noise + np.linspace(0, 5, len(noise))
    padded = np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])
    assert trend(values=padded, confidence=95) == trend(values=values, confidence=95)


@given(noise=noise, level=st.floats(5, 100), rise=st.floats(-20, 20), confidence=st.sampled_from([80, 90, 95, 99]))
@settings(max_examples=60, deadline=None)
def test_both_intervals_agree_about_the_direction(noise: Floats, level: float, rise: float, confidence: float) -> None:
    answer = found(trend(values=noise + level + rise * np.linspace(0, 1, len(noise)), confidence=confidence))
    for interval in (answer.change, answer.relative or answer.change):
        assert (interval.low > 0) == (answer.direction == Direction.UP)
        assert (interval.high < 0) == (answer.direction == Direction.DOWN)
        assert interval.low <= interval.value <= interval.high


def test_more_confidence_means_a_wider_interval() -> None:
    values = correlated_noise(np.random.default_rng(SEED), 1, 90, 0.5)[0]
    widths = [high - low for _, low, high in (numbers(trend(values=values, confidence=c)) for c in (80, 90, 95, 99))]
    assert widths == sorted(widths)
    assert widths[0] < 0.7 * widths[-1]


# --- Simulated truths ---


def coverage(answers: Sequence[Trend | NoTrend], truth: float) -> float:
    intervals = [found(answer).change for answer in answers]
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


def test_the_interval_holds_the_truth_as_often_as_documented() -> None:
    rng = np.random.default_rng(SEED)
    weekday, line = weekdays(90), 100 + 0.1 * np.arange(90)
    series = line + WEEKDAY_EFFECT[weekday] + correlated_noise(rng, 1500, 90, 0.5)
    answers = [trend(values=values, confidence=95, weekday=weekday) for values in series]
    assert 0.88 <= coverage(answers, 8.9) <= 0.95
    assert np.mean([found(answer).change.value for answer in answers]) == pytest.approx(8.9, abs=0.1)
    relative = [answer.relative for answer in map(found, answers) if answer.relative]
    assert 0.88 <= np.mean([interval.low <= 8.9 / line.mean() <= interval.high for interval in relative]) <= 0.95


def test_a_ratios_interval_holds_the_truth_though_spend_doubles() -> None:
    rng = np.random.default_rng(SEED)
    spend = np.linspace(100, 200, 90) * rng.uniform(0.5, 1.5, (1500, 90))
    roas = 4 - np.arange(90) / 89
    revenue = roas * spend + 20 * correlated_noise(rng, 1500, 90, 0.5)
    pairs = zip(revenue, spend, strict=True)
    answers = [ratio_trend(numerator=above, denominator=below, confidence=95) for above, below in pairs]
    assert 0.88 <= coverage(answers, -1) <= 0.96
    assert np.mean([found(answer).change.value for answer in answers]) == pytest.approx(-1, abs=0.01)
    assert found(answers[0]).direction == Direction.DOWN


# --- Where there is none ---


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], NoTrend.TOO_FEW_DAYS),
        ([1.0, 2.0] * 6 + [1.0], NoTrend.TOO_FEW_DAYS),
        ([math.nan] * 90, NoTrend.TOO_FEW_DAYS),
        ([1.0, 2.0] * 6 + [1.0] + [math.nan] * 30, NoTrend.TOO_FEW_DAYS),
        ([0.0] * 90, NoTrend.CONSTANT),
        ([0.1] * 90, NoTrend.CONSTANT),
    ],
)
def test_without_enough_to_go_by_the_answer_says_why(values: list[float], reason: NoTrend) -> None:
    assert trend(values=np.array(values), confidence=95) == reason


def test_a_ratio_without_enough_days_of_spend_has_no_trend() -> None:
    spend = np.array([10.0] * 13 + [0.0] * 50)
    assert ratio_trend(numerator=spend + 1, denominator=spend, confidence=95) == NoTrend.TOO_FEW_DAYS


def test_a_ratio_that_never_changes_has_no_trend() -> None:
    spend = np.random.default_rng(SEED).uniform(1, 100, 60)
    assert ratio_trend(numerator=2.7 * spend, denominator=spend, confidence=95) == NoTrend.CONSTANT


def test_weekdays_without_spend_are_no_obstacle() -> None:
    rng = np.random.default_rng(SEED)
    weekday = weekdays(60)
    spend = np.where(weekday >= 5, 0.0, rng.uniform(50, 150, 60))
    revenue = 3 * spend + rng.normal(size=60) + 10
    answer = found(ratio_trend(numerator=revenue, denominator=spend, confidence=95, weekday=weekday))
    assert answer.level == pytest.approx(revenue.sum() / spend.sum())
    assert math.isfinite(answer.change.low)


def test_a_level_around_zero_has_a_change_but_no_relative_one() -> None:
    values = np.linspace(-10, 10, 60) + np.random.default_rng(SEED).normal(size=60)
    answer = found(trend(values=values, confidence=95))
    assert answer.direction == Direction.UP
    assert answer.relative is None


@pytest.mark.parametrize(
    ("above", "below", "weekday", "confidence"),
    [
        (np.ones(20), np.ones(19), None, 95),
        (np.ones((20, 1)), np.ones((20, 1)), None, 95),
        (np.ones(20), np.ones(20), np.zeros(19, np.int64), 95),
        (np.array([math.inf] * 20), np.ones(20), None, 95),
        (np.ones(20), -np.ones(20), None, 95),
        (np.ones(20), np.ones(20), None, 0.95),
        (np.ones(20), np.ones(20), None, 100),
    ],
)
def test_nonsense_is_refused(
    above: Floats, below: Floats, weekday: npt.NDArray[np.int64] | None, confidence: float
) -> None:
    with pytest.raises(ValueError, match=r"trend|denominator|confidence"):
        ratio_trend(numerator=above, denominator=below, confidence=confidence, weekday=weekday)
