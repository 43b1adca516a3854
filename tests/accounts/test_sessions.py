"""How long a browser stays signed in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine
from django.test import Client

from accounts.models import User

SIGNED_IN_AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def _statuses(client: Client, hours: list[float]) -> list[int]:
    """Visit a page so many hours after signing in; 200 while signed in, 302 to the sign-in page afterwards."""
    statuses = []
    for hour in hours:
        with time_machine.travel(SIGNED_IN_AT + timedelta(hours=hour), tick=False):
            statuses.append(client.get("/w/new/").status_code)
    return statuses


def _signed_in(client_for: Callable[[User | None], Client], user: User) -> Client:
    with time_machine.travel(SIGNED_IN_AT, tick=False):
        return client_for(user)


def test_three_hours_without_a_visit_end_the_session(client_for: Callable[[User | None], Client], viewer: User) -> None:
    client = _signed_in(client_for, viewer)
    assert _statuses(client, [0, 2.9, 5.8, 8.9]) == [200, 200, 200, 302]


def test_twelve_hours_end_the_session_however_busy(client_for: Callable[[User | None], Client], viewer: User) -> None:
    client = _signed_in(client_for, viewer)
    assert _statuses(client, [0, 2, 4, 6, 8, 10, 11.9, 12.1]) == [200] * 7 + [302]
