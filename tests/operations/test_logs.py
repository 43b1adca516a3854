"""Logs as lines of JSON: what a line says, of which request or job, and what it does not give away."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import signals
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from jobs import handlers
from jobs.actions import submit
from jobs.execution import execute
from jobs.models import Job
from jobs.progress import Progress
from jobs.tasks import sweep_jobs
from mmm_project.json_logs import JsonLines
from tests.accounts.test_key_masking import KEY, TOKEN, secret_of

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _nothing_bound() -> Iterator[None]:
    clear_contextvars()
    yield
    clear_contextvars()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    """What a process of a production installation writes; each line has to be a JSON object."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    caplog.set_level(logging.INFO, "operations.requests")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def of_requests(lines: Lines) -> list[dict[str, Any]]:
    return [line for line in lines() if line["logger"] == "operations.requests"]


def test_a_line_says_when_and_what_and_whence(lines: Lines) -> None:
    logging.getLogger("jobs.actions").warning("Two\nlines, “quoted” by %s", '"Ann"', extra={"request": "a request"})
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "warning", "logger": "jobs.actions", "message": 'Two\nlines, “quoted” by "Ann"'}


def test_secrets_are_masked_in_messages_tracebacks_and_what_is_bound(lines: Lines) -> None:
    bind_contextvars(workspace=f"/deliveries/{TOKEN}/", job_id=7)
    try:
        raise RuntimeError(f"postgres://mmm:{TOKEN}@db/mmm with {KEY}")
    except RuntimeError:
        logging.getLogger("x").exception("Not found: /api/v1/%s/", KEY)
    (line,) = lines()
    assert line["message"] == "Not found: /api/v1/mmm_abcd1234_[secret]/"
    assert line["exception"].endswith("RuntimeError: postgres://mmm:[secret]@db/mmm with mmm_abcd1234_[secret]")
    assert (line["workspace"], line["job_id"]) == ("/deliveries/[secret]/", 7)
    assert not any(secret in json.dumps(line) for secret in (TOKEN, secret_of(KEY)))


def test_the_variables_of_a_traceback_are_not_written(lines: Lines) -> None:
    password = "correct horse" + " battery"
    try:
        len(password) / 0
    except ZeroDivisionError:
        logging.getLogger("x").exception("Failed")
    (line,) = lines()
    assert line["exception"].startswith("Traceback")
    assert password not in json.dumps(line)


def test_masking_does_not_reach_over_the_end_of_a_text(lines: Lines) -> None:
    bind_contextvars(workspace="http://a", user_id="b@c")
    logging.getLogger("x").warning("http://db")
    (line,) = lines()
    assert (line["message"], line["workspace"], line["user_id"]) == ("http://db", "http://a", "b@c")


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_route_and_who_asked(
    lines: Lines, client_for: Callable[[User | None], Client], owner: User
) -> None:
    response = client_for(owner).get("/w/acme/settings/team/?secret=1", headers={"X-Request-ID": "abc-123.DEF_4"})
    assert response.status_code == 200
    assert response.headers["X-Request-ID"] == "abc-123.DEF_4"
    (line,) = of_requests(lines)
    assert line.pop("ms") >= 0
    assert line.pop("timestamp")
    assert line.pop("message").startswith(f"GET {line['route']} 200 in ")
    assert line == {
        "level": "info",
        "logger": "operations.requests",
        "request_id": "abc-123.DEF_4",
        "method": "GET",
        "route": response.resolver_match.view_name,
        "status": 200,
        "user_id": owner.pk,
        "workspace": "acme",
    }


@pytest.mark.django_db
def test_a_call_of_the_api_says_whose_key_and_not_the_key(
    lines: Lines, client: Client, workspace: Workspace, owner: User
) -> None:
    key, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    assert client.get("/api/v1/runs/", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    (line,) = of_requests(lines)
    assert (line["user_id"], line["api_key"], line["workspace"]) == (owner.pk, key.lookup, "acme")
    assert secret_of(text) not in json.dumps(line)


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["", "short", "x" * 129, "with space", 'quoted"id"', "ключключ"])
def test_an_id_that_is_not_sane_is_replaced(lines: Lines, client: Client, sent: str) -> None:
    response = client.get("/accounts/login/", headers={"X-Request-ID": sent})
    given = response.headers["X-Request-ID"]
    assert len(given) == 32
    assert given != sent
    assert of_requests(lines)[0]["request_id"] == given


@pytest.mark.django_db
def test_nothing_of_a_request_is_left_for_the_next(
    lines: Lines, client: Client, client_for: Callable[[User | None], Client], owner: User
) -> None:
    client_for(owner).get("/w/acme/settings/team/")
    client.get("/accounts/login/")
    first, second = of_requests(lines)
    assert first["request_id"] != second["request_id"]
    assert not {"user_id", "workspace"} & second.keys()


@pytest.mark.django_db
@pytest.mark.urls("tests.web.faulty_urls")
def test_a_fault_has_the_error_id_that_the_page_shows(lines: Lines, client: Client) -> None:
    client.raise_request_exception = False
    error_id = client.get("/api/fail/fault/").json()["error_id"]
    (fault,) = [line for line in lines() if line["logger"] == "mmm_project.errors"]
    assert "RuntimeError: secret reason" in fault["exception"]
    (request,) = of_requests(lines)
    assert request["error_id"] == fault["error_id"] == error_id
    assert request["request_id"] == fault["request_id"]
    # Django's own lines come after the middleware.
    assert {line.get("request_id") for line in lines()} == {request["request_id"]}


@pytest.mark.django_db
def test_static_files_and_checks_of_health_are_not_logged(lines: Lines, client: Client) -> None:
    assert client.get("/static/css/app.css").status_code in (200, 404)
    assert client.get("/healthz/").status_code == 200
    assert [line["route"] for line in of_requests(lines) if line["status"] < 400] == []


@pytest.mark.django_db
def test_what_a_job_logs_says_which_job(lines: Lines, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_job: Job, _progress: Progress) -> None:
        logging.getLogger("x").warning("Halfway")

    monkeypatch.setitem(handlers._handlers, "probe", handlers.Handler(execute=work, on_end=lambda _job: None))
    job = submit(workspace=workspace, kind="probe", ring=False)
    execute(job_id=job.pk)
    (line,) = [line for line in lines() if line["message"] == "Halfway"]
    assert (line["job_id"], line["job_kind"], line["workspace"]) == (job.pk, "probe", "acme")
    assert get_contextvars() == {}


def test_what_a_task_logs_says_which_task() -> None:
    bind_contextvars(job_id=7)
    signals.task_prerun.send(sender=sweep_jobs, task=sweep_jobs, task_id="1", args=(), kwargs={})
    assert get_contextvars() == {"task": "jobs.tasks.sweep_jobs"}


@pytest.mark.parametrize(("variables", "made"), [({}, "plain"), ({"LOG_FORMAT": "json"}, "json")])
def test_celery_logs_as_the_settings_say(tmp_path: Path, variables: dict[str, str], made: str) -> None:
    code = (
        "import logging; from mmm_project.celery import app; import django; django.setup();"
        "app.log.setup(loglevel='ERROR'); logging.getLogger('celery.worker').warning('Lost')"
    )
    unset = {"REDIS_URL", "LOG_FORMAT", "LOG_LEVEL"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mmm_project.settings", **variables}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    if made == "json":
        assert json.loads(done.stderr)["logger"] == "celery.worker"
    else:
        assert done.stderr.strip().endswith("WARNING celery.worker: Lost")


def test_the_plain_format_stays_that_of_the_embedded_default(settings: Settings) -> None:
    assert settings.LOGGING["handlers"]["stderr"]["formatter"] == "plain"
    assert settings.LOGGING["loggers"]["operations.requests"]["level"] == "WARNING"
