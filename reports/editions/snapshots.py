"""A finished document in a file, as it was read when it was made: JSON, compressed.

Pages and files of an edition are made from it, so that they say the same for ever, whatever becomes of the data, the
runs and the wording of later versions.
"""

import functools
import gzip
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import cattrs
from cattrs.strategies import configure_tagged_union
from django.conf import settings
from rest_framework.utils.encoders import JSONEncoder

from analyses.documents import Document
from charts import Chart
from reports.models import Edition

FOLDER = "editions"


class SnapshotLost(Exception):
    """The file of an edition is not there, or cannot be read any more; the sentence says what to do."""


def write(edition: Edition, document: Document, *, fence: int) -> str:
    """Keep the document where only this claim of the edition's job writes; return its path below MEDIA_ROOT.

    The file is complete, on disk and under its name when this returns, or not there at all.
    """
    content = gzip.compress(as_json(document).encode(), mtime=0)
    path = folder(edition) / f"{fence}.json.gz"
    write_whole(path, content)
    return str(path.relative_to(settings.MEDIA_ROOT))


def document_of(edition: Edition) -> Document:
    """The document of a finished edition. Raises SnapshotLost."""
    if not edition.snapshot:
        raise SnapshotLost("This edition has not been finished.")
    try:
        text = gzip.decompress((Path(settings.MEDIA_ROOT) / edition.snapshot).read_bytes()).decode()
        return from_json(text)
    except (OSError, EOFError, ValueError, KeyError, cattrs.BaseValidationError) as error:
        raise SnapshotLost("What was kept of this edition cannot be read any more. Make the report again.") from error


def as_json(document: Document) -> str:
    """The document as JSON; floats are exact, and infinity and NaN raise ValueError."""
    plain = _converter().unstructure(document)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"), cls=JSONEncoder)


def from_json(text: str) -> Document:
    """The document that `as_json` made the text of. Raises ValueError or cattrs.BaseValidationError for another."""
    return _converter().structure(json.loads(text), Document)


def folder(edition: Edition) -> Path:
    """Where an edition's files are; each workspace has a folder of its own."""
    return Path(settings.MEDIA_ROOT) / FOLDER / str(edition.workspace_id) / str(edition.pk)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.draft")  # of this writer alone: threads share a process
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@functools.cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    configure_tagged_union(Chart, converter, tag_name="chart")
    # What documents hold beside dataclasses is plain JSON already, or becomes it when it is written.
    converter.register_unstructure_hook_func(_is_plain, lambda value: value)
    converter.register_structure_hook_func(_is_plain, lambda value, _type: value)
    converter.register_unstructure_hook_func(_is_rows, lambda rows: [list(row) for row in rows])
    converter.register_structure_hook_func(_is_rows, lambda rows, _type: [tuple(row) for row in rows])
    return converter


def _is_plain(kind: Any) -> bool:
    return kind == Mapping[str, Any] or kind in (str | int | float | None, float | int | None)


def _is_rows(kind: Any) -> bool:
    return bool(kind == get_type_hints(Document)["rows"])
