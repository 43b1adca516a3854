"""PowerPoint: a title, the figures that matter, a slide for each chart with the native chart, and tables."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Length, Pt

from analyses.documents import Card, DataTable, Document, Row
from charts import Chart
from charts.pptx import add_chart

INK, MUTED, ACCENT = RGBColor(0x14, 0x18, 0x1F), RGBColor(0x5A, 0x63, 0x72), RGBColor(0x03, 0x23, 0x89)
LINE, RAISED, WHITE = RGBColor(0xE2, 0xE5, 0xEA), RGBColor(0xF3, 0xF4, 0xF7), RGBColor(0xFF, 0xFF, 0xFF)
TONES = {"good": RGBColor(0x0C, 0x6B, 0x3F), "bad": RGBColor(0xB3, 0x20, 0x1B)}
WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
MARGIN, TOP = Inches(0.6), Inches(1.5)
BODY_WIDTH, BODY_HEIGHT = Emu(WIDTH - 2 * MARGIN), Emu(HEIGHT - TOP - Inches(0.75))
ROWS_ON_A_SLIDE = 12
BLANK_LAYOUT, TITLE_ONLY_LAYOUT = 6, 5


def write(document: Document) -> bytes:
    """Return the presentation."""
    deck = _Deck(document)
    deck.cover()
    if document.cards:
        deck.cards(document.cards)
    for section in document.sections:
        if section.sentences:
            deck.sentences(section.title, section.sentences)
        for chart in section.charts:
            deck.chart(chart)
        for table in section.tables:
            deck.table(table)
    deck.about()
    file = io.BytesIO()
    deck.presentation.save(file)
    return file.getvalue()


class _Deck:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.presentation: Any = Presentation()
        self.presentation.slide_width, self.presentation.slide_height = WIDTH, HEIGHT
        properties = self.presentation.core_properties
        properties.title, properties.subject = document.title, document.subtitle
        properties.author = properties.last_modified_by = document.workspace

    def cover(self) -> None:
        slide = self._slide(
            document_title := f"{self.document.title}: {self.document.workspace}", size=34, top=Inches(2.3)
        )
        bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, MARGIN, Inches(2.0), Inches(0.9), Inches(0.09))
        _fill(bar, ACCENT)
        _text(slide, self.document.headline, Inches(3.6), size=20, colour=INK, height=Inches(1.4))
        _text(slide, self.document.subtitle, Inches(5.3), size=14, colour=MUTED)
        slide.notes_slide.notes_text_frame.text = f"{document_title}. {self.document.headline}"

    def cards(self, cards: Sequence[Card]) -> None:
        slide = self._slide(self.document.headline)
        gap = Inches(0.25)
        width = Emu((BODY_WIDTH - gap * (len(cards) - 1)) // len(cards))
        for place, card in enumerate(cards):
            left = Emu(MARGIN + place * (width + gap))
            box = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE, left, Inches(2.2), width, Inches(2.6))
            box.adjustments[0] = 0.04
            _fill(box, WHITE, line=LINE)
            frame = box.text_frame
            frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
            label = f"{card.label} · {card.unit}" if card.unit else card.label
            _paragraph(frame, label, size=13, colour=MUTED, first=True)
            _paragraph(frame, card.figure.text, size=32, colour=INK, bold=True)
            _paragraph(frame, card.change, size=12, colour=TONES.get(card.change_tone, MUTED))

    def sentences(self, title: str, sentences: Sequence[str]) -> None:
        slide = self._slide(title)
        box = slide.shapes.add_textbox(MARGIN, TOP, BODY_WIDTH, BODY_HEIGHT)
        box.text_frame.word_wrap = True
        for place, sentence in enumerate(sentences):
            paragraph = _paragraph(box.text_frame, sentence, size=16, colour=INK, first=place == 0)
            paragraph.space_after = Pt(10)

    def chart(self, chart: Chart) -> None:
        slide = self._slide(chart.title)
        if chart.subtitle:
            _text(slide, chart.subtitle, Inches(1.05), size=13, colour=MUTED)
        count = len(chart.panels)
        columns = 1 if count == 1 else 2
        rows = -(-count // columns)
        width, height = BODY_WIDTH // columns, BODY_HEIGHT // rows
        for place, panel in enumerate(chart.panels):
            left, top = MARGIN + place % columns * width, TOP + place // columns * height
            room = 0
            if count > 1:
                room = Inches(0.3)
                _text(slide, panel.title, Emu(top), size=11, colour=INK, left=Emu(left), width=Emu(width))
            add_chart(slide, panel, left=Emu(left), top=Emu(top + room), width=Emu(width), height=Emu(height - room))
        slide.notes_slide.notes_text_frame.text = chart.summary

    def table(self, table: DataTable) -> None:
        for number, rows in enumerate(_pages(table.rows)):
            slide = self._slide(table.title if number == 0 else f"{table.title}, continued")
            if table.note:
                _text(slide, table.note, Inches(1.05), size=13, colour=MUTED)
            _native_table(slide, table.columns, rows)

    def about(self) -> None:
        slide = self._slide("Where these numbers come from")
        box = slide.shapes.add_textbox(MARGIN, TOP, BODY_WIDTH, BODY_HEIGHT)
        box.text_frame.word_wrap = True
        for place, (name, fact) in enumerate(self.document.facts):
            _paragraph(box.text_frame, f"{name}: {fact}", size=14, colour=INK, first=place == 0)
        for note in self.document.notes:
            paragraph = _paragraph(box.text_frame, note, size=12, colour=MUTED)
            paragraph.space_before = Pt(10)

    def _slide(self, title: str, *, size: int = 24, top: Length | None = None) -> Any:
        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[TITLE_ONLY_LAYOUT])
        for placeholder in list(slide.placeholders):
            if placeholder.placeholder_format.idx != 0:
                placeholder._element.getparent().remove(placeholder._element)  # noqa: SLF001 - no other way
        shape = slide.shapes.title
        shape.left, shape.top = MARGIN, Inches(0.35) if top is None else top
        shape.width, shape.height = BODY_WIDTH, Inches(0.75 if top is None else 1.2)
        shape.text_frame.word_wrap, shape.text_frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
        _paragraph(
            shape.text_frame, title, size=size if len(title) < 90 else size - 5, colour=INK, bold=True, first=True
        )
        number = len(self.presentation.slides)
        footer = f"{self.document.workspace} · {self.document.title} · {self.document.subtitle}"
        _text(slide, footer[:150], Inches(7.0), size=10, colour=MUTED, width=Inches(11.2))
        _text(slide, str(number), Inches(7.0), size=10, colour=MUTED, left=Inches(12.2), width=Inches(0.55), right=True)
        return slide


def _pages(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for first in range(0, max(len(rows), 1), ROWS_ON_A_SLIDE):
        yield rows[first : first + ROWS_ON_A_SLIDE]


def _native_table(slide: Any, columns: Sequence[str], rows: Sequence[Row]) -> None:
    frame = slide.shapes.add_table(len(rows) + 1, len(columns), MARGIN, TOP, BODY_WIDTH, Inches(0.38 * (len(rows) + 1)))
    table = frame.table
    table.horz_banding = False
    first = int(BODY_WIDTH * 0.28)
    for place in range(len(columns)):
        table.columns[place].width = first if place == 0 else (BODY_WIDTH - first) // max(len(columns) - 1, 1)
    for place, column in enumerate(columns):
        _cell(table.cell(0, place), column, place, bold=True, ground=RAISED)
    for line, row in enumerate(rows, start=1):
        for place, text in enumerate([row.label, *(figure.text for figure in row.cells)]):
            _cell(table.cell(line, place), text, place, bold=row.is_total, ground=WHITE)


def _cell(cell: Any, text: str, place: int, *, bold: bool, ground: RGBColor) -> None:
    cell.fill.solid()
    cell.fill.fore_color.rgb = ground
    cell.margin_top = cell.margin_bottom = Inches(0.04)
    paragraph = _paragraph(cell.text_frame, text, size=12, colour=INK, bold=bold, first=True)
    paragraph.alignment = PP_ALIGN.LEFT if place == 0 else PP_ALIGN.RIGHT


def _text(
    slide: Any,
    text: str,
    top: Length,
    *,
    size: int,
    colour: RGBColor,
    left: Length = MARGIN,
    width: Length = BODY_WIDTH,
    height: Length | None = None,
    right: bool = False,
) -> None:
    box = slide.shapes.add_textbox(left, top, width, height or Inches(0.35))
    box.text_frame.word_wrap = True
    paragraph = _paragraph(box.text_frame, text, size=size, colour=colour, first=True)
    if right:
        paragraph.alignment = PP_ALIGN.RIGHT


def _paragraph(frame: Any, text: str, *, size: int, colour: RGBColor, bold: bool = False, first: bool = False) -> Any:
    paragraph = frame.paragraphs[0] if first else frame.add_paragraph()
    paragraph.alignment = PP_ALIGN.LEFT
    run = paragraph.add_run()
    # XML has no control characters.
    run.text = "".join(character for character in text if character.isprintable())
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour
    run.font.name = "Calibri"
    return paragraph


def _fill(shape: Any, colour: RGBColor, *, line: RGBColor | None = None) -> None:
    shape.fill.solid()
    shape.fill.fore_color.rgb = colour
    shape.shadow.inherit = False
    if line is None:
        shape.line.fill.background()
    else:
        shape.line.color.rgb = line
