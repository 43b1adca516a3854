"""Sankey diagrams in documents: a picture where a program has no such chart, and all its numbers below or behind it."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE

from analyses.documents import Document, Section
from charts.example_flows import FLOWS
from charts.examples import EXAMPLES
from reports.exports import as_pdf, as_pptx, as_xlsx
from reports.exports.as_pptx import MOST_LINKS
from tests.reports.documents import TABLE, a_document

SMALL, LARGE = FLOWS["journeys-of-which-one-is-rare"], FLOWS["journeys"]


def a_document_of_flows() -> Document:
    charts = (SMALL, EXAMPLES["line"], LARGE)
    return a_document(sections=(Section(title="Journeys", charts=charts, tables=(TABLE,)),))


def slides(document: Document) -> list[Any]:
    return list(Presentation(io.BytesIO(as_pptx.write(document))).slides)


def test_a_picture_on_a_slide_is_followed_by_its_numbers() -> None:
    shown = slides(a_document_of_flows())

    place = next(number for number, slide in enumerate(shown) if slide.shapes.title.text == SMALL.title)
    (picture,) = (one for one in shown[place].shapes if one.shape_type == MSO_SHAPE_TYPE.PICTURE)
    assert picture._element.nvPicPr.cNvPr.get("descr") == SMALL.summary
    assert shown[place].notes_slide.notes_text_frame.text == SMALL.summary
    (table,) = (one.table for one in shown[place + 1].shapes if one.has_table)
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["From → to", "Journeys", "Share of where they come from"]
    assert rows[1:] == [[category.label, *(cell.text for cell in cells)] for category, cells in SMALL.table().rows]


def test_slides_have_the_widest_links_of_a_large_diagram_in_their_order() -> None:
    labels = [
        row.cells[0].text
        for slide in slides(a_document_of_flows())
        if slide.shapes.title.text.startswith(LARGE.title)
        for shape in slide.shapes
        if shape.has_table
        for row in list(shape.table.rows)[1:]
    ]

    widths = sorted((cells[0].value or 0.0 for _, cells in LARGE.table().rows), reverse=True)
    widest = [
        category.label for category, cells in LARGE.table().rows if (cells[0].value or 0.0) >= widths[MOST_LINKS - 1]
    ]
    assert labels == widest
    assert len(labels) == MOST_LINKS < len(widths)


def test_a_picture_on_a_sheet_stands_above_its_numbers_and_below_what_comes_before() -> None:
    sheet = load_workbook(io.BytesIO(as_xlsx.write(a_document_of_flows())))["Journeys"]

    assert [image.anchor.pic.nvPicPr.cNvPr.descr for image in sheet._images] == [SMALL.summary, LARGE.summary]
    column = [cell.value for cell in sheet["A"]]
    for image, chart in zip(sheet._images, (SMALL, LARGE), strict=True):
        rows = chart.table().rows
        first = column.index(rows[0][0].label)
        head = [sheet.cell(first, place).value for place in (1, 2, 3)]
        assert head == ["From → to", "Journeys", "Share of where they come from"]
        # The picture ends above the table, whose title stands above its header.
        assert image.anchor._from.row + image.anchor.ext.height / 9525 / 20 < first - 1
        for line, (category, cells) in enumerate(rows, start=first + 1):
            found = [sheet.cell(line, place).value for place in (1, 2, 3)]
            assert found[0] == category.label
            assert found[1:] == pytest.approx([cell.value for cell in cells], rel=1e-12)


def test_the_pdf_has_the_diagram_as_a_picture_in_words_too() -> None:
    document = a_document_of_flows()

    assert f'id="{SMALL.id}-n0"' in as_pdf.pictures(document)[SMALL.id]
    assert f'<img src="chart:{SMALL.id}" alt="{SMALL.summary}">' in as_pdf.html(document)
    assert as_pdf.write(document).startswith(b"%PDF")
