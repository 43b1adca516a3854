"""Alerts are looked at after each change of the figures and once a day, and tell of each thing once."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from marketing.models import Channel
from reports.alerts import checking
from reports.alerts.actions import delete_alert, pause_alert, resume_alert
from reports.alerts.checking import check_due
from reports.models import Alert, AlertEvent, Delivery, Recipient
from tests.conftest import ImportRows
from tests.reports.alerts.conftest import Figures, Watch
from tests.reports.conftest import NOW, Refresh

Look = Callable[..., int]
YESTERDAY = "2026-03-31"


def raised(alert: Alert) -> list[str]:
    """The days of the alert's events, in order."""
    return [str(event.day) for event in alert.events.order_by("day")]


def test_a_day_unlike_those_before_is_told_of_once(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    assert look() == 1
    (event,) = alert.events.all()
    assert (str(event.day), event.value, event.low, event.high) == (YESTERDAY, 950.0, 120.0, 180.0)
    assert event.sentence == "Spend on 31 Mar 2026 was €950.00: more than the €120 to €180 that were expected."
    (mail,) = Delivery.objects.all()
    assert (mail.email, mail.subject, mail.purpose) == ("ceo@example.com", f"Alert: {alert.name}", "alert")
    assert (mail.alert_event, mail.status) == (event, Delivery.Status.WAITING)
    assert event.sentence in mail.body
    assert f"/w/acme/settings/alerts/{alert.pk}/" in mail.body
    assert "/w/acme/dashboard/?start=2026-03-25&end=2026-03-31" in mail.body
    assert [look(), look(1), look(2)] == [0, 1, 1]
    assert raised(alert) == [YESTERDAY]


def test_the_mail_about_a_channel_leads_to_the_channel(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={YESTERDAY: 0})
    search = Channel.objects.get(name="Search")
    watch("spend", channel=search)
    look()
    (mail,) = Delivery.objects.all()
    assert f"/w/acme/dashboard/channels/{search.pk}/?start=2026-03-25&end=2026-03-31" in mail.body
    assert "Spend of Search on 31 Mar 2026 was €0.00: less than the €80 to €120 that were expected." in mail.body


def test_an_outage_of_five_days_is_one_event(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(revenue={f"2026-03-{day}": 0 for day in range(25, 30)})
    alert = watch("revenue")
    look()
    assert raised(alert) == ["2026-03-25"]


def test_nothing_is_told_of_what_stays_as_it_is(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of()
    for metric in ("revenue", "spend", "conversions", "roas"):
        watch(metric)
    assert look() == 4
    assert not AlertEvent.objects.exists()


@pytest.mark.parametrize(
    ("metric", "condition", "threshold", "days", "sentence"),
    [
        ("revenue", "below", 100.5, 1, "Revenue on 31 Mar 2026 was €40.00, below €100.50."),
        ("revenue", "below", 650, 7, "Revenue of the 7 days 25–31 Mar 2026 was €640.00, below €650.00."),
        ("spend", "above", 1000, 7, "Spend of the 7 days 25–31 Mar 2026 was €1,250.00, above €1,000.00."),
        ("spend", "above", 4000, 30, "Spend of the 30 days 2–31 Mar 2026 was €4,700.00, above €4,000.00."),
        ("conversions", "below", 1.5, 1, "Conversions on 31 Mar 2026 were 1, below 1.5."),
        ("roas", "below", 0.2, 1, "ROAS on 31 Mar 2026 was 0.11, below 0.20."),
    ],
)
def test_a_threshold_is_held_against_the_last_days(
    metric: str,
    condition: str,
    threshold: float,
    days: int,
    sentence: str,
    figures_of: Figures,
    watch: Watch,
    look: Look,
) -> None:
    figures_of(spend={YESTERDAY: 300}, revenue={YESTERDAY: 0})
    alert = watch(metric, condition, threshold, days=days)
    Alert.objects.update(watched_from=dt.date(2026, 3, 31))
    look()
    assert [event.sentence for event in alert.events.all()] == [sentence]


def test_what_is_exactly_at_its_threshold_is_not_beyond(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of()
    watch("revenue", "below", 700, days=7)
    watch("revenue", "above", 700, days=7)
    look()
    assert not AlertEvent.objects.exists()


def test_a_threshold_is_told_of_again_only_after_a_look_found_it_back_inside(
    figures_of: Figures, watch: Watch, refresh: Refresh, look: Look
) -> None:
    low = {f"2026-03-{day}": 5 for day in (20, 21, 22, 26, 27)}
    figures_of(revenue=low)
    alert = watch("revenue", "below", 90)
    for days_ago in range(12, -1, -1):
        look(-days_ago)
    assert raised(alert) == ["2026-03-20", "2026-03-26"]


def test_roas_without_spend_says_nothing(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={f"2026-03-{day}": 0 for day in range(1, 32)})
    search = Channel.objects.get(name="Search")
    watch("roas", "below", 5, channel=search)
    watch("roas", channel=search)
    look()
    assert not AlertEvent.objects.exists()


def test_the_credit_of_a_channel_is_that_of_the_workspaces_model(
    shop: Workspace, figures_of: Figures, watch: Watch, look: Look
) -> None:
    figures_of()
    alert = watch("revenue", "above", 59, channel=Channel.objects.get(name="Search"))
    look()
    event = alert.events.get()
    assert event.value == 60.0  # of the day's 100
    assert event.sentence.startswith("Revenue of Search on ")
    assert "Credited by Last Non-Direct." in Delivery.objects.get().body


def test_a_model_that_no_figures_are_kept_of_gives_way(
    shop: Workspace, figures_of: Figures, watch: Watch, look: Look
) -> None:
    figures_of()
    Workspace.objects.update(default_attribution_model="markov")
    alert = watch("revenue", "above", 59, channel=Channel.objects.get(name="Search"))
    look()
    assert alert.events.get().value == 60.0


# --- which days ---


def test_today_and_days_after_the_datas_end_are_not_looked_at(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of()
    alert = watch("conversions", "below", 1)
    with time_machine.travel(NOW + dt.timedelta(3), tick=False):
        assert look(3) == 1
        assert raised(alert) == []  # the data end on 31 March: what came after is not known
        import_rows("conversions", "customer,occurred_at,value", "late,2026-04-03T12:00Z,60")
        refresh()
        look(3)
    assert raised(alert) == ["2026-04-01"]  # now they are: nothing on 1 and 2 April


def test_spend_may_end_later_than_conversions(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of()
    spend, roas = watch("spend", "below", 20), watch("roas", "below", 0.1)
    with time_machine.travel(NOW + dt.timedelta(1), tick=False):
        import_rows("spend", "date,channel,spend", "2026-04-01,Search,10", "2026-04-01,TV,5")
        refresh()
        look(1)
    assert raised(spend) == ["2026-04-01"]
    assert raised(roas) == []  # nobody knows yet what that day brought


def test_days_are_those_of_the_workspaces_zone(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of(spend={YESTERDAY: 900})
    Workspace.objects.update(timezone="Pacific/Honolulu")
    alert = watch("spend")
    assert look() == 1  # it is still 31 March in Honolulu, and that day is not over
    assert raised(alert) == []
    with time_machine.travel(NOW + dt.timedelta(hours=2), tick=False):
        import_rows("spend", "date,channel,spend", f"{YESTERDAY},Search,900", f"{YESTERDAY},TV,50")
        refresh()
        assert check_due(NOW + dt.timedelta(hours=2)) == 1
    assert raised(alert) == [YESTERDAY]


def test_late_data_are_seen_up_to_a_week_back(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of()
    alert = watch("spend")
    look()
    for day in ("2026-03-24", "2026-03-26"):
        import_rows("spend", "date,channel,spend", f"{day},Radio,2000")
    refresh()
    assert look() == 1
    assert raised(alert) == ["2026-03-26"]  # the 24th lies further back than seven days


def test_an_alert_says_nothing_of_days_before_the_one_it_was_made_on(
    figures_of: Figures, watch: Watch, look: Look
) -> None:
    figures_of(spend={"2026-03-29": 900, YESTERDAY: 900})
    alert = watch("spend")
    Alert.objects.update(watched_from=dt.date(2026, 3, 31))
    look()
    assert raised(alert) == [YESTERDAY]


# --- when ---


def test_it_is_one_query_where_nothing_is_due(
    figures_of: Figures, watch: Watch, look: Look, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    figures_of()
    for _ in range(3):
        watch()
    assert look() == 3
    with django_assert_num_queries(1):
        assert look() == 0


def test_new_figures_are_looked_at_at_once_and_the_same_ones_the_next_day(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of()
    watch()
    assert [look(), look()] == [1, 0]
    import_rows("spend", "date,channel,spend", "2026-03-30,Radio,1")
    refresh()
    assert [look(), look()] == [1, 0]
    assert [look(1), look(1)] == [1, 0]


def test_nothing_is_looked_at_before_there_are_figures(shop: Workspace, watch: Watch, look: Look) -> None:
    watch()
    assert look() == 0


def test_of_two_that_look_at_once_one_tells(
    figures_of: Figures, watch: Watch, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looks while the first has judged and not claimed yet."""
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    noticed, looks = checking._noticed, list[str]()

    def notice_late(*args: object) -> object:
        found = noticed(*args)  # type: ignore[arg-type]
        if not looks:
            looks.append("second")
            looks.append(str(check_due(NOW)))
        return found

    monkeypatch.setattr(checking, "_noticed", notice_late)
    assert look() == 0
    assert looks == ["second", "1"]
    assert raised(alert) == [YESTERDAY]
    assert Delivery.objects.count() == 1


def test_an_alert_that_cannot_be_looked_at_keeps_no_other_waiting(
    figures_of: Figures, watch: Watch, look: Look, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    figures_of(spend={YESTERDAY: 900})
    broken, whole = watch("spend"), watch("spend")
    noticed = checking._noticed

    def refuse_one(alert: Alert, *args: object) -> object:
        if alert.pk == broken.pk:
            raise RuntimeError("broken")
        return noticed(alert, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "_noticed", refuse_one)
    assert [look(), look()] == [2, 0]  # it is not tried again every few seconds
    assert (raised(broken), raised(whole)) == ([], [YESTERDAY])
    assert f"The alert {broken.pk} could not be looked at" in caplog.text


# --- mails ---


def test_an_alert_sends_two_mails_a_day_at_most(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={f"2026-03-{day}": 900 for day in (25, 27, 29, 31)})
    alert, other = watch("spend"), watch("spend")
    look()
    mailed = {str(event.day): event.mailed for event in alert.events.all()}
    assert mailed == {"2026-03-25": False, "2026-03-27": False, "2026-03-29": True, "2026-03-31": True}
    assert Delivery.objects.filter(alert_event__alert=alert).count() == 2
    assert Delivery.objects.filter(alert_event__alert=other).count() == 2


def test_the_two_mails_count_by_the_workspaces_day(
    figures_of: Figures, watch: Watch, import_rows: ImportRows, refresh: Refresh, look: Look
) -> None:
    figures_of(spend={"2026-03-29": 900, YESTERDAY: 900})
    alert = watch("spend")
    look()
    import_rows("spend", "date,channel,spend", "2026-03-27,Radio,900")
    refresh()
    look()
    assert alert.events.get(day="2026-03-27").mailed is False
    with time_machine.travel(NOW + dt.timedelta(2), tick=False):
        days = ("2026-04-01", "2026-04-02")
        import_rows(
            "spend",
            "date,channel,spend",
            *(f"{day},TV,50" for day in days),
            "2026-04-01,Search,100",
            "2026-04-02,Search,900",
        )
        refresh()
        look(2)
    assert alert.events.get(day="2026-04-02").mailed is True


def test_who_unsubscribed_or_cannot_be_reached_is_not_told(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend", recipients=["a@example.com", "b@example.com", "c@example.com"])
    Recipient.objects.filter(alert=alert, email="a@example.com").update(unsubscribed_at=NOW)
    Recipient.objects.filter(alert=alert, email="b@example.com").update(rejected_at=NOW)
    look()
    assert [mail.email for mail in Delivery.objects.all()] == ["c@example.com"]


# --- paused, gone ---


def test_a_paused_alert_looks_at_nothing_and_begins_afresh_when_resumed(
    figures_of: Figures, watch: Watch, look: Look, analyst_there: Membership
) -> None:
    figures_of(spend={"2026-03-28": 900})
    alert = watch("spend")
    pause_alert(alert=alert, by=analyst_there)
    assert [look(), look(1)] == [0, 0]
    resume_alert(alert=alert, by=analyst_there)
    assert look() == 1
    assert raised(alert) == []  # 28 March passed while nobody asked


def test_an_alert_of_somebody_who_may_have_none_is_paused_and_the_owners_are_told(
    figures_of: Figures, watch: Watch, look: Look, analyst_there: Membership, owner: User
) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    Membership.objects.filter(pk=analyst_there.pk).delete()
    look()
    alert.refresh_from_db()
    assert alert.paused_at is not None
    assert raised(alert) == []
    (notice,) = Delivery.objects.all()
    assert (notice.email, notice.purpose) == (owner.email, "notice")
    assert "no longer a member" in notice.body
    assert AuditEvent.objects.filter(action="alert.paused").exists()
    resume_alert(alert=alert, by=Membership.objects.get(user=owner, workspace=alert.workspace))
    look()
    assert raised(alert) == [YESTERDAY]  # the owner answers for it now


def test_another_workspaces_figures_are_never_read(figures_of: Figures, watch: Watch, look: Look) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    other = Workspace.objects.create(name="Other", slug="other")
    assert alert.created_by
    Membership.objects.create(workspace=other, user=alert.created_by, role=Role.OWNER)
    theirs = Alert.objects.create(
        workspace=other, name="x", metric="spend", condition="anomaly", watched_from="2026-03-01"
    )
    assert look() == 1
    assert (raised(alert), raised(theirs)) == ([YESTERDAY], [])


def test_deleting_an_alert_takes_its_events_along(
    figures_of: Figures, watch: Watch, look: Look, analyst_there: Membership
) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    look()
    delete_alert(alert=alert, by=analyst_there)
    assert not AlertEvent.objects.exists()
    assert not Recipient.objects.exists()
