"""While the database is away or busy, or there is no room, people and programs are told so, and when to come back."""

import errno
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from mmm_project.outages import outage_of
from tests.web import faulty_urls

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.faulty_urls")]


class _Cause(Exception):
    def __init__(self, **said: Any) -> None:
        self.__dict__ |= said


def operational(**said: Any) -> OperationalError:
    error = OperationalError("secret reason")
    error.__cause__ = _Cause(**said)
    return error


CASES = [
    (operational(sqlstate=None), 503, "database_away", "5"),
    (operational(sqlstate="57P01"), 503, "database_away", "5"),
    (operational(sqlstate="08006"), 503, "database_away", "5"),
    (operational(sqlstate="53300"), 503, "database_away", "5"),
    (InterfaceError("connection already closed"), 503, "database_away", "5"),
    (operational(sqlstate="40P01"), 503, "database_busy", "2"),
    (operational(sqlite_errorname="SQLITE_BUSY"), 503, "database_busy", "2"),
    (operational(sqlstate="53100"), 507, "storage_full", None),
    (operational(sqlite_errorname="SQLITE_FULL"), 507, "storage_full", None),
    (OSError(errno.ENOSPC, "No space left on device"), 507, "storage_full", None),
]


@pytest.fixture
def calm(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(("error", "status", "code", "retry_after"), CASES)
def test_an_outage_is_said_in_a_sentence(
    calm: Client,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    monkeypatch.setitem(faulty_urls.FAULTS, "outage", error)
    answer = calm.get("/api/fail/outage/")
    assert (answer.status_code, answer.json()["code"], answer.headers.get("Retry-After")) == (status, code, retry_after)
    assert answer.json()["detail"].endswith(".")
    page = calm.get("/fail/outage/")
    assert (page.status_code, page.headers.get("Retry-After")) == (status, retry_after)
    assert answer.json()["detail"] in page.content.decode().replace("&#x27;", "'")
    assert "secret reason" not in page.content.decode() + answer.content.decode()


@pytest.mark.parametrize(
    "error",
    [
        operational(sqlstate="42P01"),
        operational(sqlite_errorname="SQLITE_ERROR"),
        OperationalError("no cause"),
        OSError(errno.EACCES, "Permission denied"),
        ValueError(),
        None,
    ],
)
def test_what_is_a_fault_of_the_code_is_none(error: Exception | None) -> None:
    assert outage_of(error) is None
