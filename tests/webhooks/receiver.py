"""A real web server on loopback that keeps what it is sent, and misbehaves when it is told to."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nThank"
SECONDS_BETWEEN_BYTES = 0.01


@dataclass(frozen=True)
class Request:
    """What came: `headers` by their names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Talk:
    """One connection, after its request has come: what an answer is made with."""

    def __init__(self, connection: socket.socket, is_over: threading.Event) -> None:
        self._connection = connection
        self.is_over = is_over

    def say(self, text: bytes) -> None:
        with suppress(OSError):  # whoever asked may have gone
            self._connection.sendall(text)

    def dribble(self, text: bytes) -> None:
        """A byte at a time, again and again, until the test is over or nobody listens."""
        with suppress(OSError):
            while True:
                for byte in text:
                    self._connection.sendall(bytes([byte]))
                    if self.is_over.wait(SECONDS_BETWEEN_BYTES):
                        return

    def stall(self) -> None:
        self.is_over.wait()


@dataclass
class Receiver:
    """`answer` is called for each request; `received` are those that have come."""

    port: int
    answer: Callable[[Talk], None] = lambda talk: talk.say(OK)
    received: list[Request] = field(default_factory=list)
    has_come: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?key=1"

    def answers(self, status: str, *headers: str, body: bytes = b"") -> None:
        """Have it answer so from now on: `receiver.answers("503 Service Unavailable", "Retry-After: 60")`."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        text = "\r\n".join(lines).encode() + body
        self.answer = lambda talk: talk.say(text)


@contextmanager
def running_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a server until the end of the block."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(port=listener.getsockname()[1])
        threads = [threading.Thread(target=_listen, args=(listener, receiver, is_over, tls))]
        threads[0].start()
        try:
            yield receiver
        finally:
            is_over.set()
            listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for somebody to come
            threads[0].join()


def _listen(listener: socket.socket, receiver: Receiver, is_over: threading.Event, tls: ssl.SSLContext | None) -> None:
    talks = []
    while not is_over.is_set():
        try:
            connection, _address = listener.accept()
        except OSError:
            break
        talks.append(threading.Thread(target=_talk, args=(connection, receiver, is_over, tls)))
        talks[-1].start()
    for talk in talks:
        talk.join()


def _talk(connection: socket.socket, receiver: Receiver, is_over: threading.Event, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        connection.settimeout(5)
        if tls is not None:
            with tls.wrap_socket(connection, server_side=True) as encrypted:
                _serve(encrypted, receiver, is_over)
        else:
            _serve(connection, receiver, is_over)


def _serve(connection: socket.socket, receiver: Receiver, is_over: threading.Event) -> None:
    request = _read(connection)
    if request is None:
        return
    receiver.received.append(request)
    receiver.has_come.set()
    receiver.answer(Talk(connection, is_over))


def _read(connection: socket.socket) -> Request | None:
    with connection.makefile("rb") as lines:
        first = lines.readline().decode("latin-1").split()
        if first[2:] != ["HTTP/1.1"]:
            return None
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = lines.read(int(headers.get("content-length", 0)))
        return Request(first[0], first[1], headers, body)
