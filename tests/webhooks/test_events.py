"""An event is announced if, and only if, what it says is committed."""

import json
from typing import Any

import celery
import pytest
import time_machine
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from tests.factories import WorkspaceFactory
from tests.webhooks.conftest import MakeEndpoint
from tests.webhooks.steps import a_run_ends, only_delivery
from webhooks.event_types import DESCRIPTIONS, EventType
from webhooks.events import announce
from webhooks.models import Delivery, Message
from webhooks.outbox import SEND_TASK


def test_a_message_is_written_with_a_delivery_for_each_endpoint_that_asks(
    workspace: Workspace, make_endpoint: MakeEndpoint, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.SITE_URL = "https://mmm.example.com"
    asking, too = make_endpoint(), make_endpoint(events=["run.finished"])
    make_endpoint(events=["import.finished"])
    make_endpoint(disabled_at="2026-01-01T00:00Z")
    make_endpoint(workspace=WorkspaceFactory.create())
    message = a_run_ends(workspace)
    assert message.id.startswith("msg_")
    assert message.id.isascii()
    assert "." not in message.id  # which would not be told from what follows it in what is signed
    assert json.loads(message.body) == {
        "type": "run.finished",
        "timestamp": "2026-03-02T12:00:00Z",
        "data": {
            "workspace": "acme",
            "id": "1f",
            "kind": "attribution",
            "status": "done",
            "url": "https://mmm.example.com/api/v1/runs/1f/",
        },
    }
    assert set(Delivery.objects.values_list("endpoint", "message", "status")) == {
        (endpoint.pk, message.pk, "pending") for endpoint in (asking, too)
    }


def test_where_nobody_asks_nothing_is_written(
    workspace: Workspace, make_endpoint: MakeEndpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_endpoint(events=["import.finished"])
    with django_assert_num_queries(1):
        assert announce(workspace=workspace, event=EventType.RUN_FINISHED, data={}) is None
    assert not Message.objects.exists()


def test_what_is_rolled_back_was_never_announced(
    workspace: Workspace,
    make_endpoint: MakeEndpoint,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    make_endpoint()
    with django_capture_on_commit_callbacks() as rung, transaction.atomic():
        a_run_ends(workspace)
        assert only_delivery().message.type == "run.finished"
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert not Delivery.objects.exists()
    assert not rung


def test_the_workers_are_rung_for_once_it_is_committed(
    workspace: Workspace,
    make_endpoint: MakeEndpoint,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_endpoint()
    rung: list[Any] = []
    monkeypatch.setattr(celery.current_app, "send_task", lambda name, **options: rung.append((name, options)))
    with django_capture_on_commit_callbacks(execute=True):
        a_run_ends(workspace)
        assert not rung
    assert rung == [(SEND_TASK, {"retry": False, "ignore_result": True})]


def test_a_broker_that_is_away_harms_nothing(
    workspace: Workspace,
    make_endpoint: MakeEndpoint,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_endpoint()

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(celery.current_app, "send_task", fail)
    with django_capture_on_commit_callbacks(execute=True):
        a_run_ends(workspace)
    assert only_delivery().status == "pending"


def test_no_row_names_its_url_or_secret_where_it_is_printed(make_endpoint: MakeEndpoint, workspace: Workspace) -> None:
    endpoint = make_endpoint()
    a_run_ends(workspace)
    printed = f"{endpoint} {endpoint!r} {only_delivery()} {only_delivery().message}"
    assert "hooks.example.com" not in printed
    assert endpoint.secret not in printed


def test_every_type_is_described_and_its_example_says_nothing_about_a_person() -> None:
    assert DESCRIPTIONS.keys() == set(EventType)
    for description in DESCRIPTIONS.values():
        assert description.when.endswith(".")
        assert description.example.keys() <= {
            "workspace", "id", "kind", "dataset", "status", "url", "edition_id", "schedule_id", "due_at", "formats",
        }  # fmt: skip
