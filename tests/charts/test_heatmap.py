"""The scale of a heatmap: its classes, its colours, and what it refuses."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charts import Axis, Kind, Tick
from charts.heat import STEPS, diverging_axis, heat_class, scale, shade, shade_name
from reports.palette import Swatch, relative_luminance
from tests.charts.heatmaps import SHARES, TWO_SIDED, cell, matrix, signed

STYLE_SHEET = (Path(__file__).resolve().parents[2] / "static/css/base.css").read_text(encoding="utf-8")
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE_SHEET)
}
LIGHT, DARK = 0, 1
CLASSES = range(-STEPS, STEPS + 1)
VALUES = st.floats(-1e9, 1e9)
# How red, green and blue are seen without one kind of cone. Source: Machado, Oliveira and Fernandes 2009, severity 1.
DEFICIENCIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: matrix((cell(1),), axis=replace(TWO_SIDED, low=-100.0, ticks=())), "symmetric around zero"),
        (
            lambda: matrix((cell(0.2),), axis=replace(SHARES, low=0.1, ticks=())),
            "symmetric around zero, or start there",
        ),
        (lambda: matrix((cell(-3),), axis=Axis(title="", low=-4, high=-2, ticks=())), "symmetric around zero"),
        (lambda: matrix((cell(111),)), "111 lies outside"),
        (lambda: matrix((cell(-0.1),), axis=SHARES), "-0.1 lies outside"),
        (lambda: matrix((cell(1),), axis=replace(TWO_SIDED, ticks=(Tick(120, "120"),))), "120 lies outside"),
        (lambda: diverging_axis([1.0, math.nan], title="", text=signed), "must be finite"),
        (lambda: diverging_axis([math.inf], title="", text=signed), "must be finite"),
        (lambda: scale(replace(matrix((cell(1),)), kind=Kind.BARS)), "is no heatmap"),
    ],
)
def test_what_has_no_scale_is_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_an_interval_may_reach_beyond_the_scale() -> None:
    assert matrix((cell(100, 50),)).has_intervals


def test_classes_are_equally_broad_and_zero_lies_in_the_middle_one() -> None:
    edges = (-90, -70, -50, -30, -10)
    assert [heat_class(edge - 1, TWO_SIDED) for edge in edges] == [-5, -4, -3, -2, -1]
    assert [heat_class(edge + 1, TWO_SIDED) for edge in edges] == [-4, -3, -2, -1, 0]
    assert [heat_class(0.1 * place + 0.01, SHARES) for place in range(6)] == [0, 1, 2, 3, 4, 5]
    assert [heat_class(value, SHARES) for value in (0.0, 0.0999, 0.6)] == [0, 0, 5]


@given(VALUES, VALUES)
def test_a_larger_value_never_has_a_lower_class(one: float, other: float) -> None:
    low, high = sorted((one, other))
    axis = diverging_axis([one, other], title="", text=signed)
    assert -STEPS <= heat_class(low, axis) <= heat_class(high, axis) <= STEPS
    from_zero = replace(axis, low=0.0, ticks=())
    assert 0 <= heat_class(low, from_zero) <= heat_class(high, from_zero) <= STEPS


@given(VALUES, st.floats(1e-6, 1e9))
def test_classes_are_the_same_on_both_sides_of_zero(value: float, end: float) -> None:
    axis = replace(TWO_SIDED, low=-end, high=end, ticks=())
    assert heat_class(-value, axis) == -heat_class(value, axis)
    assert heat_class(0.0, axis) == 0


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_diverging_axis_is_symmetric_and_its_furthest_value_has_the_furthest_class(values: list[float]) -> None:
    furthest = max(values, key=abs)
    assume(abs(furthest) > 1e-9)
    axis = diverging_axis([None, *values], title="Effect", text=signed)
    assert axis.low == -axis.high
    assert abs(furthest) <= axis.high * (1 + 1e-9)
    assert abs(heat_class(furthest, axis)) == STEPS
    assert len({tick.value for tick in axis.ticks}) == 3


@pytest.mark.parametrize(
    ("values", "end"),
    [([102.0, -87.0], 120.0), ([-87.0], 90.0), ([0.3], 0.3), ([], 1.0), ([0.0, None], 1.0), ([5e-324], 1.0)],
)
def test_a_diverging_axis_ends_at_a_round_number(values: list[float | None], end: float) -> None:
    axis = diverging_axis(values, title="Effect", text=signed)
    assert axis.ticks == (Tick(-end, signed(-end)), Tick(0.0, "0"), Tick(end, signed(end)))


def test_the_scale_says_its_ends_zero_and_what_hatching_means() -> None:
    both = scale(matrix((cell(60), cell(-3, is_thin=True))))
    assert (both.title, both.low, both.high, both.thin) == ("Effect", "−110", "+110", "Not enough evidence")
    assert [(step.number, step.text) for step in both.steps if step.text] == [(0, "0")]
    assert [step.number for step in both.steps] == [*CLASSES]
    share = scale(matrix((cell(0.2),), axis=SHARES))
    assert (share.low, share.high, share.thin) == ("", "60%", "")
    assert [(step.number, step.text) for step in share.steps] == [
        (0, "0%"),
        (1, ""),
        (2, ""),
        (3, ""),
        (4, ""),
        (5, ""),
    ]


def test_a_scale_without_ticks_says_its_numbers() -> None:
    bare = scale(matrix((cell(60),), axis=replace(TWO_SIDED, ticks=())))
    assert (bare.low, bare.high) == ("−110", "110")


def colours(number: int, theme: int) -> tuple[str, str, str]:
    """The ground, the text and the hatching of a class, as the style sheet has them."""
    distance = abs(number)
    text = TOKENS[f"heat-text-{distance}" if distance >= 4 else "ink"]
    return TOKENS[f"heat-{shade_name(number)}"][theme], text[theme], TOKENS[f"heat-line-{distance}"][theme]


@pytest.mark.parametrize("number", CLASSES)
def test_documents_have_the_colours_of_the_style_sheet(number: int) -> None:
    assert (shade(number).fill, shade(number).text, shade(number).line) == colours(number, LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("number", CLASSES)
def test_text_can_be_read_on_every_colour_and_on_its_hatching(number: int, theme: int) -> None:
    ground, text, line = colours(number, theme)
    assert Swatch(text, ground).contrast >= 4.5
    assert Swatch(text, line).contrast >= 4.5
    assert Swatch(line, ground).contrast >= 1.75


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_stand_out_more_the_further_from_zero_and_as_much_on_both_sides(theme: int) -> None:
    grounds = {number: colours(number, theme)[0] for number in CLASSES}
    for side in (1, -1):
        away = [Swatch(grounds[side * distance], TOKENS["surface"][theme]).contrast for distance in range(STEPS + 1)]
        assert all(after > 1.08 * before for before, after in pairwise(away)), away
    for distance in range(1, STEPS + 1):
        assert Swatch(grounds[distance], grounds[-distance]).contrast < 1.1


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_middle_is_nearly_neutral_but_not_the_ground_of_the_page(theme: int) -> None:
    middle = colours(0, theme)[0]
    parts = [int(middle[place : place + 2], 16) for place in (1, 3, 5)]
    assert max(parts) - min(parts) <= 16
    assert Swatch(middle, TOKENS["surface"][theme]).contrast > 1.1


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_two_sides_are_told_apart_with_every_deficiency_of_colour_vision(theme: int, deficiency: str) -> None:
    seen = {number: as_seen(colours(number, theme)[0], deficiency) for number in CLASSES}
    for distance in range(1, STEPS + 1):
        assert np.linalg.norm(seen[distance] - seen[-distance]) > 15, distance  # 2 or so can just be noticed


def as_seen(colour: str, deficiency: str) -> np.ndarray:
    """The colour in CIELAB (D65), as somebody with the deficiency sees it."""
    srgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0.0, 1.0)
    to_xyz = np.array(
        ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    )
    xyz = to_xyz @ seen / to_xyz.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lab_of_white_is_white() -> None:
    """The conversion above, which the test before it rests on."""
    assert as_seen("#ffffff", "protanopia") == pytest.approx([100, 0, 0], abs=0.1)
    assert relative_luminance("#ffffff") == pytest.approx(1.0)


def test_the_table_has_a_column_for_each_of_the_matrix_with_intervals_in_brackets() -> None:
    linked = replace(cell(102, 40), href="/pair/")
    table = matrix((None, linked), (cell(-3), None)).table()

    assert table.columns == ("Column 0", "Column 1")
    assert [[one.text for one in cells] for _, cells in table.rows] == [["–", "+102 (62–142)"], ["−3", "–"]]
    assert [[one.value for one in cells] for _, cells in table.rows] == [[None, 102], [-3, None]]
    assert [[one.href for one in cells] for _, cells in table.rows] == [["", "/pair/"], ["", ""]]
