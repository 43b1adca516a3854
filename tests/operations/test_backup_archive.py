"""The file that a backup is: what is written is read, and whatever is not a whole backup is refused with a sentence."""

import io
import os
import random
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from operations.backups import archive
from operations.backups.folders import working_folder
from operations.backups.manifest import FORMAT, Manifest, from_json, to_json
from operations.backups.problems import BackupError

CONTENTS = {"database": b"rows", "media/runs/1/a.npz": b"arrays" * 1000, "media/editions/1/é.json.gz": b""}


def manifest(**changes: object) -> Manifest:
    usual = {
        "product": "1.0",
        "made_at": "2026-11-27T10:00:00+00:00",
        "database": "sqlite",
        "server": "3.40",
        "tool": "",
        "migrations": {},
        "rows": {},
        "keys": {},
        "files": {},
    }
    return Manifest(**usual | changes)  # type: ignore[arg-type]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of three files."""
    return write(tmp_path / "backup.tar.zst", tmp_path / "originals")


def write(path: Path, originals: Path, contents: dict[str, bytes] = CONTENTS) -> Path:
    with archive.writing(path) as writer:
        for name, content in contents.items():
            original = originals / name
            original.parent.mkdir(parents=True, exist_ok=True)
            original.write_bytes(content)
            assert writer.add(name, original)
        writer.close(manifest(files=writer.files))
    return path


def members(path: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with (
        pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for info in tar:
            content = tar.extractfile(info)
            yield info, content.read() if content else b""


def rewrite(path: Path, found: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with (
        pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as tar,
    ):
        for info, content in found:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def refusal(path: Path, folder: Path | None = None) -> str:
    with pytest.raises(BackupError) as refused:
        archive.read(path, (lambda name: folder / name) if folder else lambda _name: None)
    return str(refused.value)


def test_what_was_written_is_read_to_the_byte(backup: Path, tmp_path: Path) -> None:
    found = archive.read(backup, lambda name: tmp_path / "restored" / name)
    assert {name: (tmp_path / "restored" / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert {name: entry.size for name, entry in found.files.items()} == {
        name: len(each) for name, each in CONTENTS.items()
    }


def test_only_its_owner_may_read_it(backup: Path, tmp_path: Path) -> None:
    archive.read(backup, lambda name: tmp_path / "restored" / name)
    for path in (backup, tmp_path / "restored" / "database"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_archive_that_is_cut_off_anywhere_is_refused(backup: Path) -> None:
    whole = backup.read_bytes()
    for length in range(0, len(whole), max(len(whole) // 50, 1)):
        backup.write_bytes(whole[:length])
        assert "is not a backup of this product, or it is damaged or cut off" in refusal(backup)


def test_a_large_file_that_is_cut_off_or_damaged_within_is_refused(tmp_path: Path) -> None:
    large = random.Random(1).randbytes(3 * 2**20)
    path = write(tmp_path / "backup", tmp_path / "originals", {"database": large})
    whole = path.read_bytes()
    for place in range(1, len(whole), len(whole) // 12):
        path.write_bytes(whole[:place])
        assert "or it is damaged or cut off" in refusal(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        assert "or it is damaged or cut off" in refusal(path)


def test_any_byte_that_is_changed_is_noticed(tmp_path: Path) -> None:
    """Whichever byte of the unpacked archive's files it is: of contents, names and the manifest."""
    path = write(tmp_path / "backup", tmp_path / "originals")
    found = list(members(path))
    for place, (info, content) in enumerate(found[:-1]):
        changed = list(found)
        changed[place] = (info, bytes([*content[:-1], content[-1] ^ 1]) if content else b"x")
        rewrite(path, changed)
        assert f"{info.name!r} is not what its list of contents says" in refusal(path)


def test_a_file_more_or_less_is_noticed(backup: Path) -> None:
    found = list(members(backup))
    rewrite(backup, [found[0], *found[2:]])
    assert "'media/runs/1/a.npz' is not what its list" in refusal(backup)
    rewrite(backup, [*found[:2], (tarfile.TarInfo("media/runs/1/b"), b"more"), *found[2:]])
    assert "'media/runs/1/b' is not what its list" in refusal(backup)
    rewrite(backup, [found[0], found[0], *found[1:]])
    assert "it holds 'database' twice" in refusal(backup)
    rewrite(backup, [*found, found[1]])
    assert "something follows its list of contents" in refusal(backup)
    rewrite(backup, found[:-1])
    assert "it ends before its list of contents" in refusal(backup)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "media/../../outside", "media/..", "../outside", "media/./a", "media//a", "other/a", "media", ""],
)
def test_no_file_gets_out_of_its_folder(backup: Path, tmp_path: Path, name: str) -> None:
    rewrite(backup, [(tarfile.TarInfo(name), b"evil"), *members(backup)])
    folder = tmp_path / "in" / "restored"
    assert "which no backup does" in refusal(backup, folder)
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "in" / "outside").exists()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_nothing_but_plain_files_is_unpacked(backup: Path, tmp_path: Path, kind: bytes) -> None:
    odd = tarfile.TarInfo("media/runs/odd")
    odd.type, odd.linkname = kind, str(tmp_path)
    rewrite(backup, [(odd, b""), *members(backup)])
    refusal(backup, tmp_path / "restored")
    assert not (tmp_path / "restored" / "media").exists()


def test_what_is_no_archive_at_all_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("Dear diary")
    assert "is not a backup of this product" in refusal(other)
    assert refusal(tmp_path / "nowhere") == f"{tmp_path / 'nowhere'} cannot be read: No such file or directory."
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: Is a directory."


def test_a_later_format_asks_for_a_later_version() -> None:
    with pytest.raises(BackupError, match=r"made by a newer version of the product, 9\.0\. Install that one first\."):
        from_json(to_json(manifest(format=FORMAT + 1, product="9.0")))


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'"x"', b'{"format": "x"}', b'{"format": 1, "rows": 3}', b"\xff"])
def test_a_manifest_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(BackupError, match="The list of contents of this backup cannot be read"):
        from_json(text)


def test_a_file_that_shrinks_while_it_is_read_stops_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = tmp_path / "file"
    original.write_bytes(b"longer")
    monkeypatch.setattr(os, "fstat", lambda _descriptor: SimpleNamespace(st_size=7))
    with (
        pytest.raises(BackupError, match=r"file was cut off while it was read"),
        archive.writing(tmp_path / "backup") as writer,
    ):
        writer.add("media/file", original)


def test_memory_does_not_grow_with_what_is_kept(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(32 * 2**20)
    tracemalloc.start()
    try:
        with archive.writing(tmp_path / "backup") as writer:
            writer.add("database", large)
            for number in range(50):
                writer.add(f"media/{number}", tmp_path / "backup")
            writer.close(manifest(files=writer.files))
        archive.read(tmp_path / "backup", lambda name: tmp_path / "restored" / name)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_of_two_at_work_in_a_folder_one_is_refused(tmp_path: Path) -> None:
    left = tmp_path / "working" / "left" / "by a killed one"
    left.mkdir(parents=True)
    with working_folder(tmp_path / "working") as folder:
        assert not list(folder.iterdir())
        with pytest.raises(BackupError, match="Another backup or restore is at work"), working_folder(folder):
            pass
        assert folder.is_dir()
    assert not folder.exists()
