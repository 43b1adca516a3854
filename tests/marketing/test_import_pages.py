"""The history of imports and the page of each, up to its undo: works, outsider 404, viewer 403, wrong method 405."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from jobs.models import Job
from marketing.importing import kept_files
from marketing.importing.undo_requests import UNDO_JOB
from marketing.models import Dataset, Import, Upload
from tests.marketing.batches import add_import
from tests.marketing.uploading import start, work

ClientFor = Callable[[User | None], Client]
DATA = "/w/acme/data/"
pytestmark = pytest.mark.usefixtures("media_root", "shop")


def test_an_import_waits_its_turn_and_says_for_which(client_for: ClientFor, analyst: User, checked: Upload) -> None:
    client = client_for(analyst)
    other = add_import(checked.workspace, Dataset.SPEND, status=Import.Status.LOADING)
    Import.objects.filter(pk=other.pk).update(file_name="before-us.csv")
    where = client.post(f"{DATA}uploads/{checked.pk}/check/")["Location"]
    work()
    assert "It waits for its turn: “before-us.csv” is being imported" in client.get(where).text
    client.post(f"{where}cancel/")
    page = client.get(where).text
    assert "Cancelled" in page
    assert "hx-trigger" not in page


def test_a_viewer_sees_the_history_and_no_button(
    imported: Import, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    client = client_for(viewer)
    listed = client.get(DATA).text
    assert "spend.csv" in listed
    assert "analyst@example.com" in listed
    assert 'type="file"' not in listed
    page = client.get(f"{DATA}imports/{imported.pk}/").text
    assert "97" in page
    assert "Undo" not in page
    assert "Download" not in page
    for action in ("undo", "again", "cancel"):
        assert client.post(f"{DATA}imports/{imported.pk}/{action}/").status_code == 403
    for file in ("file", "rejects", "undo"):
        assert client.get(f"{DATA}imports/{imported.pk}/{file}/").status_code == 403
    for address in ("", "undo/", "file/", "rejects/"):
        assert client_for(outsider).get(f"{DATA}imports/{imported.pk}/{address}").status_code == 404
    assert not Job.objects.filter(kind=UNDO_JOB).exists()


def test_an_analyst_undoes_own_imports_and_an_admin_any(
    imported: Import, client_for: ClientFor, analyst: User, admin: User
) -> None:
    Import.objects.update(requested_by=admin)
    address = f"{DATA}imports/{imported.pk}/"
    assert "Undo…" not in client_for(analyst).get(address).text
    assert client_for(analyst).post(f"{address}undo/").status_code == 403
    Import.objects.update(requested_by=analyst)
    assert client_for(admin).post(f"{address}undo/").status_code == 302
    assert client_for(admin).post(f"{address}undo/").status_code == 302  # a double click asks once
    assert Job.objects.filter(kind=UNDO_JOB).count() == 1


def test_what_does_not_count_cannot_be_undone(imported: Import, client_for: ClientFor, analyst: User) -> None:
    address = f"{DATA}imports/{imported.pk}/"
    Import.objects.update(status=Import.Status.FAILED)
    assert "there is nothing to undo" in client_for(analyst).get(f"{address}undo/").text
    assert client_for(analyst).post(f"{address}undo/").status_code == 409
    assert client_for(analyst).post(f"{address}cancel/").status_code == 409


def test_demo_data_is_left_to_its_own_button(client_for: ClientFor, owner: User, shop: Workspace) -> None:
    batch = add_import(shop, Dataset.SPEND)
    Import.objects.update(origin=Import.Origin.DEMO)
    address = f"{DATA}imports/{batch.pk}/"
    page = client_for(owner).get(address).text
    assert "Undo…" not in page
    assert "Remove demo data" in page
    assert client_for(owner).post(f"{address}undo/").status_code == 409
    assert client_for(owner).get(f"{address}file/").status_code == 404


def test_a_failed_undo_says_so_and_leaves_the_import_as_it_was(
    imported: Import, client_for: ClientFor, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, address = client_for(analyst), f"{DATA}imports/{imported.pk}/"

    def fail(**_named: object) -> None:
        raise OSError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("marketing.importing.undo.undo_imports", fail)
        client.post(f"{address}undo/")
        work()
    page = client.get(address).text
    assert "The undo failed, so the import counts as before." in page
    assert "Undo…" in page
    client.post(f"{address}undo/")
    work()
    imported.refresh_from_db()
    assert imported.status == Import.Status.UNDONE


def test_an_import_can_be_started_again_from_its_kept_file(
    imported: Import, client_for: ClientFor, analyst: User
) -> None:
    client, address = client_for(analyst), f"{DATA}imports/{imported.pk}/"
    where = client.post(f"{address}again/")["Location"]
    upload = Upload.objects.get(batch=None)
    assert where == f"{DATA}uploads/{upload.pk}/"
    assert upload.dataset == "spend"
    kept_files.remove(imported.stored_file)
    assert client.post(f"{address}again/").status_code == 409
    assert client.get(f"{address}file/").status_code == 404


def test_an_empty_workspace_is_told_what_to_import_and_offered_the_demo(
    client_for: ClientFor, analyst: User, viewer: User
) -> None:
    page = client_for(analyst).get(DATA).text
    assert "Load demo data" in page
    assert page.count("/data/templates/") == len(Dataset)
    assert '<h2 id="history">' not in page
    assert "As a viewer you may not import data." in client_for(viewer).get(DATA).text


def test_the_history_is_filtered_and_paged_by_its_address(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    for number in range(30):
        batch = add_import(shop, Dataset.SPEND if number % 2 else Dataset.OUTCOMES)
        Import.objects.filter(pk=batch.pk).update(file_name=f"file-{number:02}.csv")
    failed = add_import(shop, Dataset.CONTROLS, status=Import.Status.FAILED)
    Import.objects.filter(pk=failed.pk).update(file_name="failed.csv")
    client = client_for(viewer)
    assert client.get(DATA).text.count("/data/imports/") == 25
    second = client.get(DATA, {"page": "2"}).text
    assert second.count("/data/imports/") == 6
    assert client.get(DATA, {"dataset": "spend"}).text.count("/data/imports/") == 15
    assert client.get(DATA, {"status": "failed"}).text.count("/data/imports/") == 1
    assert "No import is like that." in client.get(DATA, {"dataset": "events"}).text
    for nonsense in ({"page": "x"}, {"dataset": "x"}, {"status": "x"}, {"page": "999"}):
        assert client.get(DATA, nonsense).status_code == 200


def test_more_imports_take_no_more_queries(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    client = client_for(analyst)

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(DATA)
        return len(asked)

    add_import(shop, Dataset.SPEND)
    before = count()
    for _ in range(10):
        batch = add_import(shop, Dataset.SPEND)
        Import.objects.filter(pk=batch.pk).update(requested_by=analyst)
        start(shop, f"date,channel,spend\n2026-01-01,TV,{batch.pk}\n", by=analyst)
    assert count() <= before + 1  # the files that wait are asked for once


def test_wrong_methods_are_405(imported: Import, checked: Upload, client_for: ClientFor, owner: User) -> None:
    client = client_for(owner)
    for address in (f"{DATA}imports/{imported.pk}/again/", f"{DATA}imports/{imported.pk}/cancel/"):
        assert client.get(address).status_code == 405
    for address in (f"{DATA}imports/{imported.pk}/", f"{DATA}imports/{imported.pk}/file/", f"{DATA}templates/spend/"):
        assert client.post(address).status_code == 405
    assert client.put(DATA).status_code == 405
