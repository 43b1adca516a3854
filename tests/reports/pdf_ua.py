"""What of PDF/UA-1 (ISO 14289-1) can be told from the structure of a file. veraPDF knows more; this needs no Java."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf

HEADINGS = tuple(f"/H{level}" for level in range(1, 7))
UA_NAMESPACE = "{http://www.aiim.org/pdfua/ns/id/}"


def problems(pdf: bytes) -> list[str]:
    """Return what is wrong with the file, as sentences; none if nothing is."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        tree = list(_elements(file))
        return [
            *_of_the_document(file),
            *_of_figures(tree),
            *_of_tables(tree),
            *_of_headings(tree),
            *_of_fonts(file),
            *_of_links(file),
            *_of_content(file),
        ]


def figures(pdf: bytes) -> list[str]:
    """Return what is said of each figure, in the order of the document."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        return [str(one.get("/Alt", "")) for one in _elements(file) if one.S == "/Figure"]


def headings(pdf: bytes) -> list[int]:
    """Return the level of each heading, in the order of the document."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        return _levels(list(_elements(file)))


def bookmarks(pdf: bytes) -> list[str]:
    """Return the titles of the outline, parents before children."""

    def walk(items: Any) -> Iterator[str]:
        for item in items:
            yield item.title
            yield from walk(item.children)

    with pikepdf.open(io.BytesIO(pdf)) as file, file.open_outline() as outline:
        return list(walk(outline.root))


def _elements(file: pikepdf.Pdf) -> Iterator[Any]:
    """Yield the elements of the structure, parents before children."""

    def walk(element: Any) -> Iterator[Any]:
        if not isinstance(element, pikepdf.Dictionary) or "/S" not in element:
            return
        yield element
        kids = element.get("/K")
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            yield from walk(kid)

    root = file.Root.get("/StructTreeRoot")
    kids = root.get("/K") if root is not None else None
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        yield from walk(kid)


def _of_the_document(file: pikepdf.Pdf) -> Iterator[str]:
    root: Any = file.Root
    if not _entry(root, "/MarkInfo", "/Marked"):
        yield "The file does not say that it is tagged."
    if "/StructTreeRoot" not in root:
        yield "There is no structure."
    if not str(root.get("/Lang", "")):
        yield "There is no language."
    if not _entry(root, "/ViewerPreferences", "/DisplayDocTitle"):
        yield "The title is not displayed."
    with file.open_metadata() as metadata:
        if metadata.get(f"{UA_NAMESPACE}part") != "1":
            yield "The metadata does not say PDF/UA-1."
        if not str(metadata.get("dc:title", "")):
            yield "The metadata has no title."


def _entry(item: Any, *keys: str) -> Any:
    """What stands under keys below each other, None where one is missing."""
    for key in keys:
        item = item.get(key) if item is not None else None
    return item


def _of_figures(tree: list[Any]) -> Iterator[str]:
    for place, figure in enumerate((one for one in tree if one.S == "/Figure"), start=1):
        if not str(figure.get("/Alt", "")).strip():
            yield f"Figure {place} has no alternative in words."


def _of_tables(tree: list[Any]) -> Iterator[str]:
    for place, table in enumerate((one for one in tree if one.S == "/Table"), start=1):
        headers = [one for one in _below(table) if one.S == "/TH"]
        if not headers:
            yield f"Table {place} has no headers."
        for header in headers:
            if _entry(header, "/A", "/Scope") not in ("/Row", "/Column"):
                yield f"A header of table {place} does not say what it heads."
        rows = [one for one in _below(table) if one.S == "/TR"]
        widths = {sum(int(_entry(cell, "/A", "/ColSpan") or 1) for cell in _cells(row)) for row in rows}
        if len(widths) > 1:
            yield f"The rows of table {place} have {sorted(widths)} cells."


def _below(element: Any) -> Iterator[Any]:
    kids = element.get("/K")
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _below(kid)


def _cells(row: Any) -> list[Any]:
    return [one for one in _below(row) if one.S in ("/TH", "/TD")]


def _levels(tree: list[Any]) -> list[int]:
    return [int(str(one.S)[2:]) for one in tree if one.S in HEADINGS]


def _of_headings(tree: list[Any]) -> Iterator[str]:
    before = 0
    for level in _levels(tree):
        if level > before + 1:
            yield f"A heading of level {level} follows one of level {before}."
        before = level


def _of_fonts(file: pikepdf.Pdf) -> Iterator[str]:
    for item in file.objects:
        if not isinstance(item, pikepdf.Dictionary) or item.get("/Type") != "/Font" or "/DescendantFonts" in item:
            continue
        if not any(_entry(item, "/FontDescriptor", f"/FontFile{kind}") for kind in ("", "2", "3")):
            yield f"The font {item.get('/BaseFont')} is not embedded."


def _of_links(file: pikepdf.Pdf) -> Iterator[str]:
    names = {str(key) for key in _destinations(file)}
    for number, page in enumerate(file.pages, start=1):
        for annotation in page.obj.get("/Annots", []):
            if annotation.get("/Subtype") != "/Link":
                yield f"Page {number} has an annotation that is no link."
            elif "/A" in annotation or "/Dest" not in annotation:
                yield f"A link of page {number} leads out of the document."
            elif str(annotation.Dest) not in names:
                yield f"A link of page {number} leads nowhere."
            elif not str(annotation.get("/Contents", "")):
                yield f"A link of page {number} is not described."
            elif "/StructParent" not in annotation:
                yield f"A link of page {number} is not in the structure."


def _destinations(file: pikepdf.Pdf) -> Any:
    names = _entry(file.Root, "/Names", "/Dests")
    return pikepdf.NameTree(names) if names is not None else {}


def _of_content(file: pikepdf.Pdf) -> Iterator[str]:
    """Text and pictures are tagged, or marked as mere ornament."""
    for number, page in enumerate(file.pages, start=1):
        if page.obj.get("/Tabs") != "/S":
            yield f"The links of page {number} are not in the order of the structure."
        depth = 0
        for instruction in pikepdf.parse_content_stream(page):
            operator = str(instruction.operator)
            if operator in ("BMC", "BDC"):
                depth += 1
            elif operator == "EMC":
                depth -= 1
            elif operator in ("Tj", "TJ", "Do") and depth == 0:
                yield f"Page {number} shows something that is neither tagged nor ornament."
                break
