"""Spend by campaign of one channel: merges and former names followed, geos added up, only what is visible."""

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing.channels import merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from marketing.models import Campaign, Channel, ChannelSpend, Dataset, Import
from marketing.periods import EPOCH
from marketing.selectors import load_campaign_spend
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import

pytestmark = pytest.mark.django_db
FIRST = dt.date(2026, 1, 5)
Rows = list[tuple[int, str, float]]


def spend(
    batch: Import, channel: Channel, campaign: str, amount: float | None, *, day: int = 0, geo: str = ""
) -> ChannelSpend:
    known = Campaign.objects.get_or_create(workspace=batch.workspace, name=campaign)[0] if campaign else None
    date = FIRST + dt.timedelta(day)
    return ChannelSpend.objects.create(
        batch=batch, channel=channel, campaign=known, date=date, spend=amount, impressions=9, geo=geo
    )


def read(workspace: Workspace, channel: str = "TV", start: dt.date = FIRST) -> Rows:
    """(days after FIRST, campaign, spend)."""
    found = load_campaign_spend(workspace=workspace, channel=channel, start=start)
    first = (FIRST - EPOCH.date()).days
    columns = zip(found.day.tolist(), found.campaign.tolist(), found.spend.tolist(), strict=True)
    return [(day - first, found.names.get(campaign, ""), amount) for day, campaign, amount in columns]


def test_spend_is_by_day_and_campaign_with_geos_added_up(workspace: Workspace) -> None:
    (tv, radio) = ensure_channels(workspace=workspace, names=["TV", "Radio"])
    batch = add_import(workspace, Dataset.SPEND)
    spend(batch, tv, "Spring", 30, day=1)
    spend(batch, tv, "Spring", 10, geo="North")
    spend(batch, tv, "Spring", 5, geo="South")
    spend(batch, tv, "", 7, day=1)
    spend(batch, tv, "Autumn", 2)
    spend(batch, radio, "Spring", 99)
    assert sorted(read(workspace)) == [(0, "Autumn", 2), (0, "Spring", 15), (1, "", 7), (1, "Spring", 30)]
    assert [day for day, *_ in read(workspace)] == [0, 0, 1, 1]


def test_what_nobody_spent_or_sees_or_was_before_is_left_out(workspace: Workspace) -> None:
    (tv,) = ensure_channels(workspace=workspace, names=["TV"])
    batch, undone = add_import(workspace, Dataset.SPEND), add_import(workspace, Dataset.SPEND, status="undone")
    spend(batch, tv, "Spring", 0)
    spend(batch, tv, "Spring", None, day=1)
    spend(undone, tv, "Spring", 8, day=2)
    spend(batch, tv, "Spring", 4, day=3)
    hidden = spend(batch, tv, "Autumn", 4, day=3)
    ChannelSpend.objects.filter(pk=hidden.pk).update(shadowed=True)
    assert read(workspace) == [(3, "Spring", 4)]
    assert read(workspace, start=FIRST + dt.timedelta(4)) == []


def test_merged_channels_count_and_former_names_are_known(workspace: Workspace) -> None:
    tv, spots, cinema = ensure_channels(workspace=workspace, names=["TV", "Spots", "Cinema"])
    batch = add_import(workspace, Dataset.SPEND)
    spend(batch, tv, "Spring", 3)
    spend(batch, spots, "Spring", 4)
    spend(batch, cinema, "Spring", 5)
    merge_channels(source=spots, target=tv, by=None)
    rename_channel(channel=tv, name="Television", by=None)
    for name in ("Television", "TV", "tv"):
        assert read(workspace, name) == [(0, "Spring", 7)]
    assert read(workspace, "Nobody's") == []


def test_another_workspaces_spend_is_not_read(workspace: Workspace) -> None:
    elsewhere = WorkspaceFactory.create()
    (tv,) = ensure_channels(workspace=elsewhere, names=["TV"])
    spend(add_import(elsewhere, Dataset.SPEND), tv, "Theirs", 3)
    ensure_channels(workspace=workspace, names=["TV"])
    assert read(workspace) == []


def test_the_number_of_queries_does_not_grow(
    workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    (tv,) = ensure_channels(workspace=workspace, names=["TV"])
    batch = add_import(workspace, Dataset.SPEND)
    for day in range(20):
        spend(batch, tv, f"Campaign {day % 7}", 3, day=day)
    with django_assert_num_queries(3):
        assert len(read(workspace)) == 20
