"""Fixtures for tests of what comes in: an import carried out from the text of its file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.importing.inspection import inspect
from marketing.importing.layouts import recognise
from marketing.models import Dataset, Import, Upload
from marketing.receivers import create_default_goals
from tests.marketing.uploading import bring_in, check, spend_file, start


@pytest.fixture
def media_root(tmp_path: Path, settings: Settings) -> Path:
    """Where imported files are kept, for this test alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """A workspace with the goals that a new one has."""
    create_default_goals(workspace=workspace)
    return workspace


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write the text of a CSV file; each gets a name of its own."""

    def write(content: str) -> Path:
        path = tmp_path / f"rows-{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(content, newline="")
        return path

    return write


@pytest.fixture
def queue_import(shop: Workspace, media_root: Path, write_file: Callable[[str], Path]) -> Callable[..., Import]:
    """Ask for the import of a CSV text into the shop; its job stays queued."""

    def queue(dataset: str, content: str, **mapping: str) -> Import:
        return request_import(
            workspace=shop,
            dataset=Dataset(dataset),
            file=write_file(content),
            mapping=mapping,
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )

    return queue


@pytest.fixture
def import_rows(queue_import: Callable[..., Import]) -> Callable[..., Import]:
    """Import a CSV text into the shop and return the import as it ended."""

    def carry_out(dataset: str, content: str, **mapping: str) -> Import:
        batch = queue_import(dataset, content, **mapping)
        execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk)

    return carry_out


@pytest.fixture
def bring_in_export(shop: Workspace, media_root: Path) -> Callable[..., Import]:
    """Import a file as the page does when everything that it proposes is accepted."""

    def carry_out(path: Path, dataset: str | None = None) -> Import:
        found = inspect(path, file_name=path.name)
        assert found.questions == []
        layout = recognise(found.header, found.preamble, dataset=dataset)
        assert layout is not None
        batch = request_import(
            workspace=shop,
            dataset=layout.dataset,
            file=path,
            mapping=layout.mapping,
            reading=found.reading,
            layout=layout.code,
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk)

    return carry_out


@pytest.fixture
def write_export(tmp_path: Path) -> Callable[..., Path]:
    """Write a text file in an encoding."""

    def write_text(content: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return write_text


@pytest.fixture
def checked(shop: Workspace, analyst: User) -> Upload:
    """A file of spend that the analyst uploaded, with every row checked."""
    return check(start(shop, spend_file(), name="spend.csv", by=analyst))


@pytest.fixture
def imported(checked: Upload, analyst: User) -> Import:
    """The import of its valid rows."""
    return bring_in(checked, by=analyst)
