"""An attribution result as a document."""

from typing import TYPE_CHECKING

from analyses.documents import Document

if TYPE_CHECKING:
    from analyses.models import Run


def document(run: "Run") -> Document:
    """Return a finished run for its page and its exports."""
    raise NotImplementedError
