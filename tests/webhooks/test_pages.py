"""Settings > Webhooks: who may see and do what, and a secret that is shown once."""

import html
import re
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from accounts.models import AuditEvent, User, Workspace
from tests.webhooks.conftest import NOON, MakeEndpoint, Names
from tests.webhooks.receiver import Receiver
from tests.webhooks.steps import SECRET, URL, a_run_ends, fresh, only_delivery
from webhooks.courier import send_due
from webhooks.models import Delivery, Endpoint
from webhooks.sending import FAILED_TOO_LONG
from webhooks.signing import unseal

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/webhooks/"
NEW = f"{PAGE}new/"
FORM = {"url": URL, "description": "Data team", "events": ["run.finished"]}
SHOWN = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


def path(endpoint: Endpoint, deed: str = "") -> str:
    return f"{PAGE}{endpoint.pk}/{deed}"


def message_path(delivery: Delivery) -> str:
    return path(delivery.endpoint, f"messages/{delivery.message_id}/")


def said(client: Client) -> str:
    """What the page of the webhooks says next."""
    return html.unescape(client.get(PAGE).text)


@pytest.fixture
def told(workspace: Workspace, make_endpoint: MakeEndpoint) -> Delivery:
    """Something that an endpoint is to be told."""
    make_endpoint()
    a_run_ends(workspace)
    return only_delivery()


def test_webhooks_are_for_owners_and_admins(
    told: Delivery, client_for: ClientFor, owner: User, admin: User, analyst: User, viewer: User, outsider: User
) -> None:
    endpoint = told.endpoint
    pages = [PAGE, NEW, path(endpoint), path(endpoint, "edit/"), path(endpoint, "rotate/"), path(endpoint, "delete/")]
    pages.append(message_path(told))
    deeds = [path(endpoint, deed) for deed in ("disable/", "enable/", "test/", "rotate/", "delete/")]
    deeds.append(f"{message_path(told)}redeliver/")
    for user, status in ((owner, 200), (admin, 200), (analyst, 403), (viewer, 403), (outsider, 404)):
        client = client_for(user)
        assert {address: client.get(address).status_code for address in pages} == dict.fromkeys(pages, status)
        if status != 200:
            answers = {address: client.post(address, FORM).status_code for address in (*deeds, NEW)}
            assert set(answers.values()) == {status}
    assert "Webhooks are for owners and admins" in client_for(viewer).get(PAGE).text
    assert fresh(endpoint).disabled_at is None
    assert not AuditEvent.objects.exists()


def test_what_changes_something_is_not_gotten_and_what_shows_something_is_not_posted(
    told: Delivery, client_for: ClientFor, owner: User
) -> None:
    client = client_for(owner)
    for deed in ("disable/", "enable/", "test/"):
        assert client.get(path(told.endpoint, deed)).status_code == 405
    assert client.get(f"{message_path(told)}redeliver/").status_code == 405
    for address in (PAGE, path(told.endpoint), message_path(told)):
        assert client.post(address).status_code == 405


def test_what_belongs_to_another_endpoint_or_workspace_is_not_found(
    told: Delivery, make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User, outsider: User
) -> None:
    other = make_endpoint()
    client = client_for(owner)
    assert client.get(path(other, f"messages/{told.message_id}/")).status_code == 404
    assert client.get(path(other, "messages/msg_%00/")).status_code == 404
    assert client.get(path(other, "messages/msg_unknown/")).status_code == 404
    elsewhere = PAGE.replace("acme", "elsewhere")
    assert client_for(outsider).get(elsewhere).status_code == 200
    assert client_for(outsider).get(f"{elsewhere}{told.endpoint_id}/").status_code == 404
    assert client_for(outsider).post(f"{elsewhere}{told.endpoint_id}/delete/").status_code == 404


def test_an_empty_list_says_what_webhooks_are_and_how_to_verify_them(
    workspace: Workspace, client_for: ClientFor, owner: User
) -> None:
    page = said(client_for(owner))
    assert "No program is told anything yet" in page
    assert "from standardwebhooks import Webhook" in page
    assert "hmac.compare_digest" in page
    assert "<code>schedule.failed</code>" in page
    assert NEW in page


def test_a_secret_is_shown_once(
    workspace: Workspace, client_for: ClientFor, owner: User, names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    names(["8.8.8.8"])
    client = client_for(owner)
    response = client.post(NEW, FORM)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    (secret,) = SHOWN.findall(html.unescape(response.text))
    endpoint = Endpoint.objects.get()
    assert unseal(endpoint.secret) == secret
    rotated = client.post(path(endpoint, "rotate/"))
    assert rotated.headers["Cache-Control"] == "no-store"
    (second,) = SHOWN.findall(html.unescape(rotated.text))
    assert second != secret
    client.post(path(endpoint, "test/"))
    pages = [PAGE, path(endpoint), path(endpoint, "edit/"), path(endpoint, "rotate/"), message_path(only_delivery())]
    everything = [client.get(page).text for page in pages]
    everything += [str(list(AuditEvent.objects.values())), caplog.text]
    for text in everything:
        assert "whsec_" not in html.unescape(text).replace('"whsec_"', "")  # but for the example's prefix
        for key in (secret, second, endpoint.secret, fresh(endpoint).secret):
            assert key.removeprefix("whsec_") not in html.unescape(text)


def test_a_dump_of_the_database_holds_no_secret(
    make_endpoint: MakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    make_endpoint()
    call_command("dumpdata", "webhooks")
    assert SECRET.removeprefix("whsec_") not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"url": ""}, "url", "This field is required."),
        ({"url": "https://10.0.0.1/"}, "url", "not on the public internet"),
        ({"url": "https://user:password@example.com/"}, "url", "Leave out the user name"),
        ({"url": "https://8.8.8.8:22/"}, "url", "and not to 22"),
        ({"events": []}, "events", "Choose at least one event."),
        ({"events": ["ping"]}, "events", "Select a valid choice."),
        ({"description": "x" * 201}, "description", "at most 200"),
    ],
)
def test_a_form_that_cannot_be_saved_says_why_beside_its_field(
    make_endpoint: MakeEndpoint,
    client_for: ClientFor,
    owner: User,
    changes: dict[str, object],
    field: str,
    sentence: str,
) -> None:
    endpoint = make_endpoint()
    for address in (NEW, path(endpoint, "edit/")):
        response = client_for(owner).post(address, FORM | {"url": "https://8.8.8.8/"} | changes)
        assert response.status_code == 422
        assert sentence in response.context["form"].errors[field][0]
        assert sentence in html.unescape(response.text)
    assert Endpoint.objects.get().url == URL


def test_an_eleventh_is_refused(
    workspace: Workspace, make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User, names: Names
) -> None:
    names(["8.8.8.8"])
    for _ in range(10):
        make_endpoint()
    client = client_for(owner)
    page = said(client)
    assert "10 of 10" in page
    assert NEW not in page
    response = client.post(NEW, FORM)
    assert response.status_code == 422
    assert "at most 10 webhooks" in response.text


def test_an_endpoint_is_edited_disabled_enabled_and_deleted(
    make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User, names: Names
) -> None:
    names(["8.8.8.8"])
    endpoint, client = make_endpoint(), client_for(owner)
    form = client.get(path(endpoint, "edit/")).text
    assert URL in html.unescape(form)
    changed = client.post(path(endpoint, "edit/"), FORM | {"url": "https://other.example.com/"}, follow=True)
    assert "The webhook is saved." in changed.text
    assert (fresh(endpoint).url, fresh(endpoint).events) == ("https://other.example.com/", ["run.finished"])
    assert "The webhook is disabled." in client.post(path(endpoint, "disable/"), follow=True).text
    assert "Disabled" in said(client)
    assert "The webhook gets events again." in client.post(path(endpoint, "enable/"), follow=True).text
    assert "Delete the webhook to other.example.com?" in client.get(path(endpoint, "delete/")).text
    assert "The webhook to other.example.com is deleted." in client.post(path(endpoint, "delete/"), follow=True).text
    assert not Endpoint.objects.exists()


def test_what_cannot_be_done_is_said(
    make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User, names: Names, told: Delivery
) -> None:
    names(["10.0.0.1"])
    client, endpoint = client_for(owner), told.endpoint
    assert "on its way already" in client.post(f"{message_path(told)}redeliver/", follow=True).text
    Endpoint.objects.update(disabled_at=NOON)
    assert "It stays disabled." in client.post(path(endpoint, "enable/"), follow=True).text
    assert "Enable it first." in client.post(path(endpoint, "test/"), follow=True).text
    assert "Enable it first." in client.post(f"{message_path(told)}redeliver/", follow=True).text


def test_the_states_of_endpoints_are_told_apart(
    make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User
) -> None:
    make_endpoint()
    make_endpoint(last_delivered_at=NOON)
    make_endpoint(failing_since=NOON, failures=3)
    make_endpoint(disabled_at=NOON, disabled_because=FAILED_TOO_LONG.format("It was down."), failing_since=NOON)
    make_endpoint(disabled_at=NOON)
    page = said(client_for(owner))
    for words in (
        "Nothing sent yet",
        "Last delivered 2 Mar 2026, 12:00.",
        "Since 2 Mar 2026, 12:00, 3 times in a row. After five days it is disabled, once a message is out of tries.",
        "Since 2 Mar 2026, 12:00. Nothing could be delivered for five days. The last time: It was down.",
        "Since 2 Mar 2026, 12:00. Somebody disabled it.",
    ):
        assert words in page


def test_a_test_event_is_sent_and_what_comes_of_it_is_shown(
    endpoint: Endpoint, receiver: Receiver, client_for: ClientFor, owner: User
) -> None:
    receiver.answers("500 Oops", body=b"<script>alert('down')</script>")
    client = client_for(owner)
    page = client.post(path(endpoint, "test/"), follow=True)
    address = message_path(only_delivery())
    assert page.redirect_chain[-1][0] == address
    assert 'hx-trigger="every 2s"' in page.text
    assert "It is about to be sent." in page.text
    send_due()
    fragment = client.get(address, headers={"HX-Request": "true"})
    assert "<html" not in fragment.text
    assert "HX-Request" in fragment.headers["Vary"]
    assert "The receiver answered 500 Internal Server Error. Next try: 2 Mar 2026, 12:00." in fragment.text
    assert "&lt;script&gt;" in fragment.text
    assert "Redeliver" not in fragment.text  # it is tried again anyway
    receiver.answers("204 No Content")
    Delivery.objects.update(next_try_at=NOON)
    send_due()
    done = client.get(address).text
    assert "hx-trigger" not in done.partition("<main")[2]
    assert "The receiver answered 204." in done
    assert "The answer had no text." in done
    assert "Redeliver" in done
    client.post(f"{address}redeliver/")
    send_due()
    assert len(receiver.received) == 3
    assert Webhook(SECRET).verify(receiver.received[2].body, receiver.received[2].headers)["type"] == "ping"
    assert re.search(rf"Sent because of</dt>\s*<dd>{owner.email}<", client.get(address).text)


def test_the_log_of_an_endpoint_is_filtered_by_state(
    workspace: Workspace, make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User
) -> None:
    endpoint, client = make_endpoint(), client_for(owner)
    assert "Nothing has happened yet" in client.get(path(endpoint)).text
    ids = [a_run_ends(workspace).pk for _ in range(3)]
    Delivery.objects.filter(message=ids[0]).update(status="delivered", response_status=200)
    Delivery.objects.filter(message=ids[1]).update(status="failed", error="The receiver answered 500.")

    def shown(query: str) -> list[bool]:
        page = client.get(f"{path(endpoint)}{query}").text
        return [message_id in page for message_id in ids]

    assert shown("") == shown("?status=") == shown("?status=nonsense") == [True, True, True]
    assert shown("?status=delivered") == [True, False, False]
    assert shown("?status=failed") == [False, True, False]
    assert shown("?status=pending&page=99") == [False, False, True]
    assert "No message is in this state." in client.get(f"{path(endpoint)}?status=cancelled").text


def test_more_rows_bring_no_more_queries(
    workspace: Workspace, make_endpoint: MakeEndpoint, client_for: ClientFor, owner: User
) -> None:
    client, endpoint = client_for(owner), make_endpoint()
    a_run_ends(workspace)
    delivery = only_delivery()
    addresses = (PAGE, path(endpoint), message_path(delivery))

    def queries() -> list[int]:
        counts = []
        for address in addresses:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert client.get(address).status_code == 200
            counts.append(len(captured))
        return counts

    queries()  # the first one also notes which workspace it was
    before = queries()
    for _ in range(9):
        make_endpoint()
        a_run_ends(workspace)
    for number in range(1, 10):
        delivery.log.create(number=number, at=NOON, error="The receiver answered 500.", response_status=500)
    assert queries() == before


def test_the_tab_is_there_for_those_who_may(
    workspace: Workspace, client_for: ClientFor, owner: User, viewer: User
) -> None:
    assert PAGE in client_for(owner).get("/w/acme/settings/").text
    assert PAGE not in client_for(viewer).get("/w/acme/settings/").text


def test_on_a_production_installation_http_is_refused(
    workspace: Workspace, client_for: ClientFor, owner: User, settings: Settings
) -> None:
    settings.EMBEDDED = False
    response = client_for(owner).post(NEW, FORM | {"url": "http://8.8.8.8/"})
    assert response.status_code == 422
    assert "Use https" in response.text
