"""Whole panels of geos: a brute force over random rows, another currency, and a published example."""

import csv
import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marketing.frames import Granularity
from marketing.panel_building import NO_GEO, DaySeries, GeoRows, MediaRows, PanelChoice, build_geo_panel, build_panel
from marketing.periods import day_number
from tests.marketing.geo_panel_rows import by_geo, media
from tests.marketing.panel_rows import MONDAY

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm"


def random_rows(rng: np.random.Generator, granularity: Granularity) -> GeoRows:
    """Daily rows of some geos, one of which is a fragment, with media of each, of none and of another one."""
    length = 280 if granularity == "month" else 84
    geos = ["A", "B", "C", "Fragment"]
    outcome = {
        geo: DaySeries("Sales", MONDAY - 4 + np.arange(length), np.round(rng.gamma(2, 100, length), 2)) for geo in geos
    }
    outcome["Fragment"] = outcome["Fragment"].where(np.arange(length) < length // 2)
    outcome["A"] = outcome["A"].where(np.arange(length) != 60) if granularity == "week" else outcome["A"]
    tables = {}
    for geo in ("A", "B", NO_GEO, "Fragment", "Elsewhere"):
        day, series = np.nonzero(rng.random((length + 30, 3)) < 0.6)
        spend, impressions = np.round(rng.gamma(0.5, 300, (2, len(day))), 6)
        tables[geo] = MediaRows(
            channels=("TV", "Radio"),
            names=("TV", "Telly", "Radio"),
            channel_of_series=np.array([0, 0, 1]),
            series=series,
            day=day + MONDAY - 34,
            spend=spend,
            impressions=impressions,
            clicks=np.zeros(len(day)),
        )
    return GeoRows(outcome_name="Sales", outcome=outcome, media=tables)


def period_sums(media_rows: MediaRows, measure: str, channel: int, starts: Sequence[int], after: int) -> list[Fraction]:
    """What the rows of a channel add up to in each period, exactly."""
    sums = [Fraction() for _ in starts]
    values: list[float] = getattr(media_rows, measure).tolist()
    for series, day, value in zip(media_rows.series.tolist(), media_rows.day.tolist(), values, strict=True):
        if media_rows.channel_of_series[series] == channel and starts[0] <= day < after:
            sums[max(place for place, start in enumerate(starts) if start <= day)] += Fraction(value)
    return sums


@hypothesis_settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), granularity=st.sampled_from(["day", "week", "month"]))
def test_geos_add_up_to_the_nation_and_each_is_what_a_brute_force_says(seed: int, granularity: Granularity) -> None:
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, granularity)
    choice = PanelChoice(granularity=granularity, exposure="impressions", history_periods=3, short_allowed=True)
    loaded = build_geo_panel(rows=rows, choice=choice)
    geos, panels = loaded.panel.geos, loaded.panel.panels
    assert sorted(geos) == ["A", "B", "C"]

    nation = build_panel(rows=rows.as_nation(geos), choice=choice).panel
    together = loaded.panel.national()
    assert (together.channels, together.history) == (nation.channels, nation.history)
    assert together.period_start.tolist() == nation.period_start.tolist()
    for measure in ("spend", "exposure"):
        np.testing.assert_allclose(getattr(together, measure), getattr(nation, measure), rtol=1e-13)
    everywhere_known = np.isfinite(together.outcome)
    np.testing.assert_allclose(together.outcome[everywhere_known], nation.outcome[everywhere_known], rtol=1e-13)

    starts = nation.period_start.tolist()
    after = starts[-1] + {"day": 1, "week": 7}.get(granularity, 30)
    if granularity == "month":
        after = day_number((dt.date.fromordinal(719163 + starts[-1]) + dt.timedelta(31)).replace(day=1))
    for geo, panel, size in zip(geos, panels, loaded.panel.sizes.tolist(), strict=True):
        for channel in range(2):
            for measure, column in (("spend", panel.spend), ("impressions", panel.exposure)):
                own = (
                    period_sums(rows.media[geo], measure, channel, starts, after)
                    if geo in rows.media
                    else [Fraction()] * len(starts)
                )
                of_all = period_sums(rows.media[NO_GEO], measure, channel, starts, after)
                expected = [float(mine + Fraction(size) / 3 * all_) for mine, all_ in zip(own, of_all, strict=True)]
                np.testing.assert_allclose(column[:, channel], expected, rtol=1e-12)

    shuffled = {geo: shuffle(rows.media[geo], rng) for geo in sorted(rows.media)}
    series = {
        geo: DaySeries("Sales", one.day[order], one.value[order])
        for geo, one in sorted(rows.outcome.items(), reverse=True)
        for order in [rng.permutation(len(one.day))]
    }
    again = build_geo_panel(rows=replace(rows, outcome=series, media=shuffled), choice=choice)
    assert (again.panel.geos, again.remarks) == (geos, loaded.remarks)
    assert again.panel.sizes.tolist() == loaded.panel.sizes.tolist()
    for one, other in zip(again.panel.panels, panels, strict=True):
        for measure in ("outcome", "spend", "exposure"):
            np.testing.assert_array_equal(getattr(one, measure), getattr(other, measure))


def shuffle(found: MediaRows, rng: np.random.Generator) -> MediaRows:
    order = rng.permutation(len(found.day))
    columns = ("series", "day", "spend", "impressions", "clicks")
    return replace(found, **{column: getattr(found, column)[order] for column in columns})


def test_another_currency_changes_amounts_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    rows = random_rows(rng, "week")
    dearer = replace(
        rows,
        outcome={geo: replace(one, value=one.value * 4) for geo, one in rows.outcome.items()},
        media={geo: replace(one, spend=one.spend * 4) for geo, one in rows.media.items()},
    )
    choice = PanelChoice(granularity="week", short_allowed=True)
    one, other = (build_geo_panel(rows=each, choice=choice) for each in (rows, dearer))
    assert (one.panel.geos, one.panel.sizes.tolist()) == (other.panel.geos, other.panel.sizes.tolist())
    assert one.remarks == other.remarks
    for cheap, dear in zip(one.panel.panels, other.panel.panels, strict=True):
        np.testing.assert_array_equal(dear.outcome, 4 * cheap.outcome)
        np.testing.assert_array_equal(dear.spend, 4 * cheap.spend)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"There are no reference data in {REFERENCE}.")
def test_the_geos_of_a_published_example_are_those_of_its_file() -> None:
    """Meridian's simulated market: 40 geos, 156 weeks, people by geo."""
    with (REFERENCE / "meridian_geo_all_channels.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    geos = sorted({row["geo"] for row in table})
    of = {geo: [row for row in table if row["geo"] == geo] for geo in geos}
    start = day_number(dt.date.fromisoformat(table[0]["time"]))

    @functools.cache
    def columns(name: str) -> dict[str, list[float]]:
        return {geo: [float(row[name]) for row in rows] for geo, rows in of.items()}

    names = [f"Channel{number}" for number in range(5)]
    loaded = build_geo_panel(
        rows=GeoRows(
            outcome_name="Sales",
            outcome=by_geo(columns("conversions"), start=start),
            media=media(
                {(geo, name): values for name in names for geo, values in columns(f"{name}_spend").items()},
                {(geo, name): values for name in names for geo, values in columns(f"{name}_impression").items()},
                start=start,
            ),
            controls={
                name: by_geo(columns(column), start=start, name=name)
                for name, column in (("Population", "population"), ("Competitors", "competitor_sales_control"))
            },
        ),
        choice=PanelChoice(granularity="week"),
    )
    people = {geo: float(of[geo][0]["population"]) for geo in geos}
    assert loaded.panel.geos == tuple(sorted(geos, key=lambda geo: (-people[geo], geo)))
    mean = sum(people.values()) / len(people)
    assert loaded.panel.sizes == pytest.approx([people[geo] / mean for geo in loaded.panel.geos], rel=1e-12)
    assert loaded.panel.panels[0].exposure_units == ("impressions",) * 5
    for geo, panel in zip(loaded.panel.geos, loaded.panel.panels, strict=True):
        assert panel.outcome.tolist() == columns("conversions")[geo]
        assert panel.spend.T.tolist() == [columns(f"{name}_spend")[geo] for name in names]
        assert panel.exposure.T.tolist() == [columns(f"{name}_impression")[geo] for name in names]
        assert panel.controls == ("Competitors",)
        assert panel.control[:, 0] == pytest.approx(columns("competitor_sales_control")[geo], rel=1e-14)
