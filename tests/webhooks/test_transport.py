"""Posting to a stranger: to the address that was judged, within a time and a number of bytes, following nothing."""

import datetime as dt
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from tests.smtp_server import free_port, silent_server
from tests.webhooks.conftest import LOOPBACK, Names
from tests.webhooks.receiver import OK, Receiver, Talk, running_receiver
from webhooks import transport
from webhooks.transport import BODY_KEPT, MOST_BYTES, Answer, post

HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}
BODY = '{"type":"ping","name":"Bücher"}'.encode()


def send(url: str, *, seconds: float = 2.0) -> Answer:
    return post(url=url, headers=HEADERS, body=BODY, seconds=seconds)


def test_a_message_arrives_as_it_was_given(receiver: Receiver) -> None:
    answer = send(receiver.url)
    assert (answer.status, answer.error, answer.body, answer.is_delivered) == (200, "", "Thank", True)
    (request,) = receiver.received
    assert (request.method, request.target, request.body) == ("POST", "/hooks?key=1", BODY)
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "accept-encoding": "identity",
        "content-length": str(len(BODY)),
        "connection": "close",
        "content-type": "application/json",
        "webhook-id": "msg_1",
    }


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Whatever"])
def test_every_answer_from_200_to_299_is_a_success(receiver: Receiver, status: str) -> None:
    receiver.answers(status)
    assert send(receiver.url).is_delivered


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("301 Moved", "The receiver answered with a redirect (301 Moved Permanently), which is not followed."),
        ("307 Over there", "The receiver answered with a redirect (307 Temporary Redirect), which is not followed."),
        ("400 Bad Request", "The receiver answered 400 Bad Request."),
        ("410 Gone", "The receiver answered 410 Gone: it wants no more events."),
        ("503 Busy", "The receiver answered 503 Service Unavailable."),
        ("599 Odd", "The receiver answered 599."),
        ("101 Switching Protocols", "The receiver answered 101 Switching Protocols."),
    ],
)
def test_every_other_answer_is_a_failure_with_a_sentence(receiver: Receiver, status: str, sentence: str) -> None:
    receiver.answers(status, body=b"Sorry")
    answer = send(receiver.url)
    assert answer.error.startswith(sentence)
    assert (answer.is_delivered, answer.is_gone) == (False, status.startswith("410"))
    assert answer.status == int(status[:3])


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_what_is_said_before_the_answer_is_not_the_answer(receiver: Receiver, before: bytes, pause: float) -> None:
    def answer(talk: Talk) -> None:
        talk.say(before)
        if pause:
            time.sleep(pause)
        talk.say(b"HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nThank")

    receiver.answer = answer
    taken = send(receiver.url)
    assert (taken.status, taken.body, taken.retry_after) == (202, "Thank", dt.timedelta(seconds=7))


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with running_receiver() as elsewhere:
        receiver.answers("302 Found", f"Location: {elsewhere.url}")
        assert not send(receiver.url).is_delivered
        assert not elsewhere.received
    assert len(receiver.received) == 1


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert send(receiver.url).is_delivered
    assert receiver.received[0].target == "/hooks?key=1"


def test_the_receivers_wish_for_patience_is_heard(receiver: Receiver) -> None:
    receiver.answers("429 Too Many Requests", "Retry-After: 120")
    assert send(receiver.url).retry_after == dt.timedelta(minutes=2)


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",  # headers without end
        b"HTTP/1.1 100 Continue\r\n\r\n",  # one promise after another
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"H",
    ],
)
def test_who_answers_a_byte_at_a_time_is_left_when_the_time_is_over(receiver: Receiver, text: bytes) -> None:
    receiver.answer = lambda talk: talk.dribble(text)
    started = time.monotonic()
    answer = send(receiver.url, seconds=0.15)
    assert time.monotonic() - started < 1.5
    assert answer.status is None
    assert not answer.is_delivered
    assert answer.error in (
        "The receiver did not answer within 0.15 seconds.",
        "The receiver's answer was not HTTP, or its headers were too long.",
    )


def test_a_body_that_comes_a_byte_at_a_time_takes_no_longer_either(receiver: Receiver) -> None:
    def answer_slowly(talk: Talk) -> None:
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        talk.dribble(b"slow")

    receiver.answer = answer_slowly
    started = time.monotonic()
    answer = send(receiver.url, seconds=0.15)
    assert time.monotonic() - started < 1.5
    assert (answer.is_delivered, answer.body[:4]) == (True, "slow")  # its status had come in time
    assert 100 <= answer.duration_ms < 1500


def test_who_says_nothing_is_left_when_the_time_is_over(receiver: Receiver) -> None:
    receiver.answer = Talk.stall
    answer = send(receiver.url, seconds=0.1)
    assert answer.error == "The receiver did not answer within 0.1 seconds."
    with silent_server() as port:  # nobody even takes the connection
        assert not send(f"http://127.0.0.1:{port}/", seconds=0.1).is_delivered


def test_of_a_long_answer_the_beginning_is_read(receiver: Receiver) -> None:
    said = []

    def answer_at_length(talk: Talk) -> None:
        talk.say(b"HTTP/1.1 500 Oops\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(500):
            talk.say(b"x" * 100_000)
            said.append(1)

    receiver.answer = answer_at_length
    answer = send(receiver.url)
    assert answer.status == 500
    assert answer.body == "x" * BODY_KEPT + "…"


def test_headers_have_an_end(receiver: Receiver) -> None:
    receiver.answers("200 OK", *(f"X-{number}: {'a' * 1000}" for number in range(90)))
    answer = send(receiver.url)
    assert MOST_BYTES < 90_000
    assert answer.error == "The receiver's answer was not HTTP, or its headers were too long."


def test_what_is_said_before_the_answer_has_an_end(receiver: Receiver) -> None:
    receiver.answer = lambda talk: talk.say(b"HTTP/1.1 102 Processing\r\n\r\n" * MOST_BYTES + OK)
    assert send(receiver.url).error == "The receiver's answer was not HTTP, or its headers were too long."


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_failure(receiver: Receiver, said: bytes) -> None:
    receiver.answer = lambda talk: talk.say(said)
    assert send(receiver.url).error == "The receiver's answer was not HTTP, or its headers were too long."


def test_who_hangs_up_has_not_answered(receiver: Receiver) -> None:
    receiver.answer = lambda _talk: None
    assert send(receiver.url).error == "The connection to the receiver ended before an answer came."


def test_an_answer_in_chunks_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda talk: talk.say(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    assert send(receiver.url).body == "onetwo"


def test_the_log_holds_no_secret_nothing_binary_and_no_nul(receiver: Receiver) -> None:
    receiver.answers("400 Bad Request", body=b"key whsec_AbC+/123= \x00\x1b[31m\xff <b>bold</b>\r\nsecond")
    said = send(receiver.url).body
    assert "AbC" not in said
    assert said.startswith("key whsec_… ")
    assert "\x00" not in said
    assert "\x1b" not in said
    assert said.endswith("<b>bold</b>\nsecond")


def test_where_nobody_listens(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = LOOPBACK
    answer = send(f"http://127.0.0.1:{free_port()}/")
    assert answer.error == "The receiver refused the connection: nothing listens at this address and port."
    assert answer.status is None


def test_an_address_on_this_side_of_the_walls_is_never_connected_to() -> None:
    with running_receiver() as inside:
        assert "not on the public internet" in send(inside.url).error
        assert not inside.has_come.is_set()


def test_a_name_that_leads_inside_only_when_it_is_asked_again_leads_nowhere(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what was judged is what is connected to, as nobody asks a second time."""
    asked = names(["8.8.8.8"], ["127.0.0.1"])
    connected: list[object] = []

    def connect(_sock: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert not send("https://hooks.example.com/").is_delivered
    assert connected == [("8.8.8.8", 443)]
    assert asked == ["hooks.example.com"]


def test_the_next_address_of_a_name_is_tried_where_the_first_one_takes_no_connection(
    receiver: Receiver, names: Names
) -> None:
    asked = names(["::1", "127.0.0.1"])  # nobody listens on the first
    assert send(f"http://hooks.example.com:{receiver.port}/").is_delivered
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.port}"
    assert len(asked) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of hooks.example.com that nobody knows, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path, settings: Settings, names: Names) -> Iterator[tuple[Receiver, list[str | None]]]:
    """A receiver on loopback that speaks TLS, where every name leads; and the names that it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked_for: list[str | None] = []
    context.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = LOOPBACK
    names(["127.0.0.1"])
    with running_receiver(context) as receiver:
        yield receiver, asked_for


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: tuple[Receiver, list[str | None]]) -> None:
    receiver, _ = tls
    answer = send(f"https://hooks.example.com:{receiver.port}/")
    assert answer.error.startswith("The receiver's certificate could not be verified: self-signed certificate")
    assert not receiver.received


def test_a_certificate_is_verified_for_the_name_and_not_for_the_address(
    tls: tuple[Receiver, list[str | None]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, asked_for = tls
    monkeypatch.setattr(transport, "_tls", lambda: ssl.create_default_context(cafile=str(certificate)))
    assert send(f"https://hooks.example.com:{receiver.port}/in").is_delivered
    assert asked_for == ["hooks.example.com"]
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.port}"
    refused = send(f"https://other.example.com:{receiver.port}/in")
    assert "certificate could not be verified: Hostname mismatch" in refused.error
    assert len(receiver.received) == 1


def test_who_speaks_no_tls_gets_nothing(receiver: Receiver) -> None:
    answer = send(receiver.url.replace("http:", "https:"), seconds=0.3)
    assert answer.error in (
        "No encrypted connection to the receiver could be made.",
        "The receiver did not answer within 0.3 seconds.",
    )
    assert not receiver.received


def test_a_handshake_takes_no_longer_than_it_may(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = LOOPBACK
    with silent_server() as port:
        assert send(f"https://127.0.0.1:{port}/", seconds=0.1).error.endswith("did not answer within 0.1 seconds.")


def test_the_certificates_of_the_system_are_those_that_count() -> None:
    context = transport._tls()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
