"""A shop whose data tests import from the text of a file, and cross-channel questions carried out at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from tests.conftest import ImportRows
from tests.crosschannel.shop import PERIOD, conversion_rows, touch_rows

Follow = Callable[..., Run]


@pytest.fixture
def client(owner: User) -> Client:
    """A browser in which the owner is signed in."""
    client = Client()
    client.force_login(owner)
    return client


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
