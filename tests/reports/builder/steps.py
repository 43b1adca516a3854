"""What tests of reports do again and again."""

from typing import Any

from django.forms.boundfield import BoundField

from analyses.models import Run
from jobs.execution import execute
from reports.builder.forms import ReportForm
from reports.models import Edition, Report


def made(edition: Edition) -> Edition:
    """Carry out an edition's runs and its own job, and return it as it is then."""
    for run_id in (block["run"] for block in edition.definition["blocks"] if block["run"]):
        execute(job_id=Run.objects.get(pk=run_id).job_id)
    execute(job_id=edition.job_id)
    return Edition.objects.select_related("job", "workspace").get(pk=edition.pk)


def fields_of(report: Report, **other: Any) -> dict[str, Any]:
    """What a browser sends of the report's form as it stands there; `other`: fields that somebody has changed."""
    form = ReportForm(report=Report.objects.get(pk=report.pk))
    sent: dict[str, Any] = {"block": [f"{block.key}:{block.kind}" for block in form.blocks]}
    for part in (form.head, *form.blocks):
        sent |= {field.html_name: _value(field) for field in part}
    return sent | other


def _value(field: BoundField) -> Any:
    value = field.value()
    return value if isinstance(value, list) else "" if value is None else str(value)
