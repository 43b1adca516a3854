"""Hearing of what goes wrong on a page while a test looks elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page

# The success criteria of WCAG 2.2, levels A and AA, as far as a program can judge them.
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "preload": False,  # of style sheets and sounds: no rule of these tags reads the former, and no page has the latter
}
RUN_AXE = "([within, options]) => axe.run(within, options).then((results) => results.violations)"
# A chart in a closed <details> has no width and is not drawn.
CHARTS_ARE_DRAWN = """() => [...document.querySelectorAll("chart-figure")].every(
    (figure) => figure.clientWidth === 0 || figure.querySelector("svg").childElementCount > 0)"""
AT_REST = """async () => {
    await document.fonts.ready;
    const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((one) => one.finished));
}"""


STICKS_OUT = """() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const out = [...document.body.querySelectorAll("*")].filter(
        (element) => element.getBoundingClientRect().right > root.clientWidth + 0.5);
    const outermost = out.filter((element) => !out.includes(element.parentElement));
    return outermost.map((element) => element.cloneNode(false).outerHTML).concat(`scroll width ${root.scrollWidth}`);
}"""

# htmx says a failure of the network in the same way, but then names "htmx:sendError".
TAKEN_BACK = ("htmx:sendAbort,", "htmx:afterRequest,")


class Watch:
    """Listens, from its making on, to failing scripts and to the errors and warnings of a page's console.

    Chromium reports there, too, what the content security policy refused and which resource could not be loaded.
    What htmx says of a request that it took back is left out: a newer preview replaced it, or the page was left.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._heard: list[tuple[str, str]] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._heard.append(("", f"page error: {error}")))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(TAKEN_BACK):
            self._heard.append((message.location["url"], f"{message.type}: {message.text}"))

    def take(self, *, refused: bool = False) -> list[str]:
        """Return what was heard since the last time; `refused`: the page itself is meant to be an error page."""
        self._page.evaluate("0")  # what was reported before this has arrived when it returns
        heard, self._heard = self._heard, []
        return [text for url, text in heard if not (refused and url == self._page.url and "Failed to load" in text)]


def settle(page: Page) -> None:
    """Wait until the charts are drawn, the fonts are there and whatever fades or slides has come to rest."""
    page.wait_for_load_state("load")
    page.wait_for_function(CHARTS_ARE_DRAWN)
    page.evaluate(AT_REST)


def axe_findings(page: Page, *, within: str = ":root") -> list[str]:
    """Return what axe finds against the page as it is now, each with its rule, impact, target and markup.

    `within`: the selector of what it looks at; the rest is left out.
    """
    settle(page)
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)  # by the debugger, so that the content security policy is not asked
    violations = page.evaluate(RUN_AXE, [within, AXE_OPTIONS])
    return [
        f"axe: {violation['id']} ({node['impact']}) at {node['target']}\n"
        f"    {node['html']}\n    {node['failureSummary'].replace(chr(10), chr(10) + '    ')}"
        for violation in violations
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """Return what sticks out of the window sideways, where it makes the page scroll that way."""
    return [f"wider than the window: {element}" for element in page.evaluate(STICKS_OUT)]


def check(page: Page, *, within: str = ":root") -> None:
    """Raise AssertionError, with a report, if axe finds anything or the page overflows: for a step of a journey.

    `within`: the selector of what axe looks at, for a page that is long and changes in one place.
    """
    findings = axe_findings(page, within=within) + overflow(page)
    assert not findings, "\n".join([page.url, *findings])


@contextmanager
def nothing_goes_wrong(page: Page) -> Iterator[None]:
    """Raise AssertionError after the block: a script failed, the console complained, or axe finds fault at the end."""
    watch = Watch(page)
    yield
    wrong = watch.take() + axe_findings(page)
    assert not wrong, "\n".join([page.url, *wrong])
