"""Settings > General: what may be chosen, who may, what is written down, and what the choice does."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import defaults
from accounts.actions import change_settings
from accounts.models import AuditEvent, User, Workspace
from attribution.custom.custom_models import archive, create
from attribution.methods.custom_definition import parse
from mmm_project.problems import Invalid

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/"
AS_IT_IS = {
    "name": "Acme",
    "currency": "EUR",
    "timezone": "UTC",
    "week_start": "0",
    "period": "90",
    "window": "30",
    "default_attribution_model": "last_non_direct",
    "confidence": "95",
    "channel_grouping": "standard",
    "keep_files_days": "90",
}


@pytest.fixture
def amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace holds amounts of money."""
    monkeypatch.setattr(defaults, "_amount_counters", [lambda _workspace: True])


def change(client: Client, **answers: str) -> Workspace:
    response = client.post(PAGE, AS_IT_IS | answers)
    assert response.status_code == 302, response.text
    assert response.headers["Location"] == PAGE
    return Workspace.objects.get(slug="acme")


@pytest.mark.parametrize(
    ("answers", "field", "value"),
    [
        ({"name": "Acme & Söhne"}, "name", "Acme & Söhne"),
        ({"currency": "jpy"}, "currency", "JPY"),
        ({"timezone": "America/New_York"}, "timezone", "America/New_York"),
        ({"week_start": "6"}, "week_start", 6),
        ({"period": "365"}, "period_days", 365),
        ({"period": "custom", "period_days": "45"}, "period_days", 45),
        ({"window": "7"}, "window_days", 7),
        ({"window": "custom", "window_days": "365"}, "window_days", 365),
        ({"default_attribution_model": "linear"}, "default_attribution_model", "linear"),
        ({"confidence": "80"}, "confidence", 80),
        ({"channel_grouping": "granular"}, "channel_grouping", "granular"),
        ({"keep_files_days": "0"}, "keep_files_days", 0),
    ],
)
def test_an_admin_changes_one_setting_and_no_other(
    client_for: ClientFor, admin: User, answers: dict[str, str], field: str, value: object
) -> None:
    before: dict[str, object] = dict(Workspace.objects.filter(slug="acme").values().get())
    changed = change(client_for(admin), **answers)
    assert getattr(changed, field) == value
    assert Workspace.objects.filter(slug="acme").values().get() == before | {field: value}
    event = AuditEvent.objects.get(action="settings.changed")
    assert (event.actor, event.target) == (admin, "acme")
    assert event.detail == {"changes": {field: {"before": before[field], "after": value}}}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "This field is required."),
        ("name", "x" * 101, "at most 100 characters"),
        ("currency", "XYZ", "“XYZ” is not an ISO 4217 currency code, such as EUR."),
        ("timezone", "Berlin", "“Berlin” is not an IANA time zone, such as Europe/Berlin."),
        ("week_start", "3", "Select a valid choice."),
        ("period", "91", "Select a valid choice."),
        ("window", "0", "Select a valid choice."),
        ("confidence", "100", "Select a valid choice."),
        ("channel_grouping", "none", "Select a valid choice."),
        ("default_attribution_model", "magic", "Select a valid choice."),
        ("keep_files_days", "-1", "Select a valid choice."),
    ],
)
def test_a_value_that_cannot_be_is_said_beside_it(
    client_for: ClientFor, admin: User, field: str, value: str, sentence: str
) -> None:
    before = Workspace.objects.filter(slug="acme").values().get()
    response = client_for(admin).post(PAGE, AS_IT_IS | {field: value})
    assert response.status_code == 422
    assert sentence in unescape(response.text)
    assert Workspace.objects.filter(slug="acme").values().get() == before
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("name", "days", "sentence"),
    [
        ("window", "", "Say how many days."),
        ("window", "366", "less than or equal to 365"),
        ("window", "0", "greater than or equal to 1"),
        ("window", "1.5", "Enter a whole number."),
        ("period", "", "Say how many days."),
        ("period", "3661", "less than or equal to 3660"),
    ],
)
def test_a_custom_number_of_days_has_its_bounds(
    client_for: ClientFor, admin: User, name: str, days: str, sentence: str
) -> None:
    response = client_for(admin).post(PAGE, AS_IT_IS | {name: "custom", f"{name}_days": days})
    assert response.status_code == 422
    assert sentence in response.text


def test_what_is_typed_for_custom_does_not_count_where_a_preset_is_chosen(client_for: ClientFor, admin: User) -> None:
    assert change(client_for(admin), window="60", window_days="5").window_days == 60


def test_saving_without_a_change_leaves_no_trace(client_for: ClientFor, admin: User) -> None:
    change(client_for(admin))
    assert not AuditEvent.objects.exists()


def test_a_custom_number_is_shown_again(client_for: ClientFor, workspace: Workspace, admin: User) -> None:
    Workspace.objects.update(window_days=45, period_days=400)
    page = client_for(admin).get(PAGE).text
    assert page.count('<option value="custom" selected>') == 2
    for name, days in (("window_days", 45), ("period_days", 400)):
        (field,) = re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)
        assert f'value="{days}"' in field


def test_a_default_model_that_is_none_any_more_is_replaced_when_saved(client_for: ClientFor, admin: User) -> None:
    Workspace.objects.update(default_attribution_model="of an older version")
    page = client_for(admin).get(PAGE)
    assert page.status_code == 200
    assert "of an older version" not in page.text


def test_own_models_can_be_the_default_beside_the_rules(
    client_for: ClientFor, workspace: Workspace, admin: User, viewer: User
) -> None:
    client = client_for(admin)
    assert "<optgroup" not in client.get(PAGE).text, "there is nothing to tell the rules from"
    ours = create(workspace=workspace, name="Ours", definition=parse({"position": {"even": True}}), by=None)
    page = client.get(PAGE).text
    assert re.findall(r'<optgroup label="([^"]*)">', page) == ["Rules", "Your own"]
    changed = change(client, default_attribution_model=f"custom:{ours.pk}")
    assert changed.default_attribution_model == f"custom:{ours.pk}"
    assert f'<option value="custom:{ours.pk}" selected>Ours</option>' in client.get(PAGE).text
    assert "<dd>Ours</dd>" in client_for(viewer).get(PAGE).text
    assert client.post(PAGE, AS_IT_IS | {"default_attribution_model": "data_driven"}).status_code == 422


def test_an_archived_default_model_gives_way_with_a_sentence(
    client_for: ClientFor, workspace: Workspace, admin: User
) -> None:
    ours = create(workspace=workspace, name="Ours", definition=parse({"position": {"even": True}}), by=None)
    client = client_for(admin)
    change(client, default_attribution_model=f"custom:{ours.pk}")
    archive(model=ours, by=None)
    page = client.get(PAGE).text
    assert "The model that was the default is no longer offered" in page
    assert '<option value="last_non_direct" selected>' in page
    assert change(client).default_attribution_model == "last_non_direct"
    assert "is no longer offered" not in client.get(PAGE).text


@pytest.mark.usefixtures("amounts")
def test_the_currency_stays_once_there_are_amounts(client_for: ClientFor, admin: User) -> None:
    client = client_for(admin)
    assert "Amounts have been imported in EUR" in client.get(PAGE).text
    # What is sent for it is not looked at: the other settings can still be saved.
    changed = change(client, currency="USD", name="Acme Ltd")
    assert (changed.currency, changed.name) == ("EUR", "Acme Ltd")


@pytest.mark.usefixtures("amounts")
def test_amounts_that_came_in_meanwhile_keep_the_currency_and_everything_else(
    workspace: Workspace, admin: User
) -> None:
    with pytest.raises(Invalid, match="cannot be changed any more"):
        change_settings(workspace=workspace, values={"currency": "USD", "name": "Acme Ltd"}, by=admin)
    workspace.refresh_from_db()
    assert (workspace.currency, workspace.name) == ("EUR", "Acme")


@pytest.mark.parametrize("values", [{"window_days": 0}, {"window_days": 366}, {"timezone": "Mars"}, {"confidence": 50}])
def test_no_caller_can_store_a_value_that_cannot_be(workspace: Workspace, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        change_settings(workspace=workspace, values=values, by=None)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_others_read_the_settings_and_change_none(
    client_for: ClientFor, request: pytest.FixtureRequest, role: str
) -> None:
    client = client_for(request.getfixturevalue(role))
    Workspace.objects.update(window_days=45)
    page = client.get(PAGE).text
    assert "An owner or admin of the workspace can change these settings." in page
    assert "45 days" in page
    assert "Last 90 days" in page
    assert "Last Non-Direct" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert client.post(PAGE, AS_IT_IS | {"name": "Mine"}).status_code == 403
    assert Workspace.objects.get(slug="acme").name == "Acme"


def test_settings_are_for_members_by_get_and_post(
    client_for: ClientFor, workspace: Workspace, admin: User, outsider: User
) -> None:
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(PAGE, AS_IT_IS).status_code == 404
    assert client_for(admin).delete(PAGE).status_code == 405
    assert client_for(None).get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"
