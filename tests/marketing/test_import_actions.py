"""An import is carried out whole or not at all, whatever interrupts it, and leaves its trace."""

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEvent, User, Workspace
from jobs import progress
from jobs.actions import request_cancel, sweep
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import actions, files, removal, settle
from marketing.importing.actions import move_version, request_import
from marketing.importing.errors import FileRejected
from marketing.importing.loading import load_rows
from marketing.models import (
    Channel,
    ChannelSpend,
    Conversion,
    Dataset,
    DatasetVersion,
    Import,
    ImportedRow,
    Touchpoint,
)
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import

Importer = Callable[..., Import]
TOUCHES = "customer,occurred_at,channel\n" + "".join(f"customer {n},2026-01-01T10:00Z,TV\n" for n in range(40))
SPEND = "date,channel,spend\n" + "".join(f"2026-01-{day:02},Channel {n},1\n" for n in range(2) for day in range(1, 21))
FILES: dict[str, tuple[str, type[Touchpoint] | type[ChannelSpend]]] = {
    "touchpoints": (TOUCHES, Touchpoint),
    "spend": (SPEND, ChannelSpend),
}


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 512)  # some ten rows


@pytest.fixture
def at_chunk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Have something happen once, after the rows of the n-th chunk are written and before they are committed."""

    def plan(number: int, event: Callable[[], object]) -> None:
        loaded = []

        def load(*args: Any) -> None:
            load_rows(*args)
            loaded.append(args)
            if len(loaded) == number:
                event()

        monkeypatch.setattr(actions, "load_rows", load)

    return plan


def fail_with(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def crash(batch: Import) -> None:
    """Execute the import until it raises Killed, and leave what kill -9 leaves: a claim that nobody works on."""
    with pytest.raises(Killed):
        execute(job_id=batch.job_id)
    Job.objects.filter(pk=batch.job_id).update(
        status=Job.Status.RUNNING, attempt=F("attempt") + 1, lease_until=timezone.now()
    )


def reloaded(batch: Import) -> Import:
    return Import.objects.select_related("job").get(pk=batch.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dataset", FILES)
def test_an_import_that_fails_in_the_middle_leaves_nothing(
    queue_import: Importer, at_chunk: Callable[..., None], dataset: str
) -> None:
    content, model = FILES[dataset]
    at_chunk(3, fail_with(RuntimeError("boom")))
    batch = queue_import(dataset, content)

    execute(job_id=batch.job_id)

    failed = reloaded(batch)
    assert (failed.job.status, failed.status) == (Job.Status.FAILED, Import.Status.FAILED)
    assert 0 < model.objects.count() < 40  # two chunks were committed, and are seen by nobody
    assert not model.objects.filter(batch__status=Import.Status.ACTIVE).exists()
    assert not DatasetVersion.objects.exists()
    sweep()
    assert not model.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_import_is_unseen_until_it_is_complete(queue_import: Importer, at_chunk: Callable[..., None]) -> None:
    seen = []
    at_chunk(3, lambda: seen.append(Touchpoint.objects.filter(batch__status=Import.Status.ACTIVE).count()))

    execute(job_id=queue_import("touchpoints", TOUCHES).job_id)

    assert seen == [0]
    assert Touchpoint.objects.filter(batch__status=Import.Status.ACTIVE).count() == 40


@pytest.mark.parametrize("dataset", FILES)
def test_a_second_attempt_after_a_crash_starts_clean(
    queue_import: Importer, at_chunk: Callable[..., None], dataset: str
) -> None:
    content, model = FILES[dataset]
    batch = queue_import(dataset, content)
    at_chunk(3, fail_with(Killed()))
    crash(batch)
    assert 0 < model.objects.count() < 40

    sweep(now=timezone.now() + dt.timedelta(minutes=5))
    execute(job_id=batch.job_id)

    done = reloaded(batch)
    assert (done.status, done.accepted, done.duplicates, done.job.attempt) == (Import.Status.ACTIVE, 40, 0, 2)
    assert model.objects.filter(shadowed=False).count() == model.objects.count() == 40


def test_a_worker_whose_claim_has_passed_on_writes_nothing_more(
    queue_import: Importer, at_chunk: Callable[..., None]
) -> None:
    batch = queue_import("touchpoints", TOUCHES)
    at_chunk(3, lambda: Job.objects.filter(pk=batch.job_id).update(fence=99))

    execute(job_id=batch.job_id)

    stale = reloaded(batch)
    assert (stale.status, stale.job.fence) == (Import.Status.LOADING, 1)  # the claim that moved was rolled back too
    assert Touchpoint.objects.count() == stale.accepted < 30


def test_a_crash_for_the_third_time_gives_the_import_up(queue_import: Importer, at_chunk: Callable[..., None]) -> None:
    batch = queue_import("touchpoints", TOUCHES)
    for _attempt in range(3):
        at_chunk(2, fail_with(Killed()))
        crash(batch)
        sweep(now=timezone.now() + dt.timedelta(minutes=5))

    failed = reloaded(batch)
    assert (failed.status, failed.job.error_code) == (Import.Status.FAILED, "worker_lost")
    assert not Touchpoint.objects.exists()


def test_a_cancelled_import_leaves_nothing(queue_import: Importer, at_chunk: Callable[..., None]) -> None:
    batch = queue_import("touchpoints", TOUCHES)
    at_chunk(2, lambda: request_cancel(job=batch.job, by=None))

    execute(job_id=batch.job_id)
    sweep()

    cancelled = reloaded(batch)
    assert (cancelled.job.status, cancelled.status) == (Job.Status.CANCELLED, Import.Status.FAILED)
    assert not Touchpoint.objects.exists()


REIMPORTS: dict[str, tuple[str, type[ImportedRow]]] = {
    "conversions": (
        "customer,occurred_at,order_id\n" + "".join(f"ann,2026-01-0{n},{n if n > 2 else ''}\n" for n in range(1, 6)),
        Conversion,
    ),
    "touchpoints": (
        "customer,occurred_at,channel\n" + "".join(f"ann,2026-01-0{n},TV\n" for n in range(1, 6)),
        Touchpoint,
    ),
    "spend": ("date,channel,spend\n" + "".join(f"2026-01-0{n},TV,1\n" for n in range(1, 6)), ChannelSpend),
}


@pytest.mark.parametrize("dataset", REIMPORTS)
def test_rows_of_an_import_that_was_cancelled_while_settling_can_be_imported_again(
    queue_import: Importer, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    content, model = REIMPORTS[dataset]
    monkeypatch.setattr(settle, "IDS_AT_ONCE", 2)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_WRITES", 0)
    first = queue_import(dataset, content)

    def cancel_when_half_settled(phase: str, fraction: float) -> None:
        if phase == ("Loading rows" if dataset == "spend" else "Settling"):
            request_cancel(job=first.job, by=None)

    execute(job_id=first.job_id, on_progress=cancel_when_half_settled)
    assert (reloaded(first).status, model._default_manager.count()) == (Import.Status.FAILED, 5)

    again = queue_import(dataset, content)
    execute(job_id=again.job_id)
    for _ in range(3):
        sweep()

    done = reloaded(again)
    assert (done.status, done.accepted, done.duplicates) == (Import.Status.ACTIVE, 5, 0)
    assert model._default_manager.filter(batch=again, shadowed=False).count() == 5


def test_the_sweep_leaves_the_rows_of_a_failed_import_to_the_import_that_is_loading(
    import_rows: Importer, shop: Workspace
) -> None:
    failed = import_rows("touchpoints", TOUCHES)
    Import.objects.filter(pk=failed.pk).update(status=Import.Status.FAILED)
    loading = add_import(shop, Dataset.SPEND, status=Import.Status.LOADING)

    sweep()
    assert Touchpoint.objects.count() == 40
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.ACTIVE)
    sweep()
    assert not Touchpoint.objects.exists()


def test_an_import_cancelled_before_its_turn_never_starts(queue_import: Importer) -> None:
    batch = queue_import("touchpoints", TOUCHES)

    request_cancel(job=batch.job, by=None)
    execute(job_id=batch.job_id)

    assert reloaded(batch).status == Import.Status.FAILED
    assert not Touchpoint.objects.exists()


def test_a_file_found_unreadable_at_its_end_leaves_nothing(import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES + 'zoe,2026-01-01,"TV\n')
    sweep()

    assert batch.job.error == "The file ends in the middle of a cell: a quotation mark is probably never closed."
    assert batch.status == Import.Status.FAILED
    assert not Touchpoint.objects.exists()


def test_the_sweep_removes_a_failed_import_a_little_at_a_time(
    import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "ROWS_AT_ONCE", 15)
    batch = import_rows("touchpoints", TOUCHES)
    Import.objects.filter(pk=batch.pk).update(status=Import.Status.FAILED)

    left = [(sweep(), Touchpoint.objects.count())[1] for _ in range(4)]

    assert left == [25, 10, 0, 0]


def test_an_import_beyond_the_plans_rows_fails_and_leaves_nothing(import_rows: Importer, shop: Workspace) -> None:
    plan = shop.subscription.plan
    plan.max_rows = 60
    plan.save(update_fields=["max_rows"])
    assert import_rows("touchpoints", TOUCHES).status == Import.Status.ACTIVE  # 40 rows
    refused = import_rows("spend", SPEND)  # 40 more
    assert (refused.status, refused.job.error_code) == (Import.Status.FAILED, "quota_exceeded")
    assert "holds 60 rows" in refused.job.error
    sweep()
    assert not ChannelSpend.objects.filter(batch=refused).exists()


def test_one_import_of_a_workspace_loads_at_a_time(queue_import: Importer, shop: Workspace) -> None:
    running = add_import(shop, Dataset.SPEND, status=Import.Status.LOADING)
    batch = queue_import("touchpoints", TOUCHES)

    execute(job_id=batch.job_id)

    waiting = reloaded(batch)
    assert (waiting.status, waiting.job.status, waiting.job.attempt) == ("pending", Job.Status.QUEUED, 0)
    Import.objects.filter(pk=running.pk).update(status=Import.Status.ACTIVE)
    execute(job_id=batch.job_id)
    assert reloaded(batch).status == Import.Status.ACTIVE


def test_another_workspaces_import_does_not_hold_one_up(queue_import: Importer) -> None:
    add_import(WorkspaceFactory.create(), Dataset.SPEND, status=Import.Status.LOADING)
    batch = queue_import("touchpoints", TOUCHES)

    execute(job_id=batch.job_id)

    assert reloaded(batch).status == Import.Status.ACTIVE


def test_an_import_moves_the_version_of_its_dataset(import_rows: Importer) -> None:
    versions = []
    for day in (1, 2):
        import_rows("spend", f"date,channel,spend\n2026-01-0{day},TV,1\n")
        versions.append(DatasetVersion.objects.get().digest)

    assert DatasetVersion.objects.get().dataset == Dataset.SPEND
    assert len({*versions, "0" * 32}) == 3


def test_a_wide_table_moves_the_versions_of_all_that_it_may_hold(import_rows: Importer) -> None:
    import_rows("media_table", "date,spend:TV\n2026-01-01,1\n")

    assert set(DatasetVersion.objects.values_list("dataset", flat=True)) == {"spend", "outcomes", "controls"}


def test_a_datasets_version_depends_on_which_imports_it_holds_not_on_their_order(shop: Workspace) -> None:
    first, second = add_import(shop, Dataset.SPEND), add_import(shop, Dataset.SPEND)

    def digest_after(*batches: Import) -> str:
        DatasetVersion.objects.all().delete()
        for batch in batches:
            move_version(batch=batch, dataset=Dataset.SPEND)
        return DatasetVersion.objects.get().digest

    assert digest_after(first, second) == digest_after(second, first)
    assert digest_after(first, second, second) == digest_after(first)  # taken out again
    assert digest_after(first) != digest_after(second)


def test_an_import_knows_the_days_that_it_speaks_of(import_rows: Importer, shop: Workspace) -> None:
    shop.timezone = "America/New_York"
    shop.save(update_fields=["timezone"])

    touches = import_rows(
        "touchpoints",
        "customer,occurred_at,channel\nann,2026-03-01T02:00Z,TV\nann,2026-01-01T04:59Z,TV\nann,1999-01-01,TV\n",
    )
    spend = import_rows("spend", SPEND)

    assert (touches.first_day, touches.last_day) == (dt.date(2025, 12, 31), dt.date(2026, 2, 28))
    assert (spend.first_day, spend.last_day) == (dt.date(2026, 1, 1), dt.date(2026, 1, 20))


def test_who_imported_what_is_on_record(
    shop: Workspace, analyst: User, write_file: Callable[[str], Path], media_root: Path
) -> None:
    file = write_file(TOUCHES)
    batch = request_import(
        workspace=shop,
        dataset=Dataset.TOUCHPOINTS,
        file=file,
        mapping={},
        by=analyst,
        origin=Import.Origin.PAGE,
        ring=False,
    )
    file.unlink()  # a copy was kept
    execute(job_id=batch.job_id)

    events = AuditEvent.objects.order_by("id").values_list("action", "target", "actor__email")
    assert list(events) == [
        ("import.requested", file.name, analyst.email),
        ("import.finished", file.name, analyst.email),
    ]
    assert (media_root / batch.stored_file).read_text() == TOUCHES
    assert batch.checksum == hashlib.sha256(TOUCHES.encode()).hexdigest()


@pytest.mark.parametrize(
    ("dataset", "header", "mapping", "sentence"),
    [
        ("spend", "date,channel,spend", {"cost": "spend"}, "spend has no field “cost”. Its fields: date, channel"),
        ("spend", "date,channel,spend", {"spend": "cost"}, "no column “cost”. Its columns: date, channel, spend"),
        ("spend", "date,channel,cost", {}, "No column for “spend”"),
        ("touchpoints", "customer,occurred_at", {}, "need a channel, or a source and medium"),
        ("touchpoints", "customer,channel", {}, "No column for “occurred_at”"),
        ("media_table", "date,tv", {}, "Map at least one column to spend:<channel>"),
        ("media_table", "week,tv", {"spend:TV": "tv"}, "No column for “date”"),
        ("media_table", "date,tv", {"reach:TV": "tv"}, "no field “reach:TV”"),
        ("media_table", "date,tv", {"spend:": "tv"}, "no field “spend:”"),
        ("media_table", "date,a,b", {"spend:TV": "a", "spend: tv": "b"}, "are the same series"),
        ("media_table", "date,a,b", {"spend:TV": "a", "Spend:TV": "b"}, "are the same series"),
        ("media_table", "date,Spend:TV,SPEND:tv", {}, "are the same series"),
        ("spend", "", {}, "The file is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_on_the_spot(
    queue_import: Importer, media_root: Path, dataset: str, header: str, mapping: dict[str, str], sentence: str
) -> None:
    with pytest.raises(FileRejected, match=sentence):
        queue_import(dataset, f"{header}\n", **mapping)

    assert not Import.objects.exists()
    assert not Job.objects.exists()
    assert not media_root.exists()


def test_a_columns_header_need_not_match_the_fields_case(import_rows: Importer) -> None:
    batch = import_rows("spend", "Date, CHANNEL ,Spend,spend\n2026-01-01,TV,9,1\n")

    assert batch.accepted == 1
    assert ChannelSpend.objects.get().spend == 1  # the exact name comes first


def test_a_file_without_one_valid_row_fails_with_the_first_reason(import_rows: Importer) -> None:
    batch = import_rows("spend", "date,channel,spend\n" + "2026-01-01,TV,ten\n" * 150)

    assert batch.status == Import.Status.FAILED
    assert batch.job.error_code == "no_valid_rows"
    assert batch.job.error == (
        "None of the 150 rows can be imported. The first: row 2, column “spend”: “ten” is not a number such as 1234.56."
    )
    assert (batch.accepted, batch.rejected, len(batch.errors)) == (0, 150, 100)
    assert not Channel.objects.exists()


def test_a_file_with_a_header_alone_says_so(import_rows: Importer) -> None:
    batch = import_rows("spend", "date,channel,spend\n")

    assert batch.job.error == "The file has a header but no rows."
