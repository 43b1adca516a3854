"""Show the product at work: a demo workspace, its data, an analysis by the worker, and the page that shows it."""

import argparse
import re
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.cookiejar import CookieJar
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum
from django.urls import reverse

from accounts import plans
from accounts.actions import create_workspace, set_plan
from accounts.commands import DataCommand
from accounts.models import Feature, Plan, User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.catalogue import DATA_DRIVEN, MODELS
from attribution.cube.daily_cube import refresh_cube
from attribution.labels import MODEL_LABELS, NONE
from jobs.models import Job
from jobs.serving import ServiceError, Services
from marketing.importing.demo import is_loaded
from marketing.models import ChannelSpend, Import
from mmm_project import formats
from mmm_project.tables import text_table

EMAIL, SLUG = "demo@example.com", "demo"
SECONDS_FOR_ANALYSIS = 180
SECONDS_BETWEEN_LOOKS = 0.5
SIGNS_OF_FIGURES = ("Overall ROI", "Credit adds up")  # of the dashboard and of the run


class Command(DataCommand):
    help = "Set up a demo workspace with two years of data, analyse it, and serve the pages."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SERVE_PORT)
        parser.add_argument("--once", action="store_true", help="stop when everything has been seen to work")

    def handle(self, *, port: int, once: bool, **_options: Any) -> None:
        call_command("migrate", verbosity=0)
        workspace, password = _set_up()
        if not is_loaded(workspace):
            self.stdout.write("Loading the demo data ...")
            call_command("load_demo", workspace=workspace.slug, stdout=self.stdout)
        try:
            with Services(port=port) as services:
                run = self._analyse(workspace)
                addresses = [
                    reverse("reports:dashboard", kwargs={"slug": workspace.slug}),
                    reverse("analyses:run", kwargs={"slug": workspace.slug, "run_id": run.pk}),
                ]
                _require_pages(services.url, addresses, password)
                self._summarise(run)
                dashboard, analysis = (urllib.parse.urljoin(services.url, address) for address in addresses)
                self.stdout.write(f"\nThe dashboard: {dashboard}\nThe analysis: {analysis}")
                self.stdout.write(f"Sign in as {EMAIL} with the password {password}")
                self.stdout.flush()
                if not once:
                    self.stdout.write("Ctrl-C stops it.")
                    self.stdout.flush()
                    services.wait()
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _analyse(self, workspace: Workspace) -> Run:
        """Ask for the dashboard's figures and for six rules beside Data-Driven, and wait until that is answered."""
        cube = refresh_cube(workspace=workspace)
        models = ["last_non_direct", *(name for name in MODEL_LABELS if name != "last_non_direct"), DATA_DRIVEN]
        run = request_run(
            workspace=workspace, kind="attribution", params={"model": models}, by=None, trigger=Run.Trigger.CLI
        )
        deadline = time.monotonic() + SECONDS_FOR_ANALYSIS
        for asked in (cube, run):
            _wait_for(asked, deadline)
        return run

    def _summarise(self, run: Run) -> None:
        """Print channels, spend, conversions and credit by model."""
        assert run.result is not None  # noqa: S101 - the run is done
        totals, currency = run.result["totals"], run.workspace.currency
        worth = formats.round_money(totals["value"], currency)
        self.stdout.write(
            f"\n{run.workspace.name}, {run.params['start']} to {run.params['end']}: "
            f"{formats.count(totals['conversions'], 'conversion')} worth {worth}."
        )
        self.stdout.write(f"Spend, and conversions credited by each model ({run.params['window_days']}-day window):\n")
        for line in text_table(_summary_rows(run)):
            self.stdout.write(line)


def _wait_for(run: Run, deadline: float) -> None:
    """Return when the run is done. Raises CommandError if it fails or takes too long."""
    while not run.job.finished:
        if time.monotonic() > deadline:
            raise CommandError(f"The worker did not finish the analysis within {SECONDS_FOR_ANALYSIS} seconds.")
        time.sleep(SECONDS_BETWEEN_LOOKS)
        run.job.refresh_from_db()
    if run.job.status != Job.Status.DONE:
        raise CommandError(run.job.error or "The analysis was cancelled.")
    run.refresh_from_db()


def _set_up() -> tuple[Workspace, str]:
    """Return the demo workspace and a new password for its owner."""
    owner = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL)
    password = secrets.token_urlsafe(12)
    owner.set_password(password)
    owner.save(update_fields=["password"])
    workspace = Workspace.objects.filter(slug=SLUG).first() or create_workspace(
        name="Harbour & Finch", slug=SLUG, owner=owner, currency="EUR", timezone="Europe/Berlin", plan=_plan()
    )
    if not plans.has_feature(workspace, Feature.DATA_DRIVEN):  # it was set up before there was such a feature
        set_plan(workspace=workspace, plan=_plan(), by=None)
        workspace = Workspace.objects.get(pk=workspace.pk)
    return workspace, password


def _plan() -> str:
    """Return the cheapest plan that shows everything there is. Raises CommandError where none does."""
    for plan in Plan.objects.order_by("rank"):
        if set(Feature.values) <= set(plan.features):
            return plan.code
    raise CommandError("No plan has all features. Tick them for one of the plans in the admin first.")


def _summary_rows(run: Run) -> list[list[str | float]]:
    assert run.result is not None  # noqa: S101 - the run is done
    models = run.result["models"]
    spend = dict(
        ChannelSpend.objects.filter(
            batch__workspace=run.workspace_id,
            batch__status=Import.Status.ACTIVE,
            shadowed=False,
            date__range=(run.params["start"], run.params["end"]),
        )
        .values_list("channel__name")
        .annotate(total=Sum("spend"))
    )
    credit = {name: {group["channel"]: group["conversions"] for group in models[name]["channels"]} for name in models}
    channels = [name for name in next(iter(credit.values())) if name != NONE]
    channels += [name for name in spend if name not in channels]
    header: list[str | float] = ["channel", "spend", *(MODELS[name].label for name in models)]
    return [header] + [
        [channel, float(spend.get(channel, 0)), *(credit[name].get(channel, 0.0) for name in models)]
        for channel in [*channels, NONE]
    ]


def _require_pages(url: str, paths: Sequence[str], password: str) -> None:
    """Sign in as a browser would and see that each page shows figures. Raises CommandError if one does not."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    try:
        login = urllib.parse.urljoin(url, reverse("account_login"))
        form = browser.open(login).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        answers = {"login": EMAIL, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
        browser.open(login, urllib.parse.urlencode(answers).encode())
        pages = [browser.open(urllib.parse.urljoin(url, path)).read().decode() for path in paths]
    except urllib.error.URLError as error:
        raise CommandError(f"The page does not answer as it should: {error}") from error
    for page, sign in zip(pages, SIGNS_OF_FIGURES, strict=True):
        if sign not in page:
            sys.stderr.write(page)
            raise CommandError("The page does not show its figures.")
