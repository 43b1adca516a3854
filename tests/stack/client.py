"""What the tests do to the product, from one process: commands come as JSON lines and so do the answers."""

import json
import sys
from collections.abc import Callable
from threading import Barrier, Thread

import django


def prepare() -> None:
    """Create the workspace that everything happens in."""
    from accounts.models import Workspace

    Workspace.objects.create(name="Stack", slug="stack")


def ask(name: str, times: int = 1, *, poison: bool = False) -> list[str]:
    """Ask the same question `times` times at once, each on a connection of its own; return the runs' ids."""
    from django.db import connection

    from accounts.models import Workspace
    from analyses.models import Run
    from analyses.runs import request_run

    workspace = Workspace.objects.get(slug="stack")
    connection.close()
    at_once = Barrier(times)
    answers: list[str] = []

    def request() -> None:
        at_once.wait()
        params = {"name": name, "poison": poison}
        run = request_run(workspace=workspace, kind="slow", params=params, by=None, trigger=Run.Trigger.API)
        answers.append(str(run.pk))
        connection.close()

    threads = [Thread(target=request) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def cancel(name: str) -> bool:
    """Ask the question's job to stop."""
    from analyses.models import Run
    from jobs.actions import request_cancel

    return request_cancel(job=Run.objects.get(params__name=name).job, by=None)


def fit(seed: int) -> str:
    """Ask what media brought in a small market, whose data are added if they are not there yet; return the run's id."""
    from accounts.models import Workspace
    from analyses.models import Run
    from analyses.runs import request_run
    from marketing.models import Outcome
    from tests.weightings import markets

    workspace = Workspace.objects.get(slug="stack")
    if not Outcome.objects.filter(workspace=workspace).exists():
        markets.add_outcome(workspace)
        markets.add_spend(workspace)
    params = {"seed": seed, "folds": 6, "short_allowed": "yes"}
    run = request_run(workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.API)
    return str(run.pk)


def cancel_fit(seed: int) -> bool:
    """Ask the job of the fit with this seed to stop."""
    from analyses.models import Run
    from jobs.actions import request_cancel

    return request_cancel(job=Run.objects.get(kind="weightings", params__seed=seed).job, by=None)


def sign_in() -> str:
    """Return the session of an owner of the workspace, who is made if there is none, and whose market has data."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import Membership, Role, User, Workspace
    from marketing.models import Outcome
    from tests.weightings import markets

    workspace = Workspace.objects.get(slug="stack")
    if not Outcome.objects.filter(workspace=workspace).exists():
        markets.add_outcome(workspace)
        markets.add_spend(workspace)
    owner = User.objects.filter(email="owner@example.com").first()
    if owner is None:
        owner = User.objects.create_user("owner@example.com", "a long enough password")
        Membership.objects.create(user=owner, workspace=workspace, role=Role.OWNER)
    browser = Client()
    browser.force_login(owner)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def ring(name: str, times: int) -> None:
    """Deliver the doorbell of the question's job `times` times more."""
    from analyses.models import Run
    from jobs.actions import ring_doorbell

    job = Run.objects.get(params__name=name).job
    for _ring in range(times):
        ring_doorbell(job)


def schedule(name: str, recipients: list[str], in_seconds: float) -> str:
    """Have a report of a few words go out daily, and be due so many seconds from now; return the schedule's id."""
    import datetime as dt

    from django.utils import timezone

    from accounts.models import Membership, Workspace
    from reports.models import Recipient, Report, Schedule

    workspace = Workspace.objects.get(slug="stack")
    sign_in()
    words = {"id": "words", "kind": "text", "title": "What happened", "params": {"text": f"This is {name}."}}
    report = Report.objects.create(workspace=workspace, name=name, period="yesterday", blocks=[words])
    made = Schedule.objects.create(
        workspace=workspace,
        name=name,
        report=report,
        period="yesterday",
        formats=["pdf"],
        frequency=Schedule.Frequency.DAILY,
        time=dt.time(9),
        zone="Europe/Berlin",
        next_run_at=timezone.now() + dt.timedelta(seconds=in_seconds),
        created_by=Membership.objects.get(workspace=workspace).user,
    )
    Recipient.objects.bulk_create([Recipient(schedule=made, email=email) for email in recipients])
    return str(made.pk)


COMMANDS: dict[str, Callable[..., object]] = {
    "prepare": prepare,
    "ask": ask,
    "cancel": cancel,
    "ring": ring,
    "fit": fit,
    "cancel_fit": cancel_fit,
    "sign_in": sign_in,
    "schedule": schedule,
}

if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        command, arguments, options = json.loads(line)
        print(json.dumps(COMMANDS[command](*arguments, **options)), flush=True)  # noqa: T201 (it answers the test)
