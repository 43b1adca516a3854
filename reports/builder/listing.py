"""What the list of reports shows; all queries and wording are finished here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.urls import reverse

from accounts.models import Workspace
from analyses.presenters import State
from marketing.periods import Period
from mmm_project import formats
from reports.blocks.definition import KINDS
from reports.blocks.relative_periods import PERIODS
from reports.blocks.templates import TEMPLATES
from reports.builder.edition_page import made_line, state_of, url_of
from reports.models import Edition, Report

EMPTY = "empty"  # in the place of a template: no blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRow:
    """An edition as a line of a list."""

    title: str
    url: str
    period: str
    made: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A report as a line of the list. `last`: the newest of its editions."""

    report: Report
    url: str
    blocks: str
    period: str
    campaign: str
    schedules: str
    last: EditionRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCard:
    """Something to begin with. `campaign`: said where it is about one campaign."""

    label: str
    purpose: str
    blocks: Sequence[str]
    period: str
    url: str
    for_campaign: bool = False


def present_reports(workspace: Workspace) -> list[ReportRow]:
    """Return the workspace's reports by name, each with its newest edition; in two queries."""
    newest = Edition.objects.filter(report=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    related = Report.objects.filter(workspace=workspace).select_related("campaign")
    reports = list(related.annotate(schedule_count=Count("schedules"), newest=Subquery(newest)))
    ids = [report.newest for report in reports]
    editions = {edition.report_id: present_row(edition) for edition in editions_of(workspace).filter(pk__in=ids)}
    return [
        ReportRow(
            report=report,
            url=reverse("reports:report", kwargs={"slug": workspace.slug, "report_id": report.pk}),
            blocks=" · ".join(block["title"] for block in report.blocks) or "No blocks yet",
            period=PERIODS.get(report.period, report.period),
            campaign=report.campaign.name if report.campaign else "",
            schedules=formats.count(report.schedule_count, "schedule") if report.schedule_count else "",
            last=editions.get(report.pk),
        )
        for report in reports
    ]


def editions_of(workspace: Workspace) -> QuerySet[Edition]:
    """Return the workspace's editions, the newest first, with what their rows say."""
    editions = Edition.objects.filter(workspace=workspace).defer("definition")
    return editions.select_related("workspace", "job", "requested_by")


def present_rows(editions: Iterable[Edition]) -> list[EditionRow]:
    return [present_row(edition) for edition in editions]


def present_row(edition: Edition) -> EditionRow:
    """Return an edition as a line of a list."""
    return EditionRow(
        title=edition.title,
        url=url_of(edition, edition.workspace.slug),
        period=Period(edition.start, edition.end).label,
        made=made_line(edition),
        state=state_of(edition),
    )


def template_cards(workspace: Workspace) -> list[TemplateCard]:
    """Return what a report can begin with: the templates, and nothing."""
    begin = reverse("reports:new_report", kwargs={"slug": workspace.slug})
    cards = [
        TemplateCard(
            label=template.label,
            purpose=template.purpose,
            blocks=[f"{KINDS[block['kind']].label}: {block['title']}" for block in template.blocks],
            period=PERIODS[template.period],
            url=f"{begin}?template={name}",
            for_campaign=template.for_campaign,
        )
        for name, template in TEMPLATES.items()
    ]
    empty = TemplateCard(
        label="Empty report",
        purpose="Choose every block yourself.",
        blocks=[],
        period="",
        url=f"{begin}?template={EMPTY}",
    )
    return [*cards, empty]


def schedule_url(report: Report) -> str:
    """Return where a schedule of the report is set up."""
    return f"{reverse('reports:schedule_new', kwargs={'slug': report.workspace.slug})}?report={report.pk}"
