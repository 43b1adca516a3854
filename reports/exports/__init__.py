"""A document in the formats that people take away. All carry the numbers of the document; nothing is computed here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from urllib.parse import quote

from django.http import HttpResponse

from analyses.documents import Document
from mmm_project.problems import NotFound

Write = Callable[[Document], bytes]
_NOT_IN_A_FILE_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name for people, its type, and the module here whose `write` makes it.

    The modules are loaded when they are first needed: some bring heavy libraries into the web process.
    """

    label: str
    content_type: str
    module: str


FORMATS = {
    "csv": Format("CSV", "text/csv; charset=utf-8", "as_csv"),
    "xlsx": Format("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "as_xlsx"),
    "json": Format("JSON", "application/json", "as_json"),
    "pdf": Format("PDF", "application/pdf", "as_pdf"),
    "pptx": Format(
        "PowerPoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "as_pptx"
    ),
}


def write(document: Document, form: str) -> bytes:
    """Return the document in a format of `FORMATS`. Raises NotFound for any other."""
    if form not in FORMATS:
        raise NotFound(f"There is no format “{form[:20]}”. Formats: {', '.join(FORMATS)}.")
    writer: Write = import_module(f"{__name__}.{FORMATS[form].module}").write
    return writer(document)


def download(document: Document, form: str) -> HttpResponse:
    """Return the document as a file to keep, which no cache keeps. Raises NotFound for an unknown format."""
    content = write(document, form)
    headers = {
        "Content-Disposition": _attachment(f"{document.file_name}.{form}"),
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(content, content_type=FORMATS[form].content_type, headers=headers)


def _attachment(file_name: str) -> str:
    """Return the header that names a file, for old programs in ASCII too (RFC 6266, appendix D)."""
    name = _NOT_IN_A_FILE_NAME.sub("-", file_name).lstrip(".-")
    plain = _NOT_IN_A_FILE_NAME.sub("-", name.encode("ascii", "replace").decode())
    disposition = f'attachment; filename="{plain}"'
    return disposition if plain == name else f"{disposition}; filename*=UTF-8''{quote(name)}"
