"""The rejected rows of a file, kept beside it for people to download."""

from collections.abc import Iterator
from contextlib import contextmanager

from marketing.importing import kept_files
from marketing.importing.rejects import RejectsWriter


@contextmanager
def keep_rejects(stored: str, header: list[str]) -> Iterator[RejectsWriter]:
    """Yield what writes the rejected rows of the stored file; they are kept if there are any and nothing is raised.

    The place is that of earlier ones of the same file, which they replace.
    """
    kept = kept_files.path_of(kept_files.rejects_of(stored))
    draft = kept.with_name(f"{kept.name}.draft")
    try:
        with RejectsWriter(draft, header) as writer:
            yield writer
        if writer.count:
            draft.replace(kept)
        else:
            kept.unlink(missing_ok=True)
    finally:
        draft.unlink(missing_ok=True)
