"""The contents, and where links lead inside the product."""

from collections.abc import Callable

import pytest

from guide.pages import Guide
from tests.guide.conftest import DOCS

WriteGuide = Callable[..., Guide]
INDEX = """# Guide

Begin with [One](one.md).

## First

- [One](one.md): what one is.
- [Two](two.md): what two is: more.

## Reference

- [Methods](../methods.md): how it is computed.
"""


@pytest.fixture
def small(write_guide: WriteGuide) -> Guide:
    return write_guide(
        index=INDEX,
        one="# One\n\nSee [two](two.md#part), [how](../methods.md#part), [all](index.md), [here](#part), "
        "[why](../adr/0001.md) and [there](https://example.com/).\n\n## Part\n\nText.\n",
        two="# Two\n\n![A diagram of two](images/two.png)\n\n## Part\n",
        **{"../methods": "# The methods\n\n[A figure](figures/one.svg)\n\n## Part\n"},
    )


def test_the_contents_are_what_the_index_lists(small: Guide) -> None:
    assert [(group.title, [entry.title for entry in group.entries]) for group in small.groups] == [
        ("First", ["One", "Two"]),
        ("Reference", ["Methods"]),
    ]
    assert small.entries["two"].about == "what two is: more."
    assert small.introduction == '<p>Begin with <a href="/help/one/">One</a>.</p>\n'


def test_pages_know_what_comes_before_and_after_them(small: Guide) -> None:
    first, last = small.neighbours("one"), small.neighbours("methods")
    assert (first[0], first[1] and first[1].slug) == (None, "two")
    assert (last[0] and last[0].slug, last[1]) == ("two", None)


def test_links_lead_to_pages_of_the_product(small: Guide) -> None:
    page = small.page("one").html
    assert '<a href="/help/two/#part">two</a>' in page
    assert '<a href="/help/methods/#part">how</a>' in page
    assert '<a href="/help/">all</a>' in page
    assert '<a href="#part">here</a>' in page
    assert '<a href="https://example.com/">there</a>' in page


def test_what_the_product_does_not_show_is_left_as_words(small: Guide) -> None:
    assert ", why and" in small.page("one").html


def test_pictures_and_figures_come_from_static_files(small: Guide) -> None:
    picture = (
        '<a class="guide-picture" href="/static/guide/two.png"><img src="/static/guide/two.png" alt="A diagram of two"'
    )
    assert picture in small.page("two").html
    assert '<a href="/static/guide/figures/one.svg">A figure</a>' in small.page("methods").html


def test_a_document_is_called_in_the_product_what_the_contents_call_it(small: Guide) -> None:
    page = small.page("methods")
    assert page.entry.title == "Methods"
    assert "The methods" not in page.html
    assert [section.title for section in page.headings] == ["Part"]


def test_a_page_that_is_not_there_is_found_by_the_first_look(write_guide: WriteGuide) -> None:
    guide = write_guide(index=INDEX, one="# One\n")
    with pytest.raises(OSError, match="two"):
        guide.page("two")


def test_every_page_of_the_guide_can_be_shown(guide: Guide) -> None:
    for page in guide.pages():
        assert page.html
        assert 'href=""' not in page.html
        assert 'src=""' not in page.html
        ids = [section.anchor for section in page.headings]
        # Of the frame: an anchor of this name would lead there.
        assert not {"content", "sidebar", "sidebar-title", "guide-contents", "guide-query"} & set(ids)
        if not page.entry.is_reference:
            first_line = (DOCS / page.entry.document).read_text().partition("\n")[0]
            assert first_line == f"# {page.entry.title}"
