"""Check every row of an uploaded file without writing any: what would an import of it bring, and what not, and why?"""

from typing import Any

from accounts import plans
from accounts.models import Workspace
from jobs.handlers import JobFailed
from jobs.models import Job
from jobs.progress import Progress
from marketing.importing import kept_files
from marketing.importing.actions import NO_ROWS, checker_for, days_of
from marketing.importing.dimensions import MAX_NEW_CHANNELS
from marketing.importing.errors import FileRejected
from marketing.importing.findings import Gathered
from marketing.importing.kept_rejects import keep_rejects
from marketing.importing.stored_rows import rows_stored
from marketing.importing.uploads import reading_of
from marketing.models import Upload
from mmm_project.problems import QuotaExceeded

CHANGED_MEANWHILE = "The settings of this file were changed while it was being checked. Check it again."


def run_check(job: Job, progress: Progress) -> None:
    """The job handler: stream through the file, and note what was found on the upload. Safe to repeat."""
    upload = Upload.objects.select_related("workspace").filter(check_job=job).first()
    if upload is None:
        raise JobFailed(CHANGED_MEANWHILE, code="superseded")
    try:
        found = _check(upload, progress)
    except FileNotFoundError as error:
        raise JobFailed(kept_files.IS_GONE, code="file_is_gone") from error
    except FileRejected as error:
        raise JobFailed(str(error), code="file_rejected") from error
    except QuotaExceeded as refusal:
        raise JobFailed(refusal.detail, code=refusal.code) from refusal
    progress.complete(lambda: _note(upload, job, found))


def _check(upload: Upload, progress: Progress) -> dict[str, Any]:
    workspace = upload.workspace
    checker = checker_for(
        workspace=workspace,
        path=kept_files.path_of(upload.stored_file),
        dataset=upload.dataset,
        mapping=upload.mapping,
        reading=reading_of(upload),
        layout=upload.layout,
    )
    gathered = Gathered(upload.dataset)
    stored = rows_stored(workspace)
    with keep_rejects(upload.stored_file, checker.header) as rejects:
        for rows in checker:
            first_day, last_day = days_of(rows, workspace)
            gathered.add(rows, first_day=first_day, last_day=last_day)
            rejects.write(rows.errors)
            plans.require_rows(workspace, stored=stored, added=gathered.valid)
            progress("Checking rows", rows.fraction)
    if not gathered.valid + gathered.rejected:
        raise FileRejected(NO_ROWS)
    _require_few_new_channels(gathered, workspace)
    return gathered.as_json(workspace) | {"warnings": list(checker.warnings)}


def _require_few_new_channels(gathered: Gathered, workspace: Workspace) -> None:
    """Refuse now what the import would refuse."""
    new = gathered.new_channels(workspace)
    if len(new) > MAX_NEW_CHANNELS:
        raise FileRejected(
            f"The file names {len(new):,} new channels, “{new[0]}” among them; {MAX_NEW_CHANNELS} at most are created "
            "at once. Is its column of channels the right one?"
        )


def _note(upload: Upload, job: Job, found: dict[str, Any]) -> None:
    """Keep what was found, unless the question has changed meanwhile."""
    current = Upload.objects.select_for_update().filter(pk=upload.pk, check_job=job).first()
    if current is None:
        raise JobFailed(CHANGED_MEANWHILE, code="superseded")
    current.findings = current.findings | {"rows": found}
    current.rejects_file = kept_files.rejects_of(current.stored_file) if found["rejected"] else ""
    current.save(update_fields=["findings", "rejects_file"])
