"""From a workspace's rows to a media panel: what is counted, and for what."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing.channels import merge_channels
from marketing.importing.dimensions import ensure_channels
from marketing.media_panels import LoadedPanel, PanelProblem, PanelRequest, holiday_days, load_media_panel
from marketing.models import (
    Campaign,
    Channel,
    ChannelSpend,
    Control,
    ControlValue,
    Dataset,
    Event,
    Import,
    Outcome,
    OutcomeValue,
)
from marketing.periods import EPOCH, day_number
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import

MONDAY = dt.date(2021, 1, 4)
WEEKS = 10
DAYS = 7 * WEEKS
pytestmark = pytest.mark.django_db


def numbers(seed: int, size: int = DAYS) -> list[int]:
    return [int(number) for number in np.random.default_rng(seed).integers(1, 1000, size)]


def by_week(values: Sequence[float]) -> list[float]:
    return [float(week) for week in np.array(values).reshape(-1, 7).sum(axis=1)]


def channel(workspace: Workspace, name: str) -> Channel:
    return ensure_channels(workspace=workspace, names=[name])[0]


def add_spend(
    workspace: Workspace,
    name: str,
    spend: Sequence[Any],
    *,
    start: dt.date = MONDAY,
    status: str = Import.Status.ACTIVE,
    **fields: Any,
) -> None:
    """One row a day, None for a day without spend; `fields` of all rows, lists of them by row."""
    ChannelSpend.objects.bulk_create(
        ChannelSpend(
            batch=batch,
            channel=of,
            date=start + dt.timedelta(day),
            spend=amount,
            **{field: value[day] if isinstance(value, list) else value for field, value in fields.items()},
        )
        for batch, of in [(add_import(workspace, Dataset.SPEND, status=status), channel(workspace, name))]
        for day, amount in enumerate(spend)
    )


def add_outcome(
    workspace: Workspace,
    values: Sequence[float],
    *,
    name: str = "Sales",
    kind: str = Outcome.Kind.SALES,
    start: dt.date = MONDAY,
    status: str = Import.Status.ACTIVE,
    **fields: Any,
) -> Outcome:
    outcome, _ = Outcome.objects.get_or_create(
        workspace=workspace, name=name, defaults={"kind": kind, "is_money": kind == Outcome.Kind.SALES}
    )
    batch = add_import(workspace, Dataset.OUTCOMES, status=status)
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=start + dt.timedelta(day), value=value, **fields)
        for day, value in enumerate(values)
    )
    return outcome


def add_control(workspace: Workspace, name: str, values: Sequence[float], **fields: Any) -> None:
    control, _ = Control.objects.get_or_create(workspace=workspace, name=name)
    batch = add_import(workspace, Dataset.CONTROLS)
    ControlValue.objects.bulk_create(
        ControlValue(batch=batch, control=control, date=MONDAY + dt.timedelta(day), value=value, **fields)
        for day, value in enumerate(values)
    )


def add_event(workspace: Workspace, name: str, start: dt.date, end: dt.date, **fields: Any) -> None:
    batch = add_import(workspace, Dataset.EVENTS)
    Event.objects.create(batch=batch, workspace=workspace, name=name, start=start, end=end, **fields)


def load(workspace: Workspace, outcome: Outcome, **request: Any) -> LoadedPanel:
    defaults = {"start": None, "end": None, "granularity": "week", "history_periods": 0, "short_allowed": True}
    return load_media_panel(workspace=workspace, request=PanelRequest(outcome=outcome, **(defaults | request)))


@pytest.fixture
def sales(workspace: Workspace) -> Outcome:
    """Ten weeks of daily sales, with spend on TV."""
    add_spend(workspace, "TV", numbers(1))
    return add_outcome(workspace, numbers(0))


def test_rows_of_days_become_a_panel_of_weeks(workspace: Workspace, sales: Outcome) -> None:
    panel = load(workspace, sales).panel
    assert panel.outcome.tolist() == by_week(numbers(0))
    assert panel.spend[:, 0].tolist() == by_week(numbers(1))
    assert panel.period_start.tolist() == [day_number(MONDAY) + 7 * week for week in range(WEEKS)]
    assert (panel.outcome_name, panel.is_money, panel.bounds, panel.channels) == ("Sales", True, None, ("TV",))


def test_only_days_within_the_bounds_are_used_for_the_outcome(workspace: Workspace, sales: Outcome) -> None:
    start, end = MONDAY + dt.timedelta(7), MONDAY + dt.timedelta(DAYS - 2)
    panel = load(workspace, sales, start=start, end=end, history_periods=3).panel
    assert panel.outcome.tolist() == by_week(numbers(0))[1:-1]
    assert panel.history == 1
    assert panel.spend[:, 0].tolist() == by_week(numbers(1))[:-1]


def test_a_period_that_ends_before_it_starts_is_refused(workspace: Workspace, sales: Outcome) -> None:
    with pytest.raises(PanelProblem, match="starts on 2021-01-05, after its end") as caught:
        load(workspace, sales, start=MONDAY + dt.timedelta(1), end=MONDAY)
    assert caught.value.code == "start_after_end"


@pytest.mark.parametrize("status", [status for status in Import.Status if status != Import.Status.ACTIVE])
def test_rows_of_imports_that_are_not_active_do_not_count(workspace: Workspace, sales: Outcome, status: str) -> None:
    before = load(workspace, sales).panel
    add_spend(workspace, "TV", numbers(2), geo="North", status=status)
    assert load(workspace, sales).panel.spend.tolist() == before.spend.tolist()
    Import.objects.exclude(status=Import.Status.ACTIVE).update(status=Import.Status.UNDONE)  # one loads at a time
    add_outcome(workspace, numbers(3), geo="North", status=status)
    assert load(workspace, sales).panel.outcome.tolist() == before.outcome.tolist()


def test_shadowed_rows_do_not_count(workspace: Workspace, sales: Outcome) -> None:
    add_control(workspace, "Price", numbers(4))
    before = load(workspace, sales).panel
    add_spend(workspace, "TV", numbers(2), shadowed=True)
    add_outcome(workspace, numbers(3), shadowed=True)
    add_control(workspace, "Price", numbers(5), shadowed=True)
    add_event(workspace, "Strike", MONDAY, MONDAY, shadowed=True)
    after = load(workspace, sales).panel
    assert (after.spend.tolist(), after.outcome.tolist()) == (before.spend.tolist(), before.outcome.tolist())
    assert (after.control.tolist(), after.events) == (before.control.tolist(), ())


def test_rows_of_other_workspaces_do_not_count(workspace: Workspace, sales: Outcome) -> None:
    elsewhere = WorkspaceFactory.create()
    add_spend(elsewhere, "Secret", numbers(2))
    add_control(elsewhere, "Secret", numbers(3))
    add_event(elsewhere, "Secret", MONDAY, MONDAY)
    theirs = add_outcome(elsewhere, numbers(4))
    panel = load(workspace, sales).panel
    assert "Secret" not in panel.channels + panel.controls + panel.events
    with pytest.raises(PanelProblem, match="has no values"):
        load(workspace, theirs)


def test_geos_and_campaigns_are_added_up(workspace: Workspace, sales: Outcome) -> None:
    spring = Campaign.objects.create(workspace=workspace, name="Spring")
    add_spend(workspace, "TV", numbers(2), geo="North")
    add_spend(workspace, "TV", numbers(3), geo="North", campaign=spring)
    add_outcome(workspace, numbers(4), geo="North")
    panel = load(workspace, sales).panel
    assert panel.spend[:, 0].tolist() == by_week(np.sum([numbers(1), numbers(2), numbers(3)], axis=0).tolist())
    assert panel.outcome.tolist() == by_week(np.sum([numbers(0), numbers(4)], axis=0).tolist())


def test_brand_awareness_is_averaged_over_days_and_geos(workspace: Workspace, sales: Outcome) -> None:
    north, south = (np.array(numbers(seed)) / 1000 for seed in (5, 6))
    for geo, values in (("North", north), ("South", south)):
        awareness = add_outcome(
            workspace, values.tolist(), name="Awareness", kind=Outcome.Kind.BRAND_AWARENESS, geo=geo
        )
    panel = load(workspace, awareness).panel
    assert panel.outcome == pytest.approx(((north + south) / 2).reshape(-1, 7).mean(axis=1), rel=1e-14)
    assert (panel.bounds, panel.is_money) == ((0, 1), False)
    assert load(workspace, awareness, bounds=(0, 10)).panel.bounds == (0, 10)


def test_controls_are_averaged_over_geos(workspace: Workspace, sales: Outcome) -> None:
    add_control(workspace, "Price", numbers(5), geo="North")
    add_control(workspace, "Price", numbers(6), geo="South")
    add_control(workspace, "Heat", numbers(7))
    panel = load(workspace, sales).panel
    assert panel.controls == ("Heat", "Price")
    mean = (np.array(numbers(5)) + np.array(numbers(6))) / 2
    assert panel.control[:, 1] == pytest.approx(mean.reshape(-1, 7).mean(axis=1), rel=1e-14)


def test_days_without_a_value_for_a_geo_are_remarked_on(workspace: Workspace, sales: Outcome) -> None:
    add_outcome(workspace, numbers(4, DAYS - 3), geo="North")
    (remark,) = (remark for remark in load(workspace, sales).remarks if remark.code == "geos_vary")
    assert "of 2 geos at most, but of fewer in 3 of 70 rows" in remark.sentence
    assert remark.names == ("Sales",)


def test_merged_channels_count_for_their_target_wherever_they_were_merged(workspace: Workspace, sales: Outcome) -> None:
    for name, seed in (("Television", 2), ("Telly", 3)):
        add_spend(workspace, name, numbers(seed))
    merge_channels(source=channel(workspace, "Telly"), target=channel(workspace, "Television"), by=None)
    television = Channel.objects.get(workspace=workspace, name="Television")
    merge_channels(source=television, target=channel(workspace, "TV"), by=None)
    panel = load(workspace, sales).panel
    assert panel.channels == ("TV",)
    assert panel.spend[:, 0].tolist() == by_week(np.sum([numbers(seed) for seed in (1, 2, 3)], axis=0).tolist())


def test_channels_are_in_the_order_of_their_colours(workspace: Workspace, sales: Outcome) -> None:
    for seed, name in enumerate(["Radio", "Email", "Affiliates"], start=2):
        add_spend(workspace, name, numbers(seed))
    assert load(workspace, sales).panel.channels == ("TV", "Radio", "Email", "Affiliates")


def test_rows_that_do_not_say_what_was_spent_are_of_organic_media(workspace: Workspace, sales: Outcome) -> None:
    add_spend(workspace, "Search", [None] * DAYS, clicks=numbers(2))
    add_spend(workspace, "Radio", numbers(3), impressions=numbers(4), clicks=None)
    panel = load(workspace, sales).panel
    assert (panel.channels, panel.exposure_units) == (("TV", "Radio"), ("spend", "impressions"))
    assert (panel.organic, panel.organic_units) == (("Search",), ("clicks",))
    assert panel.organic_exposure[:, 0].tolist() == by_week(numbers(2))
    assert panel.exposure[:, 1].tolist() == by_week(numbers(4))


def test_events_of_one_name_share_a_column(workspace: Workspace, sales: Outcome) -> None:
    day = dt.timedelta(1)
    add_event(workspace, "Sale", MONDAY - 30 * day, MONDAY + day)
    add_event(workspace, "Sale", MONDAY, MONDAY + 2 * day, geo="North")
    add_event(workspace, "Sale", MONDAY + 13 * day, MONDAY + 14 * day)
    add_event(workspace, "Gone", MONDAY - 9 * day, MONDAY - day)
    add_event(workspace, "To come", MONDAY + DAYS * day, MONDAY + 99 * day)
    panel = load(workspace, sales).panel
    assert panel.events == ("Sale",)
    assert panel.event[:, 0].tolist() == [3 / 7, 1 / 7, 1 / 7, *([0.0] * 7)]


def test_holidays_of_the_chosen_countries_are_counted(workspace: Workspace, sales: Outcome) -> None:
    panel = load(workspace, sales, holiday_countries=("US", "DE")).panel
    assert panel.holidays == ("Martin Luther King Jr. Day", "Washington's Birthday")
    assert panel.holiday.sum(axis=0).tolist() == [1, 1]
    assert panel.holiday[2, 0] == 1, "18 January 2021"
    assert load(workspace, sales).panel.holidays == ()


def days_named(found: Mapping[str, Any], name: str) -> list[dt.date]:
    return [EPOCH.date() + dt.timedelta(int(day)) for day in found[name]]


def test_a_holiday_in_several_countries_is_one_day() -> None:
    found = holiday_days(countries=["de", " FR", "DE"], start=dt.date(2023, 12, 1), end=dt.date(2024, 12, 31))
    assert days_named(found, "New Year's Day") == [dt.date(2024, 1, 1)]
    assert days_named(found, "Christmas Day") == [dt.date(2023, 12, 25), dt.date(2024, 12, 25)]
    assert days_named(found, "German Unity Day") == [dt.date(2024, 10, 3)]
    assert list(found) == sorted(found)


def test_a_day_of_two_holidays_is_of_both() -> None:
    found = holiday_days(countries=["CZ"], start=dt.date(2024, 1, 1), end=dt.date(2024, 1, 1))
    assert list(found) == ["Independent Czech State Restoration Day", "New Year's Day"]


def test_a_holiday_whose_date_is_estimated_has_the_same_name() -> None:
    found = holiday_days(countries=["DZ"], start=dt.date(2010, 1, 1), end=dt.date(2030, 12, 31))
    assert len(found["Islamic New Year"]) >= 20
    assert not [name for name in found if "estimated" in name]


@pytest.mark.parametrize("code", ["XX", "", "Germany", "DEU"])
def test_a_country_that_is_not_known_is_refused(code: str) -> None:
    with pytest.raises(PanelProblem, match=f"“{code.upper()}” are not known") as caught:
        holiday_days(countries=["DE", code], start=MONDAY, end=MONDAY)
    assert caught.value.code == "unknown_country"


@pytest.mark.parametrize("seed", range(3))
def test_spend_is_what_decimals_add_up_to(workspace: Workspace, seed: int) -> None:
    """Cents of many campaigns and geos, of which binary floats hold none exactly, in a random order."""
    rng = np.random.default_rng(seed)
    outcome = add_outcome(workspace, numbers(0))
    batch = add_import(workspace, Dataset.SPEND)
    campaigns = [Campaign.objects.create(workspace=workspace, name=name) for name in ("One", "Two", "Three")]
    channels = [channel(workspace, name) for name in ("TV", "Radio")]
    rows = [
        ChannelSpend(
            batch=batch,
            channel=of,
            campaign=campaign,
            geo=geo,
            date=MONDAY + dt.timedelta(day),
            spend=Decimal(int(rng.integers(0, 10**9))).scaleb(-6),
            impressions=float(rng.integers(1, 10**6)),
        )
        for of in channels
        for campaign in campaigns
        for geo in ("", "North", "South")
        for day in range(DAYS)
        if rng.random() < 0.7
    ]
    ChannelSpend.objects.bulk_create([rows[place] for place in rng.permutation(len(rows))])

    panel = load(workspace, outcome).panel
    daily = load(workspace, outcome, granularity="day").panel

    spend: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    impressions: dict[tuple[str, int], float] = defaultdict(float)
    for row in rows:
        key = (row.channel.name, (row.date - MONDAY).days)
        spend[key] += row.spend or 0
        impressions[key] += row.impressions or 0
    for place, name in enumerate(("TV", "Radio")):
        of_days = [spend[name, day] for day in range(DAYS)]
        assert daily.spend[:, place].tolist() == [float(amount) for amount in of_days]
        assert daily.exposure[:, place].tolist() == [impressions[name, day] for day in range(DAYS)]
        of_weeks = [float(sum(of_days[7 * week : 7 * week + 7])) for week in range(WEEKS)]
        assert panel.spend[:, place] == pytest.approx(of_weeks, rel=1e-15)
        assert panel.spend[:, place].sum() == pytest.approx(float(sum(of_days)), rel=1e-15)


def test_a_panel_takes_as_many_queries_for_many_rows(
    workspace: Workspace, sales: Outcome, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):
        load(workspace, sales)
    for seed in range(2, 22):
        add_spend(workspace, f"Channel {seed}", numbers(seed), geo="North")
        add_control(workspace, f"Control {seed}", numbers(seed))
        add_event(workspace, f"Event {seed}", MONDAY, MONDAY)
    add_outcome(workspace, numbers(99), geo="North")
    with django_assert_num_queries(6):
        panel = load(workspace, sales, holiday_countries=("US",)).panel
    assert [len(names) for names in (panel.channels, panel.controls, panel.events)] == [21, 20, 20]
