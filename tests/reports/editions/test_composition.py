import csv
import datetime as dt
import io
from dataclasses import replace

from analyses.documents import Card, Document, Figure, Section, in_detail
from charts import SmallMultiples
from charts.examples import EXAMPLES
from marketing.periods import Period
from reports.editions.composition import Chapter, compose, in_brief
from reports.exports import as_csv
from tests.reports.editions.test_tracing import DOCUMENT

JUNE = Period(dt.date(2026, 6, 1), dt.date(2026, 6, 30))
CHART = next(chart for chart in EXAMPLES.values() if isinstance(chart, SmallMultiples))
OTHER_CHART = replace(next(iter(EXAMPLES.values())), id="other")
ONE = replace(
    DOCUMENT,
    headline="€1.2 M of revenue.",
    sections=(Section(title="Charts", charts=(CHART,)), *DOCUMENT.sections),
    facts=(*DOCUMENT.facts, ("Data version", "abc"), ("Run", "17")),
    rows=[("channel", "roi"), ("Email", 2.3987)],
    notes=("Association only.",),
    definitions=(("ROI", "What comes back."),),
    method=("Counted.",),
)
OTHER = replace(
    ONE,
    title="Cross-channel",
    headline="1,240 convert.",
    rows=[("pair", "effect", "q"), ("A × B", -0.5, None), ("C × D", 1, 0.25)],
    definitions=(("ROI", "Said otherwise."), ("q-value", "Share of false calls.")),
)


def composed(*chapters: Chapter) -> Document:
    return compose(
        chapters, title="Monthly review", workspace="Acme", slug="acme", currency="EUR", period=JUNE, facts=()
    )


def chapter(document: Document | None, name: str = "first", **fields: object) -> Chapter:
    return Chapter(id=name, kind="attribution", title=name.title(), document=document, **fields)  # type: ignore[arg-type]


def test_a_sentence_for_each_chapter_with_its_numbers_traced() -> None:
    summary = composed(chapter(ONE), chapter(OTHER, "second")).sections[0]
    assert summary.title == summary.part == "Executive summary"
    assert summary.sentences == ("First: €1.2 M of revenue.", "Second: 1,240 convert.")
    (table,) = summary.tables
    assert [(row.label, *(cell.text for cell in row.cells)) for row in table.rows] == [
        ("€1.2 M", "€1,234,567", "First › Revenue"),
        ("1,240", "1,240", "Second › Conversions"),
    ]


def test_chapters_keep_their_sections_under_their_names() -> None:
    document = composed(chapter(ONE), chapter(OTHER, "second"))
    assert [(section.part, section.title) for section in document.sections[1:]] == [
        ("First", "Charts"),
        ("First", "In numbers"),
        ("Second", "Key figures"),
        ("Second", "Charts"),
        ("Second", "In numbers"),
    ]
    assert document.headline == ONE.headline
    assert document.cards == ONE.cards


def test_the_same_chart_in_two_chapters_has_two_ids() -> None:
    document = composed(chapter(ONE), chapter(OTHER, "second"))
    assert [chart.id for chart in document.charts] == [f"first-{CHART.id}", f"second-{CHART.id}"]
    assert [panel.id for panel in document.charts[1].panels] == [f"second-{panel.id}" for panel in CHART.panels]


def test_cards_of_later_chapters_become_a_table() -> None:
    cards = (Card(label="Journeys", unit="all", figure=Figure("12", value=12), change="▼ −3%"),)
    document = composed(chapter(ONE), chapter(replace(OTHER, cards=cards), "second"))
    (table,) = next(section for section in document.sections if section.title == "Key figures").tables
    assert [(row.label, *(cell.text for cell in row.cells)) for row in table.rows] == [
        ("Journeys · all", "12", "▼ −3%")
    ]


def test_every_cell_of_every_chapter_is_a_line_of_the_csv() -> None:
    document = composed(chapter(ONE), chapter(OTHER, "second"))
    lines = list(csv.reader(io.StringIO(as_csv.write(document).decode())))
    assert lines == [
        ["part", "line", "column", "value"],
        ["First", "1", "channel", "Email"],
        ["First", "1", "roi", "2.3987"],
        ["Second", "1", "pair", "A × B"],
        ["Second", "1", "effect", "-0.5"],
        ["Second", "1", "q", ""],
        ["Second", "2", "pair", "C × D"],
        ["Second", "2", "effect", "1"],
        ["Second", "2", "q", "0.25"],
    ]


def test_what_chapters_say_alike_is_said_once() -> None:
    document = composed(chapter(ONE), chapter(OTHER, "second"))
    assert document.notes == ("Association only.",)
    assert document.method == ("Counted.",)
    assert document.definitions == (("ROI", "What comes back."), ("q-value", "Share of false calls."))
    assert document.facts[0] == ("Period", "1–30 Jun 2026")
    assert document.facts[1:3] == (("First", ONE.subtitle), ("First, from", "data version abc, run 17"))


def test_text_and_problems_are_chapters_too() -> None:
    document = composed(
        chapter(None, "words", paragraphs=["Good month.", "Go on."]),
        chapter(None, "broken", problem="No conversions between 1 and 30 June."),
        chapter(None, "empty"),
    )
    assert [(section.part, section.sentences) for section in document.sections] == [
        ("Words", ("Good month.", "Go on.")),
        ("Broken", ("No conversions between 1 and 30 June.",)),
    ]
    assert document.headline == "Monthly review"
    assert [part.get("text", part.get("problem")) for part in document.data["parts"]] == [
        "Good month.\nGo on.",
        "No conversions between 1 and 30 June.",
        "",
    ]


def test_the_json_has_each_chapters_own_data() -> None:
    document = composed(chapter(replace(ONE, data={"id": "1"})), chapter(OTHER, "second"))
    assert document.data["parts"][0]["data"] == {"id": "1"}
    assert document.data["start"] == "2026-06-01"


def test_in_brief_a_chapter_has_its_key_results_and_all_of_its_numbers() -> None:
    detailed = replace(
        ONE,
        sections=(
            *ONE.sections,
            *in_detail([Section(title="Paths", charts=(OTHER_CHART,), sentences=("Many.",))]),
            *in_detail(
                [Section(title="Data health", sentences=("A gap.",), tables=DOCUMENT.sections[0].tables)], said=True
            ),
            *in_detail([Section(title="Nothing said", tables=DOCUMENT.sections[0].tables)], said=True),
        ),
    )
    brief = in_brief(detailed)
    assert [(one.title, one.sentences, len(one.charts), len(one.tables)) for one in brief.sections] == [
        ("Charts", (), 1, 0),
        ("In numbers", ("Email takes 38% of it.",), 0, 1),
        ("Data health", ("A gap.",), 0, 0),
    ]
    assert (brief.rows, brief.data, brief.notes) == (detailed.rows, detailed.data, detailed.notes)
