"""A long run in a browser: its progress outlives a reload, it is cancelled, asked again, and compared with another."""

import re
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser.watching import Watch, axe_findings
from tests.stack.stacks import Embedded

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("installations")]
FITTED_MS = 180_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    stack = Embedded(tmp_path_factory.mktemp("long-run"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def page(served: Embedded, browser: Browser) -> Iterator[Page]:
    base = f"http://127.0.0.1:{served.port}"
    context = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": served.client("sign_in"), "url": base}])
    yield context.new_page()
    context.close()


def test_a_model_is_asked_for_cancelled_asked_again_and_compared(page: Page, served: Embedded) -> None:
    watch = Watch(page)
    calculate(page)
    progress = page.get_by_role("progressbar")
    expect(progress).to_be_visible()
    page.wait_for_function("() => Number(document.querySelector('#run-progress')?.value ?? 0) > 0", timeout=FITTED_MS)
    seen = share(page)
    assert axe_findings(page) == []
    page.reload()
    expect(progress).to_be_visible()
    assert share(page) >= seen
    page.wait_for_function(
        f"() => Number(document.querySelector('#run-progress')?.value ?? 0) > {seen}", timeout=FITTED_MS
    )

    asked_at = time.monotonic()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=10_000)
    assert time.monotonic() - asked_at < 10
    assert axe_findings(page) == []
    stored = "SELECT count(*) FROM analyses_run WHERE kind = 'weightings' AND (result IS NOT NULL OR artifact <> '')"
    assert served.rows(stored) == [(0,)]

    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("heading", name="Returns by channel").first).to_be_visible(timeout=FITTED_MS)
    first = page.url
    assert axe_findings(page) == []
    calculate(page, confidence="90%")
    expect(page.get_by_role("heading", name="Returns by channel").first).to_be_visible(timeout=FITTED_MS)
    assert page.url != first

    page.goto("/w/stack/runs/?kind=weightings")
    for box in page.get_by_role("checkbox", name=re.compile("^Compare Weightings")).all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row", name=re.compile("Intervals"))).to_contain_text("95%")
    expect(page.get_by_role("row", name=re.compile("Intervals"))).to_contain_text("90%")
    assert axe_findings(page) == []
    assert watch.take() == []


def calculate(page: Page, *, confidence: str = "95%") -> None:
    page.goto("/w/stack/weightings/?short_allowed=yes")
    for details in page.locator("form.weightings-form details").all():
        details.evaluate("one => { one.open = true; }")
    page.get_by_label("Confidence level").select_option(label=confidence)
    page.get_by_role("button", name="Calculate weightings").click()


def share(page: Page) -> float:
    return float(page.locator("#run-progress").get_attribute("value") or 0)
