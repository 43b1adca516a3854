"""Handing one mail to the mail server, and knowing what became of it.

Until the server is asked to take the content, any failure is certain: the mail has not gone out. From then on, a silent
or lost connection leaves open whether it has.
"""

import enum
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from reports.deliveries import answers
from reports.deliveries.answers import SAID_LENGTH, TOO_LARGE, About, quoted
from reports.deliveries.mime import Mail, as_bytes, as_message, one_line, sender

OK, FORWARDED = 250, 251
_SECONDS_FOR_GOODBYE = 2

NO_SERVER = (
    "No mail server is set up, so nothing can be mailed. Whoever runs this installation sets EMAIL_URL, such as "
    "smtp+tls://user:password@mail.example.com:587 (docs/operations.md, Mail). Then send it again."
)
_SMALLER = " Whoever runs this installation can have larger files linked and not attached: MAIL_ATTACHMENT_MB."
_FULL = "The recipient's mailbox is full"
LOST_AFTER_DATA = (
    "The connection to the mail server ended after the message was handed over and before it was confirmed, so it may "
    "have arrived or not. Ask the recipient, and send it again if it has not."
)


class Fate(enum.Enum):
    """What became of a mail. `LATER`: not sent, and another try may help."""

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of a mail, and why, as a sentence. `is_away`: no mail at all can be handed over at present."""

    fate: Fate
    sentence: str = ""
    is_away: bool = False


def has_mail_server() -> bool:
    """Whether mails go anywhere: printed or dropped ones do not."""
    return not settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend"))


def hand_over(mail: Mail) -> Outcome:
    """Give the mail to the mail server and return what became of it; raises nothing that the server did."""
    backend = get_connection()
    if not isinstance(backend, EmailBackend):
        return _hand_to(backend, mail)
    try:
        content, (_, from_address) = as_bytes(mail), sender()
        mail.to.encode("ascii")
    except UnicodeError:
        return Outcome(Fate.FAILED, "This address has letters that mail servers do not take.")
    try:
        backend.open()
    except (OSError, ValueError) as error:
        with suppress(OSError):
            backend.close()
        return Outcome(Fate.LATER, _cannot_reach(error), is_away=True)
    server = backend.connection
    if server is None:
        raise RuntimeError("The mail server's connection is not open.")
    try:
        return _speak(server, from_address, mail.to, content)
    finally:
        _leave(server)


def _speak(server: smtplib.SMTP, from_address: str, to: str, content: bytes) -> Outcome:
    try:
        server.ehlo_or_helo_if_needed()
        options = [f"size={len(content)}"] if server.has_extn("size") else []
        code, answer = server.mail(from_address, options)
        if code != OK:
            return _refused_sender(code, answer)
        code, answer = server.rcpt(to)
        if code not in (OK, FORWARDED):
            return _refused_recipient(code, answer, to)
    except OSError as error:  # smtplib's errors are OSErrors
        return Outcome(Fate.LATER, _cannot_reach(error))
    try:
        if server.sock is not None:
            server.sock.settimeout(settings.MAIL_PATIENCE_SECONDS)
        code, answer = server.data(content)
    except smtplib.SMTPDataError as refusal:  # an answer, so nothing was taken
        code, answer = refusal.smtp_code, _bytes(refusal.smtp_error)
    except OSError:
        return Outcome(Fate.UNKNOWN, LOST_AFTER_DATA)
    if code == OK:
        return Outcome(Fate.SENT)
    if answers.is_full_mailbox(answer):
        return Outcome(Fate.LATER, f"{_FULL}: {quoted(code, answer)}.")
    sentence = f"The mail server did not take the message: {quoted(code, answer)}."
    if code == TOO_LARGE:
        sentence += _SMALLER
    return Outcome(_later_unless_for_good(code), sentence)


def _refused_sender(code: int, answer: bytes) -> Outcome:
    if code == TOO_LARGE:
        return Outcome(Fate.FAILED, f"The message is too large for the mail server: {quoted(code, answer)}.{_SMALLER}")
    # Whatever the code: it is about the installation, which somebody may mend meanwhile.
    return Outcome(Fate.LATER, f"The mail server does not let this installation send: {quoted(code, answer)}.")


def _refused_recipient(code: int, answer: bytes, to: str) -> Outcome:
    said = quoted(code, answer)
    match answers.of_recipient(code, answer, to=to):
        case About.ADDRESS:
            return Outcome(Fate.REJECTED, f"The mail server rejected this address: {said}.")
        case About.FULL_MAILBOX:
            return Outcome(Fate.LATER, f"{_FULL}: {said}.")
        case About.SIZE:
            return Outcome(Fate.FAILED, f"The message is too large for this recipient: {said}.{_SMALLER}")
        case About.PASSING:
            return Outcome(Fate.LATER, f"The mail server did not take the message for this address: {said}.")
        case About.US:
            return Outcome(Fate.FAILED, f"The mail server does not pass this mail on to this address: {said}.")


def _later_unless_for_good(code: int) -> Fate:
    return Fate.FAILED if 500 <= code < 600 else Fate.LATER


def _cannot_reach(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        answer = quoted(error.smtp_code, _bytes(error.smtp_error))
        return f"The mail server refused the name or the password of this installation: {answer}."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server refused to talk: {quoted(error.smtp_code, _bytes(error.smtp_error))}."
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "The mail server did not answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "The mail server refused the connection."
    if isinstance(error, socket.gaierror):
        return "The mail server's name could not be found."
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection to the mail server could be made."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"The mail server does not offer what its settings ask for: {one_line(str(error), SAID_LENGTH)}"
    return "The connection to the mail server was lost before the message was handed over."


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye, but do not wait for an answer for long: what became of the mail is known."""
    with suppress(OSError):
        if server.sock is not None:
            server.sock.settimeout(_SECONDS_FOR_GOODBYE)
            server.quit()
    server.close()


def _bytes(answer: bytes | str) -> bytes:
    return answer.encode() if isinstance(answer, str) else answer


class _Finished(EmailMessage):
    """A mail as Django's other backends take it: its parts are made already."""

    def __init__(self, mail: Mail) -> None:
        super().__init__(subject=mail.subject, body=mail.text, to=[mail.to])
        self._mail = mail

    def message(self, *_: object) -> Message:  # type: ignore[override] # Django's own parts are of a narrower class
        return as_message(self._mail)


def _hand_to(backend: object, mail: Mail) -> Outcome:
    """Send by another backend of Django's, which does not tell how far it came."""
    try:
        sent = backend.send_messages([_Finished(mail)])  # type: ignore[attr-defined]
    except ConnectionRefusedError as error:
        return Outcome(Fate.LATER, _cannot_reach(error))
    except OSError:
        return Outcome(Fate.UNKNOWN, LOST_AFTER_DATA)
    return Outcome(Fate.SENT) if sent else Outcome(Fate.LATER, "The mail service did not take the message.")
