"""How many computations run at once: slots are locks on files, which the kernel frees whatever happens to a process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def free_slot() -> Iterator[bool]:
    """Hold one of this machine's slots for the block; False if all are taken.

    Whoever frees one rings for the next job that waits for it.
    """
    tried = (try_lock(place) for place in _places())
    lock = next((lock for lock in tried if lock is not None), None)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def children_directory() -> Path:
    """Return the private directory of all that computations keep on this machine; it is made if missing."""
    directory = Path(settings.DATA_DIR) / "children"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def try_lock(path: Path) -> int | None:
    """Lock a file, which is created if missing, until the returned descriptor is closed; None if somebody else has it.

    Python opens descriptors close-on-exec, so no child holds the lock on.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def slots_in_use() -> int:
    """How many slots of this machine are held now. A worker that tries one in this very moment tries again soon."""
    held = 0
    for place in _places():
        if not place.exists():
            continue
        lock = try_lock(place)
        if lock is None:
            held += 1
        else:
            os.close(lock)
    return held


def _places() -> list[Path]:
    slots = children_directory() / "slots"
    slots.mkdir(mode=0o700, exist_ok=True)
    return [slots / f"machine-{number}" for number in range(settings.JOB_CHILD_SLOTS)]
