"""A document with every part, to be exported: its figures are invented, its charts those of the gallery."""

from typing import Any

from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from charts import Axis, Category, ChartSpec, Colour, Kind, Series, SmallMultiples, Tick
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
HOSTILE = ("=1+1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\n=1", '=HYPERLINK("http://x")', "a\x00b\x0bc", "<b>&")
NO_PANELS = SmallMultiples(id="none", title="Nothing to compare", summary="No metric has values.", panels=())


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


def a_hostile_document() -> Document:
    """Every text of it is one that a program could take for something else."""
    text = "=1+1"
    tables = (
        DataTable(
            title=text,
            columns=(text, text),
            rows=tuple(Row(label=one, cells=(Figure(one),)) for one in HOSTILE),
            note=text,
        ),
    )
    return a_document(
        title=text,
        subtitle=text,
        headline=text,
        workspace="a\x00b\x0bc",
        cards=(),
        facts=tuple((one, one) for one in HOSTILE),
        notes=HOSTILE,
        sections=(Section(title=text, sentences=HOSTILE, tables=tables),),
        rows=tuple((one,) for one in HOSTILE),
    )


def a_long_table(rows: int, columns: int) -> DataTable:
    return DataTable(
        title="Campaigns",
        columns=("Campaign", *(f"Model {place}" for place in range(columns))),
        rows=tuple(
            Row(label=f"Campaign {row}", cells=tuple(Figure(f"{row}.{place}") for place in range(columns)))
            for row in range(rows)
        ),
    )


def an_empty_chart() -> ChartSpec:
    return ChartSpec(
        id="empty",
        kind=Kind.LINE,
        title="There is nothing yet",
        summary="No day has a value.",
        category_title="Day",
        categories=(Category(label="1 June"), Category(label="2 June")),
        series=(Series(name="Revenue", colour=Colour.ACCENT, marks=(None, None)),),
        axis=Axis(title="Revenue, €", low=0, high=1, ticks=(Tick(0, "€0"), Tick(1, "€1"))),
    )


def panels(document: Document) -> list[ChartSpec]:
    return [panel for chart in document.charts for panel in chart.panels]


def values(spec: ChartSpec) -> dict[str, list[float | None]]:
    return {series.name: [mark.value if mark else None for mark in series.marks] for series in spec.series}


def a_report(**changes: Any) -> Document:
    """Return a document of two blocks, with terms and how its numbers were computed."""
    sections = (
        Section(title="Channels", part="Dashboard", sentences=("All is well.",), tables=(TABLE,)),
        Section(title="Trends", part="Dashboard", charts=(EXAMPLES["line"],)),
        Section(title="Models side by side", part="Attribution", charts=(EXAMPLES["dots"],)),
        Section(title="Channels", part="Attribution", tables=(TABLE,)),
    )
    fields: dict[str, Any] = {
        "title": "Monthly marketing review",
        "sections": sections,
        "definitions": (
            ("ROI", "What each euro of spend brought, in euros."),
            ("Credit", "The part of the conversions that a model assigns to a channel."),
            ("Removal effect", "How many conversions would be lost without a channel."),
        ),
        "method": ("The period's conversions are shared among the touches before them.", "Intervals are of 95%."),
    }
    return a_document(**(fields | changes))
