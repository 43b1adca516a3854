"""Slides of 16:9 with a title, a footer and a number, and the plain shapes that are put on them."""

import copy
from collections.abc import Collection, Sequence
from typing import IO, Any

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Length, Pt

from charts.wording import printable

INK, MUTED, ACCENT = RGBColor(0x14, 0x18, 0x1F), RGBColor(0x5A, 0x63, 0x72), RGBColor(0x03, 0x23, 0x89)
LINE, STRONG_LINE, WHITE = RGBColor(0xE2, 0xE5, 0xEA), RGBColor(0x86, 0x8F, 0x9D), RGBColor(0xFF, 0xFF, 0xFF)
GOOD, BAD = RGBColor(0x0C, 0x6B, 0x3F), RGBColor(0xB3, 0x20, 0x1B)
WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
MARGIN, TOP = Inches(0.6), Inches(1.65)
BODY_WIDTH, BODY_HEIGHT = Emu(WIDTH - 2 * MARGIN), Emu(HEIGHT - TOP - Inches(0.7))
FOOTER_TOP, FOOTER_HEIGHT, NUMBER_WIDTH = Inches(6.95), Inches(0.3), Inches(0.8)
TITLE_TOP, LINE_HEIGHT = Inches(0.55), Inches(0.35)
ROW_HEIGHT, FIRST_COLUMN = Inches(0.34), 0.3
TITLE_ONLY = 5  # of the layouts that python-pptx brings
NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # "No Style, No Grid", one of PowerPoint's own
LONGEST_FOOTER = 150


class Deck:
    """A presentation that grows slide by slide."""

    def __init__(self, *, title: str, subject: str, author: str, footer: str) -> None:
        self._presentation: Any = Presentation()
        self._footer = _cut(printable(footer), LONGEST_FOOTER)
        properties = self._presentation.core_properties
        properties.title, properties.subject = _cut(printable(title), 255), _cut(printable(subject), 255)
        properties.author = properties.last_modified_by = _cut(printable(author), 255)
        properties.language = "en"
        _widen(self._presentation)
        self._layout: Any = self._presentation.slide_layouts[TITLE_ONLY]
        _arrange(self._layout)

    def add_slide(
        self,
        title: str,
        *,
        notes: str,
        section: str = "",
        subtitle: str = "",
        top: Length = TITLE_TOP,
        size: float = 24,
        numbered: bool = True,
    ) -> Any:
        """Return a new slide. `notes`: what its speaker reads; `section`: the small line above the title."""
        slide = self._presentation.slides.add_slide(self._layout)
        shape = slide.shapes.title
        shape.left, shape.top, shape.width, shape.height = MARGIN, top, BODY_WIDTH, Inches(0.75)
        frame = shape.text_frame
        frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
        frame.margin_left = frame.margin_right = 0
        write_paragraph(frame, title, size=_fitting(title, size), colour=INK, bold=True, first=True)
        if section:
            add_text(slide, section, Inches(0.35), size=11, colour=ACCENT, bold=True)
        if subtitle:
            add_text(slide, subtitle, Inches(1.22), size=13 if len(subtitle) <= 110 else 10, colour=MUTED)
        for placeholder in self._layout.placeholders if numbered else ():
            if placeholder.placeholder_format.type in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
                # A slide shows these two of its layout only if it has copies of them (python-pptx makes none).
                shape.element.getparent().append(copy.deepcopy(placeholder.element))
        for placeholder in slide.placeholders:
            if placeholder.placeholder_format.type == PP_PLACEHOLDER.FOOTER:
                write_paragraph(placeholder.text_frame, self._footer, size=10, colour=MUTED, first=True)
        slide.notes_slide.notes_text_frame.text = printable(notes)
        return slide

    def save(self, file: IO[bytes]) -> None:
        self._presentation.save(file)


def add_text(
    slide: Any,
    text: str,
    top: Length,
    *,
    size: float,
    colour: RGBColor,
    bold: bool = False,
    left: Length = MARGIN,
    width: Length = BODY_WIDTH,
    height: Length = LINE_HEIGHT,
) -> None:
    """Put a box with text on a slide."""
    frame = add_frame(slide, left=left, top=top, width=width, height=height)
    write_paragraph(frame, text, size=size, colour=colour, bold=bold, first=True)


def add_frame(
    slide: Any,
    *,
    left: Length = MARGIN,
    top: Length = TOP,
    width: Length = BODY_WIDTH,
    height: Length = BODY_HEIGHT,
) -> Any:
    """Put an empty box on a slide and return its frame, to write paragraphs into."""
    frame = slide.shapes.add_textbox(left, top, width, height).text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = 0
    return frame


def write_paragraph(
    frame: Any,
    text: str,
    *,
    size: float,
    colour: RGBColor,
    bold: bool = False,
    first: bool = False,
    paragraph: Any = None,
) -> Any:
    """Write a paragraph into a frame and return it; `paragraph`: add to this one instead."""
    if paragraph is None:
        paragraph = frame.paragraphs[0] if first else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
    run = paragraph.add_run()
    kept_space = " " if text.endswith(" ") else ""
    run.text = printable(text) + kept_space
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour
    return paragraph


def fill(shape: Any, colour: RGBColor, *, line: RGBColor | None = None) -> None:
    """Give a new shape a plain ground, no shadow, and no line but `line`."""
    style = shape.element.find(qn("p:style"))
    shape.element.remove(style)  # of the theme, with a shadow
    shape.fill.solid()
    shape.fill.fore_color.rgb = colour
    if line is None:
        shape.line.fill.background()
    else:
        shape.line.color.rgb, shape.line.width = line, Pt(1)


def add_table(slide: Any, *, rows: int, columns: int, name: str, top: Length = TOP) -> Any:
    """Put an empty native table on a slide and return it; the first column is the widest."""
    frame = slide.shapes.add_table(rows, columns, MARGIN, top, BODY_WIDTH, Emu(ROW_HEIGHT * rows))
    frame.name = _cut(printable(name), 100)
    table = frame.table
    table.horz_banding = False
    frame.element.find(f".//{qn('a:tableStyleId')}").text = NO_STYLE
    others = columns - 1
    first = int(BODY_WIDTH * max(FIRST_COLUMN, 1 - 0.22 * others)) if others else BODY_WIDTH
    for place in range(columns):
        table.columns[place].width = Emu(first if place == 0 else (BODY_WIDTH - first) // others)
    return table


def fill_table(
    table: Any,
    header: Sequence[str],
    rows: Sequence[Sequence[tuple[str, str]]],
    *,
    bold: Sequence[bool],
    text_columns: Collection[int],
) -> None:
    """Write a header and rows into a table: numbers to the right, hairlines below, totals in `bold`.

    A cell is its text and what stands below that in small, if anything.
    """
    aligned = [PP_ALIGN.LEFT if place in text_columns else PP_ALIGN.RIGHT for place in range(len(header))]
    for place, text in enumerate(header):
        _write_cell(table.cell(0, place), text, aligned[place], colour=MUTED, bold=True, line=STRONG_LINE)
    for number, (row, is_bold) in enumerate(zip(rows, bold, strict=True), start=1):
        for place, (text, below) in enumerate(row):
            _write_cell(
                table.cell(number, place), text, aligned[place], colour=INK, bold=is_bold, line=LINE, below=below
            )


def _write_cell(
    cell: Any, text: str, aligned: PP_ALIGN, *, colour: RGBColor, bold: bool, line: RGBColor, below: str = ""
) -> None:
    cell.margin_top = cell.margin_bottom = Inches(0.04)
    cell.margin_left, cell.margin_right = Inches(0.05), Inches(0.05)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    paragraphs = [write_paragraph(cell.text_frame, text, size=12, colour=colour, bold=bold, first=True)]
    if below:
        paragraphs.append(write_paragraph(cell.text_frame, below, size=9, colour=MUTED))
    for paragraph in paragraphs:
        paragraph.alignment = aligned
    # python-pptx has no borders of cells (ECMA-376, 21.1.3.5); the schema wants them before the ground.
    border = etree.Element(qn("a:lnB"), w=str(Pt(0.75)))
    ground = etree.SubElement(border, qn("a:solidFill"))
    etree.SubElement(ground, qn("a:srgbClr"), val=str(line))
    cell._tc.get_or_add_tcPr().insert(0, border)  # noqa: SLF001 - no other way


def _widen(presentation: Any) -> None:
    """Make the template of 4:3 one of 16:9: what its master and layouts place is placed for the new width."""
    wider = WIDTH / presentation.slide_width
    presentation.slide_width, presentation.slide_height = WIDTH, HEIGHT
    for holder in (presentation.slide_master, *presentation.slide_layouts):
        for shape in holder.placeholders:
            if shape.element.spPr.find(qn("a:xfrm")) is not None:
                shape.left, shape.width = Emu(int(shape.left * wider)), Emu(int(shape.width * wider))


def _arrange(layout: Any) -> None:
    """Put the footer to the left and the number to the right, both small and quiet."""
    places: dict[Any, tuple[Length, Length, PP_ALIGN]] = {
        PP_PLACEHOLDER.FOOTER: (MARGIN, Emu(BODY_WIDTH - NUMBER_WIDTH), PP_ALIGN.LEFT),
        PP_PLACEHOLDER.SLIDE_NUMBER: (Emu(WIDTH - MARGIN - NUMBER_WIDTH), NUMBER_WIDTH, PP_ALIGN.RIGHT),
    }
    for placeholder in layout.placeholders:
        if placeholder.placeholder_format.type not in places:
            continue
        left, width, align = places[placeholder.placeholder_format.type]
        placeholder.left, placeholder.top = left, FOOTER_TOP
        placeholder.width, placeholder.height = width, FOOTER_HEIGHT
        frame = placeholder.text_frame
        frame.margin_left = frame.margin_right = 0
        for paragraph in frame.paragraphs:
            paragraph.alignment = align
            for field in paragraph._p.iter(qn("a:rPr")):  # noqa: SLF001 - a field is no run for python-pptx
                field.set("sz", "1000")


def _fitting(title: str, size: float) -> float:
    """The size in which a title takes two lines at most, in fonts wider than the usual one too."""
    return size if len(title) <= 55 else 20 if len(title) <= 130 else 15


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
