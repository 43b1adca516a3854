"""Which days are known: what is half there, late, or has stopped raises nothing false, and no outage is silent."""

import datetime as dt
from collections.abc import Callable, Sequence

import pytest
import time_machine

from accounts.models import Membership, Workspace
from marketing.models import Channel, Import, Upload
from reports.alerts.checking import check_due
from reports.alerts.presenters import present_alert, present_rows
from reports.alerts.series import SeriesReader
from reports.models import Alert, AlertEvent, Delivery
from tests.conftest import ImportRows
from tests.reports.alerts.conftest import FIRST, LAST, Figures, Watch
from tests.reports.conftest import NOW, Refresh

Look = Callable[..., int]
SPEND, TOUCHES, ORDERS = "date,channel,spend", "customer,occurred_at,channel", "customer,occurred_at,value"
DAY_BEFORE = LAST - dt.timedelta(1)


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(day) for day in range((last - first).days + 1)]


def orders(day: dt.date, hours: Sequence[int]) -> list[str]:
    return [f"c{day}{hour},{day}T{hour:02}:00Z,50" for hour in hours]


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.UTC)


def last_day(alert: Alert, now: dt.datetime = NOW) -> str:
    """The last day that the alert knows of."""
    series = SeriesReader(alert.workspace, now=now).series(alert)
    assert series
    return str(series.last)


@pytest.fixture
def search(figures_of: Figures) -> Channel:
    """Of figures up to 30 March."""
    figures_of(until=DAY_BEFORE)
    return Channel.objects.get(name="Search")


# --- days that are half there ---


def test_who_imports_at_nine_each_day_hears_of_no_quiet_day(
    import_rows: ImportRows, refresh: Refresh, watch: Watch
) -> None:
    """Each file has the rest of yesterday and the first hours of today."""
    import_rows("conversions", ORDERS, *(row for day in days(FIRST, LAST) for row in orders(day, range(6, 22))))
    anomaly, threshold = watch("revenue"), watch("revenue", "below", 500)
    for day in days(LAST + dt.timedelta(1), LAST + dt.timedelta(6)):
        yesterday = day - dt.timedelta(1)
        with time_machine.travel(now := at(day, 9), tick=False):
            import_rows("conversions", ORDERS, *orders(yesterday, range(9, 22)), *orders(day, range(6, 9)))
            refresh()
            check_due(now)
            assert last_day(anomaly, now) == str(yesterday)
        with time_machine.travel(now := at(day + dt.timedelta(1), 0, 5), tick=False):
            check_due(now)
            assert last_day(anomaly, now) == str(yesterday)  # nobody knows yet what came after nine
    assert not AlertEvent.objects.filter(alert__in=[anomaly, threshold]).exists()


def test_a_day_is_whole_where_its_file_was_handed_over_after_it(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch
) -> None:
    alert = watch("spend")
    rows = ("2026-03-31,Search,100", "2026-03-31,TV,50")
    with time_machine.travel(at(LAST, 23, 59), tick=False):
        early = import_rows("spend", SPEND, *rows)
        refresh()
    assert last_day(alert) == "2026-03-30"
    Import.objects.filter(pk=early.pk).update(activated_at=NOW)  # its rows are as old as before
    assert last_day(alert) == "2026-03-30"
    import_rows("spend", SPEND, *rows)
    refresh()
    assert last_day(alert) == "2026-03-31"


def test_a_file_that_waited_for_its_columns_to_be_named_is_as_old_as_its_upload(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch, shop: Workspace
) -> None:
    alert = watch("revenue")
    batch = import_rows("conversions", ORDERS, "s2026-03-31,2026-03-31T07:00Z,60")
    refresh()
    assert last_day(alert) == "2026-03-31"
    with time_machine.travel(at(LAST, 9), tick=False):
        Upload.objects.create(workspace=shop, file_name="a.csv", stored_file="a", size=1, checksum="a", batch=batch)
    assert last_day(alert) == "2026-03-30"


def test_an_import_of_old_days_makes_no_half_day_whole(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch
) -> None:
    alert = watch("conversions")
    with time_machine.travel(at(LAST, 9), tick=False):
        import_rows("conversions", ORDERS, "s2026-03-31,2026-03-31T07:00Z,60")
    import_rows("conversions", ORDERS, "old,2025-12-02T07:00Z,60")
    refresh()
    assert last_day(alert) == "2026-03-30"


def test_figures_that_an_import_has_not_reached_yet_reach_no_further_for_it(
    search: Channel, import_rows: ImportRows, watch: Watch, refresh: Refresh
) -> None:
    """The import is active, its cube is not there: the day would look empty."""
    import_rows("spend", SPEND, "2026-03-30,Radio,1")
    refresh()
    anomaly = watch("revenue")
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        import_rows("conversions", ORDERS, "s2026-03-31,2026-03-31T07:00Z,60", "n,2026-03-31T08:00Z,40")
    assert last_day(anomaly, NOW + dt.timedelta(hours=2)) == "2026-03-30"


# --- files that come one after another ---


def test_a_channels_credit_waits_for_touches(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    for metric in ("conversions", "revenue", "roas"):
        watch(metric, channel=search)
    low, total = watch("conversions", "below", 1, channel=search), watch("conversions", "below", 3)
    import_rows("spend", SPEND, "2026-03-31,Search,100", "2026-03-31,TV,50")
    import_rows("conversions", ORDERS, "s2026-03-31,2026-03-31T12:00Z,60", "n31,2026-03-31T13:00Z,40")
    refresh()
    look()
    assert not AlertEvent.objects.exclude(alert=total).exists()
    assert (last_day(low), last_day(total)) == ("2026-03-30", "2026-03-31")
    import_rows("touchpoints", TOUCHES, "s2026-03-31,2026-03-31T10:00Z,Search")
    refresh()
    look(1)
    assert last_day(low) == "2026-03-31"
    assert not AlertEvent.objects.exclude(alert=total).exists()


def test_spend_of_everything_waits_for_each_channel_that_spends(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    tv = Channel.objects.get(name="TV")
    of_tv, of_search, total, roas = watch("spend", channel=tv), watch("spend", channel=search), watch("spend"), watch()
    watch("spend", "below", 130)
    import_rows("spend", SPEND, "2026-03-31,Search,100")
    refresh()
    look()
    assert not AlertEvent.objects.exists()
    assert [last_day(each) for each in (of_tv, of_search, total)] == ["2026-03-30", "2026-03-31", "2026-03-30"]
    assert last_day(roas) == "2026-03-30"
    import_rows("spend", SPEND, "2026-03-31,TV,0")  # a row of nothing says that it was nothing
    refresh()
    look(1)
    assert [str(event.day) for event in of_tv.events.all()] == ["2026-03-31"]


def test_a_channel_that_is_silent_for_two_weeks_is_off_and_its_days_are_zero(
    import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    until = LAST - dt.timedelta(13)
    import_rows("spend", SPEND, *(f"{day},Search,100" for day in days(FIRST, LAST)))
    import_rows("spend", SPEND, *(f"{day},TV,50" for day in days(FIRST, until)))
    refresh()
    total, of_tv = watch("spend"), watch("spend", channel=Channel.objects.get(name="TV"))
    assert [last_day(total), last_day(of_tv)] == ["2026-03-18", "2026-03-18"]
    look()
    assert not AlertEvent.objects.exists()
    with time_machine.travel(NOW + dt.timedelta(1), tick=False):
        import_rows("spend", SPEND, "2026-04-01,Search,100")
        refresh()
        look(1)
    assert [last_day(total, NOW + dt.timedelta(1)), last_day(of_tv, NOW + dt.timedelta(1))] == ["2026-04-01"] * 2
    assert [str(event.day) for event in of_tv.events.all()] == ["2026-03-19"]  # where it began, two weeks ago
    assert [str(event.day) for event in total.events.all()] == ["2026-03-19"]


def test_a_channel_that_spends_now_and_then_is_not_waited_for(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch
) -> None:
    total = watch("spend")
    import_rows("spend", SPEND, "2026-03-31,Search,100", "2026-03-31,TV,50", "2026-03-29,Sponsoring,2000")
    refresh()
    assert last_day(total) == "2026-03-31"


def test_channels_that_were_merged_wait_for_each_other(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch
) -> None:
    Channel.objects.filter(name="TV").update(merged_into=search)
    alert = watch("spend", channel=search)
    import_rows("spend", SPEND, "2026-03-31,Search,100")
    refresh()
    assert last_day(alert) == "2026-03-30"


# --- what has stopped ---


@pytest.fixture
def conversions_stop(import_rows: ImportRows, refresh: Refresh) -> Callable[..., None]:
    """Touches and spend go on to 31 March, conversions end some days before."""

    def conversions_stop(days_before: int, *, others: Sequence[str] = ("spend", "touchpoints")) -> None:
        all_days = days(FIRST, LAST)
        until = LAST - dt.timedelta(days_before)
        rows = {
            "spend": [SPEND, *(f"{day},Search,100" for day in all_days)],
            "touchpoints": [TOUCHES, *(f"s{day},{day}T10:00Z,Search" for day in all_days)],
        }
        for dataset, lines in rows.items():
            import_rows(dataset, *(lines if dataset in others else lines[: -days_before or None]))
        import_rows("conversions", ORDERS, *(f"s{day},{day}T12:00Z,60" for day in days(FIRST, until)))
        with time_machine.travel(NOW - dt.timedelta(hours=1), tick=False):  # later figures are newer than these
            refresh()

    return conversions_stop


@pytest.mark.parametrize("days_before", [0, 1, 2])
def test_conversions_that_are_two_days_late_at_most_raise_nothing(
    days_before: int, conversions_stop: Callable[..., None], watch: Watch, look: Look
) -> None:
    conversions_stop(days_before)
    for alert in (watch("conversions"), watch("conversions", "below", 0.5), watch("roas"), watch("revenue")):
        assert last_day(alert) == str(LAST - dt.timedelta(days_before))
    look()
    assert not AlertEvent.objects.exists()


@pytest.mark.parametrize("others", [["spend"], ["touchpoints"], ["spend", "touchpoints"]])
def test_conversions_that_stop_for_three_days_are_told_of_once(
    others: Sequence[str], conversions_stop: Callable[..., None], watch: Watch, look: Look
) -> None:
    conversions_stop(3, others=others)
    alert, total = watch("conversions"), watch("revenue", "below", 50)
    look()
    (event,) = alert.events.all()
    assert event.sentence == (
        "Conversions on 29 Mar 2026 were 0: less than the 0.8 to 1.2 that were expected. "
        "Either nobody converted, or the import of conversions has stopped: its last day is 28 Mar 2026."
    )
    assert total.events.get().sentence == (
        "Revenue on 29 Mar 2026 was €0.00, below €50.00. "
        "Either nobody converted, or the import of conversions has stopped: its last day is 28 Mar 2026."
    )
    look(1)
    assert AlertEvent.objects.count() == 2


def test_a_day_that_is_half_there_is_none_of_those_that_are_missing(
    search: Channel, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    """A file of Tuesday at nine, and the next on Friday at nine: two whole days are on their way."""
    alert = watch("revenue")
    with time_machine.travel(at(LAST, 9), tick=False):
        import_rows("conversions", ORDERS, "n,2026-03-31T08:00Z,40")
    for ahead, until in ((2, "2026-03-30"), (3, "2026-04-01")):
        with time_machine.travel(NOW + dt.timedelta(ahead), tick=False):
            import_rows("touchpoints", TOUCHES, f"z,{LAST + dt.timedelta(ahead)}T10:00Z,Search")
            refresh()
            look(ahead)
        assert last_day(alert, NOW + dt.timedelta(ahead)) == until
        assert alert.events.exists() == (ahead == 3)
    assert alert.events.get().sentence.endswith("its last day is 31 Mar 2026.")


def test_a_channels_credit_and_roas_stop_with_the_conversions(
    conversions_stop: Callable[..., None], watch: Watch, look: Look
) -> None:
    conversions_stop(12)
    search = Channel.objects.get(name="Search")
    credit, roas = watch("revenue", channel=search), watch("roas", "below", 0.1, channel=search)
    look()
    for alert in (credit, roas):
        assert [str(event.day) for event in alert.events.all()] == ["2026-03-23"]  # a week back from the 29th


def test_conversions_that_come_late_take_the_event_back(
    conversions_stop: Callable[..., None],
    import_rows: ImportRows,
    refresh: Refresh,
    watch: Watch,
    look: Look,
    analyst_there: Membership,
) -> None:
    conversions_stop(3)
    alert = watch("revenue")
    look()
    import_rows("conversions", ORDERS, *(f"s{day},{day}T12:00Z,60" for day in days(LAST - dt.timedelta(2), LAST)))
    refresh()
    look()
    page = present_alert(Alert.objects.get(pk=alert.pk), analyst_there, now=NOW)
    (row,) = page.events
    assert row.notes == ["Later data took it back"]
    assert (page.state.label, page.state.sentence) == ("Quiet", "Nothing to tell up to 31 Mar 2026.")
    assert page.preview.chart
    assert "Would raise it" not in [series.name for series in page.preview.chart.series]
    assert Delivery.objects.count() == 1


def test_an_event_that_was_taken_back_stands_again_where_the_data_say_so(
    figures_of: Figures, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    figures_of(revenue={"2026-03-30": 0})
    alert = watch("revenue", "below", 90)
    look()
    import_rows("conversions", ORDERS, "x,2026-03-30T07:00Z,60")
    refresh()
    look()
    event = alert.events.get()
    assert event.taken_back_at == NOW
    Alert.objects.update(threshold=120)  # as if the figure had fallen again
    look(1)
    event = alert.events.get(pk=event.pk)
    assert event.taken_back_at is None
    assert alert.events.filter(day="2026-03-30").count() == 1


@pytest.mark.parametrize(
    ("values", "later", "label", "sentence"),
    [
        ({}, 2, "Quiet", "Nothing to tell up to 31 Mar 2026."),
        ({}, 3, "No figures", "No figures since 31 Mar 2026. Up to then there was nothing to tell."),
        ({"condition": "above", "threshold": 90}, 3, "Raised", "No figures since 31 Mar 2026."),
    ],
)
def test_what_has_stopped_is_not_called_quiet(
    values: dict[str, object], later: int, label: str, sentence: str, figures_of: Figures, watch: Watch, shop: Workspace
) -> None:
    figures_of()
    watch("revenue", **values)
    (row,) = present_rows(shop, now=NOW + dt.timedelta(later))
    assert row.state.label == label
    assert row.state.sentence.endswith(sentence)


def test_days_that_come_together_after_a_pause_are_all_looked_at(
    figures_of: Figures, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look
) -> None:
    figures_of(until=DAY_BEFORE)
    alert = watch("spend")
    look()
    with time_machine.travel(NOW + dt.timedelta(14), tick=False):
        rows = [(day, 900 if day == dt.date(2026, 4, 2) else 100) for day in days(LAST, LAST + dt.timedelta(14))]
        import_rows("spend", SPEND, *(row for day, spent in rows for row in (f"{day},Search,{spent}", f"{day},TV,50")))
        refresh()
        look(14)
    assert [str(event.day) for event in alert.events.all()] == ["2026-04-02"]
