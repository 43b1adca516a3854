"""Programs that call the API of reports, in the small shop of `tests.reports.conftest`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.api.conftest import WithKey, with_key
from tests.reports.deliveries.conftest import ann, bob, make_edition, occurrence, schedule, send
from tests.reports.schedules.conftest import keep, note

__all__ = ["ann", "bob", "keep", "make_edition", "note", "occurrence", "schedule", "send", "with_key"]

V1 = "/api/v1/"
ClientFor = Callable[[User | None], Client]
READ, WRITE = "reports:read", "reports:write"


@pytest.fixture
def program(with_key: WithKey) -> Client:
    """A program with a key of the owner's that reads and writes reports."""
    return with_key(READ, WRITE)


def post(client: Client, path: str, body: object = None) -> Any:
    return client.post(f"{V1}{path}", {} if body is None else body, content_type="application/json")


def patch(client: Client, path: str, body: object) -> Any:
    return client.patch(f"{V1}{path}", body, content_type="application/json")


def listed(client: Client, path: str) -> list[dict[str, Any]]:
    """The rows of a list."""
    answer = client.get(f"{V1}{path}")
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def refused(answer: Any, status: int = 400) -> list[str]:
    """The fields of which a refusal says something."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return list(answer.json().get("errors", {}))
