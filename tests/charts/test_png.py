"""Pictures for mail: every kind of chart as PNG, as large as its SVG and with the same marks in it."""

import io
import re

import pytest
from PIL import Image

from charts.examples import EXAMPLES
from charts.png import render
from charts.svg import render as render_svg

CHARTS = sorted(EXAMPLES)


def size_of_svg(svg: str) -> tuple[float, float]:
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    assert found is not None
    return float(found[1]), float(found[2])


def colours_of_svg(svg: str) -> set[tuple[int, ...]]:
    """The colours of marks that are filled and opaque."""
    filled = re.findall(r'<path id="[^"]+"[^>]*fill="(#[0-9a-f]{6})"(?![^>]*opacity)', svg)
    return {tuple(bytes.fromhex(colour[1:])) for colour in filled}


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_is_as_large_as_its_svg_times_the_scale(name: str) -> None:
    image = Image.open(io.BytesIO(render(EXAMPLES[name], width_px=600, scale=2.0)))
    width, height = size_of_svg(render_svg(EXAMPLES[name], width_px=600))
    assert image.format == "PNG"
    assert image.size == pytest.approx((2 * width, 2 * height), abs=1)


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_stands_on_white_with_the_colours_of_its_marks(name: str) -> None:
    image = Image.open(io.BytesIO(render(EXAMPLES[name]))).convert("RGB")
    found = {colour for _, colour in image.getcolors(image.size[0] * image.size[1])}  # type: ignore[union-attr]
    assert image.getpixel((0, image.size[1] - 1)) == (255, 255, 255)
    assert colours_of_svg(render_svg(EXAMPLES[name], width_px=600)) <= found


def test_a_picture_is_the_same_each_time() -> None:
    assert render(EXAMPLES["line"]) == render(EXAMPLES["line"])


def test_too_narrow_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="A chart needs 240 pixels, not 100"):
        render(EXAMPLES["line"], width_px=100)
