"""After an import has been undone all is as it was: counts, shadowed rows, and the answers to earlier questions."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from jobs.models import Job
from marketing.importing.removal import ROW_MODELS
from marketing.importing.undo_requests import request_undo
from marketing.models import Import
from tests.conftest import ImportRows

TOUCHES = "customer,occurred_at,channel"
ORDERS = "customer,occurred_at,value,order_id"
SPEND = "date,channel,spend"
PERIOD = {"start": "2026-03-01", "end": "2026-03-31", "model": ["linear", "last"], "goal": "Purchase"}


def ask(workspace: Workspace) -> Run:
    return request_run(
        workspace=workspace, kind="attribution", params=PERIOD, by=None, trigger=Run.Trigger.CLI, ring=False
    )


def everything(workspace: Workspace) -> list[Any]:
    rows = [
        list(model._default_manager.filter(batch__status=Import.Status.ACTIVE).order_by("pk").values())
        for model in ROW_MODELS
    ]
    counts = Import.objects.filter(status=Import.Status.ACTIVE).order_by("pk")
    return [rows, list(counts.values("pk", "accepted", "rejected", "duplicates", "first_day", "last_day"))]


@pytest.fixture
def before(shop: Workspace, import_rows: ImportRows) -> list[Any]:
    import_rows("touchpoints", TOUCHES, "ann,2026-03-01T10:00Z,Email", "bob,2026-03-02T10:00Z,TV")
    import_rows("conversions", ORDERS, "ann,2026-03-05T10:00Z,10,A1", "bob,2026-03-05T10:00Z,20,A2")
    import_rows("spend", SPEND, "2026-03-01,TV,5", "2026-03-02,TV,6")
    return everything(shop)


def test_the_question_from_before_has_its_answer_from_before(
    shop: Workspace, import_rows: ImportRows, before: list[Any]
) -> None:
    first = ask(shop)
    execute(job_id=first.job_id)
    later = [
        import_rows("touchpoints", TOUCHES, "ann,2026-03-01T10:00Z,Email", "ann,2026-03-04T10:00Z,TV"),
        import_rows("conversions", ORDERS, "ann,2026-03-05T10:00Z,99,A1", "cara,2026-03-06T10:00Z,30,A3"),
        import_rows("spend", SPEND, "2026-03-01,TV,7", "2026-03-03,TV,8"),
    ]
    assert [(batch.accepted, batch.duplicates) for batch in later] == [(1, 1), (1, 1), (2, 0)]
    meanwhile = ask(shop)
    assert meanwhile.fingerprint != first.fingerprint
    assert everything(shop) != before
    for batch in later:
        undo = request_undo(batch=batch, by=None, ring=False)
        assert undo is not None
        execute(job_id=undo.pk)
    assert everything(shop) == before
    again = ask(shop)
    assert (again.pk, again.fingerprint) == (first.pk, first.fingerprint)
    assert again.job.status == Job.Status.DONE
