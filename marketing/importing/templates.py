"""A file to fill in for each dataset: every field as a column, and some rows that show how it is filled in."""

import csv
import io

from marketing.models import Dataset

Rows = tuple[tuple[str, ...], ...]

TEMPLATES: dict[str, Rows] = {
    Dataset.TOUCHPOINTS: (
        ("customer", "occurred_at", "channel", "source", "medium", "campaign", "interaction", "segment"),
        ("C-1001", "2026-03-02T09:15:00+01:00", "", "google", "cpc", "Spring sale", "click", "New"),
        ("C-1001", "2026-03-05T20:40:00+01:00", "Email", "", "", "March newsletter", "open", "New"),
        ("C-1002", "2026-03-06T12:05:00+01:00", "", "(direct)", "(none)", "", "visit", "Returning"),
    ),
    Dataset.CONVERSIONS: (
        ("customer", "occurred_at", "goal", "value", "order_id", "converted"),
        ("C-1001", "2026-03-05T20:52:00+01:00", "Purchase", "79.90", "A-50017", "true"),
        ("C-1002", "2026-03-07T08:30:00+01:00", "Lead", "", "", "true"),
        ("C-1003", "2026-03-09T23:59:00+01:00", "Purchase", "", "", "false"),
    ),
    Dataset.SPEND: (
        ("date", "channel", "campaign", "geo", "spend", "impressions", "clicks"),
        ("2026-03-02", "Paid Search", "Spring sale", "DE", "412.50", "18200", "640"),
        ("2026-03-02", "Paid Social", "Spring sale", "DE", "230.00", "51300", "410"),
        ("2026-03-02", "TV", "", "DE", "1800.00", "240000", ""),
    ),
    Dataset.OUTCOMES: (
        ("date", "outcome", "geo", "value"),
        ("2026-03-02", "Sales", "DE", "15230.40"),
        ("2026-03-02", "Website visits", "DE", "8412"),
        ("2026-03-03", "Sales", "DE", "14120.00"),
    ),
    Dataset.CONTROLS: (
        ("date", "control", "geo", "value"),
        ("2026-03-02", "Average price", "DE", "24.90"),
        ("2026-03-02", "Temperature", "DE", "-2.5"),
        ("2026-03-03", "Average price", "DE", "22.90"),
    ),
    Dataset.EXPERIMENTS: (
        ("channel", "start", "end", "geo", "lift", "standard_error", "spend"),
        ("Paid Search", "2026-02-02", "2026-03-01", "", "52000", "11000", "18000"),
        ("TV", "2026-01-05", "2026-02-01", "DE-North", "31000", "14500", "25000"),
        ("Paid Social", "2026-02-16", "2026-03-01", "", "-1200", "3900", "6000"),
    ),
    Dataset.MEDIA_TABLE: (
        (
            "date", "geo", "spend:TV", "spend:Paid Search", "clicks:Paid Search", "impressions:TV", "outcome:Sales",
            "control:Average price", "events",
        ),
        ("2026-03-02", "", "12000.00", "2900.00", "4410", "1600000", "104300.00", "24.90", ""),
        ("2026-03-09", "", "0", "3100.00", "4730", "0", "98750.50", "22.90", "Spring sale"),
        ("2026-03-16", "", "9500.00", "3050.00", "4602", "1210000", "101980.00", "24.90", ""),
    ),
    Dataset.EVENTS: (
        ("name", "start", "end", "geo"),
        ("Spring sale", "2026-03-09", "2026-03-15", ""),
        ("Easter Monday", "2026-04-06", "", "DE"),
        ("Warehouse strike", "2026-02-11", "2026-02-12", "DE-North"),
    ),
    Dataset.PATHS: (
        ("date", "path", "conversions", "value", "null"),
        ("2026-03-01", "Paid Search > Email > Direct", "12", "958.80", "340"),
        ("2026-03-01", "Email", "31", "2190.50", "1210"),
        ("2026-03-01", "Display > Display > Organic Search", "0", "", "87"),
    ),
}  # fmt: skip


def template_file(dataset: str) -> bytes:
    """Return the dataset's template as CSV, with a byte order mark by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(TEMPLATES[dataset])
    return text.getvalue().encode("utf-8-sig")
