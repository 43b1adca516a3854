"""What a panel of geos knows besides the outcome: media, controls, events and people, of each geo and of all."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from marketing.frames import Int64Column
from marketing.panel_building import NO_GEO, DaySeries, GeoRows, LoadedGeoPanel, PanelProblem
from marketing.periods import day_number
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
)
from tests.marketing.panel_rows import MONDAY, remarks_of, sentence_of

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


def test_media_of_other_channels_are_a_mistake_of_the_caller() -> None:
    found = {**media({("North", "TV"): noise(3)}), **media({("South", "Radio"): noise(4)})}
    with pytest.raises(ValueError, match="same channels and series"):
        GeoRows(outcome_name="Sales", outcome=by_geo(SALES), media=found)


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
