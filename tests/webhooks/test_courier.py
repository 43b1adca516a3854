"""Several receivers at once: none waits for another, and none is sent two things at a time."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import time_machine
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import Role, Workspace
from tests.factories import MembershipFactory
from tests.webhooks.conftest import MakeEndpoint
from tests.webhooks.receiver import OK, Receiver, Talk, running_receiver
from tests.webhooks.steps import a_run_ends, only_delivery, statuses
from webhooks import courier, sending
from webhooks.courier import send_due
from webhooks.models import Delivery, Endpoint
from webhooks.sending import Claim, claim_next
from webhooks.transport import Answer

PATIENCE = 1.5  # less than whoever sends has


class Crowd:
    """Counts who is being answered at the same moment; each waits for `wanted` others, or for a while."""

    def __init__(self, wanted: int) -> None:
        self.most = 0
        self._here = 0
        self._lock = threading.Lock()
        self._meet = threading.Barrier(wanted)

    def answer(self, talk: Talk) -> None:
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        try:
            self._meet.wait(PATIENCE)
        except threading.BrokenBarrierError:
            return  # who is alone hangs up
        finally:
            with self._lock:
                self._here -= 1
        talk.say(OK)


@pytest.fixture
def receivers(receiver: Receiver, clock: time_machine.Traveller) -> Iterator[list[Receiver]]:
    """Four of them."""
    with ExitStack() as stack:
        yield [receiver, *(stack.enter_context(running_receiver()) for _ in range(3))]


def test_no_receiver_waits_for_another(
    workspace: Workspace, receivers: list[Receiver], make_endpoint: MakeEndpoint
) -> None:
    crowd = Crowd(wanted=4)
    for receiver in receivers:
        make_endpoint(receiver)
        receiver.answer = crowd.answer
    a_run_ends(workspace)
    assert send_due() == 4
    assert crowd.most == 4
    assert statuses() == ["delivered"] * 4


def test_no_more_are_sent_to_at_once_than_may_be(
    workspace: Workspace, receivers: list[Receiver], make_endpoint: MakeEndpoint, settings: Settings
) -> None:
    settings.WEBHOOKS_AT_ONCE = 2
    crowd = Crowd(wanted=2)
    for receiver in receivers:
        make_endpoint(receiver)
        receiver.answer = crowd.answer
    a_run_ends(workspace)
    assert send_due() == 4
    assert crowd.most == 2
    assert statuses() == ["delivered"] * 4


def test_a_slow_receiver_with_much_to_come_takes_one_place(
    workspace: Workspace, receivers: list[Receiver], make_endpoint: MakeEndpoint, settings: Settings
) -> None:
    """The quick one gets all of its messages while the slow one has not yet answered the first."""
    settings.WEBHOOKS_AT_ONCE = 2
    slow, quick = receivers[:2]
    make_endpoint(slow)
    make_endpoint(quick)
    for _ in range(5):
        a_run_ends(workspace)
    served = threading.Event()

    def answer_quickly(talk: Talk) -> None:
        talk.say(OK)
        if len(quick.received) == 5:
            served.set()

    def answer_slowly(talk: Talk) -> None:
        if served.wait(PATIENCE):
            talk.say(OK)

    quick.answer, slow.answer = answer_quickly, answer_slowly
    assert send_due() == 10
    assert statuses() == ["delivered"] * 10


def test_an_endpoint_is_sent_one_thing_at_a_time(workspace: Workspace, receiver: Receiver, endpoint: Endpoint) -> None:
    here, most = [0], [0]

    def answer(talk: Talk) -> None:
        here[0] += 1
        most[0] = max(most[0], here[0])
        talk.say(OK)
        here[0] -= 1

    receiver.answer = answer
    ids = [a_run_ends(workspace).pk for _ in range(6)]
    assert send_due() == 6
    assert most == [1]
    assert [request.headers["webhook-id"] for request in receiver.received] == ids  # in the order of the events


def test_who_was_served_long_ago_comes_first(
    workspace: Workspace, clock: time_machine.Traveller, make_endpoint: MakeEndpoint
) -> None:
    busy, idle, new = (make_endpoint() for _ in range(3))
    Endpoint.objects.filter(pk=busy.pk).update(last_tried_at="2026-03-02T11:59Z")
    Endpoint.objects.filter(pk=idle.pk).update(last_tried_at="2026-03-01T11:59Z")
    a_run_ends(workspace)
    claims = [claim_next() for _ in range(4)]
    assert [claim and claim.endpoint_id for claim in claims] == [new.pk, idle.pk, busy.pk, None]


def test_what_is_announced_meanwhile_is_sent_as_well(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run_ends(workspace)

    def conclude(claim: Claim, answer: Answer) -> None:
        if len(receiver.received) == 1:
            a_run_ends(workspace)
        really(claim, answer)

    really = sending.conclude
    monkeypatch.setattr(sending, "conclude", conclude)
    assert send_due() == 2


def test_a_process_sends_in_one_place(workspace: Workspace, endpoint: Endpoint, receiver: Receiver) -> None:
    a_run_ends(workspace)
    with courier._at_work:
        assert send_due() == 0
    assert send_due() == 1
    assert send_due() == 0  # and lets go of it


def test_after_its_time_is_over_a_shift_begins_nothing_new(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SECONDS_OF_A_SHIFT", 0.0)
    a_run_ends(workspace)
    assert send_due() == 0
    assert only_delivery().status == Delivery.Status.PENDING


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_takes_a_message(workspace: Workspace, make_endpoint: MakeEndpoint) -> None:
    MembershipFactory.create(workspace=workspace, role=Role.ADMIN)
    make_endpoint()
    for _ in range(3):
        a_run_ends(workspace)
    ready, claims = threading.Barrier(3), []

    def work() -> None:
        try:
            ready.wait(5)
            claims.append(claim_next())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len([claim for claim in claims if claim is not None]) == 1
    assert sorted(statuses()) == ["pending", "pending", "sending"]
    assert Delivery.objects.get(status="sending").attempts == 1
