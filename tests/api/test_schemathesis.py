"""Every operation of the description, asked with what it allows and with what it does not: the answers obey it too.

A few cases of each in every run, and many in the full tests (`HYPOTHESIS_PROFILE=full`). Each case begins in the same
world: one row of everything, in a workspace on the largest plan.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, strategies
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from schemathesis.config import SchemathesisConfig

from accounts.actions import set_plan
from accounts.api_key_actions import create_api_key
from accounts.models import Plan
from accounts.scopes import Scope
from api.schema_views import description
from mmm_project.wsgi import application
from tests.test_every_url import World, make_world

IS_FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
CASES = 25 if IS_FULL else 4  # of each operation
CONFIG: dict[str, Any] = {
    "generation": {"deterministic": not IS_FULL},
    "phases": {"coverage": {"enabled": IS_FULL}},
    "checks": {
        # What a body has to mean is not all said by its shape: a 400 may be right for one that has the shape.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "400", "403", "404", "409", "422"]},
        # A batch of too many rows breaks the schema's limit, and is told so by a status of its own.
        "negative_data_rejection": {"expected-statuses": ["4xx"]},
    },
}
SCHEMA = schemathesis.openapi.from_dict(description(), config=SchemathesisConfig.from_dict(CONFIG))
SCHEMA.app = application


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> Any:
    """Rows as lines; what is no text is sent as JSON, to be refused."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


# One line of text that begins and ends with something to see, as names are.
schemathesis.openapi.format("line", strategies.from_regex(r"\A[A-Za-z0-9äé][A-Za-z0-9äé ._-]{0,20}[a-z0-9]\Z"))


@pytest.fixture(scope="module")
def first_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[World, str]]:
    """Made once: each case begins a transaction of its own inside this one, and takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = make_world()
        set_plan(workspace=world.workspace, plan="enterprise", by=None)
        Plan.objects.update(api_calls_a_minute=10**9)
        scopes = [scope.value for scope in Scope]
        _key, text = create_api_key(workspace=world.workspace, created_by=world.owner, name="All", scopes=scopes)
        yield world, text
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Calls by WSGI would close the connection, and with it the transaction; Django's own client does the same."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@SCHEMA.parametrize()
@hypothesis_settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=CASES)
def test_operation(case: schemathesis.Case[Any], first_world: tuple[World, str], db: None) -> None:
    world, key = first_world
    _name_what_there_is(case, world)
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"})
        transaction.set_rollback(True)


def _name_what_there_is(case: schemathesis.Case[Any], world: World) -> None:
    """Let the address lead to a row in most cases: at random, it would lead to none."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    for name in case.path_parameters or {}:
        if name in world.arguments:
            case.path_parameters[name] = str(world.arguments[name])
