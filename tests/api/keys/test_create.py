"""Creating a key: what can be chosen, and that its text is shown once."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import access
from accounts.api_keys import digest_of
from accounts.models import ApiKey, AuditEvent, Role, User, Workspace
from accounts.scopes import Scope
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/api/new/"
LIST = "/w/acme/settings/api/"
KEY = re.compile(r"mmm_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")
NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


def asked(**changes: Any) -> dict[str, Any]:
    return {"key_id": uuid.uuid4(), "name": "ETL", "scopes": ["runs:read"], "expires": "90", **changes}


def boxes(page: str) -> dict[str, str]:
    """The tags of the boxes to tick, by scope."""
    tags = re.findall(r'<input type="checkbox" name="scopes"[^>]*>', page)
    return {re.findall(r'value="([^"]*)"', tag)[0]: tag for tag in tags}


# --- Shown once ---


def test_the_text_is_shown_once_and_opens_the_api(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    browser = client_for(owner)
    page = browser.post(PAGE, asked())
    assert page.status_code == 200
    (text,) = set(KEY.findall(page.text))
    key = ApiKey.objects.get()
    assert bytes(key.digest) == digest_of(text)
    assert (key.workspace, key.created_by, key.name, key.scopes) == (workspace, owner, "ETL", ["runs:read"])
    assert "no-store" in page.headers["Cache-Control"]
    answer = client_for(None).get("/api/v1/runs/", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200
    assert text not in str(dict(browser.session)) + str(browser.cookies)
    assert text not in browser.get(LIST).text


def test_a_form_that_is_sent_again_makes_no_second_key_and_shows_the_first_no_more(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    browser, form = client_for(owner), asked()
    (text,) = set(KEY.findall(browser.post(PAGE, form).text))
    again = browser.post(PAGE, form, follow=True)
    assert again.redirect_chain == [(LIST, 302)]
    assert "This form has created its key already, and the key is shown only once." in again.text
    assert not KEY.findall(again.text)
    assert ApiKey.objects.count() == AuditEvent.objects.filter(action="api_key.created").count() == 1
    assert text not in str(dict(browser.session))


def test_each_form_is_for_one_key(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    browser = client_for(owner)
    first, second = (re.findall(r'name="key_id" value="([^"]+)"', browser.get(PAGE).text) for _ in range(2))
    assert len(first) == 1
    assert first != second


# --- Who ---


def test_a_viewer_may_not(client_for: ClientFor, workspace: Workspace, viewer: User) -> None:
    assert client_for(viewer).get(PAGE).status_code == 403
    assert client_for(viewer).post(PAGE, asked()).status_code == 403
    assert not ApiKey.objects.exists()


def test_an_analyst_can_choose_what_reads_and_is_told_why_nothing_else(
    client_for: ClientFor, workspace: Workspace, analyst: User
) -> None:
    page = client_for(analyst).get(PAGE).text
    disabled = {scope for scope, tag in boxes(page).items() if " disabled" in tag}
    assert disabled == {scope.value for scope in Scope if scope.value in boxes(page)} - {
        "attribution:read", "weightings:read", "crosschannel:read", "runs:read", "data:read", "reports:read",
        "settings:read",
    }  # fmt: skip
    assert "Keys of an analyst only read." in page
    assert "An analyst may not read the audit log." in page
    assert "Send data" not in page


def test_an_owner_can_choose_every_scope(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    page = client_for(owner).get(PAGE).text
    assert boxes(page).keys() == set(Scope.values)
    assert not [tag for tag in boxes(page).values() if " disabled" in tag or " checked" in tag]


@pytest.mark.parametrize("scope", ["runs:write", "audit:read"])
def test_an_analyst_who_asks_for_more_all_the_same_is_refused(
    client_for: ClientFor, workspace: Workspace, analyst: User, scope: str
) -> None:
    page = client_for(analyst).post(PAGE, asked(scopes=["runs:read", scope]))
    assert page.status_code == 422
    assert f"Your role does not allow the scope {scope} to a key" in page.text
    assert not ApiKey.objects.exists()


def test_who_loses_the_role_meanwhile_is_refused(
    client_for: ClientFor, workspace: Workspace, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_workspace = access.get_workspace

    def demoted(*arguments: Any) -> Workspace:
        found = get_workspace(*arguments)
        workspace.memberships.filter(user=admin).update(role=Role.ANALYST)
        return found

    monkeypatch.setattr("accounts.access.get_workspace", demoted)
    page = client_for(admin).post(PAGE, asked(scopes=["runs:write"]))
    assert page.status_code == 422
    assert "The role Analyst may not create an API key with runs:write." in page.text
    assert not ApiKey.objects.exists()


# --- What ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "Ensure this value has at most 100 characters"),
        ({"scopes": []}, "Choose at least one thing that the key may do."),
        ({"scopes": ["moon:read"]}, "Your role does not allow the scope moon:read to a key, or there is none"),
        ({"expires": "7"}, "Select a valid choice."),
        ({"expires": "custom"}, "Choose the last day on which the key is to work."),
        ({"expires": "custom", "last_day": "31 May"}, "Enter a valid date."),
        ({"expires": "custom", "last_day": "2026-02-28"}, "Choose a day from today on, within the next ten years."),
        ({"expires": "custom", "last_day": "9999-12-31"}, "Choose a day from today on, within the next ten years."),
        ({"key_id": "1"}, "Something is missing from this form. Open it anew."),
    ],
)
def test_what_cannot_be_is_said_and_what_was_chosen_is_kept(
    client_for: ClientFor, workspace: Workspace, owner: User, changes: dict[str, Any], words: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        page = client_for(owner).post(PAGE, asked(**changes))
    assert page.status_code == 422
    assert words in page.text.replace("&#x27;", "'")
    ticked = {scope for scope, tag in boxes(page.text).items() if " checked" in tag}
    assert ticked == set(changes.get("scopes", ["runs:read"])) & set(Scope.values)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("expires", "last_day", "expires_at"),
    [
        ("30", "", NOW + timedelta(days=30)),
        ("90", "2026-03-05", NOW + timedelta(days=90)),
        ("365", "", NOW + timedelta(days=365)),
        ("never", "2026-03-05", None),
        # The last day is one of the workspace's, where it is the 2nd already; it counts to its end.
        ("custom", "2026-03-02", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("custom", "2026-05-31", datetime(2026, 5, 31, 15, tzinfo=UTC)),
    ],
)
def test_how_long_it_works(
    client_for: ClientFor, workspace: Workspace, owner: User, expires: str, last_day: str, expires_at: datetime | None
) -> None:
    workspace.timezone = "Asia/Tokyo"
    workspace.save(update_fields=["timezone"])
    with time_machine.travel(NOW, tick=False):
        page = client_for(owner).post(PAGE, asked(expires=expires, last_day=last_day))
    assert page.status_code == 200
    assert ApiKey.objects.get().expires_at == expires_at


def test_90_days_are_proposed(client_for: ClientFor, workspace: Workspace, owner: User) -> None:
    assert '<option value="90" selected>90 days</option>' in client_for(owner).get(PAGE).text


@pytest.mark.parametrize(
    ("preset", "role", "ticked"),
    [
        ("read", Role.OWNER, {scope.value for scope in Scope if scope.only_reads}),
        ("read", Role.ANALYST, {scope.value for scope in Scope if scope.only_reads} - {"audit:read"}),
        ("send", Role.ADMIN, {"data:read", "data:write"}),
        ("send", Role.ANALYST, set()),
        ("analyse", Role.OWNER, {"runs:read", "runs:write"}),
        ("nonsense", Role.OWNER, set()),
    ],
)
def test_a_preset_ticks_its_scopes(
    client_for: ClientFor, workspace: Workspace, preset: str, role: Role, ticked: set[str]
) -> None:
    user = MembershipFactory.create(workspace=workspace, role=role).user
    page = client_for(user).get(f"{PAGE}?preset={preset}").text
    assert {scope for scope, tag in boxes(page).items() if " checked" in tag} == ticked
    offered = re.findall(r'data-scopes="([^"]*)"', page)
    assert (" ".join(ticked) == "") or ticked in [set(scopes.split()) for scopes in offered]


def test_single_datasets_are_unfolded_where_one_is_chosen(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    page = client_for(owner).post(PAGE, asked(name="", scopes=["spend:write"])).text
    assert '<details class="area-parts" open>' in page
    assert '<details class="area-parts">' in client_for(owner).get(PAGE).text
