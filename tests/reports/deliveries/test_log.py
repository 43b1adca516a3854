"""Settings > Deliveries: the log, who may see it, and what can be done about each mail."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import Membership, User, Workspace
from reports.deliveries.log import deliveries_of, delivery_rows
from reports.deliveries.outbox import enqueue, notify
from reports.models import Alert, AlertEvent, Delivery, Recipient, Schedule
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out, fresh
from tests.smtp_server import MailServer

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/deliveries/"
Status = Delivery.Status


@pytest.fixture
def failed(send: Enqueue, ann: Recipient) -> Delivery:
    """A mail to ann, of the analyst's schedule."""
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.FAILED, error="The mail server said no.", attempts=5, next_try_at=None
    )
    return fresh(delivery)


@pytest.fixture
def by_owner(failed: Delivery, schedule: Schedule, owner: User) -> Delivery:
    """The same of a schedule of the owner's."""
    schedule.created_by = owner
    schedule.save()
    return failed


def path_of(delivery: Delivery) -> str:
    return f"{PAGE}{delivery.pk}/resend/"


# --- The page ---


@pytest.mark.parametrize("role", ["owner", "admin", "analyst"])
def test_the_log_says_who_got_what_and_what_became_of_it(
    client_for: ClientFor, request: pytest.FixtureRequest, failed: Delivery, role: str
) -> None:
    page = client_for(request.getfixturevalue(role)).get(PAGE)
    assert page.status_code == 200
    for words in ("ann@example.org", "Weekly report: 1–30 Jun 2025", "Failed", "The mail server said no.", "5 tries"):
        assert words in page.text
    assert '<tr class="delivery-failed">' in page.text
    assert f'href="/w/acme/editions/{failed.edition_id}/"' in page.text
    assert ">Send again<" in page.text


def test_a_viewer_has_no_log(client_for: ClientFor, viewer: User, failed: Delivery) -> None:
    response = client_for(viewer).get(PAGE)
    assert response.status_code == 403
    assert "ann@example.org" not in response.text


def test_an_outsider_does_not_find_it(client_for: ClientFor, outsider: User, failed: Delivery) -> None:
    assert client_for(outsider).get(PAGE).status_code == 404


def test_the_log_is_only_read(client_for: ClientFor, owner: User, shop: Workspace) -> None:
    assert client_for(owner).post(PAGE).status_code == 405


def test_an_empty_log_says_what_will_be_there(client_for: ClientFor, owner: User, shop: Workspace) -> None:
    assert "Nothing has been sent yet" in client_for(owner).get(PAGE).text


def test_the_log_says_where_no_mail_server_is_set_up(
    client_for: ClientFor, owner: User, shop: Workspace, settings: Settings
) -> None:
    client = client_for(owner)
    assert "No mail server is set up" not in client.get(PAGE).text
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No mail server is set up" in client.get(PAGE).text


def test_the_log_of_one_state(client_for: ClientFor, owner: User, failed: Delivery) -> None:
    client = client_for(owner)
    assert "ann@example.org" in client.get(f"{PAGE}?status=failed").text
    sent = client.get(f"{PAGE}?status=sent").text
    assert "ann@example.org" not in sent
    assert "No delivery is in this state." in sent
    assert "ann@example.org" in client.get(f"{PAGE}?status=nonsense&page=zzz").text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.WAITING, "Next try: 1 Apr 2026, 11:00."),
        (Status.SENDING, "Being sent"),
        (Status.SENT, "The mail server took it."),
        (Status.REJECTED, "Address rejected"),
        (Status.UNKNOWN, "May not have arrived"),
        (Status.WITHDRAWN, "Not sent"),
    ],
)
def test_each_state_has_words(
    client_for: ClientFor, owner: User, failed: Delivery, shop: Workspace, status: str, words: str
) -> None:
    Workspace.objects.filter(pk=shop.pk).update(timezone="Europe/Berlin")
    Delivery.objects.filter(pk=failed.pk).update(status=status, next_try_at=timezone.now())
    assert words in client_for(owner).get(PAGE).text


def test_the_log_is_split_into_pages_newest_first(
    client_for: ClientFor, owner: User, failed: Delivery, shop: Workspace
) -> None:
    Delivery.objects.bulk_create(
        Delivery(workspace=shop, purpose="notice", email=f"n{place}@example.org", subject="Notice")
        for place in range(50)
    )
    Delivery.objects.filter(pk=failed.pk).update(created_at=timezone.now() - dt.timedelta(days=1))
    client = client_for(owner)
    assert "ann@example.org" not in client.get(PAGE).text
    assert "ann@example.org" in client.get(f"{PAGE}?page=2").text


def test_more_deliveries_ask_no_more_questions(
    client_for: ClientFor, owner: User, send: Enqueue, schedule: Schedule
) -> None:
    client = client_for(owner)

    def queries() -> int:
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    send(Recipient.objects.create(schedule=schedule, email="first@example.org"))
    few = queries()
    send(*(Recipient.objects.create(schedule=schedule, email=f"p{place}@example.org") for place in range(10)))
    assert queries() == few


def test_html_in_what_a_server_said_is_only_text(client_for: ClientFor, owner: User, failed: Delivery) -> None:
    Delivery.objects.filter(pk=failed.pk).update(error="<script>1</script>", subject="<img src=x>")
    page = client_for(owner).get(PAGE).text
    assert "<script>1" not in page
    assert "<img src=x>" not in page


# --- The rows of a schedule and of an alert ---


def test_a_schedule_and_an_alert_have_their_own_rows(
    shop: Workspace, failed: Delivery, schedule: Schedule, alert_event: AlertEvent, owner: User
) -> None:
    enqueue(
        workspace=shop,
        purpose=Delivery.Purpose.ALERT,
        recipients=alert_event.alert.recipients.all(),
        subject="Revenue fell",
        alert_event=alert_event,
    )
    notify(workspace=shop, user=owner, subject="Paused", body="It is paused.")
    membership = Membership.objects.get(workspace=shop, user=owner)

    def who(of: Workspace | Schedule | Alert) -> list[str]:
        return sorted(row.email for row in delivery_rows(of, membership=membership))

    assert who(schedule) == ["ann@example.org"]
    assert who(alert_event.alert) == ["carl@example.org"]
    assert who(shop) == ["ann@example.org", "carl@example.org", "owner@example.com"]


def test_rows_are_one_query(
    shop: Workspace,
    failed: Delivery,
    schedule: Schedule,
    owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    membership = Membership.objects.select_related("user").get(workspace=shop, user=owner)
    with django_assert_num_queries(1):
        (row,) = delivery_rows(schedule, membership=membership)
    assert (row.state.sign, row.state.tone, row.outcome) == ("✕", "bad", "The mail server said no.")
    assert deliveries_of(schedule).count() == 1


# --- Sending again ---


@pytest.mark.parametrize("role", ["owner", "admin", "analyst"])
def test_who_may_sends_again(
    client_for: ClientFor,
    request: pytest.FixtureRequest,
    failed: Delivery,
    mail_server: MailServer,
    role: str,
) -> None:
    user = request.getfixturevalue(role)
    response = client_for(user).post(path_of(failed), follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "It is being sent to ann@example.org again." in response.text
    carry_out()
    assert len(mail_server.to("ann@example.org")) == 1
    assert f"Sent again by {user.email}." in client_for(user).get(PAGE).text


def test_an_analyst_does_not_send_what_is_somebody_elses(
    client_for: ClientFor, analyst: User, by_owner: Delivery
) -> None:
    client = client_for(analyst)
    assert ">Send again<" not in client.get(PAGE).text
    assert client.post(path_of(by_owner)).status_code == 403
    assert Delivery.objects.count() == 1


def test_a_viewer_sends_nothing_again(client_for: ClientFor, viewer: User, failed: Delivery) -> None:
    assert client_for(viewer).post(path_of(failed)).status_code == 403
    assert Delivery.objects.count() == 1


def test_an_outsider_sends_nothing_again(client_for: ClientFor, outsider: User, failed: Delivery) -> None:
    client = client_for(outsider)
    assert client.post(path_of(failed)).status_code == 404
    assert client.post(f"/w/elsewhere/settings/deliveries/{failed.pk}/resend/").status_code == 404
    assert Delivery.objects.count() == 1


def test_sending_again_is_posted(client_for: ClientFor, owner: User, failed: Delivery) -> None:
    assert client_for(owner).get(path_of(failed)).status_code == 405


def test_what_is_not_there_is_not_found(client_for: ClientFor, owner: User, shop: Workspace) -> None:
    assert client_for(owner).post(f"{PAGE}{uuid.uuid4()}/resend/").status_code == 404


def test_what_cannot_be_sent_again_is_said(client_for: ClientFor, owner: User, failed: Delivery) -> None:
    Delivery.objects.filter(pk=failed.pk).update(status=Status.WAITING)
    response = client_for(owner).post(path_of(failed), follow=True)
    assert "can be sent again." in response.text
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("/w/acme/settings/schedules/", "/w/acme/settings/schedules/"),
        ("https://evil.example/", PAGE),
        ("//evil.example/", PAGE),
        ("/\\evil.example/", PAGE),
        ("javascript:alert(1)", PAGE),
    ],
)
def test_it_leads_back_to_the_page_and_nowhere_else(
    client_for: ClientFor, owner: User, failed: Delivery, back: str, leads_to: str
) -> None:
    response = client_for(owner).post(path_of(failed), {"next": back})
    assert response.headers["Location"] == leads_to


# --- Re-enabling an address ---


@pytest.fixture
def rejected(failed: Delivery, ann: Recipient) -> Recipient:
    Delivery.objects.filter(pk=failed.pk).update(status=Status.REJECTED)
    ann.rejected_at, ann.rejected_because = timezone.now(), "550 No such user"
    ann.save()
    return ann


def enable_path(recipient: Recipient) -> str:
    return f"{PAGE}recipients/{recipient.pk}/enable/"


def test_an_address_that_was_rejected_can_be_allowed_again(
    client_for: ClientFor, analyst: User, rejected: Recipient
) -> None:
    client = client_for(analyst)
    page = client.get(PAGE).text
    assert ">Re-enable<" in page
    assert ">Send again<" not in page
    response = client.post(enable_path(rejected), follow=True)
    assert "ann@example.org gets mails again." in response.text
    rejected.refresh_from_db()
    assert rejected.rejected_at is None
    assert ">Re-enable<" not in client.get(PAGE).text


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404)])
def test_others_allow_nothing(
    client_for: ClientFor, request: pytest.FixtureRequest, rejected: Recipient, role: str, status: int
) -> None:
    assert client_for(request.getfixturevalue(role)).post(enable_path(rejected)).status_code == status
    rejected.refresh_from_db()
    assert rejected.rejected_at is not None


def test_an_analyst_allows_nothing_of_somebody_elses(
    client_for: ClientFor, analyst: User, owner: User, schedule: Schedule, rejected: Recipient
) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(created_by=owner)
    assert client_for(analyst).post(enable_path(rejected)).status_code == 403


def test_another_workspaces_recipient_is_not_found(
    client_for: ClientFor, outsider: User, rejected: Recipient, owner: User
) -> None:
    path = f"/w/elsewhere/settings/deliveries/recipients/{rejected.pk}/enable/"
    assert client_for(outsider).post(path).status_code == 404
    assert client_for(owner).post(f"{PAGE}recipients/{10**30}/enable/").status_code == 404


def test_allowing_is_posted(client_for: ClientFor, owner: User, rejected: Recipient) -> None:
    assert client_for(owner).get(enable_path(rejected)).status_code == 405


def test_the_log_outlives_the_schedule(
    client_for: ClientFor, failed: Delivery, send: Enqueue, bob: Recipient, schedule: Schedule, admin: User
) -> None:
    (waiting,) = send(bob)
    schedule.delete()
    client = client_for(admin)
    assert "ann@example.org" in client.get(PAGE).text
    assert client.post(path_of(failed)).status_code in (302, 409)
    assert not Delivery.objects.filter(resend_of=failed).exists()
    carry_out()
    assert (fresh(waiting).status, fresh(waiting).error) == (
        Status.WITHDRAWN,
        "The recipient was removed before it was sent.",
    )
