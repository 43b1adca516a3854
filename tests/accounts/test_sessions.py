"""How long a browser stays signed in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone as clock

from accounts.models import User
from accounts.tasks import clear_expired_sessions

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


def test_a_fragment_asked_for_after_signing_out_takes_the_browser_to_sign_in(client: Client) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/w/acme/runs/?page=2"}
    response = client.get(f"/w/acme/runs/{UUID(int=1)}/", headers=headers)
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/w/acme/runs/%3Fpage%3D2"


@pytest.mark.parametrize("headers", [{}, {"hx-request": "true", "hx-boosted": "true"}])
def test_a_page_asked_for_after_signing_out_is_redirected(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/w/acme/", headers=headers)
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/w/acme/")


def test_sessions_that_have_ended_are_deleted_daily(db: None) -> None:
    now = clock.now()
    for key, expires in (("ended", now - timedelta(seconds=1)), ("open", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)
    scheduled = settings.CELERY_BEAT_SCHEDULE["clear-expired-sessions"]["task"]
    assert scheduled == clear_expired_sessions.name
    clear_expired_sessions()
    assert Session.objects.get().session_key == "open"
