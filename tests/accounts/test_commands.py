"""`manage.py create_workspace` and `manage.py create_api_key`."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.api_keys import lookup_of
from accounts.models import ApiKey, Plan, User, Workspace

pytestmark = pytest.mark.django_db


def _run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_create_workspace_takes_everything_from_the_command_line() -> None:
    _run(
        "create_workspace", "Blue Fox", "--slug", "fox", "--owner", "ann@example.com",
        "--plan", "enterprise", "--currency", "CHF", "--timezone", "Europe/Zurich",
    )  # fmt: skip
    workspace = Workspace.objects.get(slug="fox")
    assert (workspace.name, workspace.currency, workspace.timezone) == ("Blue Fox", "CHF", "Europe/Zurich")
    assert workspace.subscription.plan.code == "enterprise"


def test_create_workspace_makes_a_missing_owner_and_says_so() -> None:
    printed = _run("create_workspace", "Fox", "--slug", "fox", "--owner", "ann@example.com")
    owner = User.objects.get()
    assert not owner.has_usable_password()
    assert "Created user ann@example.com, without a password" in printed
    assert "/w/fox/" in printed


def test_create_workspace_takes_the_cheapest_plan_unless_told_otherwise() -> None:
    Plan.objects.filter(code="starter").delete()
    _run("create_workspace", "Fox", "--slug", "fox", "--owner", "ann@example.com")
    assert Workspace.objects.get().subscription.plan.code == "professional"


def test_create_workspace_finds_an_owner_whatever_the_case_of_the_address() -> None:
    User.objects.create_user("ann@example.com")
    printed = _run("create_workspace", "Fox", "--slug", "fox", "--owner", "Ann@Example.com")
    assert "Created user" not in printed
    assert Workspace.objects.get().memberships.get().user.email == "ann@example.com"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--slug", "acme", "slug: Workspace with this Slug already exists."),
        ("--slug", "new", "slug: “new” is used by the product itself. Choose another one."),
        ("--owner", "ann", "Enter a valid email address."),
        ("--currency", "EURO", "currency: "),
        ("--timezone", "Berlin", "timezone: “Berlin” is not an IANA time zone, such as Europe/Berlin."),
        ("--plan", "gold", "“gold” is not a plan. Choose one of: starter, professional, enterprise."),
    ],
)
def test_create_workspace_refuses_in_one_line_and_leaves_nothing(
    workspace: Workspace, option: str, value: str, sentence: str
) -> None:
    options = {"--slug": "fox", "--owner": "ann@example.com", option: value}
    with pytest.raises(CommandError) as refusal:
        _run("create_workspace", "Fox", *[word for pair in options.items() for word in pair])
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
    assert (Workspace.objects.count(), User.objects.count()) == (1, 0)


def test_create_api_key_prints_the_key_and_nothing_else(workspace: Workspace, owner: User) -> None:
    printed = _run(
        "create_api_key", owner.email, "--workspace", "acme", "--scopes", "attribution:read,runs:write", "runs:read",
        "--name", "ETL", "--expires-days", "30",
    )  # fmt: skip
    key = ApiKey.objects.get()
    assert lookup_of(printed.strip()) == key.lookup
    assert (key.name, key.scopes) == ("ETL", ["attribution:read", "runs:read", "runs:write"])
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (29, 30)


@pytest.mark.parametrize(
    ("email", "slug", "scopes", "sentence"),
    [
        ("nobody@example.com", "acme", "runs:read", "There is no user nobody@example.com."),
        ("owner@example.com", "nowhere", "runs:read", "There is no workspace nowhere."),
        ("owner@example.com", "acme", "runs:all", "“runs:all” is not a scope. The scopes are: "),
        ("viewer@example.com", "acme", "runs:read", "The role Viewer may not create API keys."),
    ],
)
def test_create_api_key_refuses_in_one_line(
    workspace: Workspace, owner: User, viewer: User, email: str, slug: str, scopes: str, sentence: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        _run("create_api_key", email, "--workspace", slug, "--scopes", scopes)
    assert str(refusal.value).startswith(sentence)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--expires-days", "9999999", "--expires-days 9999999 is beyond the calendar."),
        ("--expires-days", "99999999999", "--expires-days 99999999999 is beyond the calendar."),
        ("--name", "x" * 1000, "An API key needs a name to recognise it by. Ensure this value has at most 100"),
        ("--name", " ", "An API key needs a name to recognise it by. This field cannot be blank."),
    ],
)
def test_create_api_key_refuses_what_cannot_be_kept(
    workspace: Workspace, owner: User, option: str, value: str, sentence: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        _run("create_api_key", owner.email, "--workspace", "acme", "--scopes", "runs:read", option, value)
    assert str(refusal.value).startswith(sentence)
    assert not ApiKey.objects.exists()
