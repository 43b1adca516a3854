"""What goes out is what was set up when it was claimed, to those who were on the list then and still are."""

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from reports.deliveries.links import unsubscribe_url
from reports.models import Delivery, Edition, Occurrence, Report
from reports.schedules import actions
from reports.schedules.contents import Content, content_of
from reports.schedules.tick import claim_due
from tests.reports.deliveries.steps import carry_out
from tests.reports.schedules.conftest import DAILY, LIST, TEXT, ClientFor, Keep, of, settings_of, utc, work

DUE = utc("2026-04-06T07:00")
ANN, BOB, CLEO = "ann@example.com", "bob@example.com", "cleo@example.com"
PAUSED = "It was paused before it was sent."


def test_a_change_after_the_claim_is_for_the_next_time(keep: Keep, shop: Workspace, analyst: User) -> None:
    schedule = keep(name="Board")
    claim_due(DUE)
    other = Report.objects.create(workspace=shop, name="Other", period="last_7", blocks=[TEXT])
    changed = settings_of(name="Salaries", content=Content(report=other), formats=["json"], recipients=[BOB, CLEO])
    actions.change_schedule(schedule=schedule, settings=changed, by=of(analyst))
    work()
    (message,) = mail.outbox  # not to ann, who is on the list no more, nor to cleo, who was not on it then
    assert (message.to, message.subject.split(":")[0]) == ([BOB], "Board")
    delivery = Delivery.objects.get()
    assert delivery.formats == ["csv"]
    assert Edition.objects.get().title == "Weekly note"


def test_what_was_sent_by_hand_is_what_was_set_up_then(keep: Keep, analyst: User) -> None:
    schedule = keep(name="Board")
    actions.send_now(schedule=schedule, by=of(analyst))
    changed = settings_of(name="Salaries", content=content_of(schedule), formats=["json"], recipients=[BOB, CLEO])
    actions.change_schedule(schedule=schedule, settings=changed, by=of(analyst))
    work()
    assert [(one.email, one.subject.split(":")[0], one.formats) for one in Delivery.objects.all()] == [
        (BOB, "Board", ["csv"])
    ]


def test_who_unsubscribes_after_the_claim_gets_none(keep: Keep) -> None:
    schedule = keep()
    claim_due(DUE)
    Client().post("/" + unsubscribe_url(schedule.recipients.get(email=ANN)).split("/", 3)[3])
    work()
    assert [message.to for message in mail.outbox] == [[BOB]]


def test_a_pause_withdraws_what_is_being_made(keep: Keep, analyst: User, client_for: ClientFor) -> None:
    schedule = keep()
    claim_due(DUE)
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    work()
    assert Edition.objects.get().job.status == "done"
    assert not Delivery.objects.exists()
    assert not mail.outbox
    assert Occurrence.objects.get().problem == PAUSED
    assert PAUSED in client_for(analyst).get(f"{LIST}{schedule.pk}/").text


def test_a_pause_withdraws_mails_that_wait(keep: Keep, analyst: User, client_for: ClientFor) -> None:
    schedule = keep(recipients=[ANN])
    claim_due(DUE)
    work()
    sent = Delivery.objects.get()
    Delivery.objects.filter(pk=sent.pk).update(status="waiting", next_try_at=timezone.now(), sent_at=None)
    mail.outbox.clear()
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    carry_out()
    waited = Delivery.objects.get()
    assert (waited.status, waited.error, waited.next_try_at) == ("withdrawn", PAUSED, None)
    page = client_for(analyst).get(f"{LIST}{schedule.pk}/").text
    assert "Sent to nobody: the delivery log says why" in page
    assert PAUSED in page
    assert Occurrence.objects.get().problem == ""


def test_a_pause_leaves_what_was_sent(keep: Keep, analyst: User) -> None:
    schedule = keep()
    claim_due(DUE)
    work()
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert Occurrence.objects.get().problem == ""


def test_what_is_sent_by_hand_while_it_is_paused_goes_out(keep: Keep, analyst: User) -> None:
    schedule = keep()
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    actions.send_now(schedule=schedule, by=of(analyst))
    work()
    assert len(mail.outbox) == 2


@pytest.mark.usefixtures("owner")  # a workspace that nobody is in sends nothing
def test_a_pause_by_the_product_withdraws_as_well(keep: Keep, analyst: User) -> None:
    keep(recurrence=DAILY)
    claim_due(utc("2026-04-02T07:00"))
    of(analyst).delete()
    with time_machine.travel(utc("2026-04-03T07:00"), tick=False):
        claim_due(timezone.now())
        work()
    assert Occurrence.objects.get().problem == PAUSED
    assert not Delivery.objects.filter(purpose="report").exists()


@pytest.mark.parametrize("name", ["name", "formats", "recipient_ids"])
def test_a_claim_keeps_what_is_to_go_out(keep: Keep, analyst: User, name: str) -> None:
    schedule = keep(name="Board")
    expected = {
        "name": "Board",
        "formats": ["csv"],
        "recipient_ids": list(schedule.recipients.order_by("pk").values_list("pk", flat=True)),
    }
    claim_due(DUE)
    actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    assert list(Occurrence.objects.values_list(name, flat=True)) == [expected[name]] * 2
