"""What a backup says of itself: the last file in its archive."""

import datetime as dt
import json
from dataclasses import asdict, dataclass, field

import cattrs

from operations.backups.problems import BackupError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its size in bytes, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`database`: Django's name of the kind. `server`: its version; `tool`: that of pg_dump, "" for SQLite.

    `made_at`: ISO 8601, of the moment that the database is of. `migrations`: app -> those applied. `rows`: table ->
    how many. `keys`: of `operations.backups.keys`. `files`: name in the archive -> the file. `missing`: paths below
    MEDIA_ROOT that rows refer to and that were not there. `links`: those that were left out.
    """

    product: str
    made_at: str
    database: str
    server: str
    tool: str
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    keys: dict[str, str]
    files: dict[str, Entry]
    missing: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def when(self) -> str:
        """The moment that the backup is of, for people."""
        return f"{dt.datetime.fromisoformat(self.made_at):%Y-%m-%d %H:%M} UTC"

    @property
    def bytes(self) -> int:
        """What its files take, unpacked."""
        return sum(entry.size for entry in self.files.values())


def to_json(manifest: Manifest) -> bytes:
    return json.dumps(asdict(manifest), indent=1).encode()


def from_json(text: bytes) -> Manifest:
    """Read a manifest. Raises BackupError for one that is damaged, or of a format that is not known here."""
    try:
        found = json.loads(text)
        if found["format"] > FORMAT:
            raise BackupError(
                f"This backup was made by a newer version of the product, {found['product']}. Install that one first."
            )
        manifest = cattrs.structure(found, Manifest)
        dt.datetime.fromisoformat(manifest.made_at)
    except (ValueError, KeyError, TypeError, AttributeError, cattrs.BaseValidationError) as error:
        raise BackupError("The list of contents of this backup cannot be read: the file is damaged.") from error
    return manifest
