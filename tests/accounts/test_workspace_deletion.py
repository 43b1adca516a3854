"""An owner deletes a workspace: it is closed at once, then emptied bit by bit, and only the audit log is left."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent, Invitation, Membership, User, Workspace
from analyses import runs
from analyses.models import Run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import removal
from marketing.models import Customer, Import, Touchpoint
from reports import workspace_deletion
from reports.models import Edition
from reports.workspace_deletion import DELETION_JOB, request_deletion
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, conversion_import, touch_import
from tests.reports.rows import add_rows as add_reports

PASSWORD = "a long enough password"
DELETE = "/w/acme/settings/workspace/delete/"
CONFIRMED = {"slug": "acme", "password": PASSWORD}
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def media_root(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def full(workspace: Workspace, owner: User, media_root: Path) -> Workspace:
    """A workspace with rows, runs, keys and files; another one has rows and files as well."""
    owner.set_password(PASSWORD)
    owner.save()
    for each in (workspace, WorkspaceFactory.create(slug="other")):
        first = each.pk * 100
        touch_import(each, [(first + n, NOON) for n in range(5)])
        conversion_import(each, [(first + n, NOON, "10") for n in range(3)])
        for name in ("Weekly", "Monthly"):
            add_reports(each, name=name)
        for kind in ("imports", "snapshots", "runs", "demo", "exports", "editions", "export_files"):
            folder = media_root / kind / str(each.pk)
            folder.mkdir(parents=True)
            (folder / "file").write_text("rows")
    create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    for number in range(3):
        add_run(workspace, fingerprint=str(number))
    return workspace


def add_run(workspace: Workspace, fingerprint: str) -> Run:
    return Run.objects.create(
        workspace=workspace,
        job=Job.objects.create(workspace=workspace, kind="run", status=Job.Status.DONE),
        kind="attribution",
        method_version="1",
        params={},
        data_version="",
        fingerprint=fingerprint,
        trigger=Run.Trigger.PAGE,
    )


def counts(workspace_id: int) -> dict[str, int]:
    """How many rows of each kind belong to the workspace; audit events are not its own."""
    found: dict[str, int] = {}
    for model in apps.get_models():
        owners = {"workspace": "workspace", "batch": "batch__workspace", "customer": "customer__workspace"}
        fields = {field.name for field in model._meta.fields}
        path = next((path for name, path in owners.items() if name in fields), None)
        if path is not None and model is not AuditEvent:
            count = model._default_manager.filter(**{path: workspace_id}).count()
            found |= {model.__name__: count} if count else {}
    return found


def carry_out(job: Job) -> None:
    execute(job_id=job.pk)


def test_a_workspace_is_closed_at_once(full: Workspace, owner: User, analyst: User, client_for: ClientFor) -> None:
    _key, text = create_api_key(workspace=full, created_by=owner, name="ETL", scopes=["runs:read"])
    client = client_for(owner)
    response = client.post(DELETE, CONFIRMED, follow=True)
    assert "“Acme” is closed" in response.text
    for user in (owner, analyst):
        assert client_for(user).get("/w/acme/settings/").status_code == 404
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/runs/").status_code == 401
    assert not Membership.objects.filter(workspace=full).exists()
    assert Workspace.objects.filter(slug="acme").count() == 0


def test_everything_goes_but_the_audit_log_and_what_belongs_to_others(
    full: Workspace, owner: User, media_root: Path
) -> None:
    other = Workspace.objects.get(slug="other")
    others = counts(other.pk)
    events = AuditEvent.objects.filter(workspace=full).count()
    assert {"Touchpoint", "Conversion", "Customer", "Run", "Job", "Import", "Report", "Edition", "Delivery"} <= counts(
        full.pk
    ).keys()
    workspace_id = full.pk
    carry_out(request_deletion(workspace=full, by=owner, ring=False))
    assert not Workspace.objects.filter(pk=workspace_id).exists()
    assert counts(workspace_id) == {}
    assert counts(other.pk) == others
    assert not list(media_root.glob(f"*/{workspace_id}"))
    assert len(list(media_root.glob(f"*/{other.pk}/file"))) == 7
    deleted = AuditEvent.objects.get(action="workspace.deleted")
    assert (deleted.target, deleted.actor, deleted.workspace) == ("acme", owner, None)
    assert AuditEvent.objects.filter(workspace=None).count() == events + 2  # asked for, and done


@pytest.mark.parametrize("model", [Touchpoint, Customer, Edition, Run, Import])
def test_a_deletion_that_is_interrupted_is_completed_by_the_next_attempt(
    full: Workspace, owner: User, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(workspace_deletion, "CUSTOMERS_AT_ONCE", 2)
    monkeypatch.setattr(workspace_deletion, "IMPORTS_AT_ONCE", 1)
    monkeypatch.setattr(workspace_deletion, "RUNS_AT_ONCE", 1)
    monkeypatch.setattr(workspace_deletion, "REPORTS_AT_ONCE", 1)
    workspace_id, job = full.pk, request_deletion(workspace=full, by=owner, ring=False)
    left_before = counts(workspace_id)[model.__name__]
    with monkeypatch.context() as during:
        during.setattr("jobs.progress.Progress.__call__", _stop_when_some_are_gone(model, workspace_id))
        with pytest.raises(KeyboardInterrupt):
            carry_out(job)
    assert 0 < counts(workspace_id)[model.__name__] < left_before
    carry_out(job)
    assert counts(workspace_id) == {}


def _stop_when_some_are_gone(model: Any, workspace_id: int) -> Callable[..., None]:
    at_first = counts(workspace_id)[model.__name__]

    def progress(_progress: object, _phase: str, _fraction: float) -> None:
        if counts(workspace_id).get(model.__name__, 0) < at_first:
            raise KeyboardInterrupt

    return progress


def test_what_is_running_is_stopped_and_waited_for(full: Workspace, owner: User) -> None:
    queued, running = (Job.objects.create(workspace=full, kind="work") for _ in range(2))
    job_actions.claim(job_id=running.pk)
    job = request_deletion(workspace=full, by=owner, ring=False)
    queued.refresh_from_db()
    running.refresh_from_db()
    assert (queued.status, running.cancel_requested) == (Job.Status.CANCELLED, True)
    carry_out(job)
    job.refresh_from_db()
    assert (job.status, Touchpoint.objects.filter(batch__workspace=full).count()) == (Job.Status.QUEUED, 5)
    job_actions.end(job=running, status=Job.Status.CANCELLED)
    carry_out(job)
    assert not Workspace.objects.filter(pk=full.pk).exists()


def test_a_run_that_came_in_between_goes_with_the_next_attempt(
    full: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = request_deletion(workspace=full, by=owner, ring=False)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(runs, "forget_some", lambda **_which: 0)
        carry_out(job)
    job.refresh_from_db()
    assert job.status == Job.Status.QUEUED
    carry_out(job)
    assert counts(full.pk) == {}


def test_asking_twice_is_one_deletion(full: Workspace, owner: User) -> None:
    first = request_deletion(workspace=full, by=owner, ring=False)
    assert request_deletion(workspace=full, by=owner, ring=False) == first
    assert Job.objects.filter(kind=DELETION_JOB).count() == 1


def test_open_invitations_and_keys_end(full: Workspace, owner: User) -> None:
    invitation = Invitation.objects.create(
        workspace=full, email="x@example.com", role="viewer", digest="d", expires_at=NOON
    )
    request_deletion(workspace=full, by=owner, ring=False)
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert not full.api_keys.filter(revoked_at=None).exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slug": "other", "password": PASSWORD}, "slug"),
        ({"slug": "acme", "password": "another password"}, "password"),
        ({"slug": "acme"}, "password"),
        ({}, "slug"),
    ],
)
def test_without_slug_and_password_nothing_is_deleted(
    full: Workspace, owner: User, client_for: ClientFor, given: dict[str, str], field: str
) -> None:
    response = client_for(owner).post(DELETE, given)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Job.objects.filter(kind=DELETION_JOB).exists()


def test_passwords_cannot_be_guessed_at_will(full: Workspace, owner: User, client_for: ClientFor) -> None:
    client = client_for(owner)
    for _ in range(10):
        client.post(DELETE, CONFIRMED | {"password": "a guess"})
    response = client.post(DELETE, CONFIRMED)
    assert response.status_code == 422
    assert "Too many attempts" in response.text


def test_only_owners_delete(full: Workspace, client_for: ClientFor, admin: User, viewer: User, outsider: User) -> None:
    for user, status in ((admin, 403), (viewer, 403), (outsider, 404)):
        assert client_for(user).get(DELETE).status_code == status
        assert client_for(user).post(DELETE, CONFIRMED).status_code == status
    assert client_for(admin).put(DELETE).status_code == 405
    assert Membership.objects.filter(workspace=full).exists()


def test_the_command_deletes_and_completes_what_failed(
    full: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = request_deletion(workspace=full, by=owner, ring=False)
    job_actions.end(job=job, status=Job.Status.FAILED, sentence="The disk was full.")
    with pytest.raises(CommandError, match="no workspace “nowhere”"):
        call_command("delete_workspace", "--workspace", "nowhere", "--yes")
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("delete_workspace", "--workspace", "acme")
    out = StringIO()
    call_command("delete_workspace", "--workspace", "acme", "--yes", stdout=out)
    assert "Deleted Acme." in out.getvalue()
    assert counts(full.pk) == {}
    assert AuditEvent.objects.get(action="workspace.deleted").target == "acme"
