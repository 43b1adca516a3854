"""From figures by day and geo to a panel of geos: hand-worked cases, a brute force over random rows, and refusals."""

import csv
import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marketing.frames import Granularity, Int64Column, MediaPanel
from marketing.panel_building import (
    MOST_GEOS,
    NO_GEO,
    DaySeries,
    GeoRows,
    LoadedGeoPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    build_geo_panel,
    build_panel,
)
from marketing.panel_building.geos import best_span
from marketing.periods import day_number

MONDAY = day_number(dt.date(2021, 1, 4))
WEEKS = 10
REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm"

Values = Sequence[float]


def weekly(values: Values, *, start: int = MONDAY, name: str = "Sales") -> DaySeries:
    """One row a week, none where a value is NaN."""
    days, numbers = start + 7 * np.arange(len(values)), np.array(values, np.float64)
    return DaySeries(name, days, numbers).where(~np.isnan(numbers))


def by_geo(found: Mapping[str, Values], **options: Any) -> dict[str, DaySeries]:
    return {geo: weekly(values, **options) for geo, values in found.items()}


def noise(seed: int, size: int = WEEKS) -> list[float]:
    return [float(number) for number in np.random.default_rng(seed).integers(100, 1000, size)]


def media(
    spend: Mapping[tuple[str, str], Values],
    impressions: Mapping[tuple[str, str], Values] | None = None,
    *,
    start: int = MONDAY,
) -> dict[str, MediaRows]:
    """Weekly media by geo, from those of each (geo, channel)."""
    measures = {"spend": spend, "impressions": impressions or {}}
    channels = tuple(dict.fromkeys(channel for found in measures.values() for _, channel in found))
    geos = dict.fromkeys(geo for found in measures.values() for geo, _ in found)
    tables: dict[str, MediaRows] = {}
    for geo in geos:
        rows: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
        for measure, found in measures.items():
            for number, channel in enumerate(channels):
                for week, value in enumerate(found.get((geo, channel), ())):
                    rows[number, start + 7 * week][measure] = value
        series, day = np.array(list(rows), np.int64).reshape(-1, 2).T
        columns = {of: np.array([row.get(of, 0.0) for row in rows.values()]) for of in (*measures, "clicks")}
        tables[geo] = MediaRows(channels, channels, np.arange(len(channels)), series, day, **columns)
    return tables


SALES = {"North": noise(1), "South": [value / 4 for value in noise(2)]}
TV = {("North", "TV"): noise(3), ("South", "TV"): noise(4)}


def build(
    sales: Mapping[str, Values] = SALES,
    found: Mapping[str, MediaRows] | None = None,
    *,
    choice: Mapping[str, Any] | None = None,
    **rows: Any,
) -> LoadedGeoPanel:
    return build_geo_panel(
        rows=GeoRows(outcome_name="Sales", outcome=by_geo(sales), media=media(TV) if found is None else found, **rows),
        choice=PanelChoice(**{"granularity": "week", "short_allowed": True, **(choice or {})}),
    )


def problem_of(*arguments: Any, **keywords: Any) -> PanelProblem:
    with pytest.raises(PanelProblem) as caught:
        build(*arguments, **keywords)
    assert str(caught.value) == caught.value.sentence
    return caught.value


def remarks_of(loaded: LoadedGeoPanel) -> dict[str, tuple[str, ...]]:
    return {remark.code: remark.names for remark in loaded.remarks if remark.code != "short"}


def sentence_of(loaded: LoadedGeoPanel, code: str) -> str:
    (sentence,) = (remark.sentence for remark in loaded.remarks if remark.code == code)
    return sentence


def of_geo(loaded: LoadedGeoPanel, geo: str) -> MediaPanel:
    return loaded.panel.panels[loaded.panel.geos.index(geo)]


def spend_of(loaded: LoadedGeoPanel) -> dict[str, list[list[float]]]:
    """The spend of each channel in each geo."""
    return {geo: panel.spend.T.tolist() for geo, panel in zip(loaded.panel.geos, loaded.panel.panels, strict=True)}


# Geos and their outcome


def test_each_geo_has_its_own_numbers_in_the_periods_of_all() -> None:
    loaded = build()
    assert loaded.panel.geos == ("North", "South")
    assert [panel.outcome.tolist() for panel in loaded.panel.panels] == list(SALES.values())
    assert spend_of(loaded) == {"North": [noise(3)], "South": [noise(4)]}
    assert of_geo(loaded, "South").exposure.tolist() == of_geo(loaded, "South").spend.tolist()
    assert of_geo(loaded, "North").period_start.tolist() == list(range(MONDAY, MONDAY + 7 * WEEKS, 7))
    assert remarks_of(loaded) == {}


def test_geos_are_as_large_as_their_mean_outcome_and_the_largest_comes_first() -> None:
    flat = [100.0, 300.0] * 5
    loaded = build({"B": flat, "A": flat, "C": [4 * value for value in flat]}, media({("A", "TV"): noise(3)}))
    assert loaded.panel.geos == ("C", "A", "B")
    assert loaded.panel.sizes.tolist() == [2, 0.5, 0.5]


def test_an_outcome_below_zero_counts_by_its_amount() -> None:
    loaded = build({"North": [-30.0, 10.0] * 5, "South": [-100.0, -20.0] * 5})
    assert loaded.panel.geos == ("South", "North")
    assert loaded.panel.sizes.tolist() == [1.5, 0.5]


def test_names_of_geos_are_as_they_are_stored() -> None:
    assert build({**SALES, "north": noise(5)}).panel.geos == ("north", "North", "South")


def test_a_geo_may_lack_a_tenth_of_the_weeks_which_are_not_known_then() -> None:
    loaded = build({**SALES, "South": [*SALES["South"][:4], np.nan, *SALES["South"][5:]]})
    assert np.flatnonzero(np.isnan(of_geo(loaded, "South").outcome)).tolist() == [4]
    assert not np.isnan(of_geo(loaded, "North").outcome).any()
    assert remarks_of(loaded) == {"geo_missing_periods": ("South",)}
    assert sentence_of(loaded, "geo_missing_periods").startswith(
        "“Sales” is not known for 1 week in “South”, of 20 weeks in all geos together."
    )


def test_a_week_is_known_in_a_geo_if_all_of_its_days_are() -> None:
    days = MONDAY + np.arange(7 * WEEKS)
    daily = {
        geo: DaySeries("Sales", days, np.random.default_rng(seed).integers(1, 99, len(days)).astype(np.float64))
        for seed, geo in enumerate(("North", "South"))
    }
    lacking = {**daily, "South": daily["South"].where(days != MONDAY + 30)}
    loaded = build_geo_panel(
        rows=GeoRows(outcome_name="Sales", outcome=lacking, media=media(TV)),
        choice=PanelChoice(granularity="week", short_allowed=True),
    )
    south = daily["South"].value.reshape(-1, 7).sum(axis=1)
    south[4] = np.nan
    np.testing.assert_array_equal(of_geo(loaded, "South").outcome, south)
    assert of_geo(loaded, "North").outcome.tolist() == daily["North"].value.reshape(-1, 7).sum(axis=1).tolist()


def test_weeks_start_where_those_of_the_nation_do() -> None:
    rows = GeoRows(
        outcome_name="Sales",
        outcome=by_geo(SALES, start=MONDAY + 6),
        media=media(TV, start=MONDAY + 6),
        events={"Fair": {NO_GEO: np.array([MONDAY + 12, MONDAY + 13])}},
    )
    loaded = build_geo_panel(rows=rows, choice=PanelChoice(granularity="week", short_allowed=True))
    assert of_geo(loaded, "South").period_start.tolist() == [MONDAY + 6 + 7 * week for week in range(WEEKS)]
    assert of_geo(loaded, "South").outcome.tolist() == SALES["South"]
    assert of_geo(loaded, "South").event[:3].tolist() == [[1 / 7], [1 / 7], [0]]
    assert spend_of(loaded) == spend_of(build())


def test_a_geo_that_lacks_more_is_left_out_with_its_media() -> None:
    fragment = [*noise(5)[:8], np.nan, np.nan]
    found = media({**TV, ("East", "TV"): noise(6), ("East", "Radio"): noise(7)})
    loaded = build({**SALES, "East": fragment}, found)
    assert loaded.panel.geos == ("North", "South")
    assert spend_of(loaded) == spend_of(build()), "“Radio” was in the east only"
    assert remarks_of(loaded) == {
        "zero_channel": ("Radio",),
        "unknown_geo": ("East",),
        "media_of_other_geos": ("East",),
    }
    assert "In “East”, “Sales” is known for less than 90% of the weeks. Left out, with" in sentence_of(
        loaded, "unknown_geo"
    )
    part = sum(noise(6) + noise(7)) / sum(noise(3) + noise(4) + noise(6) + noise(7))
    assert f"Media of “East”, {part:.0%} of all spend, are left out" in sentence_of(loaded, "media_of_other_geos")


def test_a_geo_whose_outcome_never_changes_is_left_out() -> None:
    loaded = build({**SALES, "East": [0.1] * WEEKS})
    assert (loaded.panel.geos, remarks_of(loaded)) == (("North", "South"), {"constant_geo": ("East",)})
    assert sentence_of(loaded, "constant_geo").startswith("In “East”, “Sales” is the same in every week.")


def test_the_periods_are_those_of_the_geos_that_are_left() -> None:
    """The west alone goes back two weeks further; without it nothing is missing at either end."""
    longer = {geo: [np.nan, np.nan, *values] for geo, values in SALES.items()}
    loaded = build({**longer, "West": [*noise(8, 6), *[np.nan] * 6]}, media(TV, start=MONDAY + 14))
    assert loaded.panel.geos == ("North", "South")
    assert of_geo(loaded, "North").period_start[0] == MONDAY + 14
    assert [panel.outcome.tolist() for panel in loaded.panel.panels] == list(SALES.values())
    assert remarks_of(loaded) == {"geo_span": ("Sales",), "unknown_geo": ("West",)}
    assert sentence_of(loaded, "geo_span").startswith("“Sales” is used in 18 Jan – 28 Mar 2021 only: before or after")


def test_a_geo_that_is_known_longer_than_all_others_does_not_leave_them_out() -> None:
    loaded = build(
        {geo: [*[np.nan] * 6, *values, *[np.nan] * 3] for geo, values in SALES.items()} | {"East": noise(8, 19)},
        media(TV, start=MONDAY + 42),
    )
    assert sorted(loaded.panel.geos) == ["East", "North", "South"]
    assert of_geo(loaded, "East").outcome.tolist() == noise(8, 19)[6:16]
    assert remarks_of(loaded) == {"geo_span": ("Sales",)}


def known(*spans: tuple[int, int], gaps: Sequence[int] = ()) -> Any:
    """Geos that are known in these spans of 30 periods, none of them in the gaps."""
    periods = np.arange(30)
    return np.array([(periods >= first) & (periods < after) & ~np.isin(periods, gaps) for first, after in spans])


@pytest.mark.parametrize(
    ("found", "span"),
    [
        (known((0, 30), (0, 30)), (0, 30)),
        (known((0, 30), (3, 30)), (0, 30)),
        (known((0, 30), (4, 30)), (4, 30)),
        (known((0, 30), (0, 30), (10, 30)), (0, 30)),
        (known((0, 30), (0, 30), *[(10, 30)] * 3), (0, 30)),
        (known((0, 30), (0, 30), *[(10, 30)] * 4), (10, 30)),
        (known((0, 30), *[(0, 15)] * 5), (0, 15)),
        (known((0, 20), (12, 30)), (12, 20)),
        (known((0, 19), (12, 30)), (0, 30)),
        (known((0, 30), (0, 30), gaps=(5, 6, 7)), (0, 30)),
        (known((0, 0), (0, 0)), (0, 30)),
    ],
)
def test_the_span_is_shorter_only_if_most_geos_know_only_that(found: Any, span: tuple[int, int]) -> None:
    assert best_span(found, least=8) == span


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 30)), min_size=2, max_size=6), st.sets(st.integers(0, 29)))
def test_no_span_from_where_a_geo_begins_to_where_one_ends_is_better(
    spans: list[tuple[int, int]], gaps: set[int]
) -> None:
    found = known(*spans, gaps=sorted(gaps))

    def worth(begins: int, ends: int) -> int:
        inside = found[:, begins:ends]
        usable = inside[(~inside).sum(axis=1) <= 0.1 * (ends - begins)]
        return int(usable.sum()) if len(usable) >= 2 else 0

    there = [np.flatnonzero(geo).tolist() for geo in found if geo.any()]
    tried = [(begins, ends) for begins, *_ in there for *_, last in there for ends in (last + 1,) if begins + 8 <= ends]
    best = max((worth(*span) for span in tried), default=0)
    chosen = best_span(found, least=8)
    whole = worth(0, 30)
    assert worth(*chosen) == best or 2 * whole >= found.sum()
    assert chosen == (0, 30) or worth(*chosen) > whole


def test_of_very_many_ends_some_are_tried() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 300, 400)
    found = np.arange(600) >= 300 + first[:, None] // 2
    begins, ends = best_span(found, least=8)
    worths = [found[(~found[:, start:]).sum(axis=1) <= 0.1 * (600 - start), start:].sum() for start in range(590)]
    assert ends == 600
    assert worths[begins] > 0.98 * max(worths)


def test_a_period_that_no_geo_knows_is_said_of_all_of_them() -> None:
    loaded = build({geo: [*values[:4], np.nan, *values[5:]] for geo, values in SALES.items()})
    assert remarks_of(loaded) == {"missing_periods": ("Sales",)}
    assert all(np.isnan(panel.outcome[4]) for panel in loaded.panel.panels)


def test_rows_without_a_geo_do_not_count_beside_those_with_one() -> None:
    loaded = build({**SALES, NO_GEO: noise(9, 14)})
    assert [panel.outcome.tolist() for panel in loaded.panel.panels] == list(SALES.values())
    assert loaded.panel.national().outcome.tolist() == np.sum(list(SALES.values()), axis=0).tolist()
    assert sentence_of(loaded, "outcome_without_geo") == (
        "14 rows of “Sales” without a geo are left out: on 10 days geos have their own, so that they would count "
        "twice; nobody knows whose the others are."
    )


def test_rows_without_a_geo_out_of_the_chosen_days_are_not_spoken_of() -> None:
    rows = GeoRows(
        outcome_name="Sales",
        outcome={**by_geo(SALES), NO_GEO: weekly([5, 6], start=MONDAY + 7 * WEEKS)},
        media=media(TV),
    )
    choice = PanelChoice(granularity="week", short_allowed=True)
    assert "nobody knows whose they are" in sentence_of(
        build_geo_panel(rows=rows, choice=choice), "outcome_without_geo"
    )
    ending = replace(choice, end=MONDAY + 7 * WEEKS - 1)
    assert remarks_of(build_geo_panel(rows=rows, choice=ending)) == {}


@pytest.mark.parametrize(
    ("sales", "said"),
    [
        ({}, "“Sales” has values of no geo but"),
        ({NO_GEO: noise(1)}, "“Sales” has values of no geo but"),
        ({"North": noise(1), NO_GEO: noise(2)}, "“Sales” has values of one geo only, “North”, but"),
    ],
)
def test_an_outcome_of_fewer_than_two_geos_is_refused(sales: dict[str, Values], said: str) -> None:
    problem = problem_of(sales)
    assert problem.code == "no_geos"
    assert said in problem.sentence
    assert "Import it with a column for the geo, or model it for all geos together." in problem.sentence


def test_fewer_than_two_geos_that_can_be_used_are_refused_with_the_reasons() -> None:
    problem = problem_of({"North": noise(1), "South": [5.0] * WEEKS, "East": [*[np.nan] * 3, *noise(2, 7)]})
    assert problem.code == "too_few_geos"
    assert problem.sentence.startswith(
        "A model of geos needs two, but “Sales” can be used in “North” only. In “East”, “Sales” is known for less than "
        "90% of the weeks. In “South”, “Sales” is the same in every week."
    )


def test_more_geos_than_a_model_takes_are_refused() -> None:
    many = {f"Geo {number}": noise(number) for number in range(MOST_GEOS + 1)}
    found = media({(NO_GEO, "TV"): noise(3)})
    problem = problem_of(many, found)
    assert problem.code == "too_many_geos"
    assert f"known in {MOST_GEOS + 1} geos, but a model takes {MOST_GEOS} at most. Merge them" in problem.sentence
    del many["Geo 0"]
    assert len(build(many, found).panel.geos) == MOST_GEOS


@pytest.mark.parametrize("choice", [{"is_share": True}, {"bounds": (0, 5)}])
def test_an_outcome_with_bounds_has_no_geos(choice: dict[str, Any]) -> None:
    problem = problem_of(choice=choice)
    assert (problem.code, "“Sales” is an average" in problem.sentence) == ("geos_of_a_share", True)


def test_what_the_nation_is_refused_for_its_geos_are_too() -> None:
    assert problem_of(choice={"short_allowed": False}).code == "too_short"
    assert problem_of(found={}).code == "no_media"
    assert problem_of(found=media({**TV, ("North", "Twin"): noise(3), ("South", "Twin"): noise(4)})).code == (
        "identical_channels"
    )


@pytest.mark.parametrize("of", ["outcome", "media", "controls"])
def test_numbers_that_are_none_are_refused_with_their_geo(of: str) -> None:
    wrong = media({**TV, ("South", "TV"): [*noise(4)[:3], -5.0, *noise(4)[4:]]})
    series = {"South": DaySeries("Price", MONDAY + np.arange(2), np.array([1, np.inf]))}
    keywords: dict[str, dict[str, Any]] = {
        "outcome": {"sales": {**SALES, "South": [*noise(2)[:3], np.inf, *noise(2)[4:]]}},
        "media": {"found": wrong},
        "controls": {"controls": {"Price": series}},
    }
    problem = problem_of(**keywords[of])
    assert (problem.code, problem.sentence.startswith("In “South”: ")) == ("unusable_number", True)


# Media


def test_media_without_a_geo_are_split_by_size() -> None:
    sales = {"North": [100.0, 500.0] * 5, "South": [50.0, 150.0] * 5}
    loaded = build(sales, media({**TV, (NO_GEO, "TV"): [40.0] * WEEKS, (NO_GEO, "Radio"): noise(5)}))
    north, south = spend_of(loaded)["North"], spend_of(loaded)["South"]
    assert loaded.panel.sizes.tolist() == [1.5, 0.5]
    assert north == [[value + 30 for value in noise(3)], [0.75 * value for value in noise(5)]]
    assert south == [[value + 10 for value in noise(4)], [0.25 * value for value in noise(5)]]
    part = (400 + sum(noise(5))) / (400 + sum(noise(3) + noise(4) + noise(5)))
    assert sentence_of(loaded, "media_without_geo") == (
        f"Media without a geo, {part:.0%} of all spend, are split over the geos by size."
    )


def test_media_of_geos_without_an_outcome_are_left_out_and_said_to_be() -> None:
    loaded = build(found=media({**TV, ("Moon", "TV"): [1.0] * WEEKS, ("Mars", "TV"): [0.0] * WEEKS}))
    assert spend_of(loaded) == spend_of(build())
    assert remarks_of(loaded) == {"media_of_other_geos": ("Moon",)}
    assert "“Moon”, less than 1% of all spend, are left out: there is no “Sales” there" in sentence_of(
        loaded, "media_of_other_geos"
    )


def test_shares_of_spend_are_of_what_is_used_and_of_what_there_is() -> None:
    spend = {("North", "TV"): [10.0, 20.0] * 5, (NO_GEO, "TV"): [5.0] * WEEKS, ("Moon", "TV"): [20.0] * WEEKS}
    loaded = build(found=media(spend))
    assert "Media without a geo, 25% of all spend, are split" in sentence_of(loaded, "media_without_geo")
    assert "Media of “Moon”, 50% of all spend, are left out" in sentence_of(loaded, "media_of_other_geos")


def test_media_that_are_all_of_other_geos_are_refused() -> None:
    problem = problem_of(found=media({("DE-BE", "TV"): noise(3)}))
    assert problem.code == "geos_differ"
    assert "Media are of “DE-BE” only, but “Sales” of “North” and “South”." in problem.sentence


def test_a_geo_without_media_has_none() -> None:
    assert spend_of(build(found=media({("North", "TV"): noise(3)})))["South"] == [[0.0] * WEEKS]


def test_organic_media_are_of_their_geos_and_of_all() -> None:
    shown = {("South", "Search"): noise(5), (NO_GEO, "Search"): noise(6)}
    loaded = build(found=media(TV, shown))
    shares = loaded.panel.sizes / 2
    assert loaded.panel.panels[0].organic == ("Search",)
    assert of_geo(loaded, "North").organic_exposure[:, 0] == pytest.approx(shares[0] * np.array(noise(6)))
    assert of_geo(loaded, "South").organic_exposure[:, 0] == pytest.approx(noise(5) + shares[1] * np.array(noise(6)))
    assert sentence_of(loaded, "media_without_geo").startswith("Media without a geo are split")


def test_media_of_before_the_outcome_are_in_the_history_of_geos() -> None:
    longer = media({key: noise(seed, WEEKS + 3) for seed, key in enumerate(TV, start=3)}, start=MONDAY - 21)
    loaded = build(found=longer, choice={"history_periods": 2})
    assert of_geo(loaded, "South").history == 2
    assert spend_of(loaded)["South"] == [noise(4, WEEKS + 3)[1:]]
    assert len(of_geo(loaded, "South").outcome) == WEEKS


SEEN = {key: noise(seed) for seed, key in enumerate(TV, start=13)}


def test_impressions_act_where_every_geo_has_some() -> None:
    loaded = build(found=media(TV, SEEN))
    assert loaded.panel.panels[0].exposure_units == ("impressions",)
    assert of_geo(loaded, "South").exposure[:, 0].tolist() == SEEN["South", "TV"]
    assert spend_of(loaded)["South"] == [noise(4)]


def test_spend_acts_for_all_if_a_geo_has_no_impressions() -> None:
    """All geos together have impressions in every week, but the south has none."""
    seen = {key: values for key, values in SEEN.items() if key[0] != "South"}
    loaded = build(found=media(TV, seen))
    assert loaded.panel.panels[0].exposure_units == ("spend",)
    assert of_geo(loaded, "North").exposure[:, 0].tolist() == noise(3)
    part = sum(noise(4)) / sum(noise(3) + noise(4))
    assert sentence_of(loaded, "geos_without_impressions") == (
        f"“TV” has {part:.0%} of its spend where and when geos have no impressions of it, so its spend is used for all."
    )
    asked = build(found=media(TV, seen), choice={"exposure": "impressions"})
    assert asked.panel.panels[0].exposure_units == ("impressions",)
    assert of_geo(asked, "South").exposure.tolist() == [[0.0]] * WEEKS
    assert "so it counts as not seen there" in sentence_of(asked, "geos_without_impressions")


def test_a_little_spend_without_impressions_changes_nothing() -> None:
    spend = {**TV, ("South", "TV"): [0.5, *noise(4)[1:]]}
    seen = {**SEEN, ("South", "TV"): [0.0, *noise(14)[1:]]}
    loaded = build(found=media(spend, seen))
    assert loaded.panel.panels[0].exposure_units == ("impressions",)
    assert remarks_of(loaded) == {}


def test_impressions_by_geo_of_spend_without_one_are_used() -> None:
    loaded = build(found=media({(NO_GEO, "TV"): noise(3)}, SEEN))
    assert loaded.panel.panels[0].exposure_units == ("impressions",)
    assert of_geo(loaded, "North").exposure[:, 0].tolist() == SEEN["North", "TV"]


# What else moves the outcome


def controls_of(loaded: LoadedGeoPanel, geo: str) -> dict[str, list[float]]:
    panel = of_geo(loaded, geo)
    return dict(zip(panel.controls, panel.control.T.tolist(), strict=True))


def with_control(found: Mapping[str, Values], sales: Mapping[str, Values] = SALES, *, name: str = "Price") -> Any:
    return build(sales, controls={name: by_geo(found, name=name)})


def test_controls_are_of_their_geos_or_of_all() -> None:
    loaded = build(
        controls={
            "Heat": by_geo({NO_GEO: noise(6)}, name="Heat"),
            "Price": by_geo({"North": noise(7), "South": noise(8), NO_GEO: noise(9)}, name="Price"),
        }
    )
    assert controls_of(loaded, "North") == {"Heat": noise(6), "Price": noise(7)}
    assert controls_of(loaded, "South") == {"Heat": noise(6), "Price": noise(8)}
    assert remarks_of(loaded) == {}


def test_a_geo_without_a_control_has_that_of_all_or_the_mean_of_the_others() -> None:
    sales = {**SALES, "East": noise(5)}
    loaded = with_control({"North": noise(7), NO_GEO: noise(9)}, sales)
    assert [controls_of(loaded, geo)["Price"] for geo in ("North", "South", "East")] == [noise(7), noise(9), noise(9)]
    assert remarks_of(loaded) == {}
    loaded = with_control({"North": noise(7), "South": noise(8), "Moon": noise(9)}, sales)
    assert controls_of(loaded, "East")["Price"] == [
        (one + other) / 2 for one, other in zip(noise(7), noise(8), strict=True)
    ]
    assert sentence_of(loaded, "geo_control") == (
        "“Price” is not known in “East”, where the mean of the other geos is taken for it."
    )


def test_gaps_of_controls_are_straight_lines_in_their_geo() -> None:
    gappy = [np.nan, 4.0, np.nan, 8.0, *[9.0] * 6]
    loaded = with_control({"North": gappy, "South": noise(8)})
    assert controls_of(loaded, "North")["Price"] == [4, 4, 6, 8, *[9] * 6]
    assert controls_of(loaded, "South")["Price"] == noise(8)
    assert "“Price” is not known for 2 of 10 weeks in 1 geo; these are filled" in sentence_of(loaded, "filled_control")


def test_controls_are_kept_if_they_vary_over_time_in_any_geo() -> None:
    up, down = [float(week) for week in range(WEEKS)], [float(WEEKS - week) for week in range(WEEKS)]
    loaded = build(
        controls={
            "Rotating": by_geo({"North": up, "South": down}, name="Rotating"),
            "Once": by_geo({"North": [5.0] * WEEKS, "South": up}, name="Once"),
            "Level": by_geo({"North": [1.0] * WEEKS, "South": [2.0] * WEEKS}, name="Level"),
            "Elsewhere": by_geo({"Moon": up}, name="Elsewhere"),
            "Old": by_geo({"North": up}, start=MONDAY - 700, name="Old"),
        }
    )
    assert controls_of(loaded, "North") == {"Rotating": up, "Once": [5] * WEEKS}
    assert controls_of(loaded, "South") == {"Rotating": down, "Once": up}
    assert remarks_of(loaded) == {"silent_control": ("Elsewhere", "Old"), "constant_control": ("Level",)}


def test_a_coarse_control_is_remarked_on_once_for_all_geos() -> None:
    months = [day_number(dt.date(2021, month, 1)) for month in (1, 2, 3, 4)]
    series = DaySeries("Rate", np.array(months), np.array([1.0, 2, 3, 4]))
    loaded = build(controls={"Rate": {"North": series, "South": series}})
    assert [remark.code for remark in loaded.remarks if remark.code != "short"] == ["coarse_control"]
    assert controls_of(loaded, "South")["Rate"][:5] == [1, 1, 1, 1, 2]


def test_a_control_in_two_rhythms_is_refused_with_its_geo() -> None:
    days = np.array([*range(MONDAY, MONDAY + 28, 7), *range(MONDAY + 28, MONDAY + 40)])
    mixed = DaySeries("Price", days, np.arange(len(days), dtype=np.float64))
    problem = problem_of(controls={"Price": {"South": mixed}})
    assert (problem.code, problem.sentence.startswith("In “South”: “Price” is weekly")) == ("mixed_steps", True)


def test_events_are_on_in_their_geos_and_holidays_everywhere() -> None:
    def days(*numbers: int) -> Int64Column:
        return MONDAY + np.array(numbers, np.int64)

    loaded = build(
        events={
            "Fair": {"South": days(0, 1, 8)},
            "Strike": {NO_GEO: days(7), "South": days(7, 8)},
            "Storm": {NO_GEO: days(15)},
            "Eclipse": {"Moon": days(3)},
        },
        holidays={"Eid": days(15)},
    )
    north, south = of_geo(loaded, "North"), of_geo(loaded, "South")
    assert north.events == south.events == ("Fair", "Strike", "Storm")
    assert north.event[:3].tolist() == [[0, 0, 0], [0, 1 / 7, 0], [0, 0, 1 / 7]]
    assert south.event[:3].tolist() == [[2 / 7, 0, 0], [1 / 7, 2 / 7, 0], [0, 0, 1 / 7]]
    assert north.holiday[:, 0].tolist() == south.holiday[:, 0].tolist() == [0, 0, 1, *[0] * 7]


# Sizes by people


@pytest.mark.parametrize("name", ["population", "Population", " POPULATION "])
def test_a_control_of_the_population_gives_the_sizes_and_is_none(name: str) -> None:
    loaded = with_control({"North": [1.0, 1.5] * 5, "South": [3.75] * WEEKS}, name=name)
    assert loaded.panel.geos == ("South", "North")
    assert loaded.panel.sizes.tolist() == [1.5, 0.5]
    assert (loaded.panel.panels[0].controls, remarks_of(loaded)) == ((), {})


def test_a_population_counted_before_the_period_counts() -> None:
    census = {
        geo: DaySeries("Population", np.array([MONDAY - 400]), np.array([people]))
        for geo, people in (("North", 1e6), ("South", 3e6))
    }
    assert build(controls={"Population": census}).panel.sizes.tolist() == [1.5, 0.5]


def test_a_population_that_a_geo_lacks_is_not_used_and_that_is_said() -> None:
    loaded = with_control({"North": noise(7), NO_GEO: noise(8)}, name="Population")
    assert loaded.panel.sizes.tolist() == build().panel.sizes.tolist()
    assert (loaded.panel.panels[0].controls, remarks_of(loaded)) == ((), {"geo_population": ("Population",)})
    assert "“Population” is not known in “South”, so that geos" in sentence_of(loaded, "geo_population")


def test_a_population_that_is_not_above_zero_is_refused() -> None:
    with pytest.raises(PanelProblem, match="“Population” is 0 in “South”, but tells how large geos are") as caught:
        with_control({"North": noise(7), "South": [0.0] * WEEKS}, name="Population")
    assert caught.value.code == "population_not_positive"


def test_a_population_of_all_geos_together_is_a_control_like_others() -> None:
    loaded = with_control({NO_GEO: noise(7)}, name="Population")
    assert controls_of(loaded, "North") == {"Population": noise(7)}


# Everything at once


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


def test_media_of_other_channels_are_a_mistake_of_the_caller() -> None:
    found = {**media({("North", "TV"): noise(3)}), **media({("South", "Radio"): noise(4)})}
    with pytest.raises(ValueError, match="same channels and series"):
        GeoRows(outcome_name="Sales", outcome=by_geo(SALES), media=found)


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
