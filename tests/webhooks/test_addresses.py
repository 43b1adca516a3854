"""Where events may be sent: read strictly, looked up once, and nowhere but on the public internet."""

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.webhooks.conftest import Names
from webhooks import addresses
from webhooks.addresses import AddressRefused, host_of, is_public, parse, resolve

HOOK = "https://hooks.example.com/mmm"


@pytest.mark.parametrize(
    ("text", "host", "port", "target", "authority"),
    [
        (HOOK, "hooks.example.com", 443, "/mmm", "hooks.example.com"),
        ("https://Hooks.Example.COM.:8443", "hooks.example.com", 8443, "/", "hooks.example.com:8443"),
        ("http://example.com/a?b=c&d=%20", "example.com", 80, "/a?b=c&d=%20", "example.com"),
        ("https://example.com:443?x", "example.com", 443, "/?x", "example.com"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", 443, "/%C3%BC", "xn--bcher-kva.example"),
        ("https://[2606:4700::1]/", "2606:4700::1", 443, "/", "[2606:4700::1]"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
    ],
)
def test_a_url_is_read_in_its_parts(text: str, host: str, port: int, target: str, authority: str) -> None:
    url = parse(text)
    assert (url.host, url.port, url.target, url.authority) == (host, port, target, authority)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "not a complete URL"),
        ("example.com/mmm", "not a complete URL"),
        ("ftp://example.com/", "not a complete URL"),
        ("file:///etc/passwd", "not a complete URL"),
        ("gopher://example.com/", "not a complete URL"),
        ("https:///path", "not a complete URL"),
        ("https://.example.com/", "not a complete URL"),
        ("https://exa$mple.com/", "not a complete URL"),
        ("https://example.com:99999/", "not a complete URL"),
        ("https://example.com:x/", "not a complete URL"),
        ("https://[::1/", "not a complete URL"),
        ("https://[fe80::1%25eth0]/", "not a complete URL"),
        (f"https://{'a' * 64}.example/", "not a complete URL"),
        ("https://user:secret@example.com/", "Leave out the user name"),
        ("https://8.8.8.8@example.com/", "Leave out the user name"),
        ("https://example.com/#part", "Leave out what follows"),
        ("https://example.com/#", "Leave out what follows"),
        ("https://example.com/a b", "no spaces"),
        ("https://example.com\\@evil.example/", "no spaces"),
        ("https://example.com/\r\nHost: evil", "no spaces"),
        ("https://example.com/\x00", "no spaces"),
        (f"https://example.com/{'a' * 500}", "at most 500"),
    ],
)
def test_what_is_no_such_url_is_refused_with_a_sentence(text: str, because: str) -> None:
    with pytest.raises(AddressRefused, match=because):
        parse(text)


def test_http_is_for_the_embedded_default_alone(settings: Settings) -> None:
    assert parse("http://example.com/").port == 80
    settings.EMBEDDED = False
    with pytest.raises(AddressRefused, match="Use https"):
        parse("http://example.com/")


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
        "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255",
        "::", "::1", "::8.8.8.8", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1",
        "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:db8::1", "3fff::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:100.64.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::808:808",
        "2002:7f00:1::", "2002:c0a8:101::1", "2002:a9fe:a9fe::1", "4000::1", "8000::1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_public_internet(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
        "192.0.1.0", "192.169.0.1", "198.20.0.1", "223.255.255.255",
        "2606:4700::1111", "2a00:1450::1", "2001:200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    ],
)  # fmt: skip
def test_what_is_on_the_public_internet(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.one_of(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address)))
def test_nothing_that_python_calls_not_global_is_called_public(address: IPv4Address | IPv6Address) -> None:
    stands_for = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour)
    if is_public(address) and not stands_for:
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(0, 2**32 - 1))
def test_an_address_that_stands_for_another_is_as_public_as_that(number: int) -> None:
    inner = IPv4Address(number)
    for outer in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert is_public(IPv6Address(outer)) == is_public(inner)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressRefused, match="not on the public internet"):
        resolve(parse(f"https://{host}/"))


def test_one_private_address_among_public_ones_is_one_too_many(names: Names) -> None:
    names(["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefused, match=r"hooks\.example\.com is at an address that is not on the public"):
        resolve(parse(HOOK))


def test_a_name_is_looked_up_once_and_its_addresses_kept_in_order(names: Names) -> None:
    asked = names(["2606:4700::1", "8.8.8.8", "1.1.1.1", "9.9.9.9", "8.8.4.4"])
    found = resolve(parse(HOOK))
    assert asked == ["hooks.example.com"]
    assert [address[0] for _family, address in found] == ["2606:4700::1", "8.8.8.8", "1.1.1.1", "9.9.9.9"]
    assert found[0][0] == socket.AF_INET6


def test_a_name_that_nobody_knows(names: Names) -> None:
    names([])
    with pytest.raises(AddressRefused, match=r"hooks\.example\.com was not found"):
        resolve(parse(HOOK))


def test_a_look_up_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def stall(*_args: object, **_options: object) -> list[object]:
        is_over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stall)
    try:
        with pytest.raises(AddressRefused, match="could not be looked up in time"):
            resolve(parse(HOOK), seconds=0.01)
    finally:
        is_over.set()


def test_ports_of_strangers_are_those_of_web_servers(names: Names) -> None:
    names(["8.8.8.8"])
    for port in addresses.PORTS:
        assert resolve(parse(f"https://hooks.example.com:{port}/"))
    for port in (0, 22, 25, 5432, 6379, 65535):
        with pytest.raises(AddressRefused, match="80, 443, 8080, 8443 only"):
            resolve(parse(f"https://hooks.example.com:{port}/"))


def test_networks_that_are_allowed_are_with_every_port_and_no_others(names: Names, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd12::/16")]
    names(["10.1.2.3"])
    assert resolve(parse("https://inside.example:9000/"))
    names(["fd12::1", "::ffff:10.1.0.1"])
    assert len(resolve(parse("https://inside.example:9000/"))) == 2
    for answer in (["10.2.0.1"], ["10.1.2.3", "127.0.0.1"]):
        names(answer)
        with pytest.raises(AddressRefused, match="not on the public internet"):
            resolve(parse("https://inside.example/"))
    names(["10.1.2.3", "8.8.8.8"])
    with pytest.raises(AddressRefused, match="and not to 9000"):
        resolve(parse("https://inside.example:9000/"))


def test_of_a_url_only_the_host_is_told() -> None:
    assert host_of("https://hooks.example.com:8443/services/T0/secret?token=x") == "hooks.example.com"
