"""The audit log only grows."""

from collections.abc import Callable

import pytest

from accounts.audit import record
from accounts.models import AppendOnlyError, AuditEvent, User, Workspace


@pytest.fixture
def event(workspace: Workspace, owner: User) -> AuditEvent:
    return record(workspace=workspace, action="thing.done", target="a thing", actor=owner, amount=3)


def test_an_event_says_who_did_what_to_what(event: AuditEvent, workspace: Workspace, owner: User) -> None:
    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.workspace, kept.actor, kept.action, kept.target) == (workspace, owner, "thing.done", "a thing")
    assert kept.detail == {"amount": 3}


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda _: AuditEvent.objects.update(action="nothing.happened"),
        lambda _: AuditEvent.objects.all().delete(),
        lambda event: AuditEvent.objects.bulk_update([event], ["action"]),
    ],
    ids=["save", "delete", "update", "delete many", "bulk update"],
)
def test_an_event_cannot_be_changed_or_deleted(event: AuditEvent, rewrite: Callable[[AuditEvent], object]) -> None:
    with pytest.raises(AppendOnlyError):
        rewrite(event)
    assert AuditEvent.objects.get(pk=event.pk).action == "thing.done"


def test_events_outlive_their_workspace_and_their_actor(event: AuditEvent, workspace: Workspace, owner: User) -> None:
    workspace.delete()
    owner.delete()
    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.workspace, kept.actor, kept.target) == (None, None, "a thing")
