"""Who may do what: every address of data and settings, by scope and by role."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from accounts.models import AuditEvent, Role, User, Workspace
from accounts.scopes import Scope, usable
from marketing.api.urls import urlpatterns
from marketing.importing.dimensions import create_channel
from marketing.models import Campaign, Channel, ChannelAlias, Control, Dataset, Outcome
from marketing.segments.definition import parse
from marketing.segments.saved import create_segment
from tests.marketing.api.conftest import API, WithKey
from tests.marketing.batches import add_customer, add_import

pytestmark = pytest.mark.usefixtures("media_root")
READ, NAMES, SETTINGS, WRITE = ("data:read",), ("data:read", "settings:read"), ("settings:write",), ("data:write",)
EVERYBODY, FROM_ANALYST, FROM_ADMIN = (Role.VIEWER, Role.ANALYST, Role.ADMIN, Role.OWNER), 1, 2

# Method and address -> the scopes of which a key needs one; from which role on.
TABLE: dict[tuple[str, str], tuple[tuple[str, ...], int]] = {
    **{("get", f"{dataset}/"): (READ, FROM_ANALYST) for dataset in ("touchpoints", "conversions")},
    **{
        ("get", f"{dataset}/"): (READ, 0)
        for dataset in ("spend", "outcomes", "controls", "experiments", "events", "paths")
    },
    **{
        ("post", f"{dataset}/"): ((f"{dataset}:write", *WRITE), FROM_ANALYST)
        for dataset in (
            "touchpoints", "conversions", "spend", "outcomes", "controls", "experiments", "events", "paths",
        )
    },
    ("get", "imports/"): (READ, 0),
    ("get", "imports/<int:import_id>/"): (READ, 0),
    ("delete", "imports/<int:import_id>/"): (WRITE, FROM_ADMIN),  # somebody else's
    ("get", "imports/<int:import_id>/rejects/"): (READ, FROM_ANALYST),
    ("get", "data-health/"): (READ, 0),
    ("get", "segments/"): (READ, 0),
    ("post", "segments/"): (WRITE, FROM_ANALYST),
    ("post", "segments/preview/"): (READ, FROM_ANALYST),
    ("get", "segments/<int:segment_id>/"): (READ, 0),
    ("patch", "segments/<int:segment_id>/"): (WRITE, FROM_ANALYST),
    ("get", "segments/<int:segment_id>/preview/"): (READ, 0),
    **{
        ("post", f"segments/<int:segment_id>/{deed}/"): (WRITE, FROM_ANALYST)
        for deed in ("duplicate", "archive", "restore")
    },
    ("get", "channels/"): (NAMES, 0),
    ("get", "channels/<int:channel_id>/"): (NAMES, 0),
    ("patch", "channels/<int:channel_id>/"): (SETTINGS, FROM_ADMIN),
    ("post", "channels/<int:channel_id>/merge/"): (SETTINGS, FROM_ADMIN),
    ("post", "channels/<int:channel_id>/unmerge/"): (SETTINGS, FROM_ADMIN),
    ("get", "channels/<int:channel_id>/names/"): (NAMES, 0),
    ("delete", "channels/<int:channel_id>/names/<int:alias_id>/"): (SETTINGS, FROM_ADMIN),
    ("get", "grouping/"): (NAMES, 0),
    ("put", "grouping/"): (SETTINGS, FROM_ADMIN),
    ("post", "grouping/preview/"): (("settings:read",), FROM_ADMIN),
    ("get", "campaigns/"): (NAMES, 0),
    ("get", "campaigns/<int:campaign_id>/"): (NAMES, 0),
    ("get", "traffic-sources/"): (NAMES, 0),
    ("get", "goals/"): (NAMES, 0),
    ("post", "goals/"): (SETTINGS, FROM_ADMIN),
    ("get", "goals/<int:goal_id>/"): (NAMES, 0),
    ("patch", "goals/<int:goal_id>/"): (SETTINGS, FROM_ADMIN),
    ("delete", "goals/<int:goal_id>/"): (SETTINGS, FROM_ADMIN),
    **{
        ("post", f"goals/<int:goal_id>/{deed}/"): (SETTINGS, FROM_ADMIN) for deed in ("default", "archive", "restore")
    },
    ("get", "outcome-series/"): (NAMES, 0),
    ("get", "outcome-series/<int:outcome_id>/"): (NAMES, 0),
    ("patch", "outcome-series/<int:outcome_id>/"): (SETTINGS, FROM_ADMIN),
    ("get", "control-series/"): (NAMES, 0),
    ("get", "control-series/<int:control_id>/"): (NAMES, 0),
    ("post", "customers/lookup/"): (READ, FROM_ADMIN),
    ("get", "customers/requests/"): (READ, FROM_ADMIN),
    ("get", "customers/requests/<int:customer_request_id>/"): (READ, FROM_ADMIN),
    ("get", "customers/<int:customer_id>/"): (READ, FROM_ADMIN),
    ("post", "customers/<int:customer_id>/export/"): (READ, FROM_ADMIN),
    ("post", "customers/<int:customer_id>/erase/"): (WRITE, FROM_ADMIN),
}  # fmt: skip


@pytest.fixture
def addresses(shop: Workspace) -> dict[str, str]:
    """Each pattern with ids of the shop's in it."""
    channel = create_channel(workspace=shop, name="TV", type=Channel.Type.PAID)
    event = AuditEvent.objects.create(workspace=shop, action="customer.exported", target="customer 77")
    segment = create_segment(
        workspace=shop, name="New", definition=parse({"conditions": [{"type": "customer", "is": "new"}]}), by=None
    )
    known = {
        "import_id": add_import(shop, Dataset.SPEND).pk,
        "segment_id": segment.pk,
        "channel_id": channel.pk,
        "alias_id": ChannelAlias.objects.create(workspace=shop, channel=channel, name="Tele").pk,
        "campaign_id": Campaign.objects.create(workspace=shop, name="May").pk,
        "goal_id": shop.goals.get(name="Lead").pk,
        "outcome_id": Outcome.objects.create(workspace=shop, name="Sales").pk,
        "control_id": Control.objects.create(workspace=shop, name="Price").pk,
        "customer_id": add_customer(shop, 77).pk,
        "customer_request_id": event.pk,
    }
    found = {}
    for pattern in patterns():
        address = pattern
        for name, value in known.items():
            address = address.replace(f"<int:{name}>", str(value))
        found[pattern] = f"{API}/{address}"
    return found


def patterns() -> list[str]:
    return [str(each.pattern) for each in urlpatterns if isinstance(each, URLPattern)]


def ask(client: Client, method: str, address: str) -> Any:
    """Ask for what is refused or harmless: no body is of any use."""
    body = {} if method == "get" else {"nothing": 1}
    return getattr(client, method)(address, body, content_type="application/json")


def test_the_table_has_every_method_of_every_address() -> None:
    methods = ("get", "post", "put", "patch", "delete")
    there_are = {
        (method, str(each.pattern)) for each in urlpatterns for method in methods if hasattr(each.callback.cls, method)
    }
    assert there_are == TABLE.keys()


def test_a_key_does_what_its_scopes_say(with_key: WithKey, addresses: dict[str, str]) -> None:
    for (method, pattern), (accepted, _role) in TABLE.items():
        others = [scope for scope in Scope.values if scope not in accepted]
        refused = ask(with_key(*others), method, addresses[pattern])
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied"), (method, pattern)
        assert "scope" in refused.json()["detail"]
    for scope in ("data:read", "data:write", "settings:read", "settings:write", "touchpoints:write", "paths:write"):
        client = with_key(scope)
        for (method, pattern), (accepted, _role) in TABLE.items():
            if scope in accepted and method != "delete" and "erase" not in pattern:
                assert ask(client, method, addresses[pattern]).status_code not in (401, 403), (scope, method, pattern)


def test_a_role_allows_what_it_does_on_the_pages(
    client_for: Any, addresses: dict[str, str], viewer: User, analyst: User, admin: User, owner: User
) -> None:
    for role, user in zip(EVERYBODY, (viewer, analyst, admin, owner), strict=True):
        client = client_for(user)
        for (method, pattern), (_scopes, least) in TABLE.items():
            if EVERYBODY.index(role) >= least and (method == "delete" or "erase" in pattern):
                continue  # what is really done is for other tests
            status = ask(client, method, addresses[pattern]).status_code
            assert (status == 403) == (EVERYBODY.index(role) < least), (role, method, pattern, status)


def test_a_key_never_allows_more_than_its_creators_role(
    with_key: WithKey, addresses: dict[str, str], analyst: User
) -> None:
    assert usable(["settings:write", "data:write"], Role.ANALYST) == []
    client = with_key("data:read", "settings:read", of=analyst)
    for (method, pattern), (accepted, least) in TABLE.items():
        if set(accepted) & {"data:read", "settings:read"}:
            status = ask(client, method, addresses[pattern]).status_code
            assert (status == 403) == (least > FROM_ANALYST), (method, pattern, status)


def test_the_owner_of_another_workspace_meets_nothing(
    client_for: Any, addresses: dict[str, str], outsider: User
) -> None:
    client = client_for(outsider)
    for method, pattern in TABLE:
        named = "<" in pattern
        answer = ask(client, method, addresses[pattern] if named else f"{addresses[pattern]}?workspace=acme")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, pattern)
