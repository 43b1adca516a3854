"""The command behind `make demo`, with a live server in place of the processes that it starts."""

import datetime as dt
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import Feature, Plan, User, Workspace
from attribution.management.commands import demo
from jobs.execution import execute
from jobs.models import Job
from tests.conftest import ImportRows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _served(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live server serves, and whenever the command waits, the jobs that it waits for are carried out."""

    @contextmanager
    def services(*, port: int) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(url=live_server.url)

    def work(_seconds: float) -> None:
        for job_id in Job.objects.filter(status=Job.Status.QUEUED).values_list("pk", flat=True):
            execute(job_id=job_id)

    monkeypatch.setattr(demo, "Services", services)
    monkeypatch.setattr(demo, "time", SimpleNamespace(monotonic=time.monotonic, sleep=work))


@pytest.fixture
def demo_workspace(import_rows: ImportRows, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The demo's workspace with a little data in it, taken for the whole, so that the command loads none."""
    monkeypatch.setattr(demo, "is_loaded", lambda _workspace: True)
    owner = User.objects.create_user(demo.EMAIL)
    workspace = create_workspace(name="Demo", slug=demo.SLUG, owner=owner)
    day = f"{timezone.now() - dt.timedelta(days=5):%Y-%m-%d}"
    import_rows("touchpoints", "customer,occurred_at,channel", f"a,{day}T10:00Z,Email", workspace=workspace)
    import_rows("spend", "date,channel,spend", f"{day},Email,30", f"{day},Radio,1234.5", workspace=workspace)
    import_rows(
        "conversions", "customer,occurred_at,value", f"a,{day}T11:00Z,80", f"b,{day}T11:00Z,20", workspace=workspace
    )
    return workspace


def run_demo() -> str:
    out = StringIO()
    call_command("demo", "--once", stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("_served", "demo_workspace")
def test_the_summary_names_channels_spend_conversions_credit_and_the_page(live_server: LiveServer) -> None:
    printed = run_demo()
    assert "2 conversions worth €100." in printed
    lines = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
    assert ["channel", "spend", "Last Non-Direct", "Last Touch"] in [line[:4] for line in lines]
    assert ["Email", "30.00", *["1.00"] * 7] in lines
    assert ["Radio", "1,234.50", *["0.00"] * 7] in lines
    assert ["(none)", "0.00", *["1.00"] * 7] in lines
    assert f"The dashboard: {live_server.url}/w/demo/dashboard/" in printed
    assert re.search(rf"The analysis: {live_server.url}/w/demo/runs/[0-9a-f-]+/", printed)


@pytest.mark.usefixtures("_served", "demo_workspace")
def test_the_password_that_is_printed_signs_in() -> None:
    email, password = re.search(r"Sign in as (\S+) with the password (\S+)", run_demo()).groups()  # type: ignore[union-attr]
    assert Client().login(request=None, email=email, password=password)


@pytest.mark.usefixtures("_served", "demo_workspace")
def test_a_second_time_answers_from_what_is_there() -> None:
    first, second = run_demo(), run_demo()
    assert re.search(r"/runs/\S+", first)[0] == re.search(r"/runs/\S+", second)[0]  # type: ignore[index]


@pytest.mark.usefixtures("_served")
def test_an_analysis_that_fails_fails_the_command_with_its_sentence(
    import_rows: ImportRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "is_loaded", lambda _workspace: True)
    workspace = create_workspace(name="Demo", slug=demo.SLUG, owner=User.objects.create_user(demo.EMAIL))
    import_rows("spend", "date,channel,spend", "2026-01-01,Email,30", workspace=workspace)
    with pytest.raises(CommandError, match="None have been imported yet"):
        run_demo()


def test_the_demo_is_on_the_cheapest_plan_that_shows_everything(db: None) -> None:
    Plan.objects.filter(code="professional").update(features=["data_driven"])
    Plan.objects.create(code="everything", name="Everything", rank=9, features=Feature.values)
    workspace, _password = demo._set_up()
    assert workspace.subscription.plan.code == "enterprise"
    Plan.objects.update(features=[])
    with pytest.raises(CommandError, match="No plan has all features"):
        demo._set_up()
