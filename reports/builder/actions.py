"""Everything that people do to reports. Nothing else writes Report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ApiKey, Membership, User, Workspace
from marketing.models import Campaign
from marketing.period_choice import Comparison
from marketing.periods import Period
from mmm_project.problems import Conflict, Invalid, NotFound
from reports.blocks.definition import Block, clean_blocks, today
from reports.blocks.relative_periods import DEFAULT, PERIODS, period_of
from reports.blocks.templates import TEMPLATES
from reports.editions.actions import request_edition
from reports.models import Edition, Report, Schedule
from reports.schedules.actions import delete_schedules, may_change

LONGEST_NAME = 100
MOST = 200  # of a workspace
GONE = "There is no such report in this workspace."
NAME_TAKEN = "There is a report of this name already."
WHICH_CAMPAIGN = "Choose the campaign that this report is about."


def get(*, workspace: Workspace, report_id: int) -> Report:
    """Return a report of the workspace. Raises NotFound."""
    found = Report.objects.select_related("workspace", "campaign", "created_by")
    report = found.filter(workspace=workspace, pk=report_id).first() if report_id < 2**63 else None
    if report is None:
        raise NotFound(GONE)
    return report


def period_now(workspace: Workspace, name: str) -> Period:
    """Return the days that a relative period means today. Raises ValueError for a name that is none."""
    return period_of(name, today=today(workspace, timezone.now()), week_start=workspace.week_start)


def create(
    *,
    workspace: Workspace,
    name: str,
    by: User | None,
    template: str = "",
    period: str = "",
    comparison: str = "",
    campaign: Campaign | None = None,
    blocks: Sequence[Block] | None = None,
    api_key: ApiKey | None = None,
) -> Report:
    """Begin a report with these blocks, or those of a template, or with none. Raises PlanRequired and Invalid.

    `period`, `comparison`: "" for those of the template. Of Invalid, `errors` are by field, as `change` has them.
    """
    begun = TEMPLATES.get(template)
    if template and begun is None:
        _refuse("template", f"There is no template “{template[:40]}”. Templates: {', '.join(TEMPLATES)}.")
    if begun is not None and blocks is not None:
        _refuse("blocks", "A template brings its own blocks: give one or the other.")
    if begun is not None and begun.for_campaign and campaign is None and has_campaigns(workspace):
        _refuse("campaign", WHICH_CAMPAIGN)
    period = period or (begun.period if begun else DEFAULT)
    comparison = comparison or (begun.comparison if begun else Comparison.PREVIOUS)
    if blocks is None:
        blocks = [{"id": f"b{number}", **block} for number, block in enumerate(begun.blocks if begun else (), start=1)]
    wanted = _settings(workspace, name, period, comparison, campaign, blocks)
    report = Report(workspace=workspace, template=template, created_by=by, **wanted)
    return _create(report, by, api_key, {"template": template} if template else {})


def change(
    *,
    report: Report,
    name: str,
    period: str,
    comparison: str,
    campaign: Campaign | None,
    blocks: Sequence[Block] | None,
    by: User | None,
    api_key: ApiKey | None = None,
) -> None:
    """Give a report these settings and blocks (None: leave its blocks alone); its editions stay as they were made.

    Raises Invalid with `errors` by field, those of a block by "blocks.<place>", and PlanRequired.
    """
    wanted = _settings(report.workspace, name, period, comparison, campaign, blocks)
    before = {field: _plain(getattr(report, field)) for field in wanted}
    after = {field: _plain(value) for field, value in wanted.items()}
    if changed := [field for field in wanted if before[field] != after[field]]:
        with transaction.atomic():
            locked = Report.objects.select_for_update().filter(pk=report.pk).first()
            if locked is None:
                raise NotFound(GONE)
            for field in changed:
                setattr(locked, field, wanted[field])
            detail = {"changes": audit.changes_between(before, {field: after[field] for field in changed})}
            _save(locked, "report.changed", by, api_key, detail, fields=[*changed, "updated_at"])


def duplicate(*, report: Report, by: User | None, api_key: ApiKey | None = None) -> Report:
    """Copy a report under a name that is free; schedules stay with the first. Raises Invalid."""
    name = _free(report.workspace, report.name, (" (copy)", *(f" (copy {number})" for number in range(2, MOST + 2))))
    copied = {field: getattr(report, field) for field in ("template", "period", "comparison", "campaign", "blocks")}
    copy = Report(workspace=report.workspace, name=name, created_by=by, **copied)
    return _create(copy, by, api_key, {"copy_of": report.name})


def delete(*, report: Report, by: Membership, api_key: ApiKey | None = None) -> None:
    """Remove a report and the schedules that send it; its editions stay.

    Raises NotFound where it is gone already, and Conflict where one of the schedules is not theirs to delete.
    """
    with transaction.atomic():
        # In the order in which others lock them: what completes an edition its schedules, what schedules a report the
        # workspace's names before the report.
        list(Edition.objects.select_for_update(no_key=True).filter(report=report.pk).values_list("pk"))
        sending = Schedule.objects.select_for_update(of=("self",), no_key=True).filter(report=report.pk)
        schedules = list(sending.select_related("workspace", "created_by").order_by("name", "pk"))
        if refusal := in_the_way(schedules, by):
            raise Conflict(refusal)
        delete_schedules(schedules, by=by, with_report=report, api_key=api_key)
        Workspace.objects.select_for_update(no_key=True).get(pk=report.workspace_id)
        locked = Report.objects.select_for_update().filter(pk=report.pk).first()
        if locked is None:
            raise NotFound(GONE)
        if locked.schedules.exists():
            raise Conflict("A schedule has just been set up that sends it. Look again.")
        names = [schedule.name for schedule in schedules]
        audit.record(
            workspace=report.workspace,
            action="report.deleted",
            target=locked.name,
            actor=by.user,
            api_key=api_key,
            schedules=names,
        )
        locked.delete()


def in_the_way(schedules: Iterable[Schedule], by: Membership) -> str:
    """Say which of the schedules of a report keep a member from deleting it; "" where none does."""
    names = [f"“{schedule.name}”" for schedule in schedules if not may_change(schedule, by)]
    if not names:
        return ""
    *others, last = names
    listed = f"{', '.join(others)} and {last} send it and were" if others else f"{last} sends it and was"
    return f"{listed} set up by somebody else. Whoever did so, or an owner or admin of the workspace, can delete it."


def preview(
    *,
    report: Report,
    by: User,
    trigger: Edition.Trigger = Edition.Trigger.PAGE,
    api_key: ApiKey | None = None,
    ring: bool = True,
) -> Edition:
    """Ask for an edition of the report as it is, about its period as it is today. Raises Invalid and PlanRequired."""
    if not report.blocks:
        raise Invalid("Add a block first: there is nothing to preview.")
    return request_edition(
        workspace=report.workspace,
        title=report.name,
        blocks=report.blocks,
        period=period_now(report.workspace, report.period),
        comparison=report.comparison,
        campaign=report.campaign,
        report=report,
        by=by,
        trigger=trigger,
        api_key=api_key,
        ring=ring,
    )


def has_campaigns(workspace: Workspace) -> bool:
    """Whether there is a campaign that a report can be about."""
    return Campaign.objects.filter(workspace=workspace).exclude(name="").exists()


def free_name(workspace: Workspace, name: str) -> str:
    """Return the name, or the same with a number where there is a report of it already."""
    return _free(workspace, name, ("", *(f" {number}" for number in range(2, MOST + 2))))


def _free(workspace: Workspace, name: str, endings: Iterable[str]) -> str:
    """Return the name with the first of the endings with which it is free."""
    taken = {one.casefold() for one in Report.objects.filter(workspace=workspace).values_list("name", flat=True)}
    named = (f"{name[: LONGEST_NAME - len(ending)]}{ending}" for ending in endings)
    return next(one for one in named if one.casefold() not in taken)


def _settings(
    workspace: Workspace,
    name: str,
    period: str,
    comparison: str,
    campaign: Campaign | None,
    blocks: Sequence[Block] | None,
) -> dict[str, Any]:
    """The fields of a report, checked; without blocks if these are None. Raises Invalid with every mistake at once."""
    errors: dict[str, list[str]] = {}
    name = " ".join(name.split())
    if not name:
        errors["name"] = ["Give the report a name."]
    elif len(name) > LONGEST_NAME or not name.isprintable():
        errors["name"] = [f"A name has at most {LONGEST_NAME} characters, all of them readable."]
    if period not in PERIODS:
        errors["period"] = [f"“{period[:40]}” is not a period. Choose one of {', '.join(PERIODS)}."]
    if comparison not in list(Comparison):
        errors["comparison"] = [f"“{comparison[:40]}” is no comparison. Choose one of {', '.join(Comparison)}."]
    if campaign is not None and campaign.workspace_id != workspace.pk:
        errors["campaign"] = ["There is no such campaign in this workspace."]
    settings: dict[str, Any] = {"name": name, "period": period, "comparison": str(comparison), "campaign": campaign}
    if blocks is not None:
        try:
            usable = period_now(workspace, period if period in PERIODS else DEFAULT)
            settings["blocks"] = clean_blocks(workspace, blocks, period=usable)
        except Invalid as refusal:
            errors |= {field: list(said) for field, said in (refusal.errors or {"blocks": [refusal.detail]}).items()}
    if errors:
        raise Invalid(" ".join(sentence for said in errors.values() for sentence in said), errors=errors)
    return settings


def _refuse(field: str, sentence: str) -> NoReturn:
    raise Invalid(sentence, errors={field: [sentence]})


def _plain(value: Any) -> Any:
    """A value as two of them are compared: a campaign by its key."""
    return value.pk if isinstance(value, Campaign) else value


def _create(report: Report, by: User | None, api_key: ApiKey | None, detail: Mapping[str, Any]) -> Report:
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=report.workspace_id)  # so that two at once cannot pass the limit
        if Report.objects.filter(workspace=report.workspace_id).count() >= MOST:
            raise Invalid(f"A workspace keeps at most {MOST} reports. Delete one that is no longer needed.")
        _save(report, "report.created", by, api_key, detail)
    return report


def _save(
    report: Report,
    action: str,
    by: User | None,
    api_key: ApiKey | None,
    detail: Mapping[str, Any],
    *,
    fields: Sequence[str] | None = None,
) -> None:
    try:
        with transaction.atomic():
            report.save(update_fields=fields)
            audit.record(
                workspace=report.workspace, action=action, target=report.name, actor=by, api_key=api_key, **detail
            )
    except IntegrityError:
        raise Invalid(NAME_TAKEN, errors={"name": [NAME_TAKEN]}) from None
