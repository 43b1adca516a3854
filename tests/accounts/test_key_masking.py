"""The text of a key is only where it is shown once: not in logs, reports of faults, the database or the admin."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string
from django.views.debug import get_exception_reporter_class

from accounts.api_auth import ApiKeyAuthentication
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.api_keys import mask
from accounts.invitations import invite
from accounts.key_masking import without_secrets
from accounts.models import AuditEvent, Role, User, Workspace

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
KEY = "mmm_abcd1234_" + "Zz-_9" * 8 + "xyz"


class Dropped(RuntimeError):
    """The database went away."""


def secret_of(text: str) -> str:
    return text.split("_", 2)[2]


def formatted(record: logging.LogRecord) -> str:
    """What the product's handler writes of it."""
    options: dict[str, Any] = settings.LOGGING["formatters"]["plain"]  # type: ignore[index]  # a mapping of mappings
    formatter: logging.Formatter = import_string(options["class"])(options["format"], style=options["style"])
    return formatter.format(record)


def test_the_secret_of_a_key_is_masked_wherever_it_stands() -> None:
    assert mask(f"GET /api/?k={KEY}&x={KEY[:30]}…") == "GET /api/?k=mmm_abcd1234_[secret]&x=mmm_abcd1234_[secret]…"
    assert mask("mmm_abcd1234...wxyz and mmm_other") == "mmm_abcd1234...wxyz and mmm_other"


TOKEN = "Zz-_9" * 6


@pytest.mark.parametrize(
    "said",
    [
        f"Forbidden (Permission denied): /accounts/invitations/{TOKEN}/",
        f"CSRF check failed at /deliveries/{TOKEN}.1x:2/pdf: no cookie",
        f"Method Not Allowed: https://mmm.example.com/unsubscribe/{TOKEN}/",
        f"Not Found: /accounts/password/reset/key/1-{TOKEN}/",
        f"REDIS_URL = 'redis://:{TOKEN}@cache:6379/0'",
        f"smtp+tls://robot@example.com:{TOKEN}@mail.example.com:587".replace("robot@", "robot%40"),
        f"postgres://mmm:{TOKEN}@db/mmm",
    ],
)
def test_tokens_of_links_and_passwords_in_urls_are_masked(said: str) -> None:
    assert without_secrets(said) != said
    assert TOKEN not in without_secrets(said)


@pytest.mark.parametrize(
    "said",
    [
        "Not Found: /api/v1/deliveries/0190f3a4-1111-7222-8333-444455556666/",
        "Not Found: /w/acme/settings/team/invitations/77/send/",
        "GET https://mmm.example.com/w/acme/?at=2026-03-01T10:00 to anna@example.com",
    ],
)
def test_what_is_no_secret_is_not_masked(said: str) -> None:
    assert without_secrets(said) == said


def test_a_live_invitation_is_not_in_the_log(
    client_for: ClientFor, workspace: Workspace, owner: User, outsider: User, caplog: pytest.LogCaptureFixture
) -> None:
    offer = invite(
        workspace=workspace, email="new@example.com", role=Role.VIEWER, by=workspace.memberships.get(user=owner)
    )
    path = f"/accounts/invitations/{offer.token}/"
    client = client_for(outsider)
    assert [client.post(path).status_code, client.put(path).status_code] == [403, 405]
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    written = "".join(map(formatted, caplog.records))
    assert written.count("/accounts/invitations/[secret]") >= 3
    assert offer.token not in written


def test_a_key_that_is_looked_for_in_the_audit_log_is_not_kept_there(
    client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    browser = client_for(owner)
    asked = {"format": "json", "target": KEY}
    assert b"".join(browser.post("/w/acme/settings/audit/export/", asked).streaming_content) == b"[]\n"  # type: ignore[attr-defined]
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.detail == {"filters": {"target": "mmm_abcd1234_[secret]"}}


def test_logging_masks_messages_and_tracebacks() -> None:
    try:
        raise Dropped(f"while looking for {KEY}")
    except Dropped as fault:
        record = logging.LogRecord("x", 40, "x.py", 1, "Not found: %s", (f"/api/v1/{KEY}/",), (Dropped, fault, None))
    written = formatted(record)
    assert "Not found: /api/v1/mmm_abcd1234_[secret]/" in written
    assert "while looking for mmm_abcd1234_[secret]" in written
    assert secret_of(KEY) not in written


def test_a_report_of_a_fault_has_no_key_in_headers_addresses_or_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise Dropped

    monkeypatch.setattr("accounts.api_auth.digest_of", fail)
    headers = {"Authorization": f"Bearer {KEY}", "X-Forwarded-Note": KEY}
    request = RequestFactory().get("/api/v1/runs/", headers=headers)
    request.query_params = request.GET  # type: ignore[attr-defined]  # as DRF's request has it
    with pytest.raises(Dropped) as fault:
        ApiKeyAuthentication().authenticate(request)  # type: ignore[arg-type]
    make_reporter: Any = get_exception_reporter_class(request)  # a class, not the instance that the stubs have
    reporter = make_reporter(request, fault.type, fault.value, fault.tb)
    html, text = reporter.get_traceback_html(), reporter.get_traceback_text()
    assert "mmm_abcd1234_[secret]" in html  # the variables of the frames are in it, but for that
    assert "HTTP_X_FORWARDED_NOTE = 'mmm_abcd1234_[secret]'" in text
    for report in (html, text):
        assert secret_of(KEY) not in report
        assert "********************" in report  # what stood in Authorization


def test_a_fault_that_is_mailed_to_admins_has_no_key(
    client: Client, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ADMINS = [("Root", "root@example.com")]
    client.raise_request_exception = False
    text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])[1]

    def fail(*_args: object) -> None:
        raise Dropped(text)

    monkeypatch.setattr("accounts.api_auth._check_usable", fail)
    response = client.get("/api/v1/runs/", headers={"Authorization": f"Bearer {text}"})
    assert response.status_code == 500
    assert secret_of(text) not in response.text
    (report,) = mail.outbox
    assert "Dropped" in report.body
    assert secret_of(text) not in str(report.message())


def test_a_planted_key_is_found_nowhere(
    client_for: ClientFor, workspace: Workspace, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    successor, other = rotate_api_key(key=key, overlap=timedelta(hours=1), by=owner)
    program = client_for(None)
    said = [
        program.get("/api/v1/runs/", headers={"Authorization": f"Bearer {text}"}),
        program.get("/api/v1/runs/", headers={"Authorization": f"Token {text}"}),
        program.get(f"/api/v1/runs/?api_key={text}"),
        program.post("/api/v1/runs/", {"kind": text}, "application/json", headers={"Authorization": f"Bearer {other}"}),
        program.get(f"/api/v1/{text}/"),
    ]
    assert [response.status_code for response in said] == [200, 401, 401, 403, 404]
    revoke_api_key(key=successor, by=owner)
    browser = client_for(owner)
    root = client_for(User.objects.create_superuser("root@example.com"))
    said += [
        browser.get("/w/acme/settings/api/"),
        root.get("/admin/accounts/apikey/"),
        root.get(f"/admin/accounts/apikey/{key.pk}/change/"),
        root.get("/admin/accounts/auditevent/"),
    ]
    assert [response.status_code for response in said[5:]] == [200] * 4
    secrets = [secret_of(text), secret_of(other)]
    answered = "".join(response.text + str(response.headers) for response in said)
    written = "".join(map(formatted, caplog.records))
    stored = "".join(str(list(model._default_manager.values())) for model in apps.get_models())
    assert AuditEvent.objects.count() == 4
    assert f"mmm_{key.lookup}" in stored
    assert f"mmm_{key.lookup}_[secret]" in written  # the address that does not exist
    for secret in secrets:
        assert secret not in answered
        assert secret not in written
        assert secret not in stored
