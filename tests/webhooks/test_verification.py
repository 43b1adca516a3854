"""The code that people are given verifies what is really sent, and refuses what is not; the manual has the same."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.conf import settings as project

from accounts.models import Workspace
from tests.webhooks.receiver import Receiver
from tests.webhooks.steps import SECRET, a_run_ends
from webhooks.courier import send_due
from webhooks.event_types import DESCRIPTIONS, EventType
from webhooks.models import Endpoint
from webhooks.retries import DELAYS
from webhooks.verification import WITH_THE_LIBRARY, WITHOUT_A_LIBRARY

EventOf = Callable[[bytes, dict[str, str], str], Any]
MANUAL = (project.BASE_DIR / "docs" / "webhooks.md").read_text()


@pytest.fixture(params=[WITH_THE_LIBRARY, WITHOUT_A_LIBRARY], ids=["with the library", "without"])
def event_of(request: pytest.FixtureRequest) -> EventOf:
    """The function of an example."""
    names: dict[str, Any] = {}
    exec(request.param, names)  # our own
    found: EventOf = names["event_of"]
    return found


def test_the_examples_verify_what_is_sent(
    workspace: Workspace, endpoint: Endpoint, receiver: Receiver, event_of: EventOf, clock: time_machine.Traveller
) -> None:
    a_run_ends(workspace)
    send_due()
    (request,) = receiver.received
    assert event_of(request.body, request.headers, SECRET)["type"] == "run.finished"
    signature = request.headers["webhook-signature"]
    both = request.headers | {"webhook-signature": f"v1,bm8= {signature}"}
    assert event_of(request.body, both, SECRET)["type"] == "run.finished"
    forged = [
        (request.body + b" ", request.headers),
        (request.body, request.headers | {"webhook-id": "msg_another"}),
        (request.body, request.headers | {"webhook-signature": "v1,bm8="}),
    ]
    for body, headers in forged:
        with pytest.raises(Exception, match=r"not from where|No matching signature"):
            event_of(body, headers, SECRET)
    clock.shift(dt.timedelta(minutes=6))
    with pytest.raises(Exception, match="too old"):
        event_of(request.body, request.headers, SECRET)


def test_the_manual_has_the_examples_as_they_are() -> None:
    for code in (WITH_THE_LIBRARY, WITHOUT_A_LIBRARY):
        assert f"```python\n{code}```" in MANUAL


def test_the_manual_has_every_event_with_its_payload() -> None:
    parts = dict(zip(*[iter(re.split(r"^### `(.+)`$", MANUAL, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert list(parts) == [event.value for event in EventType]
    payloads = {event: re.findall(r"```json\n(.+?)```", part, flags=re.DOTALL) for event, part in parts.items()}
    (whole, *_) = re.findall(r"```json\n(.+?)```", MANUAL, flags=re.DOTALL)
    assert json.loads(whole)["data"] == DESCRIPTIONS[EventType.RUN_FINISHED].example
    for event in list(EventType)[1:]:
        assert json.loads(payloads[event.value][0]) == DESCRIPTIONS[event].example


def test_the_manual_says_when_it_is_tried_again() -> None:
    assert "5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in MANUAL
    assert [delay.total_seconds() / 3600 for delay in DELAYS[3:]] == [2, 5, 10, 14, 20, 24]
