"""Getting about a page with the keyboard alone."""

from playwright.sync_api import Locator, Page

MOST_TABS = 80


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus, and see that it shows. Raises AssertionError if Tab never gets there."""
    target.wait_for()
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => element.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}.")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    tab_to(page, target)
    page.keyboard.type(text)
