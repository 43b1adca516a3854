"""No secret gets into the audit log, nor into what shows it: secrets of every kind are planted, and looked for."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.invitations import accept, invite, renew
from accounts.models import AuditEvent, Invitation, Role, User, Workspace
from reports.workspace_history import audit_of
from tests.factories import UserFactory
from webhooks.endpoints import change_endpoint, create_endpoint, rotate_secret

ClientFor = Callable[[User | None], Client]
PASSWORD, NEW_PASSWORD = "planted-password-of-an-owner", "planted-password-that-is-new"
SMTP_PASSWORD = "planted-password-of-smtp"
IN_URL, IN_OTHER_URL = "planted-token-in-a-url", "planted-token-in-another-url"


@pytest.fixture
def planted(
    workspace: Workspace, owner: User, client_for: ClientFor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Do all that has to do with secrets, and return these."""
    settings.EMAIL_HOST_PASSWORD = SMTP_PASSWORD
    monkeypatch.setattr("webhooks.endpoints._require_reachable", lambda _url: None)
    by = workspace.memberships.get(user=owner)
    key, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["data:read"])
    successor, successor_text = rotate_api_key(key=key, overlap=timedelta(hours=1), by=owner)
    revoke_api_key(key=successor, by=owner)
    offer = invite(workspace=workspace, email="one@example.com", role=Role.VIEWER, by=by)
    again = renew(invitation=offer.invitation, by=by)
    accept(invitation=Invitation.objects.get(pk=again.invitation.pk), user=UserFactory.create(email="one@example.com"))
    endpoint, secret = create_endpoint(
        workspace=workspace, url=f"https://example.com/{IN_URL}", events=["run.finished"], by=owner
    )
    new_secret = rotate_secret(endpoint=endpoint, by=owner)
    change_endpoint(endpoint=endpoint, url=f"https://example.com/{IN_OTHER_URL}", events=["import.finished"], by=owner)
    owner.set_password(PASSWORD)
    owner.save()
    client = client_for(owner)
    response = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    assert response.status_code == 302
    client_for(owner).post("/w/acme/settings/workspace/delete/", {"slug": "no", "password": NEW_PASSWORD})
    digests = [bytes(each.digest).hex() for each in (key, successor)]
    return [
        text, successor_text, *digests, offer.token, again.token, secret, secret.removeprefix("whsec_"), new_secret,
        new_secret.removeprefix("whsec_"), IN_URL, IN_OTHER_URL, PASSWORD, NEW_PASSWORD, SMTP_PASSWORD,
        User.objects.get(pk=owner.pk).password, *Invitation.objects.values_list("digest", flat=True),
    ]  # fmt: skip


def body(response: object) -> str:
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_no_secret_is_in_the_log_its_page_or_its_exports(
    planted: list[str], workspace: Workspace, owner: User, client_for: ClientFor
) -> None:
    client = client_for(User.objects.get(pk=owner.pk))
    shown = {
        "rows": json.dumps(list(AuditEvent.objects.values()), default=str),
        "page": client.get("/w/acme/settings/audit/").text,
        "csv": body(client.post("/w/acme/settings/audit/export/", {"format": "csv"})),
        "json": body(client.post("/w/acme/settings/audit/export/", {"format": "json"})),
        "export of the workspace": json.dumps(list(audit_of(workspace)), default=str),
        "plan": client.get("/w/acme/settings/plan/").text,
        "mails": " ".join(f"{letter.subject} {letter.body}" for letter in mail.outbox),
    }
    for where in ("rows", "page", "csv", "json", "export of the workspace"):
        for sign in ("api_key.rotated", "invitation.accepted", "webhook.secret_rotated", "one@example.com", "ETL"):
            assert sign in shown[where], f"{where} does not show what happened"
    assert all(len(secret) > 10 for secret in planted)
    found = [f"{secret[:12]}... is in {where}" for where, text in shown.items() for secret in planted if secret in text]
    assert not found
