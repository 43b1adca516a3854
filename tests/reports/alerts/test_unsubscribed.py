"""Recipients of an alert who have unsubscribed: only they themselves take that back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from reports.alerts.actions import Settings, change_alert, create_alert
from reports.deliveries.links import unsubscribe_url
from reports.models import Alert, Recipient
from tests.reports.schedules.conftest import ClientFor

ANN, BOB = "ann@example.com", "bob@example.com"
SETTINGS = Settings(name="Spend", metric="spend", condition="above", threshold=Decimal(100), recipients=[ANN, BOB])
SAYS = "gets nothing until they subscribe again by the link in a mail"


@pytest.fixture
def by(shop: Workspace, analyst: User) -> Membership:
    return Membership.objects.get(workspace=shop, user=analyst)


@pytest.fixture
def alert(shop: Workspace, by: Membership) -> Alert:
    return create_alert(workspace=shop, settings=SETTINGS, by=by)


def unsubscribe(recipient: Recipient) -> None:
    Client().post("/" + unsubscribe_url(recipient).split("/", 3)[3])


def test_who_has_unsubscribed_stays_so_when_removed_and_added_again(alert: Alert, by: Membership) -> None:
    unsubscribe(alert.recipients.get(email=ANN))
    change_alert(alert=alert, settings=replace(SETTINGS, recipients=[BOB]), by=by)
    change_alert(alert=alert, settings=SETTINGS, by=by)
    ann = alert.recipients.get(email=ANN)
    assert ann.unsubscribed_at is not None
    assert ann.removed_at is None


def test_who_was_removed_is_neither_on_the_page_nor_in_the_form(
    alert: Alert, by: Membership, client_for: ClientFor
) -> None:
    unsubscribe(alert.recipients.get(email=ANN))
    change_alert(alert=alert, settings=replace(SETTINGS, recipients=[BOB]), by=by)
    for rest in ("", "edit/"):
        assert ANN not in client_for(by.user).get(f"/w/acme/settings/alerts/{alert.pk}/{rest}").text


def test_the_page_and_the_form_say_who_gets_nothing(alert: Alert, by: Membership, client_for: ClientFor) -> None:
    unsubscribe(alert.recipients.get(email=ANN))
    client = client_for(by.user)
    assert (
        '<span class="badge badge-warn">Unsubscribed</span>' in client.get(f"/w/acme/settings/alerts/{alert.pk}/").text
    )
    form = client.get(f"/w/acme/settings/alerts/{alert.pk}/edit/").text
    assert f"{ANN} has unsubscribed and {SAYS}." in form
    assert f"{BOB} has unsubscribed" not in form
