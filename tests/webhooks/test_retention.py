"""What was told is known for thirty days, and goes with its workspace."""

import datetime as dt

import pytest
import time_machine

from accounts.models import User, Workspace
from jobs.execution import execute
from reports.workspace_deletion import request_deletion
from tests.factories import WorkspaceFactory
from tests.webhooks.conftest import MakeEndpoint
from tests.webhooks.steps import a_run_ends, an_endpoint
from webhooks import retention
from webhooks.models import Attempt, Delivery, Endpoint, Message

DAY = dt.timedelta(days=1)


def test_messages_go_after_thirty_days_with_their_deliveries(
    workspace: Workspace,
    make_endpoint: MakeEndpoint,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "REMOVED_AT_ONCE", 2)
    make_endpoint()
    for _ in range(3):
        old = a_run_ends(workspace)
    old.deliveries.get().log.create(number=1, at=old.created_at)
    clock.shift(DAY)
    new = a_run_ends(workspace)
    clock.shift(29 * DAY)
    retention.sweep()
    assert Message.objects.count() == 4  # to the second
    clock.shift(dt.timedelta(seconds=1))
    for left in (2, 1, 1):  # some at a time
        retention.sweep()
        assert Message.objects.count() == left
    assert (Message.objects.get(), Delivery.objects.get().message) == (new, new)
    assert not Attempt.objects.exists()
    assert Endpoint.objects.exists()


def test_they_go_with_their_workspace(workspace: Workspace, owner: User, make_endpoint: MakeEndpoint) -> None:
    make_endpoint()
    a_run_ends(workspace)
    other = WorkspaceFactory.create()
    an_endpoint(other)
    a_run_ends(other)
    execute(job_id=request_deletion(workspace=workspace, by=owner, ring=False).pk)
    assert Endpoint.objects.get().workspace == other
    assert Message.objects.get().workspace == other


def test_a_workspace_lets_go_of_them_bit_by_bit(workspace: Workspace, make_endpoint: MakeEndpoint) -> None:
    for _ in range(3):
        make_endpoint()
        a_run_ends(workspace)
    counts = []
    while count := retention.forget_some(workspace=workspace, at_once=2):
        counts.append(count)
    assert counts == [2, 1, 2, 1]
    assert not Endpoint.objects.exists()
