"""Files of runs and scenarios in the API: those of the pages, at once or prepared in the background."""

import json
import uuid
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from analyses.models import Run
from jobs.execution import execute
from jobs.models import Job
from reports.exports import weight
from reports.models import ExportFile
from tests.api.conftest import WithKey
from tests.attribution.results import finished
from tests.reports.api.conftest import V1, ClientFor, post, refused
from tests.reports.conftest import NOW
from tests.reports.export_world import kept, make_scenario
from tests.weightings.results import finished as finished_model
from tests.weightings.stored_runs import a_stored_run

BINARY = ("xlsx", "pdf", "pptx")
Prepare = Callable[..., str]


@pytest.fixture
def run(shop: Workspace) -> Run:
    return kept(finished(shop))


@pytest.fixture
def reader(with_key: WithKey) -> Client:
    return with_key("attribution:read")


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every document were long."""
    monkeypatch.setattr(weight, "MOST_ROWS", 0)


@pytest.fixture
def prepare(reader: Client, run: Run) -> Prepare:
    """Ask for a file, and return its address."""

    def prepare(**body: str) -> str:
        answer = post(reader, f"runs/{run.pk}/exports/", {"form": "xlsx", **body})
        assert answer.status_code == 202, answer.content
        address: str = answer["Location"]
        return address

    return prepare


@pytest.mark.parametrize("form", ["csv", "json", *BINARY])
def test_a_run_is_the_file_of_its_page(
    reader: Client, run: Run, client_for: ClientFor, viewer: User, form: str
) -> None:
    of_page = client_for(viewer).get(f"/w/acme/runs/{run.pk}/export.{form}")
    answer = reader.get(f"{V1}runs/{run.pk}/exports/{form}/", headers={"Accept": "image/png"})
    assert answer.status_code == 200
    for header in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert answer[header] == of_page[header]
    content = answer.getvalue()
    if form in BINARY:  # in which there is the time at which they are made
        assert content[:2] in (b"PK", b"%P")
    else:
        assert content == of_page.getvalue()
    if form == "json":
        assert json.loads(content) == reader.get(f"{V1}runs/{run.pk}/").json()


def test_a_run_that_is_not_done_has_no_file(reader: Client, run: Run) -> None:
    Job.objects.filter(pk=run.job_id).update(status=Job.Status.RUNNING)
    assert refused(reader.get(f"{V1}runs/{run.pk}/exports/csv/"), 409) == []
    assert refused(post(reader, f"runs/{run.pk}/exports/", {"form": "csv"}), 409) == []
    assert not ExportFile.objects.exists()


def test_formats_and_papers_that_there_are_not(reader: Client, run: Run) -> None:
    address = f"runs/{run.pk}/exports/"
    assert reader.get(f"{V1}{address}docx/").status_code == 404
    assert refused(reader.get(f"{V1}{address}pdf/?paper=a3")) == ["paper"]
    assert refused(post(reader, address, {})) == ["form"]
    for body, field in (
        ({"form": "docx"}, "form"),
        ({"form": 1}, "form"),
        ({"form": ["pdf"]}, "form"),
        ({"form": "pdf", "paper": "a3"}, "paper"),
        ({"form": "pdf", "papre": "a4"}, "papre"),
        ([], ""),
    ):
        assert refused(post(reader, address, body)) == [field]
    assert not ExportFile.objects.exists()


@pytest.mark.usefixtures("long")
def test_what_takes_long_is_prepared_and_then_fetched(reader: Client, run: Run, prepare: Prepare) -> None:
    too_long = reader.get(f"{V1}runs/{run.pk}/exports/xlsx/")
    assert (too_long.status_code, too_long.json()["code"]) == (409, "export_takes_long")
    assert f"/api/v1/runs/{run.pk}/exports/" in too_long.json()["detail"]

    address = prepare(paper="letter")
    waiting = reader.get(address).json()
    assert waiting["url"] == address
    expected = {"form": "xlsx", "paper": "letter", "run": str(run.pk), "workspace": "acme", "status": "queued"}
    assert expected.items() <= waiting.items()
    assert (waiting["content_url"], waiting["expires_at"], waiting["error"]) == (None, None, None)
    assert waiting["requested_by"] == "owner@example.com"
    assert refused(reader.get(f"{address}content/"), 409) == []

    execute(job_id=ExportFile.objects.get().job_id)
    ready = reader.get(address).json()
    assert (ready["status"], ready["progress"], ready["expires_at"]) == ("done", 1, "2026-04-08T09:00:00Z")
    content = reader.get(ready["content_url"])
    assert content["Content-Disposition"] == f'attachment; filename="{ready["name"]}"'
    assert len(content.getvalue()) == ready["bytes"] > 1000

    again = post(reader, f"runs/{run.pk}/exports/", {"form": "xlsx", "paper": "letter"})
    assert (again.status_code, again["Location"], again.json()["id"]) == (200, address, ready["id"])
    event = AuditEvent.objects.get(action="export.requested")
    assert event.api_key is not None


def test_a_small_one_can_be_prepared_too_and_is_the_same(reader: Client, run: Run, prepare: Prepare) -> None:
    address = prepare(form="csv")
    execute(job_id=ExportFile.objects.get().job_id)
    content = reader.get(f"{address}content/").getvalue()
    assert content == reader.get(f"{V1}runs/{run.pk}/exports/csv/").getvalue()


def test_the_same_request_under_one_key_prepares_one_file(reader: Client, run: Run) -> None:
    def ask() -> tuple[int, str]:
        answer = reader.post(
            f"{V1}runs/{run.pk}/exports/",
            {"form": "pdf"},
            content_type="application/json",
            headers={"Idempotency-Key": "k-1"},
        )
        return answer.status_code, answer["Location"]

    assert ask() == ask()
    assert ExportFile.objects.count() == 1


def test_a_file_that_failed_says_why(reader: Client, prepare: Prepare) -> None:
    address = prepare()
    Job.objects.update(status=Job.Status.FAILED, error_code="worker_lost", error="The worker stopped.")
    body = reader.get(address).json()
    assert body["error"] == {"code": "worker_lost", "detail": "The worker stopped."}
    answer = reader.get(f"{address}content/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "The worker stopped.")


def test_a_file_is_gone_after_a_week(reader: Client, prepare: Prepare) -> None:
    address = prepare()
    execute(job_id=ExportFile.objects.get().job_id)
    with time_machine.travel(NOW.replace(day=9), tick=False):
        body = reader.get(address).json()
        assert (body["status"], body["content_url"], body["error"]["code"]) == ("done", None, "gone")
        assert reader.get(f"{address}content/").status_code == 404


@pytest.mark.parametrize("scopes", [("weightings:read",), ("attribution:write",), ("reports:read",)])
def test_files_take_the_scope_of_the_runs_kind(
    with_key: WithKey, run: Run, prepare: Prepare, scopes: tuple[str, ...]
) -> None:
    other, address = with_key(*scopes), prepare()
    for answer in (
        other.get(f"{V1}runs/{run.pk}/exports/csv/"),
        post(other, f"runs/{run.pk}/exports/", {"form": "csv"}),
        other.get(address),
        other.get(f"{address}content/"),
    ):
        assert refused(answer, 403) == []
    everything = with_key("runs:read")
    assert everything.get(address).status_code == 200


def test_every_member_may_and_nobody_else(
    run: Run, prepare: Prepare, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    address = prepare()
    body = {"form": "xlsx"}
    assert client_for(viewer).get(address).status_code == 200
    assert post(client_for(viewer), f"runs/{run.pk}/exports/", body).status_code == 202
    stranger = client_for(outsider)
    for answer in (
        stranger.get(f"{V1}runs/{run.pk}/exports/csv/"),
        stranger.get(address),
        stranger.get(f"{address}content/"),
        post(stranger, f"runs/{run.pk}/exports/", body),
        stranger.get(f"{V1}export-files/{uuid.uuid4()}/"),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("form", ["csv", "json", "pdf"])
def test_a_scenario_is_the_file_of_its_page(
    shop: Workspace, with_key: WithKey, client_for: ClientFor, viewer: User, form: str
) -> None:
    scenario = make_scenario(a_stored_run(shop))
    of_page = client_for(viewer).get(f"/w/acme/weightings/scenarios/{scenario.pk}/export.{form}")
    address = f"{V1}scenarios/{scenario.pk}/exports/{form}/"
    answer = with_key("weightings:read").get(address)
    assert (answer.status_code, answer["Content-Disposition"]) == (200, of_page["Content-Disposition"])
    if form != "pdf":
        assert answer.getvalue() == of_page.getvalue()
    assert with_key("reports:read").get(address).status_code == 403


def test_a_scenario_without_its_models_file_has_none(shop: Workspace, with_key: WithKey, outsider: User) -> None:
    scenario = make_scenario(kept(finished_model(shop)))
    reader = with_key("weightings:read")
    assert refused(reader.get(f"{V1}scenarios/{scenario.pk}/exports/csv/"), 409) == []
    assert reader.get(f"{V1}scenarios/{2**70}/exports/csv/").status_code == 404
