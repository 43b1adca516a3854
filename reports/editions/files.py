"""The files of an edition: each is made once, and the same whoever fetches it."""

from collections.abc import Callable
from pathlib import Path

from analyses.documents import Document
from reports.branding.looks import look_of
from reports.editions import snapshots
from reports.exports import FORMATS, write
from reports.models import Edition


def file_of(edition: Edition, form: str) -> Path:
    """The file of a finished edition in a format of FORMATS, made now if it has not been yet. Raises SnapshotLost."""
    path = _place(edition, form)
    return path if path.is_file() else make(edition, snapshots.document_of(edition), form)


def make(edition: Edition, document: Document, form: str) -> Path:
    """Write the document of an edition in a format, and return the file, which is whole or not there."""
    path = _place(edition, form)
    snapshots.write_whole(path, write(document, form, look_of(edition.workspace)))
    return path


def name_of(document: Document, form: str) -> str:
    """What the file is called where it arrives."""
    return f"{document.file_name}.{form}"


def kept_beside(edition: Edition, ending: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, made once for an edition and kept beside its files under their name and this ending."""
    path = _named(edition, ending)
    if not path.is_file():
        snapshots.write_whole(path, make())
    return path.read_bytes()


def _place(edition: Edition, form: str) -> Path:
    if form not in FORMATS:
        raise ValueError(f"There is no format “{form}”.")
    return _named(edition, form)


def _named(edition: Edition, ending: str) -> Path:
    # By the snapshot that it is made from: an interrupted claim may have left files of another one.
    name = Path(edition.snapshot).name.partition(".")[0]
    return snapshots.folder(edition) / f"{name}.{ending}"
