"""The numbers of a diagram or a heatmap as a table of a document: where a picture has no room, they stand below it."""

from analyses.documents import NO_FIGURE, DataTable, Figure, Row
from charts import ChartSpec, SankeySpec


def table_of(chart: SankeySpec, *, most: int | None = None) -> DataTable:
    """Return the chart's table; of `most` rows at most, and then those of the widest links.

    What drops off is the widest as a rule, and says the least: it is left out where there are enough others.
    """
    table = chart.table()
    rows, title = table.rows, chart.title
    if most is not None and len(rows) > most:
        going_on = [place for place, link in enumerate(chart.links) if not chart.is_loss(link)]
        has_enough = len(going_on) >= most
        places = going_on if has_enough else range(len(rows))
        widest = sorted(places, key=lambda place: -chart.links[place].value)[:most]
        title = f"Widest flows: the {most} widest of {len(places)}{' that do not drop off' if has_enough else ''}"
        rows = tuple(rows[place] for place in sorted(widest))
    return DataTable(
        title=title,
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


def matrix_of(chart: ChartSpec) -> DataTable:
    """Return what the cells of a heatmap say, a row for each of its rows."""
    lines = zip(chart.categories, zip(*(series.marks for series in chart.series), strict=True), strict=True)
    return DataTable(
        title=f"In numbers: {chart.title}",
        columns=(chart.category_title, *(series.name for series in chart.series)),
        rows=tuple(
            Row(
                label=category.label,
                href=category.href,
                cells=tuple(Figure(mark.text, value=mark.value) if mark else Figure(NO_FIGURE) for mark in marks),
            )
            for category, marks in lines
        ),
    )
