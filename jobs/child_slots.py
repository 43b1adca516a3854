"""How many computations run at once: slots are locks on files, which the kernel frees whatever happens to a process."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

from accounts.plans import plan_of
from jobs.handlers import JobDeferred
from jobs.progress import Progress

WAITING = "Waiting for a free slot"
SECONDS_BETWEEN_LOOKS = 0.25
# Longer than this a job does not keep a thread of its worker from other jobs: it goes back into the queue.
PATIENCE_SECONDS = 5.0


@contextmanager
def slot(*, progress: Progress) -> Iterator[None]:
    """Wait for a slot of the job's workspace, then for one of this machine, and hold both for the block.

    Raises what `progress` raises while it waits, and JobDeferred where none becomes free in good time. The workspace
    comes first: so its second computation does not keep a slot of the machine from others while it waits for its first.
    """
    workspace = progress.job.workspace
    fits = plan_of(workspace).concurrent_fits
    with ExitStack() as held:
        if fits is not None:
            held.callback(os.close, _wait_for([f"{workspace.pk}-{n}" for n in range(max(fits, 1))], progress))
        held.callback(os.close, _wait_for([f"machine-{n}" for n in range(settings.JOB_CHILD_SLOTS)], progress))
        yield


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
    slots = children_directory() / "slots"
    held = 0
    for number in range(settings.JOB_CHILD_SLOTS):
        place = slots / f"machine-{number}"
        if not place.exists():
            continue
        lock = try_lock(place)
        if lock is None:
            held += 1
        else:
            os.close(lock)
    return held


def _wait_for(names: Sequence[str], progress: Progress) -> int:
    """Return the lock on one of the slots with these names, having waited until one was free, or raise JobDeferred."""
    waited_since = time.monotonic()
    slots = children_directory() / "slots"
    slots.mkdir(mode=0o700, exist_ok=True)
    while True:
        for name in names:
            if (lock := try_lock(slots / name)) is not None:
                return lock
        progress(WAITING, 0.0)
        if time.monotonic() - waited_since > PATIENCE_SECONDS:
            raise JobDeferred
        time.sleep(SECONDS_BETWEEN_LOOKS)
