"""Settings > API access: who sees which keys, and what is said of them."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as clock

from accounts.actions import change_role, remove_member
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.models import ApiKey, Role, User, Workspace
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/api/"


def a_key(
    workspace: Workspace, by: User, name: str, scopes: list[str] | None = None, days: int | None = None
) -> ApiKey:
    expires_at = None if days is None else clock.now() + timedelta(days=days)
    scopes = scopes or ["runs:read"]
    return create_api_key(workspace=workspace, created_by=by, name=name, scopes=scopes, expires_at=expires_at)[0]


def rows(page: str) -> list[str]:
    """What is said of each key, in the order of the page."""
    items = page[page.index("<main") :].split('<p class="entry-name">')[1:]
    return [" ".join(re.sub("<[^>]+>", " ", unescape(item.split("</li>")[0])).split()) for item in items]


# --- Who ---


def test_owners_and_admins_see_every_key_the_newest_first(
    client_for: ClientFor, workspace: Workspace, owner: User, admin: User, analyst: User
) -> None:
    for number, user in enumerate((owner, admin, analyst)):
        a_key(workspace, user, f"Key {number}")
    for user in (owner, admin):
        page = client_for(user).get(PAGE)
        assert page.status_code == 200
        assert [row.split(" mmm_")[0] for row in rows(page.text)] == ["Key 2", "Key 1", "Key 0"]
    assert "by you" in rows(client_for(admin).get(PAGE).text)[1]
    assert "by analyst@example.com" in rows(client_for(admin).get(PAGE).text)[0]


def test_an_analyst_sees_their_own_keys(
    client_for: ClientFor, workspace: Workspace, owner: User, analyst: User
) -> None:
    theirs, others = a_key(workspace, analyst, "Mine"), a_key(workspace, owner, "Not mine")
    page = client_for(analyst).get(PAGE).text
    assert len(rows(page)) == 1
    assert theirs.lookup in page
    assert others.lookup not in page
    assert "You see the keys that you created." in page


def test_a_viewer_has_no_access_and_no_tab(client_for: ClientFor, workspace: Workspace, viewer: User) -> None:
    page = client_for(viewer).get(PAGE)
    assert page.status_code == 403
    assert "As a viewer you may not create API keys that only read." in page.text
    assert PAGE not in client_for(viewer).get("/w/acme/settings/").text


def test_for_strangers_there_is_nothing(client_for: ClientFor, workspace: Workspace, outsider: User) -> None:
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(f"{PAGE}new/", {"name": "k"}).status_code == 404


def test_keys_of_other_workspaces_are_not_listed(
    client_for: ClientFor, workspace: Workspace, owner: User, outsider: User
) -> None:
    a_key(outsider.workspaces.get(), outsider, "Elsewhere’s")
    page = client_for(owner).get(PAGE).text
    assert "No API key works at present" in page
    assert "Elsewhere" not in page


@pytest.mark.parametrize("path", [f"{PAGE}{uuid.UUID(int=1)}/rotate/", f"{PAGE}{uuid.UUID(int=1)}/revoke/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_key_that_does_not_exist_is_not_found(client_for: ClientFor, owner: User, path: str, method: str) -> None:
    assert getattr(client_for(owner), method)(path).status_code == 404


@pytest.mark.parametrize("deed", ["rotate", "revoke"])
def test_nobody_gets_at_a_key_that_they_do_not_see(
    client_for: ClientFor, workspace: Workspace, owner: User, analyst: User, outsider: User, deed: str
) -> None:
    MembershipFactory.create(workspace=outsider.workspaces.get(), user=owner, role=Role.OWNER)
    key = a_key(workspace, owner, "Owner’s")
    elsewhere = f"/w/elsewhere/settings/api/{key.pk}/{deed}/"
    asked = {"key_id": uuid.uuid4(), "overlap": "24"}
    for user, path in ((analyst, f"{PAGE}{key.pk}/{deed}/"), (outsider, elsewhere), (owner, elsewhere)):
        assert client_for(user).get(path).status_code == 404
        assert client_for(user).post(path, asked).status_code == 404
    key.refresh_from_db()
    assert (key.revoked_at, key.expires_at, ApiKey.objects.count()) == (None, None, 1)


# --- What is said ---


def test_a_key_is_named_by_its_ends_and_its_scopes_in_words(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    workspace.timezone = "Asia/Tokyo"
    workspace.save(update_fields=["timezone"])
    key = a_key(workspace, owner, "ETL", ["data:read", "spend:write"])
    instants = ("2026-03-01T20:00Z", "2026-03-02T00:30Z", "2026-05-31T15:00Z")
    created, used, expires = map(datetime.fromisoformat, instants)
    ApiKey.objects.update(created_at=created, last_used_at=used, expires_at=expires + timedelta(days=3650))
    (row,) = rows(client_for(owner).get(PAGE).text)
    assert row == (
        f"ETL mmm_{key.lookup}...{key.last4} Data: read, and write spend "
        "Created 2 Mar 2026, 05:00 by you Last used 2 Mar 2026, 09:30 Expires 29 May 2036, 00:00 Rotate Revoke"
    )


def test_a_key_that_was_never_used_and_never_ends_says_so(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    a_key(workspace, owner, "ETL")
    (row,) = rows(client_for(owner).get(PAGE).text)
    assert "Last used Never Expires Never" in row


def test_a_rotated_key_names_its_successor_and_the_other_way_round(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    key = a_key(workspace, owner, "ETL")
    successor, _ = rotate_api_key(key=key, overlap=timedelta(hours=1), by=owner)
    new, old = rows(client_for(owner).get(PAGE).text)
    assert f"Takes over from mmm_{key.lookup}...{key.last4}." in new
    assert old.startswith(f"ETL Replaced mmm_{key.lookup}")
    assert f"mmm_{successor.lookup}...{successor.last4} takes over from it." in old
    assert ("Rotate" in new, "Rotate" in old, "Revoke" in old) == (True, False, True)


def test_what_has_ended_is_folded_away_and_cannot_be_ended_again(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    revoked, expired = a_key(workspace, owner, "Gone"), a_key(workspace, owner, "Over")
    a_key(workspace, owner, "Works")
    revoke_api_key(key=revoked, by=owner)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    page = client_for(owner).get(PAGE).text
    listed, folded = page.split('<details class="card ended-keys">')
    assert [row.split(" mmm_")[0] for row in rows(listed)] == ["Works"]
    assert re.findall('<p class="entry-name">\\s*(\\w+)', folded) == ["Over", "Gone"]
    assert ("/revoke/" in listed, "/revoke/" in folded, "/rotate/" in folded) == (True, False, False)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.ANALYST, "Its creator’s role is analyst now, which leaves it “Data: read”."),
        (Role.VIEWER, "Its creator’s role is viewer now, which leaves it nothing."),
    ],
)
def test_a_key_that_its_creators_role_limits_says_so(
    client_for: ClientFor, workspace: Workspace, owner: User, admin: User, role: Role, words: str
) -> None:
    a_key(workspace, admin, "ETL", ["data:read", "data:write"])
    change_role(membership=workspace.memberships.get(user=admin), role=role, by=owner)
    (row,) = rows(client_for(owner).get(PAGE).text)
    assert row.startswith("ETL Limited")
    assert words in row


def test_a_key_of_which_nothing_is_left_says_so(
    client_for: ClientFor, workspace: Workspace, owner: User, admin: User
) -> None:
    a_key(workspace, admin, "ETL", ["data:write"])
    change_role(membership=workspace.memberships.get(user=admin), role=Role.ANALYST, by=owner)
    (row,) = rows(client_for(owner).get(PAGE).text)
    assert "which leaves it nothing." in row


def test_a_key_of_a_closed_account_says_that_it_does_not_work(
    client_for: ClientFor, workspace: Workspace, owner: User, admin: User
) -> None:
    a_key(workspace, admin, "ETL")
    User.objects.filter(pk=admin.pk).update(is_active=False)
    (row,) = rows(client_for(owner).get(PAGE).text)
    assert "It does not work: the account of its creator is closed." in row


def test_keys_of_who_has_left_are_among_those_that_ended(
    client_for: ClientFor, workspace: Workspace, owner: User, admin: User
) -> None:
    a_key(workspace, admin, "ETL")
    remove_member(membership=workspace.memberships.get(user=admin), by=owner)
    page = client_for(owner).get(PAGE).text
    assert "No API key works at present" in page
    assert rows(page)[0].startswith("ETL Revoked")


def test_more_keys_take_no_more_queries(
    client_for: ClientFor, workspace: Workspace, owner: User, analyst: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client_for(owner).get(PAGE).status_code == 200
        return len(captured)

    def add() -> None:
        rotate_api_key(key=a_key(workspace, analyst, "k"), overlap=timedelta(hours=1), by=analyst)
        revoke_api_key(key=a_key(workspace, owner, "k"), by=owner)

    add()
    few = queries()
    for _ in range(5):
        add()
    assert queries() == few


def test_many_keys_come_in_pages(
    client_for: ClientFor, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.keys.views.KEYS_PER_PAGE", 2)
    monkeypatch.setattr("api.keys.views.ENDED_SHOWN", 1)
    for number in range(3):
        a_key(workspace, owner, f"Key {number}")
    for number in range(2):
        revoke_api_key(key=a_key(workspace, owner, f"Gone {number}"), by=owner)
    first, second = (client_for(owner).get(f"{PAGE}?page={number}").text for number in (1, 2))
    assert [row.split(" mmm_")[0] for row in rows(first)] == ["Key 2", "Key 1", "Gone 1 Revoked"]
    assert rows(second)[0].startswith("Key 0 mmm_")
    assert "These are the newest 1; the audit log has them all." in first
