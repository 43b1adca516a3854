"""The exports of other products come in as they were downloaded: preamble, totals, localised figures and all."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db.models import Sum

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.importing.errors import FileRejected
from marketing.importing.inspection import inspect
from marketing.importing.layouts import LAYOUTS, bind, recognise
from marketing.importing.layouts.reader import days_between
from marketing.importing.uploads import set_mapping
from marketing.models import ChannelSpend, Conversion, Dataset, Import, OutcomeValue, Touchpoint
from tests.marketing.uploading import bring_in as finish
from tests.marketing.uploading import check, start

pytestmark = pytest.mark.django_db

BringIn = Callable[..., Import]
GOOGLE_ADS = """Campaign report
"1 March 2026 - 2 March 2026"
Campaign status,Campaign,Campaign type,Day,Currency code,Cost,Impr.,Clicks,CTR
Enabled,Brand,Search,2026-03-01,EUR,"1,234.56","12,500",640,5.12%
Enabled,Brand,Search,2026-03-02,EUR,80.50,900,31,3.44%
Paused,Spring,Performance Max,2026-03-01,EUR,20.25, --, --, --
Enabled,Films,Video,2026-03-01,EUR,9.75,4000,12,0.30%
Total: Campaigns, --, --, --,EUR,"1,345.06","17,400",683,3.93%
Total: Account, --, --, --,EUR,"1,345.06","17,400",683,3.93%
"""
GOOGLE_ADS_GERMAN = """Kampagnenbericht
1. März 2026 – 2. März 2026
Tag\tKampagne\tKampagnentyp\tWährungscode\tKosten\tImpr.\tKlicks
2026-03-01\tMarke\tSuchnetzwerk\tEUR\t1.234,56\t12.500\t640
2026-03-02\tMarke\tSuchnetzwerk\tEUR\t80,50\t900\t31
2026-03-02\tKleider\tShopping\tEUR\t7,25\t100\t3
Gesamt: Konto\t --\t --\tEUR\t1.322,31\t13.500\t674
"""
META = """Campaign name,Day,Amount spent (EUR),Impressions,Reach,Link clicks,Results,Reporting starts,Reporting ends
,,43.25,3100,2000,25,,2026-03-01,2026-03-02
Prospecting,2026-03-01,30.00,2000,1500,20,3,2026-03-01,2026-03-02
Retargeting,2026-03-01,10.25,900,400,4,,2026-03-01,2026-03-02
Prospecting,2026-03-02,3.00,200,180,1,,2026-03-01,2026-03-02
"""
GA4_PREAMBLE = """# ----------------------------------------
# Property of the shop
# Free form 1
# 20260301-20260302
# ----------------------------------------

"""


@pytest.fixture
def bring_in(shop: Workspace, media_root: Path) -> BringIn:
    """Import a file as the page does when everything that it proposes is accepted."""

    def carry_out(path: Path, dataset: str | None = None) -> Import:
        found = inspect(path, file_name=path.name)
        assert found.questions == []
        layout = recognise(found.header, found.preamble, dataset=dataset)
        assert layout is not None
        batch = request_import(
            workspace=shop,
            dataset=layout.dataset,
            file=path,
            mapping=layout.mapping,
            reading=found.reading,
            layout=layout.code,
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk)

    return carry_out


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a text file in an encoding."""

    def write_text(content: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return write_text


def counts(batch: Import) -> tuple[int, int, int]:
    """Accepted, rejected, duplicates of an import that came to its end."""
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    assert batch.errors == []
    return batch.accepted, batch.rejected, batch.duplicates


def spend_rows() -> list[tuple[str, str | None, dt.date, Decimal | None, float | None, float | None]]:
    """What was spent: channel, campaign, day, spend, impressions, clicks."""
    rows = ChannelSpend.objects.order_by("pk").values_list(
        "channel__name", "campaign__name", "date", "spend", "impressions", "clicks"
    )
    return list(rows)


def test_google_ads_in_english(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(GOOGLE_ADS))

    assert counts(batch) == (4, 0, 0)
    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert spend_rows() == [
        ("Paid Search", "Brand", first, Decimal("1234.56"), 12500, 640),
        ("Paid Search", "Brand", second, Decimal("80.5"), 900, 31),
        ("Cross-network", "Spring", first, Decimal("20.25"), None, None),
        ("Paid Video", "Films", first, Decimal("9.75"), 4000, 12),
    ]


def test_google_ads_in_german_as_utf_16(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(GOOGLE_ADS_GERMAN, "utf-16"))

    assert counts(batch) == (3, 0, 0)
    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert spend_rows() == [
        ("Paid Search", "Marke", first, Decimal("1234.56"), 12500, 640),
        ("Paid Search", "Marke", second, Decimal("80.5"), 900, 31),
        ("Paid Shopping", "Kleider", second, Decimal("7.25"), 100, 3),
    ]


def test_google_ads_without_types_is_a_channel_of_its_own(bring_in: BringIn, write: Callable[..., Path]) -> None:
    bring_in(write("Campaign report\nDay,Campaign,Cost,Impr.\n2026-03-01,Total war,5.50,10\n2026-03-02,Total,4.25,9\n"))

    # A campaign of that name is no total.
    assert [row[:2] for row in spend_rows()] == [("Google Ads", "Total war"), ("Google Ads", "Total")]


def test_google_ads_split_below_campaigns_is_refused_with_advice(bring_in: BringIn, write: Callable[..., Path]) -> None:
    content = "Day,Campaign,Ad group,Currency code,Cost\n2026-03-01,Brand,One,EUR,5.50\n2026-03-01,Brand,Two,EUR,6.50\n"

    with pytest.raises(FileRejected, match=r"split by “Ad group”.*Download it by day and campaign"):
        bring_in(write(content))


def test_amounts_of_another_currency_are_refused(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(GOOGLE_ADS.replace("EUR", "USD")))

    assert batch.status == Import.Status.FAILED
    assert "USD" in batch.job.error
    assert "EUR" in batch.job.error
    assert not ChannelSpend.objects.exists()


def test_meta_ads_with_a_row_of_totals(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(META))

    assert counts(batch) == (3, 0, 0)
    assert {row[0] for row in spend_rows()} == {"Paid Social"}
    assert [row[1:] for row in spend_rows()] == [
        ("Prospecting", dt.date(2026, 3, 1), Decimal(30), 2000, 20),
        ("Retargeting", dt.date(2026, 3, 1), Decimal("10.25"), 900, 4),
        ("Prospecting", dt.date(2026, 3, 2), Decimal(3), 200, 1),
    ]


def test_meta_ads_in_another_currency_is_refused_by_its_header(bring_in: BringIn, write: Callable[..., Path]) -> None:
    with pytest.raises(FileRejected, match=r"USD.*EUR"):
        bring_in(write(META.replace("EUR", "USD")))


def test_meta_ads_as_a_german_workbook(bring_in: BringIn, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Kampagnenname", "Berichtsstart", "Berichtsende", "Ausgegebener Betrag (EUR)", "Impressionen"])
    sheet.append(["Neukunden", dt.date(2026, 3, 2), dt.date(2026, 3, 8), 1234.56, 20000])
    sheet.append(["Neukunden", dt.date(2026, 3, 9), dt.date(2026, 3, 15), 980, 17500])
    book.save(tmp_path / "meta.xlsx")

    batch = bring_in(tmp_path / "meta.xlsx")

    assert counts(batch) == (2, 0, 0)
    assert spend_rows() == [
        ("Paid Social", "Neukunden", dt.date(2026, 3, 2), Decimal("1234.56"), 20000, None),
        ("Paid Social", "Neukunden", dt.date(2026, 3, 9), Decimal(980), 17500, None),
    ]


def test_meta_ads_of_a_month_in_one_figure_is_refused(bring_in: BringIn, write: Callable[..., Path]) -> None:
    header = "Campaign name,Reporting starts,Reporting ends,Amount spent (EUR)\n"

    batch = bring_in(write(header + "Prospecting,2026-03-01,2026-03-31,930.50\n"))

    assert batch.status == Import.Status.FAILED
    assert "Row 2 covers 31 days in one figure" in batch.job.error
    assert "broken down by day" in batch.job.error


def test_analytics_totals_by_day_are_outcomes(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(
        write(
            GA4_PREAMBLE + "Date,Sessions,Key events,Total revenue\n"
            ",2345,51,620.75\n"  # an exploration's first row holds the totals
            "20260301,1234,30,410.50\n"
            "20260302,1111,21,210.25\n"
        )
    )

    assert counts(batch) == (2, 0, 0)
    totals = OutcomeValue.objects.order_by().values_list("outcome__name").annotate(Sum("value"))
    assert dict(totals) == {"Sessions": 2345, "Key events": 51, "Revenue": 620.75}
    assert OutcomeValue.objects.filter(outcome__name="Sessions").order_by("date")[0].date == dt.date(2026, 3, 1)
    revenue = OutcomeValue.objects.filter(outcome__name="Revenue")[0].outcome
    assert (revenue.kind, revenue.is_money) == ("sales", True)


def test_analytics_acquisition_is_a_series_for_each_channel(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(
        write(
            GA4_PREAMBLE + "Date,Session primary channel group (Default Channel Group),Sessions,Engaged sessions\n"
            "20260301,Organic Search,800,500\n"
            "20260301,Paid Search,434,300\n"
            "20260302,Organic Search,700,420\n"
            "Grand total,,1934,1220\n"
        )
    )

    assert counts(batch) == (3, 0, 0)
    values = OutcomeValue.objects.order_by("pk").values_list("outcome__name", "date", "value")
    assert list(values) == [
        ("Sessions: Organic Search", dt.date(2026, 3, 1), 800),
        ("Sessions: Paid Search", dt.date(2026, 3, 1), 434),
        ("Sessions: Organic Search", dt.date(2026, 3, 2), 700),
    ]


def test_another_metric_of_the_same_report_can_be_chosen(shop: Workspace) -> None:
    layout = recognise(["Date", "Session source / medium", "Sessions", "Total revenue"])

    assert layout is not None
    assert layout.dataset == Dataset.OUTCOMES
    assert "Total revenue by Session source / medium" in layout.header


def test_analytics_cost_is_spend_on_the_channels_of_its_sources(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(
        write(
            GA4_PREAMBLE + "Date,Session source / medium,Session campaign,Ads cost,Ads clicks,Ads impressions\n"
            "20260301,google / cpc,Brand,12.50,30,900\n"
            "20260301,facebook.com / paid,Prospecting,7.25,11,400\n"
        )
    )

    assert counts(batch) == (2, 0, 0)
    assert spend_rows() == [
        ("Paid Search", "Brand", dt.date(2026, 3, 1), Decimal("12.5"), 900, 30),
        ("Paid Social", "Prospecting", dt.date(2026, 3, 1), Decimal("7.25"), 400, 11),
    ]


def test_analytics_sessions_by_user_are_touches(bring_in: BringIn, write: Callable[..., Path], shop: Workspace) -> None:
    batch = bring_in(
        write(
            GA4_PREAMBLE + "Client ID,Date + hour (YYYYMMDDHH),Session source / medium,Sessions\n"
            ",,,3\n"
            "1234567890.1700000000,2026030114,google / cpc,1\n"
            "1234567890.1700000000,2026030209,(direct) / (none),2\n"
        )
    )

    assert counts(batch) == (2, 0, 0)
    touches = list(Touchpoint.objects.order_by("pk").select_related("traffic_source"))
    assert [(touch.traffic_source.source, touch.traffic_source.medium) for touch in touches] == [
        ("google", "cpc"),
        ("(direct)", "(none)"),
    ]
    assert [touch.occurred_at.astimezone(shop.zone).strftime("%d %H:%M") for touch in touches] == [
        "01 14:00",
        "02 09:00",
    ]


def ga4_events(path: Path) -> Path:
    """Events as BigQuery exports them, flattened: two sessions, a purchase, a lead and a page view."""
    names = ["session_start", "page_view", "purchase", "session_start", "generate_lead"]
    table = {
        "event_timestamp": [1_772_355_600_000_000 + place * 60_000_000 for place in range(len(names))],
        "event_name": names,
        "user_pseudo_id": ["a.1", "a.1", "a.1", "b.2", "b.2"],
        "traffic_source.source": ["google", "google", "google", "newsletter", "newsletter"],
        "traffic_source.medium": ["cpc", "cpc", "cpc", "email", "email"],
        "traffic_source.name": ["Brand", "Brand", "Brand", "(not set)", "(not set)"],
        "ecommerce.purchase_revenue": [None, None, 79.9, None, None],
        "ecommerce.transaction_id": [None, None, "T-1", None, "(not set)"],
    }
    pq.write_table(pa.table(table), path)
    return path


def test_analytics_events_hold_touches(bring_in: BringIn, tmp_path: Path) -> None:
    batch = bring_in(ga4_events(tmp_path / "events.parquet"))

    assert counts(batch) == (2, 0, 0)
    assert batch.warnings == ["3 events were left out: touches are the events “session_start”."]
    sources = Touchpoint.objects.order_by("pk").values_list(
        "traffic_source__source", "traffic_source__medium", "traffic_source__campaign__name"
    )
    assert list(sources) == [("google", "cpc", "Brand"), ("newsletter", "email", None)]
    assert Touchpoint.objects.order_by("pk")[0].occurred_at == dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


def test_analytics_events_hold_conversions_too(bring_in: BringIn, tmp_path: Path) -> None:
    batch = bring_in(ga4_events(tmp_path / "events.parquet"), Dataset.CONVERSIONS)

    assert counts(batch) == (2, 0, 0)
    conversions = Conversion.objects.order_by("pk").values_list("goal__name", "value", "order_id")
    assert list(conversions) == [("Purchase", Decimal("79.9"), "T-1"), ("Lead", Decimal(0), None)]


def test_events_without_a_session_say_so(bring_in: BringIn, write: Callable[..., Path]) -> None:
    header = "event_timestamp,event_name,user_pseudo_id,traffic_source_source\n"

    batch = bring_in(write(header + "1772355600000000,page_view,a.1,google\n"))

    assert batch.status == Import.Status.FAILED
    assert batch.job.error == "None of the events is a “session_start”, so the file holds no touches."


MATOMO = """idVisit,visitorId,serverDate,firstActionTimestamp,lastActionTimestamp,referrerType,referrerName,referrerKeyword,visitEcommerceStatus,totalEcommerceRevenue,siteCurrency
1,0123456789abcdef,2026-03-01,1772355600,1772355900,search,Google,shoes,none,0,EUR
2,0123456789abcdef,2026-03-01,1772359200,1772359500,direct,,,ordered,59.9,EUR
3,fedcba9876543210,2026-03-01,1772362800,1772363000,campaign,spring,,none,,EUR
4,fedcba9876543210,2026-03-01,1772366400,1772366500,social,Facebook,,abandonedCart,12,EUR
5,aaaaaaaaaaaaaaaa,2026-03-01,1772370000,1772370100,website,example.org,,orderedThenAbandonedCart,20,EUR
"""  # noqa: E501


def test_matomos_visits_are_touches(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(MATOMO, "utf-16"))

    assert counts(batch) == (5, 0, 0)
    sources = Touchpoint.objects.order_by("pk").values_list(
        "traffic_source__source", "traffic_source__medium", "traffic_source__campaign__name"
    )
    assert list(sources) == [
        ("Google", "organic", None),
        ("(direct)", "(none)", None),
        ("spring", "campaign", "spring"),
        ("Facebook", "social", None),
        ("example.org", "referral", None),
    ]
    assert Touchpoint.objects.order_by("pk")[0].occurred_at == dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


def test_matomos_orders_are_conversions(bring_in: BringIn, write: Callable[..., Path]) -> None:
    batch = bring_in(write(MATOMO), Dataset.CONVERSIONS)

    assert counts(batch) == (2, 0, 0)
    assert batch.warnings == ["3 visits were left out, in which nothing was ordered."]
    assert list(Conversion.objects.order_by("pk").values_list("goal__name", "value")) == [
        ("Purchase", Decimal("59.9")),
        ("Purchase", Decimal(20)),
    ]


def test_rejected_rows_of_an_export_keep_their_numbers_in_the_file(
    bring_in: BringIn, write: Callable[..., Path]
) -> None:
    batch = bring_in(write(META.replace("2026-03-02,3.00", "2026-03-02,free")))

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
