"""Imports on the command line that somebody interrupts, or that find another one in their way."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Workspace
from jobs import actions as job_actions
from jobs import foreground
from jobs.models import Job
from marketing.demo import DemoWorld, build_world
from marketing.importing import actions
from marketing.importing.demo import DATASETS, DemoAlreadyLoaded, is_loaded, request_demo
from marketing.management.commands.import_data import carry_out
from marketing.models import Import, Touchpoint
from marketing.receivers import create_default_goals
from tests.factories import WorkspaceFactory

TOUCHES = "customer,occurred_at,channel\nann,2026-01-01T10:00Z,TV\nbob,2026-01-02T10:00Z,TV\n"
END = dt.date(2026, 6, 30)
Importer = Callable[..., Import]
pytestmark = pytest.mark.django_db(transaction=True)


def press_ctrl_c(*_args: object, **_options: object) -> None:
    raise KeyboardInterrupt


def import_touches(shop: Workspace, write_file: Callable[[str], Path]) -> None:
    call_command("import_data", str(write_file(TOUCHES)), workspace=shop.slug, dataset="touchpoints")


def test_ctrl_c_gives_the_import_up_and_lets_the_next_one_in(
    shop: Workspace, media_root: Path, write_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "load_rows", press_ctrl_c)
        with pytest.raises(CommandError, match=r"^Cancelled\.$"):
            import_touches(shop, write_file)
    assert [batch.status for batch in Import.objects.all()] == ["failed"]
    import_touches(shop, write_file)
    assert Touchpoint.objects.filter(batch__status="active").count() == 2


def test_ctrl_c_that_comes_too_late_says_so(
    shop: Workspace, media_root: Path, write_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "ring_deferred", press_ctrl_c)  # the import has just become active
    with pytest.raises(CommandError, match="had ended before it could be stopped"):
        import_touches(shop, write_file)
    assert [batch.status for batch in Import.objects.all()] == ["active"]


def test_an_import_whose_process_died_is_carried_on_by_the_next(
    shop: Workspace,
    queue_import: Importer,
    write_file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = queue_import("touchpoints", TOUCHES)
    assert job_actions.claim(job_id=dead.job_id)
    Import.objects.filter(pk=dead.pk).update(status=Import.Status.LOADING)

    def let_the_lease_run_out(_seconds: float) -> None:
        Job.objects.filter(status="running").update(lease_until=dead.created_at)

    monkeypatch.setattr(foreground, "time", _Time(let_the_lease_run_out))
    import_touches(shop, write_file)
    first, second = Import.objects.order_by("pk")
    assert (first.status, first.accepted) == ("active", 2)
    assert (second.status, second.accepted, second.duplicates) == ("active", 0, 2)


class _Time:
    """The time module, with a nap of the test's own."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dt.date, int]]:
    """A demo world whose tables have one row each; what was asked of it."""
    asked: list[tuple[dt.date, int]] = []

    def build_small(end: dt.date, *, seed: int) -> DemoWorld:
        asked.append((end, seed))
        world = build_world(end, seed=seed, days=180)
        tables = {name: getattr(world, name).head(1) for name in DATASETS}
        return DemoWorld(**tables, channels=world.channels, truth=world.truth)

    monkeypatch.setattr("marketing.demo.build_world", build_small)
    return asked


def test_a_demo_that_was_interrupted_is_completed_as_the_world_it_began_with(
    media_root: Path, small_world: list[tuple[dt.date, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = WorkspaceFactory.create()
    create_default_goals(workspace=shop)
    first, second, *_ = request_demo(workspace=shop, end=END, seed=3, by=None, ring=False)
    carry_out(first)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "load_rows", press_ctrl_c)
        with pytest.raises(CommandError, match="Cancelled"):
            carry_out(second)
    assert not is_loaded(shop)

    rest = request_demo(workspace=shop, end=END + dt.timedelta(1), seed=4, by=None, ring=False)
    assert [batch.dataset for batch in rest] == list(DATASETS[1:])
    for batch in rest:
        carry_out(batch)
    assert is_loaded(shop)
    assert small_world == [(END, 3)]
    with pytest.raises(DemoAlreadyLoaded):
        request_demo(workspace=shop, end=END, seed=3, by=None, ring=False)


def test_ctrl_c_in_load_demo_leaves_nothing_to_a_later_worker_and_the_next_one_loads_all(
    media_root: Path, small_world: list[tuple[dt.date, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = WorkspaceFactory.create()
    create_default_goals(workspace=shop)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "load_rows", press_ctrl_c)
        with pytest.raises(CommandError, match="Cancelled"):
            call_command("load_demo", workspace=shop.slug, end=END, seed=3)
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert set(Import.objects.values_list("status", flat=True)) == {"failed"}
    call_command("load_demo", workspace=shop.slug, end=END, seed=3)
    assert is_loaded(shop)
