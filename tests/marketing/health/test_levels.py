"""Changes of level and days that stand out, and what is neither."""

import numpy as np
import numpy.typing as npt
import pytest

from marketing.health.checks.amounts import unit_of
from marketing.health.checks.findings import amount_of
from marketing.health.checks.levels import Outlier, Shift, moves_along, outliers, shifts
from mmm_project import formats

DAYS = 365


@pytest.fixture
def steady() -> npt.NDArray[np.float64]:
    """A year of amounts around 100 with a rhythm of the week and some noise."""
    rng = np.random.default_rng(3)
    weekday = np.array([1.2, 1.1, 1.0, 1.0, 0.9, 0.6, 0.5])[np.arange(DAYS) % 7]
    return np.asarray(100 * weekday * np.exp(rng.normal(0, 0.1, DAYS)), np.float64)


def test_a_steady_series_has_neither(steady: npt.NDArray[np.float64]) -> None:
    assert shifts(steady) == []
    assert outliers(steady) == []


@pytest.mark.parametrize("factor", [3.0, 0.25, 100.0])
def test_a_new_level_is_found_on_its_day(steady: npt.NDArray[np.float64], factor: float) -> None:
    steady[300:] *= factor
    (found,) = shifts(steady)
    assert (found.first, found.last) == (300, DAYS - 1)
    assert found.ratio == pytest.approx(factor, rel=0.15)


def test_a_level_that_changes_back_is_one_finding(steady: npt.NDArray[np.float64]) -> None:
    steady[150:210] *= 4
    (found,) = shifts(steady)
    assert (found.first, found.last) == (150, 209)


def test_growth_is_no_change_of_level(steady: npt.NDArray[np.float64]) -> None:
    assert shifts(steady * np.exp(np.linspace(0, 2.5, DAYS))) == []


def test_a_season_is_no_change_of_level(steady: npt.NDArray[np.float64]) -> None:
    assert shifts(steady * np.exp(0.7 * np.sin(np.arange(DAYS) / 365 * 2 * np.pi))) == []


def test_a_budget_that_is_pulsed_has_to_jump_further() -> None:
    rng = np.random.default_rng(5)
    pulses = np.repeat(rng.choice([0.25, 1.0, 1.0, 1.9], 60), 14)[:730] * 100 * np.exp(rng.normal(0, 0.1, 730))
    assert shifts(pulses) == []
    pulses[690:] *= 100
    assert [found.first for found in shifts(pulses)] == [690]


def test_levels_of_a_few_a_day_are_left_to_chance() -> None:
    rng = np.random.default_rng(8)
    counts = np.concatenate([rng.poisson(6.0, 200), rng.poisson(2.0, 165)]).astype(np.float64)
    assert shifts(counts, is_count=True) == []


def test_a_day_of_twenty_times_as_much_stands_out(steady: npt.NDArray[np.float64]) -> None:
    steady[200] *= 20
    (found,) = outliers(steady)
    assert (found.first, found.last) == (200, 200)
    assert found.ratio == pytest.approx(20, rel=0.4)


def test_days_in_a_row_are_one_outlier(steady: npt.NDArray[np.float64]) -> None:
    steady[200:203] *= 20
    assert [(found.first, found.last) for found in outliers(steady)] == [(200, 202)]


def test_the_first_days_of_a_new_level_are_no_outlier(steady: npt.NDArray[np.float64]) -> None:
    steady[200:] *= 6
    assert outliers(steady) == []


def test_of_counts_only_what_chance_does_not_make_stands_out() -> None:
    few, counts = (np.random.default_rng(2).poisson(mean, DAYS).astype(np.float64) for mean in (1.2, 20.0))
    assert outliers(few, is_count=True) == []
    assert outliers(counts, is_count=True) == []
    counts[100] = 300
    assert [found.first for found in outliers(counts, is_count=True)] == [100]


def test_weeks_have_no_weekdays() -> None:
    amounts = 100 * np.exp(np.random.default_rng(4).normal(0, 0.05, 104))
    amounts[3::7] *= 6
    assert outliers(amounts) == []  # of days, it is what Thursdays are like
    assert [found.first for found in outliers(amounts, by_week=True)] == list(range(3, 104, 7))


@pytest.mark.parametrize("values", [np.zeros(DAYS), np.full(DAYS, np.nan), np.ones(20), np.empty(0)])
def test_what_has_no_amounts_has_nothing_to_find(values: npt.NDArray[np.float64]) -> None:
    assert shifts(values) == []
    assert outliers(values) == []


def test_another_series_moves_along_or_does_not(steady: npt.NDArray[np.float64]) -> None:
    shift, outlier = Shift(300, DAYS - 1, 4.0), Outlier(300, 300, 20.0)
    assert not moves_along(steady, shift)
    assert not moves_along(steady, outlier)
    along = steady.copy()
    along[300:] *= 4
    assert moves_along(along, shift)
    assert not moves_along(1 / along, shift)
    assert not moves_along(np.full(DAYS, np.nan), shift)


@pytest.mark.parametrize(
    ("ratio", "unit"), [(100, 100), (0.01, 100), (85, 100), (1100, 1000), (3, None), (20, None), (0.3, None)]
)
def test_a_unit_is_told_by_its_factor(ratio: float, unit: float | None) -> None:
    assert unit_of(ratio) == unit


@pytest.mark.parametrize("currency", ["EUR", "CHF", "JPY"])
def test_amounts_in_sentences_are_those_of_every_page(currency: str) -> None:
    assert amount_of(1234.5, currency) == formats.round_money(1234.5, currency)
