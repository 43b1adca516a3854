"""Undoing an import leaves what there would be had it never come."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, User, Workspace
from jobs.actions import request_cancel, sweep
from jobs.execution import execute
from jobs.handlers import JobDeferred
from jobs.models import Job
from marketing import selectors, store
from marketing.data_versions import data_version
from marketing.importing import removal, settle, undo
from marketing.importing.undo import undo_imports
from marketing.importing.undo_requests import request_undo
from marketing.models import ChannelSpend, Conversion, Dataset, DatasetVersion, Import, OutcomeValue, Touchpoint
from mmm_project.problems import Conflict
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.marketing.said_rows import File, counts_by_rule, held_by_rule, held_in_database, random_file
from tests.marketing.snapshot_world import load_all, rows_of, visible_rows

Importer = Callable[..., Import]
TOUCHES = "customer,occurred_at,channel\n"
CONVERSIONS = "customer,occurred_at,value,order_id\n"
ANN, BOB = "ann,2026-01-01T10:00Z,TV\n", "bob,2026-01-01T10:00Z,TV\n"
NO_VERSION = "0" * 32


def take_back(*imports: Import) -> None:
    undo_imports(workspace=imports[0].workspace, imports=imports, by=None)


def versions(workspace: Workspace) -> dict[str, str]:
    known = DatasetVersion.objects.filter(workspace=workspace).exclude(digest=NO_VERSION)
    return dict(known.values_list("dataset", "digest"))


def everything(workspace: Workspace) -> list[Any]:
    """All that an undo may change."""
    tables = [list(model._default_manager.order_by("pk").values()) for model in removal.ROW_MODELS]
    imports = Import.objects.filter(workspace=workspace).order_by("pk")
    return [versions(workspace), list(imports.values("pk", "status", "accepted", "duplicates", "revision")), *tables]


def sweep_all() -> None:
    while removal.imports_to_clear().exists():
        sweep()


def holding(model: type[Touchpoint] | type[Conversion] | type[OutcomeValue]) -> list[int]:
    """The imports of the rows that count."""
    rows = model.objects.filter(shadowed=False, batch__status=Import.Status.ACTIVE)
    return list(rows.order_by("pk").values_list("batch", flat=True))


@pytest.mark.parametrize(
    ("kinds", "stretch"),
    [
        (["touchpoints"], 2),
        # As the last one does, beside other kinds.
        pytest.param(["touchpoints"], settle.IDS_AT_ONCE, marks=pytest.mark.full),
        (["conversions"], 2),
        pytest.param(["conversions"], settle.IDS_AT_ONCE, marks=pytest.mark.full),
        (["spend", "media_table"], settle.IDS_AT_ONCE),
        (["series", "media_table"], settle.IDS_AT_ONCE),
        (["paths"], 2),
        (["touchpoints", "conversions", "spend", "series", "media_table", "paths"], settle.IDS_AT_ONCE),
    ],
)
def test_what_counts_follows_from_the_imports_that_remain(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch, kinds: list[str], stretch: int
) -> None:
    monkeypatch.setattr(undo, "IDS_AT_ONCE", stretch)
    monkeypatch.setattr(undo, "ROWS_AT_ONCE", stretch)
    rng = random.Random(str(kinds))
    active: dict[int, File] = {}
    for step in range(24):
        if rng.random() < 0.6 or not active:
            file = random_file(rng, kinds)
            batch = import_rows(file.dataset, file.text)
            if batch.status == Import.Status.ACTIVE:  # a wide table without a number has nothing to import
                active[batch.pk] = file
        else:
            undone = rng.sample(sorted(active), min(len(active), rng.choice([1, 1, 2])))
            take_back(*Import.objects.filter(pk__in=undone))
            for batch_id in undone:
                del active[batch_id]
        if step % 5 == 0:
            sweep()  # takes some of the rows away
        assert held_in_database(shop) == held_by_rule(active.items(), shop)
        counted = Import.objects.filter(pk__in=counts_by_rule(active.items(), shop))
        counts = {batch.pk: (batch.accepted, batch.duplicates) for batch in counted}
        assert counts == counts_by_rule(active.items(), shop)
        for table in (store.TOUCHES, store.CONVERSIONS):
            assert rows_of(load_all(shop, table)) == visible_rows(shop, table)
    take_back(*Import.objects.filter(pk__in=active))
    assert versions(shop) == {}
    assert len(selectors.load_touches(workspace=shop).touched_at) == 0


def test_the_data_version_is_the_one_before_the_import(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    import_rows("spend", "date,channel,spend\n2026-01-01,TV,1\n")
    before = versions(shop), data_version(workspace=shop, datasets=list(Dataset))
    wide = import_rows("media_table", "date,spend:TV,outcome:Sales,control:Price\n2026-01-01,2,3,4\n")
    touches = import_rows("touchpoints", TOUCHES + BOB)
    assert versions(shop).keys() == {"touchpoints", "spend", "outcomes", "controls"}
    take_back(wide, touches)
    assert (versions(shop), data_version(workspace=shop, datasets=list(Dataset))) == before


def test_of_several_duplicates_the_first_takes_the_place(import_rows: Importer) -> None:
    first, second, third = (import_rows("touchpoints", TOUCHES + ANN) for _ in range(3))
    take_back(first)
    assert holding(Touchpoint) == [second.pk]
    take_back(third)
    assert holding(Touchpoint) == [second.pk]
    take_back(second)
    assert holding(Touchpoint) == []


def test_two_imports_that_say_the_same_can_be_undone_at_once(import_rows: Importer) -> None:
    rows = CONVERSIONS + "ann,2026-01-01,5,A1\nann,2026-01-01,5,\n"
    first, second, third = (import_rows("conversions", rows) for _ in range(3))
    take_back(first, second)
    assert holding(Conversion) == [third.pk, third.pk]


def test_the_first_to_say_an_order_counts_though_its_customer_differs(import_rows: Importer) -> None:
    undone = import_rows("conversions", CONVERSIONS + "ann,2026-01-01,5,A1\n")
    import_rows("conversions", CONVERSIONS + "bob,2026-01-02,6,A1\n")
    import_rows("conversions", CONVERSIONS + "cleo,2026-01-03,7,A1\n")
    take_back(undone)
    (held,) = Conversion.objects.filter(shadowed=False)
    assert held.value == 6


def test_the_figure_before_the_correction_holds_again(import_rows: Importer) -> None:
    rows = "date,outcome,value\n2026-01-01,Sales,{}\n"
    first, second, third = (import_rows("outcomes", rows.format(value)) for value in (1, 2, 3))
    take_back(second)
    assert holding(OutcomeValue) == [third.pk]
    take_back(third)
    assert holding(OutcomeValue) == [first.pk]


def test_measures_kept_from_an_undone_import_are_forgotten(import_rows: Importer) -> None:
    header = "date,channel,spend,impressions\n"
    import_rows("spend", header + "2026-01-01,TV,1,100\n")
    undone = import_rows("spend", header + "2026-01-01,TV,2,200\n2026-01-01,Radio,2,200\n")
    import_rows("spend", "date,channel,spend\n2026-01-01,TV,3\n2026-01-01,Radio,3\n")
    import_rows("media_table", "date,clicks:TV\n2026-01-01,4\n")
    take_back(undone)
    held: dict[str, tuple[object, ...]] = {
        row.channel.name: (row.spend, row.impressions, row.clicks)
        for row in ChannelSpend.objects.filter(shadowed=False).select_related("channel")
    }
    assert held == {"Radio": (3, None, None), "TV": (3, 100, 4)}


def test_measures_of_a_channel_that_was_renamed_since_stay(import_rows: Importer) -> None:
    undone = import_rows("spend", "date,channel,spend\n2026-01-01,TV,1\n")
    import_rows("media_table", "date,spend:TV\n2026-01-01,2\n")
    ChannelSpend.objects.get(spend=2).channel.__class__.objects.update(name="Television")
    take_back(undone)
    assert ChannelSpend.objects.get(shadowed=False).spend == 2


def test_snapshots_of_what_holds_again_are_read_anew(shop: Workspace, import_rows: Importer) -> None:
    first = import_rows("touchpoints", TOUCHES + ANN)
    second = import_rows("touchpoints", TOUCHES + ANN + BOB)
    assert len(selectors.load_touches(workspace=shop).touched_at) == 2
    take_back(first)
    assert len(selectors.load_touches(workspace=shop).touched_at) == 2
    assert Import.objects.get(pk=second.pk).revision == 1


def test_an_import_that_shares_nothing_keeps_its_revision(import_rows: Importer) -> None:
    first, second = import_rows("touchpoints", TOUCHES + ANN), import_rows("touchpoints", TOUCHES + BOB)
    take_back(first)
    assert Import.objects.get(pk=second.pk).revision == 0


def test_what_was_undone_can_be_imported_again_before_its_rows_are_gone(import_rows: Importer) -> None:
    rows = CONVERSIONS + "ann,2026-01-01,5,A1\nann,2026-01-01,5,\n"
    take_back(import_rows("conversions", rows))
    again = import_rows("conversions", rows)
    assert (again.accepted, again.duplicates) == (2, 0)
    assert Conversion.objects.count() == 4
    sweep()
    assert holding(Conversion) == [again.pk, again.pk]


def test_the_sweep_deletes_the_rows_of_undone_imports(import_rows: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "ROWS_AT_ONCE", 1)
    kept, undone = import_rows("touchpoints", TOUCHES + ANN), import_rows("touchpoints", TOUCHES + BOB + ANN)
    take_back(undone)
    left = []
    for _ in range(4):
        sweep()
        left.append(Touchpoint.objects.count())
    assert left == [2, 1, 1, 1]
    assert not removal.imports_to_clear().exists()
    assert holding(Touchpoint) == [kept.pk]


def test_an_import_of_nothing_but_duplicates_loses_its_rows_too(import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    repeated = import_rows("touchpoints", TOUCHES + ANN)
    take_back(repeated)
    sweep()
    assert Touchpoint.objects.count() == 1


def test_equal_rows_of_another_workspace_are_left_alone(shop: Workspace, import_rows: Importer) -> None:
    rows = "date,outcome,value\n2026-01-01,Sales,1\n"
    theirs = import_rows("outcomes", rows)
    Import.objects.update(workspace=WorkspaceFactory.create())
    OutcomeValue.objects.get().outcome.__class__.objects.update(workspace=Import.objects.get().workspace)
    ours = import_rows("outcomes", rows)
    take_back(ours)
    assert holding(OutcomeValue) == [theirs.pk]


def test_only_active_imports_are_undone_and_only_once(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN)
    failed = import_rows("touchpoints", TOUCHES)
    take_back(batch, failed)
    after = everything(shop)
    take_back(batch, failed)
    assert everything(shop) == after
    assert versions(shop) == {}


def test_an_undo_waits_while_an_import_is_loading(
    shop: Workspace, import_rows: Importer, queue_import: Importer
) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN)
    loading = queue_import("touchpoints", TOUCHES + ANN)
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.LOADING)
    before = everything(shop)
    with pytest.raises(JobDeferred):
        take_back(batch)
    assert everything(shop) == before


def test_an_import_that_ends_while_rows_are_looked_for_starts_the_undo_anew(
    shop: Workspace, import_rows: Importer
) -> None:
    first = import_rows("touchpoints", TOUCHES + ANN)
    second = import_rows("touchpoints", TOUCHES + ANN)
    late: list[Import] = []

    def another_ends(_fraction: float) -> None:
        late.append(import_rows("touchpoints", TOUCHES + ANN + BOB))

    with pytest.raises(JobDeferred):
        undo_imports(workspace=shop, imports=[first], by=None, on_progress=another_ends)
    assert holding(Touchpoint) == [first.pk, late[0].pk]
    take_back(first)
    assert holding(Touchpoint) == [second.pk, late[0].pk]


def test_an_import_that_another_undo_takes_meanwhile_is_not_undone_twice(
    shop: Workspace, import_rows: Importer
) -> None:
    first, second = (import_rows("touchpoints", TOUCHES + ANN) for _ in range(2))
    third = import_rows("touchpoints", TOUCHES + ANN)
    for other in (first, second):

        def take_back_other(_fraction: float, other: Import = other) -> None:
            take_back(other)

        with pytest.raises(JobDeferred):
            undo_imports(workspace=shop, imports=[first, second], by=None, on_progress=take_back_other)
    assert holding(Touchpoint) == [third.pk]
    take_back(third)
    assert versions(shop) == {}


@pytest.mark.parametrize(
    "step", ["_let_go", "_let_hold_again", "take_measures_from_what_remains", "move_version", "record"]
)
def test_an_undo_that_breaks_off_changes_nothing_and_can_be_repeated(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    header = "date,channel,spend,impressions\n"
    kept = import_rows("spend", header + "2026-01-01,TV,1,100\n")
    undone = import_rows("spend", header + "2026-01-01,TV,2,200\n")
    import_rows("spend", "date,channel,spend\n2026-01-02,TV,3\n")
    before = everything(shop)

    def break_off(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(undo, step, break_off)
        with pytest.raises(KeyboardInterrupt):
            take_back(undone)
    assert everything(shop) == before
    take_back(undone)
    assert ChannelSpend.objects.get(date="2026-01-01", shadowed=False).batch_id == kept.pk


def test_who_undid_what_is_on_record(shop: Workspace, import_rows: Importer, owner: User) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN)
    undo_imports(workspace=shop, imports=[batch], by=owner)
    event = AuditEvent.objects.get(action="import.undone")
    assert (event.actor, event.target, event.detail) == (owner, batch.file_name, {"accepted": 1})


def test_an_undo_is_asked_for_and_carried_out_in_the_background(
    shop: Workspace, import_rows: Importer, analyst: User
) -> None:
    batch, other = import_rows("touchpoints", TOUCHES + ANN), import_rows("touchpoints", TOUCHES + BOB)
    job = request_undo(batch=batch, by=analyst, ring=False)
    assert job is not None
    assert request_undo(batch=batch, by=analyst, ring=False) is None  # once is enough
    batch.refresh_from_db()
    assert (batch.status, batch.undone_by) == ("active", analyst)
    execute(job_id=job.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.undone_by, batch.accepted) == ("undone", analyst, 1)
    assert holding(Touchpoint) == [other.pk]
    actions = AuditEvent.objects.filter(target=batch.file_name, action__contains="und").values_list("action", "actor")
    assert list(actions.order_by("pk")) == [("import.undo_requested", analyst.pk), ("import.undone", analyst.pk)]


def test_an_undo_that_waits_for_an_import_is_carried_out_when_that_has_ended(
    shop: Workspace, import_rows: Importer, queue_import: Importer
) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN)
    loading = queue_import("touchpoints", TOUCHES + BOB)
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.LOADING)
    job = request_undo(batch=batch, by=None, ring=False)
    assert job is not None
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.QUEUED
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.FAILED)
    execute(job_id=job.pk)
    batch.refresh_from_db()
    assert batch.status == Import.Status.UNDONE


def test_an_undo_that_is_given_up_leaves_the_import_to_be_undone_later(shop: Workspace, import_rows: Importer) -> None:
    batch, other = import_rows("touchpoints", TOUCHES + ANN), import_rows("touchpoints", TOUCHES + BOB)
    first, second = (request_undo(batch=one, by=None, ring=False) for one in (batch, other))
    assert first is not None
    assert second is not None
    request_cancel(job=first, by=None)
    assert Import.objects.filter(undone_at__isnull=False).count() == 2  # the other undo does both
    request_cancel(job=second, by=None)
    assert not Import.objects.filter(undone_at__isnull=False).exists()
    assert request_undo(batch=batch, by=None, ring=False) is not None


@pytest.mark.parametrize("status", [Import.Status.PENDING, Import.Status.FAILED, Import.Status.UNDONE])
def test_what_does_not_count_cannot_be_asked_to_be_undone(shop: Workspace, status: str) -> None:
    batch = add_import(shop, Dataset.SPEND, status=status)
    with pytest.raises(Conflict, match="Only an import that counts can be undone"):
        request_undo(batch=batch, by=None, ring=False)
    assert not AuditEvent.objects.exists()


def test_names_stay_while_an_import_needs_them(shop: Workspace, import_rows: Importer, queue_import: Importer) -> None:
    batch = import_rows("touchpoints", "customer,occurred_at,channel,campaign\nann,2026-01-01,TV,Spring\n")
    assert not removal.remove_names(shop)  # it counts
    take_back(batch)
    assert not removal.remove_names(shop)  # its rows are still there
    sweep_all()
    waiting = queue_import("touchpoints", TOUCHES + ANN)
    assert not removal.remove_names(shop)
    assert shop.customers.exists()
    execute(job_id=waiting.job_id)
    take_back(waiting)
    sweep_all()
    assert removal.remove_names(shop)
    names = (shop.channels, shop.campaigns, shop.traffic_sources, shop.customers)
    assert [name.exists() for name in names] == [False] * 4
    assert set(shop.goals.values_list("name", flat=True)) == {"Purchase", "Lead"}
