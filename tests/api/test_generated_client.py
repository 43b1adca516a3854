"""A client that a generator makes of the description, against a real server: the quick start from end to end."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone as clock
from pytest_django.live_server_helper import LiveServer

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from api.schema_views import rendered
from jobs.execution import execute
from jobs.models import Job

PACKAGE = "generated_mmm_client"


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package that openapi-python-client makes, as a namespace of what the test uses."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "schema.json").write_bytes(rendered("json"))
    generator = Path(sys.executable).with_name("openapi-python-client")
    asked = f"generate --path schema.json --meta none --output-path {PACKAGE}"
    made = subprocess.run([generator, *asked.split()], capture_output=True, text=True, check=False, cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    refused = [line for line in made.stdout.splitlines() if line.startswith("WARNING") or "ERROR" in line]
    # It knows no NDJSON, which is another form of what it sends as JSON; nothing else is beyond it.
    assert made.stdout.count("Unsupported content type application/x-ndjson") == len(refused), made.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))
    shutil.rmtree(folder)


def operation(group: str, name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.api.{group}.{name}")


def model(name: str) -> Any:
    models: Any = importlib.import_module(f"{PACKAGE}.models")
    return getattr(models, name)


@pytest.fixture
def program(generated: Any, live_server: LiveServer, shop: Workspace, owner: User) -> Iterator[Any]:
    scopes = ["data:write", "data:read", "attribution:write", "attribution:read", "settings:read"]
    _key, text = create_api_key(workspace=shop, created_by=owner, name="Generated", scopes=scopes)
    with generated.AuthenticatedClient(base_url=live_server.url, token=text, raise_on_unexpected_status=True) as client:
        yield client


def carry_out_jobs() -> None:
    """Be the worker."""
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


def rows(kind: str, sent: Sequence[Mapping[str, object]]) -> Any:
    return model(f"{kind}BatchRequestType0").from_dict({"rows": sent})


@pytest.mark.django_db(transaction=True)
def test_ingest_run_poll_fetch_and_export(program: Any) -> None:
    noon = (clock.now() - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)

    who = operation("account", "get_root").sync(client=program)
    assert (who.workspace.slug, who.key.name) == ("acme", "Generated")

    def touch(customer: str, channel: str, at: datetime) -> dict[str, object]:
        return {"customer": customer, "occurred_at": at.isoformat(), "channel": channel}

    touches = [touch("anna", "Search", noon - timedelta(hours=5)), touch("anna", "Email", noon - timedelta(hours=1))]
    sent = operation("data", "send_touchpoints").sync(
        client=program, body=rows("Touchpoint", touches), idempotency_key="touches-1"
    )
    bought = [{"customer": "anna", "occurred_at": noon.isoformat(), "goal": "Purchase", "value": "100.50"}]
    operation("data", "send_conversions").sync(client=program, body=rows("Conversion", bought))
    carry_out_jobs()
    imported = operation("data", "get_import").sync(sent.id, client=program)
    assert (imported.status, imported.accepted) == ("active", 2)
    listed = operation("data", "list_conversions").sync(client=program)
    assert [row.value for row in listed.results] == ["100.500000"]

    question = model("QuestionRequest").from_dict({"kind": "attribution", "params": {"model": ["linear"]}})
    asked = [
        operation("runs", "create_run").sync_detailed(client=program, body=question, idempotency_key="run-1")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in asked] == [HTTPStatus.ACCEPTED] * 2
    assert asked[0].parsed.id == asked[1].parsed.id
    assert asked[1].headers["Idempotent-Replayed"] == "true"

    run_id = asked[0].parsed.id
    poll = operation("runs", "get_run")
    waiting = poll.sync_detailed(run_id, client=program)
    assert waiting.parsed.status == "queued"
    carry_out_jobs()
    run = poll.sync(run_id, client=program)
    assert (run.status, run.error) == ("done", None)
    credited = run.result.to_dict()["models"]["linear"]["channels"]
    assert {row["channel"]: row["value"] for row in credited} == {
        "Search": 50.25,
        "Email": 50.25,
        "(none)": 0.0,
    }

    form = model("ExportRunForm")
    as_csv = operation("runs", "export_run").sync_detailed(run_id, form.CSV, client=program)
    assert as_csv.status_code == HTTPStatus.OK
    assert b"Search" in as_csv.content
    pdf = operation("runs", "export_run").sync_detailed(run_id, form.PDF, client=program)
    assert pdf.content.startswith(b"%PDF-")

    problem = operation("runs", "get_run").sync("00000000-0000-4000-8000-000000000000", client=program)
    assert (problem.status, problem.code) == (404, "not_found")
