"""The document of a report: the documents of its blocks as chapters, after a summary whose numbers can be traced."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from django.utils.text import slugify

from analyses.definitions import still_defined
from analyses.documents import Card, DataTable, Document, Figure, RawCell, Row, Section
from charts import Chart, SmallMultiples
from marketing.periods import Period
from reports.editions.tracing import AT, traces

SUMMARY = "Executive summary"
ORIGIN = ("Data version", "Computed at", "Run")  # of the facts of documents
CSV_HEADER = ("part", "line", "column", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A block with what it shows: a document, paragraphs of its author, or the sentence why there is nothing."""

    id: str
    kind: str
    title: str
    document: Document | None = None
    paragraphs: Sequence[str] = ()
    problem: str = ""


Facts: TypeAlias = Sequence[tuple[str, str]]
Documents: TypeAlias = Sequence[tuple[Chapter, Document]]


def compose(
    chapters: Sequence[Chapter], *, title: str, workspace: str, slug: str, currency: str, period: Period, facts: Facts
) -> Document:
    """Return one document of all chapters; every number in it is one of theirs."""
    chapters = _told_apart(chapters)
    documents = [(chapter, chapter.document) for chapter in chapters if chapter.document is not None]
    first = documents[0][1] if documents else None
    return Document(
        title=title,
        subtitle=period.label,
        headline=first.headline if first else title,
        workspace=workspace,
        currency=currency,
        facts=(("Period", period.label), *facts, *_facts(documents)),
        sections=(*_summary(documents), *(section for chapter in chapters for section in _sections(chapter, first))),
        cards=first.cards if first else (),
        notes=_once(note for _chapter, document in documents for note in document.notes),
        definitions=_once_each(pair for _chapter, document in documents for pair in document.definitions),
        method=_once(paragraph for _chapter, document in documents for paragraph in document.method),
        rows=list(_rows(documents)),
        data={
            "title": title,
            "workspace": slug,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "parts": [_data(chapter) for chapter in chapters],
        },
        file_name=f"{slugify(title) or 'report'}-{slug}-{period.start}-to-{period.end}",
    )


def _told_apart(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters under titles of which none is another's, nor that of the summary."""
    taken, found = {SUMMARY}, []
    for chapter in chapters:
        names = (chapter.title, *(f"{chapter.title} ({number})" for number in range(2, len(chapters) + 3)))
        title = next(name for name in names if name not in taken)
        taken.add(title)
        found.append(replace(chapter, title=title))
    return found


def _summary(documents: Documents) -> Iterator[Section]:
    """A sentence for each chapter, and where its numbers stand."""
    if not documents:
        return
    sentences, rows = [], []
    for chapter, document in documents:
        sentences.append(f"{chapter.title}: {document.headline}")
        rows += [
            Row(label=trace.number, cells=(Figure(trace.full), Figure(AT.join((chapter.title, trace.where)))))
            for trace in traces(document.headline, document)
            if trace.where
        ]
    table = DataTable(
        title="Where these numbers stand",
        columns=("Number", "In full", "In this report"),
        rows=tuple(rows),
        note="Each number of the summary, and the figure of this report that it is.",
    )
    yield Section(title=SUMMARY, part=SUMMARY, sentences=tuple(sentences), tables=(table,) if rows else ())


def _sections(chapter: Chapter, first: Document | None) -> Iterator[Section]:
    if chapter.document is None:
        if sentences := (*chapter.paragraphs, *filter(None, (chapter.problem,))):
            yield Section(title=chapter.title, part=chapter.title, sentences=tuple(sentences))
        return
    if chapter.document is not first and chapter.document.cards:
        yield Section(title="Key figures", part=chapter.title, tables=(_key_figures(chapter.document.cards),))
    for section in chapter.document.sections:
        charts = tuple(_renamed(chart, chapter.id) for chart in section.charts)
        yield replace(section, part=chapter.title, charts=charts)


def in_brief(document: Document) -> Document:
    """The document with its key results only; its rows and data stay whole."""
    whole_or_said = (
        section if section.in_brief == "all" else replace(section, charts=(), tables=())
        for section in document.sections
        if section.in_brief == "all" or (section.in_brief == "sentences" and section.sentences)
    )
    return still_defined(replace(document, sections=tuple(whole_or_said)))


def _key_figures(cards: Sequence[Card]) -> DataTable:
    """What a document of its own shows as cards."""
    changes = any(card.change for card in cards)
    return DataTable(
        title="Key figures",
        columns=("Figure", "Value", *(["Change"] if changes else [])),
        rows=tuple(
            Row(
                label=" · ".join(filter(None, (card.label, card.unit))),
                cells=(card.figure, *([Figure(card.change)] if changes else [])),
            )
            for card in cards
        ),
    )


def _renamed(chart: Chart, prefix: str) -> Chart:
    """The chart under an id that no other chapter's has."""
    if isinstance(chart, SmallMultiples):
        panels = tuple(replace(panel, id=f"{prefix}-{panel.id}") for panel in chart.panels)
        return replace(chart, id=f"{prefix}-{chart.id}", panels=panels)
    return replace(chart, id=f"{prefix}-{chart.id}")


def _facts(documents: Documents) -> Iterator[tuple[str, str]]:
    """What each chapter is about, and where its numbers come from; its settings one by one are its run's affair."""
    for chapter, document in documents:
        yield chapter.title, document.subtitle
        known = dict(document.facts)
        origin = (f"{name.lower()} {known[name]}" for name in ORIGIN if name in known)
        if said := ", ".join(origin):
            yield f"{chapter.title}, from", said


def _rows(documents: Documents) -> Iterator[Sequence[RawCell]]:
    """The rows of all chapters, each cell on a line of its own: chapters have other columns."""
    yield CSV_HEADER
    for chapter, document in documents:
        lines = iter(document.rows)
        header = [str(name) for name in next(lines, ())]
        for number, line in enumerate(lines, start=1):
            for name, cell in zip(header, line, strict=True):
                yield chapter.title, number, name, cell


def _data(chapter: Chapter) -> Mapping[str, Any]:
    found: dict[str, Any] = {"kind": chapter.kind, "title": chapter.title}
    if chapter.document is not None:
        return found | {"headline": chapter.document.headline, "data": chapter.document.data}
    return found | ({"problem": chapter.problem} if chapter.problem else {"text": "\n".join(chapter.paragraphs)})


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _once_each(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Definitions by their terms, the first of each."""
    found: dict[str, str] = {}
    for term, meaning in pairs:
        found.setdefault(term, meaning)
    return tuple(found.items())
