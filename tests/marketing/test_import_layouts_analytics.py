"""The exports of Google Analytics and Matomo come in as they were downloaded: preamble, totals and all."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db.models import Sum

from accounts.models import Workspace
from marketing.importing.layouts import recognise
from marketing.models import Conversion, Dataset, Import, OutcomeValue, Touchpoint
from tests.marketing.exports import BringIn, counts, spend_rows

pytestmark = pytest.mark.django_db
GA4_PREAMBLE = """# ----------------------------------------
# Property of the shop
# Free form 1
# 20260301-20260302
# ----------------------------------------

"""


def test_analytics_totals_by_day_are_outcomes(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(
        write_export(
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


def test_analytics_acquisition_is_a_series_for_each_channel(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    batch = bring_in_export(
        write_export(
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


def test_analytics_cost_is_spend_on_the_channels_of_its_sources(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    batch = bring_in_export(
        write_export(
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


def test_analytics_sessions_by_user_are_touches(
    bring_in_export: BringIn, write_export: Callable[..., Path], shop: Workspace
) -> None:
    batch = bring_in_export(
        write_export(
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


def test_analytics_events_hold_touches(bring_in_export: BringIn, tmp_path: Path) -> None:
    batch = bring_in_export(ga4_events(tmp_path / "events.parquet"))

    assert counts(batch) == (2, 0, 0)
    assert batch.warnings == ["3 events were left out: touches are the events “session_start”."]
    sources = Touchpoint.objects.order_by("pk").values_list(
        "traffic_source__source", "traffic_source__medium", "traffic_source__campaign__name"
    )
    assert list(sources) == [("google", "cpc", "Brand"), ("newsletter", "email", None)]
    assert Touchpoint.objects.order_by("pk")[0].occurred_at == dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


def test_analytics_events_hold_conversions_too(bring_in_export: BringIn, tmp_path: Path) -> None:
    batch = bring_in_export(ga4_events(tmp_path / "events.parquet"), Dataset.CONVERSIONS)

    assert counts(batch) == (2, 0, 0)
    conversions = Conversion.objects.order_by("pk").values_list("goal__name", "value", "order_id")
    assert list(conversions) == [("Purchase", Decimal("79.9"), "T-1"), ("Lead", Decimal(0), None)]


def test_events_without_a_session_say_so(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    header = "event_timestamp,event_name,user_pseudo_id,traffic_source_source\n"

    batch = bring_in_export(write_export(header + "1772355600000000,page_view,a.1,google\n"))

    assert batch.status == Import.Status.FAILED
    assert batch.job.error == "None of the events is a “session_start”, so the file holds no touches."


MATOMO = """idVisit,visitorId,serverDate,firstActionTimestamp,lastActionTimestamp,referrerType,referrerName,referrerKeyword,visitEcommerceStatus,totalEcommerceRevenue,siteCurrency
1,0123456789abcdef,2026-03-01,1772355600,1772355900,search,Google,shoes,none,0,EUR
2,0123456789abcdef,2026-03-01,1772359200,1772359500,direct,,,ordered,59.9,EUR
3,fedcba9876543210,2026-03-01,1772362800,1772363000,campaign,spring,,none,,EUR
4,fedcba9876543210,2026-03-01,1772366400,1772366500,social,Facebook,,abandonedCart,12,EUR
5,aaaaaaaaaaaaaaaa,2026-03-01,1772370000,1772370100,website,example.org,,orderedThenAbandonedCart,20,EUR
"""  # noqa: E501


def test_matomos_visits_are_touches(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(MATOMO, "utf-16"))

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


def test_matomos_orders_in_another_currency_are_refused_but_not_its_visits(
    bring_in_export: BringIn, write_export: Callable[..., Path]
) -> None:
    orders = bring_in_export(write_export(MATOMO.replace("EUR", "USD")), Dataset.CONVERSIONS)

    assert "“siteCurrency” says USD, but the workspace counts in EUR" in orders.job.error
    assert counts(bring_in_export(write_export(MATOMO.replace("EUR", "USD")))) == (5, 0, 0)


def test_matomos_orders_are_conversions(bring_in_export: BringIn, write_export: Callable[..., Path]) -> None:
    batch = bring_in_export(write_export(MATOMO), Dataset.CONVERSIONS)

    assert counts(batch) == (2, 0, 0)
    assert batch.warnings == ["3 visits were left out, in which nothing was ordered."]
    assert list(Conversion.objects.order_by("pk").values_list("goal__name", "value")) == [
        ("Purchase", Decimal("59.9")),
        ("Purchase", Decimal(20)),
    ]
