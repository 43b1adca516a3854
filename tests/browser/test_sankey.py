"""A Sankey diagram in a real browser: what it says to the pointer and the keyboard, and how it stands out."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from charts.sankey_layout import lay_out
from tests.browser.chart_pages import LINKED_FLOWS
from tests.browser.keyboard import tab_to
from tests.browser.looks import Look, both_widths, one_look
from tests.browser.watching import axe_findings, overflow, settle

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.chart_pages")]


def visit(page: Page, live_server: LiveServer) -> Locator:
    """Open the page and return its first diagram, whose nodes and links lead somewhere."""
    page.goto(f"{live_server.url}/charts/flows/")
    settle(page)
    return page.locator("chart-figure").first


@both_widths
def test_nodes_and_links_have_the_heights_of_the_layout(live_server: LiveServer, page: Page) -> None:
    figure = visit(page, live_server)
    layout = lay_out(LINKED_FLOWS)
    svg = figure.locator("svg").bounding_box()
    assert svg
    assert svg["height"] == layout.height_px

    for label, kind in (
        ("1 Partner Newsletter", "node"),
        ("Drop-off", "node"),
        ("1 Partner Newsletter → 2 Newsletter der Kaffeerösterei", "link"),
        ("1 Partner Newsletter → Conversion", "link"),
    ):
        box = figure.locator(f'.mark[data-category="{label}"]').bounding_box()
        assert box
        if kind == "node":
            place = [node.label for node in LINKED_FLOWS.nodes].index(label)
            top, bottom = layout.boxes[place].top, layout.boxes[place].bottom
        else:
            ribbon = layout.ribbons[[LINKED_FLOWS.link_label(link) for link in LINKED_FLOWS.links].index(label)]
            top, bottom = min(ribbon.tops), max(ribbon.tops) + ribbon.thickness
        assert box["y"] - svg["y"] == pytest.approx(top, abs=0.01)
        assert box["height"] == pytest.approx(bottom - top, abs=0.01)


@one_look
def test_pointing_at_a_node_says_its_value_and_lets_its_links_stand_out(live_server: LiveServer, page: Page) -> None:
    figure = visit(page, live_server)
    figure.locator('.mark[data-category="2 Partner Newsletter"]').hover()

    tooltip = page.locator(".chart-tooltip:popover-open")
    expect(tooltip).to_contain_text("2 Partner Newsletter")
    expect(tooltip.locator(".tooltip-row")).to_have_text(["Journeys2,203"])
    expect(tooltip.locator(".tooltip-detail")).to_have_text(["14.5% of all journeys"])
    labels = [LINKED_FLOWS.link_label(link) for link in LINKED_FLOWS.links]
    meant = [label for label in labels if "2 Partner Newsletter" in label]
    standing_out = figure.locator(".flow.is-meant")
    expect(standing_out).to_have_count(len(meant))
    assert {one.get_attribute("data-category") for one in standing_out.all()} == set(meant)
    page.mouse.move(1, 1)
    expect(tooltip).to_have_count(0)
    expect(figure.locator(".is-meant")).to_have_count(0)


@one_look
def test_a_focused_link_says_where_it_leads_and_enter_follows_it(live_server: LiveServer, page: Page) -> None:
    figure = visit(page, live_server)
    tab_to(page, figure.get_by_role("link").first)
    for _ in range(8):  # past the first node and its six links
        page.keyboard.press("ArrowRight")

    link = figure.get_by_role(
        "link", name="1 Partner Newsletter → Conversion: 535, 16.2% of 3,300 at Partner Newsletter"
    )
    expect(link).to_be_focused()
    expect(page.locator(".chart-tooltip:popover-open")).to_contain_text("1 Partner Newsletter → Conversion")
    standing_out = [one.get_attribute("data-category") for one in figure.locator(".is-meant").all()]
    assert set(standing_out) == {"1 Partner Newsletter", "1 Partner Newsletter → Conversion", "Conversion"}
    page.keyboard.press("Tab")  # many links are one stop
    expect(page.locator("summary").first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/charts/elsewhere/?flow=link-*")


@one_look
def test_the_name_of_a_node_leads_where_its_node_does(live_server: LiveServer, page: Page) -> None:
    figure = visit(page, live_server)
    figure.locator(".flow-name", has_text="Partner Newsletter 2,203").click()
    place = [node.label for node in LINKED_FLOWS.nodes].index("2 Partner Newsletter")
    page.wait_for_url(f"**/charts/elsewhere/?flow=node-{place}")


@one_look
def test_a_diagram_without_links_is_walked_through_as_it_is_read(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server)
    slider = page.get_by_role("slider")
    tab_to(page, slider)
    expect(slider).to_have_attribute(
        "aria-valuetext", "1 International Paid Search Brand Exact Match: 5,200, 34.2% of all journeys"
    )
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "Drop-off: 11,297, 74.3% of all journeys")
    expect(page.locator(".chart-tooltip:popover-open")).to_contain_text("Drop-off")


@both_widths
def test_what_has_no_room_scrolls_sideways_in_a_region_of_its_own(
    live_server: LiveServer, page: Page, look: Look
) -> None:
    figure = visit(page, live_server)
    region = figure.get_by_role("region", name="Diagram: Half of all conversions come after the first touch")
    scrolls = region.evaluate("region => region.scrollWidth > region.clientWidth")

    assert scrolls is (look[1] == 390)
    assert region.get_attribute("tabindex") == ("0" if scrolls else None)
    assert not overflow(page)
    assert not axe_findings(page)
    if scrolls:
        end = figure.get_by_role("link", name=re.compile("^Conversion: 3,903"))
        tab_to(page, figure.get_by_role("link").first)
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        expect(end).to_be_focused()
        assert region.evaluate("region => region.scrollLeft") > 50
