"""A marketer who knows no customers: counted paths are imported, asked about, and answered."""

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from analyses.models import Run
from jobs.execution import execute
from marketing.models import PathCount
from tests.browser.looks import wide_first
from tests.browser.test_data_journeys import check_rows, counts, import_rows, upload
from tests.browser.test_data_journeys import shop as shop
from tests.browser.watching import check

pytestmark = pytest.mark.browser
# Linear: Email 3 and half of 2, Direct half of 2.
PATHS = """month,channel path,total_conversions,total_conversion_value,total_null
{day},Email,3,60,7
{day},Email > Direct,2,80,5
{day},TV > (not set),3,0,5
{day},Email,-1,0,0
"""


@wide_first
def test_paths_are_imported_and_credited_without_any_customer(
    live_server: LiveServer, page: Page, shop: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "paths.csv"
    file.write_text(PATHS.format(day=timezone.now().date() - dt.timedelta(days=20)))
    upload(page, live_server, file)
    expect(page.get_by_label("Dataset")).to_have_value("paths")
    check_rows(page)
    expect(page.get_by_role("heading", name="2 valid, 2 rejected")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="step 2 is “(not set)”").first).to_be_visible()
    import_rows(page, "Import 2 valid rows")
    assert counts(page) == ["2", "2", "0"]
    assert PathCount.objects.filter(shadowed=False).count() == 2

    page.get_by_role("link", name="Ask for attribution").click()
    expect(page.get_by_label("Data", exact=True)).to_have_value("paths")
    check(page)
    page.get_by_label("Attribution model").select_option("linear")
    page.get_by_role("button", name="Run analysis").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    execute(job_id=Run.objects.get().job_id)
    expect(page.get_by_role("heading", name="Email gets 80.0% of conversions under Linear.")).to_be_visible()
    expect(page.get_by_role("heading", name="Paths to conversion")).to_be_visible()
    expect(page.get_by_role("heading", name="Sales cycle")).to_have_count(0)
    check(page)
