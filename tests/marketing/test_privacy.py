"""One customer's data: found by key, handed out, and erased so that it is as if it had never come."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from marketing import privacy, store
from marketing.data_versions import data_version
from marketing.importing import batches, erasure, kept_files
from marketing.importing.undo import undo_imports
from marketing.importing.uploads import start_upload
from marketing.models import Conversion, Customer, Dataset, DatasetVersion, Import, Touchpoint, Upload
from mmm_project.problems import NotFound
from tests.factories import WorkspaceFactory
from tests.marketing.snapshot_world import load_all, rows_of, visible_rows

Importer = Callable[..., Import]
ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/data/privacy/"
TOUCHES = "customer,occurred_at,channel\n"
CONVERSIONS = "customer,occurred_at,value,order_id\n"
ANN, BOB = "ann@example.com,2026-01-01T10:00Z,TV\n", "bob,2026-01-02T10:00Z,TV\n"


def customer(workspace: Workspace, key: str = "ann@example.com") -> Customer:
    return privacy.find_customer(workspace=workspace, key=key)


def erase(workspace: Workspace, key: str = "ann@example.com") -> Job:
    job = privacy.request_erasure(customer=customer(workspace, key), by=None, ring=False)
    execute(job_id=job.pk)
    job.refresh_from_db()
    return job


def exported(workspace: Workspace) -> Any:
    return json.loads("".join(privacy.export_customer(customer=customer(workspace), by=None)))


def files(media_root: Path) -> int:
    return len([path for path in (media_root / "imports").rglob("*") if path.is_file()])


def what_counts(workspace: Workspace) -> dict[str, Any]:
    """Every row that counts, without ids; what each import says of its rows."""
    rows = {"shadowed": False, "batch__status": Import.Status.ACTIVE, "batch__workspace": workspace}
    return {
        "touches": sorted(Touchpoint.objects.filter(**rows).values_list("customer", "occurred_at", "interaction")),
        "conversions": sorted(Conversion.objects.filter(**rows).values_list("customer", "occurred_at", "value")),
        "imports": list(
            Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
            .order_by("pk")
            .values_list("dataset", "accepted", "duplicates", "first_day", "last_day")
        ),
    }


def test_a_customer_is_found_by_their_key(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB)
    assert customer(shop) == customer(shop, "  ann@example.com ")
    for key in ("Ann@example.com", "", "nobody"):
        with pytest.raises(NotFound):
            customer(shop, key)
    with pytest.raises(NotFound):
        customer(WorkspaceFactory.create())


def test_the_export_holds_every_row_of_the_customer_and_of_nobody_else(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB + ANN)
    import_rows("conversions", f"{CONVERSIONS}ann@example.com,2026-01-03T10:00Z,19.90,o1\nbob,2026-01-03T10:00Z,5,o2\n")
    held = exported(shop)
    touches = [(row["occurred_at"], row["channel"], row["counts"]) for row in held["touchpoints"]]
    at = "2026-01-01T10:00:00+00:00"
    assert touches == [(at, "TV", True), (at, "TV", False)]
    (conversion,) = held["conversions"]
    assert (conversion["order_id"], conversion["goal"]) == ("o1", "Purchase")
    assert Decimal(conversion["value"]) == Decimal("19.9")
    assert held["customer"] == str(customer(shop).pk)


def test_an_export_of_somebody_without_rows_is_json_too(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN)
    Touchpoint.objects.filter(batch=batch).delete()
    assert (exported(shop)["touchpoints"], exported(shop)["conversions"]) == ([], [])


def test_what_is_left_is_what_there_would_be_without_the_customer(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "ROWS_AT_ONCE", 2)
    first_order = "ann@example.com,2026-01-03T10:00Z,10,o1\n"
    others = "bob,2026-01-04T10:00Z,20,o1\ncy,2026-01-05T10:00Z,30,o1\nbob,2026-01-04T11:00Z,40,o2\n"
    without_order = "ann@example.com,2026-01-06T10:00Z,50,\n" * 2
    import_rows("touchpoints", TOUCHES + ANN + ANN + BOB)
    import_rows("touchpoints", TOUCHES + ANN + ANN.replace("10:00", "11:00") + BOB)
    import_rows("conversions", CONVERSIONS + first_order + without_order + others)
    import_rows("conversions", CONVERSIONS + others + first_order)
    assert erase(shop).status == Job.Status.DONE
    after = what_counts(shop)
    assert not Customer.objects.filter(workspace=shop).exclude(
        pk__in=[customer(shop, "bob").pk, customer(shop, "cy").pk]
    )

    elsewhere = what_counts_without_ann(shop, import_rows, others)
    assert after == elsewhere


def what_counts_without_ann(shop: Workspace, import_rows: Importer, others: str) -> dict[str, Any]:
    """Import the same once more, without her, in place of what there is."""
    undo_imports(workspace=shop, imports=list(Import.objects.filter(workspace=shop)), by=None)
    import_rows("touchpoints", TOUCHES + BOB)
    import_rows("touchpoints", TOUCHES + BOB)
    import_rows("conversions", CONVERSIONS + others)
    import_rows("conversions", CONVERSIONS + others)
    return what_counts(shop)


def test_no_row_is_left_whether_it_counts_or_not(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN + ANN)
    undone = import_rows("conversions", f"{CONVERSIONS}ann@example.com,2026-01-03T10:00Z,10,o1\n")
    undo_imports(workspace=shop, imports=[undone], by=None)
    accepted = Import.objects.get(pk=undone.pk).accepted
    erase(shop)
    assert not Touchpoint.objects.exists()
    assert not Conversion.objects.exists()
    assert not Customer.objects.exists()
    assert Import.objects.get(pk=undone.pk).accepted == accepted == 1  # what there was, as of any import that ended


def test_the_counts_say_that_rows_were_erased(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES + ANN + ANN + BOB + BOB.replace("bob", "cy"))
    for key in ("ann@example.com", "cy"):
        erase(shop, key)
    batch.refresh_from_db()
    assert (batch.accepted, batch.duplicates) == (1, 0)
    (sentence,) = (line for line in batch.warnings if "erased" in line)
    assert "Rows of customers were erased at their request, last on" in sentence
    assert str(batch.first_day) == "2026-01-02"


def test_analyses_see_other_data_and_snapshots_forget(shop: Workspace, import_rows: Importer, media_root: Path) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB)
    import_rows("conversions", f"{CONVERSIONS}ann@example.com,2026-01-03T10:00Z,10,o1\nbob,2026-01-03T10:00Z,5,o2\n")
    ann = customer(shop).pk
    for table in (store.TOUCHES, store.CONVERSIONS):
        assert ann in load_all(shop, table)["customer_ids"]
    before = {dataset: data_version(workspace=shop, datasets=[dataset]) for dataset in Dataset}
    erase(shop)
    assert not list((media_root / "snapshots").glob("*/*/*/manifest.json"))
    after = {dataset: data_version(workspace=shop, datasets=[dataset]) for dataset in Dataset}
    assert {dataset for dataset in Dataset if before[dataset] != after[dataset]} == {
        Dataset.TOUCHPOINTS,
        Dataset.CONVERSIONS,
    }
    for table in (store.TOUCHES, store.CONVERSIONS):
        loaded = load_all(shop, table)
        assert ann not in loaded["customer_ids"]
        assert rows_of(loaded) == visible_rows(shop, table)


def test_erasing_what_did_not_count_changes_no_version(shop: Workspace, import_rows: Importer) -> None:
    import_rows("conversions", f"{CONVERSIONS}bob,2026-01-03T10:00Z,5,o1\nann@example.com,2026-01-03T10:00Z,10,o1\n")
    before = list(DatasetVersion.objects.values_list("dataset", "digest"))
    erase(shop)
    assert list(DatasetVersion.objects.values_list("dataset", "digest")) == before
    assert Conversion.objects.get().customer == customer(shop, "bob")


def test_files_that_name_the_customer_go_and_others_stay(
    shop: Workspace, import_rows: Importer, media_root: Path
) -> None:
    names_ann = import_rows("touchpoints", TOUCHES + ANN + BOB)
    names_bob = import_rows("touchpoints", TOUCHES + BOB.replace("TV", "Radio"))
    rejected = import_rows("touchpoints", TOUCHES + BOB.replace("TV", "Email") + "ann@example.com,yesterday,TV\n")
    other_rejected = import_rows("touchpoints", TOUCHES + BOB.replace("TV", "Print") + "cy,yesterday,TV\n")
    ragged = import_rows("touchpoints", TOUCHES + BOB.replace("TV", "Cinema") + "ann@example.com,x,y,z\n")
    undone = import_rows("touchpoints", TOUCHES + ANN.replace("TV", "SMS"))
    undo_imports(workspace=shop, imports=[undone], by=None)
    Touchpoint.objects.filter(batch=undone).delete()
    assert files(media_root) == 6 + 3  # and the rejected rows of three
    erase(shop)
    left = Import.objects.filter(file_removed_at=None)
    assert set(left) == {names_bob, other_rejected}
    gone = Import.objects.exclude(file_removed_at=None)
    assert set(gone) == {names_ann, rejected, ragged, undone}
    assert files(media_root) == 3
    assert AuditEvent.objects.get(action=privacy.ERASED).detail == {"files": 4}


def test_reasons_that_quote_the_key_forget_it(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    mistaken = import_rows("touchpoints", f"customer,occurred_at,channel\n{BOB}10:00,ann@example.com,TV\nx,cy,TV\n")
    assert "“ann@example.com” is not a time" in mistaken.errors[0]["reason"]
    erase(shop)
    mistaken.refresh_from_db()
    assert [error["reason"].partition(" is")[0] for error in mistaken.errors] == ["“(erased)”", "“cy”"]


def test_batches_of_the_api_that_name_the_customer_go(shop: Workspace, media_root: Path) -> None:
    for key in ("ann@example.com", "bob"):
        row = {"customer": key, "occurred_at": "2026-01-01T10:00Z", "channel": "TV"}
        answer = batches.request_batch(workspace=shop, dataset=Dataset.TOUCHPOINTS, body=[row], by=None, ring=False)
        execute(job_id=answer.batch.job_id)
    erase(shop)
    kept = Import.objects.get(file_removed_at=None)
    assert kept_files.path_of(kept.stored_file).is_file()
    assert files(media_root) == 1


def test_uploads_on_their_way_that_name_the_customer_go(
    shop: Workspace, import_rows: Importer, media_root: Path
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    for line in (ANN, BOB):
        start_upload(
            workspace=shop,
            file=io.BytesIO((TOUCHES + line).encode()),
            file_name="rows.csv",
            by=None,
            origin=Import.Origin.PAGE,
        )
    erase(shop)
    assert Upload.objects.count() == files(media_root) == 1


def test_a_number_in_a_column_with_gaps_names_the_customer(
    shop: Workspace, import_rows: Importer, media_root: Path
) -> None:
    import_rows("touchpoints", TOUCHES + ANN.replace("ann@example.com", "4912345678901"))
    file = io.BytesIO()
    pq.write_table(pa.table({"customer": [4912345678901.0, None], "channel": ["Email", "TV"]}), file)
    file.seek(0)
    start_upload(workspace=shop, file=file, file_name="rows.parquet", by=None, origin=Import.Origin.PAGE)
    assert files(media_root) == 2

    erase(shop, key="4912345678901")

    assert Upload.objects.count() == files(media_root) == 0


def test_an_import_on_its_way_is_waited_for(
    shop: Workspace, import_rows: Importer, queue_import: Callable[..., Import]
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    queued = queue_import("touchpoints", TOUCHES + ANN.replace("TV", "Radio"))
    assert erase(shop).status == Job.Status.QUEUED
    assert Touchpoint.objects.exists()
    execute(job_id=queued.job_id)
    execute(job_id=Job.objects.get(kind=privacy.ERASURE_JOB).pk)
    assert not Touchpoint.objects.exists()


def test_what_is_sent_after_the_request_stays(
    shop: Workspace, import_rows: Importer, queue_import: Callable[..., Import]
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    job = privacy.request_erasure(customer=customer(shop), by=None, ring=False)
    later = queue_import("touchpoints", TOUCHES + ANN.replace("TV", "Radio"))
    Import.objects.filter(pk=later.pk).update(status=Import.Status.LOADING)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, Touchpoint.objects.count()) == (Job.Status.QUEUED, 1)  # one is at work at a time
    Import.objects.filter(pk=later.pk).update(status=Import.Status.PENDING)
    execute(job_id=job.pk)
    assert not Touchpoint.objects.exists()
    execute(job_id=later.job_id)
    assert Touchpoint.objects.get().batch == later


def test_an_import_that_ends_in_between_defers_the_erasure(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    others = import_rows("touchpoints", TOUCHES + BOB)
    lock = erasure.import_lock

    def after_a_change(workspace: Workspace) -> Any:
        Import.objects.filter(pk=others.pk).update(revision=7)
        return lock(workspace)

    monkeypatch.setattr(erasure, "import_lock", after_a_change)
    assert erase(shop).status == Job.Status.QUEUED
    assert Touchpoint.objects.count() == 2
    assert Import.objects.filter(status=Import.Status.ACTIVE).count() == 2
    monkeypatch.undo()
    execute(job_id=Job.objects.get(kind=privacy.ERASURE_JOB).pk)
    assert Touchpoint.objects.get().customer == customer(shop, "bob")


def test_an_undo_after_an_erasure_works_as_ever(shop: Workspace, import_rows: Importer) -> None:
    first = import_rows("touchpoints", TOUCHES + ANN + BOB)
    second = import_rows("touchpoints", TOUCHES + ANN + BOB)
    erase(shop)
    undo_imports(workspace=shop, imports=[first], by=None)
    second.refresh_from_db()
    assert (second.accepted, second.duplicates) == (1, 0)
    assert Touchpoint.objects.get(batch=second).shadowed is False


def test_asking_twice_is_one_erasure(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB)
    jobs = {privacy.request_erasure(customer=customer(shop), by=None, ring=False) for _ in range(2)}
    other = privacy.request_erasure(customer=customer(shop, "bob"), by=None, ring=False)
    assert len(jobs) == 1
    assert other not in jobs


def test_customers_of_other_workspaces_stay(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    elsewhere = WorkspaceFactory.create()
    row = {"customer": "ann@example.com", "occurred_at": "2026-01-01T10:00Z", "channel": "TV"}
    answer = batches.request_batch(workspace=elsewhere, dataset=Dataset.TOUCHPOINTS, body=[row], by=None, ring=False)
    execute(job_id=answer.batch.job_id)
    erase(shop)
    assert Touchpoint.objects.get().customer == customer(elsewhere)
    assert kept_files.path_of(answer.batch.stored_file).is_file()


def test_pages_find_hand_out_and_erase(
    shop: Workspace, import_rows: Importer, client_for: ClientFor, admin: User
) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB)
    client, ann = client_for(admin), customer(shop)
    found = client.post(PAGE, {"key": "ann@example.com"})
    assert found["Location"] == f"{PAGE}{ann.pk}/"
    shown = client.get(found["Location"])
    assert (shown.status_code, "no-store" in shown["Cache-Control"]) == (200, True)
    download = client.post(f"{PAGE}{ann.pk}/export/")
    assert download["Content-Disposition"] == f'attachment; filename="customer-{ann.pk}.json"'
    held = json.loads(b"".join(download.streaming_content))  # type: ignore[attr-defined]
    assert len(held["touchpoints"]) == 1
    unconfirmed = client.post(f"{PAGE}{ann.pk}/erase/")
    assert (unconfirmed.status_code, Job.objects.filter(kind=privacy.ERASURE_JOB).count()) == (422, 0)
    assert client.post(f"{PAGE}{ann.pk}/erase/", {"confirmed": "on"})["Location"] == PAGE
    assert 'hx-trigger="every 2s"' in client.get(PAGE).text
    execute(job_id=Job.objects.get(kind=privacy.ERASURE_JOB).pk)
    after = client.get(PAGE, headers={"HX-Request": "true"})
    assert "Erased" in after.text
    assert "hx-trigger" not in after.text
    for address in ("", "export/", "erase/"):
        method = client.post if address else client.get
        assert method(f"{PAGE}{ann.pk}/{address}").status_code == 404


def test_an_unknown_key_is_said_to_be_unknown(shop: Workspace, client_for: ClientFor, admin: User) -> None:
    for key in ("nobody", ""):
        response = client_for(admin).post(PAGE, {"key": key})
        assert response.status_code == 422
        assert response.context["form"].errors["key"]


def test_privacy_is_for_owners_and_admins(
    shop: Workspace, import_rows: Importer, client_for: ClientFor, analyst: User, viewer: User, outsider: User
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    ann = customer(shop)
    for user in (analyst, viewer):
        client = client_for(user)
        page = client.get(PAGE)
        assert (page.status_code, "Owners and admins" in page.text) == (200, True)
        assert client.post(PAGE, {"key": "ann@example.com"}).status_code == 403
        assert client.get(f"{PAGE}{ann.pk}/").status_code == 403
        for action in ("export", "erase"):
            assert client.post(f"{PAGE}{ann.pk}/{action}/", {"confirmed": "on"}).status_code == 403
    assert client_for(outsider).get(f"{PAGE}{ann.pk}/").status_code == 404
    assert client_for(outsider).get(f"/w/elsewhere/data/privacy/{ann.pk}/").status_code == 404
    assert not AuditEvent.objects.filter(action__startswith="customer.").exists()


def test_the_key_is_nowhere_but_in_the_request(
    shop: Workspace, import_rows: Importer, client_for: ClientFor, admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    client = client_for(admin)
    address = client.post(PAGE, {"key": "ann@example.com"})["Location"]
    pages = [client.get(address).text, client.post(f"{address}erase/", {"confirmed": "on"}, follow=True).text]
    execute(job_id=Job.objects.get(kind=privacy.ERASURE_JOB).pk)
    events = [str((event.target, event.detail)) for event in AuditEvent.objects.filter(workspace=shop)]
    jobs = [str(job) for job in Job.objects.values()]
    for text in (address, *pages, *events, *jobs, caplog.text):
        assert "ann@example.com" not in text


def test_a_failed_erasure_says_so(shop: Workspace, import_rows: Importer, client_for: ClientFor, admin: User) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    job = privacy.request_erasure(customer=customer(shop), by=admin, ring=False)
    job_actions.end(job=job, status=Job.Status.FAILED, sentence="The storage is full.")
    text = client_for(admin).get(PAGE).text
    assert "Not erased" in text
    assert "The storage is full." in text


def test_the_commands_export_and_erase(
    shop: Workspace, import_rows: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_rows("touchpoints", TOUCHES + ANN + BOB)
    arguments = ("--workspace", "acme", "--key", "ann@example.com")
    out = io.StringIO()
    call_command("export_customer", *arguments, stdout=out)
    assert len(json.loads(out.getvalue())["touchpoints"]) == 1
    file = tmp_path / "ann.json"
    monkeypatch.setattr("sys.stdin", io.StringIO("ann@example.com\n"))
    call_command("export_customer", "--workspace", "acme", "--key", "-", "--output", str(file))
    assert json.loads(file.read_text())["workspace"] == "acme"
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_customer", *arguments)
    call_command("erase_customer", *arguments, "--yes", stdout=(said := io.StringIO()))
    assert said.getvalue() == "Erased 1 touchpoints and 0 conversions.\n"
    assert Touchpoint.objects.get().customer == customer(shop, "bob")
    for wrong, sentence in ((arguments, "Nothing is held"), (("--workspace", "x", "--key", "k"), "no workspace “x”")):
        with pytest.raises(CommandError, match=sentence):
            call_command("erase_customer", *wrong, "--yes")


def test_another_hash_key_finds_nobody(shop: Workspace, import_rows: Importer, settings: Any) -> None:
    import_rows("touchpoints", TOUCHES + ANN)
    settings.CUSTOMER_HASH_KEY = django_settings.CUSTOMER_HASH_KEY + "x"
    with pytest.raises(NotFound):
        customer(shop)
