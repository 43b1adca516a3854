"""A document in the formats that people take away. All carry the numbers of the document; nothing is computed here."""

import re
from dataclasses import dataclass
from importlib import import_module
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from analyses.documents import Document
from mmm_project.problems import NotFound
from reports.branding.look import PLAIN, Look

NO_CACHE = "private, no-store"
_NOT_IN_A_FILE_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name for people, its type, and the module here whose `write` makes it.

    `has_look`: whether `write` takes the workspace's look. `streams`: whether the module has `pieces`, which make it
    bit by bit. The modules are loaded when they are first needed: some bring heavy libraries into the web process.
    """

    label: str
    content_type: str
    module: str
    has_look: bool = False
    streams: bool = False


FORMATS = {
    "csv": Format("CSV", "text/csv; charset=utf-8", "as_csv", streams=True),
    "xlsx": Format(
        "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "as_xlsx", has_look=True
    ),
    "json": Format("JSON", "application/json", "as_json"),
    "pdf": Format("PDF", "application/pdf", "as_pdf", has_look=True),
    "pptx": Format(
        "PowerPoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "as_pptx",
        has_look=True,
    ),
}


def format_of(form: str) -> Format:
    """Return what is known of a format. Raises NotFound for one that there is not."""
    if form not in FORMATS:
        raise NotFound(f"There is no format “{form[:20]}”. Formats: {', '.join(FORMATS)}.")
    return FORMATS[form]


def write(document: Document, form: str, look: Look = PLAIN) -> bytes:
    """Return the document in a format of `FORMATS`. Raises NotFound for any other."""
    found = format_of(form)
    module = import_module(f"{__name__}.{found.module}")
    content: bytes = module.write(document, look) if found.has_look else module.write(document)
    return content


def download(document: Document, form: str, look: Look = PLAIN) -> HttpResponseBase:
    """Return the document as a file to keep, which no cache keeps. Raises NotFound for an unknown format."""
    found = format_of(form)
    headers = {"Content-Disposition": _attachment(f"{document.file_name}.{form}"), "Cache-Control": NO_CACHE}
    if found.streams:
        pieces = import_module(f"{__name__}.{found.module}").pieces(document)
        return StreamingHttpResponse(pieces, content_type=found.content_type, headers=headers)
    return HttpResponse(write(document, form, look), content_type=found.content_type, headers=headers)


def safe_name(file_name: str) -> str:
    """Return the name as any disk takes it."""
    return _NOT_IN_A_FILE_NAME.sub("-", file_name).lstrip(".-")


def _attachment(file_name: str) -> str:
    """Return the header that names a file, for old programs in ASCII too (RFC 6266, appendix D)."""
    name = safe_name(file_name)
    plain = _NOT_IN_A_FILE_NAME.sub("-", name.encode("ascii", "replace").decode())
    disposition = f'attachment; filename="{plain}"'
    return disposition if plain == name else f"{disposition}; filename*=UTF-8''{quote(name)}"
