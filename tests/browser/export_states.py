"""Files that are prepared in the background: one ready, one on its way, one that failed."""

from collections.abc import Mapping

from accounts.models import User
from analyses.models import Run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from reports.exports.background import request_file


def export_arguments(run: Run, owner: User) -> dict[str, object]:
    """Prepare a workbook of the run; return what arguments of URLs stand for."""
    ready = request_file(run=run, form="xlsx", paper="", by=owner, ring=False)
    execute(job_id=ready.job_id)
    return {"file_id": ready.pk}


def export_cases(run: Run, owner: User) -> dict[str, Mapping[str, object]]:
    """Begin a presentation and a PDF of the run; return their arguments."""
    under_way = request_file(run=run, form="pptx", paper="", by=owner, ring=False)
    job_actions.claim(job_id=under_way.job_id)
    Job.objects.filter(pk=under_way.job_id).update(phase="Writing the PowerPoint file", progress=0.2)
    failed = request_file(run=run, form="pdf", paper="", by=owner, ring=False)
    sentence = "The server's storage is full. Free some, then try again."
    job_actions.end(job=failed.job, status=Job.Status.FAILED, sentence=sentence)
    return {
        "file under way": {"slug": run.workspace.slug, "file_id": under_way.pk},
        "file that failed": {"slug": run.workspace.slug, "file_id": failed.pk},
    }
