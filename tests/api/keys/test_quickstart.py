"""docs/examples/quickstart.py, run as whoever reads the docs would, against a live server."""

import io
import runpy
import time
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.api_key_actions import create_api_key, revoke_api_key
from accounts.models import ApiKey, Role
from analyses.models import Run
from jobs.execution import execute
from jobs.models import Job
from marketing.models import Import
from marketing.receivers import create_default_goals
from tests.factories import MembershipFactory

PROGRAM = str(Path(__file__).parents[3] / "docs/examples/quickstart.py")
SCOPES = ["data:read", "data:write", "attribution:read", "attribution:write"]


@pytest.fixture
def slept() -> list[float]:
    """How long the program has slept, each time."""
    return []


@pytest.fixture
def key(
    transactional_db: None,
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    tmp_path: Path,
    slept: list[float],
) -> ApiKey:
    """A key for the program; while it sleeps, what waits is carried out."""

    def work(seconds: float) -> None:
        slept.append(seconds)
        for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
            execute(job_id=job.pk)

    settings.MEDIA_ROOT = str(tmp_path / "media")
    membership = MembershipFactory.create(workspace__slug="acme", role=Role.OWNER)
    create_default_goals(workspace=membership.workspace)
    key, text = create_api_key(
        workspace=membership.workspace, created_by=membership.user, name="Quick start", scopes=SCOPES
    )
    monkeypatch.setenv("MMM_API_KEY", text)
    monkeypatch.setenv("MMM_URL", live_server.url)
    monkeypatch.setattr(time, "sleep", work)
    monkeypatch.chdir(tmp_path)
    return key


def test_it_sends_asks_waits_prints_and_fetches(
    key: ApiKey, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(PROGRAM, run_name="__main__")
    said = capsys.readouterr().out
    assert "touchpoints: 4 rows accepted, 0 rejected, active" in said
    assert "conversions: 2 rows accepted, 0 rejected, active" in said
    table = [line.split() for line in said.splitlines() if line.startswith(("Channel", "Email", "Paid"))]
    assert ["Channel", "linear", "last"] in table
    assert ["Email", "1.00", "1.00"] in table
    assert ["Paid", "Search", "0.50", "1.00"] in table
    assert ["Paid", "Social", "0.50", "0.00"] in table
    assert slept
    assert set(slept) == {1}
    assert Path("attribution.pdf").read_bytes().startswith(b"%PDF-")
    assert Run.objects.get().api_key == key
    assert [batch.requested_by for batch in Import.objects.all()] == [key.created_by] * 2


def test_it_ends_with_the_reason_where_there_is_no_answer(key: ApiKey) -> None:
    revoke_api_key(key=key, by=None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(PROGRAM, run_name="__main__")
    assert ended.value.code == "401: This API key was revoked. Use another one."


def test_it_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    quickstart = runpy.run_path(PROGRAM)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)

    def refuse(request: Any, timeout: int) -> None:
        headers = HTTPMessage()
        if len(waited) < 2:
            headers["Retry-After"] = "7"
        body = io.BytesIO(b'{"detail": "Too many calls."}')
        raise HTTPError(request.full_url, 429, "Too Many Requests", headers, body)

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(SystemExit) as ended:
        quickstart["Api"]("http://localhost", "mmm_...").call("/api/v1/runs/")
    assert ended.value.code == "429: Too many calls."
    assert waited == [7, 7, 1, 1]
