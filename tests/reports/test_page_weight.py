"""What a browser has to fetch for the dashboard: page, style sheets, scripts with what they import, and the font."""

import gzip
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.models import User

MOST_BYTES = 300_000
IMPORTED = re.compile(r"""^\s*(?:import|export)\b[^"']*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
COMPRESSED_ALREADY = {".woff2", ".png"}


def contents(url: str) -> bytes:
    """The file behind an address below STATIC_URL, wherever it comes from."""
    path = finders.find(url.removeprefix(f"/{settings.STATIC_URL}".replace("//", "/")))
    assert isinstance(path, str), url
    with open(path, "rb") as file:  # noqa: PTH123 - a path that the finders give
        return file.read()


def with_imports(url: str, seen: dict[str, bytes]) -> None:
    """Add the file, and the modules that it imports, to `seen`."""
    if url in seen:
        return
    seen[url] = contents(url)
    if PurePosixPath(url).suffix == ".js":
        for imported in IMPORTED.findall(seen[url].decode()):
            with_imports(urljoin(url, imported), seen)


def weight(url: str, content: bytes) -> int:
    return len(content) if PurePosixPath(url).suffix in COMPRESSED_ALREADY else len(gzip.compress(content, 6))


@pytest.mark.usefixtures("figures")
def test_the_dashboard_weighs_less_than_300_kb_with_everything_that_it_fetches(
    client_for: Callable[[User | None], Client], viewer: User
) -> None:
    page = client_for(viewer).get("/w/acme/dashboard/").text
    fetched: dict[str, bytes] = {}
    for address in re.findall(r'<(?:script|link)[^>]+(?:src|href)="(/static/[^"]+)"', page):
        with_imports(address, fetched)
    assert {"/static/vendor/d3/d3.min.js", "/static/css/charts.css"} <= fetched.keys()
    weights = {url: weight(url, content) for url, content in fetched.items()} | {"page": weight("", page.encode())}
    assert sum(weights.values()) < MOST_BYTES, sorted(weights.items(), key=lambda item: -item[1])
