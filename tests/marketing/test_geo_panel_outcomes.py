"""The geos of a panel and their outcome: how large they are, the span that they share, and which are left out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.panel_building import MOST_GEOS, NO_GEO, DaySeries, GeoRows, PanelChoice, build_geo_panel
from marketing.panel_building.geos import best_span
from tests.marketing.geo_panel_rows import (
    SALES,
    TV,
    WEEKS,
    Values,
    build,
    by_geo,
    media,
    noise,
    of_geo,
    problem_of,
    spend_of,
    weekly,
)
from tests.marketing.panel_rows import MONDAY, remarks_of, sentence_of


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
