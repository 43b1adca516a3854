"""Customers in the API: found by key, handed over and erased by those who may, and the key is nowhere kept."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from api.models import IdempotentRequest
from jobs.models import Job
from marketing.models import Customer, Touchpoint
from tests.factories import WorkspaceFactory
from tests.marketing.api.conftest import API, Importer, WithKey, carry_out, results, send

pytestmark = pytest.mark.usefixtures("media_root")
KEY = "ann@example.com"


@pytest.fixture
def held(import_rows: Importer) -> Any:
    import_rows(
        "touchpoints", f"customer,occurred_at,channel\n{KEY},2026-03-01T10:00Z,Email\nbob,2026-03-02T10:00Z,TV\n"
    )
    return import_rows("conversions", f"customer,occurred_at,value\n{KEY},2026-03-03T10:00Z,50\n")


def look_up(client: Client, key: str = KEY) -> Any:
    return send(client, "post", "/customers/lookup/", {"key": key})


def test_a_customer_is_found_by_key(program: Client, held: Any) -> None:
    found = look_up(program)
    assert found.status_code == 200
    said = found.json()
    assert (said["touches"], said["touches_counted"], said["conversions"], said["conversions_counted"]) == (1, 1, 1, 1)
    assert (said["first_at"], said["last_at"]) == ("2026-03-01T10:00:00Z", "2026-03-03T10:00:00Z")
    assert said["imports"][0] == {
        "id": held.pk, "url": f"/api/v1/imports/{held.pk}/", "rows": 1, "has_file": True,
    }  # fmt: skip
    assert program.get(said["url"]).json() == said
    assert [row["customer"] for row in results(program, f"/touchpoints/?customer_id={said['id']}")] == [said["id"]]
    assert look_up(program, f" {KEY} ").json() == said


@pytest.mark.parametrize("key", ["Ann@example.com", "nobody"])
def test_who_is_not_known_is_not_found(program: Client, held: Any, key: str) -> None:
    missing = look_up(program, key)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert missing.json()["detail"].startswith("Nothing is held under this key.")


@pytest.mark.parametrize("key", [None, "", " ", "x" * 201, "a\0b", "\ud800", ["ann"], {"a": 1}])
def test_what_is_no_key_is_refused(program: Client, key: object) -> None:
    refused = send(program, "post", "/customers/lookup/", {"key": key})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["key"])


def test_what_is_held_is_handed_over_and_noted(program: Client, held: Any, owner: User) -> None:
    url = look_up(program).json()["url"]
    answer = program.post(f"{url}export/", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    said = json.loads(answer.getvalue())
    assert (len(said["touchpoints"]), len(said["conversions"])) == (1, 1)
    noted = AuditEvent.objects.get(action="customer.exported")
    assert (noted.actor, noted.api_key_id is not None) == (owner, True)
    (asked,) = results(program, "/customers/requests/")
    assert (asked["status"], asked["requested_by"], asked["error"]) == ("exported", owner.email, None)


def test_a_customer_is_erased_by_a_worker(program: Client, held: Any, shop: Workspace) -> None:
    found = look_up(program).json()
    asked = program.post(f"{found['url']}erase/", content_type="application/json")
    assert (asked.status_code, asked["Location"], asked["Retry-After"]) == (202, asked.json()["url"], "1")
    assert (asked.json()["status"], asked.json()["customer"]) == ("being_erased", found["id"])
    assert (
        program.post(f"{found['url']}erase/", content_type="application/json").json() == asked.json()
    )  # it is the same request
    assert Job.objects.filter(kind="marketing.erase_customer").count() == 1
    carry_out()
    done = program.get(asked["Location"]).json()
    assert (done["status"], results(program, "/customers/requests/")) == ("erased", [done])
    assert look_up(program).status_code == 404
    assert program.get(found["url"]).status_code == 404
    assert results(program, f"/touchpoints/?customer_id={found['id']}") == []
    assert len(results(program, "/touchpoints/")) == 1
    assert AuditEvent.objects.get(action="customer.erasure_requested").api_key_id is not None


def test_the_key_is_kept_nowhere(program: Client, held: Any) -> None:
    """Not even as a digest: an e-mail address is soon guessed from one."""
    url = look_up(program).json()["url"]
    for path in ("/customers/lookup/", f"{url.removeprefix(API)}erase/"):
        send(program, "post", path, {"key": KEY}, **{"Idempotency-Key": "one"})
    assert not IdempotentRequest.objects.exists()
    assert KEY not in str(list(AuditEvent.objects.values_list("target", "detail")))


@pytest.mark.parametrize(
    ("method", "rest"), [("post", "lookup/"), ("get", "{id}/"), ("post", "{id}/export/"), ("post", "{id}/erase/"),
                         ("get", "requests/"), ("get", "requests/{request}/")]
)  # fmt: skip
def test_customers_are_for_owners_and_admins(
    program: Client, held: Any, with_key: WithKey, client_for: Any, analyst: User, viewer: User, method: str, rest: str
) -> None:
    url = look_up(program).json()["url"]
    program.post(f"{url}export/", content_type="application/json")
    request = AuditEvent.objects.get(action="customer.exported")
    path = f"/customers/{rest}".format(id=url.split("/")[-2], request=request.pk)
    for client in (with_key("data:read", of=analyst), client_for(viewer), client_for(analyst)):
        refused = send(client, method, path, {"key": KEY})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert send(with_key("settings:read", "settings:write"), method, path, {"key": KEY}).status_code == 403
    assert Touchpoint.objects.count() == 2


def test_customers_and_requests_of_other_workspaces_do_not_exist(program: Client) -> None:
    other: Workspace = WorkspaceFactory.create()
    Customer.objects.create(pk=77, workspace=other)
    event = AuditEvent.objects.create(workspace=other, action="customer.exported", target="customer 77")
    unrelated = AuditEvent.objects.filter(workspace__slug="acme").first()
    assert unrelated is not None
    for method, path in (
        ("get", "77/"), ("post", "77/export/"), ("post", "77/erase/"), ("get", f"{10**30}/"),
        ("get", f"requests/{event.pk}/"), ("get", f"requests/{unrelated.pk}/"),
    ):  # fmt: skip
        assert send(program, method, f"/customers/{path}").status_code == 404
    assert results(program, "/customers/requests/") == []
