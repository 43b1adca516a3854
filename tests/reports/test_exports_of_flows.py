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
from reports.exports.flows import table_of
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


def test_slides_have_the_widest_links_of_a_large_diagram_that_do_not_drop_off_in_their_order() -> None:
    going_on = [link for link in LARGE.links if not LARGE.is_loss(link)]
    assert len(going_on) > MOST_LINKS
    shown = [
        slide
        for slide in slides(a_document_of_flows())
        if slide.shapes.title.text.startswith(f"Widest flows: the 24 widest of {len(going_on)} that do not drop off")
    ]
    labels = [
        row.cells[0].text
        for slide in shown
        for shape in slide.shapes
        if shape.has_table
        for row in list(shape.table.rows)[1:]
    ]
    least = sorted((link.value for link in going_on), reverse=True)[MOST_LINKS - 1]
    assert labels == [LARGE.link_label(link) for link in going_on if link.value >= least]
    assert len(labels) == MOST_LINKS == 24


def test_what_drops_off_is_shown_where_there_is_little_else() -> None:
    lossy = len(LARGE.links) - 1
    table = table_of(LARGE, most=lossy)
    assert table.title == f"Widest flows: the {lossy} widest of {len(LARGE.links)}"
    assert any("Drop-off" in row.label for row in table.rows)
    assert len(table.rows) == lossy
    assert table_of(LARGE).title == LARGE.title


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
