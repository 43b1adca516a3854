"""Look through an Excel workbook, which is a ZIP archive of XML, before anything opens it.

What it unpacks to is bounded, and no part may declare a document type, which is how XML is made to burst.
"""

import functools
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from marketing.importing.errors import FileRejected, is_the_files_fault

MAX_UNPACKED_BYTES = 200 * 2**20
MAX_UNPACKED_RATIO = 100
HARMLESS_BYTES = 2**20  # a part that unpacks to no more than this may be as repetitive as it likes
MAX_PARTS = 10_000
SCANNED_AT_ONCE = 2**18
LONGEST_MARK = 200  # bytes of what is looked for, which may lie across two blocks
KEPT_RANGES = 10_000

DAMAGED = "The workbook is damaged. Open it in Excel, save it again as .xlsx, and upload that."
ENCRYPTED = "The workbook is encrypted. Save it without a password, and upload that."
MACROS = "The workbook holds macros. Save it as “Excel workbook (.xlsx)”, which leaves them out, and upload that."
NOT_A_WORKBOOK = "This is a ZIP archive, but not an Excel workbook. Unpack it, and upload the file that it holds."
SAVE_AS_XLSX = "Save it as “Excel workbook (.xlsx)”, and upload that."

DOCUMENT_TYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']+)["']""")
ENCODINGS = (b"utf-8", b"utf-16", b"us-ascii")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]{0,60}?ref\s*=\s*["'][A-Z]{1,3}(\d{1,7}):[A-Z]{1,3}(\d{1,7})""")
# What zipfile, openpyxl and the XML parsers raise on what is not as it should be; OSError is told apart.
DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, RuntimeError,
    SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(slots=True)
class Part:
    """What was seen in a part. `merged`: the first and last row of each range of merged cells."""

    formulas: bool = False
    merged: set[tuple[int, int]] = field(default_factory=set)


def look_through(path: Path) -> dict[str, Part]:
    """Return what the parts hold, by name. Raises FileRejected for what is no workbook, or not safe to unpack."""
    status = path.stat()
    return _look_through(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)
def _look_through(path: Path, changed_ns: int, size: int) -> dict[str, Part]:
    """Remember the last few: a file is opened several times on its way, and unpacking it takes a while."""
    del changed_ns, size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_kind({entry.filename for entry in entries})
            _check_sizes(entries)
            if b"macroEnabled" in archive.read("[Content_Types].xml"):
                raise FileRejected(MACROS)
            names = [entry.filename for entry in entries if entry.filename.endswith((".xml", ".rels"))]
            return {name: _scan(archive, name) for name in names}
    except (*DAMAGE, OSError) as error:
        if not is_the_files_fault(error):
            raise
        raise FileRejected("The workbook is cut off or damaged. Download it again, or save it anew.") from error


def _check_kind(names: set[str]) -> None:
    if "xl/workbook.bin" in names:
        raise FileRejected(f"This is a binary workbook (.xlsb). {SAVE_AS_XLSX}")
    if {"content.xml", "mimetype"} <= names:
        raise FileRejected(f"This is an OpenDocument file. {SAVE_AS_XLSX}")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRejected(MACROS)
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRejected(NOT_A_WORKBOOK)


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """What the entries say is what there can be: zipfile gives no more of a part than its entry says."""
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise FileRejected(ENCRYPTED)
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES or len(entries) > MAX_PARTS:
        raise FileRejected(
            f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 2**20:,} MB. Save the sheet as CSV, and upload "
            "that."
        )
    for entry in entries:
        if entry.file_size > max(HARMLESS_BYTES, MAX_UNPACKED_RATIO * entry.compress_size):
            raise FileRejected(
                f"A part of the workbook unpacks to more than {MAX_UNPACKED_RATIO} times its size, as no table does. "
                "Save the sheet as CSV, and upload that."
            )


def _scan(archive: zipfile.ZipFile, name: str) -> Part:
    part = Part()
    window = b""
    with archive.open(name) as file:
        while block := file.read(SCANNED_AT_ONCE):
            block = block.replace(b"\0", b"")  # as UTF-16 has between the letters
            declared = None if window else ENCODING.search(block[:LONGEST_MARK])
            if declared and declared[1].lower() not in ENCODINGS:
                raise FileRejected(DAMAGED)
            window = window[-LONGEST_MARK:] + block
            if DOCUMENT_TYPE.search(window):
                raise FileRejected("The workbook holds an XML document type, which Excel never writes. It is refused.")
            part.formulas = part.formulas or FORMULA.search(window) is not None
            if len(part.merged) < KEPT_RANGES:
                part.merged |= {(int(first), int(last)) for first, last in MERGED.findall(window)}
    return part
