"""What people do to reports."""

from typing import Any

import pytest

from accounts.models import AuditEvent, User, Workspace
from accounts.plans import PlanRequired
from marketing.models import Campaign
from mmm_project.problems import Invalid, NotFound
from reports.blocks.templates import TEMPLATES
from reports.builder import actions
from reports.models import Edition, Report, Schedule
from tests.reports.builder.conftest import MakeReport
from tests.reports.builder.steps import made
from tests.reports.rows import add_rows
from tests.reports.schedules.conftest import of


def settings_of(report: Report, **other: Any) -> dict[str, Any]:
    names = ("name", "period", "comparison", "campaign", "blocks")
    return {name: getattr(report, name) for name in names} | other


def _asked(workspace: Workspace, wrong: dict[str, str]) -> dict[str, Any]:
    return {"workspace": workspace, "name": "New", "by": None, **wrong}


def last_event(workspace: Workspace) -> AuditEvent:
    return AuditEvent.objects.filter(workspace=workspace).latest("pk")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_report_begins_with_the_blocks_of_its_template(shop: Workspace, owner: User, name: str) -> None:
    template = TEMPLATES[name]
    report = actions.create(workspace=shop, name="New", template=name, by=owner)
    assert [(block["kind"], block["title"]) for block in report.blocks] == [
        (block["kind"], block["title"]) for block in template.blocks
    ]
    assert len({block["id"] for block in report.blocks}) == len(report.blocks)
    assert (report.period, report.comparison) == (template.period, template.comparison)
    event = last_event(shop)
    assert (event.action, event.target, event.actor, event.detail) == (
        "report.created",
        "New",
        owner,
        {"template": name},
    )


def test_an_empty_report_has_no_blocks(shop: Workspace) -> None:
    assert actions.create(workspace=shop, name="  My   own ", by=None).blocks == []
    assert Report.objects.get().name == "My own"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\u200bb"}, "name"),
        ({"period": "tomorrow"}, "period"),
        ({"comparison": "moon"}, "comparison"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(shop: Workspace, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.create(**_asked(shop, wrong))
    assert list(refused.value.errors) == [field]
    assert not Report.objects.exists()


def test_a_name_is_taken_however_it_is_written(shop: Workspace, make_report: MakeReport) -> None:
    make_report("Review")
    with pytest.raises(Invalid) as refused:
        actions.create(workspace=shop, name="REVIEW", by=None)
    assert refused.value.errors == {"name": ["There is a report of this name already."]}


def test_another_workspaces_campaign_does_not_exist(shop: Workspace, elsewhere: Workspace) -> None:
    with pytest.raises(Invalid) as refused:
        actions.create(workspace=shop, name="New", campaign=Campaign.objects.get(workspace=elsewhere), by=None)
    assert refused.value.errors == {"campaign": ["There is no such campaign in this workspace."]}


def test_a_workspace_keeps_only_so_many(make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST", 1)
    report = make_report()
    with pytest.raises(Invalid, match="at most 1 reports"):
        make_report("Another")
    with pytest.raises(Invalid, match="at most 1 reports"):
        actions.duplicate(report=report, by=None)
    assert Report.objects.count() == 1


def test_a_change_is_kept_and_recorded_by_what_changed(shop: Workspace, owner: User, make_report: MakeReport) -> None:
    report = make_report("Review", "text")
    actions.change(report=report, by=owner, **settings_of(report, period="last_7", name="Weekly"))
    report.refresh_from_db()
    assert (report.name, report.period, len(report.blocks)) == ("Weekly", "last_7", 1)
    event = last_event(shop)
    assert (event.action, event.detail) == (
        "report.changed",
        {
            "changes": {
                "name": {"before": "Review", "after": "Weekly"},
                "period": {"before": "previous_month", "after": "last_7"},
            }
        },
    )


def test_what_stays_as_it_is_is_not_recorded(shop: Workspace, make_report: MakeReport) -> None:
    report = make_report("Review", "text", "attribution")
    before = AuditEvent.objects.count()
    actions.change(report=report, by=None, **settings_of(report))
    assert AuditEvent.objects.count() == before


def test_every_mistake_is_said_at_once_and_nothing_changes(shop: Workspace, make_report: MakeReport) -> None:
    report = make_report("Review", "text")
    blocks = [
        {"kind": "attribution", "params": {"model": "magic", "window_days": 9999}},
        {"kind": "attribution", "params": {"metric": "conversions", "goal": "Nothing"}},
        {"kind": "scenarios", "params": {"scenarios": [77]}},
        {"kind": "dashboard", "params": {"model": "magic", "goal": "Nothing"}},
        {"kind": "crosschannel", "params": {"segment": "Nobody"}},
        {"kind": "text", "params": {"text": "x" * 10_001}},
        {"kind": "magic"},
    ]
    with pytest.raises(Invalid) as refused:
        actions.change(report=report, by=None, **settings_of(report, name="", blocks=blocks))
    assert set(refused.value.errors) == {
        "name",
        "blocks.0.model",
        "blocks.0.window_days",
        "blocks.1.goal",
        "blocks.2.scenarios",
        "blocks.3.goal",
        "blocks.4.segment",
        "blocks.5.text",
        "blocks.6",
    }
    report.refresh_from_db()
    assert [block["kind"] for block in report.blocks] == ["text"]


def test_what_the_plan_does_not_have_is_refused(shop: Workspace, make_report: MakeReport) -> None:
    report = make_report()
    blocks = [{"kind": "attribution", "params": {"model": ["data_driven"]}}]
    with pytest.raises(PlanRequired, match="Data-driven"):
        actions.change(report=report, by=None, **settings_of(report, blocks=blocks))


def test_a_report_that_is_gone_is_not_changed_nor_deleted_again(make_report: MakeReport, owner: User) -> None:
    report = make_report()
    actions.delete(report=Report.objects.get(), by=of(owner))
    with pytest.raises(NotFound):
        actions.change(report=report, by=None, **settings_of(report, name="New"))
    with pytest.raises(NotFound):
        actions.delete(report=report, by=of(owner))


def test_copies_have_names_of_their_own(shop: Workspace, owner: User, make_report: MakeReport) -> None:
    report = make_report("Review", "text", "attribution")
    first, second = (actions.duplicate(report=report, by=owner) for _ in range(2))
    assert (first.name, second.name) == ("Review (copy)", "Review (copy 2)")
    assert first.blocks == report.blocks
    assert last_event(shop).detail == {"copy_of": "Review"}
    assert first.created_by == owner


def test_the_name_of_a_copy_is_no_longer_than_a_name_may_be(make_report: MakeReport) -> None:
    copy = actions.duplicate(report=make_report("x" * 100), by=None)
    assert copy.name == f"{'x' * 93} (copy)"


def test_schedules_go_with_their_report_and_editions_stay(shop: Workspace, owner: User) -> None:
    rows = add_rows(shop)
    actions.delete(report=rows.report, by=of(owner))
    assert not Schedule.objects.exists()
    assert Edition.objects.get().report is None
    event = last_event(shop)
    assert (event.action, event.target, event.detail) == (
        "report.deleted",
        "Monthly review",
        {"schedules": ["Monthly review"]},
    )


@pytest.mark.usefixtures("figures")
def test_a_preview_is_about_the_period_as_it_is_today(owner: User, make_report: MakeReport) -> None:
    report = make_report("Review", "dashboard", period="previous_month")
    edition = made(actions.preview(report=report, by=owner, ring=False))
    assert (str(edition.start), str(edition.end)) == ("2026-03-01", "2026-03-31")
    assert (edition.report, edition.title, edition.requested_by) == (report, "Review", owner)
    assert edition.job.status == "done"


def test_there_is_no_preview_of_nothing(owner: User, make_report: MakeReport) -> None:
    with pytest.raises(Invalid, match="Add a block first"):
        actions.preview(report=make_report(), by=owner)


def test_a_name_is_suggested_that_is_free(shop: Workspace, make_report: MakeReport) -> None:
    assert actions.free_name(shop, "Review") == "Review"
    make_report("review")
    make_report("Review 2")
    assert actions.free_name(shop, "Review") == "Review 3"
