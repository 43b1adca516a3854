"""The periods of a media panel: hand-worked ones, a brute force over random days, and rhythms that are refused."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.frames import Granularity, MediaPanel
from marketing.panel_building import DaySeries, PanelProblem
from marketing.panel_building.rhythm import Calendar, added_up, step_of
from marketing.periods import EPOCH, day_number
from tests.marketing.panel_rows import (
    LATE,
    MONDAY,
    RADIO,
    WEEKS,
    build,
    by_week,
    firsts_of_months,
    media,
    noise,
    on_days,
    problem_of,
    remarks_of,
    series,
)

JANUARY, FEBRUARY = day_number(dt.date(2021, 1, 1)), day_number(dt.date(2021, 2, 1))


def test_daily_figures_add_up_to_weeks() -> None:
    loaded = build()
    panel = loaded.panel
    assert panel.outcome.tolist() == by_week(noise(0))
    assert panel.spend.T.tolist() == [by_week(noise(1)), by_week(noise(2))]
    assert panel.exposure.tolist() == panel.spend.tolist()
    assert (panel.channels, panel.exposure_units) == (("TV", "Radio"), ("spend", "spend"))
    assert panel.period_start.tolist() == list(range(MONDAY, LATE, 7))
    assert (panel.history, panel.outcome_name, panel.bounds) == (0, "Sales", None)
    assert remarks_of(loaded) == {}


def test_days_can_be_used_as_they_are() -> None:
    panel = build(granularity="day").panel
    assert panel.outcome.tolist() == noise(0)
    assert panel.spend[:, 0].tolist() == noise(1)


def test_daily_figures_add_up_to_months_of_their_own_lengths() -> None:
    ones = series("Sales", [1.0] * 365, start=JANUARY)
    found = media(series("TV", [2.0] * 365, start=JANUARY))
    panel = build(ones, found, granularity="month").panel
    assert panel.outcome.tolist() == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert panel.spend[:, 0].tolist() == (2 * panel.outcome).tolist()
    assert [EPOCH.date() + dt.timedelta(int(day)) for day in panel.period_start[:2]] == [
        dt.date(2021, 1, 1),
        dt.date(2021, 2, 1),
    ]


def test_periods_that_are_not_whole_are_dropped_at_both_ends() -> None:
    panel = build(series("Sales", noise(0)[3:-2], start=MONDAY + 3)).panel
    assert panel.outcome.tolist() == by_week(noise(0))[1:-1]
    assert panel.period_start[0] == MONDAY + 7


def test_only_whole_weeks_within_the_bounds_are_used() -> None:
    panel = build(start=MONDAY + 1, end=LATE - 2).panel
    assert panel.outcome.tolist() == by_week(noise(0))[1:-1]


@pytest.mark.parametrize(("start", "end"), [(MONDAY + 1, LATE - 2), (MONDAY + 7, LATE - 8)])
def test_a_weekly_row_is_used_if_its_whole_week_is_within_the_bounds(start: int, end: int) -> None:
    weekly = series("Sales", by_week(noise(0)), step=7)
    assert build(weekly, start=start, end=end).panel.outcome.tolist() == by_week(noise(0))[1:-1]


def test_weeks_start_where_those_of_a_weekly_outcome_do() -> None:
    panel = build(series("Sales", by_week(noise(0)), start=MONDAY + 6, step=7)).panel
    assert panel.period_start[0] == MONDAY + 6
    assert panel.spend[:-1, 0].tolist() == by_week(noise(1)[6:-1])


def test_weeks_of_a_daily_outcome_start_where_those_of_weekly_media_do() -> None:
    weekly = series("TV", noise(3, WEEKS), start=MONDAY + 6, step=7)
    panel = build(found=media(weekly, RADIO)).panel
    assert panel.period_start[0] == MONDAY + 6
    assert panel.spend[:, 0].tolist() == noise(3, WEEKS)[:-1]
    assert panel.outcome.tolist() == by_week(noise(0)[6:-1])


def test_monthly_rows_are_those_of_their_month_by_whichever_end_they_are_dated() -> None:
    firsts = firsts_of_months(14)
    outcome = on_days("Sales", firsts[:13])
    by_last_day = on_days("TV", [day - 1 for day in firsts[1:14]], noise(1, 13))
    panel = build(outcome, media(by_last_day), granularity="month").panel
    assert panel.outcome.tolist() == list(range(13))
    assert panel.spend[:, 0].tolist() == noise(1, 13)
    assert panel.period_start.tolist() == firsts[:13]


def test_gaps_do_not_hide_that_rows_are_of_weeks() -> None:
    values = noise(1, WEEKS)
    kept = [week for week in range(WEEKS) if week not in (3, 4, 11)]
    sparse = on_days("TV", [MONDAY + 7 * week for week in kept], [values[week] for week in kept])
    panel = build(found=media(sparse)).panel
    assert panel.spend[:, 0].tolist() == [value if week in kept else 0 for week, value in enumerate(values)]
    assert problem_of(found=media(sparse), granularity="day").code == "step_too_long"


@pytest.mark.parametrize(
    ("days", "step"),
    [
        ([0, 7], "day"),
        ([0, 7, 28], "week"),
        ([0, 7, 29], "day"),
        ([0, 1, 5, 12, 19], "day"),
        (firsts_of_months(5), "month"),
        ([firsts_of_months(9)[month] for month in (0, 3, 8)], "month"),
        ([day - 1 for day in firsts_of_months(5)], "month"),
        ([], "day"),
    ],
)
def test_how_far_rows_are_apart_is_seen_from_their_days(days: list[int], step: str) -> None:
    assert step_of(on_days("TV", days[::-1])) == step


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        (
            [*range(MONDAY, MONDAY + 28, 7), *range(MONDAY + 28, MONDAY + 40)],
            "mixed_steps",
            "weekly from 4 Jan 2021 and daily from 1 Feb 2021",
        ),
        (
            [*range(MONDAY, MONDAY + 21), *range(MONDAY + 27, MONDAY + 70, 7)],
            "mixed_steps",
            "daily from 4 Jan 2021 and weekly from 24 Jan 2021",
        ),
        (
            [*firsts_of_months(4), *range(FEBRUARY + 90, FEBRUARY + 100)],
            "mixed_steps",
            "monthly from 1 Jan 2021 and daily from 2 May 2021",
        ),
        ([*range(MONDAY, MONDAY + 70, 7), MONDAY + 71], "uneven_steps", "weekly, but its row of 16 Mar 2021 is out"),
        ([*range(MONDAY, MONDAY + 70, 7), *range(MONDAY + 69, MONDAY + 139, 7)], "uneven_steps", "its row of"),
        ([*firsts_of_months(6), firsts_of_months(7)[6] + 1], "uneven_steps", "monthly, but its row of 2 Jul 2021"),
    ],
)
def test_rows_of_more_than_one_step_are_refused_by_name_and_day(days: list[int], code: str, said: str) -> None:
    with pytest.raises(PanelProblem, match=said) as caught:
        step_of(on_days("TV", days))
    assert caught.value.code == code
    assert "“TV”" in caught.value.sentence


@pytest.mark.parametrize(
    ("step", "granularity"), [("week", "day"), ("week", "month"), ("month", "day"), ("month", "week")]
)
@pytest.mark.parametrize("of", ["Sales", "TV"])
def test_rows_that_are_too_far_apart_are_refused(of: str, step: str, granularity: Granularity) -> None:
    days = firsts_of_months(13) if step == "month" else list(range(MONDAY, LATE, 7))
    coarse = on_days(of, days)
    problem = (
        problem_of(coarse, granularity=granularity)
        if of == "Sales"
        else problem_of(found=media(coarse), granularity=granularity)
    )
    assert problem.code == "step_too_long"
    assert problem.sentence.startswith(f"“{of}” has one row a {step}, which")


@pytest.mark.parametrize("leading", ["Sales", "Radio"])
def test_weekly_rows_on_several_weekdays_are_refused(leading: str) -> None:
    on_mondays = series(leading, noise(1, WEEKS), step=7)
    on_sundays = series("TV", noise(2, WEEKS), start=MONDAY + 6, step=7)
    problem = (
        problem_of(on_mondays, media(on_sundays))
        if leading == "Sales"
        else problem_of(found=media(on_mondays, on_sundays))
    )
    assert problem.code == "weekdays_differ"
    assert f"“{leading}” start on Mondays, those of “TV” on Sundays" in problem.sentence


# Everything at once, against dates and fractions


def period_of(day: dt.date, granularity: str) -> dt.date:
    if granularity == "week":
        return day - dt.timedelta(day.weekday())
    return day.replace(day=1) if granularity == "month" else day


def exact_sums(one: Mapping[int, float], granularity: str) -> dict[dt.date, Fraction]:
    sums: dict[dt.date, Fraction] = defaultdict(Fraction)
    for number, value in one.items():
        sums[period_of(EPOCH.date() + dt.timedelta(number), granularity)] += Fraction(value)
    return sums


@given(seed=st.integers(0, 2**32 - 1), granularity=st.sampled_from(["day", "week", "month"]))
def test_sums_are_those_of_a_brute_force_whatever_the_order_of_rows(seed: int, granularity: Granularity) -> None:
    rng = np.random.default_rng(seed)
    start, length = MONDAY + int(rng.integers(-40, 40)), int(rng.integers(310, 420))
    outcome = DaySeries("Sales", start + np.arange(length), rng.gamma(2, 1e3, length))
    names = [f"Channel {number}" for number in range(4)]
    spend = []
    for name in names:
        days = np.flatnonzero(rng.random(length + 60) < rng.uniform(0.2, 1)) + start - 60
        spend.append(DaySeries(name, days, np.round(rng.gamma(0.5, 300, len(days)), 6)))
    found = media(*spend, of={"Channel 3": "Channel 0"})
    loaded = build(outcome, found, granularity=granularity, history_periods=5)
    panel = loaded.panel

    periods = [EPOCH.date() + dt.timedelta(int(day)) for day in panel.period_start]
    total = exact_sums(dict(zip(outcome.day.tolist(), outcome.value.tolist(), strict=True)), granularity)
    whole = [
        first
        for first in sorted(total)
        if first >= day_at(outcome, 0) and last_day(first, granularity) <= day_at(outcome, -1)
    ]
    assert periods[panel.history :] == whole
    assert panel.outcome.tolist() == [float(total[first]) for first in whole]
    known_from = min(day_at(one, 0) for one in spend)
    assert panel.history == min(
        5, sum(known_from <= first < whole[0] for first in every_period(known_from, whole[0], granularity))
    )
    by_channel: dict[str, dict[dt.date, Fraction]] = {name: defaultdict(Fraction) for name in names[:3]}
    for one in spend:
        sums = exact_sums(dict(zip(one.day.tolist(), one.value.tolist(), strict=True)), granularity)
        for first, value in sums.items():
            by_channel["Channel 0" if one.name == "Channel 3" else one.name][first] += value
    for name, column in zip(panel.channels, panel.spend.T, strict=True):
        assert column.tolist() == [float(by_channel[name][first]) for first in periods]

    order, shuffled = rng.permutation(len(found.day)), rng.permutation(length)
    again = build(
        DaySeries("Sales", outcome.day[shuffled], outcome.value[shuffled]),
        replace(found, **{column: getattr(found, column)[order] for column in ("series", "day", "spend")}),
        granularity=granularity,
        history_periods=5,
    )
    assert_same(again.panel, panel)
    assert again.remarks == loaded.remarks


def day_at(outcome: DaySeries, place: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(int(outcome.day[place]))


def every_period(start: dt.date, end: dt.date, granularity: str) -> list[dt.date]:
    """The first days of the periods of these days, the second date not included."""
    days = (start + dt.timedelta(number) for number in range((end - start).days))
    return sorted({period_of(day, granularity) for day in days})


def last_day(first: dt.date, granularity: str) -> dt.date:
    after: Mapping[str, Callable[[], dt.date]] = {
        "day": lambda: first + dt.timedelta(1),
        "week": lambda: first + dt.timedelta(7),
        "month": lambda: (first + dt.timedelta(31)).replace(day=1),
    }
    return after[granularity]() - dt.timedelta(1)


def assert_same(one: MediaPanel, other: MediaPanel) -> None:
    for name in MediaPanel.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert np.array_equal(mine, theirs, equal_nan=isinstance(mine, np.ndarray)), name


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e15, 1e15)), max_size=40), st.randoms())
def test_sums_of_groups_are_rounded_once(rows: list[tuple[int, float]], random: Any) -> None:
    exact = [float(sum((Fraction(value) for group, value in rows if group == one), Fraction())) for one in range(6)]
    for _ in range(2):
        group, value = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)
        assert added_up(group=group, value=value, groups=6).tolist() == exact
        random.shuffle(rows)


@given(st.sampled_from(["day", "week", "month"]), st.integers(0, 6), st.integers(-40_000, 60_000))
def test_every_day_lies_in_the_period_that_its_number_says(granularity: Granularity, weekday: int, day: int) -> None:
    calendar = Calendar(granularity, weekday)
    period = calendar.period_of(np.array([day], np.int64))
    first, length = int(calendar.first_day(period)[0]), int(calendar.days(period)[0])
    assert first <= day < first + length
    if granularity == "week":
        assert (EPOCH.date() + dt.timedelta(first)).weekday() == weekday
    if granularity == "month":
        assert (EPOCH.date() + dt.timedelta(first)).day == 1
