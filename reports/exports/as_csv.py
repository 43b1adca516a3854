"""CSV: all numbers as one table, in full precision."""

from collections.abc import Iterator

from analyses.documents import Document
from mmm_project.tables import csv_pieces


def write(document: Document) -> bytes:
    """Return the document's rows as CSV in UTF-8."""
    return b"".join(pieces(document))


def pieces(document: Document) -> Iterator[bytes]:
    """Yield the same bit by bit, in constant memory."""
    return csv_pieces(document.rows)
