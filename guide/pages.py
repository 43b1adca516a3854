"""The pages of the guide, read from docs/: each is rendered when somebody first opens or searches it, and kept.

docs/guide/index.md lists them: its second-level headings are the groups of the contents, its links the pages in their
order. A link to a document outside docs/guide takes that document, such as docs/methods.md, into the guide as it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString
from markdown_it.token import Token

from guide.links import path_below_docs, point_into_product
from guide.rendering import parse, plain_text, render

INDEX = "guide/index.md"
# What documents outside docs/guide are called in the product: pages of the guide have the names of their files.
REFERENCES = {
    "methods.md": "methods",
    "data.md": "data-reference",
    "reports.md": "reports-reference",
    "api.md": "api-reference",
    "webhooks.md": "webhooks-reference",
    "demo-world.md": "demo-world",
    "operations.md": "operations",
}
SECTION_TAGS = ("h2", "h3")


@dataclass(frozen=True)
class Entry:
    """A page in the contents, and what they say of it; `document`: its path below docs/."""

    document: str
    title: str
    about: str

    @property
    def slug(self) -> str:
        """What the page is called: "guide/forecast.md" is "forecast". Raises KeyError for a document nobody named."""
        if self.is_reference:
            return REFERENCES[self.document]
        return self.document.removeprefix("guide/").removesuffix(".md")

    @property
    def url(self) -> str:
        return reverse("guide:page", kwargs={"page": self.slug})

    @property
    def is_reference(self) -> bool:
        return not self.document.startswith("guide/")


@dataclass(frozen=True)
class Group:
    """Pages that belong together, under one heading of the contents."""

    title: str
    entries: list[Entry]


@dataclass(frozen=True)
class Section:
    """What stands below a heading of a page, as plain text; `anchor`: "" for what stands above the first one."""

    title: str
    anchor: str
    tag: str
    text: str


@dataclass(frozen=True)
class Page:
    """A document as the product shows it; `html` is without its title."""

    entry: Entry
    html: SafeString
    sections: Sequence[Section]

    @property
    def headings(self) -> Sequence[Section]:
        return [section for section in self.sections if section.anchor]


class Guide:
    """The guide below the folder `docs`. Raises OSError for a document that is not there."""

    def __init__(self, docs: Path) -> None:
        self._docs = docs
        self._pages: dict[str, Page] = {}
        self._index = parse((docs / INDEX).read_text())
        self.groups = _groups(self._index)
        self.entries = {entry.slug: entry for group in self.groups for entry in group.entries}

    @cached_property
    def introduction(self) -> SafeString:
        """What the contents begin with."""
        first_group = next(at for at, token in enumerate(self._index) if token.tag == "h2")
        tokens = self._index[:first_group]
        self._point(tokens, document=INDEX)
        return render(_without_title(tokens))

    def page(self, slug: str) -> Page:
        """Return a page. Raises KeyError for a name that the contents do not have."""
        if slug not in self._pages:
            self._pages[slug] = self._read(self.entries[slug])
        return self._pages[slug]

    def pages(self) -> Iterator[Page]:
        """Yield every page, in the order of the contents."""
        return map(self.page, self.entries)

    def neighbours(self, slug: str) -> tuple[Entry | None, Entry | None]:
        """Return what comes before and after a page, in the order of the contents."""
        order = list(self.entries.values())
        at = order.index(self.entries[slug])
        return (order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None)

    def _read(self, entry: Entry) -> Page:
        tokens = parse((self._docs / entry.document).read_text())
        self._point(tokens, document=entry.document)
        return Page(entry=entry, html=render(_without_title(tokens)), sections=_sections(tokens, entry=entry))

    def _point(self, tokens: Sequence[Token], *, document: str) -> None:
        slugs = {entry.document: slug for slug, entry in self.entries.items()}
        point_into_product(tokens, document=document, slugs={**slugs, INDEX: ""}, docs=self._docs)


@lru_cache(maxsize=1)
def the_guide() -> Guide:
    """Return the guide of this installation."""
    return Guide(Path(settings.BASE_DIR) / "docs")


def _groups(tokens: Sequence[Token]) -> list[Group]:
    """Return the groups of the contents: below each second-level heading, a list of `[Title](document): about`."""
    groups: list[Group] = []
    for before, token in pairwise(tokens):
        children = token.children or []
        if before.tag == "h2" and token.type == "inline":
            groups.append(Group(plain_text(token), []))
        elif groups and children and children[0].type == "link_open":
            document = path_below_docs(str(children[0].attrs["href"]), document=INDEX)
            title, about = plain_text(token).split(": ", maxsplit=1)
            groups[-1].entries.append(Entry(document, title, about))
    return groups


def _without_title(tokens: Sequence[Token]) -> list[Token]:
    """Leave out the first-level heading, which the page's frame shows."""
    end = next(at for at, token in enumerate(tokens) if token.type == "heading_close" and token.tag == "h1")
    return list(tokens[end + 1 :])


def _sections(tokens: Sequence[Token], *, entry: Entry) -> list[Section]:
    """Return the plain text of a document by its headings; the first section holds what the contents say of it, too."""
    found: list[tuple[str, str, str, list[str]]] = [(entry.title, "", "h1", [entry.about[0].upper() + entry.about[1:]])]
    for before, token in pairwise(tokens):
        if before.type == "heading_open" and before.tag in SECTION_TAGS:
            found.append((plain_text(token), str(before.attrGet("id")), before.tag, []))
        elif token.type in ("inline", "fence") and before.tag != "h1":
            text = plain_text(token) if token.type == "inline" else token.content.strip()
            found[-1][3].append(f"· {text}" if before.tag in ("th", "td") and text else text)
    return [Section(name, anchor, tag, " ".join(filter(None, text))) for name, anchor, tag, text in found]
