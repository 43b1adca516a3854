"""A mail as bytes for a mail server: text, HTML with a picture in it, and files. Nothing in it can add a header."""

import unicodedata
from dataclasses import dataclass
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formataddr, formatdate, parseaddr

from django.conf import settings
from django.utils.encoding import punycode

SUBJECT_LENGTH = 200
_LONGEST_LINE = 998  # of any mail (RFC 5322)
_JOINERS = "\u200c\u200d"  # letters of some languages, and some emoji, need them
_BREAKS = ("Cc", "Zl", "Zp", "Zs")
_UNSEEN = ("Cf", "Cs", "Co", "Cn")  # among them those that turn the direction of writing around


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail. `content_type`: without parameters."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that the HTML part shows by its content id."""

    content_id: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one person. `sender_name` and `to` as they are: they are made fit for headers here."""

    message_id: str
    to: str
    subject: str
    sender_name: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = ()
    picture: Picture | None = None
    attachments: tuple[Attachment, ...] = ()


def one_line(text: str, length: int | None = None) -> str:
    """Return `text` on one line, without what cannot be seen, cut to `length` with an ellipsis."""
    kinds = ((letter, unicodedata.category(letter)) for letter in text)
    seen = "".join(
        " " if kind in _BREAKS else letter for letter, kind in kinds if letter in _JOINERS or kind not in _UNSEEN
    )
    line = " ".join(seen.split())
    return line if length is None or len(line) <= length else f"{line[: length - 1].rstrip()}…"


def sender() -> tuple[str, str]:
    """The name and the address of DEFAULT_FROM_EMAIL, with its domain in ASCII."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    local, _, domain = address.rpartition("@")
    return name or "Mixed Media Modeling", f"{local}@{punycode(domain)}"


def sender_domain() -> str:
    return sender()[1].rpartition("@")[2]


def as_message(mail: Mail) -> Message:
    """Return the mail with all its headers; every line of it is short ASCII, so that any server passes it on."""
    message = _body(mail)
    name, address = sender()
    message["Subject"] = _encoded(one_line(mail.subject, SUBJECT_LENGTH), "Subject")
    message["From"] = _address(one_line(f"{mail.sender_name} via {name}" if mail.sender_name else name), address)
    message["To"] = one_line(mail.to)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = one_line(mail.message_id)
    for key, value in mail.headers:
        message[key] = one_line(value)
    return message


def as_bytes(mail: Mail) -> bytes:
    """Return the mail as the protocol wants it, with lines that end in CR LF."""
    # An address in a header is not to be folded, as not all programs unfold it again.
    content = as_message(mail).as_bytes(policy=compat32.clone(max_line_length=_LONGEST_LINE))
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _body(mail: Mail) -> Message:
    html: Message = _text(mail.html, "html")
    if mail.picture:
        image = MIMEImage(mail.picture.content, "png")
        image.add_header("Content-ID", f"<{mail.picture.content_id}>")
        image.add_header("Content-Disposition", "inline", filename="chart.png")
        html = MIMEMultipart("related", _subparts=[html, image], type="text/html")
    # What stands last is preferred.
    body = MIMEMultipart("alternative", _subparts=[_text(mail.text, "plain"), html])
    if not mail.attachments:
        return body
    return MIMEMultipart("mixed", _subparts=[body, *map(_attached, mail.attachments)])


def _text(text: str, subtype: str) -> MIMEText:
    charset = Charset("utf-8")
    charset.body_encoding = QP  # what can be read is less often taken for unwanted
    # Lone surrogates can be stored by some databases, and encoded by nobody.
    return MIMEText(text.encode("utf-8", "replace").decode(), subtype, charset)  # type: ignore[arg-type] # a charset is as good as its name


def _attached(file: Attachment) -> MIMEApplication:
    part = MIMEApplication(file.content, file.content_type.partition("/")[2])
    part.replace_header("Content-Type", file.content_type)
    name = one_line(file.name)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _encoded(text: str, name: str) -> str:
    """A header's text in ASCII, in words of 75 letters at most where it has to be encoded."""
    return text if text.isascii() else Header(text, "utf-8", header_name=name).encode()


def _address(name: str, address: str) -> str:
    """Name and address; formataddr would make one word of a long name beyond ASCII."""
    if name.isascii():
        return formataddr((name, address))
    return f"{_encoded(name, 'From')} <{address}>"
