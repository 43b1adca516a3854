"""Merged channels on the dashboard: one row, one page, one piece of evidence."""

import pytest
from django.test import Client

from accounts.models import User, Workspace
from marketing.channels import merge_channels, rename_channel
from marketing.experiments import measured_lifts
from marketing.models import Channel
from tests.conftest import ImportRows
from tests.reports.conftest import Refresh
from tests.reports.test_dashboard_pages import MARCH, PAGE, ClientFor, card


@pytest.fixture
def merged(shop: Workspace, figures: None, refresh: Refresh) -> tuple[Channel, Channel]:
    """Search, with its experiments, is merged into Email."""
    search, email = Channel.objects.get(name="Search"), Channel.objects.get(name="Email")
    merge_channels(source=search, target=email, by=None)
    refresh()
    return search, email


@pytest.fixture
def client(client_for: ClientFor, viewer: User) -> Client:
    return client_for(viewer)


def test_the_page_of_a_merged_channel_leads_to_that_of_the_other(
    client: Client, merged: tuple[Channel, Channel]
) -> None:
    search, email = merged
    response = client.get(f"{PAGE}channels/{search.pk}/?{MARCH}&model=linear")
    assert response.headers["Location"] == f"{PAGE}channels/{email.pk}/?{MARCH}&model=linear"
    assert client.get(f"{PAGE}channels/{search.pk}/").headers["Location"] == f"{PAGE}channels/{email.pk}/"


def test_the_other_has_the_figures_of_both_and_says_what_it_includes(
    client: Client, merged: tuple[Channel, Channel]
) -> None:
    _, email = merged
    page = client.get(f"{PAGE}channels/{email.pk}/?{MARCH}&model=last").text
    assert card(page, "revenue")["text"] == "€400"
    assert card(page, "spend")["text"] == "€100"
    assert "Includes Search: merged into Email." in page
    assert "Email: an experiment of 1–28 Feb 2026 measured 0.40" in page


def test_the_dashboard_has_one_row_for_both(client: Client, merged: tuple[Channel, Channel]) -> None:
    rows = client.get(f"{PAGE}export.csv?{MARCH}&model=last").getvalue().decode().splitlines()
    channels = [row.split(",")[1] for row in rows if row.startswith("channel,")]
    assert sorted(channels) == ["(none)", "Email", "TV"]


def test_the_newest_experiment_of_all_that_were_merged_counts(
    shop: Workspace, merged: tuple[Channel, Channel], import_rows: ImportRows
) -> None:
    search, email = merged
    import_rows(
        "experiments",
        "channel,start,end,lift,standard_error,spend",
        "Email,2026-03-01,2026-03-20,90,10,100",
        "TV,2026-03-01,2026-03-20,20,10,100",
    )
    rename_channel(channel=email, name="Mail", by=None)
    assert {lift.channel: lift.roi for lift in measured_lifts(shop)} == {"Mail": 0.9, "TV": 0.2}
    assert [lift.roi for lift in measured_lifts(shop, only=email)] == [0.9]
    assert measured_lifts(shop, only=search) == [], "its own are not its any more"


def test_a_test_of_the_same_days_takes_the_place_of_one_of_the_merged_channel(
    shop: Workspace, merged: tuple[Channel, Channel], import_rows: ImportRows
) -> None:
    assert [lift.roi for lift in measured_lifts(shop)] == [0.4]
    import_rows(
        "experiments",
        "channel,start,end,lift,standard_error,spend",
        "Email,2026-02-01,2026-02-28,0,10,0",
    )
    assert [lift.period.end.month for lift in measured_lifts(shop)] == [1], "without spend it has no return"


@pytest.mark.parametrize("number", [0, 10**30])
def test_a_channel_that_is_none_is_not_found(client: Client, merged: tuple[Channel, Channel], number: int) -> None:
    assert client.get(f"{PAGE}channels/{number}/").status_code == 404
