"""Searching the paths of a run by the channels on them, and downloading them whole."""

import csv
import html
import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.test import Client

from analyses.models import Run
from crosschannel.presentation.path_sections import BETWEEN_STEPS
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow

pytestmark = pytest.mark.django_db
PATHS = (
    ("Paid Search", "Email"),
    ("Paid Social", "Organic Search"),
    ("Email", "Paid Social", "Paid Search"),
    ("Email, weekly", "Direct"),
    ("Email", "Direct", "Newsletter weekly"),
)
TOUCHES = 30  # of the longest path

Found = Callable[[str], set[tuple[str, ...]]]


@pytest.fixture
def run(import_rows: ImportRows, follow: Follow) -> Run:
    rows = [
        f'customer-{number},2026-03-02T{hour:02}:00:00Z,"{channel}"'
        for number, path in enumerate(PATHS)
        for hour, channel in enumerate(path)
    ]
    import_rows("touchpoints", "customer,occurred_at,channel", *rows)
    import_rows("conversions", "customer,occurred_at,value", "customer-0,2026-03-03T00:00:00Z,50")
    return follow()


@pytest.fixture
def found(run: Run, client: Client) -> Found:
    """The paths that a search finds, the same on the page and in its table to download."""

    def found(search: str) -> set[tuple[str, ...]]:
        address = f"/w/acme/crosschannel/{run.pk}/journeys"
        page = html.unescape(client.get(f"{address}/", {"search": search}).content.decode())
        table = b"".join(client.get(f"{address}.csv", {"search": search})).decode()
        paths = {tuple(row["path"].split(" > ")) for row in csv.DictReader(StringIO(table))}
        shown = re.findall(r'<th class="path" scope="row">(.*?)</th>', page)
        assert {tuple(path.split(BETWEEN_STEPS)) for path in shown} == paths
        return paths

    return found


def test_the_words_of_a_term_are_all_of_one_channel_and_all_terms_are_met(found: Found) -> None:
    expected = {
        "Paid Search": {0, 2},
        "search PAID": {0, 2},
        "pai sea": {0, 2},
        "Paid Search, Email": {0, 2},
        "Email > Paid Search": {0, 2},
        f"email{BETWEEN_STEPS}paid social": {2},
        "Paid Search, Paid Social": {2},
        "Paid": {0, 1, 2},
        "Search, Social": {1, 2},
        "Email, weekly": {3},  # the name of a channel, whatever it holds
        "weekly, Email": {3, 4},
        '"Email, weekly" > Direct': {3},
        " , Direct >": {3, 4},
        ",": {3},
        ">": {0, 1, 2, 3, 4},
        "Paid Direct": set(),
        "Paid Search, Direct": set(),
    }
    assert {search: found(search) for search in expected} == {
        search: {PATHS[place] for place in places} for search, places in expected.items()
    }


def test_the_download_names_every_touch_and_the_page_may_leave_some_out(
    import_rows: ImportRows, follow: Follow, client: Client
) -> None:
    path = [("Email", "Search", "Direct")[number % 3] for number in range(TOUCHES)]
    rows = [f"anna,2026-03-02T{number // 2:02}:{number % 2 * 30:02}:00Z,{name}" for number, name in enumerate(path)]
    import_rows("touchpoints", "customer,occurred_at,channel", *rows)
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-03T00:00:00Z,50")
    address = f"/w/acme/crosschannel/{follow().pk}/journeys"
    (row,) = csv.DictReader(StringIO(b"".join(client.get(f"{address}.csv")).decode()))
    assert row["path"].split(" > ") == path
    assert row["touches"] == str(TOUCHES)
    assert "… 10 more …" in client.get(f"{address}/").content.decode()


def test_the_search_says_how_it_is_used_and_each_region_has_a_name_of_its_own(run: Run, client: Client) -> None:
    page = client.get(f"/w/acme/crosschannel/{run.pk}/journeys/").content.decode()
    assert "All of these channels, in any order: Paid Search, Email" in page
    assert 'aria-describedby="search-help"' in page
    assert page.count('aria-labelledby="paths"') == 1
    assert 'aria-label="Table: Paths"' in page
