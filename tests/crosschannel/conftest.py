"""A shop whose data tests import from the text of a file, and cross-channel questions carried out at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from marketing.receivers import create_default_goals
from tests.crosschannel.shop import PERIOD, conversion_rows, touch_rows

ImportRows = Callable[..., Import]
Follow = Callable[..., Run]


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """A workspace with the goals that a new one has; its files are this test's alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    create_default_goals(workspace=workspace)
    return workspace


@pytest.fixture
def import_rows(shop: Workspace, tmp_path: Path) -> ImportRows:
    """`import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T10:00Z,Email")`."""

    def import_rows(dataset: str, *lines: str) -> Import:
        file = tmp_path / f"rows-{Import.objects.count()}.csv"
        file.write_text("\n".join([*lines, ""]))
        batch = request_import(
            workspace=shop,
            dataset=Dataset(dataset),
            file=file,
            mapping={},
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        return Import.objects.select_related("job").get(pk=batch.pk)

    return import_rows


@pytest.fixture
def busy_shop(shop: Workspace, import_rows: ImportRows) -> Workspace:
    """The shop with the journeys of `tests.crosschannel.shop`."""
    import_rows("touchpoints", *touch_rows())
    import_rows("conversions", *conversion_rows())
    return shop


@pytest.fixture
def follow(shop: Workspace) -> Follow:
    """`follow(path_contains="Email")` asks for the journeys of the shop's period and returns the run as it ended."""

    def follow(kind: str = "crosschannel", **params: Any) -> Run:
        run = request_run(
            workspace=shop, kind=kind, params=PERIOD | params, by=None, trigger=Run.Trigger.CLI, ring=False
        )
        execute(job_id=run.job_id)
        run = Run.objects.select_related("job", "workspace").get(pk=run.pk)
        assert run.job.status == "done", run.job.error
        return run

    return follow
