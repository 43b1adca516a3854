"""Whether a file, or a page, carries the numbers of a document: what of them is not found in it, place by place.

Each function takes the document and what was made of it, and returns a line for each number that is missing or other.
"""

import csv
import io
import json
import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
from lxml import etree, html
from pptx import Presentation

from analyses.documents import DataTable, Document, Figure
from charts import Chart, ChartSpec, Kind, Mark, SankeySpec
from charts.sankey_layout import FLOW_PX
from charts.waterfall import parts
from charts.wording import printable
from reports.exports.flows import matrix_of, table_of
from tests.charts.readings import Readings, expected
from tests.charts.test_heatmap_drawn import Picture as Cells
from tests.charts.test_svg import Drawing, points

WITHIN = 1e-9  # relative: what a way through text, or a difference that is added again, may cost
WITHIN_PX = 0.01
PATH = "{http://www.w3.org/2000/svg}path"
NATIVE_ENDS = 1e-6  # relative: error bars are lengths, so an end is a sum


@dataclass(frozen=True)
class Number:
    """A number of a document. `where`: in words; `derived`: what it is called among what a page computes itself."""

    where: str
    value: float
    derived: str = ""


# --- What a document says ------------------------------------------------------------------------------------------


def tables_of(document: Document) -> list[DataTable]:
    """The tables, and those of diagrams, which programs without such charts have as tables."""
    found = [table for section in document.sections for table in section.tables]
    return found + [table_of(chart) for chart in document.charts if isinstance(chart, SankeySpec)]


def specs_of(document: Document) -> list[ChartSpec]:
    return [panel for chart in document.charts for panel in chart.panels if isinstance(panel, ChartSpec)]


def is_number(figure: Figure) -> bool:
    """Whether a figure says its number; one that is only there to sort by has no digits in its text."""
    return figure.value is not None and any(character.isdigit() for character in figure.text)


def numbers_of(document: Document) -> Iterator[Number]:
    """Yield every number of the cards, tables and charts."""
    for card in document.cards:
        yield from _ends(f"card {card.label}", card.figure, f"card: {card.label}")
    for table in [table for section in document.sections for table in section.tables]:
        for row in table.rows:
            for column, figure in zip(table.columns[1:], row.cells, strict=True):
                yield from _ends(f"{table.title}: {row.label}, {column}", figure, f"{table.title}: {column}")
    for chart in document.charts:
        if isinstance(chart, SankeySpec):
            yield from (Number(f"{chart.id}: {chart.link_label(link)}", link.value) for link in chart.links)
    for spec in specs_of(document):
        for series in spec.series:
            for category, mark in zip(spec.categories, series.marks, strict=True):
                if mark is not None:
                    yield from _ends(f"{spec.id}: {series.name}, {category.label}", mark, f"chart: {spec.id}")


def _ends(where: str, of: Figure | Mark, derived: str) -> Iterator[Number]:
    if isinstance(of, Mark) or is_number(of):
        assert of.value is not None
        yield Number(where, of.value, derived)
        for name, end in (("low", of.low), ("high", of.high)):
            if end is not None:
                yield Number(f"{where}, {name}", end, derived)


# --- CSV and JSON --------------------------------------------------------------------------------------------------


def missing_in_data(document: Document, as_csv: bytes, as_json: bytes) -> list[Number]:
    """What of the numbers neither the table nor the JSON has in full precision; those of shown percentages as well."""
    known = sorted({*_of_csv(as_csv), *_of_json(json.loads(as_json))})
    return [number for number in numbers_of(document) if not _is_among(number.value, known)]


def _of_csv(content: bytes) -> Iterator[float]:
    for row in csv.reader(io.StringIO(content.decode())):
        for cell in row:
            try:
                number = float(cell)
            except ValueError:
                continue
            if math.isfinite(number):
                yield number


def _of_json(data: Any) -> Iterator[float]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        for one in data:
            yield from _of_json(one)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield float(data)


def _is_among(value: float, known: Sequence[float]) -> bool:
    place = bisect_left(known, value)
    return any(math.isclose(value, one, rel_tol=WITHIN, abs_tol=1e-12) for one in known[max(place - 1, 0) : place + 1])


# --- Excel ---------------------------------------------------------------------------------------------------------

Grid = Mapping[tuple[int, int], Any]


def missing_in_workbook(document: Document, content: bytes) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    grids: list[Grid] = [
        {(cell.row, cell.column): cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None}
        for sheet in book.worksheets
    ]
    held = sorted({float(value) for grid in grids for value in grid.values() if isinstance(value, int | float)})
    missing = [
        f"card {card.label}"
        for card in document.cards
        if card.figure.value is not None
        and is_number(card.figure)
        and not any(_is_same(value, card.figure.value) for value in _beside(grids[0], card.label))
    ]
    for table in tables_of(document):
        bounded = table.with_bounds
        expected = [(row.label, [figure.value if is_number(figure) else figure.text for figure in row.cells])
                    for row in bounded.rows]  # fmt: skip
        missing += _missing_in_grids(grids, table.title, bounded.columns, expected)
    for spec in specs_of(document):
        found = spec.table()
        expected = [(category.label, [cell.value for cell in cells]) for category, cells in found.rows]
        missing += _missing_in_grids(grids, spec.id, (found.category_title, *found.columns), expected)
        if spec.kind == Kind.HEATMAP:
            ends = [end for mark in _marks(spec) for end in (mark.low, mark.high) if end is not None]
            missing += [f"{spec.id}: an end, {end}" for end in ends if not _is_among(end, held)]
    return missing


def _beside(grid: Grid, label: str) -> list[Any]:
    """What stands to the right of cells that begin with the label."""
    return [
        grid.get((row, column + 1)) for (row, column), value in grid.items() if str(value).startswith(printable(label))
    ]


def _missing_in_grids(
    grids: Sequence[Grid], title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]]
) -> list[str]:
    """The fewest differences under any header with these columns."""
    header = [printable(column) for column in columns]
    attempts = [
        _differences(grid, place, header, rows)
        for grid in grids
        for place, value in grid.items()
        if value == header[0] and all(grid.get((place[0], place[1] + at)) == name for at, name in enumerate(header))
    ]
    if not attempts:
        return [f"{title}: no such columns"]
    return [f"{title}: {one}" for one in min(attempts, key=len)]


def _differences(
    grid: Grid, place: tuple[int, int], header: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]]
) -> list[str]:
    row, column = place
    found = []
    for line, (label, values) in enumerate(rows, start=row + 1):
        if grid.get((line, column)) != printable(label):
            found.append(f"no row {label}")
            continue
        for at, value in enumerate(values, start=column + 1):
            if not _is_same(grid.get((line, at)), value):
                found.append(f"{label}, {header[at - column]}: {grid.get((line, at))!r} for {value!r}")
    return found


def _is_same(cell: Any, value: Any) -> bool:
    if isinstance(value, int | float):
        return isinstance(cell, int | float) and math.isclose(cell, value, rel_tol=WITHIN, abs_tol=1e-15)
    return cell is None if value is None else cell == printable(value)


# --- PowerPoint ----------------------------------------------------------------------------------------------------


def missing_in_slides(document: Document, content: bytes, *, most_links: int) -> list[str]:
    """`most_links`: of a diagram, how many of its links its table has."""
    slides = list(Presentation(io.BytesIO(content)).slides)
    shapes = [shape for slide in slides for shape in slide.shapes]
    rows = [
        [_bare(cell.text_frame.text) for cell in row.cells]
        for shape in shapes
        if shape.has_table
        for row in shape.table.rows
    ]
    texts = [_plain(shape.text_frame.text) for shape in shapes if shape.has_text_frame]
    cards = [(card, " · ".join(filter(None, (card.label, card.unit)))) for card in document.cards]
    missing = [
        f"card {card.label}"
        for card, label in cards
        if not any(f"{text} ".startswith(f"{_plain(f'{label} {card.figure.text}')} ") for text in texts)
    ]
    tables = [table for section in document.sections for table in section.tables]
    flows = [table_of(chart, most=most_links) for chart in document.charts if isinstance(chart, SankeySpec)]
    index = _index(rows, [tuple(map(_bare, table.columns)) for table in (*tables, *flows)])
    missing += _missing_in_index([*tables, *flows], index, _with_interval_beside, _bare)
    drawn = [shape.chart for shape in shapes if shape.has_chart]
    cells = {text for row in rows for text in row}
    notes = " ".join(_plain(slide.notes_slide.notes_text_frame.text) for slide in slides if slide.has_notes_slide)
    for spec in specs_of(document):
        missing += _missing_in_native(spec, drawn, cells, notes)
    return missing


def _index(rows: Sequence[Sequence[str]], headers: Sequence[tuple[str, ...]]) -> dict[tuple[str, str], set[str]]:
    """(label, column) -> texts. A row of names of columns is a header of those that follow it."""
    names = {name for header in headers for name in header[1:]}
    firsts = {header[0] for header in headers}
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    header: Sequence[str] = ()
    for row in rows:
        if row and row[0] in firsts and all(name in names for name in row[1:]):
            header = row
            continue
        for name, text in zip(header[1:], row[1:], strict=False):
            index[row[0], name].add(text)
    return index


def _missing_in_index(
    tables: Sequence[DataTable],
    index: Mapping[tuple[str, str], set[str]],
    text_of: Callable[[Figure], str],
    as_shown: Callable[[str], str] = printable,
) -> list[str]:
    return [
        f"{table.title}: {row.label}, {column}: {text_of(figure)}"
        for table in tables
        for row in table.rows
        for column, figure in zip(table.columns[1:], row.cells, strict=True)
        if as_shown(text_of(figure)) not in index.get((as_shown(row.label), as_shown(column)), ())
    ]


def _missing_in_native(spec: ChartSpec, drawn: Sequence[Any], cells: set[str], notes: str) -> list[str]:
    if spec.kind == Kind.HEATMAP:
        return [
            f"{spec.id}: {mark.text}"
            for mark in _marks(spec)
            if not any(_bare(mark.text) in text for text in cells) and printable(mark.text) not in notes
        ]
    if spec.kind == Kind.WATERFALL:
        expected: list[list[float | None]] = [list(part.lengths) for part in parts(spec)]
    else:
        expected = [[mark.value if mark else None for mark in series.marks] for series in spec.series]
    for chart in drawn:
        values = [list(series.values) for series in chart.plots[0].series]
        if all(one in values for one in expected) and not _missing_ends(spec, chart, values):
            return []
    return [f"{spec.id}: no native chart with its values"]


def _missing_ends(spec: ChartSpec, chart: Any, values: Sequence[Sequence[float | None]]) -> list[str]:
    """The ends of intervals that are neither a series of the chart nor reached by an error bar."""
    if not spec.has_intervals or spec.kind == Kind.AREA:
        return []
    namespace = {"c": "http://schemas.openxmlformats.org/drawingml/2006/chart"}
    reached: list[float] = []
    for series in chart.plots[0].series:
        for sign, name in ((1, "plus"), (-1, "minus")):
            lengths = series._element.findall(f".//c:errBars/c:{name}//c:pt", namespace)
            for point in lengths:
                value = list(series.values)[int(point.get("idx"))]
                if value is not None:
                    reached.append(value + sign * float(point.find("c:v", namespace).text))
    reached += [value for series in values for value in series if value is not None]
    ends = [end for mark in _marks(spec) for end in (mark.low, mark.high) if end is not None]
    return [str(end) for end in ends
            if not any(math.isclose(end, one, rel_tol=NATIVE_ENDS, abs_tol=1e-9) for one in reached)]  # fmt: skip


# --- Pages and print -----------------------------------------------------------------------------------------------


def missing_in_print(document: Document, page: str, pictures: Mapping[str, str]) -> list[str]:
    """What is missing in the page that a PDF is printed from, and what its pictures say that the charts do not."""
    tree = html.fromstring(page)
    missing = [
        f"card {card.label}" for card in document.cards if printable(card.figure.text) not in _texts(tree, "//p")
    ]
    tables = [table for section in document.sections for table in section.tables]
    missing += _missing_in_index(tables, _index_of(tree, tables), _with_interval_beside)
    matrices = [matrix_of(spec) for spec in specs_of(document) if spec.kind == Kind.HEATMAP]
    in_words = _index_of(tree, matrices)
    for chart in document.charts:
        if not chart.panels:
            continue
        rows = [picture for name, picture in pictures.items() if name.partition(".")[0] == chart.id]
        foreign = (text for picture in rows for text in _foreign(chart, picture))
        missing += [f"{chart.id}: {text} is none of its texts" for text in foreign]
        if isinstance(chart, SankeySpec):
            missing += missing_in_flows(chart, rows[0])
            continue
        for spec in chart.panels:
            picture = next((row for row in rows if f'id="{spec.id}-' in row), rows[0])
            missing += missing_in_picture(spec, picture, in_words)
    return missing


def missing_in_picture(spec: ChartSpec, picture: str, in_words: Mapping[tuple[str, str], set[str]]) -> list[str]:
    """The marks that a picture does not show: cells without their text, which are in no table either; places, and the
    ends of intervals, that are not those of the value.
    """
    if spec.kind == Kind.HEATMAP:
        cells = Cells(spec, picture)
        return [
            f"{spec.id}: {series.name}, {category.label}: {mark.text} is neither written nor in a table"
            for number, series in enumerate(spec.series)
            for place, (category, mark) in enumerate(zip(spec.categories, series.marks, strict=True))
            if mark
            and not ((number, place) in cells.cells and (cells.text((number, place)) or ("",))[0] == mark.text)
            and mark.text not in in_words.get((printable(category.label), printable(series.name)), ())
        ]
    wanted = expected(spec)
    try:
        drawn = Drawing(picture, spec).read()
    except KeyError:
        drawn = Readings()
    near = 1e-3 * (spec.axis.high - spec.axis.low)
    missing = [
        f"{spec.id}: {place}: {value} is not drawn"
        for place, value in wanted.values.items()
        if place not in drawn.values or abs(drawn.values[place] - value) > near
    ]
    return missing + [
        f"{spec.id}: {place}: the interval {ends} is not drawn"
        for place, ends in wanted.intervals.items()
        if place not in drawn.intervals
        or max(abs(one - other) for one, other in zip(drawn.intervals[place], ends, strict=True)) > near
    ]


def missing_in_flows(chart: SankeySpec, picture: str) -> list[str]:
    """The nodes and links that a picture does not show, or not as high as their values are."""
    paths = {path.get("id"): [y for _x, y in points(path)] for path in etree.fromstring(picture.encode()).iter(PATH)}
    scale = FLOW_PX / math.fsum(node.value for node in chart.nodes if node.step == 1)
    missing = []
    for place, node in enumerate(chart.nodes):
        heights = paths.get(f"{chart.id}-n{place}")
        if not heights or abs(max(heights) - min(heights) - max(node.value * scale, 1.0)) > WITHIN_PX:
            missing.append(f"{chart.id}: {node.name}: {node.value} is not drawn")
    for place, link in enumerate(chart.links):
        corners = paths.get(f"{chart.id}-l{place}") or ()
        # Along the upper edge and back along the lower one; the start comes again at the end.
        if len(corners) < 2 or abs(abs(corners[-2] - corners[0]) - link.value * scale) > WITHIN_PX:
            missing.append(f"{chart.id}: {chart.link_label(link)}: {link.value} is not drawn")
    return missing


def missing_in_page(document: Document, page: str) -> list[str]:
    """What is missing in the HTML of a page: cards, tables with their values to sort by, charts and their tables."""
    tree = html.fromstring(page)
    cards = _texts(tree, "//p[contains(@class, 'figure-value')]")
    missing = [f"card {card.label}" for card in document.cards if printable(card.figure.text) not in cards]
    tables = [table for section in document.sections for table in section.tables]
    of_charts = [_as_data_table(chart.id, panel.table()) for chart in document.charts for panel in chart.panels]
    missing += _missing_in_index([*tables, *of_charts], _index_of(tree, [*tables, *of_charts]), _with_interval_beside)
    sorted_by = set(tree.xpath("//td/@data-value"))
    missing += [
        f"{table.title}: {row.label}: nothing to sort {figure.value} by"
        for table in tables
        for row in table.rows
        for place, figure in enumerate(row.cells, start=1)
        if place not in table.text_columns and figure.sort_value is not None and figure.sort_value not in sorted_by
    ]
    drawn = sorted({number for script in tree.xpath("//script[@type='application/json']/text()")
                    for number in _of_json(json.loads(script))})  # fmt: skip
    for spec in specs_of(document):
        missing += [
            f"{spec.id}: {mark.value} is not drawn" for mark in _marks(spec) if not _is_among(mark.value, drawn)
        ]
    return missing


def _as_data_table(title: str, table: Any) -> DataTable:
    from analyses.documents import Row

    rows = tuple(
        Row(label=category.label, cells=tuple(Figure(cell.text, value=cell.value) for cell in cells))
        for category, cells in table.rows
    )
    return DataTable(title=title, columns=(table.category_title, *table.columns), rows=rows)


def _index_of(tree: Any, tables: Sequence[DataTable]) -> dict[tuple[str, str], set[str]]:
    rows = [[_text(cell) for cell in row.xpath("./th|./td")] for row in tree.xpath("//tr")]
    return _index(rows, [tuple(map(printable, table.columns)) for table in tables])


def _with_interval_beside(figure: Figure) -> str:
    return f"{figure.text} {figure.interval}".strip()


def _foreign(chart: Chart, picture: str) -> list[str]:
    """Texts with digits in a picture that its chart does not say."""
    if isinstance(chart, SankeySpec):
        names = {name for node in chart.nodes for name in (node.name, node.label)}
        said = names | {text for node in chart.nodes for text in (node.text, *node.detail)}
        said |= {text for link in chart.links for text in (link.text, *link.detail)} | {*chart.step_titles}
    else:
        names, said = set(), set()
    for spec in (panel for panel in chart.panels if isinstance(panel, ChartSpec)):
        said |= {spec.title, spec.subtitle, spec.axis.title, spec.category_title, spec.interval}
        names |= {series.name for series in spec.series}
        said |= {tick.text for tick in spec.axis.ticks} | names
        said |= {text for category in spec.categories for text in (category.label, category.tick_text)}
        said |= {
            text for mark in _marks(spec) for text in (mark.text, mark.low_text, mark.high_text, mark.with_interval)
        }
    whole = " ".join(printable(text) for text in said)  # a text may stand on several lines
    root = etree.fromstring(picture.encode())
    texts = [printable("".join(node.itertext())) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    without_name = [
        next((text.removeprefix(name) for name in sorted(names, key=len, reverse=True) if text.startswith(name)), text)
        for text in texts
    ]
    return [text for text in without_name if re.search(r"\d", text) and text.strip(" …") not in whole]


def _marks(spec: ChartSpec) -> list[Mark]:
    return [mark for series in spec.series for mark in series.marks if mark is not None]


def _texts(tree: Any, path: str) -> list[str]:
    return [_text(node) for node in tree.xpath(path)]


def _text(node: Any) -> str:
    return _plain(node.text_content())


def _bare(text: str) -> str:
    """Without brackets: where a slide has little room, an interval stands below its figure and has none."""
    return printable(text.replace("(", "").replace(")", ""))


def _plain(text: str) -> str:
    """In one line, as `printable` writes names."""
    return " ".join(text.split())
