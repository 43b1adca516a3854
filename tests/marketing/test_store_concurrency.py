"""Several builders at once agree: whoever is first wins, the others use what is there."""

import datetime as dt
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from accounts.models import Workspace
from marketing import store
from marketing.models import Dataset
from marketing.store import rows, snapshot
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, touch_import
from tests.marketing.snapshot_world import load_all, rows_of, visible_rows

BUILDERS = 6
LOAD_IN_A_CHILD = """
import sys, django
django.setup()
from accounts.models import Workspace
from marketing import store
from tests.marketing.snapshot_world import load_all
columns = load_all(Workspace.objects.get(pk=int(sys.argv[1])), store.TOUCHES)
print(len(columns["at"]), int(columns["sequence"].sum()))
"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(settings: Settings, tmp_path: Path) -> Workspace:
    """A workspace with two imports, in a database that other threads and processes see."""
    settings.MEDIA_ROOT = str(tmp_path)
    workspace: Workspace = WorkspaceFactory.create()
    rng = random.Random(1)
    for _ in range(2):
        touch_import(workspace, [(rng.randrange(50), NOON + dt.timedelta(rng.randrange(5))) for _ in range(300)])
    return workspace


def in_threads(work: Callable[[], object]) -> list[object]:
    """Do the same in several threads that start together."""
    together = threading.Barrier(BUILDERS)

    def start() -> object:
        together.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(BUILDERS) as pool:
        return [done.result() for done in [pool.submit(start) for _ in range(BUILDERS)]]


def segments(workspace: Workspace) -> list[Path]:
    folder = Path(django_settings.MEDIA_ROOT) / "snapshots" / str(workspace.pk) / "touches"
    return [path for path in folder.iterdir() if path.is_dir()]


@contextmanager
def no_lock(*args: object, **kwargs: object) -> Iterator[bool]:
    yield True


def test_builders_without_a_lock_agree_on_one_segment(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_builder_lock", no_lock)

    answers = in_threads(lambda: rows_of(load_all(filled, store.TOUCHES)))

    assert all(answer == visible_rows(filled, store.TOUCHES) for answer in answers)
    assert len(segments(filled)) == 1


def test_the_lock_saves_the_others_from_building(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[int]] = []
    stream_rows = rows.stream_rows

    def spy(*, table: store.Table, import_ids: list[int]) -> object:
        read.append(import_ids)
        return stream_rows(table=table, import_ids=import_ids)

    monkeypatch.setattr(snapshot, "stream_rows", spy)

    answers = in_threads(lambda: rows_of(load_all(filled, store.TOUCHES)))

    assert all(answer == visible_rows(filled, store.TOUCHES) for answer in answers)
    assert len(read) == 1


def test_readers_do_not_mind_segments_being_merged_and_removed(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that is superseded goes at once, under readers who were just about to open it."""
    monkeypatch.setattr(snapshot, "MOST_SMALL_SEGMENTS", 0)
    monkeypatch.setattr(snapshot, "KEPT_UNUSED_SECONDS", -1)
    monkeypatch.setattr(snapshot, "_builder_lock", no_lock)
    monkeypatch.setattr(snapshot, "READS", 100)
    imports = sorted(store.active_imports(workspace=filled)[Dataset.TOUCHPOINTS])

    def load_one_then_all() -> list[tuple[object, ...]]:
        for count in (1, 2, 1, 2):
            wanted = frozenset(imports[:count])
            columns = store.load(workspace=filled, table=store.TOUCHES, imports=wanted, names=("at",))
            assert len(columns["at"]) == 300 * count
        return rows_of(load_all(filled, store.TOUCHES))

    answers = in_threads(load_one_then_all)

    assert all(answer == visible_rows(filled, store.TOUCHES) for answer in answers)


def test_whoever_watches_a_build_may_write_while_others_write_too(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a job does: its progress is written on the connection that reads, the heartbeat on one of its own."""
    monkeypatch.setattr(rows, "CHUNK_ROWS", 100)
    monkeypatch.setattr(rows, "IDS_AT_ONCE", 40)
    written: list[float] = []

    def rename(name: str) -> None:
        Workspace.objects.filter(pk=filled.pk).update(name=name)

    def rename_elsewhere() -> None:
        try:
            rename("by another")
        finally:
            connection.close()

    def watch(fraction: float) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(rename_elsewhere).result()
        rename("by whoever watches")
        written.append(fraction)

    imports = store.active_imports(workspace=filled)[Dataset.TOUCHPOINTS]
    store.prepare(workspace=filled, table=store.TOUCHES, imports=imports, on_progress=watch)

    assert len(written) > 5
    assert rows_of(load_all(filled, store.TOUCHES)) == visible_rows(filled, store.TOUCHES)


def test_builders_in_several_processes_agree(filled: Workspace) -> None:
    database = connection.settings_dict
    host = f"{database['USER']}@{database['HOST']}:{database['PORT']}"
    url = f"postgres://{host}/{database['NAME']}" if database["HOST"] else f"sqlite:///{database['NAME']}"
    environment = os.environ | {
        "DATABASE_URL": url,
        "MEDIA_ROOT": django_settings.MEDIA_ROOT,
        "DJANGO_SETTINGS_MODULE": "mmm_project.settings",
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD_IN_A_CHILD, str(filled.pk)],
            env=environment,
            cwd=django_settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    answers = {child.communicate(timeout=60)[0] for child in children}

    columns = load_all(filled, store.TOUCHES)
    assert answers == {f"600 {columns['sequence'].sum()}\n"}
    assert len(segments(filled)) == 1
