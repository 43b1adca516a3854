"""Files on their way to an import, for tests of the steps."""

import datetime as dt
import io
from pathlib import Path

from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import uploads
from marketing.models import Import, Upload

# A hundred rows as an advertising account exports them, three of which cannot be imported.
GOOD_DAYS = [str(dt.date(2026, 1, 1) + dt.timedelta(days=place)) for place in range(100)]
SPEND_HEADER = "Day,Channel,Campaign,Cost,Impr.,Clicks\n"


def spend_file() -> str:
    """A hundred rows of spend, of which rows 12, 40 and 77 of the file are bad."""
    rows = [f"{day},Paid Search,Brand,{place}.50,{place}00,{place}\n" for place, day in enumerate(GOOD_DAYS, start=1)]
    rows[10] = rows[10].replace("11.50", "-11.50")
    rows[38] = rows[38].replace("39.50", "n/a")
    rows[75] = rows[75].replace(GOOD_DAYS[75], "2026-02-30")
    return SPEND_HEADER + "".join(rows)


def start(workspace: Workspace, content: str | bytes, *, name: str = "rows.csv", by: User | None = None) -> Upload:
    """Upload a file of this content."""
    raw = content.encode() if isinstance(content, str) else content
    return uploads.start_upload(
        workspace=workspace, file=io.BytesIO(raw), file_name=name, by=by, origin=Import.Origin.PAGE
    )


def check(upload: Upload) -> Upload:
    """Have every row checked, as a worker does, and return the upload with what was found."""
    execute(job_id=uploads.request_check(upload=upload, ring=False).pk)
    return reloaded(upload)


def bring_in(upload: Upload, *, by: User | None = None, again: bool = False) -> Import:
    """Import the valid rows, as a worker does, and return the import as it ended."""
    batch = uploads.import_valid_rows(upload=upload, by=by, again=again, ring=False)
    execute(job_id=batch.job_id)
    return Import.objects.select_related("job").get(pk=batch.pk)


def reloaded(upload: Upload) -> Upload:
    return Upload.objects.select_related("workspace", "check_job", "batch").get(pk=upload.pk)


def work() -> None:
    """Carry out what waits, as a worker does, until nothing moves."""
    for _round in range(3):
        for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
            execute(job_id=job.pk)


def kept_below(media_root: Path) -> list[str]:
    """The files of uploads and imports, by their endings."""
    return sorted(path.name.partition(".")[2] for path in (media_root / "imports").rglob("*") if path.is_file())
