"""Programs that call the API with a key, on a shop of this test's own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job

WithKey = Callable[..., Client]
Importer = Callable[..., Any]
API = "/api/v1"


@pytest.fixture
def with_key(shop: Workspace, owner: User) -> WithKey:
    """Make a program that calls with a key of these scopes, which the owner or another member has made."""

    def make(*scopes: str, of: User | None = None) -> Client:
        _key, text = create_api_key(workspace=shop, created_by=of or owner, name="A program", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


@pytest.fixture
def program(with_key: WithKey) -> Client:
    """A program of the owner's that may do everything about data and settings."""
    return with_key("data:read", "data:write", "settings:read", "settings:write")


def send(client: Client, method: str, path: str, body: object = None, **headers: str) -> Any:
    """Ask with a JSON body."""
    ask = getattr(client, method)
    return ask(f"{API}{path}", body, content_type="application/json", headers=headers)


def results(client: Client, path: str) -> list[dict[str, Any]]:
    """The rows of a list's first page."""
    answer = client.get(f"{API}{path}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def carry_out() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)
