"""A receiver on loopback, which these tests may send to, and names that lead where a test wants."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from tests.webhooks.receiver import Receiver, running_receiver
from tests.webhooks.steps import URL, an_endpoint
from webhooks.models import Endpoint

Names = Callable[..., list[str]]
MakeEndpoint = Callable[..., Endpoint]
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A running receiver on a network that is allowed; whoever sends to it has two seconds."""
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = LOOPBACK
    settings.WEBHOOK_SECONDS = 2.0
    with running_receiver() as running:
        yield running


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """`names(["8.8.8.8"], ["10.0.0.1"])`: what each look-up finds, the last ever after; returns who is asked for."""

    def know(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            addresses = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [_found(address, port) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return know


def _found(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still, unless a test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make_endpoint(workspace: Workspace, owner: User) -> MakeEndpoint:
    """`make_endpoint(receiver, events=["run.finished"])`: an endpoint with `SECRET`, which asks for every event."""

    def make(receiver: Receiver | None = None, **changes: Any) -> Endpoint:
        fields: dict[str, Any] = {"workspace": workspace, "created_by": owner}
        fields["url"] = receiver.url if receiver else URL
        return an_endpoint(**(fields | changes))

    return make


@pytest.fixture
def endpoint(make_endpoint: MakeEndpoint, receiver: Receiver, clock: time_machine.Traveller) -> Endpoint:
    """An endpoint at the receiver, in a moment that stands still."""
    return make_endpoint(receiver)
