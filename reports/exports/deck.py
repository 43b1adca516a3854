"""Slides of 16:9 with a title, a footer and a number, and the plain shapes that are put on them."""

import copy
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any, TypeAlias

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Length, Pt

from charts.wording import printable
from reports.branding.look import Look
from reports.exports.master import BODY_HEIGHT, BODY_WIDTH, LINE_HEIGHT, MARGIN, TOP, prepare
from reports.exports.spoken import occurring

Paint: TypeAlias = "RGBColor | MSO_THEME_COLOR"

INK, MUTED, ACCENT = RGBColor(0x14, 0x18, 0x1F), RGBColor(0x5A, 0x63, 0x72), MSO_THEME_COLOR.ACCENT_1
LINE, STRONG_LINE, WHITE = RGBColor(0xE2, 0xE5, 0xEA), RGBColor(0x86, 0x8F, 0x9D), RGBColor(0xFF, 0xFF, 0xFF)
GOOD, BAD = RGBColor(0x0C, 0x6B, 0x3F), RGBColor(0xB3, 0x20, 0x1B)
ROW_HEIGHT, FIRST_COLUMN = Inches(0.34), 0.3
NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # "No Style, No Grid", one of PowerPoint's own
DECORATIVE = "{C183D7F6-B498-43B3-948B-1728B52AA6E4}"  # the extension that says so ([MS-ODRAWXML], 2.20)
DECORATIVE_NAMESPACE = "http://schemas.microsoft.com/office/drawing/2017/decorative"
LONGEST_FOOTER = 150
ON_EVERY_SLIDE = (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


class Deck:
    """A presentation that grows slide by slide. `definitions`: terms, which notes explain where they occur."""

    def __init__(
        self,
        *,
        title: str,
        subject: str,
        author: str,
        footer: str,
        look: Look,
        definitions: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._presentation: Any = Presentation()
        self._footer = _cut(printable(footer), LONGEST_FOOTER)
        self._definitions = definitions
        properties = self._presentation.core_properties
        properties.title, properties.subject = _cut(printable(title), 255), _cut(printable(subject), 255)
        properties.author = properties.last_modified_by = _cut(printable(author), 255)
        properties.language = "en"
        self._master = prepare(self._presentation, look=look, owner=author)

    def add_cover(self, title: str, *, subtitle: str, notes: str) -> Any:
        """Return a new slide like the first one of a presentation."""
        slide = self._presentation.slides.add_slide(self._master.cover)
        _write_title(slide, title, size=40)
        write_paragraph(slide.placeholders[1].text_frame, subtitle, size=16, colour=MUTED, first=True)
        slide.notes_slide.notes_text_frame.text = printable(notes)
        return slide

    def add_slide(self, title: str, *, notes: str, section: str = "", subtitle: str = "") -> Any:
        """Return a new slide. `notes`: what its speaker reads; `section`: the small line above the title."""
        slide = self._presentation.slides.add_slide(self._master.usual)
        width = self._master.title_width
        _write_title(slide, title, size=24, share=width / BODY_WIDTH)
        if section:
            add_text(slide, section, Inches(0.35), size=11, colour=ACCENT, bold=True, width=width)
        if subtitle:
            add_text(slide, subtitle, Inches(1.22), size=13 if len(subtitle) <= 110 else 10, colour=MUTED)
        slide.notes_slide.notes_text_frame.text = printable(notes)
        return slide

    def save(self, file: IO[bytes]) -> None:
        """Write the presentation, with what is alike on all slides behind what each of them says."""
        for number, slide in enumerate(self._presentation.slides):
            if number:
                self._add_footer(slide)
            self._explain(slide)
        self._presentation.save(file)

    def _add_footer(self, slide: Any) -> None:
        for placeholder in self._master.usual.placeholders:
            if placeholder.placeholder_format.type in ON_EVERY_SLIDE:
                # A slide shows these two of its layout only if it has copies of them (python-pptx makes none).
                copied = copy.deepcopy(placeholder.element)
                tree = slide.shapes._spTree  # noqa: SLF001
                copied.nvSpPr.cNvPr.set("id", str(max(int(each) for each in tree.xpath(".//p:cNvPr/@id")) + 1))
                tree.append(copied)
        for placeholder in slide.placeholders:
            if placeholder.placeholder_format.type == PP_PLACEHOLDER.FOOTER:
                write_paragraph(placeholder.text_frame, self._footer, size=10, colour=MUTED, first=True)

    def _explain(self, slide: Any) -> None:
        """Add to the notes what the terms on the slide mean."""
        notes = slide.notes_slide.notes_text_frame
        words = "\n".join((*_words(slide), notes.text))
        for term, meaning in occurring(self._definitions, words):
            notes.add_paragraph().text = printable(f"{term}: {meaning}")


def _words(slide: Any) -> Iterator[str]:
    """Yield what a slide says."""
    for shape in slide.shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        elif shape.has_table:
            yield from (cell.text_frame.text for cell in shape.table.iter_cells())
        elif shape.has_chart:
            yield from (series.name for series in shape.chart.plots[0].series)
            yield shape.chart.value_axis.axis_title.text_frame.text


def _write_title(slide: Any, title: str, *, size: float, share: float = 1.0) -> None:
    """Write the title of a slide; `share`: of the whole width that it has."""
    frame = slide.shapes.title.text_frame
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
    frame.margin_left = frame.margin_right = 0
    write_paragraph(frame, title, size=_fitting(title, size, share), colour=INK, bold=True, first=True)


def add_text(
    slide: Any,
    text: str,
    top: Length,
    *,
    size: float,
    colour: Paint,
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
    colour: Paint,
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
    run.font.size, run.font.bold = Pt(size), bold
    _paint(run.font.color, colour)
    return paragraph


def _paint(target: Any, colour: Paint) -> None:
    if isinstance(colour, RGBColor):
        target.rgb = colour
    else:
        target.theme_color = colour


def decorate(shape: Any) -> None:
    """Say that a shape says nothing, for which python-pptx has no way of its own."""
    properties = shape.element.nvSpPr.cNvPr
    extension = etree.SubElement(etree.SubElement(properties, qn("a:extLst")), qn("a:ext"), uri=DECORATIVE)
    etree.SubElement(extension, f"{{{DECORATIVE_NAMESPACE}}}decorative", nsmap={"adec": DECORATIVE_NAMESPACE}, val="1")


def fill(shape: Any, colour: Paint, *, line: RGBColor | None = None) -> None:
    """Give a new shape a plain ground, no shadow, and no line but `line`."""
    style = shape.element.find(qn("p:style"))
    shape.element.remove(style)  # of the theme, with a shadow
    shape.fill.solid()
    _paint(shape.fill.fore_color, colour)
    if line is None:
        shape.line.fill.background()
    else:
        shape.line.color.rgb, shape.line.width = line, Pt(1)


def add_table(slide: Any, *, rows: int, columns: int, name: str, about: str, top: Length = TOP) -> Any:
    """Put an empty native table on a slide and return it; the first column is the widest. `about`: it in words."""
    frame = slide.shapes.add_table(rows, columns, MARGIN, top, BODY_WIDTH, Emu(ROW_HEIGHT * rows))
    frame.name = _cut(printable(name), 100)
    frame.element.nvGraphicFramePr.cNvPr.set("descr", printable(about))
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


def _fitting(title: str, size: float, share: float) -> float:
    """The size in which a title takes two lines at most, in fonts wider than the usual one too."""
    return size if len(title) <= 55 * share else 20 if len(title) <= 130 * share else 15


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
