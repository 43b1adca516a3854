"""Where the links and pictures of a document lead inside the product; on disk they are relative paths."""

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.core.files.images import get_image_dimensions
from django.templatetags.static import static
from django.urls import reverse
from markdown_it.token import Token

# Folders of docs/ whose files are served as static ones, and below which address (`STATICFILES_DIRS`).
STATIC_FOLDERS = {"guide/images": "guide", "figures": "guide/figures"}


def point_into_product(tokens: Iterable[Token], *, document: str, slugs: dict[str, str], docs: Path) -> None:
    """Rewrite the links and pictures of a document in place.

    `document`: its path below `docs`. `slugs`: path of each document that the guide shows -> the name of its page. A
    link to any other file of the repository, which the product does not show, is left as plain words.
    """
    for token in tokens:
        if token.children:
            token.children = list(_pointed(token.children, document, slugs, docs))


def path_below_docs(href: str, *, document: str) -> str:
    """Return where a relative link leads, as a path below docs: "../methods.md#alerts" of guide/x.md: "methods.md"."""
    return posixpath.normpath(str(PurePosixPath(document).parent / urlsplit(href).path))


def is_external(href: str) -> bool:
    return bool(urlsplit(href).scheme)


def _pointed(children: Iterable[Token], document: str, slugs: dict[str, str], docs: Path) -> Iterator[Token]:
    is_left_out = False
    for child in children:
        if child.type == "image":
            path = path_below_docs(str(child.attrs["src"]), document=document)
            child.attrs["src"] = _static_address(path) or ""
            child.meta["size"] = get_image_dimensions(docs / path)  # (None, None) for a file that is not there
        elif child.type == "link_open":
            address = _address(str(child.attrs["href"]), document, slugs)
            is_left_out = address is None
            child.attrs["href"] = address or ""
        if not (is_left_out and child.type in ("link_open", "link_close")):
            yield child


def _address(href: str, document: str, slugs: dict[str, str]) -> str | None:
    """Return where a link leads inside the product, or None."""
    if is_external(href) or href.startswith("#"):
        return href
    path = path_below_docs(href, document=document)
    if path not in slugs:
        return _static_address(path)
    page = reverse("guide:page", kwargs={"page": slugs[path]}) if slugs[path] else reverse("guide:index")
    fragment = urlsplit(href).fragment
    return f"{page}#{fragment}" if fragment else page


def _static_address(path: str) -> str | None:
    folder, _, name = path.rpartition("/")
    return static(f"{STATIC_FOLDERS[folder]}/{name}") if folder in STATIC_FOLDERS else None
