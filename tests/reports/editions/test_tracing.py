from dataclasses import replace

import pytest

from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from reports.editions.tracing import Trace, traces

ROI = Figure("2.4", "2.3987", 2.3987, 1.9, 3.1, "1.9", "3.1")
DOCUMENT = Document(
    title="Attribution",
    subtitle="Last 90 days · 30-day window",
    headline="",
    workspace="Acme",
    currency="EUR",
    facts=(("Interval", "95%"),),
    cards=(
        Card(label="Revenue", figure=Figure("€1.2 M", "€1,234,567", 1234567.0), change="▲ +4.2% against last month"),
        Card(label="Conversions", figure=Figure("1,240", value=1240)),
    ),
    sections=(
        Section(
            title="In numbers",
            sentences=("Email takes 38% of it.",),
            tables=(DataTable(title="Credit", columns=("Channel", "ROI"), rows=(Row(label="Email", cells=(ROI,)),)),),
        ),
    ),
    rows=(),
    data={},
    file_name="attribution",
)


def test_each_number_leads_to_the_figure_that_it_is() -> None:
    sentence = "€1.2 M of revenue, 4.2% above last month; Email returned 2.4 (1.9–3.1)."
    assert traces(sentence, DOCUMENT) == [
        Trace("€1.2 M", "€1,234,567", "Revenue"),
        Trace("4.2%", "▲ +4.2% against last month", "Revenue, change"),
        Trace("2.4", "2.3987", "In numbers › Credit › Email, ROI"),
        Trace("1.9", "1.9", "In numbers › Credit › Email, ROI"),
        Trace("3.1", "3.1", "In numbers › Credit › Email, ROI"),
    ]


def test_a_number_in_words_of_a_section_is_traced_to_the_section() -> None:
    assert traces("38% goes to Email.", DOCUMENT) == [Trace("38%", "Email takes 38% of it.", "In numbers")]


def test_numbers_of_the_question_are_no_findings() -> None:
    assert traces("In the last 90 days, with 95% intervals, 1,240 people converted.", DOCUMENT) == [
        Trace("1,240", "1,240", "Conversions")
    ]


@pytest.mark.parametrize("number", ["77%", "€1.3 M", "1,241", "2.45", "12"])
def test_a_number_that_stands_nowhere_is_found_out(number: str) -> None:
    assert traces(f"It was {number}.", DOCUMENT) == [Trace(number, "", "")]


def test_part_of_another_number_is_not_that_number() -> None:
    document = replace(DOCUMENT, cards=(Card(label="Spend", figure=Figure("€12,400", value=12400)),), sections=())
    assert traces("2,400 and €12 and 400", document) == [
        Trace("2,400", "", ""),
        Trace("€12", "", ""),
        Trace("400", "", ""),
    ]


def test_the_number_of_a_unit_is_no_finding() -> None:
    assert traces("Email returned 2.4 per €1 spent, and 1.9 per 1,000 journeys.", DOCUMENT) == [
        Trace("2.4", "2.3987", "In numbers › Credit › Email, ROI"),
        Trace("1.9", "1.9", "In numbers › Credit › Email, ROI"),
    ]


def test_a_number_said_twice_is_traced_once() -> None:
    assert len(traces("1,240 are 1,240.", DOCUMENT)) == 1


def test_a_number_of_things_is_traced_to_words_about_the_same_things_only() -> None:
    said = replace(DOCUMENT, sections=(Section(title="Health", sentences=("3 channels have gaps; 8 days are late.",)),))
    assert traces("Of 3 channels", said) == [Trace("3", "3 channels have gaps; 8 days are late.", "Health")]
    assert traces("Of 8 channels", said) == [Trace("8", "", "")]


def test_a_number_of_lines_is_traced_to_the_table_that_has_so_many() -> None:
    rows = tuple(Row(label=name, cells=(ROI,)) for name in ("Email", "TV", "Radio"))
    total = Row(label="All", cells=(ROI,), is_total=True)
    table = DataTable(title="Returns", columns=("Channel", "ROI"), rows=(*rows, total))
    document = replace(DOCUMENT, sections=(Section(title="In numbers", tables=(table,)),))
    assert traces("the most of 3 channels", document) == [Trace("3", "the lines of “Returns”", "In numbers › Returns")]
    assert traces("the most of 4 channels", document) == [Trace("4", "", "")]
