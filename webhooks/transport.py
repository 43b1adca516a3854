"""Posting one message: to an address that was judged before, within a time and a number of bytes, following nothing.

The receiver is a stranger. It may stall, send a byte a second or a million of them, point elsewhere or answer nonsense:
each of these ends as an `Answer`. No thread waits for it longer than the time that it was given.
"""

import datetime as dt
import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.utils import timezone

from webhooks import addresses
from webhooks.addresses import AddressRefused, SocketAddress, Url
from webhooks.retries import parse_retry_after
from webhooks.signing import PREFIX

MOST_BYTES = 64 * 1024  # read of an answer, its headers included
BODY_KEPT = 1000  # characters of it in the log
SWITCHING_PROTOCOLS, GONE = 101, 410
_SECRET = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9+/=_-]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try. `status`: None without an answer. `error`: a sentence; "" where the message was taken."""

    status: int | None = None
    body: str = ""
    error: str = ""
    retry_after: dt.timedelta | None = None
    duration_ms: int = 0

    @property
    def is_delivered(self) -> bool:
        return not self.error

    @property
    def is_gone(self) -> bool:
        """Whether the receiver says that it wants no events any more."""
        return self.status == GONE


def post(*, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
    """Post `body` and return what came of it after `seconds` at most; raises nothing that the receiver did."""
    started = time.monotonic()
    try:
        status, said, retry_after = _exchange(url, headers, body, deadline=started + seconds)
        answer = Answer(status, said, _error_of(status), retry_after)
    except AddressRefused as refusal:
        answer = Answer(error=str(refusal))
    except (OSError, http.client.HTTPException) as error:
        answer = Answer(error=_what_went_wrong(error, seconds))
    return replace(answer, duration_ms=round((time.monotonic() - started) * 1000))


def _exchange(
    text: str, headers: Mapping[str, str], body: bytes, *, deadline: float
) -> tuple[int, str, dt.timedelta | None]:
    """Speak HTTP/1.1 once: return the status, the beginning of the answer's body, and its Retry-After."""
    url = addresses.parse(text)
    found = addresses.resolve(url, seconds=min(_left(deadline), addresses.SECONDS_TO_LOOK_UP))
    with closing(_connect(url, found, deadline)) as sock:
        connection = http.client.HTTPConnection(url.host, url.port)
        connection.sock = _Wire(sock, deadline)  # all that http.client asks of a socket
        connection.request("POST", url.target, body, {"Host": url.authority, "Connection": "close", **headers})
        response = _answer_on(connection.sock)
        retry_after = parse_retry_after(response.getheader("Retry-After"), now=timezone.now())
        return response.status, _beginning(response), retry_after


def _answer_on(wire: Any) -> http.client.HTTPResponse:
    """Read up to the end of the answer's headers, past what may be said before it: such as 103, early hints."""
    while True:
        response = http.client.HTTPResponse(wire, method="POST")
        response.begin()
        if not 100 <= response.status < 200 or response.status == SWITCHING_PROTOCOLS:
            return response


def _connect(url: Url, found: list[SocketAddress], deadline: float) -> socket.socket:
    """Connect to the first of the addresses that takes the connection, each with its share of the time left."""
    problem: OSError = TimeoutError()
    for place, (family, address) in enumerate(found):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(_left(deadline) / (len(found) - place))
            sock.connect(address)
            break
        except OSError as error:
            sock.close()
            problem = error
    else:
        raise problem
    if url.scheme != "https":
        return sock
    try:
        sock.settimeout(_left(deadline))  # of the whole handshake
        return _tls().wrap_socket(sock, server_hostname=url.host)
    except BaseException:
        sock.close()
        raise


@cache
def _tls() -> ssl.SSLContext:
    """Trust the certificates that the system trusts, and no protocol that is broken, whatever the system allows."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Wire:
    """A connected socket as http.client uses one; nothing on it outlasts the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._lines = _Lines(_Reader(sock, deadline))

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))  # of all of it
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return self._lines


class _Lines(io.BufferedReader):
    """What comes over a wire, whichever of several answers it belongs to."""

    def close(self) -> None:
        """Leave it open: http.client lets go of it with each answer."""


class _Reader(io.RawIOBase):
    """Reads from a socket, each time for no longer than what is left, and no more than `MOST_BYTES` altogether."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._room = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._room:
            raise http.client.HTTPException("too much")
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(memoryview(buffer)[: self._room])
        self._room -= count
        return count


def _beginning(response: http.client.HTTPResponse) -> str:
    """The beginning of the answer's body, for the log; what is not text, and what looks like a secret, is left out."""
    read = b""
    with suppress(OSError, http.client.HTTPException, ValueError):  # the status is what counts, and is known
        while len(read) < 4 * BODY_KEPT and (more := response.read1(4 * BODY_KEPT)):
            read += more
    text = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in _decode(read))
    text = _SECRET.sub(f"{PREFIX}…", text).strip()
    return text if len(text) <= BODY_KEPT else f"{text[:BODY_KEPT]}…"


def _decode(read: bytes) -> str:
    return read.decode("utf-8", errors="replace").replace("\r\n", "\n")


def _error_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    said = f"{status} {http.client.responses.get(status, '')}".strip()
    if 300 <= status < 400:
        return f"The receiver answered with a redirect ({said}), which is not followed. Enter the URL it leads to."
    if status == GONE:
        return f"The receiver answered {said}: it wants no more events."
    return f"The receiver answered {said}."


def _what_went_wrong(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"The receiver did not answer within {seconds:g} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The receiver's certificate could not be verified: {error.verify_message.rstrip('.')}."
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection to the receiver could be made."
    if isinstance(error, ConnectionRefusedError):
        return "The receiver refused the connection: nothing listens at this address and port."
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return "The connection to the receiver ended before an answer came."
    if isinstance(error, http.client.HTTPException):
        return "The receiver's answer was not HTTP, or its headers were too long."
    return "The receiver could not be reached."
