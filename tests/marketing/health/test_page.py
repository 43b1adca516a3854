"""The page Data health, in the states of its address."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest
import time_machine
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.actions import submit
from jobs.execution import execute
from jobs.models import Job
from marketing.health.reports import JOB_KIND
from marketing.models import Channel, HealthReport
from marketing.pages.health_calendar import calendar_ticks
from marketing.periods import Period
from marketing.receivers import create_default_goals
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, touch_import
from tests.marketing.health.conftest import DAYS, THIS_MORNING
from tests.marketing.health.loading import load_world
from tests.marketing.health.worlds import world_with

PAGE = "/w/acme/data/health/"


ClientFor: TypeAlias = Callable[[User | None], Client]
Load: TypeAlias = Callable[..., Workspace]
Look: TypeAlias = Callable[[], Job]
Test = TypeVar("Test", bound=Callable[..., None])


def half_a_year(*faults: str) -> Callable[[Test], Test]:
    """Let the test have a shop with half a year of data in which these things are wrong, and its first report."""
    return _with_half_year(faults, "-".join(faults) or "clean")


def _with_half_year(faults: tuple[str, ...] | None, name: str) -> Callable[[Test], Test]:
    chosen = pytest.mark.parametrize("half_year", [faults], indirect=True, ids=[name])
    return lambda test: pytest.mark.usefixtures("half_year")(chosen(test))


empty_shop = _with_half_year(None, "empty")


@pytest.fixture(scope="module")
def half_year(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """Loaded and looked at once: each test begins a transaction of its own inside this one. Returns where files are."""
    media = tmp_path_factory.mktemp("media")
    if request.param is None:
        yield media
        return
    world, _ = world_with(*request.param, days=DAYS)
    with (
        override_settings(MEDIA_ROOT=str(media)),
        time_machine.travel(THIS_MORNING, tick=False),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        shop = WorkspaceFactory.create(name="Acme", slug="acme")
        create_default_goals(workspace=shop)
        load_world(shop, world, tmp_path_factory.mktemp("files"))
        execute(job_id=submit(workspace=shop, kind=JOB_KIND, ring=False).pk)
        yield media
        transaction.set_rollback(True)


@pytest.fixture
def workspace(request: pytest.FixtureRequest, db: None, settings: Settings) -> Workspace:
    """That of `half_a_year`, or a new one."""
    settings.MEDIA_ROOT = str(request.getfixturevalue("half_year"))
    return Workspace.objects.filter(slug="acme").first() or WorkspaceFactory.create(name="Acme", slug="acme")


@pytest.fixture
def ask(client_for: ClientFor, viewer: User) -> Callable[..., str]:
    """`ask(channel=3, day="2026-10-22")` returns the text of the page, as a viewer sees it."""

    def ask(**query: str | int) -> str:
        response = client_for(viewer).get(PAGE, query)
        assert response.status_code == 200
        return response.content.decode()

    return ask


def channel_id(name: str) -> int:
    return Channel.objects.get(name=name).pk


def words(text: str) -> str:
    """The text that people read, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


@half_a_year("spend_gap")
def test_it_is_there_for_members_only(client_for: ClientFor, viewer: User, outsider: User) -> None:
    assert client_for(viewer).get(PAGE).status_code == 200
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(None).get(PAGE).status_code == 302
    assert client_for(viewer).post(PAGE).status_code == 405


@empty_shop
def test_without_data_it_says_what_to_do(ask: Callable[..., str], shop: Workspace) -> None:
    assert "This workspace has no data yet" in ask()


@empty_shop
def test_until_the_first_look_it_waits_for_it(client_for: ClientFor, viewer: User, shop: Workspace, look: Look) -> None:
    touch_import(shop, [(1, NOON)])
    client = client_for(viewer)
    assert "Your data is being looked at" in client.get(PAGE).content.decode()
    fragment = client.get(PAGE, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "HX-Refresh" not in fragment.headers
    look()
    assert client.get(PAGE, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


@empty_shop
def test_a_report_out_of_date_is_shown_and_says_so(
    client_for: ClientFor, viewer: User, load: Load, look: Look, ask: Callable[..., str]
) -> None:
    load("spend_gap")
    look()
    assert "Updating" not in ask()
    Workspace.objects.update(window_days=7)
    text = ask()
    assert "Updating" in text
    assert "Paid Social has no spend on 5 days: 21–25 Oct 2026." in text
    fragment = client_for(viewer).get(PAGE, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in fragment.headers
    assert "hx-trigger" in fragment.content.decode()


@half_a_year("spend_gap")
def test_it_only_reads(client_for: ClientFor, viewer: User) -> None:
    Workspace.objects.update(window_days=7)
    before = list(HealthReport.objects.values()), list(Job.objects.values())
    client_for(viewer).get(PAGE)
    assert (list(HealthReport.objects.values()), list(Job.objects.values())) == before


@half_a_year("spend_gap", "channel_misspelt", "source_variants")
def test_it_needs_few_queries(
    client_for: ClientFor, viewer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_for(viewer)
    client.get(PAGE)
    with django_assert_max_num_queries(20):
        client.get(PAGE)


@half_a_year("spend_gap", "spend_in_cents")
def test_what_was_found_is_listed_with_advice(ask: Callable[..., str]) -> None:
    text = words(ask())
    assert "1 problem and 1 warning that concern the last 90 days." in text
    assert "Problem From 21 Oct 2026 on, Affiliates’ spend for each impression is" in text
    assert "Export these days again and import them." in text


@half_a_year()
def test_nothing_found_says_what_was_looked_for(ask: Callable[..., str]) -> None:
    text = words(ask(period="last_60", dataset="conversions"))
    assert "Nothing was found that concerns the last 60 days." in text
    assert re.search(r"13 channels, [\d,]+ touches and [\d,]+ conversions of 180 days were looked at", text)


@half_a_year("spend_gap")
def test_the_period_chooses_the_findings_and_offers_the_others(ask: Callable[..., str]) -> None:
    social = channel_id("Paid Social")
    text = words(ask(channel=social, start="2026-11-01", end="2026-11-24"))
    assert "Nothing was found that concerns 1–24 Nov 2026." in text
    assert "1 more about other days." in text
    assert "1 warning that concerns 25 Oct 2026." in words(ask(channel=social, start="2026-10-25", end="2026-10-25"))


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-11-05"},
        {"period": "last_7"},
        {"start": "2026-11-05", "end": "2026-11-01"},
        {"start": "x", "end": "2026-11-01"},
    ],
)
@half_a_year()
def test_a_period_that_makes_no_sense_is_said(query: dict[str, str], ask: Callable[..., str]) -> None:
    assert 'role="alert"' in ask(**query)


@half_a_year()
def test_an_address_of_nonsense_is_no_fault(ask: Callable[..., str]) -> None:
    channel = channel_id("Paid Social")
    for day in ("x", "2026-02-30", "1999-01-01", "2026-10-01", ""):
        for dataset in ("spend", "nothing", ""):
            text = ask(channel=channel, dataset=dataset, day=day, series="x", strips="all")
            assert "Data health of Paid Social" in text


@pytest.mark.parametrize("channel", ["0", "x", "-1", "9" * 30, "\u0661"])
@half_a_year()
def test_a_channel_that_there_is_not_is_a_404(channel: str, client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).get(PAGE, {"channel": channel}).status_code == 404


@half_a_year()
def test_another_workspaces_channel_is_a_404(client_for: ClientFor, viewer: User) -> None:
    other = Channel.objects.create(workspace=WorkspaceFactory.create(), name="Secret", colour_slot=0)
    response = client_for(viewer).get(PAGE, {"channel": other.pk})
    assert response.status_code == 404
    assert b"Secret" not in response.content


@half_a_year("spend_gap")
def test_missing_days_are_marked_in_the_calendar_and_lead_to_what_is_missing(ask: Callable[..., str]) -> None:
    text = ask()
    (link,) = re.findall(r'<a href="([^"]+)" aria-label="Paid Social, spend: 5 days missing, 21–25 Oct 2026"', text)
    address = unescape(link).partition("?")[2].partition("#")[0]
    query = dict(pair.split("=") for pair in address.split("&"))
    assert query == {
        "period": "last_90",
        "dataset": "spend",
        "channel": str(channel_id("Paid Social")),
        "day": "2026-10-21",
    }
    shown = words(ask(**query))
    assert (
        "Paid Social, 21–25 Oct 2026 Back to the calendar Paid Social has no spend on 5 days: 21–25 Oct 2026." in shown
    )
    assert "Media mix 1 of 25 weeks lacks days: Paid Social, 21–25 Oct 2026." in shown


@pytest.mark.parametrize("day", ["2026-10-21", "2026-10-23", "2026-10-25"])
@half_a_year("spend_gap")
def test_any_day_of_a_gap_tells_of_all_of_it(day: str, ask: Callable[..., str]) -> None:
    assert "Paid Social, 21–25 Oct 2026" in words(ask(channel=channel_id("Paid Social"), day=day))


@half_a_year("spend_gap")
def test_a_day_with_data_says_that_nothing_is_missing(ask: Callable[..., str]) -> None:
    text = words(ask(channel=channel_id("Paid Social"), dataset="spend", day="2026-10-26"))
    assert "Nothing is missing from the spend of Paid Social on this day." in text


@half_a_year("missing_outcome_weeks")
def test_a_gap_of_an_outcome_is_told_by_its_name(ask: Callable[..., str]) -> None:
    text = words(ask(series="Sales", dataset="outcomes", day="2026-09-01"))
    assert "Data health of Sales" in text
    assert "Sales has no value on 21 days: 26 Aug – 15 Sep 2026." in text


@half_a_year("spend_gap")
def test_the_gaps_are_a_table_too(ask: Callable[..., str]) -> None:
    table = words(ask().partition("View as table")[2])
    assert "Spend Paid Social 21–25 Oct 2026 5 days Missing" in table


@half_a_year("spend_gap")
def test_a_long_period_is_drawn_by_week(ask: Callable[..., str]) -> None:
    text = ask(period="last_180", dataset="spend")
    assert "Each cell is a week" in text
    assert text.count('aria-label="Paid Social, spend: 5 days missing, 21–25 Oct 2026"') == 1
    assert '"Spend, Paid Social: 175 of 180 days with data"' in text


@half_a_year("spend_gap", "spend_in_cents", "tracking_outage")
def test_a_channel_has_its_own_page_with_what_concerns_it(ask: Callable[..., str]) -> None:
    text = ask(channel=channel_id("Paid Social"))
    assert "Data health of Paid Social" in text
    assert "Paid Social has no spend" in text
    assert "There are almost no touches at all" in text
    assert "Affiliates’ spend" not in text
    assert f"/w/acme/dashboard/channels/{channel_id('Paid Social')}/?start=" in text


@half_a_year("spend_gap")
def test_what_is_said_of_readiness_is_what_is_missing(ask: Callable[..., str]) -> None:
    text = words(ask())
    assert "Media mix Not yet The media mix needs 52 weeks of spend and of an outcome; you have 25." in text
    assert "Attribution Ready" in text


@empty_shop
def test_names_are_escaped(ask: Callable[..., str], load: Load, look: Look) -> None:
    load("spend_gap")
    Channel.objects.filter(name="Paid Social").update(name='<script>"x"</script>')
    look()
    text = ask()
    assert "<script>&" not in text
    assert '<script>"x"' not in text
    assert "&lt;script&gt;" in text


@half_a_year("spend_gap")
def test_the_address_of_the_days_is_kept_by_every_choice(ask: Callable[..., str]) -> None:
    text = ask(start="2026-10-01", end="2026-10-31", dataset="spend")
    first, last = dt.date(2026, 10, 1), dt.date(2026, 10, 31)
    assert f'<input type="hidden" name="start" value="{first}">' in text
    assert f'<input type="hidden" name="end" value="{last}">' in text
    assert f"?start={first}&amp;end={last}&amp;dataset=conversions" in text


@pytest.mark.parametrize(
    ("week_start", "named"), [(0, ["2 Nov", "16 Nov"]), (6, ["1 Nov", "15 Nov"]), (5, ["7 Nov", "21 Nov"])]
)
def test_the_calendar_names_the_days_on_which_the_workspaces_weeks_begin(week_start: int, named: list[str]) -> None:
    november = Period(dt.date(2026, 11, 1), dt.date(2026, 11, 28))
    assert [tick.label for tick in calendar_ticks(november, by_week=False, week_start=week_start)] == named
