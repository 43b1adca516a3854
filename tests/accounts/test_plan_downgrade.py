"""A plan becomes smaller: what is there stays and can be read; what the plan no longer includes is refused."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.models import Plan, User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from jobs.execution import execute
from marketing.models import Import
from tests.conftest import ImportRows

ClientFor = Callable[[User | None], Client]
QUESTION = {"model": ["data_driven", "linear"], "replicates": 100, "start": "2026-03-01", "end": "2026-03-31"}


@pytest.fixture
def data_driven_run(shop: Workspace, owner: User, import_rows: ImportRows) -> Run:
    """A finished run that only the larger plan includes; the workspace is back on the smaller one."""
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T10:00Z,Email", "bob,2026-03-01,TV")
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-02T10:00Z,20")
    set_plan(workspace=shop, plan="professional", by=None)
    run = request_run(
        workspace=Workspace.objects.get(pk=shop.pk),
        kind="attribution",
        params=QUESTION,
        by=owner,
        trigger=Run.Trigger.PAGE,
        ring=False,
    )
    execute(job_id=run.job_id)
    set_plan(workspace=shop, plan="starter", by=None)
    return Run.objects.select_related("job").get(pk=run.pk)


def test_results_of_before_are_read_and_exported_and_not_asked_for_anew(
    data_driven_run: Run, analyst: User, client_for: ClientFor
) -> None:
    assert data_driven_run.job.status == "done"
    client, address = client_for(analyst), f"/w/acme/runs/{data_driven_run.pk}/"
    assert client.get(address).status_code == 200
    for form in ("csv", "json", "xlsx"):
        export = client.get(f"/w/acme/runs/{data_driven_run.pk}/export.{form}")
        assert export.status_code == 200
        b"".join(export.streaming_content) if export.streaming else export.content  # type: ignore[attr-defined]
    refused = client.post(f"{address}retry/")
    assert refused.status_code == 403
    assert "Data-driven attribution is part of the Professional plan" in refused.text
    assert Run.objects.filter(kind="attribution").count() == 1


def test_custom_models_stay(shop: Workspace, owner: User, client_for: ClientFor) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    ends = {"position": {"first": 50, "middle": 30, "last": 20}}
    model = custom_models.create(workspace=shop, name="Ours", definition=parse(ends), by=owner)
    set_plan(workspace=shop, plan="starter", by=None)
    client = client_for(owner)
    assert "Ours" in client.get("/w/acme/attribution/models/").text
    assert client.get(f"/w/acme/attribution/models/{model.pk}/").status_code == 200


def test_beyond_the_limit_of_rows_reading_goes_on_and_imports_are_refused(
    shop: Workspace, owner: User, import_rows: ImportRows, client_for: ClientFor
) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-01,TV,10", "2026-03-02,TV,20")
    Plan.objects.filter(code="starter").update(max_rows=1)
    refused = import_rows("spend", "date,channel,spend", "2026-03-03,TV,30")
    assert (refused.status, refused.job.error_code) == (Import.Status.FAILED, "quota_exceeded")
    assert "The Professional plan includes 20,000,000" in refused.job.error
    client = client_for(owner)
    assert client.get("/w/acme/data/").status_code == 200
    assert client.get("/w/acme/dashboard/").status_code == 200
    page = client.get("/w/acme/settings/plan/").text
    assert "2 of 1" in page
    assert "1 more than the plan includes" in page
