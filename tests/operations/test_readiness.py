"""What load balancers and supervisors ask."""

from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone as clock
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import User
from operations import heartbeat
from operations.models import Heartbeat


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/live/"])
def test_a_process_that_serves_says_ok_and_no_more(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content, response.headers["Cache-Control"]) == (200, b"ok", "no-store")
    assert not response.cookies
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/live/"])
def test_it_is_asked_by_address_and_over_plain_http(client: Client, db: None, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["mmm.example.com"]
    assert Client().get(path, headers={"Host": "10.0.0.7"}).status_code == 200
    assert Client().get("/", headers={"Host": "mmm.example.com"}).headers["Location"].startswith("https://")


def test_no_session_is_read(client: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(owner)
    assert client.get("/healthz/").status_code == 200  # this first time, migrations are looked at
    with django_assert_num_queries(1):
        assert client.get("/healthz/").status_code == 200
    with django_assert_num_queries(0):
        assert client.get("/healthz/live/").status_code == 200


class Away:
    """A connection to a database that is away."""

    def cursor(self) -> None:
        raise OperationalError("password of the database")


def test_without_a_database_it_lives_and_is_not_ready_and_says_nothing_of_why(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("operations.readiness.connection", Away())
    response = client.get("/healthz/")
    assert (response.status_code, response.content) == (503, b"unavailable")
    assert "Not ready" in caplog.text
    assert client.get("/healthz/live/").status_code == 200


def test_before_its_migrations_it_lives_and_is_not_ready(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="operations").order_by("-pk").first()
    assert newest is not None
    newest.delete()
    assert client.get("/healthz/").status_code == 503
    assert f"Not ready: 1 migrations are not applied, such as operations.{newest.name}" in caplog.text
    assert client.get("/healthz/live/").status_code == 200
    newest.save(force_insert=True)
    assert client.get("/healthz/").status_code == 200


@pytest.mark.parametrize("kind", list(Heartbeat.Kind))
def test_a_worker_and_a_scheduler_touch_the_file_that_tells_that_they_live(
    db: None, kind: Heartbeat.Kind, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "alive"
    heartbeat.mark(name="a", kind=kind, started_at=clock.now())
    assert not file.exists()
    settings.HEARTBEAT_FILE = str(file)
    heartbeat.mark(name="a", kind=kind, started_at=clock.now())
    assert file.exists()


def test_the_file_is_touched_also_while_the_database_is_away(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_fields: object) -> None:
        raise OperationalError

    monkeypatch.setattr(Heartbeat.objects, "update_or_create", fail)
    settings.HEARTBEAT_FILE = str(tmp_path / "alive")
    heartbeat.mark(name="a", kind=Heartbeat.Kind.WORKER, started_at=clock.now())
    assert (tmp_path / "alive").exists()
