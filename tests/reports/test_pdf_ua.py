"""PDF/UA: the exports pass the checker, and the checker finds what is planted."""

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest

from charts import SmallMultiples
from charts.svg import rows_of
from reports.branding.look import Look
from reports.exports import as_pdf
from tests.reports.documents import a_document, a_hostile_document, a_report
from tests.reports.logos import a_logo
from tests.reports.pdf_ua import UA_NAMESPACE, bookmarks, figures, headings, problems

Plant = Callable[[pikepdf.Pdf], None]


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return as_pdf.write(a_document())


@pytest.fixture(scope="module")
def report() -> bytes:
    return as_pdf.write(a_report(), Look(logo=a_logo(), colour="#0b6b3a", paper="letter"))


def test_a_document_has_no_problems(pdf: bytes) -> None:
    assert problems(pdf) == []


def test_a_report_with_a_logo_has_no_problems(report: bytes) -> None:
    assert problems(report) == []


def test_a_document_of_hostile_texts_has_no_problems() -> None:
    assert problems(as_pdf.write(a_hostile_document())) == []


def test_every_chart_and_the_logo_are_figures_described_in_words(pdf: bytes, report: bytes) -> None:
    expected = []
    for chart in a_document().charts:
        further = rows_of(chart, width_px=680)[1:] if isinstance(chart, SmallMultiples) else []
        expected += [chart.summary, *(" ".join(panel.summary for panel in row) for row in further)]
    assert figures(pdf) == expected
    assert len(expected) > len(a_document().charts)
    assert figures(report)[0] == f"Logo of {a_report().workspace}"


def test_the_outline_leads_to_all_headings(pdf: bytes, report: bytes) -> None:
    document = a_document()
    found = bookmarks(pdf)
    assert found[:3] == [document.title, "Contents", document.sections[0].title]
    assert {chart.title for chart in document.charts} < set(found)
    assert found[-1] == "Where these numbers come from"
    assert len(found) == len(headings(pdf))
    assert max(headings(report)) == 4


@pytest.mark.parametrize("letter", ["B", "E"])
def test_the_checker_sees_what_is_neither_tagged_nor_ornament(pdf: bytes, letter: str) -> None:
    def plant(file: pikepdf.Pdf) -> None:
        page = file.pages[0]
        page.contents_add(b"BT /f0 9 Tf (x) Tj ET", prepend=letter == "B")

    assert any("neither tagged nor ornament" in problem for problem in problems(changed(pdf, plant)))


def test_the_checker_sees_a_font_that_is_not_embedded(pdf: bytes) -> None:
    def plant(file: pikepdf.Pdf) -> None:
        for item in file.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor":
                for name in ("/FontFile", "/FontFile2", "/FontFile3"):
                    if name in item:
                        del item[name]

    assert any("is not embedded" in problem for problem in problems(changed(pdf, plant)))


def test_the_checker_sees_that_the_metadata_says_nothing(pdf: bytes) -> None:
    def plant(file: pikepdf.Pdf) -> None:
        with file.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            del metadata[f"{UA_NAMESPACE}part"]

    assert problems(changed(pdf, plant)) == ["The metadata does not say PDF/UA-1."]


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lambda file: _remove(file.Root, "/MarkInfo"), "The file does not say that it is tagged."),
        (lambda file: _remove(file.Root, "/Lang"), "There is no language."),
        (lambda file: _remove(file.Root, "/ViewerPreferences"), "The title is not displayed."),
        (lambda file: _remove(file.Root, "/StructTreeRoot"), "There is no structure."),
        (lambda file: _remove(_first(file, "/Figure"), "/Alt"), "Figure 1 has no alternative in words."),
        (lambda file: _remove(_first(file, "/TH").A, "/Scope"), "A header of table 1 does not say what it heads."),
        (lambda file: _set_all(file, "/TH", "/TD"), "Table 1 has no headers."),
        (lambda file: _set(_first(file, "/TD"), "/S", "/Div"), "The rows of table 1 have [1, 2] cells."),
        (lambda file: _set(_first(file, "/H2"), "/S", "/H3"), "A heading of level 3 follows one of level 1."),
        (lambda file: _remove(_link(file), "/Contents"), "A link of page 2 is not described."),
        (lambda file: _remove(_link(file), "/StructParent"), "A link of page 2 is not in the structure."),
        (lambda file: _set(_link(file), "/Dest", pikepdf.String("nowhere")), "A link of page 2 leads nowhere."),
        (lambda file: _lead_out(_link(file)), "A link of page 2 leads out of the document."),
        (
            lambda file: _remove(file.pages[1].obj, "/Tabs"),
            "The links of page 2 are not in the order of the structure.",
        ),
    ],
)
def test_the_checker_finds_a_planted_problem(pdf: bytes, plant: Plant, found: str) -> None:
    assert found in problems(changed(pdf, plant))


def changed(pdf: bytes, plant: Plant) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as file:
        plant(file)
        written = io.BytesIO()
        file.save(written)
    return written.getvalue()


def _first(file: pikepdf.Pdf, tag: str) -> Any:
    """The element of this tag that comes first in the file's order of objects, which is that of the document."""
    return _all(file, tag)[0]


def _all(file: pikepdf.Pdf, tag: str) -> list[Any]:
    return [item for item in file.objects if isinstance(item, pikepdf.Dictionary) and item.get("/S") == tag]


def _link(file: pikepdf.Pdf) -> Any:
    return file.pages[1].obj.Annots[0]


def _remove(item: Any, key: str) -> None:
    del item[key]


def _set(item: Any, key: str, value: Any) -> None:
    item[key] = pikepdf.Name(value) if isinstance(value, str) and value.startswith("/") else value


def _set_all(file: pikepdf.Pdf, tag: str, other: str) -> None:
    for item in _all(file, tag):
        item["/S"] = pikepdf.Name(other)


def _lead_out(link: Any) -> None:
    link["/A"] = pikepdf.Dictionary(S=pikepdf.Name("/URI"), URI=pikepdf.String("https://example.com"))
