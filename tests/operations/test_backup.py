"""Making a backup and restoring it, on SQLite and within this process: what is kept, refused and undone."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import AuditEvent, Workspace
from jobs.models import Job
from operations.backups import archive, manifest, media, restoring
from operations.backups.making import Backup, make_backup
from operations.backups.problems import BackupError
from operations.backups.restoring import restore
from reports.models import Edition

pytestmark = pytest.mark.django_db(transaction=True)
FILES = {
    "runs/1/a.1.npz": b"arrays",
    "imports/1/b.csv": b"rows",
    "editions/1/2/3.json.gz": b"document",
    "of_a_later_version/c": b"anything",
    "at the top": b"a file",
}
LEFT_OUT = ("snapshots/1/touches/d", "exports/1.zip", "export_files/1/e.pptx", "runs/1/f.2.draft")
Elsewhere = Callable[..., Path]


@pytest.fixture(autouse=True)
def root(settings: Settings, tmp_path: Path) -> Path:
    """A MEDIA_ROOT with files of all sorts."""
    root = tmp_path / "media"
    settings.MEDIA_ROOT = str(root)
    for name, content in (FILES | dict.fromkeys(LEFT_OUT, b"computed")).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder for backups."""
    target = tmp_path / "backups"
    target.mkdir()
    return target


@pytest.fixture
def backup(workspace: Workspace, target: Path) -> Backup:
    return make_backup(to=target)


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Iterator[Elsewhere]:
    """Move to an installation without a database and without files, of this name; return its folder."""
    lost = connection.settings_dict["NAME"]

    def move(name: str = "elsewhere") -> Path:
        connection.close()
        connection.settings_dict["NAME"] = str(tmp_path / name / "db.sqlite3")
        (tmp_path / name).mkdir()
        settings.MEDIA_ROOT = str(tmp_path / name / "files")
        return tmp_path / name

    yield move
    connection.close()
    connection.settings_dict["NAME"] = lost


def files_below(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def is_empty(place: Path) -> bool:
    """Whether there is neither a table nor a file, nor anything left of an attempt."""
    connection.close()
    with closing(sqlite3.connect(place / "db.sqlite3")) as database:
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return tables == (0,) and set(files_below(place)) <= {"db.sqlite3"}


def add_edition(workspace: Workspace, snapshot: str) -> None:
    job = Job.objects.create(workspace=workspace, kind="reports.edition", status=Job.Status.DONE)
    Edition.objects.create(
        workspace=workspace,
        job=job,
        start="2026-01-01",
        end="2026-01-31",
        definition={},
        snapshot=snapshot,
        trigger=Edition.Trigger.PAGE,
    )


def refusal(backup: Backup, *, with_other_keys: bool = False) -> str:
    with pytest.raises(BackupError) as refused:
        restore(path=backup.path, with_other_keys=with_other_keys)
    return str(refused.value)


def test_rows_and_files_come_back(backup: Backup, workspace: Workspace, elsewhere: Elsewhere) -> None:
    place = elsewhere()
    restore(path=backup.path, with_other_keys=False)
    assert Workspace.objects.get().name == workspace.name
    assert files_below(place / "files") == FILES
    assert AuditEvent.objects.get().action == "installation.restored"
    connection.close()
    assert sorted(path.name for path in place.iterdir()) == ["db.sqlite3", "files"]
    assert (place / "db.sqlite3").stat().st_mode & 0o777 == 0o600


def test_what_is_kept_is_named_with_all_that_it_takes_to_restore_it(backup: Backup, target: Path) -> None:
    kept = backup.manifest
    assert set(kept.files) == {archive.DATABASE, *(archive.MEDIA + name for name in FILES)}
    assert kept.rows["accounts_workspace"] == 1
    assert kept.migrations["accounts"][0] == "0001_initial"
    assert (kept.database, kept.missing, kept.links) == ("sqlite", [], [])
    assert list(target.iterdir()) == [backup.path]
    assert backup.path.stat().st_mode & 0o777 == 0o600
    assert not [value for value in _secrets() if value.encode() in manifest.to_json(kept)]


def _secrets() -> list[str]:
    return [str(getattr(django_settings, name)) for name in ("SECRET_KEY", "CUSTOMER_HASH_KEY", "API_KEY_PEPPER")]


def test_a_backup_is_of_one_moment_while_others_write(workspace: Workspace, target: Path, elsewhere: Elsewhere) -> None:
    """A transaction that is open is not in it, and holds nothing up."""
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE accounts_workspace SET name = 'Half written'")
    kept = make_backup(to=target)
    writer.execute("ROLLBACK")
    writer.close()
    elsewhere()
    restore(path=kept.path, with_other_keys=False)
    assert Workspace.objects.get().name == workspace.name


def test_files_that_rows_miss_are_named(workspace: Workspace, target: Path) -> None:
    for snapshot in ("editions/1/2/3.json.gz", "editions/1/2/gone.json.gz"):
        add_edition(workspace, snapshot)
    assert make_backup(to=target).manifest.missing == ["editions/1/2/gone.json.gz"]


def test_a_row_that_comes_while_files_are_copied_is_not_in_it(
    workspace: Workspace, target: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may have come too late, so the database has to be of before."""
    kept_files = media.kept_files

    def meanwhile(*arguments: Any) -> Iterator[tuple[str, Path]]:
        yield from kept_files(*arguments)
        (root / "editions" / "late").write_bytes(b"document")
        add_edition(workspace, "editions/late")

    monkeypatch.setattr(media, "kept_files", meanwhile)
    kept = make_backup(to=target).manifest
    assert (kept.rows["reports_edition"], kept.missing) == (0, [])


def test_links_are_named_and_not_followed_but_at_the_top(workspace: Workspace, target: Path, root: Path) -> None:
    other_disk = root.parent / "other disk"
    other_disk.mkdir()
    (other_disk / "x").write_bytes(b"kept")
    (root / "linked").symlink_to(other_disk)
    (root / "runs" / "1" / "link").symlink_to(root / "at the top")
    (root / "runs" / "folder").symlink_to(other_disk)
    kept = make_backup(to=target).manifest
    assert "media/linked/x" in kept.files
    assert kept.links == ["runs/1/link", "runs/folder"]


def test_a_file_that_goes_meanwhile_is_no_fault(
    workspace: Workspace, target: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list(media.kept_files(root, []))
    (root / "runs/1/a.1.npz").unlink()
    monkeypatch.setattr(media, "kept_files", lambda *_: iter(found))
    assert "media/runs/1/a.1.npz" not in make_backup(to=target).manifest.files


def test_nothing_is_overwritten_and_no_backup_holds_another(backup: Backup, root: Path, target: Path) -> None:
    for to, sentence in (
        (backup.path, "There is a file"),
        (root, "outside MEDIA_ROOT"),
        (root / "runs" / "x.tar.zst", "outside MEDIA_ROOT"),
        (target / "nowhere" / "x", "There is no folder"),
    ):
        with pytest.raises(BackupError, match=sentence):
            make_backup(to=to)
    named = make_backup(to=target / "nightly")
    assert named.path == target / "nightly"


def test_a_backup_that_fails_leaves_nothing(
    workspace: Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.Writer, "close", fail)
    with pytest.raises(BackupError, match=r"is full\. Nothing has been kept of this backup"):
        make_backup(to=target)
    assert not list(target.iterdir())


def test_without_a_database_there_is_nothing_to_back_up(target: Path, elsewhere: Elsewhere) -> None:
    elsewhere()
    with connection.cursor():  # which makes an empty file
        pass
    with pytest.raises(BackupError, match="The database is empty: there is nothing to back up"):
        make_backup(to=target)
    assert not list(target.iterdir())


def test_what_is_there_is_never_overwritten(backup: Backup, root: Path, elsewhere: Elsewhere) -> None:
    assert "MEDIA_ROOT" in refusal(backup)
    place = elsewhere()
    root.rename(place.parent / "moved")
    (place / "files").mkdir()
    (place / "files" / "lost+found").mkdir()
    restore(path=backup.path, with_other_keys=False)
    place = elsewhere("third")
    restored = connection.settings_dict["NAME"].replace("third", "elsewhere")
    connection.settings_dict["NAME"] = restored
    assert "The database is not empty: it holds" in refusal(backup)
    assert not (place / "files").exists()


def test_other_keys_are_refused_unless_told(backup: Backup, settings: Settings, elsewhere: Elsewhere) -> None:
    place = elsewhere()
    settings.API_KEY_PEPPER = "another"
    assert "made under another API_KEY_PEPPER. Set the keys of that installation" in refusal(backup)
    settings.SECRET_KEY = "another"
    assert "made under other values of SECRET_KEY, API_KEY_PEPPER. Set" in refusal(backup)
    assert is_empty(place)
    restore(path=backup.path, with_other_keys=True)
    assert Workspace.objects.exists()


def test_a_newer_schema_or_another_kind_of_database_is_refused(
    backup: Backup, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = elsewhere()
    for changes, sentence in (
        ({"migrations": {"accounts": ["0999_later"]}}, "does not know the migration accounts.0999_later"),
        ({"database": "postgresql"}, "This is a backup of PostgreSQL, and DATABASE_URL names SQLite"),
    ):
        monkeypatch.setattr(restoring, "verify", lambda _path, changes=changes: replace(backup.manifest, **changes))
        assert sentence in refusal(backup)
    assert is_empty(place)


def test_an_older_schema_is_brought_up_to_date(backup: Backup, target: Path, elsewhere: Elsewhere) -> None:
    elsewhere()
    restore(path=backup.path, with_other_keys=False)
    call_command("migrate", "api", "zero", verbosity=0)
    older = make_backup(to=target / "older")
    assert "api" not in older.manifest.migrations
    elsewhere("newer")
    restore(path=older.path, with_other_keys=False)
    with connection.cursor() as cursor:
        assert "api_idempotentrequest" in connection.introspection.table_names(cursor)


@pytest.mark.parametrize("step", ["hold", "row_counts", "put_in_place"])
def test_a_restore_that_fails_leaves_nothing(
    step: str, backup: Backup, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = elsewhere()

    def fail(*_arguments: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(media if step == "put_in_place" else restoring, step, fail)
    assert "The backup could not be restored: [Errno 5] Input/output error." in refusal(backup)
    assert is_empty(place)
    monkeypatch.undo()


def test_a_disk_that_is_full_while_unpacking_leaves_nothing(
    backup: Backup, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = elsewhere()
    sync = os.fsync

    def fail_for_the_last_file(descriptor: int) -> None:
        if "at the top" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_the_last_file)
    assert refusal(backup) == "A disk is full. Make room, and restore again."
    assert is_empty(place)


def test_a_table_with_other_rows_than_before_is_noticed(
    backup: Backup, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = elsewhere()
    rows = backup.manifest.rows | {"accounts_workspace": 2}
    monkeypatch.setattr(restoring, "verify", lambda _path: replace(backup.manifest, rows=rows))
    assert refusal(backup) == "The table accounts_workspace holds 1 rows, and 2 when the backup was made."
    assert is_empty(place)


def test_a_disk_without_room_is_noticed_before(
    backup: Backup, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = elsewhere()
    monkeypatch.setattr(restoring, "room_on", lambda _folder: 2**20)
    assert "has 1 MiB free; the backup needs" in refusal(backup)
    assert is_empty(place)


def test_what_a_killed_restore_left_is_removed(backup: Backup, elsewhere: Elsewhere) -> None:
    place = elsewhere()
    (place / "files" / media.STAGING / "media").mkdir(parents=True)
    (place / "files" / media.STAGING / "media" / "half").write_bytes(b"half")
    (place / "db.sqlite3.restoring").write_bytes(b"half")
    restore(path=backup.path, with_other_keys=False)
    assert files_below(place / "files") == FILES


def test_the_commands_say_what_they_did(
    backup: Backup, target: Path, elsewhere: Elsewhere, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("backup", verify=backup.path)
    assert f"{backup.path} is whole" in capsys.readouterr().out
    call_command("backup", to=target / "again")
    assert f"{target / 'again'}: " in capsys.readouterr().out
    backup.path.write_bytes(backup.path.read_bytes()[:1000])
    with pytest.raises(CommandError, match="damaged or cut off"):
        call_command("backup", verify=backup.path)
    elsewhere()
    call_command("restore", path=target / "again")
    assert "Everybody has to sign in again." in capsys.readouterr().out
