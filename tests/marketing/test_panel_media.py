"""The media of a media panel: their history, what acts on people, what is left out and what cannot be told apart."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from marketing.panel_building import MOST_CHANNELS, DaySeries, LoadedPanel, MediaRows, PanelChoice
from tests.marketing.panel_rows import (
    LATE,
    MONDAY,
    RADIO,
    TV,
    WEEKS,
    build,
    by_week,
    media,
    noise,
    on_days,
    problem_of,
    remarks_of,
    sentence_of,
    series,
)


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


def test_history_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="history_periods cannot be negative"):
        PanelChoice(granularity="week", history_periods=-1)


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
