"""An installation that is looked at, backed up, lost and restored: each life is a process of its own.

`python -m tests.operations.backup_world build FOLDER` and, as another installation with the same keys, `restore
FOLDER`. Both write all that they see to FOLDER.
"""

import datetime as dt
import json
import re
import sys
import tempfile
from pathlib import Path

import django
import time_machine

SLUG = "shop"
ARCHIVE = "backup.tar.zst"
KEY = "key"
UNLIKE_EACH_TIME = re.compile(
    rb'name="csrfmiddlewaretoken" value="[^"]+"|"X-CSRFToken": ?"[^"]+"|&quot;X-CSRFToken&quot;: ?&quot;[^&]+&quot;'
)
PAGES = (
    "dashboard/",
    "dashboard/?period=last_30&compare=previous&model=linear",
    "dashboard/export.csv",
    "dashboard/export.json",
    "crosschannel/",
    "weightings/",
    "data/",
    "settings/goals/",
)
# These say what is under way, and that touches are being counted until snapshots are built again.
LATER = ("runs/", "attribution/", "settings/channels/")


def main() -> None:
    django.setup()
    deed, folder = sys.argv[1], Path(sys.argv[2])
    {"build": build, "restore": restore}[deed](folder)


def build(folder: Path) -> None:
    """Make the installation, and let it live until it is lost."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    live(folder)


def live(folder: Path) -> None:
    """Fill the installation, look at it, back it up, and let it go on for a while."""
    from django.core.management import call_command

    _fill(folder)
    at = dt.datetime.now(dt.UTC)
    seen = look(folder, at)
    begun = _begin()
    call_command("backup", to=folder / ARCHIVE)
    later = go_on(folder, begun, at)
    (folder / "before.json").write_text(
        json.dumps({"at": at.isoformat(), "begun": begun, "seen": seen, "later": later})
    )


def restore(folder: Path) -> None:
    """Restore it, look at it at the same moment, and let it go on."""
    from django.core.management import call_command

    from jobs.models import Job

    call_command("restore", path=folder / ARCHIVE)
    before = json.loads((folder / "before.json").read_text())
    begun, at = before["begun"], dt.datetime.fromisoformat(before["at"])
    waiting = Job.objects.filter(pk=begun, status=Job.Status.QUEUED, attempt=0)
    assert waiting.exists()
    seen = look(folder, at)
    (folder / "after.json").write_text(json.dumps({"seen": seen, "later": go_on(folder, begun, at)}))


def differences(folder: Path) -> dict[str, tuple[object, object]]:
    """What was seen before the loss and after the restore where that is not the same; fails if little was seen."""
    before, after = (json.loads((folder / f"{life}.json").read_text()) for life in ("before", "after"))
    assert len(before["seen"]) > 25
    everything = before["seen"].keys() | after["seen"].keys()
    found = {name: (before["seen"].get(name), after["seen"].get(name)) for name in everything}
    found["later"] = (before["later"], after["later"])
    return {name: (one, other) for name, (one, other) in found.items() if one != other}


def go_on(folder: Path, job_id: int, at: dt.datetime) -> dict[str, object]:
    """Carry out the run that was under way, for which snapshots are built again; return what came of it."""
    from analyses import artifacts
    from analyses.models import Run
    from jobs.actions import release
    from jobs.execution import execute
    from jobs.models import Job

    for job in Job.objects.filter(pk=job_id, status=Job.Status.RUNNING):
        release(job=job, counted=False)
    execute(job_id=job_id)
    run = Run.objects.select_related("job").get(job=job_id)
    assert run.job.status == Job.Status.DONE, run.job.error
    arrays = {name: array.tolist() for name, array in artifacts.read(run).items()}
    return {"result": run.result, "arrays": arrays} | _answers(folder, [f"/w/{SLUG}/{page}" for page in LATER], at)


def look(folder: Path, at: dt.datetime) -> dict[str, str]:
    """Return what pages, exports and the API answer at a moment, and what is stored: address -> text."""
    from analyses.models import Run
    from jobs.models import Job
    from reports.editions.snapshots import as_json, document_of
    from reports.models import Edition

    runs = list(Run.objects.filter(job__status=Job.Status.DONE).order_by("pk"))
    addresses = [f"/w/{SLUG}/{page}" for page in PAGES]
    for run in (run for run in runs if run.kind in ("attribution", "crosschannel", "weightings")):  # those with pages
        page = f"/w/{SLUG}/runs/{run.pk}/"
        addresses += [page, f"{page}export.csv", f"{page}export.json", f"/api/v1/runs/{run.pk}/"]
    editions = list(Edition.objects.all())
    addresses += [f"/w/{SLUG}/editions/{edition.pk}/" for edition in editions]
    addresses += ["/api/v1/runs/?status=done", "/api/v1/dashboard/", "/api/v1/channels/", "/api/v1/imports/"]
    seen = {f"stored {run.pk}": json.dumps(run.result) for run in runs}
    seen |= {f"document {edition.pk}": as_json(document_of(edition)) for edition in editions}
    return seen | _answers(folder, addresses, at)


def _answers(folder: Path, addresses: list[str], at: dt.datetime) -> dict[str, str]:
    """Ask as the owner, and at the API with the key of before; return address -> text, but for what is random."""
    from django.test import Client

    from accounts.models import User

    seen = {}
    with time_machine.travel(at, tick=False):
        browser = Client(headers={"host": "localhost"})
        browser.force_login(User.objects.get(email="owner@example.com"))
        program = {"host": "localhost", "authorization": f"Bearer {(folder / KEY).read_text()}"}
        for address in addresses:
            who = Client(headers=program) if address.startswith("/api/") else browser
            answer = who.get(address)
            assert answer.status_code == 200, (address, answer.status_code)
            seen[address] = UNLIKE_EACH_TIME.sub(b"", answer.getvalue()).decode()
    return seen


def _fill(folder: Path) -> None:
    """A shop with data, runs of every kind, a model's posterior, an edition and a look of its own."""
    from accounts.actions import create_workspace, set_plan
    from accounts.api_key_actions import create_api_key
    from accounts.models import User, Workspace
    from analyses.models import Run
    from analyses.runs import request_run
    from attribution.cube.daily_cube import refresh_cube
    from jobs.execution import execute
    from reports.builder import actions as reports
    from reports.models import Branding
    from tests.browser.world import import_some_months
    from tests.weightings.stored_runs import a_stored_run

    owner = User.objects.create_user("owner@example.com", "a long enough password")
    shop = create_workspace(name="Harbour & Finch", slug=SLUG, owner=owner)
    set_plan(workspace=shop, plan="professional", by=None)
    shop = Workspace.objects.get(pk=shop.pk)
    with tempfile.TemporaryDirectory() as files:
        import_some_months(shop, Path(files))
    execute(job_id=refresh_cube(workspace=shop, ring=False).job_id)

    def ask(kind: str, **params: object) -> Run:
        return request_run(workspace=shop, kind=kind, params=params, by=owner, trigger=Run.Trigger.PAGE, ring=False)

    for kind, params in (
        ("attribution", {"model": ["linear", "last"]}),
        ("attribution", {"model": ["last", "shapley:simplified"], "dimension": "campaign"}),
        ("crosschannel", {}),
    ):
        execute(job_id=ask(kind, **params).job_id)
    a_stored_run(shop)
    Branding.objects.create(workspace=shop, logo=b"\x89PNG not looked at", colour="#123456")
    report = reports.create(workspace=shop, name="Weekly", template="weekly_performance", by=owner)
    edition = reports.preview(report=report, by=owner, ring=False)
    for block in edition.definition["blocks"]:
        if block["run"]:
            execute(job_id=Run.objects.get(pk=block["run"]).job_id)
    execute(job_id=edition.job_id)
    (folder / KEY).write_text(
        create_api_key(
            workspace=shop, created_by=owner, name="Looks", scopes=["runs:read", "reports:read", "data:read"]
        )[1]
    )


def _begin() -> int:
    """Let a worker begin with a run; return the job."""
    from accounts.models import User, Workspace
    from analyses.models import Run
    from analyses.runs import request_run
    from jobs.actions import claim

    begun = request_run(
        workspace=Workspace.objects.get(slug=SLUG),
        kind="attribution",
        params={"model": ["time_decay", "linear"], "window_days": 14},
        by=User.objects.get(email="owner@example.com"),
        trigger=Run.Trigger.PAGE,
        ring=False,
    )
    claim(job_id=begun.job_id)
    return begun.job_id


if __name__ == "__main__":
    main()
