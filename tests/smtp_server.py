"""A real mail server on loopback, which keeps what it gets and misbehaves when it is told to."""

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pytest_django.fixtures import Settings

OK = "250 OK"


@dataclass(frozen=True)
class Received:
    """A mail as it arrived: who the envelope names, and the content as it was on the wire."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        message = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def text(self, kind: str = "plain") -> str:
        """Its text in plain words, or in HTML."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())


@dataclass
class MailServer:
    """What the server has got, and how it is to answer. `rejected`: address -> its answer to it."""

    port: int
    received: list[Received] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    answer_to_sender: str = OK
    answer_to_data: str = OK
    stalls_at_recipient: bool = False
    hangs_up_after_data: bool = False
    stalls_after_data: bool = False

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.answer_to_sender == OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.answer_to_sender

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.stalls_at_recipient:
            await asyncio.Event().wait()  # until the server is stopped
        if answer := self.rejected.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.answer_to_data == OK:
            (recipient,) = envelope.rcpt_tos
            self.received.append(Received(envelope.mail_from, recipient, envelope.original_content))
        if self.hangs_up_after_data:
            server.transport.abort()
        if self.stalls_after_data:
            await asyncio.Event().wait()  # until the server is stopped
        return self.answer_to_data

    def to(self, address: str) -> list[Received]:
        return [mail for mail in self.received if mail.recipient == address]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_mail_server(**options: Any) -> Iterator[MailServer]:
    """Run a server until the end of the block; `options` are those of aiosmtpd."""
    server = MailServer(port=free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def refuse_password(*_: object) -> AuthResult:
    """An authenticator who believes nobody."""
    return AuthResult(success=False, handled=False, message="535 5.7.8 Who are you?")


def point_at(settings: Settings, port: int) -> None:
    """Have Django send by the server at this port."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5


@contextmanager
def silent_server() -> Iterator[int]:
    """A port at which somebody listens who never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A running server that Django sends by; for modules that import this fixture."""
    with running_mail_server() as server:
        point_at(settings, server.port)
        yield server
