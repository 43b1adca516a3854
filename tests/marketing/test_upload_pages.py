"""The pages of an upload, step by step from the file to its import: they work, and are for those who import."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.models import Job
from marketing.models import ChannelSpend, Dataset, Import, SavedMapping, Upload
from tests.marketing.uploading import check, spend_file, start, work

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
DATA = "/w/acme/data/"
pytestmark = pytest.mark.usefixtures("media_root", "shop")


def send(client: Client, content: str | bytes, name: str = "spend.csv") -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post(DATA, {"file": SimpleUploadedFile(name, raw)})


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_from_a_file_to_its_undo_by_the_pages_alone(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    response = send(client, spend_file())
    upload = Upload.objects.get()
    steps = f"{DATA}uploads/{upload.pk}/"
    assert (response.status_code, response["Location"]) == (302, steps)
    assert client.get(steps)["Location"] == f"{steps}columns/"
    page = client.get(f"{steps}columns/")
    form = page.context["form"]
    asked = {name: form[name].value() for name in form.fields}
    assert asked == {
        "column_0": "date",
        "column_1": "channel",
        "column_2": "campaign",
        "column_3": "spend",
        "column_4": "impressions",
        "column_5": "clicks",
    }
    assert client.post(f"{steps}columns/", asked | {"dataset": "spend"})["Location"] == f"{steps}check/"
    assert 'hx-trigger="every 1s"' in client.get(f"{steps}check/").text
    work()
    found = client.get(f"{steps}check/", headers=HTMX).text
    assert "97 valid, 3 rejected" in found
    assert "hx-trigger" not in found
    assert "Import 97 valid rows" in found
    rejects = body(client.get(f"{steps}rejects/")).decode("utf-8-sig").splitlines()
    assert len(rejects) == 4
    assert not Import.objects.exists()

    where = client.post(f"{steps}check/")["Location"]
    batch = Import.objects.get()
    assert where == f"{DATA}imports/{batch.pk}/"
    assert "Waiting for a worker" in client.get(where).text
    assert client.get(steps)["Location"] == where
    work()
    page_text = client.get(where).text
    for text in ("Imported", "97", "Rejected rows", "Download rejected rows", "Cost"):
        assert text in page_text
    assert body(client.get(f"{where}file/")) == spend_file().encode()

    assert "no longer count" in client.get(f"{where}undo/").text
    assert client.post(f"{where}undo/")["Location"] == where
    assert "Being undone" in client.get(where).text
    work()
    undone = client.get(where).text
    assert "Undone" in undone
    assert f"by {analyst.email}" in undone
    assert not ChannelSpend.objects.filter(shadowed=False, batch__status="active").exists()


def test_a_file_that_was_imported_before_says_so_on_every_step_and_reports_duplicates(
    client_for: ClientFor, analyst: User, imported: Import, shop: Workspace
) -> None:
    client = client_for(analyst)
    send(client, spend_file())
    upload = Upload.objects.get(batch=None)
    steps = f"{DATA}uploads/{upload.pk}/"
    check(upload)
    for step in ("file", "columns", "check"):
        assert "This file was imported on" in client.get(f"{steps}{step}/").text
    assert client.post(f"{steps}check/").status_code == 409
    where = client.post(f"{steps}check/", {"again": "1"})["Location"]
    work()
    again = Import.objects.get(pk=where.rstrip("/").rpartition("/")[2])
    assert (again.accepted, again.rejected, again.duplicates) == (0, 3, 97)
    assert "They change nothing." in client.get(where).text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "empty.csv", "The file is empty."),
        (b"\x00\x01\x02\x03", "picture.png", "This is a binary file"),
        (b"a,a\n1,2\n", "twice.csv", "appears more than once"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_the_field(
    client_for: ClientFor, analyst: User, content: bytes, name: str, sentence: str
) -> None:
    response = send(client_for(analyst), content, name)
    assert response.status_code == 422
    assert sentence in response.text
    assert not Upload.objects.exists()


def test_no_file_at_all_is_told(client_for: ClientFor, analyst: User) -> None:
    response = client_for(analyst).post(DATA, {})
    assert response.status_code == 422
    assert "Choose a file first." in response.text


def test_a_file_over_the_limit_is_answered_with_413(client_for: ClientFor, analyst: User, settings: Settings) -> None:
    settings.MAX_FILE_BYTES = 2**20
    response = send(client_for(analyst), b"x" * (2**20 + 10))
    assert response.status_code == 413
    assert "The file is larger than 1 MB" in response.text
    assert not Upload.objects.exists()


def test_what_the_file_does_not_tell_has_to_be_said_before_its_columns(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    send(client, "date,channel,spend\n03/04/2026,TV,5\n05/06/2026,TV,6\n")
    steps = f"{DATA}uploads/{Upload.objects.get().pk}/"
    assert client.get(steps)["Location"] == f"{steps}file/"
    assert client.get(f"{steps}columns/")["Location"] == f"{steps}file/"
    assert "does not tell this by itself" in client.get(f"{steps}file/").text
    refused = client.post(f"{steps}file/", {})
    assert refused.status_code == 422
    assert "the file could mean either" in refused.text
    assert client.post(f"{steps}file/", {"date_order": "mdy"})["Location"] == f"{steps}columns/"
    assert Upload.objects.get().reading["date_order"] == "mdy"


def test_the_reading_can_be_changed_by_hand_and_looked_at(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    send(client, "date;channel;spend\n2026-01-01;TV;150\n")
    steps = f"{DATA}uploads/{Upload.objects.get().pk}/"
    shown = client.post(f"{steps}file/", {"delimiter": ",", "preview": "1"})
    assert shown["Location"] == f"{steps}file/"
    assert "date;channel;spend" in client.get(f"{steps}file/").text
    wrong = client.post(f"{steps}file/", {"header_row": "99"})
    assert wrong.status_code == 422
    assert "no row 99" in wrong.text
    assert client.post(f"{steps}file/", {})["Location"] == f"{steps}columns/"
    assert Upload.objects.get().dataset == "spend"


def test_two_columns_for_one_field_are_refused_beside_the_second(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    send(client, "date,channel,spend,gross\n2026-01-01,TV,1,2\n")
    address = f"{DATA}uploads/{Upload.objects.get().pk}/columns/"
    chosen = {"dataset": "spend", "column_0": "date", "column_1": "channel", "column_2": "spend", "column_3": "spend"}
    refused = client.post(address, chosen)
    assert refused.status_code == 422
    assert "“spend” goes there already." in refused.text
    missing = client.post(address, chosen | {"column_2": "", "column_3": ""})
    assert missing.status_code == 422
    assert "No column for “spend”" in missing.text
    assert not Job.objects.exists()


def test_another_dataset_is_looked_at_by_the_address_and_saved_by_the_check(
    client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    send(client, "date,name,value\n2026-01-01,Sales,1\n")
    upload = Upload.objects.get()
    address = f"{DATA}uploads/{upload.pk}/columns/"
    page = client.get(address, {"dataset": "controls"})
    assert 'value="controls" selected' in page.text
    before = Upload.objects.get().dataset
    assert before == upload.dataset
    chosen = {"dataset": "controls", "column_0": "date", "column_1": "control", "column_2": "value"}
    assert client.post(address, chosen).status_code == 302
    assert Upload.objects.get().dataset == "controls"


def test_a_wide_table_is_mapped_by_kind_and_name(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    send(client, "week,tv_S,sales,note\n2026-01-05,10,100,x\n2026-01-12,20,200,y\n")
    address = f"{DATA}uploads/{Upload.objects.get().pk}/columns/"
    chosen = {
        "dataset": "media_table",
        "column_0": "date",
        "column_1": "spend",
        "name_1": "Television",
        "column_2": "outcome",
        "name_2": "Sales",
        "column_3": "",
        "name_3": "note",
    }
    assert client.post(address, chosen).status_code == 302
    work()
    upload = Upload.objects.get()
    client.post(f"{DATA}uploads/{upload.pk}/check/")
    work()
    batch = Import.objects.get()
    assert batch.mapping == {"date": "week", "spend:Television": "tv_S", "outcome:Sales": "sales"}
    assert batch.accepted == 2
    assert SavedMapping.objects.get().dataset == "media_table"
    assert "Spend: Television" in client.get(f"{DATA}imports/{batch.pk}/").text


def test_nothing_valid_means_no_button_and_the_reasons(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    upload = check(start(shop, "date,channel,spend\n2026-01-01,TV,-1\n"))
    page = client_for(analyst).get(f"{DATA}uploads/{upload.pk}/check/").text
    assert "0 valid, 1 rejected" in page
    assert "Nothing in this file can be imported" in page
    assert "Why rows are rejected" in page
    assert '<button class="button" type="submit">Import' not in page


def test_a_check_can_be_cancelled_and_repeated(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    client = client_for(analyst)
    upload = start(shop, spend_file())
    steps = f"{DATA}uploads/{upload.pk}/"
    assert "have not been checked" in client.get(f"{steps}check/").text
    client.post(f"{steps}check/again/")
    client.post(f"{steps}check/cancel/")
    assert "The check was cancelled." in client.get(f"{steps}check/").text
    client.post(f"{steps}check/again/")
    work()
    assert "97 valid, 3 rejected" in client.get(f"{steps}check/").text


@pytest.mark.parametrize(
    "step", ["file/", "columns/", "check/", "check/again/", "check/cancel/", "discard/", "rejects/", ""]
)
def test_the_steps_are_for_those_who_import(
    step: str, checked: Upload, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    address = f"{DATA}uploads/{checked.pk}/{step}"
    for method in ("get", "post"):
        for user, status in ((outsider, 404), (viewer, 403)):
            response = getattr(client_for(user), method)(address)
            assert response.status_code in (status, 405)
        assert getattr(client_for(None), method)(address)["Location"].startswith("/accounts/login/")
    assert not Import.objects.exists()
    assert Upload.objects.filter(pk=checked.pk).exists()


def test_an_upload_is_listed_until_it_is_discarded(checked: Upload, client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    assert "Not imported yet" in client.get(DATA).text
    assert client.post(f"{DATA}uploads/{checked.pk}/discard/")["Location"] == DATA
    assert "Not imported yet" not in client.get(DATA).text
    assert client.get(f"{DATA}uploads/{checked.pk}/check/").status_code == 404


@pytest.mark.parametrize("dataset", Dataset.values)
def test_every_dataset_has_a_template_that_imports_as_it_is(
    dataset: str, client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    client = client_for(analyst)
    response = client.get(f"{DATA}templates/{dataset}/")
    assert f'filename="{dataset}-template.csv"' in response["Content-Disposition"]
    upload = start(shop, response.content, name=f"{dataset}.csv")
    assert upload.dataset == dataset
    checked = check(upload)
    assert checked.findings["rows"]["rejected"] == 0
    assert checked.findings["rows"]["valid"] >= 3
    assert client.get(f"{DATA}templates/nothing/").status_code == 404


def test_a_get_starts_nothing(checked: Upload, client_for: ClientFor, analyst: User, media_root: Path) -> None:
    client = client_for(analyst)
    before = Job.objects.count(), Import.objects.count(), Upload.objects.count()
    for step in ("", "file/", "columns/", "columns/?dataset=controls", "check/"):
        client.get(f"{DATA}uploads/{checked.pk}/{step}")
    client.get(DATA)
    assert (Job.objects.count(), Import.objects.count(), Upload.objects.count()) == before
