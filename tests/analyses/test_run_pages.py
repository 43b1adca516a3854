"""The pages about runs, each with the same matrix: works, outsider 404, viewer 403 to write, wrong method 405."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, User, Workspace
from analyses import registry
from analyses.errors import AnalysisError
from analyses.models import Run
from analyses.presenters import data_version
from jobs import actions
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Dataset, Import
from reports.exports import FORMATS
from tests.analyses.conftest import Ask, Sums, carry_out

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
PAGES = [""]
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
    assert "Up to date" in text


def button(text: str) -> str:
    """Return the tag of the button that runs the question again."""
    return next(line for line in text.splitlines() if "Run again on newest data" in line)


def test_a_run_whose_figures_are_lost_can_be_run_again(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    sums.arrays["value"] = np.arange(3)
    run = carry_out(ask())
    (tmp_path / run.artifact).unlink()
    text = client_for(analyst).get(url(run)).text
    assert " disabled" not in button(text)
    assert "Figures lost" in text
    assert "Up to date" not in text
    response = client_for(analyst).post(url(run, "retry/"))
    again = Run.objects.exclude(pk=run.pk).get()
    assert response["Location"] == url(again)
    assert client_for(analyst).get(url(run)).status_code == 200


def test_a_run_on_older_data_says_so_and_offers_the_newest(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    run = carry_out(ask())
    assert " disabled" in button(client_for(analyst).get(url(run)).text)
    sums.version = "v2"
    text = client_for(analyst).get(url(run)).text
    assert " disabled" not in button(text)
    assert "Inputs changed since this run" in text
    assert "Run again on newest data" not in client_for(viewer).get(url(run)).text
    response = client_for(analyst).post(url(run, "retry/"))
    newest = Run.objects.get(data_version="v2")
    assert response["Location"] == url(newest)
    assert (newest.params, newest.requested_by) == (run.params, analyst)


def test_a_kind_that_can_be_renewed_is_asked_up_to_its_newest_day(
    ask: Ask, sums: Sums, client_for: ClientFor, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, client = carry_out(ask()), client_for(analyst)
    assert 'name="renew"' not in client.get(url(run)).text
    client.post(url(run, "retry/"), {"renew": "yes"})
    assert Run.objects.count() == 1, "there is nothing newer, so it is the same question"
    kind = sums.kind(renewed=lambda _workspace, params: {**params, "terms": [9], "end": "2026-02-28"})
    monkeypatch.setattr(registry, "_kinds", {"sums": kind})
    assert "Refresh with data up to 28 Feb 2026</button>" in client.get(url(run)).text
    client.post(url(run, "retry/"), {"renew": "yes"})
    assert Run.objects.exclude(pk=run.pk).get().params["terms"] == [9]


def test_a_kind_says_for_how_long_its_results_hold(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, client = carry_out(ask()), client_for(viewer)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(days=8))
    badge = '<span class="badge badge-warn">Stale</span>'
    assert badge not in client.get(url(run)).text
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(stale_after=timedelta(days=7))})
    text = client.get(url(run)).text
    assert "more than 7 days ago" in text
    assert badge in client.get("/w/acme/runs/").text
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(stale_after=timedelta(days=9))})
    assert badge not in client.get(url(run)).text


def test_a_finished_run_says_how_it_was_set_and_where_it_comes_from(
    ask: Ask, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    run = carry_out(ask(by=analyst, terms=[1, 2]))
    response = client_for(viewer).get(url(run))
    facts = dict(response.context["page"].facts)
    assert (facts["Terms"], facts["Premium"], facts["Start"]) == ("1.0, 2.0", "no", "2026-01-01")
    assert (facts["Asked by"], facts["Method version"]) == ("analyst@example.com", "1")
    assert facts["Data version"] == "v1 (spend)"
    assert "<dt>Terms</dt>" in response.text


def test_only_people_and_their_keys_are_said_to_have_asked(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    response = client_for(viewer).get(url(carry_out(ask())))
    assert "Asked by" not in dict(response.context["page"].facts)


def test_the_version_of_no_data_is_that_of_the_run_it_comes_from(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(datasets=())})
    assert data_version("d" * 64, kind="sums") == "that of the run that it is answered from"
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(datasets=(Dataset.SPEND, Dataset.MEDIA_TABLE))})
    assert data_version("d" * 64, kind="sums") == "dddddddddddd (spend, media table)"


def test_a_finished_run_can_be_taken_away_in_every_format(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    run = carry_out(ask())
    page = client_for(viewer).get(url(run)).context["page"]
    assert page.exports == [(kind.label, url(run, f"export.{form}")) for form, kind in FORMATS.items()]
    assert client_for(viewer).get(page.exports[0][1]).status_code == 200


def test_runs_of_the_same_question_are_listed_with_their_state(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, workspace: Workspace
) -> None:
    run = carry_out(ask(terms=[1, 2]))
    assert "other periods and data" not in client_for(viewer).get(url(run)).text
    ask(terms=[1, 3])
    other_period = ask(terms=[1, 2, 0])
    Run.objects.filter(pk=other_period.pk).update(params={**run.params, "start": "2025-01-01", "end": "2025-01-31"})
    sums.version = "v2"
    newer = ask(terms=[1, 2])
    response = client_for(viewer).get(url(run))
    similar = response.context["page"].similar
    assert [row.run.pk for row in similar] == [newer.pk, other_period.pk, run.pk]
    assert [row.state.label for row in similar] == ["Waiting for a worker", "Waiting for a worker", "Done"]
    assert response.text.count('class="badge">this run<') == 1


def test_at_most_ten_runs_of_the_same_question_are_listed_in_as_many_queries(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    run = carry_out(ask())
    client = client_for(viewer)
    with django_assert_max_num_queries(15) as alone:
        client.get(url(run))
    for version in range(12):
        sums.version = f"v{version + 2}"
        ask(by=viewer)
    with django_assert_max_num_queries(len(alone)):
        assert len(client.get(url(run)).context["page"].similar) == 10


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
    assert re.search(r"/w/acme/runs/\?(\S+&amp;)?terms=1.0[&\"]", text)
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


def test_internal_runs_are_no_ones_history_and_have_no_page(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carry_out(ask())
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(internal=True)})
    assert "No runs yet" in client_for(viewer).get("/w/acme/runs/").text
    assert client_for(viewer).get(url(run)).status_code == 404


def test_the_history_can_be_of_one_kind(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(ask())
    client = client_for(viewer)
    assert "Kinds of analysis" not in client.get("/w/acme/runs/").text  # there is but one
    kinds = {"sums": sums.kind(), "products": sums.kind(name="products", label="Products")}
    monkeypatch.setattr(registry, "_kinds", kinds)
    text = client.get("/w/acme/runs/").text
    assert 'href="?kind=products"' in text
    assert "Sum of 1.0" in text
    assert "Sum of 1.0" in client.get("/w/acme/runs/?kind=sums").text
    assert "Sum of 1.0" in client.get("/w/acme/runs/?kind=magic").text
    assert "Sum of 1.0" not in client.get("/w/acme/runs/?kind=products").text


def test_finished_runs_can_be_ticked_to_be_compared(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    done, waiting = carry_out(ask()), ask(terms=[2])
    text = client_for(viewer).get("/w/acme/runs/").text
    assert f'name="run" value="{done.pk}"' in text
    assert f'value="{waiting.pk}"' not in text
    assert 'action="/w/acme/runs/compare/"' in text


def test_a_run_leads_to_the_choice_of_one_to_compare_it_with(ask: Ask, client_for: ClientFor, viewer: User) -> None:
    run, other = carry_out(ask()), carry_out(ask(terms=[2]))
    client = client_for(viewer)
    address = client.get(url(run)).context["page"].compare_url
    assert address == f"/w/acme/runs/?kind=sums&run={run.pk}"
    text = client.get(address).text
    assert f'<input type="hidden" name="run" value="{run.pk}">' in text
    assert text.count(f'value="{run.pk}"') == 1
    assert f'<input type="checkbox" name="run" value="{other.pk}">' in text
    for nobody in ("x", str(uuid.uuid4())):
        assert 'type="hidden" name="run"' not in client.get(f"/w/acme/runs/?run={nobody}").text


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
    assert 'href="?kind=sums&amp;page=2"' in client.get("/w/acme/runs/?kind=sums").text
