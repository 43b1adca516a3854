"""Workbooks for tests: made by openpyxl, or taken apart and put together with a part changed."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
CONTENT_TYPES = "[Content_Types].xml"


def workbook(rows: Sequence[Sequence[Any]], *, change: Callable[[Any], object] | None = None) -> bytes:
    """A workbook whose first sheet has the rows; `change` gets the openpyxl workbook before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if change:
        change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def with_parts(content: bytes, parts: Mapping[str, bytes | Callable[[bytes], bytes]]) -> bytes:
    """The workbook with parts replaced, changed or added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *parts}:
            part = parts.get(name)
            before = old.read(name) if name in old.namelist() else b""
            new.writestr(name, part(before) if callable(part) else before if part is None else part)
    return written.getvalue()


def sheet_xml(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(SHEET).decode()


def with_sheet(content: bytes, old: str, new: str) -> bytes:
    """The workbook with the XML of its first sheet changed; fails if there is nothing to change."""
    assert old in sheet_xml(content)
    return with_parts(content, {SHEET: lambda xml: xml.decode().replace(old, new).encode()})


def encrypted() -> bytes:
    """How the container begins that Excel puts a workbook with a password into."""
    return old_excel() + "EncryptedPackage".encode("utf-16-le") + bytes(1000)


def old_excel() -> bytes:
    """How a file of Excel 97 begins."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1500)
