"""A document with every part, to be exported: its figures are invented, its charts those of the gallery."""

from typing import Any

from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from charts.examples import EXAMPLES

TABLE = DataTable(
    title="Credit by channel",
    columns=("Channel", "Conversions", "Revenue", "Share of revenue", "Revenue against Last Touch"),
    rows=(
        Row(
            label="Paid search",
            cells=(
                Figure("1,234.5", "1,234.54", 1234.54),
                Figure("€412.3 k", "€412,345.67", 412345.67),
                Figure("60.1%", "60.123400%", 0.601234),
                Figure("−€12,001", "−€12,000.50", -12000.5),
            ),
        ),
        Row(
            label="=Email",
            cells=(
                Figure("310", value=310),
                Figure("€273.5 k", "€273,504.33", 273504.33),
                Figure("39.9%", "39.876600%", 0.398766),
                Figure("–", "There is nothing to compare"),
            ),
        ),
        Row(
            label="Total",
            is_total=True,
            cells=(
                Figure("1,544.5", "1,544.54", 1544.54),
                Figure("€685.9 k", "€685,850.00", 685850.0),
                Figure("100.0%", "100.000000%", 1.0),
                Figure("–", value=0.0),
            ),
        ),
    ),
    note="Credit of the data-driven model.",
)
ROWS = (
    ("model", "channel", "conversions", "revenue"),
    ("data-driven", "Paid search", 1234.54, 412345.67),
    ("data-driven", "=Email", 310, 273504.33),
    ("data-driven", "+49 Kampagne", None, 0.1 + 0.2),
)


def a_document(**changes: Any) -> Document:
    """Return a document of three sections with cards, facts and notes."""
    fields: dict[str, Any] = {
        "title": "Attribution",
        "subtitle": "Purchase revenue · 1–30 Jun 2025 · 30-day window · by channel",
        "headline": "Paid search gets 60.1% of Purchase revenue under Data-driven.",
        "workspace": "Kaffeerösterei Größe & Söhne",
        "currency": "EUR",
        "facts": (
            ("Goal", "Purchase"),
            ("Period", "1–30 Jun 2025"),
            ("Asked by", "analyst@example.com"),
            ("Data version", "5f3a09c1d2e4"),
        ),
        "cards": (
            Card(
                label="Revenue",
                figure=Figure("€685.9 k", "€685,850.00", 685850.0),
                change="▲ +4.2% vs previous period",
                change_tone="good",
            ),
            Card(
                label="Conversions", figure=Figure("1,544.5", "1,544.54", 1544.54), change="▼ −3.1% vs previous period"
            ),
            Card(label="ROI", unit="blended ROAS", figure=Figure("2.41", "2.4137", 2.4137), change_tone="quiet"),
        ),
        "sections": (
            Section(
                title="Models side by side",
                sentences=("Data-driven: credit by removal effect.", "Last Touch: all credit to the last touchpoint."),
                charts=(EXAMPLES["dots"], EXAMPLES["line"], EXAMPLES["bars-with-whiskers"]),
            ),
            Section(title="Trends: all [metrics]/weeks", charts=(EXAMPLES["small-multiples"],)),
            Section(title="In numbers", tables=(TABLE,)),
        ),
        "notes": ("Credit describes association along the observed paths, not what would have happened without.",),
        "rows": ROWS,
        "data": {"result": {"channels": [{"channel": "Größe", "revenue": 0.1 + 0.2}]}, "void": None},
        "file_name": "attribution-acme-2025-06-01-to-2025-06-30",
    }
    return Document(**(fields | changes))
