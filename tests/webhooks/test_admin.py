"""What a site admin sees of webhooks: everything but secrets, and nothing to change."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from tests.webhooks.conftest import NOON, MakeEndpoint
from tests.webhooks.steps import a_run_ends, only_delivery
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db
ENDPOINTS, DELIVERIES = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"


@pytest.fixture
def root(client_for: Callable[[User | None], Client]) -> Client:
    return client_for(User.objects.create_superuser("root@example.com"))


def test_endpoints_are_shown_by_host_and_without_secrets(root: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint(previous_secret="sealed-before", previous_secret_until=NOON)
    for page in (root.get(ENDPOINTS).text, root.get(f"{ENDPOINTS}{endpoint.pk}/change/").text):
        assert "hooks.example.com" in page
        assert "planted" not in page  # of its URL
        assert endpoint.secret not in page
        assert "sealed-before" not in page


def test_deliveries_are_shown_with_their_tries(root: Client, workspace: Workspace, make_endpoint: MakeEndpoint) -> None:
    make_endpoint()
    a_run_ends(workspace)
    delivery = only_delivery()
    delivery.log.create(number=1, at=NOON, response_status=500, response_body="Private words", error="It was down.")
    page = root.get(f"{DELIVERIES}{delivery.pk}/change/").text
    assert "It was down." in page
    assert "run.finished" in page
    assert "planted" not in page
    assert "Private words" not in page
    assert delivery.message_id in root.get(DELIVERIES).text


def test_nothing_can_be_changed(root: Client, workspace: Workspace, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    a_run_ends(workspace)
    for page in (f"{ENDPOINTS}{endpoint.pk}", f"{DELIVERIES}{only_delivery().pk}"):
        assert root.post(f"{page}/change/", {"url": "https://evil.example/"}).status_code == 403
        assert root.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert root.get(f"{ENDPOINTS}add/").status_code == 403
    assert Endpoint.objects.get().url == endpoint.url


@pytest.mark.parametrize("address", [ENDPOINTS, DELIVERIES])
def test_more_rows_bring_no_more_queries(
    root: Client, workspace: Workspace, make_endpoint: MakeEndpoint, address: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert root.get(address).status_code == 200
        return len(captured)

    make_endpoint()
    a_run_ends(workspace)
    queries()  # the first one also looks up the session
    before = queries()
    for _ in range(5):
        make_endpoint()
        a_run_ends(workspace)
    assert queries() == before


def test_the_lists_can_be_searched_and_filtered(
    root: Client, workspace: Workspace, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    message = a_run_ends(workspace)
    for query in ("?q=acme", f"?workspace__id__exact={workspace.pk}", "?disabled_at__isempty=1"):
        assert "hooks.example.com" in root.get(f"{ENDPOINTS}{query}").text
    for query in (f"?q={message.pk}", "?q=acme", f"?endpoint__id__exact={endpoint.pk}", "?status__exact=pending"):
        assert message.pk in root.get(f"{DELIVERIES}{query}").text
    assert message.pk not in root.get(f"{DELIVERIES}?q=nobody").text
