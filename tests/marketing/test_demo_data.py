"""Demo data comes into an empty workspace whole, says how far it is, and goes again without a trace."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db.models import Model

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from jobs.progress import Progress
from marketing import demo_data, selectors
from marketing.data_versions import data_version
from marketing.demo_data import DemoState, demo_badge, demo_state, load_demo_data, may_remove, remove_demo_data
from marketing.importing import actions, demo, removal
from marketing.importing.demo import DATASETS, DemoAlreadyLoaded, request_demo, truth_path
from marketing.models import Channel, Conversion, Dataset, DatasetVersion, Import, Touchpoint
from mmm_project.problems import Conflict
from tests.marketing.batches import add_import
from tests.marketing.demo_worlds import ROWS, small_world, work

Importer = Callable[..., Import]
END = dt.date(2026, 6, 30)
NOW = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
# What there is one of for each thing that happened, and stays.
HISTORY = {"accounts.AuditEvent", "jobs.Job", "marketing.Import", "marketing.DatasetVersion"}


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture(autouse=True)
def _world(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketing.demo.build_world", small_world)


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def loaded(shop: Workspace, owner: User) -> Workspace:
    """The shop with demo data."""
    load_demo_data(workspace=shop, by=owner)
    work(shop)
    assert demo_state(shop).situation == "loaded"
    return shop


def remove(workspace: Workspace, by: User | None = None) -> None:
    assert remove_demo_data(workspace=workspace, by=by, ring=False)
    work(workspace)


def contents(workspace: Workspace) -> dict[str, set[Any]]:
    """The ids of the workspace's rows by model, but for its history."""
    models: list[type[Model]] = [relation.related_model for relation in Workspace._meta.related_objects]
    found = {
        model._meta.label: set(model._default_manager.filter(workspace=workspace).values_list("pk", flat=True))
        for model in models
        if model._meta.label not in HISTORY
    }
    for rows in removal.ROW_MODELS:
        found[rows._meta.label] = set(
            rows._default_manager.filter(batch__workspace=workspace).values_list("pk", flat=True)
        )
    return found


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"])
def test_its_days_are_the_workspaces_and_end_yesterday(shop: Workspace, owner: User, zone: str) -> None:
    Workspace.objects.filter(pk=shop.pk).update(timezone=zone)
    shop.refresh_from_db()
    # In Auckland the first of July is an hour and a half old, while June goes on in Berlin.
    with time_machine.travel(dt.datetime(2026, 6, 30, 13, 30, tzinfo=dt.UTC), tick=False):
        load_demo_data(workspace=shop, by=owner)
        work(shop)
        yesterday = dt.datetime.now(shop.zone).date() - dt.timedelta(1)
        assert demo_state(shop).situation == "loaded"
    assert not Import.objects.filter(rejected__gt=0).exists()
    for dataset in (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS, Dataset.SPEND, Dataset.OUTCOMES):
        assert selectors.data_ends(workspace=shop, datasets=[dataset]) == yesterday
    world = small_world(yesterday, seed=7)
    hours = Conversion.objects.order_by("pk").values_list("occurred_at", flat=True)
    assert [at.astimezone(shop.zone).replace(tzinfo=None) for at in hours] == [
        at.to_pydatetime()
        for at in world.conversions["occurred_at"].dt.tz_convert("Europe/Berlin").dt.tz_localize(None)
    ]


def test_it_has_channels_of_every_type_and_a_known_truth(loaded: Workspace) -> None:
    assert Channel.objects.filter(workspace=loaded).count() >= 6
    assert set(Channel.objects.values_list("type", flat=True)) == set(Channel.Type.values)
    assert truth_path(loaded).exists()


def test_its_sales_are_money_and_its_other_outcomes_are_not(loaded: Workspace) -> None:
    assert list(loaded.outcomes.filter(is_money=True).values_list("name", "kind")) == [("Sales", "sales")]


def test_the_state_says_who_loaded_what_and_when(loaded: Workspace, owner: User) -> None:
    state = demo_state(loaded)
    assert (state.situation, state.loaded_by, state.loaded_at) == ("loaded", owner.email, NOW)
    assert state.rows == sum(len(getattr(small_world(END, seed=7), name)) for name in DATASETS)
    assert not state.has_own_data


def test_asking_twice_loads_once(shop: Workspace, owner: User) -> None:
    load_demo_data(workspace=shop, by=owner)
    load_demo_data(workspace=shop, by=owner)
    assert Import.objects.count() == Job.objects.count() == len(DATASETS)
    work(shop)
    with pytest.raises(DemoAlreadyLoaded, match="already holds demo data"):
        load_demo_data(workspace=shop, by=owner)
    assert Import.objects.count() == len(DATASETS)
    assert AuditEvent.objects.filter(action="demo.requested", actor=owner).count() == 1


@pytest.mark.parametrize("status", [Import.Status.ACTIVE, Import.Status.PENDING, Import.Status.LOADING])
def test_a_workspace_with_data_of_its_own_takes_no_demo_data(shop: Workspace, owner: User, status: str) -> None:
    add_import(shop, Dataset.SPEND, status=status)
    with pytest.raises(Conflict, match="data of its own"):
        load_demo_data(workspace=shop, by=owner)
    assert demo_state(shop) == DemoState(situation="none", has_own_data=True)


@pytest.mark.parametrize("status", [Import.Status.FAILED, Import.Status.UNDONE])
def test_imports_that_came_to_nothing_are_no_obstacle(shop: Workspace, owner: User, status: str) -> None:
    add_import(shop, Dataset.SPEND, status=status)
    load_demo_data(workspace=shop, by=owner)
    work(shop)
    assert demo_state(shop).situation == "loaded"


def test_the_state_follows_loading_import_by_import(shop: Workspace, owner: User) -> None:
    assert demo_state(shop) == DemoState(situation="none")
    load_demo_data(workspace=shop, by=owner)
    assert demo_state(shop) == DemoState(situation="loading", phase="Waiting for a worker")
    first, second, *_ = Job.objects.order_by("pk")
    execute(job_id=first.pk)
    claimed = job_actions.claim(job_id=second.pk)
    assert claimed
    Progress(claimed)("Loading rows", 0.5)
    state = demo_state(shop)
    assert (state.situation, state.phase, state.percent) == ("loading", "Conversions: Loading rows", 25)


def test_a_demo_of_which_an_import_failed_says_why_and_is_completed_by_asking_again(
    shop: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_demo_data(workspace=shop, by=owner)
    first, *rest = Job.objects.order_by("pk")
    for job in rest:
        execute(job_id=job.pk)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "ERRORS_KEPT", None)  # a fault
        execute(job_id=first.pk)
    state = demo_state(shop)
    assert state.situation == "failed"
    assert "report it as error" in state.error
    assert not state.removal_failed
    load_demo_data(workspace=shop, by=owner)
    work(shop)
    assert demo_state(shop).situation == "loaded"
    assert Import.objects.filter(status=Import.Status.ACTIVE).count() == len(DATASETS)
    remove(shop)
    assert demo_state(shop).situation == "none"  # the failure is of another time


@pytest.mark.parametrize("step", ["build_world", "_create_channels", "_write", "last file"])
def test_loading_that_breaks_off_anywhere_is_carried_on(
    shop: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    load_demo_data(workspace=shop, by=owner)
    job = Job.objects.order_by("pk")[0]
    write = demo._write

    def end(*args: Any, **_named: object) -> None:
        if step == "last file" and args[1].stem != DATASETS[-1]:
            return write(*args)
        raise Killed

    with monkeypatch.context() as meanwhile:
        name = "_write" if step == "last file" else step
        meanwhile.setattr(
            "marketing.demo.build_world" if step == "build_world" else f"marketing.importing.demo.{name}", end
        )
        with pytest.raises(Killed):
            execute(job_id=job.pk)
    work(shop)
    assert demo_state(shop).situation == "loaded"
    assert Touchpoint.objects.count() == ROWS
    assert not list(truth_path(shop).parent.glob("*.draft"))


def test_removing_leaves_the_workspace_as_it_was(shop: Workspace, owner: User, media_root: Path) -> None:
    before = contents(shop)
    load_demo_data(workspace=shop, by=owner)
    work(shop)
    selectors.load_touches(workspace=shop)
    assert any((media_root / "snapshots").rglob("manifest.json"))
    version = data_version(workspace=shop, datasets=list(Dataset))
    remove(shop, by=owner)
    assert contents(shop) == before
    assert demo_state(shop) == DemoState(situation="none")
    assert not DatasetVersion.objects.exclude(digest="0" * 32).exists()
    assert data_version(workspace=shop, datasets=list(Dataset)) != version
    assert not [path for path in media_root.rglob("*.*") if path.is_file()]
    assert set(Import.objects.values_list("status", flat=True)) == {"undone"}
    assert not Import.objects.filter(rows_removed_at=None).exists()
    assert Import.objects.get(dataset="touchpoints").accepted == ROWS  # what there was stays on record
    assert list(
        AuditEvent.objects.filter(action__startswith="demo.").order_by("pk").values_list("action", "actor")
    ) == [
        ("demo.requested", owner.pk),
        ("demo.removal_requested", owner.pk),
        ("demo.removed", None),
    ]


def test_it_can_be_loaded_again_after_it_was_removed(loaded: Workspace, owner: User) -> None:
    remove(loaded)
    load_demo_data(workspace=loaded, by=owner)
    work(loaded)
    state = demo_state(loaded)
    assert (state.situation, Touchpoint.objects.count()) == ("loaded", ROWS)


def test_own_data_that_came_later_stays_and_counts(loaded: Workspace, import_rows: Importer) -> None:
    world = small_world(END, seed=7)
    touch = world.touchpoints.iloc[0]
    header = "customer,occurred_at,channel,campaign,interaction\n"
    at = touch.occurred_at.tz_convert("Europe/Berlin").tz_localize(None)  # of the clock: it is the shop's, too
    row = f"{touch.customer},{at.isoformat()},{touch.channel},{touch.campaign},{touch.interaction}\n"
    own = import_rows("touchpoints", header + row + "ann,2026-06-01T10:00Z,Flyer,,\n")
    assert (own.accepted, own.duplicates) == (1, 1)
    remove(loaded)
    own.refresh_from_db()
    assert (own.status, own.accepted, own.duplicates) == ("active", 2, 0)
    assert Touchpoint.objects.filter(shadowed=False).count() == Touchpoint.objects.count() == 2
    assert Channel.objects.filter(name="Flyer").exists()
    assert Channel.objects.filter(name=touch.channel).exists()
    assert demo_state(loaded) == DemoState(situation="none", has_own_data=True)


def test_removing_twice_is_one_job_and_a_third_time_none(loaded: Workspace, owner: User) -> None:
    first = remove_demo_data(workspace=loaded, by=owner, ring=False)
    assert remove_demo_data(workspace=loaded, by=owner, ring=False) == first
    assert demo_state(loaded) == DemoState(situation="removing", phase="Waiting for a worker")
    load_demo_data(workspace=loaded, by=owner)  # nothing: it is on its way out
    work(loaded)
    assert remove_demo_data(workspace=loaded, by=owner, ring=False) is None
    assert Job.objects.filter(kind=demo_data.REMOVAL_JOB).count() == 1


def test_removing_stops_what_is_still_being_loaded(shop: Workspace, owner: User) -> None:
    load_demo_data(workspace=shop, by=owner)
    first, second, *_ = Job.objects.order_by("pk")
    execute(job_id=first.pk)
    assert job_actions.claim(job_id=second.pk)
    Import.objects.filter(job=second).update(status=Import.Status.LOADING)
    removal_job = remove_demo_data(workspace=shop, by=owner, ring=False)
    assert removal_job
    execute(job_id=removal_job.pk)
    removal_job.refresh_from_db()
    assert (removal_job.status, removal_job.rung_at) == ("queued", None)  # waits for the second to stop
    assert Touchpoint.objects.exists()
    Job.objects.filter(pk=second.pk).update(lease_until=NOW - dt.timedelta(1))
    job_actions.sweep()
    work(shop)
    assert demo_state(shop) == DemoState(situation="none")
    assert not Touchpoint.objects.exists()
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        "marketing.importing.undo.undo_imports",
        "marketing.store.discard",
        "marketing.demo_data.remove_rows",
        "marketing.demo_data.remove_names",
        "marketing.demo_data.remove_files",
        "marketing.demo_data._note_removal",
    ],
)
def test_a_removal_that_breaks_off_anywhere_is_carried_on(
    shop: Workspace, owner: User, media_root: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = contents(shop)
    load_demo_data(workspace=shop, by=owner)
    work(shop)

    def end(*_args: object, **_named: object) -> None:
        raise Killed

    job = remove_demo_data(workspace=shop, by=owner, ring=False)
    assert job
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(step, end)
        with pytest.raises(Killed):
            execute(job_id=job.pk)
    work(shop)
    assert contents(shop) == before
    assert demo_state(shop) == DemoState(situation="none")
    assert not [path for path in media_root.rglob("*.*") if path.is_file()]


def test_a_removal_that_failed_says_so_and_can_be_asked_for_again(
    loaded: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_workspace: Workspace) -> None:
        raise RuntimeError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(demo_data, "remove_names", fail)
        remove(loaded)
    state = demo_state(loaded)
    assert (state.situation, state.removal_failed, state.rows) == ("failed", True, 0)
    assert "report it as error" in state.error
    remove(loaded)
    assert demo_state(loaded) == DemoState(situation="none")
    assert not Channel.objects.exists()


def test_demo_data_asked_for_while_the_last_of_it_goes_keeps_its_files(
    loaded: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_meanwhile(workspace: Workspace) -> None:
        request_demo(workspace=workspace, end=END, by=None, ring=False)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(demo_data, "remove_names", ask_meanwhile)
        removal_job = remove_demo_data(workspace=loaded, by=None, ring=False)
        assert removal_job
        execute(job_id=removal_job.pk)
    work(loaded)
    assert demo_state(loaded).situation == "loaded"


def test_the_state_takes_three_queries_and_the_badge_one(
    loaded: Workspace, owner: User, django_assert_num_queries: Any
) -> None:
    membership = Membership.objects.select_related("workspace").get(user=owner)
    for _ in range(10):
        add_import(loaded, Dataset.SPEND)
        add_import(loaded, Dataset.SPEND, status=Import.Status.FAILED)
    with django_assert_num_queries(3):
        demo_state(loaded)
    with django_assert_num_queries(1):
        assert demo_badge(membership)


@pytest.mark.parametrize(
    ("role", "own", "others"),
    [(Role.VIEWER, False, False), (Role.ANALYST, True, False), (Role.ADMIN, True, True), (Role.OWNER, True, True)],
)
def test_analysts_remove_what_they_loaded_and_admins_what_anybody_did(
    loaded: Workspace, member: Callable[[Role], User], owner: User, role: Role, own: bool, others: bool
) -> None:
    user = owner if role == Role.OWNER else member(role)
    membership = Membership.objects.select_related("workspace").get(user=user)
    for requested_by, allowed in ((user, own), (None, others)):
        Import.objects.update(requested_by=requested_by)
        badge = demo_badge(membership)
        assert badge
        assert (may_remove(membership), badge.may_remove) == (allowed, allowed)


def test_a_job_that_waited_for_an_import_is_rung_for_when_that_ends(
    shop: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: set[int] = set()
    monkeypatch.setattr(job_actions, "ring_doorbell", lambda job: rung.add(job.pk))
    load_demo_data(workspace=shop, by=owner)
    first, second, third, *_ = Job.objects.order_by("pk")
    rung.clear()
    Import.objects.filter(job=first).update(status=Import.Status.LOADING)
    execute(job_id=second.pk)
    assert second.pk not in rung
    execute(job_id=first.pk)
    assert second.pk in rung
    rung.clear()
    Import.objects.filter(job=third).update(status=Import.Status.LOADING)
    execute(job_id=second.pk)
    assert second.pk not in rung
    job_actions.request_cancel(job=Job.objects.get(pk=third.pk), by=None)
    assert second.pk in rung
