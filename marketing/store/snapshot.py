"""Which segments there are, which are still to be built, and when they are merged or thrown away."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from django.conf import settings
from django.db.models import Sum

from accounts.models import Workspace
from marketing.frames import Int64Column
from marketing.models import Import
from marketing.store.merging import merge_in_memory, merge_on_disk, part_in_memory, sorted_rows
from marketing.store.rows import stream_rows
from marketing.store.segments import DamagedSegmentError, Imports, Segment, SegmentWriter, publish
from marketing.store.tables import CONVERSIONS, TOUCHES, Columns, Table, active_imports

MOST_SMALL_SEGMENTS = 8  # beside the largest; beyond that, or beyond a quarter of its rows, all are merged
LARGEST_SMALL_SHARE = 0.25
KEPT_UNUSED_SECONDS = 600  # superseded segments: a reader that is about to open one will find it nearly always
DRAFT_SECONDS = 3600  # a draft that nothing was added to for so long was left behind by a dead process
READS = 5  # a segment may be damaged, or be removed between being listed and being opened
LOCK_POLL_SECONDS = 0.05
DRAFT_PREFIX = "draft-"
ROWS_COUNTED_AT_ONCE = 1 << 20
READING_SHARE = 0.7  # of the time that building takes

OnProgress = Callable[[float], None]
T = TypeVar("T")


class DataChanged(Exception):
    """An import was undone, or its visible rows changed, while they were read."""


def nobody_watches(fraction: float) -> None:
    """Take progress in silence."""


def load(
    *,
    workspace: Workspace,
    table: Table,
    imports: Imports,
    names: Sequence[str],
    on_progress: OnProgress = nobody_watches,
) -> Columns:
    """Columns of the visible rows of these imports, sorted by customer, time and primary key; built if need be.

    Returns `customer_ids` (C,) int64 ascending, `offsets` (C+1,) int64 (the rows of customer i are
    `offsets[i]:offsets[i+1]`) and each column in `names`, (N,): read-only memory maps if one segment holds everything,
    else arrays. `on_progress` gets a fraction now and then while building or waiting, and may raise to stop it.

    Raises DataChanged if rows had to be read and an import is not active at its revision any more.
    """
    if not imports:
        return table.nothing(names)

    def read() -> Columns:
        segments = _prepared(workspace, table, imports, on_progress)
        return merge_in_memory(table=table, segments=segments, names=names)

    return _despite_damage(read)


@dataclass(frozen=True, slots=True)
class Sample:
    """Customers whose ids lie below `below` (None: all of them); they have about this `share` of the rows."""

    below: int | None
    share: float


def sample_of_customers(*, workspace: Workspace, table: Table, imports: Imports, most_rows: int) -> Sample | None:
    """Customers with about `most_rows` rows between them, or all; None if something has to be built first.

    Ids are hashes of keys, so the lowest of them are a random sample.
    """

    def choose() -> Sample | None:
        segments = _built(workspace, table, imports)
        if segments is None:
            return None
        rows = sum(segment.rows for segment in segments)
        stop = max(1, segments[0].customers * most_rows // rows) if rows > most_rows else 0
        if not 0 < stop < segments[0].customers:
            return Sample(None, 1.0)
        below = int(segments[0].column("customer_ids")[stop])
        parts = (
            segment.column("offsets")[np.searchsorted(segment.column("customer_ids"), below)] for segment in segments
        )
        return Sample(below, float(sum(parts)) / rows)

    return _despite_damage(choose)


def load_built(
    *, workspace: Workspace, table: Table, imports: Imports, names: Sequence[str], below: int | None = None
) -> Columns | None:
    """What `load` returns, or None if something has to be built for that: this reads and does nothing else.

    With `below`, only the rows of customers with smaller ids.
    """
    if not imports:
        return table.nothing(names)

    def read() -> Columns | None:
        segments = _built(workspace, table, imports)
        if segments is None:
            return None
        if below is None:
            return merge_in_memory(table=table, segments=segments, names=names)
        return part_in_memory(table=table, segments=segments, names=names, below=below)

    return _despite_damage(read)


def _built(workspace: Workspace, table: Table, imports: Imports) -> list[Segment] | None:
    """The segments that hold exactly these imports, largest first; None unless there are such."""
    directory = _directory(workspace, table)
    if not imports or not directory.is_dir():
        return None if imports else []
    segments = _cover(directory, imports)
    return segments if _held(segments) == imports else None


def count_by_id(*, workspace: Workspace, table: Table, imports: Imports, name: str) -> Int64Column | None:
    """How many visible rows of these imports have each id in a column of ids: (largest id + 1,) int64.

    Reads the one column and builds nothing: None if what has to be read is not there yet.
    """
    segments = _built(workspace, table, imports)
    if segments is None:
        return None
    counts = np.zeros(0, np.int64)
    try:
        for segment in segments:
            column = segment.column(name)
            for first in range(0, len(column), ROWS_COUNTED_AT_ONCE):
                more = np.bincount(column[first : first + ROWS_COUNTED_AT_ONCE])
                if len(more) > len(counts):
                    counts, more = more, counts
                counts[: len(more)] += more
    except DamagedSegmentError:
        return None  # somebody merged it into another one just now, or it has to be built again
    return counts


def prepare(*, workspace: Workspace, table: Table, imports: Imports, on_progress: OnProgress = nobody_watches) -> None:
    """Build what `load` would have to build, and merge small segments if they have become many or large.

    Raises DataChanged as `load` does.
    """
    if imports:
        _despite_damage(lambda: _prepared(workspace, table, imports, on_progress))


def discard(*, workspace: Workspace, import_ids: Collection[int]) -> None:
    """Throw away the segments that hold an import which will not count again; who is reading one finds it damaged."""
    doomed = set(import_ids)
    for table in (TOUCHES, CONVERSIONS):
        directory = _directory(workspace, table)
        if directory.is_dir():
            for segment in list(_segments(directory)):
                if doomed & {version.id for version in segment.imports}:
                    _remove(segment.path)


def discard_outdated(*, workspace: Workspace) -> None:
    """Throw away the segments with rows of an import that have changed or gone since, such as those of the erased."""
    for table in (TOUCHES, CONVERSIONS):
        directory = _directory(workspace, table)
        if directory.is_dir():
            present = active_imports(workspace=workspace)[table.dataset]
            for segment in list(_segments(directory)):
                if not segment.imports <= present:
                    _remove(segment.path)


def _despite_damage(read: Callable[[], T]) -> T:
    """Call `read` again, without the segment, whenever it finds a damaged one."""
    for _ in range(READS - 1):
        try:
            return read()
        except DamagedSegmentError as damage:
            _remove(damage.path)
    return read()


def _prepared(workspace: Workspace, table: Table, imports: Imports, on_progress: OnProgress) -> list[Segment]:
    """The segments, largest first, that together hold exactly these imports."""
    directory = _directory(workspace, table)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    segments = _cover(directory, imports)
    complete = _held(segments) == imports
    if not complete or _merge_due(segments):
        # A complete set can be read as it is, so a merge that someone else is at is not waited for.
        with _builder_lock(directory, wait=not complete, on_progress=on_progress) as is_builder:
            if is_builder:
                segments = _completed(workspace, table, imports, on_progress)
                _sweep(directory, keep=segments)
    for segment in segments:
        segment.touch()
    return segments


def _directory(workspace: Workspace, table: Table) -> Path:
    return Path(settings.MEDIA_ROOT) / "snapshots" / str(workspace.pk) / table.name


def _cover(directory: Path, imports: Imports) -> list[Segment]:
    """Disjoint segments with nothing but these imports, largest first: those with most rows, then most imports."""
    usable = [segment for segment in _segments(directory) if segment.imports <= imports]
    usable.sort(key=lambda segment: (segment.rows, len(segment.imports), segment.path.name), reverse=True)
    chosen: list[Segment] = []
    held: set[object] = set()
    for segment in usable:
        if held.isdisjoint(segment.imports):
            chosen.append(segment)
            held |= segment.imports
    return chosen


def _segments(directory: Path) -> Iterator[Segment]:
    """Every readable segment; one with a damaged manifest is removed."""
    for path in directory.iterdir():
        if path.is_dir() and not path.name.startswith(DRAFT_PREFIX):
            try:
                yield Segment.read(path)
            except DamagedSegmentError:
                _remove(path)


def _held(segments: Sequence[Segment]) -> Imports:
    return frozenset().union(*(segment.imports for segment in segments))


def _merge_due(segments: Sequence[Segment]) -> bool:
    if len(segments) < 2:
        return False
    largest, *small = segments
    return len(small) > MOST_SMALL_SEGMENTS or sum(part.rows for part in small) > LARGEST_SMALL_SHARE * largest.rows


@contextmanager
def _builder_lock(directory: Path, *, wait: bool, on_progress: OnProgress) -> Iterator[bool]:
    """Be the only builder, if possible; yields whether we are.

    This saves double work and no more: two builders of one segment would end with the same bytes in the same place.
    """
    with (directory / "lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    yield False
                    return
                on_progress(0.0)
                time.sleep(LOCK_POLL_SECONDS)
            else:
                yield True  # closing the file gives the lock back
                return


def _completed(workspace: Workspace, table: Table, imports: Imports, on_progress: OnProgress) -> list[Segment]:
    """The cover of these imports, with what is missing built and, if due, everything merged into one."""
    directory = _directory(workspace, table)
    segments = _cover(directory, imports)
    if missing := imports - _held(segments):
        segments.append(_build(workspace, table, missing, on_progress))
        segments.sort(key=lambda segment: segment.rows, reverse=True)
    if _merge_due(segments):
        with _draft(directory) as draft:
            segments = [publish(_merge(draft, table, segments, imports, on_progress), directory=directory)]
    return segments


def _build(workspace: Workspace, table: Table, imports: Imports, on_progress: OnProgress) -> Segment:
    """Read the visible rows of these imports into a new segment: sorted a chunk at a time, then merged."""
    directory = _directory(workspace, table)
    ids = sorted(version.id for version in imports)
    accepted = Import.objects.filter(workspace=workspace, pk__in=ids).aggregate(rows=Sum("accepted"))["rows"] or 0
    with _draft(directory) as draft:
        runs: list[Segment] = []
        for rows in stream_rows(table=table, import_ids=ids):
            path = draft / f"run-{len(runs)}"
            with SegmentWriter(path, table=table, imports=imports) as writer:
                writer.append(sorted_rows(rows))
            runs.append(Segment.read(path))
            on_progress(READING_SHARE * min(1.0, sum(run.rows for run in runs) / max(accepted, 1)))
        if not imports <= active_imports(workspace=workspace)[table.dataset]:
            raise DataChanged(f"The {table.dataset} of {workspace} changed while they were read.")
        whole = runs[0].path if len(runs) == 1 else _merge(draft, table, runs, imports, on_progress)
        return publish(whole, directory=directory)


def _merge(draft: Path, table: Table, segments: Sequence[Segment], imports: Imports, on_progress: OnProgress) -> Path:
    path = draft / "merged"
    with SegmentWriter(path, table=table, imports=imports) as writer:
        merge_on_disk(
            table=table,
            segments=segments,
            writer=writer,
            on_progress=lambda done: on_progress(READING_SHARE + (1 - READING_SHARE) * done),
        )
    return path


@contextmanager
def _draft(directory: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=DRAFT_PREFIX, dir=directory, ignore_cleanup_errors=True) as draft:
        yield Path(draft)


def _sweep(directory: Path, *, keep: Sequence[Segment]) -> None:
    """Throw away segments that nobody used for a while, and drafts of processes that died."""
    kept = {segment.path for segment in keep}
    for path in directory.iterdir():
        if path.is_dir() and path not in kept:
            limit = DRAFT_SECONDS if path.name.startswith(DRAFT_PREFIX) else KEPT_UNUSED_SECONDS
            with suppress(FileNotFoundError):  # somebody else removed it
                if time.time() - path.stat().st_mtime > limit:
                    _remove(path)


def _remove(path: Path) -> None:
    """Take a segment away whole: it is renamed first, so that nobody lists it half gone."""
    doomed = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=path.parent))
    with suppress(FileNotFoundError):  # somebody else removed it
        path.rename(doomed / "removed")
    shutil.rmtree(doomed, ignore_errors=True)
