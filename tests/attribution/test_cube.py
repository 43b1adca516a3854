"""The daily cube: computed by hand, kept current by the sweep, and read with few queries."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
import time_machine
from django.conf import settings
from django.test import Client

from accounts.models import User, Workspace
from analyses.errors import AnalysisError, InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube import daily_cube as cube_module
from attribution.cube.daily_cube import KIND, cube_runs, latest_cube, refresh_cube
from attribution.cube.keeping import keep_cubes_current
from attribution.methods.cube import NO_CAMPAIGN, UNTOUCHED
from jobs import actions
from jobs.execution import execute
from jobs.models import Job
from marketing.models import Campaign, Channel, Goal
from marketing.periods import day_number
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

NOW = dt.datetime(2026, 4, 10, 9, tzinfo=dt.UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that stands still until the test moves it, and no worker that would hear a doorbell."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def sweep_and_work() -> list[str]:
    """Sweep, carry out what waits, and return the states of the cube's runs, newest first."""
    keep_cubes_current()
    for job_id in Job.objects.filter(status=Job.Status.QUEUED, kind="analyses.run").values_list("pk", flat=True):
        execute(job_id=job_id)
    return [run.job.status + (" void" if run.void else "") for run in cube_runs()]


def compute_now(workspace: Workspace) -> Run:
    run = refresh_cube(workspace=workspace, ring=False)
    execute(job_id=run.job_id)
    return Run.objects.select_related("job").get(pk=run.pk)


@pytest.mark.usefixtures("clock")
def test_credit_lies_on_the_local_day_of_its_conversion(shop: Workspace, import_rows: ImportRows) -> None:
    shop.timezone = "Europe/Berlin"
    shop.save(update_fields=["timezone"])
    # Clocks go forward on 29 March: that day has 23 hours, and 22:30 UTC is half past midnight of the 30th.
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,campaign",
        "anna,2026-03-20T10:00Z,Email,Spring",
        "bert,2026-03-20T10:00Z,Search,",
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        "anna,2026-03-28T22:59Z,10",
        "anna,2026-03-28T23:01Z,20",
        "bert,2026-03-29T21:59Z,40",
        "bert,2026-03-29T22:30Z,80",
        "carl,2026-03-31T10:00Z,160",
    )
    import_rows("spend", "date,channel,campaign,spend", "2026-03-29,Email,Spring,5", "2026-03-29,TV,,7")
    assert compute_now(shop).job.status == "done"
    daily = latest_cube(workspace=shop)
    assert daily is not None
    rows = daily.cube.credit[Goal.objects.get(is_default=True).pk]
    email, search, tv = (Channel.objects.get(name=name).pk for name in ("Email", "Search", "TV"))
    campaign = Campaign.objects.get(name="Spring").pk
    last = daily.cube.models.index("last")
    found = zip(*(rows.day, rows.channel, rows.campaign, rows.value[:, last]), strict=True)
    day = {number: day_number(dt.date(2026, 3, number)) for number in (28, 29, 30, 31)}
    assert [tuple(row) for row in found] == [
        (day[28], email, campaign, 10),
        (day[29], email, campaign, 20),
        (day[29], search, NO_CAMPAIGN, 40),
        (day[30], search, NO_CAMPAIGN, 80),
        (day[31], UNTOUCHED, UNTOUCHED, 160),
    ]
    assert list(zip(daily.cube.spend.channel, daily.cube.spend.spend, strict=True)) == [(email, 5), (tv, 7)]
    assert (daily.conversions_until, daily.spend_until) == (dt.date(2026, 3, 31), dt.date(2026, 3, 29))


@pytest.mark.usefixtures("clock")
def test_a_workspace_with_nothing_but_spend_has_a_cube(shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    compute_now(shop)
    daily = latest_cube(workspace=shop)
    assert daily is not None
    assert (daily.cube.credit, daily.cube.spend.spend.tolist(), daily.conversions_until) == ({}, [7.0], None)


@pytest.mark.usefixtures("clock")
def test_channels_that_only_the_grouping_names_get_a_colour_of_their_own(
    shop: Workspace, import_rows: ImportRows
) -> None:
    import_rows("touchpoints", "customer,occurred_at,source,medium", "anna,2026-03-20T10:00Z,google,organic")
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-21T10:00Z,10")
    compute_now(shop)
    channel = Channel.objects.get(name="Organic Search")
    assert channel.type == Channel.Type.ORGANIC
    compute_now(shop)
    assert Channel.objects.get(name="Organic Search").colour_slot == channel.colour_slot


@pytest.mark.usefixtures("clock")
def test_nobody_can_ask_for_it(shop: Workspace, client_for: Callable[[User | None], Client], analyst: User) -> None:
    for trigger in (Run.Trigger.PAGE, Run.Trigger.API, Run.Trigger.CLI):
        with pytest.raises(InvalidParams, match="cannot be asked for"):
            request_run(workspace=shop, kind=KIND.name, params={}, by=analyst, trigger=trigger)
    compute_now(shop)
    assert client_for(analyst).get("/api/v1/runs/").json()["results"] == []
    assert "Daily attribution" not in client_for(analyst).get("/w/acme/runs/").text


@pytest.mark.usefixtures("clock")
def test_the_sweep_asks_for_it_once_new_data_are_in(shop: Workspace, import_rows: ImportRows) -> None:
    assert sweep_and_work() == []
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    assert sweep_and_work() == ["done"]
    assert sweep_and_work() == ["done"]
    import_rows("spend", "date,channel,spend", "2026-03-30,TV,9")
    assert sweep_and_work() == ["done", "done"]
    daily = latest_cube(workspace=shop)
    assert daily is not None
    assert (daily.cube.spend.spend.sum(), daily.is_updating) == (16, False)


@pytest.mark.usefixtures("clock")
def test_a_change_of_the_window_makes_it_due(shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    sweep_and_work()
    Workspace.objects.filter(pk=shop.pk).update(window_days=7)
    shop.refresh_from_db()
    daily = latest_cube(workspace=shop)
    assert daily is not None
    assert daily.is_updating
    assert sweep_and_work() == ["done", "done"]


def test_imports_on_their_way_are_waited_for_but_not_for_ever(
    shop: Workspace, import_rows: ImportRows, clock: time_machine.Traveller
) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    import_rows("spend", "date,channel,spend", "2026-03-30,TV,7", carry_out=False)
    assert sweep_and_work() == []
    clock.shift(dt.timedelta(minutes=11))
    assert sweep_and_work() == ["done"]


def test_what_failed_is_not_tried_again_at_once(
    shop: Workspace, import_rows: ImportRows, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    with monkeypatch.context() as meanwhile:

        def fail(*_arguments: Any, **_options: Any) -> None:
            raise AnalysisError("It does not add up.")

        meanwhile.setattr(cube_module, "load_daily_spend", fail)
        assert sweep_and_work() == ["failed void"]
    assert sweep_and_work() == ["failed void"]
    clock.shift(dt.timedelta(minutes=11))
    assert sweep_and_work() == ["done", "failed void"]


def test_a_damaged_file_is_noticed_and_computed_again(
    shop: Workspace, import_rows: ImportRows, clock: time_machine.Traveller
) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    sweep_and_work()
    file = Path(settings.MEDIA_ROOT) / cube_runs()[0].artifact
    file.write_bytes(file.read_bytes()[:-1])
    clock.shift(dt.timedelta(minutes=11))
    assert sweep_and_work() == ["done", "done void"]
    assert latest_cube(workspace=shop) is not None


@pytest.mark.usefixtures("clock")
def test_a_lost_file_is_no_fault_of_the_page(shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    run = compute_now(shop)
    (Path(settings.MEDIA_ROOT) / run.artifact).unlink()
    assert latest_cube(workspace=shop) is None


@pytest.mark.usefixtures("clock")
def test_only_the_last_cubes_are_kept(
    shop: Workspace, import_rows: ImportRows, django_capture_on_commit_callbacks: Any
) -> None:
    for number in range(1, 6):
        import_rows("spend", "date,channel,spend", f"2026-03-{number:02},TV,7")
        with django_capture_on_commit_callbacks(execute=True):
            sweep_and_work()
    with django_capture_on_commit_callbacks(execute=True):
        keep_cubes_current()
    assert cube_runs().count() == 2
    assert len(list((Path(settings.MEDIA_ROOT) / "runs").rglob("*.npz"))) == 2


@pytest.mark.usefixtures("clock")
def test_one_workspace_knows_nothing_of_anothers(shop: Workspace, import_rows: ImportRows) -> None:
    other = WorkspaceFactory.create()
    Goal.objects.create(workspace=other, name="Purchase", is_default=True)
    for workspace, spent in ((shop, 7), (other, 11)):
        import_rows("spend", "date,channel,spend", f"2026-03-29,TV,{spent}", workspace=workspace)
        compute_now(workspace)
    spends = [latest_cube(workspace=workspace) for workspace in (shop, other)]
    assert [daily.cube.spend.spend.tolist() for daily in spends if daily] == [[7.0], [11.0]]


@pytest.mark.usefixtures("clock")
def test_more_workspaces_need_no_more_queries(
    shop: Workspace, import_rows: ImportRows, django_assert_max_num_queries: Any
) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    sweep_and_work()
    with django_assert_max_num_queries(8) as few:
        keep_cubes_current()
    for _workspace in range(5):
        import_rows("spend", "date,channel,spend", "2026-03-29,TV,7", workspace=WorkspaceFactory.create())
    sweep_and_work()
    with django_assert_max_num_queries(len(few)):
        keep_cubes_current()


@pytest.mark.usefixtures("clock")
def test_the_sweep_of_all_jobs_keeps_cubes_current(shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("spend", "date,channel,spend", "2026-03-29,TV,7")
    actions.sweep()
    assert cube_runs().count() == 1
