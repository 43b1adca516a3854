"""The arrays of a run in a file beside its row."""

import errno
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from analyses import artifacts, runs
from analyses.errors import AnalysisError
from analyses.models import Run
from jobs.models import Job
from jobs.progress import Progress
from tests.analyses.conftest import Ask, Sums, carry_out

ARRAYS = {"day": np.arange(5), "value": np.array([[0.5, -1.0]])}


@pytest.fixture
def media(tmp_path: Path, settings: Settings, sums: Sums) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    sums.arrays.update(ARRAYS)
    return tmp_path


def files(media: Path) -> list[str]:
    return sorted(path.name for path in (media / "runs").rglob("*") if path.is_file())


def test_what_is_computed_is_read_back(media: Path, ask: Ask) -> None:
    run = carry_out(ask())
    read = artifacts.read(run)
    assert {name: array.tolist() for name, array in read.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }
    assert not read["day"].flags.writeable
    assert (run.artifact, run.artifact_bytes) == (
        f"runs/{run.workspace_id}/{run.pk}.1.npz",
        (media / run.artifact).stat().st_size,
    )
    assert files(media) == [f"{run.pk}.1.npz"]


def test_a_run_without_arrays_has_no_file(media: Path, sums: Sums, ask: Ask) -> None:
    sums.arrays.clear()
    run = carry_out(ask())
    assert (run.artifact, run.job.status) == ("", "done")
    with pytest.raises(artifacts.ArtifactMissing):
        artifacts.read(run)


@pytest.mark.parametrize("harm", ["gone", "truncated", "longer", "scrambled"])
def test_a_file_that_is_lost_or_damaged_is_said_so(media: Path, ask: Ask, harm: str) -> None:
    run = carry_out(ask())
    file = media / run.artifact
    content = file.read_bytes()
    if harm == "gone":
        file.unlink()
    else:
        changed = {"truncated": content[:-7], "longer": content + b"x", "scrambled": b"\0" * len(content)}
        file.write_bytes(changed[harm])
    assert artifacts.is_whole(run) == (harm == "scrambled")
    with pytest.raises(artifacts.ArtifactMissing, match="Run it again"):
        artifacts.read(run)
    again = carry_out(ask())
    assert again.pk != run.pk
    assert artifacts.read(again).keys() == ARRAYS.keys()
    assert ask() == again
    run.refresh_from_db()
    assert (run.void, run.result) == (True, again.result)  # it stays readable


def test_a_pickle_is_not_read(media: Path, ask: Ask) -> None:
    run = carry_out(ask())
    file = media / run.artifact
    with zipfile.ZipFile(file, "w") as archive, archive.open("day.npy", "w") as member:
        np.lib.format.write_array(member, np.array([{"any": "object"}], object), allow_pickle=True)
    run.artifact_bytes = file.stat().st_size
    with pytest.raises(artifacts.ArtifactMissing, match="damaged"):
        artifacts.read(run)


def test_objects_are_not_written_and_nothing_is_left_behind(media: Path, ask: Ask) -> None:
    with pytest.raises(ValueError, match="pickle"):
        artifacts.write(ask(), {"day": np.array([object()])}, fence=1)
    assert files(media) == []


def test_a_claim_that_was_replaced_leaves_no_file(media: Path, sums: Sums, ask: Ask) -> None:
    run = ask()

    def replace_the_claim(_progress: Progress) -> None:
        Job.objects.filter(pk=run.job_id).update(fence=7)

    sums.work = replace_the_claim
    carry_out(run)
    assert files(media) == []
    assert Run.objects.get(pk=run.pk).artifact == ""


def test_what_an_interrupted_claim_left_is_cleared_away(media: Path, ask: Ask) -> None:
    run = ask()
    artifacts.write(run, ARRAYS, fence=0)
    assert files(media) == [f"{run.pk}.0.npz"]
    carry_out(run)
    assert files(media) == [f"{run.pk}.1.npz"]


def test_older_runs_are_forgotten_with_their_files_and_jobs(
    media: Path, sums: Sums, ask: Ask, django_capture_on_commit_callbacks: Any
) -> None:
    kept = []
    for version in range(5):
        sums.version = f"v{version}"
        kept.append(carry_out(ask()))
    with django_capture_on_commit_callbacks(execute=True):
        assert runs.forget_older(workspace=kept[0].workspace, kind="sums", keep=2) == 3
    assert set(Run.objects.values_list("pk", flat=True)) == {run.pk for run in kept[-2:]}
    assert set(Job.objects.values_list("pk", flat=True)) == {run.job_id for run in kept[-2:]}
    assert files(media) == sorted(f"{run.pk}.1.npz" for run in kept[-2:])


def test_a_later_claims_file_is_left_alone_by_one_that_was_replaced(media: Path, ask: Ask) -> None:
    run = ask()
    artifacts.write(run, ARRAYS, fence=2)
    artifacts.write(run, ARRAYS, fence=1)
    assert files(media) == [f"{run.pk}.1.npz", f"{run.pk}.2.npz"]


def test_a_full_disk_ends_the_run_with_a_sentence_and_leaves_nothing(
    media: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    run = carry_out(ask())
    assert (run.job.status, run.job.error_code, run.void) == ("failed", "storage_full", True)
    assert files(media) == []


def test_a_run_that_failed_takes_along_what_its_earlier_claims_left(
    media: Path, sums: Sums, ask: Ask, django_capture_on_commit_callbacks: Any
) -> None:
    run = ask()
    artifacts.write(run, ARRAYS, fence=0)

    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.")

    sums.work = fail
    with django_capture_on_commit_callbacks(execute=True):
        carry_out(run)
    assert files(media) == []
