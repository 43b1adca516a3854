"""Where the pages of runs lead to schedules: from a finished run with its settings, from others without."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses import registry
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import request_cancel
from jobs.execution import execute
from reports.schedules.contents import ANALYSES

ClientFor = Callable[[User | None], Client]
NEW = "/w/acme/settings/schedules/new/"


@pytest.fixture
def run(shop: Workspace) -> Run:
    params = {"model": "linear", "start": "2026-03-01", "end": "2026-03-31"}
    return request_run(workspace=shop, kind="attribution", params=params, by=None, trigger=Run.Trigger.PAGE, ring=False)


def test_the_kinds_that_can_be_scheduled_are_those_that_schedules_take() -> None:
    kinds = {name for name in registry.names() if registry.get(name).can_be_scheduled}
    assert kinds == set(ANALYSES) - {"dashboard"}


@pytest.mark.usefixtures("figures")
def test_a_finished_run_can_be_scheduled_as_it_is(run: Run, client_for: ClientFor, analyst: User, viewer: User) -> None:
    execute(job_id=run.job_id)
    page = client_for(analyst).get(f"/w/acme/runs/{run.pk}/")
    assert f'href="{NEW}?run={run.pk}"' in page.text
    assert "Attribution, as in the run of" in client_for(analyst).get(f"{NEW}?run={run.pk}").text
    assert NEW not in client_for(viewer).get(f"/w/acme/runs/{run.pk}/").text


def test_a_run_that_failed_offers_a_schedule_instead_of_waiting(run: Run, client_for: ClientFor, analyst: User) -> None:
    assert NEW not in client_for(analyst).get(f"/w/acme/runs/{run.pk}/").text
    request_cancel(job=run.job, by=None)
    assert f'href="{NEW}">Have it made on a schedule' in client_for(analyst).get(f"/w/acme/runs/{run.pk}/").text
