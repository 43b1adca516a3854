"""A shop with goals whose data tests import from the text of a file, and questions carried out at once."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute

Attribute = Callable[..., Run]


@pytest.fixture
def attribute(shop: Workspace) -> Attribute:
    """`attribute(model="last")` asks for attribution in March 2026 and returns the run as it ended."""

    def attribute(*, workspace: Workspace = shop, **params: Any) -> Run:
        period = {"start": "2026-03-01", "end": "2026-03-31"}
        run = request_run(
            workspace=workspace,
            kind="attribution",
            params=period | params,
            by=None,
            trigger=Run.Trigger.CLI,
            ring=False,
        )
        execute(job_id=run.job_id)
        return Run.objects.select_related("job", "workspace").get(pk=run.pk)

    return attribute
