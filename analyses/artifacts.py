"""The arrays of a finished run, in a file beside its row: npz without compression, and never pickled."""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from analyses.models import Run

Arrays = dict[str, npt.NDArray[Any]]


class ArtifactMissing(Exception):
    """The file of a run's arrays is not there, or is damaged; the sentence says which."""


def write(run: Run, arrays: Mapping[str, npt.NDArray[Any]], *, fence: int) -> str:
    """Write the arrays where only this claim of the run's job writes, and return the path below MEDIA_ROOT.

    The file is complete, on disk and under its name when this returns, or not there at all.
    """
    path = Path("runs") / str(run.workspace_id) / f"{run.pk}.{fence}.npz"
    place = _place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    for other in _all_of(run):
        if _fence(other) < fence:  # left behind by a claim that was interrupted; a later one's is not ours to touch
            other.unlink(missing_ok=True)
    return str(path)


def read(run: Run, *, only: Callable[[str], bool] = lambda _name: True) -> Arrays:
    """Return the run's arrays, or those whose names `only` accepts; none can be written to. Raises ArtifactMissing."""
    if not is_whole(run):
        raise ArtifactMissing("The figures of this run are no longer on disk. Run it again.")
    try:
        with np.load(_place(run.artifact), allow_pickle=False) as arrays:
            read = {name: arrays[name] for name in arrays.files if only(name)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactMissing("The figures of this run are damaged on disk. Run it again.") from error
    for array in read.values():
        array.flags.writeable = False
    return read


def is_whole(run: Run) -> bool:
    """Whether the file is there in its full size; reads nothing of it."""
    try:
        return bool(run.artifact) and _place(run.artifact).stat().st_size == run.artifact_bytes
    except OSError:
        return False


def is_lost(run: Run) -> bool:
    """Whether the run once had a file that is not there any more, in its full size and with an end that can be read."""
    return bool(run.artifact) and not (is_whole(run) and zipfile.is_zipfile(_place(run.artifact)))


def size(path: str) -> int:
    """The size in bytes of a file just written."""
    return _place(path).stat().st_size


def remove(path: str) -> None:
    """Remove a file; one that is gone already is no error."""
    if path:
        _place(path).unlink(missing_ok=True)


def remove_all(run: Run) -> None:
    """Remove every file of the run, whichever claim of its job wrote it."""
    for path in _all_of(run):
        path.unlink(missing_ok=True)


def _all_of(run: Run) -> Iterator[Path]:
    return (_place("runs") / str(run.workspace_id)).glob(f"{run.pk}.*")


def _fence(path: Path) -> int:
    """The claim that wrote a file, by its name: <run>.<fence>.npz, or .draft."""
    return int(path.name.split(".")[1])


def _place(path: str | Path) -> Path:
    return Path(settings.MEDIA_ROOT) / path
