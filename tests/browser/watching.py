"""Hearing of what goes wrong on a page while a test looks elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Page


@contextmanager
def nothing_goes_wrong(page: Page) -> Iterator[None]:
    """Raise AssertionError after the block if a script failed, or the console showed an error or a warning.

    Chromium reports there, too, what the content security policy refused and which resource could not be loaded.
    """
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            wrong.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
    yield
    page.evaluate("0")  # what was reported before this has arrived when it returns
    assert not wrong, wrong
