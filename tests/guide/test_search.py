"""Searching the guide by words."""

from collections.abc import Callable

import pytest

from guide.pages import Guide
from guide.search import EXCERPT_CHARACTERS, search

INDEX = """# Guide

## All

- [Runs](runs.md): the history.
- [Data](data.md): files.
- [Methods](../methods.md): how.
"""


@pytest.fixture
def small(write_guide: Callable[..., Guide]) -> Guide:
    return write_guide(
        index=INDEX,
        runs="# Runs\n\nA run is a question.\n\n## Comparing runs\n\nTick two, and compare them.\n\n"
        "## Undo\n\nNo run can be.",
        data="# Data\n\nFiles.\n\n## Undo an import\n\nIt was imported. Lookback window here.\n\n"
        f"## Long\n\n{'word ' * 100}needle <b>&amp;</b> {'word ' * 100}\n",
        **{"../methods": "# Methods\n\n## Undo\n\nUndo, undo, undo. The window, looking back.\n"},
    )


def found(guide: Guide, query: str) -> list[tuple[str, str]]:
    return [(result.page, result.url.partition("#")[2]) for result in search(guide, query).found]


def test_a_title_counts_more_than_the_text_and_the_guide_more_than_what_is_behind_it(small: Guide) -> None:
    assert found(small, "undo") == [("Runs", "undo"), ("Data", "undo-an-import"), ("Methods", "undo")]


@pytest.mark.parametrize("query", ["compare", "COMPARES", "comparing", "compared runs"])
def test_words_are_found_in_any_case_and_with_any_ending(small: Guide, query: str) -> None:
    assert found(small, query)[0] == ("Runs", "comparing-runs")


def test_small_words_do_not_narrow_a_question(small: Guide) -> None:
    assert found(small, "how do I undo an import") == [("Data", "undo-an-import")]


def test_words_side_by_side_come_first(small: Guide) -> None:
    assert found(small, "lookback window")[0] == ("Data", "undo-an-import")


def test_where_no_part_has_all_words_the_nearest_are_shown(small: Guide) -> None:
    results = search(small, "undo xyzzy")
    assert not results.is_complete
    assert results.found
    assert search(small, "undo").is_complete


@pytest.mark.parametrize("query", ["xyzzy", "!!!", "(", "\\", "*"])
def test_nothing_is_found_of_what_nothing_says(small: Guide, query: str) -> None:
    assert search(small, query).found == []


def test_an_excerpt_is_around_the_word_marked_and_escaped(small: Guide) -> None:
    (result,) = search(small, "needle").found
    assert "<mark>needle</mark> &lt;b&gt;&amp;&lt;/b&gt; word" in result.excerpt
    assert result.excerpt.startswith("… word")
    assert result.excerpt.endswith(" …")
    assert len(result.excerpt) < EXCERPT_CHARACTERS + 60


@pytest.mark.parametrize(
    ("query", "page", "anchor"),
    [
        ("results differ", "Troubleshooting", "results-differ-between-runs"),
        ("report did not arrive", "Troubleshooting", "a-report-did-not-arrive"),
        ("not converged", "Troubleshooting", "the-model-has-not-converged"),
        ("undo import", "Imports", "undo-an-import"),
        ("invite", "Team and roles", "invite-somebody"),
        ("rotate key", "API access", "rotate-or-revoke-a-key"),
    ],
)
def test_people_find_what_they_look_for(guide: Guide, query: str, page: str, anchor: str) -> None:
    assert (page, anchor) in found(guide, query)[:2]
