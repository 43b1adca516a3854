"""Reports and editions in every state: with blocks of every kind and with none; made, on its way, failed."""

from collections.abc import Mapping

from accounts.models import User, Workspace
from analyses.models import Run
from jobs.execution import execute
from marketing.models import Campaign
from reports.builder import actions
from reports.models import Edition, Report
from weightings.models import Scenario


def report_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Keep a report with every kind of block, and a finished edition of another; return what arguments stand for."""
    review = actions.create(workspace=shop, name="Monthly marketing review", template="monthly_review", by=owner)
    scenarios = list(Scenario.objects.filter(workspace=shop).values_list("pk", flat=True))
    block = {"kind": "scenarios", "title": "What could be moved", "params": {"scenarios": scenarios}}
    settings = {name: getattr(review, name) for name in ("name", "period", "comparison", "campaign")}
    actions.change(report=review, blocks=[*review.blocks, block], by=owner, **settings)
    about = actions.create(
        workspace=shop,
        name="What came of the campaign whose name is so long that it has to be cut somewhere on a phone",
        template="post_campaign",
        campaign=Campaign.objects.filter(workspace=shop).order_by("pk")[0],
        by=owner,
    )
    about.blocks[0]["params"]["text"] = "It was to bring people back.\nIt did."
    about.save()
    return {"report_id": review.pk, "edition_id": _made(about, owner).pk}


def report_cases(shop: Workspace, owner: User) -> dict[str, Mapping[str, object]]:
    """Keep a report without blocks, an edition on its way, and one of which nothing came; return their arguments."""
    empty = actions.create(workspace=shop, name="Empty", by=owner)
    weekly = actions.create(workspace=shop, name="Weekly", template="weekly_performance", by=owner)
    waiting = actions.preview(report=weekly, by=owner, ring=False)
    failed = actions.preview(report=weekly, by=owner, ring=False)
    problem = "There is nothing to credit: import conversions first."
    failed.definition["blocks"] = [failed.definition["blocks"][1] | {"run": None, "problem": problem}]
    failed.save()
    execute(job_id=failed.job_id)
    return {
        "of no blocks": {"slug": shop.slug, "report_id": empty.pk},
        "on its way": {"slug": shop.slug, "edition_id": waiting.pk},
        "of nothing": {"slug": shop.slug, "edition_id": failed.pk},
    }


def _made(report: Report, owner: User) -> Edition:
    edition = actions.preview(report=report, by=owner, ring=False)
    for run_id in (block["run"] for block in edition.definition["blocks"] if block["run"]):
        execute(job_id=Run.objects.get(pk=run_id).job_id)
    execute(job_id=edition.job_id)
    return edition
