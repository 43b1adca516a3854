"""From figures by day to a media panel: hand-worked periods, a brute force over random days, and what is refused."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.frames import Granularity, Int64Column, MediaPanel
from marketing.panel_building import (
    MOST_CHANNELS,
    DaySeries,
    LoadedPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    PanelRows,
    build_panel,
    too_short,
)
from marketing.panel_building.rhythm import Calendar, added_up, step_of
from marketing.periods import EPOCH, day_number

MONDAY = day_number(dt.date(2021, 1, 4))
JANUARY, FEBRUARY = day_number(dt.date(2021, 1, 1)), day_number(dt.date(2021, 2, 1))
WEEKS = 20


def series(name: str, values: Sequence[float], *, start: int = MONDAY, step: int = 1) -> DaySeries:
    """A series with one row every `step` days."""
    return DaySeries(name, start + step * np.arange(len(values)), np.array(values, np.float64))


def on_days(name: str, days: Sequence[int], values: Sequence[float] | None = None) -> DaySeries:
    return DaySeries(name, np.array(days, np.int64), np.array(range(len(days)) if values is None else values, float))


def firsts_of_months(months: int) -> list[int]:
    return [day_number(dt.date(2021 + month // 12, month % 12 + 1, 1)) for month in range(months)]


def noise(seed: int, size: int = 7 * WEEKS) -> list[float]:
    return [float(number) for number in np.random.default_rng(seed).integers(1, 1000, size)]


def media(
    *spend: DaySeries,
    impressions: Sequence[DaySeries] = (),
    clicks: Sequence[DaySeries] = (),
    of: Mapping[str, str] | None = None,
) -> MediaRows:
    """Rows of the channels that the series are named for; `of`: what a name counts for, if not for itself."""
    table: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for measure, found in {"spend": spend, "impressions": impressions, "clicks": clicks}.items():
        for one in found:
            for day, value in zip(one.day.tolist(), one.value.tolist(), strict=True):
                table[one.name, day][measure] = value
    names = tuple(dict.fromkeys(name for name, _ in table))
    counted = [(of or {}).get(name, name) for name in names]
    channels = tuple(dict.fromkeys(counted))
    columns = {
        measure: np.array([row.get(measure, 0.0) for row in table.values()], np.float64)
        for measure in ("spend", "impressions", "clicks")
    }
    return MediaRows(
        channels=channels,
        names=names,
        channel_of_series=np.array([channels.index(name) for name in counted], np.int64),
        series=np.array([names.index(name) for name, _ in table], np.int64),
        day=np.array([day for _, day in table], np.int64),
        **columns,
    )


SALES = series("Sales", noise(0))
TV, RADIO = series("TV", noise(1)), series("Radio", noise(2))
LATE = MONDAY + 7 * WEEKS


def build(
    outcome: DaySeries = SALES,
    found: MediaRows | None = None,
    *,
    geos: Int64Column | None = None,
    rows: Mapping[str, Any] | None = None,
    granularity: Granularity = "week",
    **choice: Any,
) -> LoadedPanel:
    """Build a panel of some weeks, however few they are."""
    return build_panel(
        rows=PanelRows(
            outcome=outcome,
            outcome_geos=np.ones(len(outcome.day), np.int64) if geos is None else geos,
            media=media(TV, RADIO) if found is None else found,
            **(rows or {}),
        ),
        choice=PanelChoice(granularity=granularity, **{"short_allowed": True, **choice}),
    )


def problem_of(*arguments: Any, **keywords: Any) -> PanelProblem:
    with pytest.raises(PanelProblem) as caught:
        build(*arguments, **keywords)
    assert str(caught.value) == caught.value.sentence
    return caught.value


def remarks_of(loaded: LoadedPanel) -> dict[str, tuple[str, ...]]:
    """The names that each remark is about, without that on how few periods there are."""
    return {remark.code: remark.names for remark in loaded.remarks if remark.code != "short"}


def sentence_of(loaded: LoadedPanel, code: str) -> str:
    (sentence,) = (remark.sentence for remark in loaded.remarks if remark.code == code)
    return sentence


def by_week(values: Sequence[float]) -> list[float]:
    return [float(week) for week in np.array(values).reshape(-1, 7).sum(axis=1)]


# Periods


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


# The outcome


def without(one: DaySeries, *places: int) -> DaySeries:
    return one.where(~np.isin(np.arange(len(one.day)), places))


def test_a_week_that_lacks_a_day_is_not_known_and_said_to_be() -> None:
    loaded = build(without(SALES, 24, 80))
    assert np.flatnonzero(np.isnan(loaded.panel.outcome)).tolist() == [3, 11]
    assert sentence_of(loaded, "missing_periods").startswith(
        "“Sales” is not known for 2 of 20 whole weeks, the first being 25–31 Jan 2021."
    )


def test_a_week_without_its_row_is_not_known() -> None:
    loaded = build(without(series("Sales", by_week(noise(0)), step=7), 5))
    assert np.flatnonzero(np.isnan(loaded.panel.outcome)).tolist() == [5]


def test_more_than_a_tenth_of_missing_weeks_is_refused() -> None:
    problem = problem_of(without(SALES, 24, 80, 100))
    assert problem.code == "missing_periods"
    assert "not known for 3 of 20 whole weeks" in problem.sentence


def test_missing_weeks_count_also_where_they_end_the_panel() -> None:
    """The last week is not whole, so it does not count; the one before it is missing, although nothing follows it."""
    loaded = build(without(SALES, 7 * 18 + 1, 7 * 19 + 6))
    assert len(loaded.panel) == 18
    assert "for 1 of 19 whole weeks" in sentence_of(loaded, "missing_periods")


def test_an_outcome_without_any_whole_week_is_refused() -> None:
    weekdays_only = SALES.where((SALES.day - MONDAY) % 7 < 5)
    problem = problem_of(weekdays_only)
    assert problem.code == "no_whole_periods"
    assert "with 0 where there was nothing" in problem.sentence


def test_an_outcome_without_values_is_refused() -> None:
    assert problem_of(on_days("Sales", [])).code == "no_values"
    assert problem_of(start=LATE).code == "no_values"
    assert problem_of(series("Sales", [1, 2, 3], step=7), start=MONDAY + 15, end=MONDAY + 18).code == "no_values"


def test_a_constant_outcome_is_refused() -> None:
    problem = problem_of(series("Sales", [0.1] * 7 * WEEKS))
    assert (problem.code, "“Sales” is 0.7 in every week" in problem.sentence) == ("constant_outcome", True)


@pytest.mark.parametrize(("granularity", "needed", "wished"), [("day", 365, 730), ("week", 52, 104), ("month", 24, 36)])
def test_how_many_periods_are_too_few(granularity: Granularity, needed: int, wished: int) -> None:
    found = [too_short(granularity, periods) for periods in (0, needed - 1, needed, wished - 1, wished)]
    assert found == ["blocked", "blocked", "warn", "warn", None]


def of_weeks(weeks: int) -> tuple[DaySeries, MediaRows]:
    return series("Sales", noise(0, weeks), step=7), media(series("TV", noise(1, weeks), step=7))


def test_too_few_weeks_are_refused_and_few_are_remarked_on() -> None:
    problem = problem_of(*of_weeks(51), short_allowed=False)
    assert problem.code == "too_short"
    assert "known for 51 whole weeks; a media mix model needs 52" in problem.sentence
    assert {remark.code for remark in build(*of_weeks(52), short_allowed=False).remarks} == {"short"}
    assert build(*of_weeks(104), short_allowed=False).remarks == ()


def test_too_few_weeks_may_be_allowed_but_not_less_than_eight() -> None:
    assert "A model needs 52." in sentence_of(build(*of_weeks(8)), "short")
    assert "needs 8" in problem_of(*of_weeks(7)).sentence


def test_a_share_is_averaged_over_the_days_of_a_period() -> None:
    percent = series("Awareness", noise(0)).value / 10
    panel = build(series("Awareness", percent.tolist()), is_share=True).panel
    assert panel.outcome == pytest.approx(percent.reshape(-1, 7).mean(axis=1), rel=1e-15)
    assert panel.bounds == (0, 100)
    assert build(series("Awareness", (percent / 100).tolist()), is_share=True).panel.bounds == (0, 1)


def test_other_bounds_can_be_chosen() -> None:
    panel = build(bounds=(-5, 1000)).panel
    assert panel.bounds == (-5, 1000)
    assert panel.outcome == pytest.approx(np.array(by_week(noise(0))) / 7, rel=1e-15)


def test_an_outcome_out_of_its_bounds_is_refused() -> None:
    percent = [101.5, *(value / 10 for value in noise(0)[1:])]
    problem = problem_of(series("Sales", percent), is_share=True)
    assert problem.code == "out_of_bounds"
    assert "“Sales” is 101.5 on 4 Jan 2021, but must lie between 0 and 100" in problem.sentence
    with pytest.raises(ValueError, match="lower bound"):
        PanelChoice(granularity="week", bounds=(1, 1))


def test_days_of_fewer_geos_are_remarked_on() -> None:
    geos = np.full(7 * WEEKS, 3)
    assert remarks_of(build(geos=geos)) == {}
    geos[[30, 31]] = 2
    assert "of 3 geos at most, but of fewer in 2 of 140 rows" in sentence_of(build(geos=geos), "geos_vary")


# Media


def test_history_is_of_whole_periods_that_media_are_known_of() -> None:
    spend = series("TV", noise(1, 7 * WEEKS + 17), start=MONDAY - 17)
    wanted = {most: build(found=media(spend), history_periods=most).panel for most in (0, 1, 2, 9)}
    assert {most: panel.history for most, panel in wanted.items()} == {0: 0, 1: 1, 2: 2, 9: 2}
    panel = wanted[9]
    assert panel.period_start[0] == MONDAY - 14
    assert panel.spend[:, 0].tolist() == by_week(noise(1, 7 * WEEKS + 17)[3:])
    assert len(panel) == WEEKS


def test_history_goes_back_over_a_pause_of_media() -> None:
    """The only rows before the outcome are out of the reach of two weeks of history."""
    spend = on_days("TV", [MONDAY - 700, *TV.day], [5, *TV.value])
    panel = build(found=media(spend), history_periods=2).panel
    assert panel.history == 2
    assert panel.spend[:2, 0].tolist() == [0, 0]


def test_media_that_begin_late_or_end_early_are_remarked_on() -> None:
    loaded = build(found=media(TV.where((TV.day >= MONDAY + 8) & (TV.day < LATE - 9))), history_periods=4)
    assert loaded.panel.history == 0
    assert "from 12 Jan 2021 only" in sentence_of(loaded, "media_begin_late")
    assert "up to 14 May 2021 only" in sentence_of(loaded, "media_end_early")


def test_a_week_without_rows_of_a_channel_is_zero() -> None:
    gone = TV.where((TV.day < MONDAY + 7) | (TV.day >= MONDAY + 14))
    panel = build(found=media(gone, RADIO)).panel
    assert panel.spend[1].tolist() == [0, by_week(noise(2))[1]]


def test_series_of_one_channel_are_added_up() -> None:
    panel = build(found=media(TV, RADIO, of={"Radio": "TV"})).panel
    assert panel.channels == ("TV",)
    assert panel.spend[:, 0].tolist() == by_week((np.array(noise(1)) + np.array(noise(2))).tolist())


def seen(values: Sequence[float]) -> DaySeries:
    return series("TV", values)


def test_impressions_act_where_there_are_some_in_every_week_with_spend() -> None:
    panel = build(found=media(TV, RADIO, impressions=[seen(noise(5))], clicks=[seen(noise(6))])).panel
    assert panel.exposure_units == ("impressions", "spend")
    assert panel.exposure[:, 0].tolist() == by_week(noise(5))
    assert panel.spend[:, 0].tolist() == by_week(noise(1))


def test_spend_acts_where_impressions_are_missing_now_and_then_and_that_is_said() -> None:
    found = media(TV, impressions=[seen([0.0] * 21 + noise(5)[21:])])
    loaded = build(found=found)
    assert loaded.panel.exposure_units == ("spend",)
    said = sentence_of(loaded, "spend_without_impressions")
    assert "“TV” has spend without impressions in 3 weeks, first in 4–10 Jan 2021, so its spend" in said


def test_impressions_can_be_asked_for_and_spend_is_used_where_there_are_none() -> None:
    found = media(TV, RADIO, impressions=[seen([0.0] * 21 + noise(5)[21:])])
    loaded = build(found=found, exposure="impressions")
    assert loaded.panel.exposure_units == ("impressions", "spend")
    assert loaded.panel.exposure[:3, 0].tolist() == [0, 0, 0]
    assert remarks_of(loaded) == {"spend_without_impressions": ("TV",), "no_impressions": ("Radio",)}


def test_spend_can_be_asked_for() -> None:
    panel = build(found=media(TV, impressions=[seen(noise(5))]), exposure="spend").panel
    assert panel.exposure_units == ("spend",)


@pytest.mark.parametrize("measures", [("impressions",), ("clicks",), ("impressions", "clicks")])
def test_media_without_any_spend_are_organic(measures: tuple[str, ...]) -> None:
    shown, clicked = (
        [series("Search", noise(5))] if measure in measures else [] for measure in ("impressions", "clicks")
    )
    panel = build(found=media(TV, impressions=shown, clicks=clicked)).panel
    assert (panel.channels, panel.organic, panel.organic_units) == (("TV",), ("Search",), measures[:1])
    assert panel.organic_exposure[:, 0].tolist() == by_week(noise(5))


def test_media_that_are_zero_or_constant_are_left_out_and_said_to_be() -> None:
    zero, constant = series("Print", [0.0] * 7 * WEEKS), series("Posters", [0.1] * 7 * WEEKS)
    loaded = build(found=media(TV, zero, constant))
    assert loaded.panel.channels == ("TV",)
    assert remarks_of(loaded) == {"zero_channel": ("Print",), "constant_channel": ("Posters",)}
    assert "“Print” is left out: nothing was spent or shown in 4 Jan – 23 May 2021." in sentence_of(
        loaded, "zero_channel"
    )


def test_media_that_only_history_holds_are_left_out_with_a_remark() -> None:
    before = series("Print", noise(3, 14), start=MONDAY - 14)
    longer = series("TV", noise(1, 7 * WEEKS + 14), start=MONDAY - 14)
    loaded = build(found=media(longer, before), history_periods=2)
    assert loaded.panel.channels == ("TV",)
    assert "“Print” is left out" in sentence_of(loaded, "zero_channel")


def test_media_that_end_within_the_last_period_are_remarked_on() -> None:
    short = series("TV", noise(1, 7 * WEEKS - 4))
    assert "up to" in sentence_of(build(found=media(short)), "media_end_early")


@pytest.mark.parametrize(
    "found",
    [
        media(),
        media(series("TV", noise(1), start=LATE + 400)),
        media(series("TV", [5.0] * 7 * WEEKS)),
        media(clicks=[series("Search", noise(1))]),
    ],
)
def test_without_spend_that_changes_there_is_no_panel(found: MediaRows) -> None:
    assert problem_of(found=found).code == "no_media"


@pytest.mark.parametrize(("factor", "added"), [(1.0, 0.0), (3.7, 0.0), (1e-9, 0.0), (2.0, 50.0)])
def test_channels_that_rise_and_fall_as_one_are_refused(factor: float, added: float) -> None:
    twin = series("Twin", [factor * value + added for value in noise(1)])
    problem = problem_of(found=media(TV, RADIO, twin))
    assert problem.code == "identical_channels"
    assert "“TV” and “Twin” rise and fall as one" in problem.sentence


def test_channels_that_nearly_rise_and_fall_as_one_are_remarked_on() -> None:
    nearly = series("Nearly", [value + 0.05 * other for value, other in zip(noise(1), noise(3), strict=True)])
    loaded = build(found=media(TV, RADIO, nearly))
    assert remarks_of(loaded) == {"correlated_channels": ("TV", "Nearly")}
    assert "correlation 0.99" in sentence_of(loaded, "correlated_channels")


def test_more_channels_than_can_be_told_apart_are_refused() -> None:
    many = [series(f"Channel {number}", noise(number)) for number in range(1, MOST_CHANNELS + 2)]
    assert len(build(found=media(*many[:-1])).panel.channels) == MOST_CHANNELS
    problem = problem_of(found=media(*many))
    assert problem.code == "too_many_channels"
    assert f"media of {MOST_CHANNELS + 1} channels" in problem.sentence


def test_a_week_with_far_more_than_usual_is_remarked_on() -> None:
    def loaded_with(most: float) -> LoadedPanel:
        spend = [40.0, 0, 50, 60] * 4 + [0, 50, most, 50]
        return build(series("Sales", noise(0, WEEKS), step=7), media(series("TV", spend, step=7)))

    assert remarks_of(loaded_with(5000)) == {}
    assert sentence_of(loaded_with(5001), "outlier").startswith(
        "The spend of “TV” on 10–16 May 2021, 5,001, is over 100 times the usual 50."
    )


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e19])
@pytest.mark.parametrize("measure", ["spend", "impressions", "clicks"])
def test_media_that_are_no_numbers_of_zero_or_more_are_refused(measure: str, value: float) -> None:
    good = media(TV, impressions=[seen(noise(5))], clicks=[seen(noise(6))])
    column = getattr(good, measure).copy()
    column[12] = value
    problem = problem_of(found=replace(good, **{measure: column}))
    assert problem.code == "unusable_number"
    assert problem.sentence.startswith(f"The {measure} of “TV” is {value:g} on 16 Jan 2021")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e19])
@pytest.mark.parametrize("of", ["Sales", "Price"])
def test_outcomes_and_controls_that_are_no_numbers_are_refused(of: str, value: float) -> None:
    wrong = series(of, [*noise(0)[:12], value, *noise(0)[13:]])
    problem = problem_of(wrong) if of == "Sales" else problem_of(rows={"controls": [wrong]})
    assert problem.sentence.startswith(f"“{of}” is {value:g} on 16 Jan 2021")


def test_an_outcome_may_be_negative() -> None:
    assert build(series("Sales", [-value for value in noise(0)])).panel.outcome.max() < 0


# What else moves the outcome


def with_controls(*controls: DaySeries, **choice: Any) -> LoadedPanel:
    return build(rows={"controls": controls}, **choice)


def test_controls_are_means_of_days_and_gaps_between_are_straight_lines() -> None:
    days = [MONDAY + 14, MONDAY + 16, MONDAY + 28, *range(MONDAY + 35, LATE - 21)]
    values = [10.0, 20.0, 21.0, *([30.0] * (len(days) - 3))]
    loaded = with_controls(on_days("Price", days, values))
    column = loaded.panel.control[:, 0].tolist()
    assert column == [15, 15, 15, 18, 21, *([30.0] * 15)]
    assert "“Price” is not known for 6 of 20 weeks" in sentence_of(loaded, "filled_control")


def test_controls_without_a_value_or_without_variation_are_left_out() -> None:
    loaded = with_controls(
        series("Price", noise(7)),
        series("Old", noise(8), start=MONDAY - 1000),
        series("Flat", [0.1] * 7 * WEEKS),
    )
    assert loaded.panel.controls == ("Price",)
    assert loaded.panel.control[:, 0] == pytest.approx(np.array(by_week(noise(7))) / 7)
    assert remarks_of(loaded) == {"silent_control": ("Old",), "constant_control": ("Flat",)}


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_a_weekly_control_counts_for_the_days_of_its_week(granularity: Granularity) -> None:
    values = noise(7, WEEKS)
    loaded = with_controls(series("Price", values, step=7), granularity=granularity)
    assert (
        loaded.panel.control[:, 0].tolist()
        == (np.repeat(values, 7) if granularity == "day" else np.array(values)).tolist()
    )
    assert remarks_of(loaded) == ({"coarse_control": ("Price",)} if granularity == "day" else {})


def test_a_monthly_control_counts_for_the_days_of_its_month() -> None:
    loaded = with_controls(on_days("Rate", firsts_of_months(6), [1, 2, 3, 4, 5, 6]))
    column = loaded.panel.control[:, 0]
    assert column[:5] == pytest.approx([1, 1, 1, 1, 2])
    assert column[8] == pytest.approx((3 * 7) / 7), "1–7 March"
    assert column[12] == pytest.approx((3 * 3 + 4 * 4) / 7), "29 March to 4 April"
    assert remarks_of(loaded) == {"coarse_control": ("Rate",)}


def test_events_are_shares_of_the_days_of_a_period_and_days_count_once() -> None:
    days = np.array([MONDAY - 1, MONDAY, MONDAY + 1, MONDAY + 1, MONDAY + 7, LATE], np.int64)
    panel = build(rows={"events": {"Strike": days, "Later": np.array([LATE + 3])}}).panel
    assert panel.events == ("Strike",)
    assert panel.event[:, 0].tolist() == [2 / 7, 1 / 7, *([0.0] * 18)]


def test_holidays_are_counts_of_days() -> None:
    panel = build(rows={"holidays": {"Eid": np.array([MONDAY + 8, MONDAY + 9]), "Gone": np.array([MONDAY - 1])}}).panel
    assert panel.holidays == ("Eid",)
    assert panel.holiday[:, 0].tolist() == [0, 2, *([0.0] * 18)]


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


def test_history_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="history_periods cannot be negative"):
        PanelChoice(granularity="week", history_periods=-1)
