"""What people do to alerts: who may, what is refused, and what the audit log says."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, Membership, User, Workspace
from marketing.models import Channel, Goal
from mmm_project.problems import Invalid, NotPermitted
from reports.alerts import actions
from reports.alerts.actions import Settings, change_alert, create_alert, delete_alert, pause_alert, resume_alert
from reports.models import Alert, Recipient
from tests.reports.conftest import NOW

SETTINGS = Settings(
    name="Search", metric="spend", condition="above", threshold=Decimal(100), recipients=["a@example.com"]
)
Members = Callable[[User], Membership]


@pytest.fixture
def of(workspace: Workspace) -> Members:
    return lambda user: Membership.objects.get(user=user, workspace=workspace)


def refused(settings: Settings, workspace: Workspace, by: Membership) -> dict[str, list[str]]:
    """What is refused of these settings, by field."""
    with pytest.raises(Invalid) as refusal:
        create_alert(workspace=workspace, settings=settings, by=by)
    return {field: list(sentences) for field, sentences in refusal.value.errors.items()}


def test_an_alert_watches_from_the_day_before_it_is_made(shop: Workspace, analyst: User, of: Members) -> None:
    alert = create_alert(workspace=shop, settings=SETTINGS, by=of(analyst))
    assert (alert.watched_from, alert.created_by) == (dt.date(2026, 3, 31), analyst)
    assert [recipient.email for recipient in alert.recipients.all()] == ["a@example.com"]
    event = AuditEvent.objects.get(action="alert.created")
    assert (event.target, event.actor, event.detail["recipients"]) == ("Search", analyst, ["a@example.com"])


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"name": " "}, "name", "Give the alert a name."),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"metric": "profit"}, "metric", "no metric"),
        ({"condition": "magic"}, "condition", "no condition"),
        ({"threshold": None}, "threshold", "Enter a number"),
        ({"threshold": Decimal("NaN")}, "threshold", "between 0 and"),
        ({"threshold": Decimal(-1)}, "threshold", "between 0 and"),
        ({"condition": "below", "threshold": Decimal(0)}, "threshold", "Nothing of this ever falls below 0."),
        ({"condition": "below", "metric": "roas", "threshold": Decimal("0.0")}, "threshold", "ever falls below 0."),
        ({"threshold": Decimal(10) ** 15}, "threshold", "between 0 and"),
        ({"days": 2}, "days", "Choose 1, 7 or 30 days."),
        ({"recipients": []}, "recipients", "one address at least"),
        ({"recipients": ["a@example.com\nBcc: b"]}, "recipients", "line breaks"),
        ({"recipients": ["a@b.co, c@d.co"]}, "recipients", "one address at a time"),
        ({"recipients": [f"a{number}@example.com" for number in range(51)]}, "recipients", "50 recipients at most"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    change: dict[str, object], field: str, says: str, shop: Workspace, analyst: User, of: Members
) -> None:
    errors = refused(replace(SETTINGS, **change), shop, of(analyst))  # type: ignore[arg-type]
    assert list(errors) == [field]
    assert says in " ".join(errors[field])
    assert not Alert.objects.exists()


def test_names_are_one_line_and_each_once(shop: Workspace, analyst: User, of: Members) -> None:
    alert = create_alert(workspace=shop, settings=replace(SETTINGS, name=" Search\r\nBcc: x \x00"), by=of(analyst))
    assert alert.name == "Search Bcc: x"
    assert "name" in refused(replace(SETTINGS, name="SEARCH BCC: X"), shop, of(analyst))
    change_alert(alert=alert, settings=replace(SETTINGS, name="search bcc: x"), by=of(analyst))


def test_nothing_of_another_workspace_can_be_watched(
    shop: Workspace, analyst: User, of: Members, outsider: User
) -> None:
    elsewhere = outsider.memberships.get().workspace
    theirs = Channel.objects.create(workspace=elsewhere, name="Theirs", type=Channel.Type.PAID, colour_slot=0)
    goal = Goal.objects.create(workspace=elsewhere, name="Theirs")
    assert "channel" in refused(replace(SETTINGS, channel=theirs), shop, of(analyst))
    assert "channel" in refused(replace(SETTINGS, metric="revenue", goal=goal), shop, of(analyst))


def test_an_anomaly_has_no_threshold_and_spend_no_goal(shop: Workspace, analyst: User, of: Members) -> None:
    goal = shop.goals.get(name="Lead")
    settings = replace(SETTINGS, condition="anomaly", days=7, goal=goal)
    alert = create_alert(workspace=shop, settings=settings, by=of(analyst))
    assert (alert.threshold, alert.days, alert.goal) == (None, 1, None)


def test_a_workspace_has_fifty_alerts_at_most(
    shop: Workspace, analyst: User, of: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_ALERTS", 1)
    create_alert(workspace=shop, settings=SETTINGS, by=of(analyst))
    with pytest.raises(Invalid, match="at most 1 alerts"):
        create_alert(workspace=shop, settings=replace(SETTINGS, name="Second"), by=of(analyst))


def test_viewers_make_none_and_analysts_change_their_own_only(
    shop: Workspace, viewer: User, analyst: User, admin: User, of: Members
) -> None:
    with pytest.raises(NotPermitted):
        create_alert(workspace=shop, settings=SETTINGS, by=of(viewer))
    alert = create_alert(workspace=shop, settings=SETTINGS, by=of(admin))
    for deed in (pause_alert, resume_alert, delete_alert):
        with pytest.raises(NotPermitted):
            deed(alert=alert, by=of(analyst))
    with pytest.raises(NotPermitted):
        change_alert(alert=alert, settings=SETTINGS, by=of(analyst))
    own = create_alert(workspace=shop, settings=replace(SETTINGS, name="Own"), by=of(analyst))
    assert pause_alert(alert=own, by=of(analyst))
    assert not pause_alert(alert=own, by=of(admin))  # it is paused
    assert resume_alert(alert=own, by=of(admin))
    assert not resume_alert(alert=own, by=of(admin))
    delete_alert(alert=own, by=of(admin))
    said = AuditEvent.objects.filter(target="Own").order_by("pk").values_list("action", "actor__email")
    assert list(said) == [
        ("alert.created", analyst.email),
        ("alert.paused", analyst.email),
        ("alert.resumed", admin.email),
        ("alert.deleted", admin.email),
    ]


def test_another_threshold_is_watched_afresh_and_another_name_goes_on(
    shop: Workspace, analyst: User, of: Members
) -> None:
    alert = create_alert(workspace=shop, settings=SETTINGS, by=of(analyst))
    looked_at = {"watched_from": dt.date(2026, 1, 1), "checked_on": dt.date(2026, 4, 1)}
    Alert.objects.update(**looked_at)
    change_alert(alert=alert, settings=replace(SETTINGS, name="Renamed"), by=of(analyst))
    assert Alert.objects.values("name", *looked_at).get() == {"name": "Renamed"} | looked_at
    assert Alert.objects.get().revision == 1
    change_alert(alert=alert, settings=replace(SETTINGS, name="Renamed", threshold=Decimal(5)), by=of(analyst))
    alert.refresh_from_db()
    assert (alert.watched_from, alert.checked_on, alert.revision) == (dt.date(2026, 3, 31), None, 2)
    renamed, moved = AuditEvent.objects.filter(action="alert.changed").order_by("pk")
    assert renamed.detail["changes"] == {"name": {"before": SETTINGS.name, "after": "Renamed"}}
    assert list(moved.detail["changes"]) == ["threshold"]


def test_who_has_unsubscribed_stays_so_when_the_recipients_change(shop: Workspace, analyst: User, of: Members) -> None:
    alert = create_alert(workspace=shop, settings=SETTINGS, by=of(analyst))
    Recipient.objects.update(unsubscribed_at=NOW)
    more = replace(SETTINGS, recipients=["b@example.com", "A@example.com"])
    change_alert(alert=alert, settings=more, by=of(analyst))
    known = dict(alert.recipients.values_list("email", "unsubscribed_at"))
    assert known == {"a@example.com": NOW, "b@example.com": None}
    change_alert(alert=alert, settings=replace(SETTINGS, recipients=["b@example.com"]), by=of(analyst))
    assert [recipient.email for recipient in alert.recipients.filter(removed_at=None)] == ["b@example.com"]
    detail = AuditEvent.objects.filter(action="alert.changed").latest("pk").detail
    assert (detail["recipients_added"], detail["recipients_removed"]) == ([], ["a@example.com"])
