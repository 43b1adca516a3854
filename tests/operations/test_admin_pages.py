"""Every page of the admin: as few queries for many rows as for few, no secret, and nothing that is changed unseen."""

from collections.abc import Callable

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.api_key_actions import create_api_key
from accounts.invitations import invite
from accounts.models import ApiKey, Invitation, Role, User
from tests.operations.admin_world import add_rows, make_place, pages

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
PASSWORD = "correct horse battery"
# Rows of customers' data, which no list shows, and what is secret through and through.
NEVER = {
    *("marketing.Touchpoint", "marketing.Conversion", "marketing.Customer", "marketing.ChannelSpend"),
    *("marketing.OutcomeValue", "marketing.ControlValue", "marketing.Experiment", "marketing.Event"),
    *("marketing.PathCount", "marketing.TrafficSource", "sessions.Session", "mfa.Authenticator"),
    *("account.EmailConfirmation", "api.IdempotentRequest"),
}
CHANGED_BY_FORM = {"accounts.Workspace", "accounts.Plan", "accounts.User", "auth.Group"}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


def queries(client: Client) -> dict[str, int]:
    """How many queries each page takes."""
    taken = {}
    for name, url in pages():
        if name.endswith("history"):
            continue
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200, name
        taken[name] = len(captured)
    return taken


def test_many_rows_take_as_few_queries_as_few(client_for: ClientFor, root: User) -> None:
    client = client_for(root)
    workspace, person = make_place()
    add_rows(workspace, person, range(2))
    ContentType.objects.get_for_models(*apps.get_models())  # each is remembered from its first use on
    client.get("/admin/")  # the first visit is noted in the session
    few = queries(client)
    add_rows(workspace, person, range(2, 12))
    assert queries(client) == few


def test_no_secret_is_on_any_page(client_for: ClientFor, root: User) -> None:
    client = client_for(root)
    workspace, person = make_place()
    add_rows(workspace, person, range(1))
    person.set_password(PASSWORD)
    person.save()
    theirs = client_for(person)
    key, text = create_api_key(workspace=workspace, created_by=person, name="ETL", scopes=["runs:read"])
    ApiKey.objects.exclude(pk=key.pk).delete()
    Invitation.objects.all().delete()
    offer = invite(
        workspace=workspace, email="new@example.org", role=Role.VIEWER, by=workspace.memberships.get(user=person)
    )
    totp = generate_totp_secret()
    TOTP.activate(person, totp)
    codes = RecoveryCodes.activate(person)
    secrets = {
        "key": text,
        "secret part of the key": text.split("_", 2)[2],
        "digest of the key": bytes(key.digest).hex(),
        "password": PASSWORD,
        "hash of the password": person.password.rpartition("$")[2],
        "session": theirs.session.session_key,
        "own session": client.session.session_key,
        "token": offer.token,
        "digest of the token": offer.invitation.digest,
        "secret of the webhook": "sealed",
        "totp": totp,
        "seed of the codes": codes.instance.data["seed"],
        "code": codes.generate_codes()[0],
        "cell of a customer's row": "secret cell",
    }
    client.post(f"/admin/accounts/user/{person.pk}/change/", {"email": person.email, "first_name": "Anna"})
    shown = {name: client.get(url).text for name, url in [*pages(), ("index", "/admin/"), ("status", "/admin/status/")]}
    found = [(page, name) for page, html in shown.items() for name, secret in secrets.items() if str(secret) in html]
    assert not found


def test_customers_rows_and_what_is_secret_are_not_in_the_admin() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert not registered & NEVER
    assert {label for label in NEVER if not label.startswith("account.")} <= {
        model._meta.label for model in apps.get_models()
    }


def test_only_some_rows_are_changed_by_a_form(root: User, rf: RequestFactory) -> None:
    """Each of which leaves a trace of its own; whatever else is done is an action, which ends in a domain function."""
    request = rf.get("/admin/")
    request.user = root
    changed = {
        model._meta.label
        for model, page in admin.site._registry.items()
        if page.has_add_permission(request)
        or page.has_change_permission(request)
        or page.has_delete_permission(request)
    }
    assert changed == CHANGED_BY_FORM


def test_the_front_page_has_groups_and_leads_to_the_status(client_for: ClientFor, root: User) -> None:
    page = client_for(root).get("/admin/").text
    assert "Mixed Media Modeling administration" in page
    assert 'href="/admin/status/"' in page
    headings = ["Workspaces and plans", "People and access", "Work", "Reports and mails", "Service"]
    places = [page.index(f'<span class="section">{heading}</span>') for heading in headings]
    assert places == sorted(places)
    for model in admin.site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert page.count(f'href="{address}"') == 2, address  # once by its name, once to look: in one group only


def test_staff_see_only_what_they_have_the_rights_for(client_for: ClientFor, root: User) -> None:
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    page = client_for(staff).get("/admin/").text
    assert "You may not view or change anything here." in page
    assert client_for(staff).get("/admin/status/").status_code == 200


def test_every_list_can_be_searched(client_for: ClientFor, root: User) -> None:
    workspace, person = make_place()
    add_rows(workspace, person, range(1))
    client = client_for(root)
    for name, url in pages():
        if name.endswith("list"):
            page = client.get(url, {"q": "acme '; -- 7"})
            assert (page.status_code, 'id="searchbar"' in page.text) == (200, True), name


def test_the_lists_that_a_workspaces_page_leads_to_hold_its_rows_only(client_for: ClientFor, root: User) -> None:
    workspace, person = make_place()
    add_rows(workspace, person, range(1))
    client = client_for(root)
    page = client.get(f"/admin/accounts/workspace/{workspace.pk}/change/").text
    for model in ("analyses/run", "marketing/import", "reports/schedule", "reports/delivery", "accounts/apikey"):
        address = f"/admin/{model}/?workspace__id__exact={workspace.pk}"
        assert f'href="{address}"' in page
        assert 'class="paginator"' in client.get(address).text
        assert "0 results" not in client.get(address).text
        for other in (User.objects.count() + 10**6, "x", "9" * 40):
            empty = client.get(f"/admin/{model}/", {"workspace__id__exact": other})
            assert (empty.status_code, '<table id="result_list">' in empty.text) == (200, False)
