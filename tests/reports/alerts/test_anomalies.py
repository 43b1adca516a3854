"""Whether a day is unlike the days before: by hand, by brute force, by what must hold, and in simulated worlds."""

import math
import statistics
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.methods.anomalies import Direction, Judgement, NoVerdict, Verdict, judge

Float64s = npt.NDArray[np.float64]
WEEK = np.array([1.0, 1.05, 1.0, 0.95, 0.9, 1.3, 1.25])
YEAR = 365
Make = Callable[[np.random.Generator], Float64s]


def weekdays(days: int) -> Float64s:
    return WEEK[np.arange(days) % 7]


def noisy(rng: np.random.Generator, days: int = 400, *, level: float = 500.0, spread: float = 0.08) -> Float64s:
    return level * weekdays(days) * np.exp(rng.normal(0, spread, days))


def verdict(judgement: Judgement) -> Verdict:
    assert isinstance(judgement, Verdict)
    return judgement


def today(values: Float64s) -> Verdict:
    return verdict(judge(values=values, last=1)[0])


# --- by hand ---


def test_a_day_is_held_against_its_weekday_at_the_present_level() -> None:
    """Every week is 100 but for a Saturday of 144: nothing was ever off, so the band is the 20% that matter."""
    week = [100.0] * 5 + [144.0, 100.0]
    saturday = today(np.array([*week * 12, *week[:5], 144.0]))
    assert (saturday.expected, saturday.low, saturday.high) == pytest.approx((144.0, 115.2, 172.8))
    assert saturday.direction == Direction.WITHIN
    assert today(np.array([*week * 12, *week[:5], 100.0])).direction == Direction.BELOW
    assert today(np.array([*week * 12, 144.0])).direction == Direction.ABOVE  # as a Monday


def test_the_band_is_read_off_the_tail_of_earlier_errors() -> None:
    """Roots of 10 but for every tenth day, of 11 or 12 in turn: of 182 errors 9 are 1, 9 are 2, the others 0.

    So 90% of the errors are 0, 95% are 1 at most, and the limit is 1 / log 2 * log(0.1 * 4000) = 8.644.
    """
    roots = np.full(56 + 182 + 1, 10.0)
    later = np.arange(56, 56 + 180, 10)  # of a different weekday each time, so that none has an effect
    roots[later[::2]], roots[later[1::2]] = 11.0, 12.0
    found = today(roots**2)
    limit = math.log(0.1 * 4000) / math.log(2)
    assert found.expected == pytest.approx(100.0)
    assert (found.low, found.high) == pytest.approx(((10 - limit) ** 2, (10 + limit) ** 2))


def test_nothing_below_zero_is_expected() -> None:
    values = np.random.default_rng(0).poisson(4, 200).astype(float)
    assert today(values).low == 0.0


# --- by brute force ---


def by_brute_force(values: list[float], day: int) -> tuple[float, float, float] | None:
    """(expected, low, high) by loops over lists, or None without a verdict."""

    def forecast(at: int) -> float | None:
        past = {s: math.sqrt(values[s]) for s in range(at - 56, at) if s >= 0 and not math.isnan(values[s])}
        if len(past) < 28 or sum(s >= at - 28 for s in past) < 7:
            return None
        deviations = {s: past[s] - statistics.median([past[k] for k in range(s - 3, s + 4) if k in past]) for s in past}
        effect = {}
        for weekday in range(7):
            of_it = [deviations[s] for s in past if s % 7 == weekday]
            effect[weekday] = statistics.median(of_it) if len(of_it) >= 4 else 0.0
        last = [past[s] - effect[s % 7] for s in past if s >= at - 28]
        return statistics.median(last) + effect[at % 7]

    errors = []
    for s in range(day - 182, day):
        guess = forecast(s) if s >= 0 else None
        if guess is not None and not math.isnan(values[s]):
            errors.append(abs(math.sqrt(values[s]) - guess))
    middle = forecast(day)
    before = [values[s] for s in range(max(day - 56, 0), day) if not math.isnan(values[s])]
    if middle is None or len(errors) < 28 or 2 * sum(value != 0 for value in before) < len(before):
        return None
    threshold = float(np.quantile(errors, 0.9))
    of_tail = threshold + (float(np.quantile(errors, 0.95)) - threshold) / math.log(2) * math.log(400)
    limit = max(of_tail, 3.66 * 1.4826 * statistics.median(errors))
    expected, low, high = (max(end, 0.0) ** 2 for end in (middle, middle - limit, middle + limit))
    return expected, min(low, 0.8 * expected), max(high, 1.2 * expected)


@pytest.mark.parametrize("seed", range(8))
def test_it_agrees_with_loops_over_lists(seed: int) -> None:
    """With days missing here and there, and, of the second four, for weeks."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(4.0 * weekdays(330)).astype(float) if seed % 2 else noisy(rng, 330)
    values[rng.random(330) < 0.15] = np.nan
    values[rng.random(330) < 0.1] = 0.0
    if seed >= 4:
        for first in (60, 250 + seed):
            values[first : first + 20 + seed] = np.nan
    judged = judge(values=values, last=280)
    for place in range(0, 280, 9):
        day = 50 + place
        if math.isnan(values[day]):
            assert judged[place] == NoVerdict.NO_VALUE
            continue
        expected = by_brute_force(values.tolist(), day)
        if expected is None:
            assert isinstance(judged[place], NoVerdict)
        else:
            found = verdict(judged[place])
            assert (found.expected, found.low, found.high) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), min_size=4, max_size=14), st.integers(0, 1000))
def test_whatever_weeks_are_missing_a_verdict_is_made_of_numbers(runs: list[tuple[bool, int]], seed: int) -> None:
    """Runs of days, each known or not."""
    known = np.concatenate([np.full(length, is_known) for is_known, length in runs])
    values = np.where(known, noisy(np.random.default_rng(seed), len(known)), np.nan)
    for place, judgement in enumerate(judge(values=values, last=len(values))):
        compared = known[place] and place % 40 == seed % 40
        expected = by_brute_force(values.tolist(), place) if compared else None
        if isinstance(judgement, Verdict):
            assert np.isfinite([judgement.value, judgement.expected, judgement.low, judgement.high]).all()
            assert known[place]
            assert np.count_nonzero(known[max(place - 28, 0) : place]) >= 7
            if compared:
                assert expected == pytest.approx((judgement.expected, judgement.low, judgement.high))
        else:
            assert expected is None


# --- what must hold ---

series = st.integers(0, 10_000).map(lambda seed: noisy(np.random.default_rng(seed), 150, spread=0.2))


@given(values=series, factor=st.floats(1e-3, 1e6))
def test_another_unit_of_money_changes_no_verdict(values: Float64s, factor: float) -> None:
    once, again = today(values), today(values * factor)
    ends = (once.expected * factor, once.low * factor, once.high * factor)
    assert (again.expected, again.low, again.high) == pytest.approx(ends, rel=1e-9)
    assert once.direction == again.direction


@given(values=series, later=st.lists(st.floats(0, 1e9), min_size=1, max_size=20))
def test_what_comes_later_changes_no_verdict(values: Float64s, later: list[float]) -> None:
    together = np.concatenate([values, later])
    assert judge(values=together, last=len(later) + 5)[:5] == judge(values=values, last=5)


@given(values=series, first=st.floats(0, 1e9))
def test_what_lies_further_back_than_the_eight_weeks_and_half_a_year_changes_no_verdict(
    values: Float64s, first: float
) -> None:
    year = np.concatenate([values, values])[:239]
    assert judge(values=np.array([first, *year]), last=1) == judge(values=year, last=1)


@given(values=series, value=st.floats(0, 1e9))
def test_the_day_itself_changes_nothing_about_what_was_expected(values: Float64s, value: float) -> None:
    other = np.array([*values[:-1], value])
    assert today(values).expected == today(other).expected
    assert today(values).high == today(other).high


def test_days_are_judged_alike_alone_and_together() -> None:
    values = noisy(np.random.default_rng(3), 300)
    together = judge(values=values, last=40)
    assert together == [judge(values=values[: 261 + place], last=1)[0] for place in range(40)]


# --- no verdict ---


def test_there_is_no_verdict_before_eight_weeks_of_days() -> None:
    values = noisy(np.random.default_rng(0), 57)
    assert judge(values=values[:56], last=1) == [NoVerdict.TOO_FEW_DAYS]
    assert isinstance(judge(values=values, last=1)[0], Verdict)


def test_there_is_no_verdict_right_after_a_pause_of_four_weeks() -> None:
    """Half of the 56 days are known, and none of the last 28 is: nobody knows the level."""
    values = np.full(240, 100.0)
    values[200:228] = np.nan
    judged = judge(values=values, last=12)
    assert judged[:7] == [NoVerdict.TOO_FEW_DAYS] * 7
    assert {type(each) for each in judged[7:]} == {Verdict}


def test_there_is_no_verdict_on_a_day_without_a_value() -> None:
    values = noisy(np.random.default_rng(0), 100)
    values[-1] = np.nan
    assert judge(values=values, last=1) == [NoVerdict.NO_VALUE]


def test_nothing_is_said_of_what_comes_and_goes() -> None:
    flights = np.tile([1000.0] * 14 + [0.0] * 42, 7)
    assert set(judge(values=flights, last=100)) == {NoVerdict.MOSTLY_ZERO}


def test_flights_as_long_as_their_pauses_are_usual_once_they_have_been_seen() -> None:
    flights = np.tile([1000.0] * 21 + [0.0] * 21, 9)
    assert beginnings(judge(values=flights, last=100)) == 0


@pytest.mark.parametrize(
    ("values", "last"), [([1.0, math.inf], 1), ([[1.0], [2.0]], 1), ([1.0, 2.0], 3), ([1.0], 0), ([], 1), ([-1.0], 1)]
)
def test_what_is_no_series_is_refused(values: list[float], last: int) -> None:
    with pytest.raises(ValueError, match=r"series|judged"):
        judge(values=np.array(values), last=last)


# --- simulated worlds ---


def orders(rng: np.random.Generator) -> Float64s:
    """Revenue of about 30 orders a day whose values differ widely."""
    return np.array([rng.lognormal(4, 0.9, number).sum() for number in rng.poisson(30 * weekdays(400))])


def counts(level: float) -> Make:
    return lambda rng: rng.poisson(level * weekdays(400)).astype(float)


def few_orders(rng: np.random.Generator) -> Float64s:
    """Revenue of about 10 orders a day, of which now and then one is worth fifty others."""
    return np.array([rng.lognormal(4, 1.5, number).sum() for number in rng.poisson(10 * weekdays(400))])


def sticky(rng: np.random.Generator) -> Float64s:
    """Spend whose days resemble their neighbours."""
    log = np.zeros(400)
    for day in range(1, 400):
        log[day] = 0.5 * log[day - 1] + rng.normal(0, 0.08)
    return 500 * weekdays(400) * np.exp(log)


def beginnings(judged: list[Judgement]) -> int:
    """How many events there are: days unlike those before, where the day before was not, in the same direction."""
    directions = [judgement.direction for judgement in judged if isinstance(judgement, Verdict)]
    return sum(
        direction not in (Direction.WITHIN, before)
        for before, direction in zip([Direction.WITHIN, *directions], directions, strict=False)
    )


@pytest.mark.parametrize(
    ("make", "at_most"),
    [
        (counts(2), 0.3),
        (counts(3), 0.7),
        (counts(4), 1.3),
        (counts(5), 1.0),
        (counts(14), 0.3),
        (counts(100), 0.4),
        (orders, 0.4),
        (few_orders, 2.0),
        (sticky, 0.4),
    ],
)
def test_a_quiet_series_raises_about_one_false_alarm_a_year_or_fewer(make: Make, at_most: float) -> None:
    """Measured over these 80 series of 400 days each: 0.03, 0.54, 0.09, 0.05, 0.15 and 0.12 events a year."""
    events = days = 0
    for seed in range(80):
        judged = judge(values=make(np.random.default_rng(seed)), last=400)
        events += beginnings(judged)
        days += sum(isinstance(judgement, Verdict) for judgement in judged)
    assert events / days * YEAR <= at_most


@pytest.mark.parametrize(
    ("make", "factor", "at_least"),
    [
        (sticky, 0.5, 0.9),
        (sticky, 2.0, 0.95),
        (counts(100), 0.5, 0.9),
        (counts(100), 2.0, 0.95),
        (orders, 3.0, 0.7),
        (orders, 0.0, 0.98),
        (counts(14), 0.0, 0.98),
        (counts(5), 0.0, 0.4),
    ],
)
def test_a_day_that_is_halved_or_doubled_or_lost_is_noticed(make: Make, factor: float, at_least: float) -> None:
    noticed = tried = 0
    for seed in range(20):
        values = make(np.random.default_rng(1000 + seed))
        for day in range(300, 400, 7):
            changed = values[: day + 1].copy()
            changed[-1] *= factor
            noticed += today(changed).direction != Direction.WITHIN
            tried += 1
    assert noticed / tried >= at_least


def test_one_earlier_spike_of_a_steady_budget_hides_no_other() -> None:
    values = np.full(200, 100.0)
    values[[150, 190, 199]] = 2000.0, 0.0, 130.0
    judged = judge(values=values, last=60)
    beyond = {
        place + 140: verdict(each).direction for place, each in enumerate(judged) if verdict(each).direction != "within"
    }
    assert beyond == {150: Direction.ABOVE, 190: Direction.BELOW, 199: Direction.ABOVE}


def test_an_outage_of_days_is_one_event_and_hides_no_later_one() -> None:
    values = noisy(np.random.default_rng(5), 300)
    values[250:255] = 0.0
    values[280:282] = 0.0
    judged = judge(values=values, last=60)
    below = [place for place, judgement in enumerate(judged) if verdict(judgement).direction == Direction.BELOW]
    assert below == [10, 11, 12, 13, 14, 40, 41]
    assert beginnings(judged) == 2


def test_a_new_level_is_usual_after_two_weeks_or_so() -> None:
    values = noisy(np.random.default_rng(6), 300)
    values[240:] *= 3
    judged = [verdict(judgement).direction for judgement in judge(values=values, last=60)]
    assert beginnings(judge(values=values, last=60)) == 1
    assert judged[0] == Direction.ABOVE
    assert set(judged[21:]) == {Direction.WITHIN}
