"""The pages of an import of paths: what the check says of them, and where the finished import leads."""

import re
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User, Workspace
from marketing.models import Import
from marketing.pages.upload_presenters import present_check
from tests.marketing.settled import Importer
from tests.marketing.test_import_paths import DATED
from tests.marketing.uploading import check, reloaded, start


def test_the_check_says_which_rows_count_in_every_period(shop: Workspace, media_root: Path) -> None:
    upload = check(start(shop, DATED + "2026-01-01,A > B,1,\n,Total,9,\n,A,1,\n"))

    assert present_check(reloaded(upload)).warnings == [
        "2 rows have no day in “date”: they count in every period (first: row 3)."
    ]


@pytest.mark.parametrize(
    ("dataset", "rows", "leads_to"),
    [
        ("paths", DATED + "2026-01-01,A > B,1,\n", "/w/acme/attribution/?data=paths"),
        ("spend", "date,channel,spend\n2026-01-01,TV,5\n", "/w/acme/data/health/"),
    ],
)
def test_a_finished_import_leads_to_what_says_something_of_it(
    import_rows: Importer, shop: Workspace, client: Client, admin: User, dataset: str, rows: str, leads_to: str
) -> None:
    batch = import_rows(dataset, rows)
    assert batch.status == Import.Status.ACTIVE
    client.force_login(admin)

    text = client.get(f"/w/acme/data/imports/{batch.pk}/").text

    assert re.findall(r'<a class="button" href="([^"]+)"', text) == [leads_to]
