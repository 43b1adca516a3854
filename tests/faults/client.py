"""What is prepared within the product: `python -m tests.faults.client COMMAND`, with JSON on stdin and stdout."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from typing import Any

import django

SCOPES = [f"{what}:{may}" for what in ("data", "attribution", "weightings") for may in ("read", "write")]


def people(workspaces: int, questions: str = "questions") -> dict[str, Any]:
    """Make as many workspaces for data, one for questions, and their owner; return an API key of each by its slug."""
    from accounts.api_key_actions import create_api_key
    from accounts.models import Membership, Plan, Role, Subscription, User, Workspace

    plan, _ = Plan.objects.get_or_create(
        code="faults",
        defaults={"name": "Faults", "rank": 99, "features": ["data_driven"], "api_calls_a_minute": 1_000_000},
    )
    owner = User.objects.create_user(f"owner-of-{questions}@example.com", "a long enough password")
    keys = {}
    for slug in [*(f"data-{number}" for number in range(workspaces)), questions]:
        workspace = Workspace.objects.create(name=slug, slug=slug)
        Subscription.objects.create(workspace=workspace, plan=plan)
        Membership.objects.create(user=owner, workspace=workspace, role=Role.OWNER)
        _, keys[slug] = create_api_key(workspace=workspace, created_by=owner, name="faults", scopes=SCOPES)
    return keys


def recompute(kind: str) -> list[str]:
    """Answer the questions of the workspace anew, in calm; return the ids of runs whose stored result is another."""
    from accounts.models import Workspace
    from analyses import registry
    from analyses.models import Run

    class Calm:
        def __call__(self, _phase: str, _fraction: float) -> None: ...

    workspace = Workspace.objects.get(slug="questions")
    analysis = registry.get(kind)
    different = []
    for run in Run.objects.filter(workspace=workspace, kind=kind, void=False).iterator():
        answer = analysis.compute(workspace, run.params, Calm())  # type: ignore[arg-type]
        computed = json.loads(json.dumps(answer.result))
        # What a run keeps besides, such as the warnings about its data, is not computed.
        if not computed["models"] or any(run.result[name] != computed[name] for name in computed):
            different.append(str(run.pk))
    return different


def market(slug: str) -> None:
    """Add a small market, for media mix models, to a workspace."""
    from accounts.models import Workspace
    from tests.weightings import markets

    workspace = Workspace.objects.get(slug=slug)
    markets.add_outcome(workspace)
    markets.add_spend(workspace)


def enrich(slug: str) -> None:
    """Give a workspace of touchpoints a market as well, and ask all that there is to look at."""
    from accounts.models import Plan, Subscription, Workspace
    from analyses.models import Run
    from analyses.runs import request_run

    workspace = Workspace.objects.get(slug=slug)
    plan, _ = Plan.objects.get_or_create(
        code="load", defaults={"name": "Load", "rank": 99, "features": ["data_driven"], "api_calls_a_minute": 1_000_000}
    )
    Subscription.objects.update_or_create(workspace=workspace, defaults={"plan": plan})
    market(slug)
    of_2025 = {"start": "2025-01-01", "end": "2025-12-31"}
    fit_of_market = {"seed": 1, "folds": 6, "short_allowed": "yes"}
    for kind, params in (("attribution", of_2025), ("crosschannel", of_2025), ("weightings", fit_of_market)):
        request_run(workspace=workspace, kind=kind, params=params, by=None, trigger=Run.Trigger.API)


def watchers(slug: str, people: int) -> dict[str, Any]:
    """Add as many analysts to a workspace; return the cookies of each, and an API key."""
    from django.test import Client

    from accounts.api_key_actions import create_api_key
    from accounts.models import Membership, Role, User, Workspace

    workspace = Workspace.objects.get(slug=slug)
    signed_in = []
    for number in range(people):
        user = User.objects.create(email=f"analyst{number}@example.com", password="!")
        Membership.objects.create(user=user, workspace=workspace, role=Role.ANALYST)
        browser = Client()
        browser.force_login(user)
        signed_in.append({name: cookie.value for name, cookie in browser.cookies.items()})
    owner = Membership.objects.get(workspace=workspace, role=Role.OWNER).user
    _, key = create_api_key(workspace=workspace, created_by=owner, name="load", scopes=SCOPES)
    return {"people": signed_in, "key": key}


def sign_in(slug: str) -> dict[str, str]:
    """Return the cookies of a session of the workspace's owner."""
    from django.test import Client

    from accounts.models import Membership

    browser = Client()
    browser.force_login(Membership.objects.get(workspace__slug=slug).user)
    return {name: cookie.value for name, cookie in browser.cookies.items()}


def schedules(
    number: int,
    recipients: int,
    first_in_seconds: float,
    apart_seconds: float,
    slug: str = "questions",
    name: str = "Report",
) -> list[str]:
    """Have reports go out one after another to as many people each; return the schedules' ids."""
    from django.utils import timezone

    from accounts.models import Membership, Workspace
    from reports.models import Recipient, Report, Schedule

    workspace = Workspace.objects.get(slug=slug)
    owner = Membership.objects.get(workspace=workspace).user
    words = {"id": "words", "kind": "text", "title": "What happened", "params": {"text": "This and that."}}
    now = timezone.now()
    ids = []
    for count in range(number):
        title = f"{name} {count:03}"
        report = Report.objects.create(workspace=workspace, name=title, period="yesterday", blocks=[words])
        schedule = Schedule.objects.create(
            workspace=workspace,
            name=title,
            report=report,
            period="yesterday",
            formats=["csv"],
            frequency=Schedule.Frequency.DAILY,
            time=dt.time(9),
            zone="Europe/Berlin",
            next_run_at=now + dt.timedelta(seconds=first_in_seconds + count * apart_seconds),
            created_by=owner,
        )
        Recipient.objects.bulk_create(
            Recipient(schedule=schedule, email=f"person{person}@example.com") for person in range(recipients)
        )
        ids.append(str(schedule.pk))
    return ids


def ring(job_id: int, times: int) -> None:
    """Deliver the doorbell of a job so many times more."""
    from jobs.actions import ring_doorbell
    from jobs.models import Job

    job = Job.objects.get(pk=job_id)
    for _ring in range(times):
        ring_doorbell(job)


_COMMANDS: tuple[Callable[..., object], ...] = (
    *(people, recompute, schedules, ring, market, sign_in),
    *(enrich, watchers),
)
COMMANDS = {command.__name__: command for command in _COMMANDS}

if __name__ == "__main__":
    django.setup()
    json.dump(COMMANDS[sys.argv[1]](**json.load(sys.stdin)), sys.stdout)
