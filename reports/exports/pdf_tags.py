"""What PDF/UA-1 asks of the tags of a PDF that WeasyPrint leaves out."""

from collections.abc import Iterator
from typing import Any

import pydyf


def finish(document: Any, pdf: Any) -> None:
    """Say of each header of a table what it heads (ISO 14289-1, 7.5), and of each link where it leads (7.18.5).

    WeasyPrint calls it with its document and what is about to become the file.
    """
    names = dict(_named(document))
    for item in pdf.objects:
        if not isinstance(item, pydyf.Dictionary):
            continue
        if item.get("S") == "/TH":
            item["A"]["Scope"] = "/Column" if _heads_a_column(item, pdf) else "/Row"
        elif item.get("Subtype") == "/Link" and "Dest" in item:
            target = item["Dest"].string
            item["Contents"] = pydyf.String(names.get(target, target))


def _heads_a_column(header: Any, pdf: Any) -> bool:
    return bool(_parent(_parent(header, pdf), pdf)["S"] == "/THead")


def _parent(item: Any, pdf: Any) -> Any:
    number, _generation, _mark = item["P"].split()
    return pdf.objects[int(number)]


def _named(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each heading that something may lead to."""
    for page in document.pages:
        for box in page._page_box.descendants():  # noqa: SLF001 - no other way to the elements
            element = box.element
            if element is not None and box.element_tag == element.tag and element.get("id"):
                yield element.get("id"), "".join(element.itertext())
