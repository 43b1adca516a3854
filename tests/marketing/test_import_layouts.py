"""Exports of other products are recognised, and read through their layout, wherever a file comes from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Workspace
from marketing.importing.errors import FileRejected
from marketing.importing.layouts import LAYOUTS, bind, recognise
from marketing.importing.layouts.reader import days_between
from marketing.importing.uploads import set_mapping
from marketing.models import Dataset, Import
from tests.marketing.exports import GOOGLE_ADS, META, BringIn, counts
from tests.marketing.uploading import bring_in as finish
from tests.marketing.uploading import check, start

pytestmark = pytest.mark.django_db


def test_rejected_rows_of_an_export_keep_their_numbers_in_the_file(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    batch = bring_in_export(write_export(META.replace("2026-03-02,3.00", "2026-03-02,free")))

    assert (batch.accepted, batch.rejected) == (2, 1)
    assert [(error["row"], error["column"]) for error in batch.errors] == [(5, "Amount spent (EUR)")]


@pytest.mark.parametrize(
    "header",
    [
        ["Day", "Channel", "Campaign", "Cost", "Impr.", "Clicks"],
        ["date", "channel", "spend", "impressions", "clicks"],
        ["Date", "Campaign", "Conversions", "Cost"],
        ["customer", "occurred_at", "source", "medium"],
        ["date", "tv_S", "revenue"],
        ["", ""],
        [],
    ],
)
def test_ordinary_files_are_no_exports(header: list[str]) -> None:
    assert recognise(header) is None


@pytest.mark.parametrize("code", LAYOUTS)
def test_what_a_layout_maps_is_among_its_columns_and_fields(code: str) -> None:
    names = [names[0] for names in LAYOUTS[code].roles.values()]
    layout = bind(code, names)

    assert layout is not None
    assert set(layout.mapping.values()) <= set(layout.header)
    assert layout.mapping


def test_a_layout_that_is_no_longer_known_reads_the_file_as_it_is() -> None:
    assert bind("", ["a"]) is None
    assert bind("of a former version", ["a"]) is None


@pytest.mark.parametrize(
    ("start", "end", "order", "days"),
    [
        ("2026-03-01", "2026-03-07", "dmy", 7),
        ("01/03/2026", "07/03/2026", "dmy", 7),
        ("03/01/2026", "03/07/2026", "mdy", 7),
        ("2026-03-01 00:00:00", "2026-03-01 00:00:00", "ymd", 1),
        ("soon", "2026-03-07", "ymd", 0),
        ("31/31/2026", "2026-03-07", "dmy", 0),
    ],
)
def test_the_days_of_a_row_are_counted_as_the_file_writes_them(start: str, end: str, order: str, days: int) -> None:
    assert days_between(start, end, order) == days  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["Cost (USD)", "spend_usd", "Cost in USD", "Spend [usd]"])
def test_a_column_that_names_another_currency_is_refused_in_any_file(
    column: str, queue_import: Callable[..., Import]
) -> None:
    with pytest.raises(FileRejected, match=r"says USD, but the workspace counts in EUR"):
        queue_import("spend", f"date,channel,{column}\n2026-03-01,TV,5\n", spend=column)


@pytest.mark.parametrize("column", ["Cost (EUR)", "spend_eur", "Cost (net)", "Spend (all)", "Cost of ads", "spend"])
def test_a_column_that_names_the_workspaces_currency_or_none_is_taken(
    column: str, import_rows: Callable[..., Import]
) -> None:
    assert import_rows("spend", f"date,channel,{column}\n2026-03-01,TV,5\n", spend=column).accepted == 1


def test_the_name_of_a_column_of_outcomes_may_say_the_currency_too(queue_import: Callable[..., Import]) -> None:
    table = "date,Revenue (USD)\n2026-03-01,5\n"
    with pytest.raises(FileRejected, match=r"“Revenue \(USD\)” says USD"):
        queue_import("media_table", table, **{"outcome:Revenue": "Revenue (USD)"})
    queue_import("media_table", table, **{"control:Dollars": "Revenue (USD)"})


def test_a_recognised_export_needs_no_mapping_by_hand(shop: Workspace, media_root: Path) -> None:
    upload = check(start(shop, GOOGLE_ADS, name="Campaign report.csv"))

    assert (upload.dataset, upload.layout) == (Dataset.SPEND, "google_ads")
    assert upload.mapping["channel"] == "Channel (by campaign type)"
    assert upload.findings["rows"]["valid"] == 4

    batch = finish(upload)

    assert counts(batch) == (4, 0, 0)
    assert batch.layout == "google_ads"


def test_the_next_export_is_mapped_as_the_last_one_was(shop: Workspace, media_root: Path) -> None:
    first = check(start(shop, GOOGLE_ADS))
    changed = {field: column for field, column in first.mapping.items() if field != "clicks"} | {"clicks": ""}
    set_mapping(upload=first, dataset=Dataset.SPEND, mapping=changed)
    finish(check(first))

    second = start(shop, GOOGLE_ADS.replace("2026-03-0", "2026-03-1"))

    assert second.layout == "google_ads"
    assert second.mapping.get("clicks", "") == ""
    assert second.mapping["channel"] == "Channel (by campaign type)"


def test_a_preview_shows_what_a_layout_makes_of_the_first_rows() -> None:
    lines = [["Brand", "Search", "2026-03-01", "5.50"], ["Films", "Video", "2026-03-01", "--"], ["Total: Account"]]

    layout = recognise(["Campaign", "Campaign type", "Day", "Cost"])

    assert layout is not None
    assert layout.header[-1] == "Channel (by campaign type)"
    assert layout.preview(lines) == [
        ["Brand", "Search", "2026-03-01", "5.50", "Paid Search"],
        ["Films", "Video", "2026-03-01", "", "Paid Video"],
    ]
    assert layout.preview([]) == []
