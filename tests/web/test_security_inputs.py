"""What strangers send before anybody knows who they are: large bodies, forged hosts, and lines for the log."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.key_masking import MaskingFormatter
from accounts.models import User, Workspace

ClientFor = Callable[[User | None], Client]
FORGED = "2026-03-01 09:00:00,000 WARNING accounts: root signed in"


def _written(record: logging.LogRecord) -> list[str]:
    forms: Any = django_settings.LOGGING["formatters"]
    form = forms["plain"]
    return MaskingFormatter(form["format"], style=form["style"]).format(record).split("\n")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the pieces that were written to the disk."""
    pieces: list[int] = []

    def receive(_handler: TemporaryFileUploadHandler, raw_data: bytes, _start: int) -> None:
        pieces.append(len(raw_data))

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", receive)
    return pieces


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/w/acme/data/"])
def test_nobody_fills_the_disk_without_signing_in(settings: Settings, kept: list[int], path: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    strict = Client(enforce_csrf_checks=True)
    strict.get("/accounts/login/")  # with its cookie, the body is read in search of the token
    assert strict.post(path, {"file": SimpleUploadedFile("x.csv", b"x" * 2**20)}).status_code == 413
    assert kept == []


@pytest.mark.django_db
def test_who_has_signed_in_sends_files_of_data(
    client_for: ClientFor, owner: User, settings: Settings, kept: list[int]
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    client_for(owner).post("/w/acme/data/", {"file": SimpleUploadedFile("x.csv", b"x" * 2**20)})
    assert sum(kept) == 2**20


@pytest.mark.parametrize(
    "sent",
    [
        f"/x/\n{FORGED}",
        f"/x/\r\n{FORGED}",
        f"/x/\r{FORGED}",
        f"/x/\u2028{FORGED}",
        f"/x/\x85{FORGED}",
        "/\x1b[2J\x1b]0;a\x07",
    ],
    ids=["LF", "CRLF", "CR", "U+2028", "NEL", "escapes"],
)
def test_an_address_forges_no_line_of_the_log(sent: str) -> None:
    lines = _written(logging.LogRecord("x", logging.WARNING, "x.py", 1, "CSRF check failed at %s", (sent,), None))
    assert re.match(r"\d{4}-\d\d-\d\d [\d:,]+ WARNING x: ", lines[0])
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(character.isprintable() for line in lines for character in line)


def test_an_exception_forges_no_line_of_the_log() -> None:
    try:
        raise ValueError(f"no number: \n{FORGED}")
    except ValueError as fault:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "Error", (), (ValueError, fault, None))
    lines = _written(record)
    assert f"    {FORGED}" in lines
    assert all(line.startswith("    ") for line in lines[1:])


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_a_forged_host_is_in_no_mail(client: Client, owner: User, mailoutbox: list[object], header: str) -> None:
    response = client.post("/accounts/password/reset/", {"email": owner.email}, headers={header: "evil.example"})
    assert response.status_code == (400 if header == "host" else 302)
    assert all("evil.example" not in str(vars(mail)) for mail in mailoutbox)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "x" * 10_000, "\x00", "<script>", "\xff", "=;,"])
def test_strange_headers_are_no_fault(client: Client, text: str) -> None:
    names = ("user-agent", "referer", "accept-language", "accept", "hx-current-url", "x-forwarded-for", "if-none-match")
    for cookie in (text, f"{text}=1", f'session="{text}"', f"csrf={text}"):
        headers = {**dict.fromkeys(names, text), "hx-request": "true", "cookie": cookie}
        answer = client.get("/w/acme/", headers=headers)
        assert (answer.status_code, answer.headers["HX-Redirect"][:16]) == (200, "/accounts/login/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}{% debug %}"]
)
def test_a_workspaces_name_is_only_text(client_for: ClientFor, owner: User, workspace: Workspace, name: str) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(name=name)
    for path in ("", "settings/", "data/", "runs/", "settings/team/"):
        html = client_for(owner).get(f"/w/acme/{path}", follow=True).content.decode()
        assert name not in html or name.startswith("{{"), path
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "49" not in re.findall(r"<title>(.*?)</title>", html)[0]
