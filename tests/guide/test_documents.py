"""The documents on disk: what they link to is there, whichever way they are read."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from django.conf import settings
from markdown_it.token import Token

from guide.formulas import mathml
from guide.links import is_external, path_below_docs
from guide.rendering import parse
from tests.guide.conftest import DOCS

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*DOCS.glob("*.md"), *DOCS.glob("guide/*.md"), *DOCS.glob("adr/*.md")])
IMAGES = DOCS / "guide/images"


def walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from walk(token.children or [])


def links(document: Path) -> Iterator[str]:
    """Yield what a document links to, and its pictures."""
    for token in walk(parse(document.read_text())):
        if token.type in ("link_open", "image"):
            yield str(token.attrs.get("href") or token.attrs.get("src"))


def anchors(document: Path) -> list[str]:
    return [str(token.attrGet("id")) for token in parse(document.read_text()) if token.type == "heading_open"]


@pytest.mark.parametrize("document", [ROOT / "README.md", *DOCUMENTS], ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    for link in links(document):
        if is_external(link):
            assert link.startswith("https://")
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_the_guide_shows_every_picture_that_it_has_and_describes_it() -> None:
    shown = Counter()  # type: ignore[var-annotated]
    for document in DOCS.glob("guide/*.md"):
        for token in walk(parse(document.read_text())):
            if token.type == "image":
                assert len(token.content) > 20, f"{token.attrs['src']} of {document.name} needs a description"
                shown[path_below_docs(str(token.attrs["src"]), document=f"guide/{document.name}")] += 1
    assert shown.keys() == {f"guide/images/{file.name}" for file in IMAGES.iterdir()}
    assert shown.total() == len(shown), "a picture is shown twice"
    for file in IMAGES.iterdir():
        assert file.stat().st_size <= 150_000, f"{file.name} is too large for a page"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_formula_is_shown_as_mathml(document: Path) -> None:
    for token in walk(parse(document.read_text())):
        if token.type.startswith("math"):
            element = mathml(token.content.strip(), is_block=token.type == "math_block")
            assert fromstring(element).tag == "{http://www.w3.org/1998/Math/MathML}math"
            assert "style=" not in element  # the content security policy would refuse it


def test_methods_has_its_equations_as_formulas() -> None:
    kinds = Counter(token.type for token in walk(parse((DOCS / "methods.md").read_text())))
    assert kinds["math_block"] >= 15
    assert kinds["math_inline"] >= 60
    assert kinds["code_block"] == 0  # what they were before


def test_every_source_of_methods_is_cited() -> None:
    text, _, sources = " ".join((DOCS / "methods.md").read_text().split()).partition("## Sources")
    entries = [entry for entry in sources.split("- ") if "(" in entry]
    listed = [(entry.partition(",")[0], entry.partition("(")[2][:4]) for entry in entries]
    assert len(listed) > 30
    for name, year in listed:
        surname = name.split()[-1]
        assert any(f"{year}" in text[at : at + 120] for at in _places(surname, text)), f"{name} {year} is not cited"


def _places(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def test_no_page_of_the_guide_is_left_out_of_its_contents() -> None:
    listed = {path_below_docs(link, document="guide/index.md") for link in links(DOCS / "guide/index.md")}
    assert {f"guide/{file.name}" for file in DOCS.glob("guide/*.md")} - {"guide/index.md"} <= listed
