"""Deleting a report takes its schedules along, where whoever deletes it may delete these too."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEvent, Membership, User, Workspace
from mmm_project.problems import Conflict
from reports.builder import actions
from reports.models import Delivery, Report, Schedule
from reports.schedules.actions import create_schedule
from reports.schedules.contents import Content
from tests.reports.builder.conftest import MakeReport
from tests.reports.schedules.conftest import of, settings_of

ClientFor = Callable[[User | None], Client]
Schedules = Callable[..., Schedule]


@pytest.fixture
def report(make_report: MakeReport) -> Report:
    return make_report("Review", "text")


@pytest.fixture
def send_it(shop: Workspace, report: Report) -> Schedules:
    """Schedule the report as a member: `send_it(admin, "Board")`."""

    def send_it(by: User, name: str) -> Schedule:
        settings = settings_of(name=name, content=Content(report=report))
        return create_schedule(workspace=shop, settings=settings, by=of(by))

    return send_it


def notices() -> list[tuple[str, str]]:
    found = Delivery.objects.filter(purpose=Delivery.Purpose.NOTICE).order_by("email", "subject")
    return list(found.values_list("email", "subject"))


def test_an_analyst_deletes_no_schedule_of_somebody_else_through_its_report(
    report: Report, send_it: Schedules, admin: User, analyst: User
) -> None:
    send_it(admin, "Board")
    send_it(admin, "Council")
    send_it(analyst, "Mine")
    with pytest.raises(Conflict, match="“Board” and “Council”"):
        actions.delete(report=report, by=of(analyst))
    assert Report.objects.count() == 1
    assert Schedule.objects.count() == 3
    assert not AuditEvent.objects.filter(action__in=["report.deleted", "schedule.deleted"]).exists()
    assert notices() == []


def test_the_page_says_whose_schedules_are_in_the_way(
    report: Report, send_it: Schedules, admin: User, analyst: User, client_for: ClientFor
) -> None:
    send_it(admin, "Board")
    client, path = client_for(analyst), f"/w/acme/reports/{report.pk}/delete/"
    page = client.get(path).text
    assert "“Board” sends it and was set up by somebody else" in page
    assert "Delete for good" not in page
    answer = client.post(path, follow=True)
    assert answer.redirect_chain == [(f"/w/acme/reports/{report.pk}/", 302)]
    assert "“Board” sends it and was set up by somebody else" in answer.text
    assert Report.objects.exists()


def test_schedules_of_ones_own_go_with_the_report_each_with_its_trace(
    report: Report, send_it: Schedules, analyst: User
) -> None:
    send_it(analyst, "Mine")
    actions.delete(report=report, by=of(analyst))
    assert not Schedule.objects.exists()
    assert not Report.objects.exists()
    events = AuditEvent.objects.filter(action__endswith=".deleted").order_by("pk")
    assert [(event.action, event.target, event.actor) for event in events] == [
        ("schedule.deleted", "Mine", analyst),
        ("report.deleted", "Review", analyst),
    ]
    assert events[1].detail == {"schedules": ["Mine"]}
    assert notices() == []


def test_owners_of_schedules_are_told_when_somebody_else_deletes_them(
    report: Report, send_it: Schedules, admin: User, analyst: User
) -> None:
    send_it(analyst, "Theirs")
    send_it(admin, "Mine")
    actions.delete(report=report, by=of(admin))
    assert notices() == [(analyst.email, "“Theirs” was deleted")]
    sentence = f"{admin.email} has deleted “Theirs”, which you set up with the report “Review” that it sent."
    assert Delivery.objects.get().body.startswith(sentence)


def test_who_has_left_is_told_nothing(report: Report, send_it: Schedules, admin: User, analyst: User) -> None:
    send_it(analyst, "Theirs")
    Membership.objects.filter(user=analyst).delete()
    actions.delete(report=report, by=of(admin))
    assert not Schedule.objects.exists()
    assert notices() == []
