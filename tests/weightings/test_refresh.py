"""From new data to the next model: asked for with one click, held against the one before, and marked when it is old."""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses import age, artifacts, registry
from analyses.models import Run
from analyses.registry import Answer
from analyses.runs import request_run
from jobs.execution import execute
from jobs.models import Job
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from tests.factories import WorkspaceFactory
from tests.weightings.forecasts import some_draws
from tests.weightings.markets import add_outcome, add_spend, market_weeks
from tests.weightings.questions import market
from tests.weightings.refits import earlier_run
from tests.weightings.stored_runs import KNOTS, stored_run
from weightings import computation
from weightings.analysis import KIND
from weightings.methods.storing import unpack_panel
from weightings.presentation.document import document
from weightings.presentation.refresh_sections import since_previous as sections_of
from weightings.presentation.results import Result
from weightings.refresh.renewal import renewed
from weightings.refresh.staleness import STALE_AFTER

ClientFor = Callable[[User | None], Client]
MoreSales = Callable[[], None]
FIRST, ALL = 52, 60
OLD = STALE_AFTER + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path, db: None) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def shop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with spend of sixty weeks and sales of the first 52; models of it take no time to fit."""
    add_outcome(workspace, weeks=FIRST)
    add_spend(workspace)
    monkeypatch.setattr(computation, "compute_in_child", in_no_time)
    return workspace


def in_no_time(*, question: Mapping[str, Any], arrays: artifacts.Arrays, **_others: Any) -> Answer:
    """What a child answers, of draws that nobody had to fit."""
    panel = unpack_panel(question["panel"], arrays)
    scratch = WorkspaceFactory.create()
    run = stored_run(
        scratch, panel, some_draws(panel, 30, knots=KNOTS), window=tuple(question["window"]), knots=KNOTS, model="hill"
    )
    assert run.result is not None
    kept = artifacts.read(run)
    Run.objects.filter(pk=run.pk).delete()
    return Answer(run.result, kept)


@pytest.fixture
def more_sales(shop: Workspace, tmp_path: Path) -> MoreSales:
    """Import the sales of the weeks that were not known yet."""

    def bring_in() -> None:
        values = list(zip(market_weeks(), market().outcome.tolist(), strict=True))[FIRST:]
        file = tmp_path / "sales.csv"
        file.write_text("date,outcome,value\n" + "".join(f"{week},Sales,{value!r}\n" for week, value in values))
        batch = request_import(
            workspace=shop,
            dataset=Dataset.OUTCOMES,
            file=file,
            mapping={},
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        batch.refresh_from_db()
        assert batch.status == Import.Status.ACTIVE, batch.job.error

    return bring_in


def calculate(workspace: Workspace, **params: Any) -> Run:
    asked = {"knots": KNOTS, "folds": 0} | params
    run = request_run(
        workspace=workspace, kind="weightings", params=asked, by=None, trigger=Run.Trigger.PAGE, ring=False
    )
    return carried_out(run)


def carried_out(run: Run) -> Run:
    execute(job_id=run.job_id)
    done = Run.objects.select_related("workspace", "job", "requested_by", "api_key").get(pk=run.pk)
    assert done.job.status == Job.Status.DONE, done.job.error
    return done


def aged(run: Run, by: dt.timedelta = OLD) -> Run:
    """The run as if it had been asked for so long ago."""
    run.created_at = timezone.now() - by
    run.save(update_fields=["created_at"])
    return run


def page_of(client: Client, run: Run) -> str:
    response = client.get(f"/w/{run.workspace.slug}/runs/{run.pk}/")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", unescape(response.text))


# The next model


def test_the_next_model_keeps_how_the_one_before_has_predicted(shop: Workspace, more_sales: MoreSales) -> None:
    first = calculate(shop)
    assert first.result is not None
    assert first.result["since_previous"] is None
    more_sales()
    second = calculate(shop)
    assert second.result is not None
    found = second.result["since_previous"]
    assert found["run"] == str(first.pk)
    assert found["data"]["added_after"] == ALL - FIRST
    assert found["backtest"]["observed"] == pytest.approx(market().outcome[FIRST:].tolist())
    assert 0 < found["stability"]["score"] <= 100
    (section,) = sections_of(Result(second))
    assert f"predicted the {ALL - FIRST} weeks since" in section.sentences[1]
    assert sections_of(Result(first)) == ()
    assert section.sentences[1] in [each for part in document(second).sections for each in part.sentences]
    assert second.params["start"] == first.params["start"], "all data, as before"


def test_a_model_that_cannot_be_compared_has_its_result_all_the_same(shop: Workspace, more_sales: MoreSales) -> None:
    first = calculate(shop)
    artifacts.remove(first.artifact)
    more_sales()
    second = calculate(shop)
    assert second.result is not None
    assert second.result["channels"]
    assert second.result["since_previous"]["stability"] is None
    assert "no longer on disk" in second.result["since_previous"]["stability_problem"]


# Refreshing with one click


def test_the_period_moves_up_to_the_newest_day(shop: Workspace, more_sales: MoreSales) -> None:
    first = calculate(shop).params
    assert renewed(shop, first) is None
    more_sales()
    newest = (market_weeks()[-1] + dt.timedelta(6)).isoformat()
    assert renewed(shop, first) == first | {"end": newest}, "a period that began with the data still does"
    later = first | {"start": market_weeks()[10].isoformat()}
    moved = market_weeks()[10] + dt.timedelta(7 * (ALL - FIRST))
    assert renewed(shop, later) == later | {"start": moved.isoformat(), "end": newest}
    assert renewed(shop, first | {"end": newest}) is None
    assert renewed(shop, first | {"outcome": "Visits"}) is None, "an outcome that there is no more"


def test_one_click_asks_up_to_the_newest_day(
    shop: Workspace, more_sales: MoreSales, client_for: ClientFor, analyst: User
) -> None:
    first, client = calculate(shop), client_for(analyst)
    assert "Refresh with data up to" not in page_of(client, first)
    more_sales()
    assert "Refresh with data up to 26 Feb 2023" in page_of(client, first)
    response = client.post(f"/w/acme/runs/{first.pk}/retry/", {"renew": "yes"})
    run = Run.objects.exclude(pk=first.pk).get()
    assert response["Location"] == f"/w/acme/runs/{run.pk}/"
    assert run.params == first.params | {"end": "2023-02-26"}
    assert run.requested_by == analyst


def test_asked_again_without_it_the_period_stays(
    shop: Workspace, more_sales: MoreSales, client_for: ClientFor, analyst: User
) -> None:
    first = calculate(shop)
    more_sales()
    client_for(analyst).post(f"/w/acme/runs/{first.pk}/retry/")
    assert Run.objects.exclude(pk=first.pk).get().params == first.params


def test_who_may_not_run_is_offered_no_refresh(
    shop: Workspace, more_sales: MoreSales, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    first = calculate(shop)
    more_sales()
    assert "Refresh with data" not in page_of(client_for(viewer), first)
    assert client_for(viewer).post(f"/w/acme/runs/{first.pk}/retry/", {"renew": "yes"}).status_code == 403
    assert client_for(outsider).post(f"/w/acme/runs/{first.pk}/retry/", {"renew": "yes"}).status_code == 404
    assert Run.objects.count() == 1


# Old models


def test_a_model_is_stale_after_ninety_days(shop: Workspace, client_for: ClientFor, analyst: User) -> None:
    run, client = calculate(shop), client_for(analyst)
    on_the_day = run.created_at + dt.timedelta(days=90)
    with time_machine.travel(on_the_day, tick=False):
        client.force_login(analyst)
        assert "Stale" not in page_of(client, run)
    with time_machine.travel(on_the_day + dt.timedelta(seconds=1), tick=False):
        client.force_login(analyst)
        text = page_of(client, run)
        made = f"{run.created_at.astimezone(shop.zone):%-d %b %Y}"
        assert f"This is of {made}, more than 90 days ago: markets move on, so refresh it before you act on it." in text
        assert '<span class="badge badge-warn">Stale</span>' in text


def test_a_stale_model_says_whether_there_is_anything_newer(
    shop: Workspace, more_sales: MoreSales, client_for: ClientFor, analyst: User
) -> None:
    run, client = aged(calculate(shop)), client_for(analyst)
    nothing = "Nothing newer has been imported: bring in newer data first."
    text = page_of(client, run)
    assert nothing in text
    assert re.search(r"<button[^>]* disabled>Run again on newest data</button>", text)
    more_sales()
    text = page_of(client, run)
    assert nothing not in text
    assert re.search(r'<button class="button" type="submit" name="renew"[^>]*>Refresh with data up to', text)


def test_lists_mark_stale_models(shop: Workspace, client_for: ClientFor, viewer: User) -> None:
    badge = '<span class="badge badge-warn">Stale</span>'
    run = calculate(shop)
    client = client_for(viewer)
    for page in ("/w/acme/weightings/", "/w/acme/runs/"):
        assert badge not in client.get(page).text
    aged(run)
    for page, marked in (("/w/acme/weightings/", 2), ("/w/acme/runs/", 1)):  # the first says of the newest result, too
        assert client.get(page).text.count(badge) == marked
    Job.objects.filter(run=run).update(status=Job.Status.FAILED)
    assert badge not in client.get("/w/acme/runs/").text, "what has no result does not grow old"


def test_exports_carry_the_note_and_the_same_numbers(shop: Workspace, client_for: ClientFor, viewer: User) -> None:
    run, client = calculate(shop), client_for(viewer)
    fresh, table = document(run), client.get(f"/w/acme/runs/{run.pk}/export.csv").getvalue()
    aged(run)
    stale = document(run)
    (added,) = set(stale.notes) - set(fresh.notes)
    assert "more than 90 days ago" in added
    assert (stale.sections, stale.cards) == (fresh.sections, fresh.cards)
    assert list(stale.rows) == list(fresh.rows)
    assert client.get(f"/w/acme/runs/{run.pk}/export.csv").getvalue() == table
    exported = json.loads(client.get(f"/w/acme/runs/{run.pk}/export.json").content)
    assert exported["is_stale"] is True
    assert client.get(f"/api/v1/runs/{run.pk}/").json()["is_stale"] is True


def test_a_note_does_not_change_from_day_to_day(shop: Workspace) -> None:
    run = aged(calculate(shop))
    notes = document(run).notes
    with time_machine.travel(timezone.now() + dt.timedelta(days=200)):
        assert document(run).notes == notes


def test_results_of_other_kinds_do_not_grow_old(shop: Workspace) -> None:
    run = aged(earlier_run(shop))
    assert age.is_stale(run)
    assert KIND.stale_after == STALE_AFTER == dt.timedelta(days=90)
    run.kind = "attribution"
    assert registry.get("attribution").stale_after is None
    assert not age.is_stale(run)
    assert age.stale_sentence(run) == ""
