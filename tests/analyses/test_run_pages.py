"""The pages about runs, each with the same matrix: works, outsider 404, viewer 403 to write, wrong method 405."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User, Workspace
from analyses.errors import AnalysisError
from analyses.models import Run
from jobs import actions
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Dataset, Import
from tests.analyses.conftest import Ask, Sums, carry_out

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
PAGES = ["", "export.csv"]
ACTIONS = ["cancel/", "retry/"]


def url(run: Run, page: str = "") -> str:
    return f"/w/acme/runs/{run.pk}/{page}"


def an_import(workspace: Workspace, dataset: Dataset) -> Import:
    job = actions.submit(workspace=workspace, kind="marketing.import", ring=False)
    return Import.objects.create(
        workspace=workspace,
        job=job,
        dataset=dataset,
        status=Import.Status.ACTIVE,
        origin=Import.Origin.CLI,
        activated_at=timezone.now(),
    )


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_a_run_are_for_members(
    page: str, ask: Ask, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    run = carry_out(ask())
    assert client_for(viewer).get(url(run, page)).status_code == 200
    assert client_for(outsider).get(url(run, page)).status_code == 404
    assert client_for(None).get(url(run, page)).status_code == 302
    assert client_for(viewer).post(url(run, page)).status_code == 405


@pytest.mark.parametrize("page", ACTIONS)
def test_actions_on_a_run_are_for_those_who_may_run(
    page: str, ask: Ask, client_for: ClientFor, analyst: User, viewer: User, outsider: User
) -> None:
    run = ask(by=analyst)
    assert client_for(viewer).post(url(run, page)).status_code == 403
    assert client_for(outsider).post(url(run, page)).status_code == 404
    assert client_for(analyst).get(url(run, page)).status_code == 405
    assert Job.objects.get(pk=run.job_id).status == "queued"
    assert client_for(analyst).post(url(run, page)).status_code == 302


@pytest.mark.parametrize("page", [*PAGES, *ACTIONS])
def test_a_run_of_another_workspace_is_not_found(page: str, ask: Ask, client_for: ClientFor, outsider: User) -> None:
    theirs = carry_out(ask())
    client = client_for(outsider)
    for run_id in (theirs.pk, uuid.uuid4()):
        address = f"/w/elsewhere/runs/{run_id}/{page}"
        assert (client.post if page in ACTIONS else client.get)(address).status_code == 404


def test_a_run_that_works_polls_its_status(ask: Ask, client_for: ClientFor, analyst: User) -> None:
    run = ask(by=analyst)
    claimed = actions.claim(job_id=run.job_id)
    assert claimed is not None
    Progress(claimed)("Adding", 0.42)
    page = client_for(analyst).get(url(run))
    assert 'hx-trigger="every 1s"' in page.text
    assert "<html" in page.text
    fragment = client_for(analyst).get(url(run), headers=HTMX)
    assert "<html" not in fragment.text
    assert fragment.text.strip().startswith("<section")
    assert 'id="status"' in fragment.text
    assert f'hx-get="{url(run)}"' in fragment.text
    assert 'value="42"' in fragment.text
    assert "Adding" in fragment.text
    assert "HX-Request" in fragment["Vary"]


def test_a_boosted_or_restored_page_is_a_whole_page(ask: Ask, client_for: ClientFor, analyst: User) -> None:
    run = ask()
    for header in ("HX-Boosted", "HX-History-Restore-Request"):
        assert "<html" in client_for(analyst).get(url(run), headers=HTMX | {header: "true"}).text


def test_a_finished_run_shows_its_result_and_stops_polling(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    run = carry_out(ask(terms=[1, 2]))
    text = client_for(viewer).get(url(run), headers=HTMX).text
    assert "The sum is 3.0" in text
    assert "hx-trigger" not in text
    assert "have changed" not in text


def test_a_run_on_older_data_says_so_and_offers_the_newest(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    run = carry_out(ask())
    sums.version = "v2"
    assert "Run again on newest data" in client_for(analyst).get(url(run)).text
    assert "Run again on newest data" not in client_for(viewer).get(url(run)).text
    response = client_for(analyst).post(url(run, "retry/"))
    newest = Run.objects.get(data_version="v2")
    assert response["Location"] == url(newest)
    assert (newest.params, newest.requested_by) == (run.params, analyst)


def test_a_failed_run_says_why_and_what_can_be_done(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User, viewer: User, workspace: Workspace
) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.")

    sums.work = fail
    an_import(workspace, Dataset.TOUCHPOINTS)
    run = carry_out(ask(terms=[1, 2]))
    text = client_for(analyst).get(url(run)).text
    assert "No conversions in June." in text
    assert "Retry" in text
    assert "Only the first term" in text
    assert "/w/acme/runs/?terms=1.0&amp;" in text
    assert "Touchpoints" in text
    assert "Retry" not in client_for(viewer).get(url(run)).text


def test_a_slow_run_is_offered_something_easier(ask: Ask, client_for: ClientFor, analyst: User) -> None:
    run = ask()
    actions.claim(job_id=run.job_id)
    assert "Only the first term" not in client_for(analyst).get(url(run)).text
    Job.objects.filter(pk=run.job_id).update(started_at=timezone.now() - timedelta(seconds=75))
    text = client_for(analyst).get(url(run)).text
    assert "Only the first term" in text
    assert "1 min 15 s so far" in text


def test_a_retry_that_the_params_no_longer_allow_says_why(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User
) -> None:
    run = carry_out(ask())
    Run.objects.filter(pk=run.pk).update(params={"terms": ["gone"]})
    client = client_for(analyst)
    response = client.post(url(run, "retry/"))
    assert response["Location"] == url(run)
    assert Run.objects.count() == 1


def test_a_retry_of_what_the_plan_lacks_is_refused(ask: Ask, client_for: ClientFor, analyst: User) -> None:
    run = carry_out(ask())
    Run.objects.filter(pk=run.pk).update(params={**run.params, "premium": True})
    response = client_for(analyst).post(url(run, "retry/"))
    assert response.status_code == 403
    assert "Professional" in response.text


def test_analysts_cancel_their_own_runs_and_admins_everybodys(
    ask: Ask, client_for: ClientFor, analyst: User, admin: User, member: Callable[..., User]
) -> None:
    run = ask(by=admin)
    assert client_for(analyst).post(url(run, "cancel/")).status_code == 403
    assert "Cancel</button>" not in client_for(analyst).get(url(run)).text
    assert "Cancel</button>" in client_for(admin).get(url(run)).text
    own = ask(by=analyst, terms=[7])
    assert client_for(analyst).post(url(own, "cancel/")).status_code == 302
    assert client_for(admin).post(url(run, "cancel/")).status_code == 302
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert list(AuditEvent.objects.filter(action="job.cancelled").values_list("actor", flat=True)) == [
        admin.pk,
        analyst.pk,
    ]
    assert "Cancelled" in client_for(admin).get(url(run)).text


def test_the_export_is_a_csv_in_full_precision_without_formulas(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User
) -> None:
    sums.rows += [("-5", -5), ("-x", 1e-7), ("@a", None), ("\tb", 0), ('say "hi", you', 1)]
    response: Any = client_for(viewer).get(url(carry_out(ask()), "export.csv"))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="sums-acme-2026-01-01-to-2026-01-31.csv"'
    assert response.getvalue().decode().split("\r\n") == [
        "name,sum",
        "'=SUM(A1),0.30000000000000004",
        "-5,-5",
        "'-x,1e-07",
        "'@a,",
        "'\tb,0",
        '"say ""hi"", you",1',
        "",
    ]


def test_a_run_without_a_result_has_no_export(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).get(url(ask(), "export.csv")).status_code == 404


def test_the_history_lists_the_workspaces_runs(
    ask: Ask, client_for: ClientFor, analyst: User, outsider: User, workspace: Workspace
) -> None:
    carry_out(ask(by=analyst, terms=[1, 2]))
    text = client_for(analyst).get("/w/acme/runs/").text
    assert "Sum of 1.0 and 2.0" in text
    assert "analyst@example.com" in text
    assert "Done" in text
    assert client_for(outsider).get("/w/acme/runs/").status_code == 404
    assert "No runs yet" in client_for(outsider).get("/w/elsewhere/runs/").text
    assert client_for(analyst).post("/w/acme/runs/").status_code == 405


def test_a_long_history_has_pages_and_no_more_queries(
    ask: Ask, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client = client_for(viewer)
    ask(by=viewer)
    with django_assert_max_num_queries(12) as few:
        client.get("/w/acme/runs/")
    for term in range(30):
        ask(by=viewer, terms=[term])
    with django_assert_max_num_queries(len(few)):
        text = client.get("/w/acme/runs/").text
    assert "Page 1 of 2" in text
    assert "Sum of 0.0" in client.get("/w/acme/runs/?page=2").text
