"""The presentation of a document: its findings as titles, native charts and tables, footers, numbers and notes."""

import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from pptx import Presentation
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.enum.text import PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Inches

from analyses.documents import DataTable, Document, Figure, Row, Section
from charts import SmallMultiples
from charts.example_flows import FLOWS
from charts.example_heatmaps import MANY, PAIRS
from charts.examples import EXAMPLES
from reports.branding.look import PLAIN, Look
from reports.exports import write
from tests.reports.documents import TABLE, a_document, a_hostile_document, a_long_table, a_report, panels, values
from tests.reports.logos import a_logo


def deck(document: Document, look: Look = PLAIN) -> Any:
    return Presentation(io.BytesIO(write(document, "pptx", look)))


def titles(presentation: Any) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in presentation.slides]


def table_rows(presentation: Any) -> list[list[str]]:
    """Every row of every native table, headers included."""
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    return [[cell.text_frame.text for cell in row.cells] for table in tables for row in table.rows]


def texts_of(slide: Any) -> list[str]:
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def test_no_text_breaks_the_presentation() -> None:
    assert "a\ufffdb\ufffdc" in table_rows(deck(a_hostile_document()))[-2]


def test_the_presentation_says_the_finding_then_shows_charts_tables_and_facts() -> None:
    document = a_document()
    presentation = deck(document)
    assert titles(presentation) == [
        "Attribution",
        document.headline,
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
    assert slides[:3] == ["Campaigns", "Campaigns (continued)", "Campaigns (continued, 2)"]
    assert len(set(slides)) == len(slides)
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
    assert titles(deck(a_document(sections=(two,))))[2:-1] == ["Trust the experiment", TABLE.title]


def test_little_that_a_section_says_stands_below_its_first_chart() -> None:
    chart, other = EXAMPLES["line"], EXAMPLES["dots"]
    said = Section(title="S", sentences=(f"{chart.title}.", "And this."), charts=(chart, other))
    presentation = deck(a_document(sections=(said,)))
    assert titles(presentation)[2:-1] == [chart.title, other.title]
    first, second = list(presentation.slides)[2:4]
    assert "And this." in texts_of(first)
    assert "And this." not in texts_of(second)
    (drawn,) = (shape for shape in first.shapes if shape.has_chart)
    (below,) = (shape for shape in first.shapes if shape.has_text_frame and shape.text_frame.text == "And this.")
    assert drawn.top + drawn.height <= below.top
    assert titles(deck(a_document(sections=(replace(said, sentences=(chart.title,)),))))[2:-1] == [
        chart.title,
        other.title,
    ]


def test_much_that_a_section_says_has_a_slide_whose_title_is_the_first_sentence() -> None:
    sentences = (
        "Paid search returns most.",
        *(f"Of {n} channels it is the one to watch, as it is so." for n in range(9)),
    )
    charts = (EXAMPLES["line"],)
    presentation = deck(a_document(sections=(Section(title="S", sentences=sentences, charts=charts),)))
    assert titles(presentation)[2] == "Paid search returns most"
    assert texts_of(presentation.slides[2])[1:3] == ["S", "\n".join(sentences[1:])]
    listed = ("Linear: every touch gets the same.", *sentences[1:])
    presentation = deck(a_document(sections=(Section(title="S", sentences=listed, charts=charts),)))
    assert titles(presentation)[2] == "S"


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


def shapes_in(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        yield shape
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from shapes_in(shape.shapes)


CHARTS_OF_ALL_KINDS = (
    EXAMPLES["line"],
    PAIRS,
    MANY,
    FLOWS["journeys-of-which-one-is-rare"],
    EXAMPLES["small-multiples"],
)


def test_everything_that_is_not_text_is_described_in_words_or_says_that_it_is_ornament() -> None:
    section = Section(title="S", charts=CHARTS_OF_ALL_KINDS, tables=(TABLE,))
    presentation = deck(a_report(sections=(section,)), Look(logo=a_logo()))
    described = 0
    for holder in (*presentation.slides, presentation.slide_master, *presentation.slide_layouts):
        for shape in holder.shapes:  # what is said of a group is said of all in it
            properties = shape._element.xpath(".//p:cNvPr")[0]
            if (shape.has_text_frame and shape.text_frame.text) or shape.is_placeholder:
                continue
            is_ornament = "decorative" in etree.tostring(properties).decode()
            assert properties.get("descr") or is_ornament, (holder.name, shape.name)
            described += 1
    assert described > len(CHARTS_OF_ALL_KINDS)


def test_what_is_on_a_slide_is_read_from_its_title_to_its_number() -> None:
    section = Section(title="S", part="Block", charts=(EXAMPLES["line"],), tables=(TABLE,))
    for slide in list(deck(a_report(sections=(section,))).slides)[1:]:
        read = list(slide.shapes)
        assert read[0] == slide.shapes.title
        assert [shape.placeholder_format.type.name for shape in read[-2:]] == ["FOOTER", "SLIDE_NUMBER"]
        assert not any(shape.is_placeholder for shape in read[1:-2])
        numbers = [shape.shape_id for shape in shapes_in(slide.shapes)]
        assert len(set(numbers)) == len(numbers)


def test_the_small_line_names_the_block_and_the_section() -> None:
    presentation = deck(a_report())
    lines = [texts_of(slide)[1] for slide in list(presentation.slides)[2:6]]
    assert lines == [
        "Dashboard · Channels",
        "Dashboard · Trends",
        "Attribution · Models side by side",
        "Attribution · Channels",
    ]


def test_notes_explain_the_terms_that_occur_on_their_slide_and_no_others() -> None:
    document = a_report()
    presentation = deck(document)
    notes = {
        slide.shapes.title.text_frame.text: slide.notes_slide.notes_text_frame.text for slide in presentation.slides
    }
    roi, credit, removal = (f"{term}: {meaning}" for term, meaning in document.definitions)
    cards, table = notes[document.headline], notes[TABLE.title]
    assert cards.startswith(document.headline)
    assert roi in cards
    assert removal not in cards
    assert table.startswith(TABLE.note)
    assert credit in table
    assert roi not in table
    assert notes["How the numbers were computed"].startswith(" ".join(document.method))


def test_the_theme_has_the_workspaces_colour_and_those_of_the_charts() -> None:
    def accents(look: Look) -> list[str]:
        theme = deck(a_document(), look).slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
        found = etree.fromstring(theme.blob)
        return [found.find(f".//{qn(f'a:accent{n}')}")[0].get("val") for n in range(1, 7)]

    assert accents(Look(colour="#0b6b3a"))[0] == "0B6B3A"
    assert accents(PLAIN) == ["032389", "F75E1C", "076874", "BF6AEE", "9A380E", "559F8D"]
    assert accents(Look(colour="#ffee00")) == accents(PLAIN)
    cover = deck(a_document(), Look(colour="#0b6b3a")).slides[0]
    (name,) = (
        shape for shape in cover.shapes if shape.has_text_frame and shape.text_frame.text == a_document().workspace
    )
    assert name.text_frame.paragraphs[0].runs[0].font.color.theme_color == MSO_THEME_COLOR.ACCENT_1


def test_the_logo_is_on_the_master_so_that_new_slides_have_it_and_larger_on_covers() -> None:
    presentation = deck(a_document(), Look(logo=a_logo()))
    (small,) = pictures_of(presentation.slide_master)
    layouts = {layout.name: layout for layout in presentation.slide_layouts}
    assert set(layouts) == {"Title Slide", "Title and Content", "Title Only", "Blank"}
    (large,) = pictures_of(layouts["Title Slide"])
    assert layouts["Title Slide"].element.get("showMasterSp") == "0"
    assert small.image.blob == large.image.blob == a_logo()
    assert large.width > small.width
    for logo in (small, large):
        assert logo.width / logo.height == pytest.approx(400 / 120, rel=1e-3)
        assert 0 <= logo.left <= logo.left + logo.width <= presentation.slide_width
    for slide in list(presentation.slides)[1:]:
        title = slide.shapes.title
        assert title.left + title.width <= small.left
    assert not pictures_of(deck(a_document()).slide_master)


def pictures_of(holder: Any) -> list[Any]:
    return [shape for shape in holder.shapes if shape.shape_type == MSO_SHAPE_TYPE.PICTURE]


@pytest.mark.parametrize("size", [(800, 20), (20, 300), (1, 1)])
def test_a_logo_of_any_shape_stays_in_its_place(size: tuple[int, int]) -> None:
    presentation = deck(a_document(sections=()), Look(logo=a_logo(*size)))
    (small,) = pictures_of(presentation.slide_master)
    assert small.top + small.height <= Inches(0.91)
    assert small.left + small.width <= presentation.slide_width


def test_layouts_have_places_within_the_slide() -> None:
    presentation = deck(a_document(sections=()), Look(logo=a_logo()))
    for holder in (presentation.slide_master, *presentation.slide_layouts):
        for shape in holder.placeholders:
            assert 0 <= shape.left <= shape.left + shape.width <= presentation.slide_width, (holder.name, shape.name)
            assert 0 <= shape.top <= shape.top + shape.height <= presentation.slide_height, (holder.name, shape.name)


def test_addresses_in_names_lead_nowhere_from_the_presentation() -> None:
    said = '<a href="http://127.0.0.1:9/x">file:///etc/passwd</a>'
    document = a_document(title=said, headline=said, workspace=said, sections=(Section(title=said, sentences=(said,)),))
    content = write(document, "pptx")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for name in file.namelist():
            if name.endswith(".rels"):
                assert b'TargetMode="External"' not in file.read(name), name
    assert said in titles(Presentation(io.BytesIO(content)))
