"""CSV: all numbers as one table, in full precision."""

from analyses.documents import Document
from analyses.exports import csv_lines


def write(document: Document) -> bytes:
    """Return the document's rows as CSV in UTF-8."""
    return "".join(csv_lines(document.rows)).encode()
