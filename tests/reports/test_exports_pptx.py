"""The presentation of a document: its findings as titles, native charts and tables, footers, numbers and notes."""

import io
import math
from dataclasses import replace
from typing import Any

import pytest
from pptx import Presentation
from pptx.enum.text import PP_ALIGN
from pptx.util import Inches

from analyses.documents import DataTable, Document, Figure, Row, Section
from charts import SmallMultiples
from charts.examples import EXAMPLES
from reports.exports import write
from tests.reports.documents import TABLE, a_document, a_hostile_document, a_long_table, panels, values


def deck(document: Document) -> Any:
    return Presentation(io.BytesIO(write(document, "pptx")))


def titles(presentation: Any) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in presentation.slides]


def table_rows(presentation: Any) -> list[list[str]]:
    """Every row of every native table, headers included."""
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    return [[cell.text_frame.text for cell in row.cells] for table in tables for row in table.rows]


def test_no_text_breaks_the_presentation() -> None:
    assert "a\ufffdb\ufffdc" in table_rows(deck(a_hostile_document()))[-2]


def test_the_presentation_says_the_finding_then_shows_charts_tables_and_facts() -> None:
    document = a_document()
    presentation = deck(document)
    assert titles(presentation) == [
        "Attribution",
        document.headline,
        "Models side by side",
        *(chart.title for chart in document.charts),
        "Credit by channel",
        "Where these numbers come from",
    ]
    assert presentation.slide_width * 9 == pytest.approx(presentation.slide_height * 16, rel=1e-3)
    assert presentation.core_properties.title == "Attribution"


def test_charts_in_the_presentation_hold_the_documents_numbers() -> None:
    document = a_document()
    found = [shape.chart for slide in deck(document).slides for shape in slide.shapes if shape.has_chart]
    for chart, spec in zip(found, panels(document), strict=True):
        read = {series.name: list(series.values) for series in chart.plots[0].series}
        assert values(spec).items() <= read.items()


def test_tables_in_the_presentation_say_what_the_page_says() -> None:
    assert table_rows(deck(a_document())) == [
        list(TABLE.columns),
        *([row.label, *(figure.text for figure in row.cells)] for row in TABLE.rows),
    ]


def test_words_of_a_table_stand_to_the_left_on_every_slide_and_numbers_to_the_right() -> None:
    cells = tuple(Figure("Good") if place % 2 else Figure("1.0", value=1.0) for place in range(10))
    table = DataTable(
        title="T", columns=("A", *(f"C{place}" for place in range(10))), rows=(Row(label="a", cells=cells),)
    )
    shown = [
        shape.table
        for slide in deck(a_document(sections=(Section(title="S", tables=(table,)),))).slides
        for shape in slide.shapes
        if shape.has_table
    ]
    assert len(shown) == 2
    for each in shown:
        for column in range(1, len(each.columns)):
            is_word = each.cell(1, column).text_frame.text == "Good"
            for row in (0, 1):
                (paragraph,) = each.cell(row, column).text_frame.paragraphs
                assert paragraph.alignment == (PP_ALIGN.LEFT if is_word else PP_ALIGN.RIGHT)


def test_every_slide_has_notes_and_but_for_the_cover_a_footer_and_a_number() -> None:
    document = a_document()
    cover, *slides = deck(document).slides
    assert cover.notes_slide.notes_text_frame.text == document.headline
    for number, slide in enumerate(slides, start=2):
        kinds = {placeholder.placeholder_format.type: placeholder for placeholder in slide.placeholders}
        assert {kind.name for kind in kinds} == {"TITLE", "FOOTER", "SLIDE_NUMBER"}, number
        assert all(placeholder.text_frame.text for placeholder in kinds.values()), number
        assert document.workspace in next(one for kind, one in kinds.items() if kind.name == "FOOTER").text_frame.text
        assert slide.notes_slide.notes_text_frame.text, number


def test_nothing_on_a_slide_reaches_beyond_it() -> None:
    presentation = deck(a_document())
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert 0 <= shape.left <= shape.left + shape.width <= presentation.slide_width, shape.name
            assert 0 <= shape.top <= shape.top + shape.height <= presentation.slide_height, shape.name


def test_a_long_table_goes_on_over_slides_with_its_header() -> None:
    presentation = deck(a_document(sections=(Section(title="S", tables=(a_long_table(60, 2),)),)))
    rows = table_rows(presentation)
    header = ["Campaign", "Model 0", "Model 1"]
    assert [row for row in rows if row != header] == [[f"Campaign {n}", f"{n}.0", f"{n}.1"] for n in range(60)]
    slides = titles(presentation)[2:-1]
    assert slides == ["Campaigns", *["Campaigns (continued)"] * (len(slides) - 1)]
    assert rows.count(header) == len(slides) == math.ceil(60 / 13)


def test_a_table_is_shared_out_evenly_so_that_no_slide_has_the_last_row_alone() -> None:
    presentation = deck(a_document(sections=(Section(title="S", tables=(a_long_table(14, 2),)),)))
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    assert [len(table.rows) - 1 for table in tables] == [7, 7]


def test_a_long_note_stands_above_its_table_once_and_moves_it_down() -> None:
    note = " ".join(["A sentence of forty letters, once again."] * 10)
    table = replace(a_long_table(20, 2), note=note)
    first, second = (
        slide
        for slide in deck(a_document(sections=(Section(title="S", tables=(table,)),))).slides
        if any(shape.has_table for shape in slide.shapes)
    )
    tops = [next(shape.top for shape in slide.shapes if shape.has_table) for slide in (first, second)]
    assert tops[0] - tops[1] == Inches(0.17)
    said = [[shape.text_frame.text for shape in slide.shapes if shape.has_text_frame] for slide in (first, second)]
    assert note in said[0]
    assert note not in said[1]


def test_many_sentences_go_on_over_slides() -> None:
    sentences = tuple(f"Finding {number} of the data. " + "It matters here. " * 12 + "Mend it." for number in range(24))
    presentation = deck(a_document(sections=(Section(title="Data health", sentences=sentences),)))
    slides = [slide for slide in presentation.slides if slide.shapes.title.text_frame.text.startswith("Data health")]
    said = [shape.text_frame.text.split("\n") for slide in slides for shape in slide.shapes if not shape.is_placeholder]
    assert [len(part) for part in said] == [8, 8, 8]
    assert [sentence for part in said for sentence in part] == list(sentences)


def test_a_wide_table_goes_on_over_slides_with_its_labels() -> None:
    rows = table_rows(deck(a_document(sections=(Section(title="S", tables=(a_long_table(1, 8),)),))))
    assert rows == [
        ["Campaign", *(f"Model {place}" for place in range(4))],
        ["Campaign 0", *(f"0.{place}" for place in range(4))],
        ["Campaign", *(f"Model {place}" for place in range(4, 8))],
        ["Campaign 0", *(f"0.{place}" for place in range(4, 8))],
    ]


def test_an_interval_stands_below_its_figure_where_there_is_no_room_beside_it() -> None:
    figure = Figure("€71,255", value=71255, low=66399, high=76785, low_text="€66,399", high_text="€76,785")

    def texts(columns: int) -> list[str]:
        names = tuple(f"Model {place}" for place in range(columns))
        rows = tuple(Row(label=f"Channel {n}", cells=(figure,) * columns) for n in range(11))
        table = DataTable(title="T", columns=("Channel", *names), rows=rows)
        tables = table_rows(deck(a_document(sections=(Section(title="S", tables=(table,)),))))
        return [row[1] for row in tables if row[0] == "Channel 0"]

    assert texts(2) == ["€71,255 (€66,399–€76,785)"]
    assert texts(5) == ["€71,255\n€66,399–€76,785"]


def test_the_one_sentence_of_a_section_is_the_title_of_its_table() -> None:
    alone = Section(title="Experiments", sentences=("Trust the experiment.",), tables=(TABLE,))
    assert titles(deck(a_document(sections=(alone,))))[2:-1] == ["Trust the experiment."]
    two = replace(alone, sentences=("Trust the experiment.", "It is recent."))
    assert titles(deck(a_document(sections=(two,))))[2:-1] == ["Experiments", TABLE.title]


def test_what_the_title_of_a_chart_says_has_no_slide_of_its_own() -> None:
    chart = EXAMPLES["line"]
    said = Section(title="S", sentences=(f"{chart.title}.", "And this."), charts=(chart,))
    assert titles(deck(a_document(sections=(said,))))[2:-1] == ["S", chart.title]
    assert titles(deck(a_document(sections=(replace(said, sentences=(chart.title,)),))))[2:-1] == [chart.title]


def test_long_labels_leave_room_for_fewer_rows_on_a_slide() -> None:
    rows = tuple(Row(label=f"{n} " + "long " * 20, cells=(Figure("1"),)) for n in range(8))
    table = DataTable(title="T", columns=("A", "B"), rows=rows)
    slides = [
        title for title in titles(deck(a_document(sections=(Section(title="S", tables=(table,)),)))) if title[0] == "T"
    ]
    assert slides == ["T", "T (continued)"]


def test_many_small_multiples_take_several_slides() -> None:
    panels = [replace(panel, id=f"{panel.id}-{turn}") for turn in "ab" for panel in EXAMPLES["small-multiples"].panels]
    many = SmallMultiples(id="many", title="All metrics", summary="Eight of them.", panels=tuple(panels))
    presentation = deck(a_document(sections=(Section(title="S", charts=(many,)),)))
    charts = [sum(shape.has_chart for shape in slide.shapes) for slide in presentation.slides]
    assert [count for count in charts if count] == [6, 2]
