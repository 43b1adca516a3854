"""How much room there is for what the product keeps."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from operations.status.lines import Line, State

FEW_BYTES, FEW_SHARE = 2**30, 0.10
FULL_BYTES = 100 * 2**20


def disks() -> Iterator[Line]:
    """The file systems of the folders in which the product writes, each once."""
    seen: dict[int, Line] = {}
    for name, folder in (("DATA_DIR", Path(settings.DATA_DIR)), ("MEDIA_ROOT", Path(settings.MEDIA_ROOT))):
        there = next(place for place in (folder, *folder.parents) if place.exists())  # it is made when it is needed
        device = there.stat().st_dev
        if device not in seen:
            seen[device] = _disk(name, there)
            yield seen[device]


def _disk(name: str, folder: Path) -> Line:
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total if usage.total else 0.0
    free, total = filesizeformat(usage.free), filesizeformat(usage.total)
    sentence = f"{free} of {total} are free ({share:.0%}), at {folder}."
    if usage.free >= FEW_BYTES and share >= FEW_SHARE:
        return Line(name=f"Disk of {name}", state=State.OK, sentence=sentence)
    return Line(
        name=f"Disk of {name}",
        state=State.PROBLEM if usage.free < FULL_BYTES else State.WARNING,
        sentence=sentence,
        advice="Free some space or enlarge the disk: imports and runs fail when it is full. “du -sh” of the folders in "
        "MEDIA_ROOT says what fills it; snapshots may be deleted and are built again.",
    )
