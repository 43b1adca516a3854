"""Where the numbers of a sentence stand in its document, so that each can be traced to what it was taken from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyses.documents import DataTable, Document, Figure
from charts import ChartSpec, SankeySpec

# A number as sentences have it: an optional sign and currency, digits with their separators, and what follows closely.
# That of a unit is none: “per €1 spent”.
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])(?<!per )(?<!per [€$£¥])[€$£¥]?\d(?:[\d.,]*\d)?(?:\s?(?:%|[kKMB]\b))?")
AT = " › "


@dataclass(frozen=True, slots=True)
class Trace:
    """A number of a sentence, the same in full, and where it stands; `where` is "" if it stands nowhere."""

    number: str
    full: str
    where: str


def traces(sentence: str, document: Document) -> list[Trace]:
    """Return the numbers of a sentence about a document, each once, in the order of the sentence.

    Numbers of the question itself (its period, window and names) are left out: they stand in its facts.
    """
    asked = _numbers(" ".join((document.title, document.subtitle, *(text for fact in document.facts for text in fact))))
    stands = list(_standing(document))
    found = []
    for number in dict.fromkeys(_numbers(sentence)):
        stand = next(((place.where, place.numbers[number]) for place in stands if number in place.numbers), None)
        stand = stand or _in_words(number, sentence, document) or _counted(number, document)
        if stand is not None:
            found.append(Trace(number, full=stand[1], where=stand[0]))
        elif number not in asked:
            found.append(Trace(number, "", ""))
    return found


def pieces(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield the sentence in pieces, each with the number that it is as `Trace.number` has it, "" for words between."""
    behind = 0
    for found in _NUMBER.finditer(sentence.replace("\N{NO-BREAK SPACE}", " ")):
        if found.start() > behind:
            yield sentence[behind : found.start()], ""
        yield sentence[found.start() : found.end()], " ".join(found[0].split())
        behind = found.end()
    if behind < len(sentence):
        yield sentence[behind:], ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a figure stands, and the numbers that it shows, each with itself in full."""

    where: str
    numbers: Mapping[str, str]


def _numbers(text: str) -> list[str]:
    return [" ".join(number.split()) for number in _NUMBER.findall(text.replace("\N{NO-BREAK SPACE}", " "))]


def _standing(document: Document) -> Iterator[_Place]:
    """Every figure, what matters most first."""
    for card in document.cards:
        yield _Place(card.label, _of_figure(card.figure))
        yield _Place(f"{card.label}, change", dict.fromkeys(_numbers(card.change), card.change))
    for section in document.sections:
        for table in section.tables:
            yield from _of_table(table, section.title)
        for chart in section.charts:
            if isinstance(chart, SankeySpec):
                yield from _of_flows(chart, section.title)
            else:
                for panel in chart.panels:
                    yield from _of_chart(panel, section.title)


def _of_table(table: DataTable, section: str) -> Iterator[_Place]:
    for row in table.rows:
        for column, figure in zip(table.columns[1:], row.cells, strict=True):
            where = _at(*dict.fromkeys((section, table.title)), f"{row.label}, {column}")
            yield _Place(where, _of_figure(figure))


def _of_flows(chart: SankeySpec, section: str) -> Iterator[_Place]:
    for link in chart.links:
        yield _Place(_at(section, chart.link_label(link)), _each_in_its_line((link.text, *link.detail)))
    for node in chart.nodes:
        yield _Place(_at(section, node.label), _each_in_its_line((node.text, *node.detail)))


def _of_chart(panel: ChartSpec, section: str) -> Iterator[_Place]:
    for series in panel.series:
        for category, mark in zip(panel.categories, series.marks, strict=True):
            if mark is not None:
                lines = (mark.text, mark.low_text, mark.high_text, *mark.detail)
                yield _Place(_at(section, f"{category.label}, {series.name}"), _each_in_its_line(lines))


def _of_figure(figure: Figure) -> dict[str, str]:
    """Its number in full, and the ends of its interval, which are said as they are."""
    ends = _each_in_its_line((figure.low_text, figure.high_text))
    return ends | dict.fromkeys(_numbers(f"{figure.text} | {figure.full}"), figure.in_full)


def _each_in_its_line(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        for number in _numbers(line):
            found.setdefault(number, line)
    return found


def _in_words(number: str, sentence: str, document: Document) -> tuple[str, str] | None:
    """The sentence or title of the document that says the number.

    A plain count is one of the same things only with the same word after it: "8 channels" is not "8 December".
    """
    wanted = _words_after(number, sentence)
    for section in document.sections:
        for text in (*section.sentences, *(chart.title for chart in section.charts)):
            words = _words_after(number, text)
            if wanted & words if number.isdigit() else words:
                return section.title, text
    return None


def _words_after(number: str, text: str) -> set[str]:
    plain = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
    return {found[1] for found in re.finditer(rf"(?<![\w.,]){re.escape(number)}(?![.,]?\d)\W*(\w*)", plain)}


def _counted(number: str, document: Document) -> tuple[str, str] | None:
    """The table or chart that has so many lines, where their number is written nowhere."""
    if not number.isdigit():
        return None
    for section in document.sections:
        for table in section.tables:
            if sum(not row.is_total for row in table.rows) == int(number):
                return _at(*dict.fromkeys((section.title, table.title))), f"the lines of “{table.title}”"
        for chart in section.charts:
            if isinstance(chart, ChartSpec) and len(chart.categories) == int(number):
                return section.title, f"the lines of “{chart.title}”"
    return None


def _at(*parts: str) -> str:
    return AT.join(parts)
