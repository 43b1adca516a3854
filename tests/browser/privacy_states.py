"""Privacy and the workspace as a whole with something in them: past requests, one on its way, an export to fetch."""

from accounts.models import User, Workspace
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from marketing import privacy
from marketing.models import Customer
from reports.workspace_export import request_export


def privacy_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Ask for customers' data and for an export; return what arguments of URLs stand for."""
    shown = Customer.objects.filter(workspace=shop, touchpoints__isnull=False, conversions__isnull=False).latest("pk")
    # Customers without rows: erasing one changes no figure of the other pages.
    erased, waiting, failed = (Customer.objects.create(pk=pk, workspace=shop) for pk in (2**62 + 1, 2**61, 2**60 + 7))
    "".join(privacy.export_customer(customer=shown, by=owner))
    execute(job_id=privacy.request_erasure(customer=erased, by=owner, ring=False).pk)
    lost = privacy.request_erasure(customer=failed, by=owner, ring=False)
    job_actions.end(
        job=lost, status=Job.Status.FAILED, sentence="The server's storage is full. Free some, then try again."
    )
    execute(job_id=request_export(workspace=shop, by=owner, ring=False).pk)
    privacy.request_erasure(customer=waiting, by=owner, ring=False)
    return {"customer_id": shown.pk}


def export_under_way(workspace: Workspace, owner: User) -> None:
    """Have an export of the workspace half done."""
    job = request_export(workspace=workspace, by=owner, ring=False)
    job_actions.claim(job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(phase="Writing rows", progress=0.4)
