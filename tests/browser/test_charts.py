"""Charts in a real browser: they show the numbers that they were given, to the eye, the pointer and the keyboard."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from charts import ChartSpec, Kind, SankeySpec
from tests.browser import chart_pages
from tests.browser.conftest import window
from tests.browser.keyboard import tab_to
from tests.browser.looks import LOOKS, OPPOSITES, Look, both_widths, one_look
from tests.browser.watching import nothing_goes_wrong, overflow, settle

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.chart_pages")]

Said: TypeAlias = tuple[str, str, tuple[float, ...]]  # series, category, value with the interval

MARKS = """figure => [...figure.querySelectorAll(".mark")].map(mark => ({
    ...mark.dataset, tag: mark.tagName, box: ["x", "y", "width", "height"].map(side => Number(mark.getAttribute(side)))
}))"""
SHIFTS = """() => new Promise(tell => {
    const watch = new PerformanceObserver(list => tell(list.getEntries().map(shift => shift.value)));
    watch.observe({type: "layout-shift", buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => tell(watch.takeRecords().map(shift => shift.value))));
})"""
# A line that breaks anew as the chart is drawn late, on a machine that is busy; Web Vitals call up to 0.1 good.
NOTICEABLE_SHIFT = 0.01
# Words beyond the edges of their chart, or too small to read.
BAD_WORDS = """() => [...document.querySelectorAll("chart-figure svg")].flatMap(svg => {
    const edge = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const box = text.getBoundingClientRect();
        const out = box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1;
        return out || parseFloat(getComputedStyle(text).fontSize) < 12;
    }).map(text => text.textContent);
})"""


def visit(page: Page, live_server: LiveServer, name: str) -> None:
    page.goto(f"{live_server.url}/charts/{name}/")
    settle(page)


def marks(page: Page, place: int) -> list[dict[str, Any]]:
    """Return the data and the geometry of the marks of a page's chart."""
    drawn: list[dict[str, Any]] = page.locator("chart-figure").nth(place).evaluate(MARKS)
    return drawn


def panels(name: str) -> list[ChartSpec | SankeySpec]:
    return [panel for chart in chart_pages.PAGES[name] for panel in chart.panels]


def told(panel: ChartSpec | SankeySpec) -> set[Said]:
    if isinstance(panel, SankeySpec):
        nodes = {(panel.value_title, node.label, (node.value,)) for node in panel.nodes}
        return nodes | {(panel.value_title, panel.link_label(link), (link.value,)) for link in panel.links}
    return {
        (series.name, category.label, tuple(end for end in (mark.value, mark.low, mark.high) if end is not None))
        for series in panel.series
        for category, mark in zip(panel.categories, series.marks, strict=True)
        if mark
    }


def said(drawn: list[dict[str, Any]]) -> set[Said]:
    ends = ("value", "low", "high")
    return {
        (mark["series"], mark["category"], tuple(float(mark[end]) for end in ends if end in mark)) for mark in drawn
    }


@one_look
def test_every_mark_carries_its_value_and_interval(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "examples")
    for place, panel in enumerate(panels("examples")):
        drawn = marks(page, place)
        assert said(drawn) == told(panel), panel.id
        assert len(drawn) == len(said(drawn)), panel.id


@both_widths
def test_bars_are_as_long_as_their_values(live_server: LiveServer, page: Page) -> None:
    measured = 0
    for name in ("examples", "plain"):
        visit(page, live_server, name)
        for place, panel in enumerate(panels(name)):
            if isinstance(panel, SankeySpec) or panel.kind not in (Kind.BARS, Kind.HISTOGRAM, Kind.WATERFALL):
                continue
            plot = page.locator("chart-figure").nth(place).locator(".plot").evaluate("plot => ({...plot.dataset})")
            pixels = abs(float(plot["highPx"]) - float(plot["lowPx"])) / (panel.axis.high - panel.axis.low)
            for mark in marks(page, place):
                length = mark["box"][2 if panel.in_rows else 3]
                assert length == pytest.approx(abs(float(mark["value"])) * pixels, abs=0.01), (panel.id, mark)
                measured += 1
    assert measured > 60


@both_widths
def test_equal_values_do_not_hide_each_other(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "plain")
    dots = page.locator("chart-figure").nth(2).locator("circle.mark")
    heights = {round(float(dot.get_attribute("cy") or 0), 2) for dot in dots.all()}
    assert len(heights) == 3


@pytest.mark.parametrize("looks", [OPPOSITES, pytest.param(LOOKS, marks=pytest.mark.full)], ids=["opposites", "all"])
def test_charts_are_in_order_in_every_look(live_server: LiveServer, browser: Browser, looks: Sequence[Look]) -> None:
    wrong = []
    for look in looks:
        for name in ("examples", "plain", "links"):
            with window(browser, look) as page, nothing_goes_wrong(page):
                visit(page, live_server, name)
                moved = [shift for shift in page.evaluate(SHIFTS) if shift > NOTICEABLE_SHIFT]
                shifts = [f"moved by {shift} while it was drawn" for shift in moved]
                words = [f"words too small or beyond the chart: {text}" for text in page.evaluate(BAD_WORDS)]
                troubles = [*shifts, *words, *overflow(page)]
                wrong += [f"{name} in {look}: {trouble}" for trouble in troubles]
    assert not wrong, "\n".join(wrong)


@both_widths
def test_a_tooltip_shows_beside_the_pointer_and_can_be_entered_and_dismissed(
    live_server: LiveServer, page: Page, look: Look
) -> None:
    visit(page, live_server, "plain")
    tooltip = page.locator(".chart-tooltip:popover-open")
    box = page.locator("chart-figure").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6
    page.mouse.move(x, y)
    expect(tooltip).to_contain_text("Revenue")
    shown = tooltip.bounding_box()
    assert shown
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= look[1]
    covers_x = shown["x"] <= x <= shown["x"] + shown["width"]
    covers_y = shown["y"] <= y <= shown["y"] + shown["height"]
    assert not (covers_x and covers_y)
    page.mouse.move(shown["x"] + shown["width"] / 2, shown["y"] + shown["height"] / 2)
    expect(tooltip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)


@one_look
def test_a_tooltip_says_each_series_value_interval_and_gap(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "plain")
    slider = page.get_by_role("slider").first
    tab_to(page, slider)
    tooltip = page.locator(".chart-tooltip:popover-open")
    expect(tooltip).to_contain_text("Week of 30 June 2025")  # the newest week comes first
    page.keyboard.press("Home")
    rows = tooltip.locator(".tooltip-row")
    expect(rows).to_have_text(["Revenue€142,000 (€134,900–€149,100)", "Same weeks of 2024€131,000"])
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(rows).to_have_text(["Revenue–", "Same weeks of 2024€150,000"])
    expect(slider).to_have_attribute(
        "aria-valuetext", "Week of 17 March 2025: Revenue: no value; Same weeks of 2024 €150,000"
    )
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", "10")
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuenow", "26")
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(tooltip).to_contain_text("Week of 23 June 2025")
    page.keyboard.press("Tab")
    expect(tooltip).to_have_count(0)


@one_look
def test_enter_on_a_focused_bar_follows_its_link(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "links")
    video = page.get_by_role("link", name="Video: Data-driven €143,900; Last touch €74,300")
    tab_to(page, video)
    expect(page.locator(".chart-tooltip:popover-open")).to_contain_text("€74,300")
    page.keyboard.press("Enter")
    page.wait_for_url("**/charts/elsewhere/?category=3")


@one_look
def test_each_of_several_bars_can_lead_somewhere_else(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "links")
    page.get_by_role("link", name="Email: Last touch €147,600").click()
    page.wait_for_url("**/charts/elsewhere/?mark=1-4")


@one_look
def test_many_links_are_one_stop_of_the_tab_key(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "many")
    tab_to(page, page.get_by_role("link", name="Day 0: Revenue €100; Before €100"))
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("link", name="Day 728:")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("summary")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Day 728:")).to_be_focused()


@one_look
def test_a_chart_drawn_anew_keeps_its_height_and_the_focus(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "links")
    figure = page.locator("chart-figure").first
    display = figure.get_by_role("link", name="Display: Data-driven")
    tab_to(page, display)
    before = figure.bounding_box()
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("() => document.querySelector('svg').viewBox.baseVal.width < 390")
    after = figure.bounding_box()
    assert before
    assert after
    assert after["height"] == before["height"]
    expect(display).to_be_focused()
    expect(page.locator(".chart-tooltip:popover-open")).to_contain_text("Display")


@one_look
def test_the_arrow_keys_lead_from_cell_to_cell_of_a_matrix(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "matrix")
    tooltip = page.locator(".chart-tooltip:popover-open")
    tab_to(page, page.get_by_role("link", name="Paid Search and Paid Social: +96, 95% interval 65 to 127"))
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="Paid Search and Referral: +6")).to_be_focused()
    expect(tooltip).to_contain_text("Not enough evidence")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")  # past the cell of the channel with itself
    expect(page.get_by_role("link", name="Paid Social and Display: +42")).to_be_focused()
    expect(page.locator(".heat-name.active")).to_have_text(["Display", "Paid Social"])
    page.keyboard.press("Tab")
    expect(page.locator("summary").first).to_be_focused()
    expect(tooltip).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Paid Social and Display: +42")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/charts/elsewhere/?cell=2-1")


@one_look
def test_pointing_at_a_cell_says_its_pair_value_interval_and_details(live_server: LiveServer, page: Page) -> None:
    visit(page, live_server, "matrix")
    tooltip = page.locator(".chart-tooltip:popover-open")
    page.get_by_role("link", name="Email and Paid Social:").hover()
    expect(tooltip.locator("p, .tooltip-row")).to_have_text(
        [
            "Email and Paid Social",
            "+102 (62–142)",
            "Conversions more or fewer than alone",
            "2,760 journeys touched both",
            "In brackets: 95% interval",
        ]
    )
    expect(page.locator(".heat-name.active")).to_have_text(["Paid Social", "Email"])
    page.get_by_role("img", name="Direct, Conversion: 13.4%").hover()
    expect(tooltip.locator("p, .tooltip-row")).to_have_text(["Direct, Conversion", "13.4%", "Share of touchpoints, %"])


@both_widths
def test_a_matrix_scrolls_sideways_beside_the_names_of_its_rows(
    live_server: LiveServer, page: Page, look: Look
) -> None:
    visit(page, live_server, "matrix")
    region = page.get_by_role("region", name="Cells: Email and social")
    assert region.get_attribute("tabindex") == ("0" if look[1] < 500 else None)
    tab_to(page, page.get_by_role("link", name="Paid Search and Paid Social"))
    for _ in range(2):
        for key in ("End", "Home"):
            page.keyboard.press(key)
            cell, names = region.locator(":focus > .mark").bounding_box(), region.locator(".heat-names").bounding_box()
            frame = region.bounding_box()
            assert cell
            assert names
            assert frame
            assert names["x"] == pytest.approx(frame["x"], abs=1)
            assert names["x"] + names["width"] <= cell["x"] + 1
            assert cell["x"] + cell["width"] <= frame["x"] + frame["width"] + 2
            assert min(cell["width"], cell["height"]) >= 24


def test_without_scripts_the_table_is_the_chart(live_server: LiveServer, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/charts/links/")
    expect(page.get_by_role("cell", name="€486,100").first).to_be_visible()
    expect(page.locator("chart-figure").first).to_be_hidden()
    context.close()
