"""Every address of the product, from the URL resolver, so that tests cover a new one without anyone remembering."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

OF_NOBODY = {"form"}  # arguments that are no row: in what form something is


@dataclass(frozen=True)
class Route:
    """A named address; `arguments` are those of its pattern and of the patterns that include it."""

    name: str
    path: str
    arguments: frozenset[str]

    def __str__(self) -> str:
        return self.name

    @property
    def is_admin(self) -> bool:
        return self.name.startswith("admin:")

    @property
    def is_api(self) -> bool:
        return self.path.startswith("api/")

    @property
    def is_account(self) -> bool:
        return self.path.startswith("accounts/")

    @property
    def is_guide(self) -> bool:
        return self.path.startswith("help/")

    @property
    def is_in_workspace(self) -> bool:
        """Whether the address names something that belongs to one workspace, and is for those who sign in."""
        names_a_row = bool(self.arguments - OF_NOBODY)
        return names_a_row and not (self.is_admin or self.is_account or self.is_of_a_mail or self.is_guide)

    @property
    def is_of_a_mail(self) -> bool:
        """Whether it is an address that mails lead to, for whoever has the token in it."""
        return self.path.startswith(("unsubscribe/", "deliveries/"))

    @property
    def view_class(self) -> Any:
        """The class of a view of the API; None of other views."""
        known = {name: _some_value(name) for name in self.arguments}
        return getattr(resolve(self.url(known)).func, "cls", None)

    def url(self, known: Mapping[str, object]) -> str:
        """Return the address with values from `known`. Raises LookupError for an argument that nobody has told of."""
        if unknown := self.arguments - known.keys():
            raise LookupError(
                f"No value for {', '.join(sorted(unknown))} of “{self.name}” ({self.path}): add one of the workspace's "
                "to `arguments` in tests/test_every_url.py and in tests/browser/world.py."
            )
        return reverse(self.name, kwargs={name: known[name] for name in self.arguments})


def _some_value(argument: str) -> object:
    """A value that the converter of this argument takes."""
    if argument in ("slug", "form"):
        return "csv"
    uuids = {"run_id", "schedule_id", "alert_id", "delivery_id", "edition_id", "file_id"}
    return "00000000-0000-4000-8000-000000000000" if argument in uuids else 1


def every_route() -> list[Route]:
    """Return the named addresses. Raises ValueError for one of ours that has no name."""
    return list(_walk(get_resolver().url_patterns, "", "", frozenset()))


def html_pages(client: Client, cases: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return what to call it -> address of each page that this browser gets; neither the admin's nor the API's.

    `cases`: what to call it -> values for arguments. Each is tried on each address that takes one of its arguments;
    what was asked for before, redirects, refusals and files are left out.
    """
    found: dict[str, str] = {}
    asked: set[str] = set()
    for case, known in cases.items():
        for route in every_route():
            if route.is_admin or route.is_api or (case and not route.arguments & known.keys()):
                continue
            if case and route.arguments - known.keys():
                continue
            url = route.url(known)
            if url in asked:
                continue
            asked.add(url)
            response = client.get(url)
            if response.streaming:
                b"".join(response.streaming_content)  # type: ignore[attr-defined]  # to its end, where its file is closed
            is_page = response.headers.get("Content-Type", "").startswith("text/html")
            if response.status_code == 200 and is_page:
                found[f"{route.name} {case}".rstrip()] = url
    return found


def _walk(
    patterns: list[URLPattern | URLResolver], namespace: str, prefix: str, outer: frozenset[str]
) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        arguments = outer | pattern.pattern.converters.keys() | pattern.pattern.regex.groupindex.keys()
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner, path, arguments)
        elif pattern.name:
            yield Route(f"{namespace}{pattern.name}", path, arguments)
        elif namespace != "admin:":  # Django's admin has nameless redirects and a catch-all
            raise ValueError(f"The address {path} has no name.")
