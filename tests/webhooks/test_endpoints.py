"""Endpoints are made, changed and ended by actions that look first where they lead; each leaves a trace."""

import json
import uuid
from collections.abc import Callable

import pytest
import time_machine

from accounts.models import AuditEvent, User, Workspace
from mmm_project.problems import Conflict, Invalid, NotFound
from tests.factories import WorkspaceFactory
from tests.webhooks.conftest import NOON, MakeEndpoint, Names
from tests.webhooks.steps import SECRET, URL, a_run_ends, fresh, only_delivery
from webhooks import endpoints
from webhooks.endpoints import MOST_ENDPOINTS, OVERLAP, create_endpoint, find_endpoint, rotate_secret
from webhooks.models import Delivery, Endpoint
from webhooks.signing import unseal

EVENTS = ["import.finished", "run.finished"]


@pytest.fixture
def public(names: Names) -> list[str]:
    """Every name is at a public address; who was looked up."""
    return names(["8.8.8.8"])


def test_an_endpoint_is_created_with_a_secret_that_is_stored_encrypted(
    workspace: Workspace, owner: User, public: list[str]
) -> None:
    endpoint, secret = create_endpoint(
        workspace=workspace, url=URL, events=EVENTS, description=" For the data team ", by=owner
    )
    stored = fresh(endpoint)
    assert secret.startswith("whsec_")
    assert secret not in json.dumps(Endpoint.objects.values().get(), default=str)
    assert unseal(stored.secret) == secret
    assert (stored.url, stored.description, stored.created_by) == (URL, "For the data team", owner)
    assert stored.events == ["run.finished", "import.finished"]  # in their usual order
    assert public == ["hooks.example.com"]
    event = AuditEvent.objects.get()
    assert (event.action, event.target, event.actor) == ("webhook.created", "hooks.example.com", owner)
    assert event.detail == {"endpoint": str(endpoint.pk), "events": stored.events}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"url": "ftp://example.com/"}, "url", "This is not a complete URL"),
        ({"url": "https://me:secret@example.com/"}, "url", "Leave out the user name and password"),
        ({"url": "https://127.0.0.1/"}, "url", "not on the public internet"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url", "not on the public internet"),
        ({"url": "https://8.8.8.8:25/"}, "url", "only, and not to 25"),
        ({"events": []}, "events", "Choose at least one event."),
        ({"events": ["ping"]}, "events", "Choose from run.finished, import.finished"),
        ({"events": ["run.finished", "moon.rises"]}, "events", "Choose from"),
        ({"description": "x" * 201}, "description", "at most 200 characters"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    workspace: Workspace,
    owner: User,
    make_endpoint: MakeEndpoint,
    changes: dict[str, object],
    field: str,
    sentence: str,
) -> None:
    fields = {"url": "https://8.8.8.8/", "events": EVENTS, "by": owner} | changes
    with pytest.raises(Invalid) as refusal:
        create_endpoint(workspace=workspace, **fields)  # type: ignore[arg-type]
    assert sentence in refusal.value.errors[field][0]
    endpoint = make_endpoint()
    before = Endpoint.objects.values().get()
    with pytest.raises(Invalid):
        endpoints.change_endpoint(endpoint=endpoint, **fields)  # type: ignore[arg-type]
    assert Endpoint.objects.values().get() == before
    assert not AuditEvent.objects.exists()


def test_a_name_that_leads_inside_is_refused_before_anything_is_written(
    workspace: Workspace, owner: User, names: Names
) -> None:
    names(["8.8.8.8", "169.254.169.254"])
    with pytest.raises(Invalid) as refusal:
        create_endpoint(workspace=workspace, url=URL, events=EVENTS, by=owner)
    assert "hooks.example.com is at an address that is not on the public internet" in refusal.value.errors["url"][0]
    assert not Endpoint.objects.exists()


def test_a_workspace_has_ten_at_most(
    workspace: Workspace, owner: User, make_endpoint: MakeEndpoint, public: list[str]
) -> None:
    for _ in range(MOST_ENDPOINTS - 1):
        make_endpoint()
    make_endpoint(workspace=WorkspaceFactory.create())
    create_endpoint(workspace=workspace, url=URL, events=EVENTS, by=owner)
    with pytest.raises(Invalid, match="at most 10 webhooks"):
        create_endpoint(workspace=workspace, url=URL, events=EVENTS, by=owner)


def test_a_change_is_recorded_by_host_and_without_the_rest_of_the_url(
    make_endpoint: MakeEndpoint, owner: User, public: list[str]
) -> None:
    endpoint = make_endpoint(failures=4, failing_since=NOON, rests_until=NOON, events=["run.finished"])
    endpoints.change_endpoint(endpoint=endpoint, url=URL, events=["run.finished"], description="", by=owner)
    assert public == []  # the same URL is not looked up again
    assert not AuditEvent.objects.exists()  # nothing has changed
    assert fresh(endpoint).failures == 4
    url = "https://other.example.com/services/T0/very-secret"
    endpoints.change_endpoint(endpoint=endpoint, url=url, events=EVENTS, description="Moved", by=owner)
    stored = fresh(endpoint)
    assert (stored.url, stored.description, stored.failures, stored.failing_since) == (url, "Moved", 0, None)
    event = AuditEvent.objects.get()
    assert (event.action, event.target) == ("webhook.changed", "other.example.com")
    assert event.detail["changes"] == {
        "host": {"before": "hooks.example.com", "after": "other.example.com"},
        "events": {"before": ["run.finished"], "after": ["run.finished", "import.finished"]},
        "description": {"before": "", "after": "Moved"},
    }
    assert event.detail["url_changed"] is True
    endpoints.change_endpoint(endpoint=stored, url=f"{url}-2", events=EVENTS, description="Moved", by=owner)
    assert AuditEvent.objects.first().detail["url_changed"] is True  # type: ignore[union-attr]
    assert "very-secret" not in str(list(AuditEvent.objects.values_list("detail", "target")))


def test_what_waits_goes_to_the_new_url(
    workspace: Workspace, make_endpoint: MakeEndpoint, owner: User, public: list[str]
) -> None:
    endpoint = make_endpoint()
    a_run_ends(workspace)
    endpoints.change_endpoint(endpoint=endpoint, url="https://new.example.com/", events=EVENTS, by=owner)
    assert only_delivery().status == Delivery.Status.PENDING
    assert only_delivery().endpoint.url == "https://new.example.com/"


def test_a_rotation_keeps_the_secret_before_for_a_day_and_no_longer_one(
    make_endpoint: MakeEndpoint, owner: User, clock: time_machine.Traveller
) -> None:
    endpoint = make_endpoint()
    second = rotate_secret(endpoint=endpoint, by=owner)
    assert (unseal(fresh(endpoint).secret), unseal(fresh(endpoint).previous_secret)) == (second, SECRET)
    assert fresh(endpoint).previous_secret_until == NOON + OVERLAP
    third = rotate_secret(endpoint=endpoint, by=owner)
    assert len({SECRET, second, third}) == 3
    assert unseal(fresh(endpoint).previous_secret) == second
    events = AuditEvent.objects.values_list("action", "detail")
    assert list(events) == [("webhook.secret_rotated", {"endpoint": str(endpoint.pk)})] * 2


def test_an_endpoint_is_disabled_and_enabled_once(
    workspace: Workspace, make_endpoint: MakeEndpoint, owner: User, clock: time_machine.Traveller, public: list[str]
) -> None:
    endpoint = make_endpoint(failing_since=NOON, failures=9, rests_until=NOON)
    for _ in range(2):
        endpoints.disable_endpoint(endpoint=endpoint, by=owner)
    assert (fresh(endpoint).disabled_at, fresh(endpoint).disabled_because) == (NOON, "")
    for _ in range(2):
        endpoints.enable_endpoint(endpoint=endpoint, by=owner)
    stored = fresh(endpoint)
    assert (stored.disabled_at, stored.failing_since, stored.failures, stored.rests_until) == (None, None, 0, None)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "webhook.disabled",
        "webhook.enabled",
    ]


def test_one_that_leads_inside_by_now_stays_disabled(make_endpoint: MakeEndpoint, owner: User, names: Names) -> None:
    endpoint = make_endpoint(disabled_at=NOON)
    names(["10.0.0.1"])
    with pytest.raises(Conflict, match=r"It stays disabled\. hooks\.example\.com is at an address"):
        endpoints.enable_endpoint(endpoint=endpoint, by=owner)
    assert fresh(endpoint).disabled_at == NOON


def test_an_endpoint_goes_with_its_log_and_leaves_a_trace(
    workspace: Workspace, make_endpoint: MakeEndpoint, owner: User
) -> None:
    endpoint, other = make_endpoint(), make_endpoint()
    a_run_ends(workspace)
    endpoints.delete_endpoint(endpoint=endpoint, by=owner)
    assert only_delivery().endpoint == other
    assert AuditEvent.objects.get(action="webhook.deleted").target == "hooks.example.com"


@pytest.mark.parametrize(
    "act", [endpoints.disable_endpoint, endpoints.delete_endpoint, endpoints.rotate_secret, endpoints.send_test]
)
def test_what_somebody_else_has_just_deleted(
    make_endpoint: MakeEndpoint, owner: User, act: Callable[..., object]
) -> None:
    endpoint = make_endpoint()
    Endpoint.objects.all().delete()
    with pytest.raises(NotFound):
        act(endpoint=endpoint, by=owner)
    assert not AuditEvent.objects.exists()


def test_an_endpoint_is_found_in_its_workspace_alone(workspace: Workspace, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    assert find_endpoint(workspace=workspace, endpoint_id=endpoint.pk) == endpoint
    for where, endpoint_id in ((WorkspaceFactory.create(), endpoint.pk), (workspace, uuid.uuid4())):
        with pytest.raises(NotFound):
            find_endpoint(workspace=where, endpoint_id=endpoint_id)
