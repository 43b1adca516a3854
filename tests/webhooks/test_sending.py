"""What each answer of a real receiver leads to: tried as often as promised, always under the same id."""

import datetime as dt
import json
import uuid

import celery
import pytest
import time_machine
from django.test import TestCase
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from accounts.models import AuditEvent, User, Workspace
from mmm_project.problems import Conflict
from tests.smtp_server import free_port
from tests.webhooks.conftest import NOON, MakeEndpoint
from tests.webhooks.receiver import Receiver
from tests.webhooks.steps import SECRET, a_run_ends, fresh, log, only_delivery, statuses
from webhooks import outbox, sending, signals
from webhooks.courier import send_due
from webhooks.endpoints import change_endpoint, delete_endpoint, disable_endpoint, rotate_secret, send_test
from webhooks.models import Attempt, Delivery, Endpoint, Message
from webhooks.retries import DELAYS, REST, TRIES
from webhooks.sending import CANNOT_SIGN, INTERRUPTED, SECONDS_TO_WRITE, claim_next, conclude, hand_over
from webhooks.transport import Answer

Status = Delivery.Status
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
BUSY = "The receiver answered 503 Service Unavailable."


def move_to_next_try(clock: time_machine.Traveller) -> None:
    (at,) = Delivery.objects.filter(status=Status.PENDING).values_list("next_try_at", flat=True)
    assert at is not None
    clock.move_to(at)


def test_a_message_arrives_signed(workspace: Workspace, endpoint: Endpoint, receiver: Receiver) -> None:
    message = a_run_ends(workspace)
    receiver.answers("202 Accepted", body=b"Thank you")
    assert send_due() == 1
    (request,) = receiver.received
    assert request.body.decode() == message.body
    assert request.headers["webhook-id"] == message.pk
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("MixedMediaModeling")
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(message.body)
    delivery = only_delivery()
    assert (delivery.status, delivery.attempts, delivery.delivered_at) == (Status.DELIVERED, 1, NOON)
    assert (delivery.response_status, delivery.error, delivery.claimed_until) == (202, "", None)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.at, attempt.response_status, attempt.response_body) == (1, NOON, 202, "Thank you")
    assert fresh(endpoint).last_delivered_at == NOON
    assert send_due() == 0


def test_a_message_that_is_not_taken_is_tried_as_often_as_promised(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("503 Service Unavailable", body=b"Down for maintenance")
    a_run_ends(workspace)
    at = NOON
    for tries, delay in enumerate(DELAYS, start=1):
        assert send_due() == 1
        delivery = only_delivery()
        assert (delivery.status, delivery.attempts, delivery.error) == (Status.PENDING, tries, BUSY)
        assert delivery.next_try_at is not None
        assert at + delay <= delivery.next_try_at <= at + delay * 1.2
        clock.move_to(delivery.next_try_at - dt.timedelta(milliseconds=1))
        assert send_due() == 0
        move_to_next_try(clock)
        at = delivery.next_try_at
    assert send_due() == 1
    delivery = only_delivery()
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == (Status.FAILED, TRIES, None)
    assert log() == [(number, 503, BUSY) for number in range(1, TRIES + 1)]
    clock.shift(DAY)
    assert send_due() == 0
    ids, bodies, times = (
        {request.headers["webhook-id"] for request in receiver.received},
        {request.body for request in receiver.received},
        {request.headers["webhook-timestamp"] for request in receiver.received},
    )
    assert (len(ids), len(bodies), len(times)) == (1, 1, TRIES)
    assert fresh(endpoint).failures == TRIES
    assert fresh(endpoint).failing_since == NOON


def test_a_success_ends_what_had_failed(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    a_run_ends(workspace)
    send_due()
    assert (fresh(endpoint).failures, fresh(endpoint).failing_since) == (1, NOON)
    receiver.answers("200 OK")
    move_to_next_try(clock)
    send_due()
    assert (only_delivery().status, only_delivery().attempts, only_delivery().error) == (Status.DELIVERED, 2, "")
    assert (fresh(endpoint).failures, fresh(endpoint).failing_since) == (0, None)
    assert log() == [(1, 500, "The receiver answered 500 Internal Server Error."), (2, 200, "")]


@pytest.mark.parametrize(
    ("status", "sentence"), [("302 Found", "answered with a redirect"), ("404 Not Found", "answered 404 Not Found")]
)
def test_redirects_and_refusals_are_failures_that_are_tried_again(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, status: str, sentence: str
) -> None:
    receiver.answers(status, "Location: http://127.0.0.1/")
    a_run_ends(workspace)
    send_due()
    assert only_delivery().status == Status.PENDING
    assert sentence in only_delivery().error
    assert len(receiver.received) == 1


def test_where_nobody_listens_it_is_tried_again(workspace: Workspace, endpoint: Endpoint, receiver: Receiver) -> None:
    Endpoint.objects.update(url=f"http://127.0.0.1:{free_port()}/")
    a_run_ends(workspace)
    send_due()
    assert (only_delivery().status, only_delivery().response_status) == (Status.PENDING, None)
    assert "refused the connection" in only_delivery().error


def test_an_address_that_has_become_private_is_not_sent_to(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []
    a_run_ends(workspace)
    send_due()
    assert "not on the public internet" in only_delivery().error
    assert not receiver.received


def test_a_receiver_that_takes_its_time_is_left_when_it_is_over(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_SECONDS = 0.1
    receiver.answer = lambda talk: talk.dribble(b"HTTP/1.1 200 OK\r\nX: ")
    a_run_ends(workspace)
    send_due()
    assert only_delivery().error == "The receiver did not answer within 0.1 seconds."
    assert Attempt.objects.get().duration_ms >= 90


def test_a_receiver_that_is_gone_is_told_nothing_more(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.answers("410 Gone")
    told: list[str] = []

    def listen(*, endpoint: Endpoint, sentence: str, **_: object) -> None:
        told.append(sentence)

    signals.endpoint_disabled.connect(listen)
    try:
        a_run_ends(workspace)
        a_run_ends(workspace)
        assert send_due() == 1
    finally:
        signals.endpoint_disabled.disconnect(listen)
    assert statuses() == [Status.FAILED, Status.CANCELLED]
    assert (fresh(endpoint).disabled_at, fresh(endpoint).disabled_because) == (NOON, sending.GONE)
    assert told == [sending.GONE]
    event = AuditEvent.objects.get(action="webhook.disabled")
    assert (event.target, event.actor, event.detail["because"]) == ("127.0.0.1", None, sending.GONE)


def test_an_endpoint_that_fails_for_five_days_is_disabled(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    for _day in range(5):
        a_run_ends(workspace)
        send_due()
        clock.shift(DAY - dt.timedelta(seconds=1))
    assert fresh(endpoint).disabled_at is None  # five seconds are missing
    clock.shift(dt.timedelta(seconds=5))
    send_due()
    assert fresh(endpoint).disabled_at == NOON + 5 * DAY
    assert fresh(endpoint).disabled_because == (
        "Nothing could be delivered for five days. The last time: The receiver answered 500 Internal Server Error."
    )
    assert set(statuses()) <= {Status.FAILED, Status.CANCELLED, Status.PENDING}
    assert not outbox.due(NOON + 30 * DAY).exists()


def fail_until_out_of_tries(clock: time_machine.Traveller) -> None:
    """Try the one message that waits until nothing waits any more."""
    while Delivery.objects.filter(status=Status.PENDING).exists():
        move_to_next_try(clock)
        clock.shift(REST)  # three failures and more have it left alone for so long
        send_due()


def test_silence_is_no_failure_so_that_the_next_message_gets_all_of_its_tries(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """The rhythm of weekly reports: a weekend's breakdown, a week without events, and a single slip."""
    receiver.answers("500 Oops")
    a_run_ends(workspace)
    fail_until_out_of_tries(clock)
    assert (statuses(), fresh(endpoint).failures) == ([Status.FAILED], TRIES)
    clock.shift(7 * DAY)
    a_run_ends(workspace)
    send_due()
    assert statuses() == [Status.FAILED, Status.PENDING]
    assert fresh(endpoint).disabled_at is None
    receiver.answers("200 OK")
    move_to_next_try(clock)
    clock.shift(REST)
    send_due()
    assert statuses() == [Status.FAILED, Status.DELIVERED]


def test_who_takes_none_of_two_messages_a_week_apart_is_disabled(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    for _ in range(2):
        assert fresh(endpoint).disabled_at is None
        a_run_ends(workspace)
        fail_until_out_of_tries(clock)
        clock.shift(7 * DAY)
    assert statuses() == [Status.FAILED, Status.FAILED]
    assert Attempt.objects.count() == 2 * TRIES
    assert fresh(endpoint).disabled_at is not None


def test_what_is_sent_again_after_a_silence_is_tried_as_often_as_ever(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    a_run_ends(workspace)
    fail_until_out_of_tries(clock)
    clock.shift(7 * DAY)
    outbox.redeliver(delivery=only_delivery(), by=owner)
    send_due()
    assert (only_delivery().status, fresh(endpoint).disabled_at) == (Status.PENDING, None)
    fail_until_out_of_tries(clock)
    assert (only_delivery().status, only_delivery().attempts) == (Status.FAILED, 2 * TRIES)
    assert fresh(endpoint).disabled_at is not None


def test_what_was_sent_before_a_crash_is_sent_again_under_the_same_id(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    message = a_run_ends(workspace)
    claim = claim_next()
    assert claim is not None
    assert hand_over(claim).is_delivered  # and the worker dies here
    assert send_due() == 0  # the claim stands
    assert only_delivery().status == Status.SENDING
    clock.shift(dt.timedelta(seconds=2 + SECONDS_TO_WRITE, milliseconds=1))
    assert send_due() == 1
    assert [request.headers["webhook-id"] for request in receiver.received] == [message.pk, message.pk]
    assert (only_delivery().status, only_delivery().attempts) == (Status.DELIVERED, 2)
    assert log() == [(1, None, INTERRUPTED), (2, 200, "")]
    assert fresh(endpoint).failures == 0


def test_what_keeps_being_interrupted_comes_to_an_end(
    workspace: Workspace, endpoint: Endpoint, clock: time_machine.Traveller
) -> None:
    a_run_ends(workspace)
    for _ in range(TRIES):
        assert claim_next() is not None
        clock.shift(MINUTE)
        clock.shift(MINUTE)
        assert sending.recover(clock_now()) == 1
    assert only_delivery().status == Status.FAILED
    assert claim_next() is None


def clock_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_worker_whose_claim_was_taken_over_writes_nothing(
    workspace: Workspace, endpoint: Endpoint, clock: time_machine.Traveller
) -> None:
    a_run_ends(workspace)
    stale = claim_next()
    assert stale is not None
    clock.shift(2 * MINUTE)
    sending.recover(clock_now())
    newer = claim_next()
    assert newer is not None
    conclude(stale, Answer(status=200))
    assert (only_delivery().status, only_delivery().attempts) == (Status.SENDING, 2)
    conclude(newer, Answer(status=500, error="The receiver answered 500."))
    assert only_delivery().status == Status.PENDING
    conclude(newer, Answer(status=200))
    assert only_delivery().status == Status.PENDING
    assert len(log()) == 2


def test_what_cannot_be_written_down_is_sent_again(
    workspace: Workspace,
    endpoint: Endpoint,
    receiver: Receiver,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    a_run_ends(workspace)
    with monkeypatch.context() as broken:
        broken.setattr(sending, "conclude", lambda _claim, _answer: 1 / 0)
        assert send_due() == 1
    assert "could not be written" in caplog.text
    clock.shift(2 * MINUTE)
    assert send_due() == 1
    assert len(receiver.received) == 2
    assert only_delivery().status == Status.DELIVERED


def test_a_fault_of_ours_is_logged_and_does_not_stop_the_others(
    workspace: Workspace,
    endpoint: Endpoint,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sending, "post", lambda **_: 1 / 0)
    a_run_ends(workspace)
    assert send_due() == 1
    assert "not because of its receiver" in caplog.text
    assert (only_delivery().status, only_delivery().error) == (Status.PENDING, sending.OUR_FAULT)
    assert SECRET not in caplog.text
    assert "planted" not in caplog.text


def test_an_endpoint_that_is_disabled_in_between_gets_nothing(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User
) -> None:
    a_run_ends(workspace)
    disable_endpoint(endpoint=endpoint, by=owner)
    assert send_due() == 0
    assert (only_delivery().status, only_delivery().error) == (Status.CANCELLED, outbox.DISABLED)
    assert not receiver.received


def test_one_that_is_disabled_while_it_is_sent_to_is_not_tried_again(
    workspace: Workspace, endpoint: Endpoint, owner: User
) -> None:
    a_run_ends(workspace)
    claim = claim_next()
    assert claim is not None
    disable_endpoint(endpoint=endpoint, by=owner)
    conclude(claim, Answer(status=500, error="The receiver answered 500."))
    assert only_delivery().status == Status.CANCELLED
    assert only_delivery().next_try_at is None


def test_what_was_taken_while_its_endpoint_was_being_disabled_is_delivered(
    workspace: Workspace, endpoint: Endpoint, owner: User
) -> None:
    a_run_ends(workspace)
    claim = claim_next()
    assert claim is not None
    disable_endpoint(endpoint=endpoint, by=owner)
    conclude(claim, Answer(status=200))
    assert only_delivery().status == Status.DELIVERED
    assert fresh(endpoint).disabled_at is not None


def test_a_delivery_that_came_too_late_for_a_disabled_endpoint_is_cancelled_by_the_sweep(
    workspace: Workspace, endpoint: Endpoint
) -> None:
    a_run_ends(workspace)
    Endpoint.objects.update(disabled_at=NOON)  # by a transaction that did not see the delivery
    assert send_due() == 0
    assert only_delivery().status == Status.PENDING
    outbox.sweep()
    assert only_delivery().status == Status.CANCELLED


def test_an_event_that_is_no_longer_asked_for_is_not_sent(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User
) -> None:
    a_run_ends(workspace)
    change_endpoint(endpoint=endpoint, url=endpoint.url, events=["import.finished"], by=owner)
    assert (only_delivery().status, only_delivery().error) == (Status.CANCELLED, outbox.NOT_WANTED)
    Delivery.objects.update(status=Status.PENDING, next_try_at=NOON, error="")  # announced at the same moment
    assert send_due() == 0
    assert (only_delivery().status, only_delivery().error) == (Status.CANCELLED, outbox.NOT_WANTED)
    assert not receiver.received


def test_an_endpoint_that_is_deleted_while_it_is_sent_to(workspace: Workspace, endpoint: Endpoint, owner: User) -> None:
    a_run_ends(workspace)
    claim = claim_next()
    assert claim is not None
    delete_endpoint(endpoint=endpoint, by=owner)
    conclude(claim, Answer(status=200))
    assert not Delivery.objects.exists()
    assert Message.objects.exists()


def test_what_was_announced_while_its_endpoint_was_being_deleted_harms_nothing(
    workspace: Workspace, endpoint: Endpoint, make_endpoint: MakeEndpoint, receiver: Receiver
) -> None:
    a_run_ends(workspace)
    Delivery.objects.update(endpoint_id=uuid.uuid4())  # by a transaction that began before
    make_endpoint(receiver)
    a_run_ends(workspace)
    assert outbox.due(NOON).count() == 2
    assert send_due() == 2
    outbox.sweep()
    assert sorted(statuses()) == [Status.DELIVERED, Status.DELIVERED, Status.PENDING]


def test_an_endpoint_that_fails_again_and_again_is_asked_once_a_minute(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    for _ in range(9):
        a_run_ends(workspace)
    assert send_due() == 3
    assert fresh(endpoint).rests_until == NOON + REST
    assert send_due() == 0
    clock.shift(REST)
    assert send_due() == 1
    receiver.answers("200 OK")
    clock.shift(REST)
    assert send_due() == 9  # all that waits: four that had failed, five that had not been tried


def test_a_receiver_that_asks_for_patience_gets_nothing_meanwhile(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answers("429 Too Many Requests", "Retry-After: 600")
    a_run_ends(workspace)
    a_run_ends(workspace)
    assert send_due() == 1
    assert fresh(endpoint).rests_until == NOON + 10 * MINUTE
    receiver.answers("200 OK")
    clock.shift(10 * MINUTE - dt.timedelta(seconds=1))
    assert send_due() == 0
    clock.shift(dt.timedelta(seconds=1))
    assert send_due() == 2


def test_after_a_rotation_both_secrets_sign_for_a_day(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User, clock: time_machine.Traveller
) -> None:
    new = rotate_secret(endpoint=endpoint, by=owner)
    a_run_ends(workspace)
    send_due()
    for secret in (SECRET, new):
        assert Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    clock.shift(DAY)
    a_run_ends(workspace)
    send_due()
    assert " " not in receiver.received[1].headers["webhook-signature"]
    assert Webhook(new).verify(receiver.received[1].body, receiver.received[1].headers)


def test_with_the_key_of_the_installation_lost_nothing_is_sent_unsigned(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User, settings: Settings
) -> None:
    settings.WEBHOOK_SECRETS_KEY = "another"
    a_run_ends(workspace)
    send_due()
    assert (only_delivery().status, only_delivery().error) == (Status.PENDING, CANNOT_SIGN)
    assert not receiver.received
    secret = rotate_secret(endpoint=endpoint, by=owner)
    outbox.wake(endpoint)
    Delivery.objects.update(next_try_at=NOON)
    send_due()
    assert Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)


def test_a_closed_workspace_is_told_nothing(workspace: Workspace, endpoint: Endpoint, receiver: Receiver) -> None:
    a_run_ends(workspace)
    workspace.memberships.all().delete()
    assert send_due() == 0
    assert not receiver.received


def test_a_message_is_sent_again_because_somebody_wants_it(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User, clock: time_machine.Traveller
) -> None:
    receiver.answers("500 Oops")
    message = a_run_ends(workspace)
    send_due()
    with pytest.raises(Conflict, match="on its way"):
        outbox.redeliver(delivery=only_delivery(), by=owner)
    Delivery.objects.update(status=Status.FAILED, tries=TRIES, attempts=TRIES)
    Endpoint.objects.update(rests_until=NOON + HOUR)
    outbox.redeliver(delivery=only_delivery(), by=owner)
    send_due()
    assert (only_delivery().status, only_delivery().tries, only_delivery().attempts) == (Status.PENDING, 1, TRIES + 1)
    receiver.answers("200 OK")
    move_to_next_try(clock)
    send_due()
    outbox.redeliver(delivery=only_delivery(), by=owner)  # what has arrived can be sent again, too
    send_due()
    assert {request.headers["webhook-id"] for request in receiver.received} == {message.pk}
    assert len(receiver.received) == 4
    event = AuditEvent.objects.filter(action="webhook.redelivered").latest("pk")
    assert (event.actor, event.target, event.detail["message"]) == (owner, "127.0.0.1", message.pk)
    disable_endpoint(endpoint=endpoint, by=owner)
    with pytest.raises(Conflict, match="Enable it first"):
        outbox.redeliver(delivery=only_delivery(), by=owner)


def test_what_arrived_stays_delivered_where_its_event_is_no_longer_asked_for(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, owner: User
) -> None:
    a_run_ends(workspace)
    send_due()
    change_endpoint(endpoint=endpoint, url=endpoint.url, events=["import.finished"], by=owner)
    with pytest.raises(Conflict, match=r"no longer asks for run\.finished\. Choose this event again"):
        outbox.redeliver(delivery=only_delivery(), by=owner)
    assert send_due() == 0
    assert (only_delivery().status, only_delivery().error) == (Status.DELIVERED, "")
    change_endpoint(endpoint=endpoint, url=endpoint.url, events=["run.finished"], by=owner)
    outbox.redeliver(delivery=only_delivery(), by=owner)
    assert send_due() == 1


def test_a_test_goes_to_one_endpoint_whatever_it_asks_for(
    endpoint: Endpoint, make_endpoint: MakeEndpoint, receiver: Receiver, owner: User
) -> None:
    make_endpoint(receiver)
    Endpoint.objects.filter(pk=endpoint.pk).update(events=["schedule.failed"], rests_until=NOON + HOUR)
    send_test(endpoint=endpoint, by=owner)
    with pytest.raises(Conflict, match="on its way"):
        send_test(endpoint=endpoint, by=owner)
    assert send_due() == 1
    (request,) = receiver.received
    assert Webhook(SECRET).verify(request.body, request.headers)["type"] == "ping"
    assert only_delivery().endpoint == endpoint
    assert only_delivery().requested_by == owner
    disable_endpoint(endpoint=endpoint, by=owner)
    with pytest.raises(Conflict, match="Enable it first"):
        send_test(endpoint=endpoint, by=owner)


def test_the_sweep_rings_for_what_is_due_and_for_what_was_interrupted(
    workspace: Workspace, endpoint: Endpoint, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(celery.current_app, "send_task", lambda name, **_: rung.append(name))

    def sweep() -> int:
        rung.clear()
        with TestCase.captureOnCommitCallbacks(execute=True):
            outbox.sweep()
        return len(rung)

    assert sweep() == 0
    a_run_ends(workspace)
    a_run_ends(workspace)
    assert sweep() == 1
    assert claim_next() is not None
    assert sweep() == 0  # the other one waits for its endpoint
    clock.shift(2 * MINUTE)
    assert sweep() == 1
    sending.recover(clock_now())
    Delivery.objects.update(next_try_at=clock_now() + MINUTE)
    assert sweep() == 0
    clock.shift(MINUTE)
    assert sweep() == 1
