"""The exports of Google Ads and Meta Ads come in as they were downloaded: totals, localised figures and all."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from marketing.importing.errors import FileRejected
from marketing.models import ChannelSpend, Import
from tests.marketing.exports import GOOGLE_ADS, META, BringIn, counts, spend_rows

pytestmark = pytest.mark.django_db
GOOGLE_ADS_GERMAN = """Kampagnenbericht
1. März 2026 – 2. März 2026
Tag\tKampagne\tKampagnentyp\tWährungscode\tKosten\tImpr.\tKlicks
2026-03-01\tMarke\tSuchnetzwerk\tEUR\t1.234,56\t12.500\t640
2026-03-02\tMarke\tSuchnetzwerk\tEUR\t80,50\t900\t31
2026-03-02\tKleider\tShopping\tEUR\t7,25\t100\t3
Gesamt: Konto\t --\t --\tEUR\t1.322,31\t13.500\t674
"""


def test_google_ads_in_english(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(GOOGLE_ADS))

    assert counts(batch) == (4, 0, 0)
    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert spend_rows() == [
        ("Paid Search", "Brand", first, Decimal("1234.56"), 12500, 640),
        ("Paid Search", "Brand", second, Decimal("80.5"), 900, 31),
        ("Cross-network", "Spring", first, Decimal("20.25"), None, None),
        ("Paid Video", "Films", first, Decimal("9.75"), 4000, 12),
    ]


def test_google_ads_in_german_as_utf_16(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(GOOGLE_ADS_GERMAN, "utf-16"))

    assert counts(batch) == (3, 0, 0)
    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert spend_rows() == [
        ("Paid Search", "Marke", first, Decimal("1234.56"), 12500, 640),
        ("Paid Search", "Marke", second, Decimal("80.5"), 900, 31),
        ("Paid Shopping", "Kleider", second, Decimal("7.25"), 100, 3),
    ]


def test_google_ads_without_types_is_a_channel_of_its_own(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    bring_in_export(
        write_export(
            "Campaign report\nDay,Campaign,Cost,Impr.\n2026-03-01,Total war,5.50,10\n2026-03-02,Total,4.25,9\n"
        )
    )

    # A campaign of that name is no total.
    assert [row[:2] for row in spend_rows()] == [("Google Ads", "Total war"), ("Google Ads", "Total")]


def test_google_ads_split_below_campaigns_is_refused_with_advice(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    content = "Day,Campaign,Ad group,Currency code,Cost\n2026-03-01,Brand,One,EUR,5.50\n2026-03-01,Brand,Two,EUR,6.50\n"

    with pytest.raises(FileRejected, match=r"split by “Ad group”.*Download it by day and campaign"):
        bring_in_export(write_export(content))


def test_amounts_of_another_currency_are_refused(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(GOOGLE_ADS.replace("EUR", "USD")))

    assert batch.status == Import.Status.FAILED
    assert "USD" in batch.job.error
    assert "EUR" in batch.job.error
    assert not ChannelSpend.objects.exists()


def test_meta_ads_with_a_row_of_totals(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(META))

    assert counts(batch) == (3, 0, 0)
    assert {row[0] for row in spend_rows()} == {"Paid Social"}
    assert [row[1:] for row in spend_rows()] == [
        ("Prospecting", dt.date(2026, 3, 1), Decimal(30), 2000, 20),
        ("Retargeting", dt.date(2026, 3, 1), Decimal("10.25"), 900, 4),
        ("Prospecting", dt.date(2026, 3, 2), Decimal(3), 200, 1),
    ]


def test_meta_ads_in_another_currency_is_refused_by_its_header(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    with pytest.raises(FileRejected, match=r"USD.*EUR"):
        bring_in_export(write_export(META.replace("EUR", "USD")))


def test_meta_ads_as_a_german_workbook(bring_in_export: BringIn, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Kampagnenname", "Berichtsstart", "Berichtsende", "Ausgegebener Betrag (EUR)", "Impressionen"])
    sheet.append(["Neukunden", dt.date(2026, 3, 2), dt.date(2026, 3, 8), 1234.56, 20000])
    sheet.append(["Neukunden", dt.date(2026, 3, 9), dt.date(2026, 3, 15), 980, 17500])
    book.save(tmp_path / "meta.xlsx")

    batch = bring_in_export(tmp_path / "meta.xlsx")

    assert counts(batch) == (2, 0, 0)
    assert spend_rows() == [
        ("Paid Social", "Neukunden", dt.date(2026, 3, 2), Decimal("1234.56"), 20000, None),
        ("Paid Social", "Neukunden", dt.date(2026, 3, 9), Decimal(980), 17500, None),
    ]


def test_meta_ads_of_a_month_in_one_figure_is_refused(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    header = "Campaign name,Reporting starts,Reporting ends,Amount spent (EUR)\n"

    batch = bring_in_export(write_export(header + "Prospecting,2026-03-01,2026-03-31,930.50\n"))

    assert batch.status == Import.Status.FAILED
    assert "Row 2 covers 31 days in one figure" in batch.job.error
    assert "broken down by day" in batch.job.error
