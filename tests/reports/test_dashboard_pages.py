"""The pages of the dashboard: works, outsider 404, wrong method 405; state in the address; constant queries."""

import csv
import io
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from attribution.cube.daily_cube import cube_runs
from marketing.models import Campaign, Channel, Goal, Import
from tests.conftest import ImportRows
from tests.reports.conftest import NOW, Refresh

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/dashboard/"
MARCH = "start=2026-03-01&end=2026-03-31&compare=previous"
HTMX = {"HX-Request": "true"}


def card(html: str, key: str) -> dict[str, str]:
    """What a card of the page says."""
    (section,) = re.findall(rf'<section [^>]*data-card="{key}".*?</section>', html, re.DOTALL)
    value = re.search(r'figure-value" title="([^"]*)">([^<]*)<', section)
    change = re.search(r"figure-change[^>]*>([^<]*)<", section)
    assert value
    return {"full": unescape(value[1]), "text": unescape(value[2]), "change": unescape(change[1]) if change else ""}


@pytest.mark.usefixtures("figures")
def test_members_see_the_figures_of_the_period(client_for: ClientFor, viewer: User) -> None:
    text = client_for(viewer).get(f"{PAGE}?{MARCH}").text
    assert card(text, "revenue") == {"full": "€450.00", "text": "€450", "change": "▲ +125.0% against previous period"}
    assert card(text, "spend") == {"full": "€180.00", "text": "€180", "change": "▲ +260.0% against previous period"}
    assert card(text, "conversions")["text"] == "3"
    assert card(text, "overall-roi") == {"full": "2.5000", "text": "2.50", "change": "▼ −37.5% against previous period"}
    for chart in ("roi-by-channel", "channel-distribution", "roi-by-campaign", "trends", "evidence"):
        assert f'id="{chart}-title"' in text


@pytest.mark.usefixtures("figures")
def test_the_root_leads_to_the_dashboard(client_for: ClientFor, viewer: User) -> None:
    response = client_for(viewer).get("/", follow=True)
    assert response.redirect_chain[-1][0] == PAGE


@pytest.mark.usefixtures("figures")
def test_detail_pages_show_one_channel_and_one_campaign_in_the_same_state(client_for: ClientFor, viewer: User) -> None:
    channel, campaign = Channel.objects.get(name="Search"), Campaign.objects.get(name="Brand")
    client = client_for(viewer)
    overview = client.get(f"{PAGE}?{MARCH}&model=linear").text
    link = f"{PAGE}channels/{channel.pk}/?{MARCH}&model=linear"
    assert f'"{link.replace("&", "&amp;")}"' in overview
    page = client.get(link).text
    assert card(page, "revenue")["text"] == "€150"
    assert card(page, "roi")["text"] == "1.50"
    assert "Search: an experiment of 1–28 Feb 2026 measured 0.40" in page
    assert card(client.get(f"{PAGE}campaigns/{campaign.pk}/?{MARCH}&model=last").text, "roi")["text"] == "5.00"


@pytest.mark.usefixtures("figures")
def test_pages_are_for_members_and_only_to_be_read(client_for: ClientFor, viewer: User, outsider: User) -> None:
    channel, campaign = Channel.objects.get(name="Search"), Campaign.objects.get(name="Brand")
    for path in (PAGE, f"{PAGE}channels/{channel.pk}/", f"{PAGE}campaigns/{campaign.pk}/", f"{PAGE}export.csv"):
        assert client_for(viewer).get(path).status_code == 200
        assert client_for(viewer).post(path).status_code == 405
        assert client_for(outsider).get(path).status_code == 404
        assert client_for(outsider).get(path.replace("acme", "elsewhere")).status_code in (200, 404)
        assert client_for(None).get(path).headers["Location"].startswith("/accounts/login/")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("kind", ["channels", "campaigns"])
def test_a_channel_of_another_workspace_does_not_exist(kind: str, client_for: ClientFor, outsider: User) -> None:
    theirs = (Channel if kind == "channels" else Campaign).objects.first()
    assert theirs is not None
    for number in (theirs.pk, 10**30, 0):
        assert client_for(outsider).get(f"/w/elsewhere/dashboard/{kind}/{number}/").status_code == 404


@pytest.mark.usefixtures("figures")
def test_what_makes_no_sense_in_the_address_is_said_and_the_defaults_shown(client_for: ClientFor, viewer: User) -> None:
    text = unescape(client_for(viewer).get(f"{PAGE}?period=last_7&model=magic&goal=%00&compare=x").text)
    assert "“last_7” is not a period" in text
    assert "There is no attribution model “magic”. Shown is Last Non-Direct." in text
    assert "There is no goal" in text
    assert "“x” is no comparison" in text
    assert card(text, "revenue")["text"] == "€650"


@pytest.mark.usefixtures("figures")
def test_the_address_holds_the_whole_state(client_for: ClientFor, viewer: User, analyst: User) -> None:
    query = "period=last_60&compare=year&match_weekday=1&model=first&goal=Lead"
    text, again = (client_for(user).get(f"{PAGE}?{query}").text for user in (viewer, analyst))
    for page in (text, again):
        assert '<option value="first" selected>' in page
        assert "<option selected>Lead</option>" in page
        assert 'aria-label="Period: Last 60 days, against last year, same weekdays"' in page
        assert card(page, "conversions")["text"] == "1"
    preset = "?period=last_30&compare=year&match_weekday=1&model=first&goal=Lead".replace("&", "&amp;")
    assert f'href="{PAGE}{preset}"' in text


@pytest.mark.usefixtures("figures")
def test_a_period_beyond_the_data_offers_the_last_days_of_the_data(client_for: ClientFor, viewer: User) -> None:
    with time_machine.travel(NOW.replace(month=6), tick=False):
        text = client_for(viewer).get(f"{PAGE}?period=last_30&compare=none").text
    assert "The data ends on 31 Mar 2026." in text
    assert f'href="{PAGE}?start=2026-03-02&amp;end=2026-03-31&amp;compare=none"' in text


@pytest.mark.usefixtures("figures")
def test_a_period_without_anything_says_so(client_for: ClientFor, viewer: User) -> None:
    text = client_for(viewer).get(f"{PAGE}?start=2020-01-01&end=2020-01-31").text
    assert "Nothing was spent and nobody converted in 1–31 Jan 2020." in text
    assert card(text, "overall-roi")["text"] == "–"
    assert "chart-figure" not in text


def test_a_workspace_without_data_says_what_to_do(
    shop: Workspace, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    text = client_for(analyst).get(PAGE).text
    assert "This workspace has no data yet" in text
    assert "Load demo data</button>" in text
    assert "Load demo data</button>" not in client_for(viewer).get(PAGE).text
    assert client_for(viewer).get(f"{PAGE}export.csv").status_code == 404


def test_figures_that_are_being_prepared_are_waited_for(
    shop: Workspace, import_rows: ImportRows, refresh: Refresh, client_for: ClientFor, viewer: User
) -> None:
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-10T12:00Z,300")
    client = client_for(viewer)
    assert 'hx-trigger="every 2s"' in client.get(PAGE).text
    fragment = client.get(PAGE, headers=HTMX)
    assert fragment.text.strip().startswith("<section")
    assert "HX-Refresh" not in fragment.headers
    refresh()
    assert client.get(PAGE, headers=HTMX).headers["HX-Refresh"] == "true"
    assert card(client.get(PAGE).text, "revenue")["text"] == "€300"


@pytest.mark.usefixtures("figures")
def test_older_figures_stand_until_newer_ones_are_computed(
    import_rows: ImportRows, refresh: Refresh, client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    assert "Updating" not in client.get(f"{PAGE}?{MARCH}").text
    import_rows("conversions", "customer,occurred_at,value", "emil,2026-03-11T12:00Z,1000")
    text = client.get(f"{PAGE}?{MARCH}").text
    assert "Updating" in text
    assert card(text, "revenue")["text"] == "€450"
    refresh()
    text = client.get(f"{PAGE}?{MARCH}").text
    assert "Updating" not in text
    assert card(text, "revenue")["text"] == "€1,450"


@pytest.mark.usefixtures("figures")
def test_looking_starts_no_work(client_for: ClientFor, viewer: User, import_rows: ImportRows) -> None:
    import_rows("conversions", "customer,occurred_at,value", "emil,2026-03-11T12:00Z,1000")
    before = list(Run.objects.values_list("pk", flat=True))
    client_for(viewer).get(PAGE)
    assert list(Run.objects.values_list("pk", flat=True)) == before


@pytest.mark.usefixtures("figures")
def test_a_workspace_without_goals_is_empty_and_no_fault(client_for: ClientFor, viewer: User) -> None:
    cube_runs().filter(void=False).first()
    Import.objects.filter(dataset="conversions").update(status=Import.Status.UNDONE)
    Goal.objects.filter(conversions=None).delete()
    assert client_for(viewer).get(PAGE).status_code == 200


@pytest.mark.usefixtures("figures")
def test_more_data_needs_no_more_queries(
    client_for: ClientFor,
    viewer: User,
    import_rows: ImportRows,
    refresh: Refresh,
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(viewer)
    channel = Channel.objects.get(name="Search")
    pages = (f"{PAGE}?{MARCH}", f"{PAGE}channels/{channel.pk}/?{MARCH}")
    client.get(PAGE)
    few = []
    for page in pages:
        with django_assert_max_num_queries(24) as queries:
            client.get(page)
        few.append(len(queries))
    rows = [f"2026-03-{1 + n % 28:02},Channel {n % 15},Campaign {n},{1 + n}" for n in range(120)]
    import_rows("spend", "date,channel,campaign,spend", *rows)
    touches = [f"{n},2026-03-02T00:00Z,Channel {n % 15},Campaign {n}" for n in range(120)]
    import_rows("touchpoints", "customer,occurred_at,channel,campaign", *touches)
    import_rows("conversions", "customer,occurred_at,value", *(f"{n},2026-03-03T00:00Z,5" for n in range(120)))
    refresh()
    for page, most in zip(pages, few, strict=True):
        with django_assert_max_num_queries(most):
            assert client.get(page).status_code == 200


@pytest.mark.usefixtures("figures")
def test_the_exports_carry_the_numbers_of_the_page(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    response = client.get(f"{PAGE}export.csv?{MARCH}&model=last")
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="dashboard-acme-2026-03-01-to-2026-03-31.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    total = rows[0]
    assert (total["level"], total["revenue"], total["spend"], total["roas"]) == ("total", "450.0", "180.0", "2.5")
    assert total["compared_revenue"] == "200.0"
    by_level = {level: [row for row in rows if row["level"] == level] for level in ("channel", "campaign", "day")}
    assert {row["name"]: row["revenue"] for row in by_level["channel"]} == {
        "Search": "300.0",
        "Email": "100.0",
        "(none)": "50.0",
        "TV": "0.0",
    }
    for level, listed in by_level.items():
        assert sum(float(row["revenue"]) for row in listed) == 450, level
        assert sum(float(row["spend"]) for row in listed) == 180, level
    data = json.loads(client.get(f"{PAGE}export.json?{MARCH}&model=last").text)
    assert (data["total"]["revenue"], data["model"]) == (450, "last")
    assert {row["name"]: row["spend"] for row in data["channels"]}["TV"] == 80
    assert client.get(f"{PAGE}export.exe?{MARCH}").status_code == 404
    for form in ("xlsx", "pdf", "pptx"):
        assert len(client.get(f"{PAGE}export.{form}?{MARCH}").getvalue()) > 5000


@pytest.mark.usefixtures("figures")
def test_a_channel_that_nothing_credits_shows_its_spend_and_no_empty_charts(
    client_for: ClientFor, viewer: User
) -> None:
    channel = Channel.objects.get(name="TV")
    text = client_for(viewer).get(f"{PAGE}channels/{channel.pk}/?{MARCH}").text
    assert 'id="trends-spend-title"' in text
    for measure in ("revenue", "conversions", "roas"):
        assert f'id="trends-{measure}-title"' not in text
    assert "Revenue: " not in text
