"""Data > Segments: the list, copies, putting away, and who may do what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from marketing.models import Import, SavedSegment
from marketing.segments.saved import archive_segment
from marketing.selectors import load_touches_and_conversions
from tests.marketing.segment_pages.sending import (
    HTMX,
    LIST,
    NEWNESS,
    TOUCHES,
    keep,
    sent,
)

ClientFor = Callable[[User | None], Client]


# The list


def test_the_list_says_what_each_segment_is(client_for: ClientFor, viewer: User, saved: SavedSegment) -> None:
    text = client_for(viewer).get(LIST).text
    assert "First-timers" in text
    assert "New customers" in text
    assert "Not used yet" in text


def test_an_empty_list_says_what_to_do(client_for: ClientFor, viewer: User, analyst: User, shop: Workspace) -> None:
    assert "New segment</a>" in client_for(analyst).get(LIST).text
    assert "you may not create them" in client_for(viewer).get(LIST).text


def test_a_viewer_sees_no_way_to_change_anything(client_for: ClientFor, viewer: User, saved: SavedSegment) -> None:
    text = client_for(viewer).get(LIST).text
    assert "Archive" not in text
    assert "Duplicate" not in text
    assert f"/data/segments/{saved.pk}/" not in text


def test_archived_segments_are_listed_by_themselves(
    client_for: ClientFor, analyst: User, shop: Workspace, saved: SavedSegment
) -> None:
    keep(shop, "Kept", NEWNESS)
    archive_segment(segment=saved, by=None)
    client = client_for(analyst)
    assert [row.segment.name for row in client.get(LIST).context["rows"]] == ["Kept"]
    assert [row.segment.name for row in client.get(f"{LIST}?archived=1").context["rows"]] == ["First-timers"]


def test_the_list_shows_what_each_holds(
    client_for: ClientFor, viewer: User, shop: Workspace, saved: SavedSegment, some_data: None
) -> None:
    (row,) = client_for(viewer).get(LIST).context["rows"]
    assert (row.conversions.text, row.conversions.of_all) == ("2", "66.7% of 3")
    assert (row.value.text, row.value.of_all) == ("€130", "72.2% of €180")


def test_figures_that_are_not_ready_are_asked_for_again(
    client_for: ClientFor, viewer: User, saved: SavedSegment, import_rows: Callable[..., Import]
) -> None:
    import_rows("conversions", "customer,occurred_at,value\nanna,2026-03-02T12:00Z,100\n")
    client = client_for(viewer)
    assert 'hx-trigger="every 3s"' in client.get(LIST).text
    fragment = client.get(LIST, headers=HTMX).text
    assert "<html" not in fragment
    assert "being prepared" in fragment
    load_touches_and_conversions(workspace=saved.workspace)
    assert "every 3s" not in client.get(LIST, headers=HTMX).text


def test_ten_segments_more_need_no_more_queries(
    client_for: ClientFor, viewer: User, shop: Workspace, some_data: None, django_assert_num_queries: Any
) -> None:
    client = client_for(viewer)
    keep(shop, "One", {"type": "touches", "at_least": 1})
    client.get(LIST)
    with CaptureQueriesContext(connection) as captured:
        client.get(LIST)
    few = len(captured)
    for number in range(10):
        keep(shop, f"More {number}", {"type": "touches", "at_least": number})
    client.get(LIST)
    with django_assert_num_queries(few):
        client.get(LIST)


def test_long_lists_have_pages(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    for number in range(21):
        keep(shop, f"Segment {number:02}", {"type": "touches", "at_least": number})
    client = client_for(viewer)
    assert "Page 1 of 2" in client.get(LIST).text
    assert len(client.get(f"{LIST}?page=2").context["rows"]) == 1


# Copies, and putting away


def test_a_copy_is_made_and_opened(client_for: ClientFor, analyst: User, saved: SavedSegment) -> None:
    response = client_for(analyst).post(f"{LIST}{saved.pk}/duplicate/")
    copy = SavedSegment.objects.exclude(pk=saved.pk).get()
    assert response.headers["Location"] == f"{LIST}{copy.pk}/"
    assert (copy.name, copy.definition) == ("First-timers (copy)", saved.definition)


def test_a_segment_is_archived_and_restored(client_for: ClientFor, analyst: User, saved: SavedSegment) -> None:
    client = client_for(analyst)
    client.post(f"{LIST}{saved.pk}/archive/")
    assert SavedSegment.objects.get().archived_at is not None
    client.post(f"{LIST}{saved.pk}/restore/")
    assert SavedSegment.objects.get().archived_at is None


# Who may do what


@pytest.mark.parametrize("path", ["new/", "{}/"])
def test_a_viewer_may_not_open_the_form(client_for: ClientFor, viewer: User, saved: SavedSegment, path: str) -> None:
    assert client_for(viewer).get(LIST + path.format(saved.pk)).status_code == 403


@pytest.mark.parametrize("path", ["new/", "{}/", "{}/duplicate/", "{}/archive/", "{}/restore/"])
def test_a_viewer_changes_nothing(client_for: ClientFor, viewer: User, saved: SavedSegment, path: str) -> None:
    for data in (sent(TOUCHES), sent(TOUCHES, action="preview")):
        assert client_for(viewer).post(LIST + path.format(saved.pk), data).status_code == 403
    saved.refresh_from_db()
    assert (saved.name, saved.archived_at, SavedSegment.objects.count()) == ("First-timers", None, 1)


@pytest.mark.parametrize("path", ["", "new/", "{}/", "{}/duplicate/", "{}/archive/", "{}/restore/"])
def test_an_outsider_finds_nothing(client_for: ClientFor, outsider: User, saved: SavedSegment, path: str) -> None:
    client = client_for(outsider)
    assert client.get(LIST + path.format(saved.pk)).status_code in (404, 405)
    assert client.post(LIST + path.format(saved.pk), sent(TOUCHES)).status_code in (404, 405)


@pytest.mark.parametrize("number", [0, 10**30])
def test_a_segment_that_is_not_there_is_not_found(
    client_for: ClientFor, analyst: User, shop: Workspace, number: int
) -> None:
    assert client_for(analyst).get(f"{LIST}{number}/").status_code == 404


@pytest.mark.parametrize("path", ["{}/duplicate/", "{}/archive/", "{}/restore/"])
def test_a_get_changes_nothing(client_for: ClientFor, analyst: User, saved: SavedSegment, path: str) -> None:
    assert client_for(analyst).get(LIST + path.format(saved.pk)).status_code == 405
