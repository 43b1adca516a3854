"""The snapshot says what the database says, whatever happened to either."""

import datetime as dt
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Workspace
from marketing import store
from marketing.models import Dataset, Import
from marketing.store import merging, rows, snapshot
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, add_import, add_touches, conversion_import, touch_import
from tests.marketing.snapshot_world import change, load_all, microseconds, rows_of, visible_rows

SECOND = dt.timedelta(seconds=1)
MICROSECOND = dt.timedelta(microseconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def tiny_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows at a time, so that a small world needs many runs, parts and merges."""
    monkeypatch.setattr(rows, "CHUNK_ROWS", 16)
    monkeypatch.setattr(rows, "IDS_AT_ONCE", 8)
    monkeypatch.setattr(rows, "IMPORTS_PER_QUERY", 2)
    monkeypatch.setattr(merging, "PART_ROWS", 12)
    monkeypatch.setattr(merging, "SAMPLE_ROWS", 3)
    monkeypatch.setattr(snapshot, "MOST_SMALL_SEGMENTS", 2)


def segments(media: Path, workspace: Workspace, table: str = "touches") -> list[Path]:
    return sorted(path for path in (media / "snapshots" / str(workspace.pk) / table).iterdir() if path.is_dir())


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.npy")}


def touches(workspace: Workspace) -> list[tuple[object, ...]]:
    return rows_of(load_all(workspace, store.TOUCHES))


@pytest.mark.usefixtures("tiny_parts")
@pytest.mark.parametrize("seed", range(8))
def test_snapshot_equals_the_database_after_any_sequence_of_changes(workspace: Workspace, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        change(workspace, rng)
        for table in (store.TOUCHES, store.CONVERSIONS):
            assert rows_of(load_all(workspace, table)) == visible_rows(workspace, table)


def test_workspace_without_imports_has_an_empty_snapshot(workspace: Workspace) -> None:
    columns = load_all(workspace, store.TOUCHES)

    assert columns["offsets"].tolist() == [0]
    assert rows_of(columns) == []


def test_import_without_visible_rows_has_an_empty_snapshot(workspace: Workspace) -> None:
    add_import(workspace, Dataset.TOUCHPOINTS)

    assert touches(workspace) == []


def test_imports_that_are_not_active_are_not_seen(workspace: Workspace) -> None:
    for status in set(Import.Status) - {Import.Status.ACTIVE}:
        add_touches(add_import(workspace, Dataset.TOUCHPOINTS, status=status), [(1, NOON)])

    assert touches(workspace) == []


def test_no_row_of_another_workspace_is_seen(workspace: Workspace) -> None:
    touch_import(workspace, [(1, NOON)])
    elsewhere = WorkspaceFactory.create()
    touch_import(elsewhere, [(2, NOON), (3, NOON)])

    assert [row[0] for row in touches(workspace)] == [1]
    assert [row[0] for row in touches(elsewhere)] == [2, 3]


def test_ties_in_time_are_ordered_by_primary_key_across_segments(workspace: Workspace) -> None:
    early = add_import(workspace, Dataset.TOUCHPOINTS, status=Import.Status.UNDONE)
    first = add_touches(early, [(1, NOON)])
    later = add_touches(add_import(workspace, Dataset.TOUCHPOINTS), [(1, NOON), (1, NOON)])
    touches(workspace)
    Import.objects.filter(pk=early.pk).update(status=Import.Status.ACTIVE)

    sequence = load_all(workspace, store.TOUCHES)["sequence"].tolist()

    assert sequence == [touch.pk for touch in first + later]


def test_times_are_exact_to_the_microsecond(workspace: Workspace) -> None:
    times = [
        dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 29, 1, 0, 0, 100_000, tzinfo=dt.UTC),
        dt.datetime(2099, 12, 31, 12, 30, 0, 123_456, tzinfo=dt.UTC),
    ]
    touch_import(workspace, [(1, at) for at in times])

    assert load_all(workspace, store.TOUCHES)["at"].tolist() == [microseconds(at) for at in times]


def test_values_are_the_nearest_doubles_of_the_decimals(workspace: Workspace) -> None:
    values = ["0", "0.1", "19.9900", "123456789012.345678"]
    conversion_import(workspace, [(n, NOON, value) for n, value in enumerate(values)])

    assert load_all(workspace, store.CONVERSIONS)["value"].tolist() == [float(value) for value in values]


def test_one_segment_is_mapped_into_memory_and_read_only(workspace: Workspace) -> None:
    touch_import(workspace, [(1, NOON)])

    for column in load_all(workspace, store.TOUCHES).values():
        assert isinstance(column.base, np.memmap)
        assert not column.flags.writeable


def test_appending_an_import_reads_its_rows_only(
    workspace: Workspace, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch_import(workspace, [(customer, NOON) for customer in range(100)])
    touches(workspace)
    batch = touch_import(workspace, [(1, NOON - SECOND), (200, NOON)])
    read = spy_on_reading(monkeypatch)

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)
    assert read == [[batch.pk]]
    assert len(segments(media, workspace)) == 2


@pytest.mark.usefixtures("tiny_parts")
def test_appended_and_merged_equals_built_at_once_bit_for_bit(
    workspace: Workspace, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(3)

    def some() -> list[tuple[int, dt.datetime]]:
        return [(rng.randrange(30), NOON + rng.randrange(9) * SECOND) for _ in range(25)]

    monkeypatch.setattr(snapshot, "MOST_SMALL_SEGMENTS", 10)
    monkeypatch.setattr(snapshot, "LARGEST_SMALL_SHARE", 10.0)
    for _ in range(4):
        touch_import(workspace, some())
        appended = load_all(workspace, store.TOUCHES)
    assert len(segments(media, workspace)) == 4
    monkeypatch.setattr(snapshot, "MOST_SMALL_SEGMENTS", 0)
    merged = load_all(workspace, store.TOUCHES)
    [merged_on_disk] = (bytes_below(path) for path in segments(media, workspace) if holds(path, 4))
    shutil.rmtree(media / "snapshots")

    rebuilt = load_all(workspace, store.TOUCHES)

    for name, column in rebuilt.items():
        assert appended[name].dtype == merged[name].dtype == column.dtype
        assert appended[name].tobytes() == merged[name].tobytes() == column.tobytes()
    assert bytes_below(segments(media, workspace)[0]) == merged_on_disk


def holds(segment: Path, imports: int) -> bool:
    return len(json.loads((segment / "manifest.json").read_text())["imports"]) == imports


def test_small_segments_are_merged_when_they_are_many(workspace: Workspace, media: Path) -> None:
    touch_import(workspace, [(customer, NOON) for customer in range(1000)])
    for customer in range(snapshot.MOST_SMALL_SEGMENTS):
        touches(workspace)
        touch_import(workspace, [(customer, NOON)])
    touches(workspace)
    assert not any(holds(path, snapshot.MOST_SMALL_SEGMENTS + 2) for path in segments(media, workspace))
    touch_import(workspace, [(1, NOON)])

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)
    assert any(holds(path, snapshot.MOST_SMALL_SEGMENTS + 2) for path in segments(media, workspace))


def test_small_segments_are_merged_when_they_are_large(workspace: Workspace, media: Path) -> None:
    touch_import(workspace, [(customer, NOON) for customer in range(100)])
    touches(workspace)
    touch_import(workspace, [(customer, NOON) for customer in range(26)])

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)
    assert any(holds(path, 2) for path in segments(media, workspace))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)


def without_checksums(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"checksums": {}}))


def another_format(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 0}))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("at.npy", truncate),
        ("at.npy", flip_a_bit),
        ("source.npy", flip_a_bit),
        ("customer_ids.npy", flip_a_bit),
        ("offsets.npy", flip_a_bit),
        ("manifest.json", without_checksums),
        ("offsets.npy", truncate),
        ("source.npy", Path.unlink),
        ("source.npy", lambda path: path.write_bytes(b"")),
        ("manifest.json", truncate),
        ("manifest.json", Path.unlink),
        ("manifest.json", another_format),
    ],
)
def test_damaged_segment_is_built_again(
    workspace: Workspace, media: Path, file: str, damage: Callable[[Path], object]
) -> None:
    touch_import(workspace, [(1, NOON), (2, NOON)])
    touches(workspace)
    damage(segments(media, workspace)[0] / file)

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)


def test_snapshot_that_was_deleted_is_built_again(workspace: Workspace, media: Path) -> None:
    touch_import(workspace, [(1, NOON)])
    touches(workspace)
    shutil.rmtree(media / "snapshots")

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)


def test_undoing_an_import_brings_back_the_segment_from_before(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch_import(workspace, [(customer, NOON) for customer in range(9)])
    touches(workspace)
    batch = touch_import(workspace, [(1, NOON + SECOND)])
    touches(workspace)
    Import.objects.filter(pk=batch.pk).update(status=Import.Status.UNDONE)
    read = spy_on_reading(monkeypatch)

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)
    assert read == []


def spy_on_reading(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The import ids of every reading from the database from now on."""
    read: list[list[int]] = []
    stream_rows = rows.stream_rows

    def spy(*, table: store.Table, import_ids: list[int]) -> object:
        read.append(import_ids)
        return stream_rows(table=table, import_ids=import_ids)

    monkeypatch.setattr(snapshot, "stream_rows", spy)
    return read


def test_rows_that_change_while_they_are_read_are_not_kept(
    workspace: Workspace, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = touch_import(workspace, [(1, NOON), (2, NOON)])
    stream_rows = rows.stream_rows

    def stream_and_change(*, table: store.Table, import_ids: list[int]) -> object:
        yield from stream_rows(table=table, import_ids=import_ids)
        Import.objects.filter(pk=batch.pk).update(revision=1)

    monkeypatch.setattr(snapshot, "stream_rows", stream_and_change)

    with pytest.raises(store.DataChanged, match="touchpoints of Acme changed"):
        touches(workspace)
    assert segments(media, workspace) == []


def test_building_stops_when_whoever_watches_wants_it(workspace: Workspace, media: Path) -> None:
    touch_import(workspace, [(1, NOON)])

    def cancel(fraction: float) -> None:
        raise KeyboardInterrupt

    imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    with pytest.raises(KeyboardInterrupt):
        store.prepare(workspace=workspace, table=store.TOUCHES, imports=imports, on_progress=cancel)
    assert segments(media, workspace) == []


@pytest.mark.usefixtures("tiny_parts")
def test_progress_rises_from_nothing_to_all(workspace: Workspace) -> None:
    batch = touch_import(workspace, [(customer, NOON) for customer in range(90)])
    Import.objects.filter(pk=batch.pk).update(accepted=90)
    seen: list[float] = []

    imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    store.prepare(workspace=workspace, table=store.TOUCHES, imports=imports, on_progress=seen.append)

    assert seen == sorted(seen)
    assert len(seen) > 5
    assert seen[0] < 0.2
    assert seen[-1] == 1


def test_superseded_segments_stay_while_somebody_may_open_them(workspace: Workspace, media: Path) -> None:
    first = touch_import(workspace, [(1, NOON)])
    touches(workspace)
    [old] = segments(media, workspace)
    Import.objects.filter(pk=first.pk).update(revision=1)
    touches(workspace)
    assert old in segments(media, workspace)
    long_ago = old.stat().st_mtime - snapshot.KEPT_UNUSED_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    Import.objects.filter(pk=first.pk).update(revision=2)
    touches(workspace)

    assert old not in segments(media, workspace)


def test_drafts_of_dead_processes_are_swept(workspace: Workspace, media: Path) -> None:
    touch_import(workspace, [(1, NOON)])
    touches(workspace)
    folder = media / "snapshots" / str(workspace.pk) / "touches"
    dead, alive = folder / "draft-dead", folder / "draft-alive"
    for draft in (dead, alive):
        draft.mkdir()
        (draft / "at.npy").write_bytes(b"half")
    long_ago = dead.stat().st_mtime - snapshot.DRAFT_SECONDS - 1
    os.utime(dead, (long_ago, long_ago))
    touch_import(workspace, [(2, NOON)])
    touches(workspace)

    assert not dead.exists()
    assert alive.exists()


def test_snapshot_can_be_prepared_ahead(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    touch_import(workspace, [(1, NOON)])
    imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    store.prepare(workspace=workspace, table=store.TOUCHES, imports=imports)
    read = spy_on_reading(monkeypatch)

    assert touches(workspace) == visible_rows(workspace, store.TOUCHES)
    assert read == []


def test_loading_what_is_there_asks_the_database_for_the_active_imports_only(
    workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    touch_import(workspace, [(1, NOON)])
    touches(workspace)

    with django_assert_num_queries(1):
        touches(workspace)
