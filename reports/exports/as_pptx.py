"""PowerPoint: a cover, the figures that matter, a slide for each chart with the native chart, tables, and the facts."""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR
from pptx.util import Emu, Inches, Length, Pt

from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from charts import Chart, ChartSpec, SankeySpec
from charts.pptx import add_chart
from charts.sankey_office import add_to_slide
from reports.branding.look import PLAIN, Look
from reports.exports.deck import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    LINE,
    MUTED,
    ROW_HEIGHT,
    WHITE,
    Deck,
    add_frame,
    add_table,
    add_text,
    decorate,
    fill,
    fill_table,
    write_paragraph,
)
from reports.exports.flows import table_of
from reports.exports.master import BODY_HEIGHT, BODY_WIDTH, MARGIN, TOP

Item = TypeVar("Item")
TONES = {"good": GOOD, "bad": BAD}
CARDS_IN_A_ROW, CARD_HEIGHT, GAP = 4, Inches(2.1), Inches(0.25)
PANELS_ON_A_SLIDE = 6
MOST_LINKS = 24  # of a Sankey diagram in its table; Excel and the page have all
LINES_ON_A_SLIDE = 13
LETTERS_IN_A_LINE = 44  # of the first column of a table, at 12 points
LETTERS_OF_A_FACT = 120  # in a line, at 14 points
LETTERS_OF_A_NOTE, NOTE_LINES = 150, 2  # of what is said above a table: in a line, and lines that there is room for
NOTE_LINE = Inches(0.17)
MOST_FIGURES = 7  # beside each other
LETTERS_OF_FIGURES = 85  # of all columns but the first
LINE_OF_INTERVAL = 0.25  # of the height of a row, in small
LETTERS_OF_A_TITLE = 160
LETTERS_BELOW_A_CHART, BELOW_A_CHART = 260, Inches(0.6)  # of what its section says: two lines, and their height
MOST_LETTERS_LARGE = 900  # that sentences together have in large letters


def write(document: Document, look: Look = PLAIN) -> bytes:
    """Return the presentation."""
    deck = Deck(
        title=document.title,
        subject=document.subtitle,
        author=document.workspace,
        footer=" · ".join((document.workspace, document.title, document.subtitle)),
        look=look,
        definitions=document.definitions,
    )
    _cover(deck, document)
    if document.cards:
        _cards(deck, document)
    for section in document.sections:
        _section(deck, section)
    _about(deck, document)
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def _cover(deck: Deck, document: Document) -> None:
    slide = deck.add_cover(document.title, subtitle=document.subtitle, notes=document.headline)
    bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, MARGIN, Inches(1.4), Inches(0.9), Inches(0.08))
    fill(bar, ACCENT)
    decorate(bar)
    add_text(slide, document.workspace, Inches(1.7), size=16, colour=ACCENT, bold=True)
    add_text(slide, document.headline, Inches(4.1), size=24, colour=INK, height=Inches(1.6))


def _section(deck: Deck, section: Section) -> None:
    """What the section says, its charts, then its tables; above the title of each slide the section's own."""
    name = " · ".join(filter(None, (section.part, section.title)))
    said_by_table, below = _headline(section), _below_chart(section)
    if section.remarks and not said_by_table and not below:
        _remarks(deck, section, name)
    for chart in section.charts:
        _chart(deck, chart, name, below=below if chart is section.charts[0] else "")
    for table in section.tables:
        _table(deck, table, name, headline=said_by_table if table is section.tables[0] else "")


def _cards(deck: Deck, document: Document) -> None:
    """The figures in rows of four on as many slides as they need, two rows on each."""
    on_a_slide = 2 * CARDS_IN_A_ROW
    columns = min(len(document.cards), CARDS_IN_A_ROW)
    width = Emu((BODY_WIDTH - GAP * (columns - 1)) // columns)
    for first in range(0, len(document.cards), on_a_slide):
        slide = deck.add_slide(_continued(document.headline, first // on_a_slide), notes=document.headline)
        for place, card in enumerate(document.cards[first : first + on_a_slide]):
            left = Emu(MARGIN + place % columns * (width + GAP))
            top = Emu(TOP + Inches(0.2) + place // columns * (CARD_HEIGHT + GAP))
            _card(slide, card, left=left, top=top, width=width)


def _card(slide: Any, card: Card, *, left: Length, top: Length, width: Length) -> None:
    box = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE, left, top, width, CARD_HEIGHT)
    box.adjustments[0] = 0.05
    fill(box, WHITE, line=LINE)
    frame = box.text_frame
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
    frame.margin_left = frame.margin_right = Inches(0.2)
    write_paragraph(frame, " · ".join(filter(None, (card.label, card.unit))), size=14, colour=MUTED, first=True)
    write_paragraph(frame, card.figure.text, size=32, colour=INK, bold=True)
    if card.change:
        write_paragraph(frame, card.change, size=12, colour=TONES.get(card.change_tone, MUTED))


def _headline(section: Section) -> str:
    """The section's sentence if there is just one, short enough for a title, and a table it can stand above."""
    can_be = len(section.sentences) == 1 and section.tables and not section.charts
    return section.sentences[0] if can_be and len(section.sentences[0]) <= LETTERS_OF_A_TITLE else ""


def _remarks(deck: Deck, section: Section, name: str) -> None:
    """What a section says: its first sentence is the title, if it is short, and neither all nor one of a list."""
    first, *others = section.remarks
    if others and len(first) <= LETTERS_OF_A_TITLE and ": " not in first:
        _sentences(deck, first.removesuffix("."), others, above=name)
    else:
        _sentences(deck, section.title, section.remarks, above=section.part)


def _below_chart(section: Section) -> str:
    """What the section says, if that is little enough to stand below its first chart."""
    said = " ".join(section.remarks)
    can_be = section.charts and section.charts[0].panels and len(said) <= LETTERS_BELOW_A_CHART
    return said if can_be else ""


def _sentences(deck: Deck, title: str, sentences: Sequence[str], *, above: str = "") -> None:
    """A paragraph for each sentence, small and on several slides where there are many; `above`: the small line."""
    size, letters, lines = (18, 100, 16) if sum(map(len, sentences)) < MOST_LETTERS_LARGE else (13, 140, 21)
    for number, part in enumerate(
        _parts(sentences, [_lines(sentence, letters) + 0.5 for sentence in sentences], lines)
    ):
        slide = deck.add_slide(_continued(title, number), notes=" ".join(part), section=above)
        frame = add_frame(slide)
        for place, sentence in enumerate(part):
            paragraph = write_paragraph(frame, sentence, size=size, colour=INK, first=place == 0)
            paragraph.space_after = Pt(size / 2)


def _chart(deck: Deck, chart: Chart, section: str, *, below: str = "") -> None:
    """A chart on its slide; of small multiples six, in a grid. What is a picture is followed by its numbers.

    `below`: what stands below it, or the first of its panels.
    """
    if not chart.panels:
        _sentences(deck, chart.title, [chart.summary], above=section)
    height = Emu(BODY_HEIGHT - BELOW_A_CHART) if below else BODY_HEIGHT
    notes = "\n".join(filter(None, (chart.summary, below)))
    for first in range(0, len(chart.panels), PANELS_ON_A_SLIDE):
        title = _continued(chart.title, first // PANELS_ON_A_SLIDE)
        slide = deck.add_slide(title, notes=notes, section=section, subtitle=chart.subtitle)
        if isinstance(chart, SankeySpec):
            add_to_slide(slide, chart, left=MARGIN, top=TOP, width=BODY_WIDTH, height=height)
        elif isinstance(chart, ChartSpec):
            add_chart(slide, chart, left=MARGIN, top=TOP, width=BODY_WIDTH, height=height)
        else:
            _grid(slide, chart.panels[first : first + PANELS_ON_A_SLIDE], height)
        if below and not first:
            add_text(slide, below, Emu(TOP + height), size=13, colour=INK, height=BELOW_A_CHART)
    if isinstance(chart, SankeySpec):
        _table(deck, table_of(chart, most=MOST_LINKS), section)


def _grid(slide: Any, panels: Sequence[ChartSpec], body_height: Length) -> None:
    columns = min(len(panels), 2 if len(panels) <= 4 else 3)
    rows = math.ceil(len(panels) / columns)
    width, height = Emu((BODY_WIDTH - GAP * (columns - 1)) // columns), Emu(body_height // rows)
    named = Inches(0.3)
    for place, panel in enumerate(panels):
        left, top = Emu(MARGIN + place % columns * (width + GAP)), Emu(TOP + place // columns * height)
        add_text(slide, panel.title, top, size=12, colour=INK, bold=True, left=left, width=width)
        add_chart(slide, panel, left=left, top=Emu(top + named), width=width, height=Emu(height - named))


def _table(deck: Deck, table: DataTable, section: str, *, headline: str = "") -> None:
    """A table on as many slides as its rows and columns need; each has the header and labels, the first the note."""
    lower = max(_lines(table.note, LETTERS_OF_A_NOTE) - NOTE_LINES, 0) * NOTE_LINE
    room = LINES_ON_A_SLIDE - math.ceil(max(lower - 2 * NOTE_LINE, 0) / ROW_HEIGHT)
    figures = len(table.columns) - 1
    parts = math.ceil(figures / MOST_FIGURES) or 1
    edges = [figures * part // parts for part in range(parts + 1)]
    rows_on_slides = _parts(table.rows, [_height(row, math.ceil(figures / parts)) for row in table.rows], room)
    slides = [(rows, *columns) for rows in rows_on_slides for columns in pairwise(edges)]
    for number, (rows, first, behind) in enumerate(slides):
        slide = deck.add_slide(
            _continued(table.title, number) if number or not headline else headline,
            notes=table.note or table.title,
            section=section.removesuffix(table.title).removesuffix(" · "),
            subtitle="" if number else table.note,
        )
        shown = replace(table, rows=tuple(rows)).with_figures(first, behind)
        texts = [((row.label, ""), *(_text(cell, behind - first) for cell in row.cells)) for row in shown.rows]
        top = TOP if number else Emu(TOP + lower)
        about = f"{table.title}: {len(rows)} rows, by {', '.join(shown.columns[1:])}"
        frame = add_table(slide, rows=len(rows) + 1, columns=len(shown.columns), name=table.title, about=about, top=top)
        fill_table(frame, shown.columns, texts, bold=[row.is_total for row in rows], text_columns=shown.text_columns)


def _text(figure: Figure, columns: int) -> tuple[str, str]:
    """What stands in a figure's cell, one of so many beside each other, and below it: its interval without room."""
    if len(figure.with_interval) <= LETTERS_OF_FIGURES // columns:
        return figure.with_interval, ""
    return figure.text, figure.interval


def _height(row: Row, columns: int) -> float:
    """How many lines of a slide the row takes: its label breaks, and intervals may stand below their figures."""
    below = LINE_OF_INTERVAL if any(_text(cell, columns)[1] for cell in row.cells) else 0.0
    return max(_lines(row.label, LETTERS_IN_A_LINE), 1 + below)


def _lines(text: str, letters: int) -> int:
    """How many lines of so many letters a text takes, one at least."""
    return math.ceil(max(len(text), 1) / letters)


def _parts(items: Sequence[Item], lines: Sequence[float], room: float) -> Iterator[Sequence[Item]]:
    """Yield the items in as few parts as have room on a slide, about equally high. Without items, one empty part."""
    parts, height = 1, 0.0
    for needed in lines:
        if height and height + needed > room:
            parts, height = parts + 1, 0.0
        height += needed
    share = sum(lines) / parts
    part: list[Item] = []
    done, number, height = 0.0, 1, 0.0
    for item, needed in zip(items, lines, strict=True):
        if part and (height + needed > room or done >= share * number):
            yield part
            part, number, height = [], number + 1, 0.0
        part.append(item)
        done, height = done + needed, height + needed
    if part or not items:
        yield part


def _about(deck: Deck, document: Document) -> None:
    if document.method:
        _sentences(deck, "How the numbers were computed", document.method)
    said = [*document.facts, *(("", note) for note in document.notes)]
    lines = [_lines(name + text, LETTERS_OF_A_FACT) + (0.2 if name else 1) for name, text in said]
    size, room = (14, 22) if sum(lines) <= 22 else (11, 27)
    for number, part in enumerate(_parts(said, lines, room)):
        title = _continued("Where these numbers come from", number)
        frame = add_frame(deck.add_slide(title, notes=" ".join(document.notes)))
        for place, (name, text) in enumerate(part):
            first = place == 0
            if name:
                paragraph = write_paragraph(frame, f"{name}: ", size=size, colour=MUTED, first=first)
                write_paragraph(frame, text, size=size, colour=INK, paragraph=paragraph)
                paragraph.space_after = Pt(3)
            else:
                write_paragraph(frame, text, size=size, colour=INK, first=first).space_before = Pt(size)


def _continued(title: str, number: int) -> str:
    """The title of a slide that goes on, other than those before: some programs list slides by it."""
    return f"{title} (continued{f', {number}' if number > 1 else ''})" if number else title
