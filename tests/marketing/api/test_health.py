"""Data health in the API: the report that the page shows."""

import pytest
from django.test import Client

from accounts.models import Workspace
from jobs.actions import submit
from jobs.execution import execute
from marketing.health.reports import JOB_KIND, kept_report
from tests.marketing.api.conftest import API, Importer

pytestmark = pytest.mark.usefixtures("media_root")


def look(workspace: Workspace) -> None:
    execute(job_id=submit(workspace=workspace, kind=JOB_KIND, ring=False).pk)


def test_there_is_nothing_to_report_on(program: Client) -> None:
    said = program.get(f"{API}/data-health/").json()
    assert said == {
        "workspace": "acme", "status": "empty", "computed_at": None, "is_outdated": False, "first_day": None,
        "last_day": None, "seen": None, "readiness": [], "findings": [], "datasets": [], "series": [],
    }  # fmt: skip


def test_the_first_report_is_on_its_way(program: Client, import_rows: Importer) -> None:
    import_rows("spend", "date,channel,spend\n2026-03-01,TV,5\n")
    assert program.get(f"{API}/data-health/").json()["status"] == "preparing"


def test_the_report_is_that_of_the_page(shop: Workspace, program: Client, import_rows: Importer) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel\nann,2026-03-01T10:00Z,Email\n")
    import_rows("spend", "date,channel,spend\n2026-03-01,TV,5\n")
    look(shop)
    kept = kept_report(workspace=shop)
    assert kept is not None
    assert kept.report is not None
    said = program.get(f"{API}/data-health/").json()
    assert (said["status"], said["is_outdated"], said["seen"]["touches"]) == ("ready", False, 1)
    assert [finding["sentence"] for finding in said["findings"]] == [each.sentence for each in kept.report.findings]
    assert {each["code"]: each["status"] for each in said["readiness"]}["attribution"] == "blocked"
    blocked = next(each for each in said["readiness"] if each["code"] == "media_mix")
    assert "blocked" in {need["status"] for need in blocked["needs"]}
    assert {each["dataset"] for each in said["datasets"]} >= {"touchpoints", "spend"}
    days = kept.report.last_day - kept.report.first_day
    assert {len(each["states"]) for each in said["series"]} == {days.days + 1}
    assert program.get(f"{API}/data-health/?fields=status,readiness").json() == {
        "status": "ready",
        "readiness": said["readiness"],
    }
    import_rows("spend", "date,channel,spend\n2026-03-02,TV,5\n")
    assert program.get(f"{API}/data-health/").json()["is_outdated"] is True
