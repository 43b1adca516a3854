"""The gallery of components: for staff only, and of every component there is; its colours stand out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User, Workspace
from charts.colours import Colour
from charts.examples import EXAMPLES
from reports.palette import Swatch, palette

ClientFor = Callable[[User | None], Client]
TEMPLATES = Path(settings.BASE_DIR) / "templates"
STYLE_SHEET = (Path(settings.BASE_DIR) / "static/css/base.css").read_text()
# What stands around every page, the gallery included, or belongs to one page.
ELSEWHERE = {
    "brand", "chart_key", "demo_badge", "footer", "heat_scale", "messages", "plan_offer", "user_menu", "viewing_as",
    "workspace_switcher",
}  # fmt: skip


def test_staff_see_it_without_a_workspace_and_nobody_else_does(
    client_for: ClientFor, owner: User, workspace: Workspace
) -> None:
    assert client_for(None).get("/gallery/").headers["Location"] == "/accounts/login/?next=/gallery/"
    assert client_for(owner).get("/gallery/").status_code == 404
    staff = User.objects.create_superuser("root@example.com")
    assert client_for(staff).get("/gallery/").status_code == 200
    assert client_for(staff).post("/gallery/").status_code == 405


def test_every_component_is_in_it() -> None:
    gallery = (TEMPLATES / "reports/gallery.html").read_text()
    shown = set(re.findall(r'"components/(\w+)\.html"', gallery))
    components = {path.stem for path in (TEMPLATES / "components").glob("*.html")}
    assert components - ELSEWHERE <= shown
    assert components >= ELSEWHERE


def test_every_kind_of_chart_is_in_it_with_its_picture(client_for: ClientFor, db: None) -> None:
    text = client_for(User.objects.create_superuser("root@example.com")).get("/gallery/").text
    for name, chart in EXAMPLES.items():
        assert f'id="{chart.id}-title"' in text
        assert f'src="/static/gallery/{name}.svg"' in text
        assert (Path(settings.BASE_DIR) / f"static/gallery/{name}.svg").exists()


def test_contrast_is_what_wcag_says() -> None:
    assert Swatch("#000000", "#ffffff").contrast == pytest.approx(21)
    assert Swatch("#777777", "#ffffff").contrast == pytest.approx(4.48, abs=0.005)  # WebAIM's just too pale grey
    assert Swatch("#ffffff", "#777777").contrast == Swatch("#777777", "#ffffff").contrast


def test_every_colour_stands_out_from_its_ground_in_both_themes() -> None:
    pairs = list(palette(STYLE_SHEET))
    assert [
        f"{pair.name} on {pair.ground}: {swatch.contrast:.2f}"
        for pair in pairs
        for swatch in pair.themes
        if swatch.contrast < pair.required
    ] == []


def test_pictures_and_documents_have_the_colours_of_the_style_sheet() -> None:
    light = {pair.name: pair.light.colour for pair in palette(STYLE_SHEET)}
    assert {colour: colour.hex for colour in Colour} == {colour: light[colour] for colour in Colour}
