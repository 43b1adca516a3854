"""What is left out of long tables and charts is neither large by revenue nor by spend, and adds up with the rest."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses.documents import Document, Row
from charts import ChartSpec, Colour
from marketing.models import Channel
from reports import dashboard
from reports.numbers import MOST_GROUPS, Group, Measures, largest
from tests.conftest import ImportRows
from tests.reports.conftest import NOW, Refresh
from tests.reports.test_dashboard_pages import card

ClientFor = Callable[[User | None], Client]
MARCH = {"start": "2026-03-01", "end": "2026-03-31", "compare": "none", "model": "last"}
ADDRESS = "/w/acme/dashboard/export.{form}?start=2026-03-01&end=2026-03-31&compare=none&model=last"
CLICKED = [f"Channel {number:02}" for number in range(1, 16)]
UNSEEN = {"TV": 9000, "Radio": 4000, "Poster": 1}


@pytest.fixture
def many_channels(shop: Workspace, import_rows: ImportRows, refresh: Refresh) -> Workspace:
    """Fifteen channels that bring €100 to €1,500 for €50 each, and three that leave no touches."""
    touches = [f"c{place},2026-03-09T10:00Z,{name}" for place, name in enumerate(CLICKED)]
    bought = [f"c{place},2026-03-10T10:00Z,{100 * (place + 1)},Purchase" for place in range(len(CLICKED))]
    spent = [f"2026-03-01,{name},50" for name in CLICKED] + [
        f"2026-03-02,{name},{sum_}" for name, sum_ in UNSEEN.items()
    ]
    import_rows("touchpoints", "customer,occurred_at,channel", *touches)
    import_rows("conversions", "customer,occurred_at,value,goal", *bought)
    import_rows("spend", "date,channel,spend", *spent)
    refresh()
    return shop


def document_of(workspace: Workspace) -> Document:
    found = dashboard.overview(workspace, MARCH, now=NOW).document
    assert found is not None
    return found


def channel_rows(document: Document) -> dict[str, Row]:
    (table,) = (table for section in document.sections for table in section.tables if table.title == "Channels")
    return {row.label: row for row in table.rows}


def chart(document: Document, name: str) -> ChartSpec:
    (found,) = (chart for chart in document.charts if chart.id == name)
    assert isinstance(found, ChartSpec)
    return found


def test_a_channel_that_leaves_no_touches_stays_if_much_is_spent_on_it(many_channels: Workspace) -> None:
    document = document_of(many_channels)
    rows = channel_rows(document)
    assert {"TV", "Radio"} <= rows.keys()
    assert "Poster" not in rows
    assert len(rows) == 13
    distribution = chart(document, "channel-distribution")
    shown = [category.label for category in distribution.categories]
    assert {"TV", "Radio"} <= set(shown)
    assert len(shown) == 12
    assert distribution.subtitle.endswith("; the 12 with the largest of either")


def test_rows_that_are_left_out_add_up_with_the_others(many_channels: Workspace) -> None:
    rows = channel_rows(document_of(many_channels))
    total = rows.pop("Total")
    for place in (0, 1, 2):
        assert sum(row.cells[place].value or 0 for row in rows.values()) == pytest.approx(total.cells[place].value)


def test_what_no_model_credits_has_no_return(many_channels: Workspace) -> None:
    rows = channel_rows(document_of(many_channels))
    assert [rows[name].cells[3].text for name in ("TV", "Radio")] == ["–", "–"]
    assert rows["TV"].cells[3].full == "It left no touches, so no model credits it"
    assert rows["Channel 15"].cells[3].value == 30
    assert rows["Total"].cells[3].value == pytest.approx(12_000 / 13_751)


def test_others_of_both_kinds_have_no_return(
    many_channels: Workspace, import_rows: ImportRows, refresh: Refresh
) -> None:
    def others() -> Row:
        (found,) = (row for label, row in channel_rows(document_of(many_channels)).items() if "others" in label)
        return found

    assert others().label == "7 others"  # Poster among them
    assert (others().cells[3].text, others().cells[3].value) == ("–", None)
    import_rows("touchpoints", "customer,occurred_at,channel", "poster,2026-03-09T10:00Z,Poster")
    import_rows("conversions", "customer,occurred_at,value,goal", "poster,2026-03-10T10:00Z,1,Purchase")
    refresh()
    assert others().cells[3].value == pytest.approx((100 + 200 + 300 + 400 + 500 + 600 + 1) / 301)


def test_programs_get_no_return_where_none_is_known(
    many_channels: Workspace, client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    by_name = {one["name"]: one for one in json.loads(client.get(ADDRESS.format(form="json")).getvalue())["channels"]}
    lines = csv.DictReader(io.StringIO(client.get(ADDRESS.format(form="csv")).getvalue().decode()))
    in_csv = {line["name"]: line for line in lines if line["level"] == "channel"}
    for name in UNSEEN:
        assert by_name[name]["roas"] is None
        assert in_csv[name]["roas"] == ""
        assert by_name[name]["spend"] == UNSEEN[name] == float(in_csv[name]["spend"])
    assert by_name["Channel 15"]["roas"] == 30 == float(in_csv["Channel 15"]["roas"])


def test_a_page_of_a_channel_without_touches_claims_no_return(
    many_channels: Workspace, client_for: ClientFor, viewer: User
) -> None:
    tv = Channel.objects.get(name="TV")
    page = client_for(viewer).get(f"/w/acme/dashboard/channels/{tv.pk}/?start=2026-03-01&end=2026-03-31").text
    assert "No model credits TV, on which €9,000 were spent: it left no touches." in page
    assert card(page, "roi")["text"] == "–"


def test_returns_are_compared_among_the_largest(many_channels: Workspace) -> None:
    found = chart(document_of(many_channels), "roi-by-channel")
    assert found.title == "Channel 15 returns most of the 12 largest: 30.00 for each EUR spent"
    assert len(found.categories) == 12
    assert "TV, Radio and Poster left no touches" in found.subtitle


def group(key: int, revenue: float, spend: float, **changes: Any) -> Group:
    seen = {"last": revenue}
    return Group(
        key=key,
        name=str(key),
        colour=Colour.OTHER,
        now=Measures(1, revenue, spend),
        before=None,
        revenue_by_model=seen,
        **changes,
    )


def test_the_largest_by_either_share_are_kept_in_their_order() -> None:
    groups = [group(1, 60, 0), group(2, 30, 1), group(3, 10, 9), group(4, 0, 90)]
    assert [one.key for one in largest(groups, 2)] == [1, 4]
    assert [one.key for one in largest(groups, 3)] == [1, 2, 4]
    assert [one.key for one in largest(groups[:1], 3)] == [1]
    assert largest([], 3) == []
    assert [one.key for one in largest([group(1, 0, 0), group(2, 0, 0)], 1)] == [1]


def test_a_mix_of_what_models_can_and_cannot_credit_has_no_return() -> None:
    assert group(1, 60, 30).roas == 2
    assert group(1, 60, 30, is_mixed=True).roas is None
    assert group(1, 0, 30).roas is None


@pytest.mark.usefixtures("shop")
def test_the_largest_spender_is_among_the_groups_that_are_read(
    shop: Workspace, import_rows: ImportRows, refresh: Refresh
) -> None:
    names = [f"Campaign {number:03}" for number in range(MOST_GROUPS + 5)]
    touches = [f"c{place},2026-03-09T10:00Z,Search,{name}" for place, name in enumerate(names)]
    bought = [f"c{place},2026-03-10T10:00Z,100,Purchase" for place in range(len(names))]
    import_rows("touchpoints", "customer,occurred_at,channel,campaign", *touches)
    import_rows("conversions", "customer,occurred_at,value,goal", *bought)
    spent = ["2026-03-01,TV,Launch,9000", "2026-03-01,TV,Trailer,1", "2026-03-01,Search,Campaign 000,10"]
    import_rows("spend", "date,channel,campaign,spend", *spent)
    refresh()
    data = document_of(shop).data
    by_name = {one["name"]: one for one in data["campaigns"]}
    assert by_name["Launch"]["spend"] == 9000
    (others,) = (one for name, one in by_name.items() if "others" in name)
    assert (others["spend"], others["roas"]) == (1, None)
    assert sum(one["revenue"] for one in by_name.values()) == pytest.approx(data["total"]["revenue"])
