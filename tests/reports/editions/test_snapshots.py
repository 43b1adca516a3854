import dataclasses
import gzip
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from charts.examples import EXAMPLES
from reports.editions import snapshots
from reports.models import Edition


def document(**changes: Any) -> Document:
    figure = Figure("1.2", "1.2345", 1.2345, 1.0, 2, "1.0", "2")
    return dataclasses.replace(
        Document(
            title="Review",
            subtitle="June",
            headline="€1 of revenue.",
            workspace="Größe & Söhne",
            currency="EUR",
            facts=(("Period", "1–30 Jun"),),
            cards=(Card(label="ROI", figure=figure, change="▲ +1%", change_tone="good"),),
            sections=(
                Section(
                    title="All charts",
                    part="Dashboard",
                    sentences=("One.",),
                    charts=tuple(EXAMPLES.values()),
                    tables=(
                        DataTable(
                            title="T",
                            columns=("Channel", "ROI"),
                            rows=(Row(label="=Email", cells=(figure,), href="/x"),),
                        ),
                    ),
                ),
            ),
            rows=[("channel", "value"), ("=Email", 0.1 + 0.2), ("", None), ("Count", 3)],
            data={"value": 0.1 + 0.2, "deep": [{"none": None}]},
            file_name="review",
            definitions=(("ROI", "What comes back."),),
            method=("Counted.",),
        ),
        **changes,
    )


def test_a_document_comes_back_from_json_as_it_was() -> None:
    whole = document()
    assert snapshots.from_json(snapshots.as_json(whole)) == whole


def test_every_field_of_a_document_is_kept() -> None:
    for field in dataclasses.fields(Document):
        empty = Document(
            title="", subtitle="", headline="", workspace="", currency="", facts=(), sections=(), rows=[], data={},
            file_name="",
        )  # fmt: skip
        assert getattr(document(), field.name) or field.name in ("notes",), field.name
        assert snapshots.from_json(snapshots.as_json(empty)) == empty


def test_numbers_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        snapshots.as_json(document(data={"value": float("nan")}))


@pytest.fixture
def edition(workspace: Workspace, settings: Settings, tmp_path: Path) -> Edition:
    settings.MEDIA_ROOT = str(tmp_path)
    return Edition(workspace=workspace)


def test_an_edition_keeps_its_document_in_a_file(edition: Edition) -> None:
    edition.snapshot = snapshots.write(edition, document(), fence=3)
    assert edition.snapshot == f"editions/{edition.workspace_id}/{edition.pk}/3.json.gz"
    assert snapshots.document_of(edition) == document()
    assert [path.name for path in snapshots.folder(edition).iterdir()] == ["3.json.gz"]


@pytest.mark.parametrize("damage", [b"", b"\x1f\x8b\x08", b"no gzip", None])
def test_a_lost_or_damaged_file_is_said(edition: Edition, damage: bytes | None) -> None:
    edition.snapshot = snapshots.write(edition, document(), fence=1)
    (path,) = snapshots.folder(edition).iterdir()
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(snapshots.SnapshotLost, match="Make the report again"):
        snapshots.document_of(edition)


def test_a_snapshot_of_another_shape_is_said(edition: Edition) -> None:
    edition.snapshot = snapshots.write(edition, document(), fence=1)
    (path,) = snapshots.folder(edition).iterdir()
    path.write_bytes(gzip.compress(b'{"title": "only"}'))
    with pytest.raises(snapshots.SnapshotLost):
        snapshots.document_of(edition)


def test_what_has_no_snapshot_is_not_finished(edition: Edition) -> None:
    with pytest.raises(snapshots.SnapshotLost, match="not been finished"):
        snapshots.document_of(edition)


def test_a_file_that_cannot_be_written_leaves_nothing(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        snapshots.write(edition, document(), fence=1)
    assert list(snapshots.folder(edition).iterdir()) == []
