"""What load balancers ask."""

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings


def test_a_process_that_serves_says_ok_and_no_more(client: Client, db: None) -> None:
    response = client.get("/healthz/")
    assert (response.status_code, response.content, response.headers["Cache-Control"]) == (200, b"ok", "no-store")
    assert not response.cookies
    assert client.head("/healthz/").status_code == 200
    assert client.post("/healthz/").status_code == 405


def test_it_is_asked_by_address_and_over_plain_http(client: Client, db: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["mmm.example.com"]
    assert Client().get("/healthz/", headers={"Host": "10.0.0.7"}).status_code == 200
    assert Client().get("/", headers={"Host": "mmm.example.com"}).headers["Location"].startswith("https://")


def test_no_session_is_read(client: Client, owner: object, django_assert_num_queries: object) -> None:
    client.force_login(owner)  # type: ignore[arg-type]
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert client.get("/healthz/").status_code == 200


def test_without_a_database_it_is_503_and_says_nothing_of_why(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        def cursor(self) -> None:
            raise OperationalError("password of the database")

    monkeypatch.setattr("operations.readiness.connection", Away())
    response = client.get("/healthz/")
    assert (response.status_code, response.content) == (503, b"unavailable")
    assert "Not ready" in caplog.text
