"""The page of experiments: each test beside what the newest run says of it, and what to test next."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses import artifacts
from analyses.models import Run
from jobs.models import Job
from marketing.importing.dimensions import ensure_channels
from marketing.models import Dataset, Experiment, Import
from tests.marketing.batches import add_import
from tests.weightings.results import a_check, around
from tests.weightings.stored_runs import a_stored_run
from weightings.lift_tests.runs import newest_run

PAGE = "/w/acme/weightings/experiments/"
TV: dict[str, Any] = {
    "channel": "TV",
    "start": "2022-05-02",
    "end": "2022-05-29",
    "geo": "",
    "lift": 2400.0,
    "standard_error": 600.0,
    "spend": 1500.0,
}
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    workspace.confidence = 90
    workspace.save(update_fields=["confidence"])
    return workspace


def keep(workspace: Workspace, *, by: User | None = None, **changed: Any) -> Experiment:
    batch = add_import(workspace, Dataset.EXPERIMENTS)
    Import.objects.filter(pk=batch.pk).update(requested_by=by)
    said = TV | changed
    (channel,) = ensure_channels(workspace=workspace, names=[said["channel"]])
    return Experiment.objects.create(batch=batch, **said | {"channel": channel})


def told(probability: float | None, **changed: Any) -> dict[str, Any]:
    """What a run says of the test."""
    of_fit = {"incremental_per_spend": around(2.0), "lift": around(3000.0), "converged": True}
    return {
        **TV,
        "counts": "all",
        "incremental_per_spend": around(1.6),
        "route": "likelihood",
        "why": "",
        "before": of_fit | {"tail_probability": probability},
        "after": of_fit | {"incremental_per_spend": around(1.7), "lift": around(2600.0), "tail_probability": 0.9},
        **changed,
    }


def test_a_test_stands_beside_what_the_model_says(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    keep(shop, by=analyst)
    run = a_stored_run(shop, result={"experiments": [told(0.4)]})
    page = client_for(analyst).get(PAGE).text
    assert "2–29 May 2022" in page
    assert "€2,400" in page
    assert "€1,413–€3,387" in page  # 1.645 standard errors to either side
    assert "1.60" in page
    assert "0.94–2.26" in page
    assert ">Agrees<" in page
    assert "By the model without tests a lift as far out has a probability of 40.0%." in page
    for figure in ("€3,000", "€2,600", "2.00", "1.70"):
        assert figure in page
    assert f"/w/acme/runs/{run.pk}/" in page


@pytest.mark.parametrize(
    ("said", "label"),
    [
        (told(0.03), "In doubt"),
        (told(0.001), "Contradicts"),
        (told(None), "Not comparable"),
        (told(0.0, before=None), "Agrees"),  # only a model that has learnt from it can be asked
        (told(0.4, route=None, why="The channel has no spend.", before=None, after=None), "Not used"),
        (told(0.4, lift=2500.0), "Changed since"),
        (told(0.4, geo="North"), "Not in the run"),
        (told(0.4, end="2022-05-30"), "Not in the run"),
    ],
)
def test_whether_they_agree(
    client_for: ClientFor, analyst: User, shop: Workspace, said: dict[str, Any], label: str
) -> None:
    keep(shop)
    a_stored_run(shop, result={"experiments": [said]})
    page = client_for(analyst).get(PAGE).text
    assert f">{label}<" in page
    if label == "Contradicts":
        assert "has a probability of 0.1%" in page
    if label == "Not used":
        assert "The channel has no spend." in page


def test_a_test_without_spend_has_no_return(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    keep(shop, spend=0)
    page = client_for(analyst).get(PAGE).text
    assert "Nothing was spent on it" in page
    assert ">No model yet<" in page


def test_a_viewer_sees_the_list_and_no_form(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    keep(shop)
    a_stored_run(shop, result={"experiments": [told(0.4)]})
    page = client_for(viewer).get(PAGE)
    assert page.status_code == 200
    assert ">Agrees<" in page.text
    assert "As a viewer you see the tests" in page.text
    assert "What to test next" in page.text
    for link in ("experiments/new/", "/undo/", "Import a file"):
        assert link not in page.text


def test_undo_is_for_those_who_may(client_for: ClientFor, analyst: User, admin: User, shop: Workspace) -> None:
    mine, theirs = keep(shop, by=analyst), keep(shop, by=admin, channel="Radio")
    demo = keep(shop, channel="Search")
    Import.objects.filter(pk=demo.batch_id).update(origin=Import.Origin.DEMO)

    def undone_by(user: User) -> set[int]:
        text = client_for(user).get(PAGE).text
        return {row.pk for row in (mine, theirs, demo) if f"/data/imports/{row.batch_id}/undo/" in text}

    assert undone_by(analyst) == {mine.pk}
    assert undone_by(admin) == {mine.pk, theirs.pk}
    assert "Demo data" in client_for(analyst).get(PAGE).text


def test_nobody_else_gets_in(client_for: ClientFor, outsider: User, shop: Workspace) -> None:
    keep(shop)
    assert client_for(outsider).get(PAGE).status_code == 404
    asked = client_for(None).get(PAGE)
    assert (asked.status_code, asked["Location"]) == (302, f"/accounts/login/?next={PAGE}")


@pytest.mark.usefixtures("shop")
def test_without_anything_it_says_what_to_do(client_for: ClientFor, analyst: User, viewer: User) -> None:
    page = client_for(analyst).get(PAGE).text
    assert "No lift tests yet" in page
    assert "No model yet" in page
    assert 'href="/w/acme/weightings/experiments/new/"' in page
    assert 'href="/w/acme/data/templates/experiments/"' in page
    assert 'href="/w/acme/data/"' in page
    page = client_for(viewer).get(PAGE).text
    assert "Nobody has entered any yet." in page
    assert "Calculate weightings</a>" not in page


def test_an_import_that_failed_is_told_of(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    batch = add_import(shop, Dataset.EXPERIMENTS, status=Import.Status.FAILED)
    Job.objects.filter(pk=batch.job_id).update(status=Job.Status.FAILED, error="There was no room.")
    page = client_for(analyst).get(PAGE).text
    assert "could not be saved. There was no room." in page
    assert f'href="/w/acme/data/imports/{batch.pk}/"' in page
    assert "every 1s" not in page
    add_import(shop, Dataset.EXPERIMENTS)
    assert "could not be saved" not in client_for(analyst).get(PAGE).text


def test_only_the_tests_are_asked_for_again(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    add_import(shop, Dataset.EXPERIMENTS, status=Import.Status.PENDING)
    part = client_for(analyst).get(PAGE, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section class="document-section" id="tests"')
    assert "What to test next" not in part.text
    assert "HX-Request" in part["Vary"]


def test_the_number_of_queries_does_not_grow_with_the_tests(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    client = client_for(analyst)
    a_stored_run(shop)
    keep(shop)
    client.get(PAGE)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(PAGE)
        return len(found)

    few = queries()
    for place in range(8):
        keep(shop, channel=f"Channel {place}")
    assert queries() == few


def test_what_to_test_next_is_said_with_how_precisely(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    run = a_stored_run(shop)
    assert run.result is not None
    first = run.result["worth_testing"][0]
    page = client_for(analyst).get(PAGE).text
    assert f"Knowing what {first['channel']} adds would be worth about" in page
    assert f"To halve what is uncertain about the return of {first['channel']}, a test of 4 weeks" in page
    assert 'id="worth-testing-title"' in page


def test_of_a_model_that_fails_nothing_is_to_be_tested(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    a_stored_run(shop, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")])
    page = client_for(analyst).get(PAGE).text
    assert "The model fails checks, so no test is recommended from it." in page
    assert "worth about" not in page


def test_a_model_that_has_not_converged_is_told_of(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    keep(shop)
    a_stored_run(shop, converged=False)
    page = client_for(analyst).get(PAGE).text
    assert "This run has not converged" in page
    assert "no test is recommended from it" in page


def test_all_that_is_doubtful_about_the_run_stands_with_the_table(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    keep(shop)
    run = a_stored_run(shop, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")])
    Run.objects.filter(pk=run.pk).update(created_at=dt.datetime(2022, 3, 1, 12, tzinfo=dt.UTC), data_version="0" * 64)
    table = client_for(analyst).get(PAGE).text.split('<div class="table-scroll"')[0]
    assert "This run fails checks: what it says of tests is not to be relied on." in table
    assert "This is of 1 Mar 2022, more than" in table
    assert "Data have changed since this run." in table


def test_nothing_stands_with_the_table_of_a_run_to_be_relied_on(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    keep(shop)
    run = a_stored_run(shop)
    assert run.result is not None
    assert run.result["verdict"] != "fail"
    table = client_for(analyst).get(PAGE).text.split('<div class="table-scroll"')[0]
    for words in ("relied on", "This is of"):
        assert words not in table


def test_of_an_outcome_with_bounds_it_says_why_not(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    run = a_stored_run(shop, bounded=True)
    assert run.result is not None
    page = client_for(analyst).get(PAGE).text
    assert run.result["budget_problem"] in page


def test_a_run_whose_figures_are_gone_says_so(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    artifacts.remove(a_stored_run(shop).artifact)
    page = client_for(analyst).get(PAGE)
    assert page.status_code == 200
    assert "no longer on disk" in page.text


def test_the_run_that_speaks_is_the_newest_that_can(shop: Workspace) -> None:
    assert newest_run(shop) is None
    rough = a_stored_run(shop, converged=False)
    assert newest_run(shop) == rough
    money = a_stored_run(shop)
    assert newest_run(shop) == money
    a_stored_run(shop, bounded=True)
    a_stored_run(shop, converged=False)
    assert newest_run(shop) == money  # lifts are in money
    newer = a_stored_run(shop)
    assert newest_run(shop) == newer
    Run.objects.filter(pk=newer.pk).update(void=True)
    assert newest_run(shop) == money


def test_the_weightings_page_leads_here(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    assert f'href="{PAGE}"' in client_for(viewer).get(f"/w/{shop.slug}/weightings/").text
