"""The numbers of a Sankey diagram as a table of a document: where a chart is a picture, they stand below it."""

from analyses.documents import DataTable, Figure, Row
from charts import SankeySpec


def table_of(chart: SankeySpec, *, most: int | None = None) -> DataTable:
    """Return the chart's table; of `most` rows at most, and then those of the widest links."""
    table = chart.table()
    rows = table.rows
    if most is not None and len(rows) > most:
        widest = sorted(range(len(rows)), key=lambda place: -(rows[place][1][0].value or 0.0))[:most]
        rows = tuple(rows[place] for place in sorted(widest))
    cut = f": the {most} widest of {len(table.rows)}" if len(rows) < len(table.rows) else ""
    return DataTable(
        title=f"{chart.title}{cut}",
        columns=(table.category_title, *table.columns),
        rows=tuple(
            Row(
                label=category.label,
                href=category.href,
                cells=tuple(Figure(cell.text, value=cell.value) for cell in cells),
            )
            for category, cells in rows
        ),
    )
