"""Which cube is shown and which are asked for when imports are undone, fail, or come in while others wait."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, Workspace
from analyses import artifacts
from analyses.errors import AnalysisError
from analyses.models import Run
from attribution.cube import daily_cube as cube_module
from attribution.cube import keeping as cube_keeping
from attribution.cube.daily_cube import cube_runs, latest_cube, refresh_cube
from attribution.cube.keeping import PAUSE_AFTER_FAILURE, keep_cubes_current
from jobs.execution import execute
from jobs.models import Job
from marketing import data_versions
from marketing.importing.undo import undo_imports
from marketing.models import Import
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

NOW = dt.datetime(2026, 4, 10, 9, tzinfo=dt.UTC)
AFTER_THE_PAUSE = PAUSE_AFTER_FAILURE + dt.timedelta(seconds=1)
Spend = Callable[..., Import]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that stands still until the test moves it, and no worker that would hear a doorbell."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def spend(import_rows: ImportRows) -> Spend:
    """`spend(7)` imports 7 euros for TV, each time on another day."""

    def spend(amount: int, **options: Any) -> Import:
        day = dt.date(2026, 1, 1) + dt.timedelta(Import.objects.count())
        return import_rows("spend", "date,channel,spend", f"{day},TV,{amount}", **options)

    return spend


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cubes cannot be computed."""

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise AnalysisError("It does not add up.")

    monkeypatch.setattr(cube_module, "load_daily_spend", fail)


def sweep_and_work(clock: time_machine.Traveller) -> int:
    """Sweep, carry out what waits a second later, and return how many cubes that was."""
    keep_cubes_current()
    clock.shift(dt.timedelta(seconds=1))
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, kind="analyses.run").values_list("pk", flat=True))
    for job_id in waiting:
        execute(job_id=job_id)
    return len(waiting)


def shown(workspace: Workspace) -> tuple[float, bool]:
    """The spend of the cube that a page would show, and whether the page says that it is being updated."""
    daily = latest_cube(workspace=workspace)
    assert daily is not None
    return float(daily.cube.spend.spend.sum()), daily.is_updating


def file_of(run: Run) -> Path:
    return Path(settings.MEDIA_ROOT) / run.artifact


def test_after_an_import_the_last_cube_is_shown_until_the_next_is_done(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller
) -> None:
    assert latest_cube(workspace=shop) is None
    spend(7)
    sweep_and_work(clock)
    assert shown(shop) == (7, False)
    spend(9)
    keep_cubes_current()
    assert shown(shop) == (7, True)
    sweep_and_work(clock)
    assert shown(shop) == (16, False)


def test_after_an_undo_the_cube_of_before_is_shown_and_none_is_computed(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller
) -> None:
    spend(7)
    sweep_and_work(clock)
    second = spend(9)
    sweep_and_work(clock)
    undo_imports(workspace=shop, imports=[second], by=None)
    assert shown(shop) == (7, False)
    assert sweep_and_work(clock) == 0


def test_when_all_data_are_gone_the_cube_is_empty(shop: Workspace, spend: Spend, clock: time_machine.Traveller) -> None:
    batch = spend(7)
    sweep_and_work(clock)
    undo_imports(workspace=shop, imports=[batch], by=None)
    assert sweep_and_work(clock) == 1
    assert shown(shop) == (0, False)
    assert sweep_and_work(clock) == 0


def test_a_media_table_alone_has_a_cube(
    shop: Workspace, import_rows: ImportRows, clock: time_machine.Traveller
) -> None:
    batch = import_rows("media_table", "date,spend:TV,outcome:Sales", "2026-03-01,7,100", "2026-03-02,9,110")
    assert batch.status == Import.Status.ACTIVE, batch.job.error
    assert sweep_and_work(clock) == 1
    assert shown(shop) == (16, False)


def test_a_damaged_cube_gives_way_to_the_one_before(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(7)
    sweep_and_work(clock)
    spend(9)
    sweep_and_work(clock)
    newest = cube_runs()[0]
    monkeypatch.setattr(cube_module, "_cubes_in_memory", {})
    file_of(newest).write_bytes(file_of(newest).read_bytes()[:-1])
    assert shown(shop) == (7, True)


def test_a_cube_in_memory_is_not_read_again(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(7)
    sweep_and_work(clock)
    assert shown(shop) == (7, False)
    monkeypatch.delattr(artifacts, "read")
    assert shown(shop) == (7, False)


def test_reading_takes_four_queries_however_many_cubes_there_are(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for amount in (1, 2, 3):
        spend(amount)
        sweep_and_work(clock)
        with django_assert_num_queries(4):
            latest_cube(workspace=shop)


def test_a_failure_is_paused_for_even_when_imports_have_waited_long(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller, failing: None
) -> None:
    spend(7)
    spend(9, carry_out=False)
    clock.shift(cube_keeping.LONGEST_WAIT_FOR_IMPORTS)
    assert [sweep_and_work(clock) for _sweep in range(3)] == [1, 0, 0]


def test_newer_data_are_tried_at_once_after_a_failure(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller, failing: None
) -> None:
    spend(7)
    assert sweep_and_work(clock) == 1
    spend(9)
    assert sweep_and_work(clock) == 1


def test_failures_do_not_pile_up(shop: Workspace, spend: Spend, clock: time_machine.Traveller, failing: None) -> None:
    spend(7)
    for _try in range(6):
        assert sweep_and_work(clock) == 1
        clock.shift(AFTER_THE_PAUSE)
    keep_cubes_current()
    ended = cube_runs().exclude(job__status=Job.Status.QUEUED)
    assert ended.count() == cube_keeping.CUBES_KEPT
    assert Job.objects.filter(kind="analyses.run").count() == cube_runs().count()


def test_a_file_that_is_lost_again_and_again_is_not_computed_with_every_sweep(
    shop: Workspace, spend: Spend, clock: time_machine.Traveller
) -> None:
    """As where the workers do not share the folder of files."""
    spend(7)
    computed = 0
    for _sweep in range(5):
        computed += sweep_and_work(clock)
        for run in cube_runs():
            file_of(run).unlink(missing_ok=True)
    assert computed == 1


def test_a_second_sweep_at_the_same_moment_asks_for_nothing_more(
    shop: Workspace, spend: Spend, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(7)
    look = data_versions.data_versions

    def look_while_another_sweeps(**question: Any) -> dict[int, str]:
        monkeypatch.setattr(cube_keeping, "data_versions", look)
        keep_cubes_current()
        return look(**question)

    monkeypatch.setattr(cube_keeping, "data_versions", look_while_another_sweeps)
    keep_cubes_current()
    assert (cube_runs().count(), Job.objects.filter(kind="analyses.run").count()) == (1, 1)


def test_a_workspace_without_data_has_no_cube(shop: Workspace, spend: Spend, clock: time_machine.Traveller) -> None:
    empty = WorkspaceFactory.create()
    spend(7)
    assert sweep_and_work(clock) == 1
    assert latest_cube(workspace=empty) is None


def test_its_runs_do_not_exist_in_the_api(
    shop: Workspace, spend: Spend, client_for: Callable[[User | None], Client], owner: User
) -> None:
    spend(7)
    run = refresh_cube(workspace=shop)
    browser = client_for(owner)
    assert browser.get(f"/api/v1/runs/{run.pk}/").status_code == 404
    assert browser.post(f"/api/v1/runs/{run.pk}/cancel/").status_code == 404
    assert Run.objects.get(pk=run.pk).trigger == "data"
