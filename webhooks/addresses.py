"""Where events may be sent: URLs that are read strictly, and hosts all of whose addresses are on the public internet.

A name is looked up once. Whoever sends connects to the addresses that were judged here, and to no others.
"""

import queue
import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

from webhooks.models import LONGEST_URL

Address: TypeAlias = IPv4Address | IPv6Address
SocketAddress: TypeAlias = tuple[socket.AddressFamily, Any]

DEFAULT_PORTS = {"https": 443, "http": 80}
# What web servers listen on. Other ports of strangers are not for us to knock at.
PORTS = frozenset({80, 443, 8080, 8443})
SECONDS_TO_LOOK_UP = 5.0
ADDRESSES_TRIED = 4

# Written out, as what `ipaddress` calls global differs between releases of Python.
_NOT_PUBLIC_4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by customers of a provider
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's metadata
            "169.254.0.0/16",  # link-local, and most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64 = ip_network("64:ff9b::/96")
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class AddressRefused(Exception):
    """Nothing is sent to this URL; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts: `host` in ASCII, in lower case, without brackets; `target` is the path with its query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def host_of(url: str) -> str:
    """Return the host that a stored URL names: what may be said of it where the rest may hold a password."""
    return urlsplit(url).hostname or ""


def parse(url: str) -> Url:
    """Return the parts of a URL that events may be sent to, as far as its text tells. Raises AddressRefused."""
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"Use a URL of at most {LONGEST_URL} characters.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused("A URL has no spaces, line breaks or backslashes.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, _ascii_host(parts)
    except ValueError:
        raise AddressRefused("This is not a complete URL, such as https://example.com/webhooks.") from None
    _require_scheme(parts.scheme)
    if "@" in parts.netloc:
        raise AddressRefused("Leave out the user name and password: whoever sees the URL would see them.")
    if parts.fragment or url.endswith("#"):
        raise AddressRefused("Leave out what follows the “#”: it is never sent to a server.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port, iri_to_uri(target))


def resolve(url: Url, *, seconds: float = SECONDS_TO_LOOK_UP) -> list[SocketAddress]:
    """Look the host up, once, and return the addresses to connect to, in order.

    Raises AddressRefused if it has none, if any of them is not on the public internet, or for a port that is not a web
    server's. The networks of WEBHOOK_ALLOWED_PRIVATE_NETWORKS are allowed, with every port.
    """
    found = _look_up(url, seconds)
    addresses = [ip_address(address[0]) for _family, address in found]
    if not all(_is_allowed(address) or is_public(address) for address in addresses):
        raise AddressRefused(
            f"{url.host} is at an address that is not on the public internet, and events are sent to no others."
        )
    if url.port not in PORTS and not all(map(_is_allowed, addresses)):
        ports = ", ".join(map(str, sorted(PORTS)))
        raise AddressRefused(f"Events are sent to the ports {ports} only, and not to {url.port}.")
    return found[:ADDRESSES_TRIED]


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet; one that stands for an IPv4 address is as public as that."""
    judged = _embedded(address)
    if isinstance(judged, IPv4Address):
        return not any(judged in network for network in _NOT_PUBLIC_4)
    return judged in _PUBLIC_6 and not any(judged in network for network in _NOT_PUBLIC_6)


def _is_allowed(address: Address) -> bool:
    return any(_embedded(address) in network for network in settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS)


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to (mapped, NAT64, 6to4), or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _require_scheme(scheme: str) -> None:
    if scheme == "https" or (scheme == "http" and settings.EMBEDDED):
        return
    if scheme == "http":
        raise AddressRefused("Use https: over http, anybody on the way could read and forge what is sent.")
    raise AddressRefused("This is not a complete URL, such as https://example.com/webhooks.")


def _ascii_host(parts: SplitResult) -> str:
    """The host as DNS knows it. Raises ValueError for what cannot be one."""
    host = (parts.hostname or "").removesuffix(".")
    if ":" in host:
        return _without_zone(IPv6Address(host))
    name = host.encode("idna").decode().lower()
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("This is no host.")
    return name


def _without_zone(address: IPv6Address) -> str:
    """The address as text. Raises ValueError where it is one of a particular network card."""
    if address.scope_id is not None:
        raise ValueError("This is an address of one network card.")
    return address.compressed


def _look_up(url: Url, seconds: float) -> list[SocketAddress]:
    """Ask the system's resolver, which knows no time limit of ours, in a thread that may be left behind."""
    answer: queue.SimpleQueue[list[SocketAddress] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
            answer.put([(family, address) for family, _type, _protocol, _name, address in found])
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name="webhook-look-up", daemon=True).start()
    try:
        found = answer.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise AddressRefused(f"The name {url.host} could not be looked up in time.") from None
    if isinstance(found, Exception) or not found:
        raise AddressRefused(f"The name {url.host} was not found. Check it for typing errors.")
    return found
