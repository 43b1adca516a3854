"""Rotating and revoking keys on their pages."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone as clock

from accounts.actions import change_role
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.models import ApiKey, AuditEvent, Role, User, Workspace

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
LIST = "/w/acme/settings/api/"
KEY = re.compile(r"mmm_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def key(workspace: Workspace, owner: User) -> ApiKey:
    in_a_month = clock.now() + timedelta(days=30)
    return create_api_key(
        workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read", "runs:write"], expires_at=in_a_month
    )[0]


def page_of(key: ApiKey, deed: str) -> str:
    return f"{LIST}{key.pk}/{deed}/"


def asked(overlap: str = "24") -> dict[str, object]:
    return {"key_id": uuid.uuid4(), "overlap": overlap}


# --- Rotating ---


@pytest.mark.parametrize(("overlap", "hours"), [("0", 0), ("1", 1), ("24", 24), ("168", 168)])
def test_the_new_key_is_shown_once_and_the_old_one_ends_as_chosen(
    client_for: ClientFor, key: ApiKey, owner: User, overlap: str, hours: int
) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False):
        page = client_for(owner).post(page_of(key, "rotate"), asked(overlap))
    assert page.status_code == 200
    assert len(set(KEY.findall(page.text))) == 1
    assert "no-store" in page.headers["Cache-Control"]
    assert f"mmm_{key.lookup}...{key.last4}" in page.text
    key.refresh_from_db()
    assert key.expires_at == now + timedelta(hours=hours)
    assert ApiKey.objects.get(rotated_from=key).created_by == owner


def test_a_day_is_proposed_and_what_the_new_key_will_be_is_said(
    client_for: ClientFor, key: ApiKey, owner: User
) -> None:
    page = client_for(owner).get(page_of(key, "rotate")).text
    assert re.search(r'<input type="radio" name="overlap" value="24"[^>]* checked', page)
    assert "Runs of every kind: read and write" in page
    assert "created this key. The new one will be yours" not in page
    assert ApiKey.objects.count() == 1


def test_who_rotates_somebody_elses_key_is_told_that_it_will_be_theirs(
    client_for: ClientFor, key: ApiKey, admin: User
) -> None:
    assert "owner@example.com created this key. The new one will be yours" in (
        client_for(admin).get(page_of(key, "rotate")).text
    )
    client_for(admin).post(page_of(key, "rotate"), asked())
    assert ApiKey.objects.get(rotated_from=key).created_by == admin


def test_the_same_form_twice_makes_one_key(client_for: ClientFor, key: ApiKey, owner: User) -> None:
    form = asked()
    client_for(owner).post(page_of(key, "rotate"), form)
    again = client_for(owner).post(page_of(key, "rotate"), form, follow=True)
    assert again.redirect_chain == [(LIST, 302)]
    assert "has been rotated already. Rotate the key that took over from it" in again.text
    assert not KEY.findall(again.text)
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("how", ["revoked", "expired", "rotated"])
def test_a_key_that_has_ended_or_been_rotated_is_refused_with_a_sentence(
    client_for: ClientFor, key: ApiKey, owner: User, how: str
) -> None:
    if how == "revoked":
        revoke_api_key(key=key, by=owner)
    elif how == "expired":
        ApiKey.objects.filter(pk=key.pk).update(expires_at=clock.now() - timedelta(minutes=1))
    else:
        rotate_api_key(key=key, overlap=timedelta(days=1), by=owner)
    count = ApiKey.objects.count()
    page = client_for(owner).get(page_of(key, "rotate"))
    said = client_for(owner).post(page_of(key, "rotate"), asked(), follow=True)
    sentence = {"revoked": "was revoked", "expired": "has expired", "rotated": "has been rotated already"}[how]
    assert page.status_code == 409
    assert f"ETL (mmm_{key.lookup}...{key.last4}) {sentence}" in page.text
    assert f"ETL (mmm_{key.lookup}...{key.last4}) {sentence}" in said.text
    assert ApiKey.objects.count() == count


def test_an_analyst_rotates_their_own_key(client_for: ClientFor, workspace: Workspace, analyst: User) -> None:
    key, _ = create_api_key(workspace=workspace, created_by=analyst, name="BI", scopes=["runs:read"])
    assert KEY.findall(client_for(analyst).post(page_of(key, "rotate"), asked()).text)


def test_a_key_that_writes_is_not_rotated_by_who_may_only_read_by_now(
    client_for: ClientFor, workspace: Workspace, admin: User, owner: User
) -> None:
    key, _ = create_api_key(workspace=workspace, created_by=admin, name="BI", scopes=["runs:write"])
    change_role(membership=workspace.memberships.get(user=admin), role=Role.ANALYST, by=owner)
    page = client_for(admin).post(page_of(key, "rotate"), asked())
    assert page.status_code == 422
    assert "The role Analyst may not create an API key with runs:write. Keys of an analyst only read." in page.text
    assert ApiKey.objects.count() == 1


def test_an_overlap_that_is_not_offered_is_refused(client_for: ClientFor, key: ApiKey, owner: User) -> None:
    assert client_for(owner).post(page_of(key, "rotate"), asked("999999")).status_code == 422
    assert ApiKey.objects.count() == 1


# --- Revoking ---


def test_revoking_asks_first(client_for: ClientFor, key: ApiKey, owner: User) -> None:
    page = client_for(owner).get(page_of(key, "revoke"))
    assert "It has never been used." in page.text
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_revoked_key_is_refused_at_once(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    key, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    headers = {"Authorization": f"Bearer {text}"}
    assert client_for(None).get("/api/v1/runs/", headers=headers).status_code == 200
    said = client_for(owner).post(page_of(key, "revoke"), follow=True)
    assert f"“ETL” (mmm_{key.lookup}...{key.last4}) no longer works." in said.text
    answer = client_for(None).get("/api/v1/runs/", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (401, "This API key was revoked. Use another one.")


def test_revoking_twice_says_so_and_leaves_one_trace(client_for: ClientFor, key: ApiKey, owner: User) -> None:
    client_for(owner).post(page_of(key, "revoke"))
    said = client_for(owner).post(page_of(key, "revoke"), follow=True)
    assert "had been revoked already." in said.text
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert (event.actor, event.api_key) == (owner, key)


def test_an_admin_revokes_anybodys_key_and_an_analyst_their_own(
    client_for: ClientFor, workspace: Workspace, key: ApiKey, admin: User, analyst: User
) -> None:
    own, _ = create_api_key(workspace=workspace, created_by=analyst, name="BI", scopes=["runs:read"])
    client_for(admin).post(page_of(key, "revoke"))
    client_for(analyst).post(page_of(own, "revoke"))
    assert not ApiKey.objects.filter(revoked_at=None).exists()
