"""The steps from a file to an import: upload, reading, mapping, check, import; each says what it found."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent, User, Workspace
from jobs.actions import request_cancel
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import kept_files, uploads
from marketing.importing.errors import FileRejected
from marketing.models import Channel, ChannelSpend, Conversion, Dataset, Import, SavedMapping, Touchpoint, Upload
from mmm_project.problems import Conflict, FileTooLarge
from tests.factories import WorkspaceFactory
from tests.marketing.spreadsheets import workbook
from tests.marketing.uploading import SPEND_HEADER, bring_in, check, kept_below, reloaded, spend_file, start

pytestmark = pytest.mark.usefixtures("media_root")
TOUCHES = "customer,occurred_at,channel\nann,2026-01-01T10:00Z,TV\nann,2026-01-01T10:00Z,tv\nbob,2026-01-02T10:00Z,TV\n"


def test_a_spend_file_is_recognised_checked_and_imported(shop: Workspace, analyst: User) -> None:
    upload = start(shop, spend_file(), name="google.csv", by=analyst)
    assert (upload.dataset, upload.mapping["spend"], upload.mapping["date"]) == ("spend", "Cost", "Day")
    assert Import.objects.count() == ChannelSpend.objects.count() == 0

    found = uploads.rows_found(check(upload))
    assert (found["valid"], found["rejected"], found["repeated"]) == (97, 3, 0)
    assert [(error["row"], error["column"]) for error in found["errors"]] == [(12, "Cost"), (40, "Cost"), (77, "Day")]
    assert (found["first_day"], found["last_day"]) == ("2026-01-01", "2026-04-10")
    total = sum(place + 0.5 for place in range(1, 101)) - 11.5 - 39.5 - 76.5
    assert found["sums"] == [
        {"measure": "spend", "total": total, "parts": [["Paid Search", total]], "others": 0, "rest": 0.0}
    ]
    assert found["new_names"] == [
        {"kind": "channel", "count": 1, "names": ["Paid Search"]},
        {"kind": "campaign", "count": 1, "names": ["Brand"]},
    ]
    assert not Channel.objects.exists()  # a check writes nothing

    batch = bring_in(reloaded(upload), by=analyst)
    assert (batch.status, batch.accepted, batch.rejected, batch.duplicates) == ("active", 97, 3, 0)
    assert ChannelSpend.objects.filter(shadowed=False).count() == 97
    assert batch.file_name == "google.csv"


def test_the_same_file_again_is_told_and_brings_nothing_but_duplicates(shop: Workspace, analyst: User) -> None:
    bring_in(check(start(shop, spend_file(), by=analyst)), by=analyst)
    again = check(start(shop, spend_file()))
    earlier = uploads.earlier_import(again)
    assert earlier is not None
    assert f"by {analyst.email} (97 rows)" in uploads.imported_before(earlier)
    with pytest.raises(Conflict, match="This file was imported on"):
        uploads.import_valid_rows(upload=again, by=None, ring=False)
    assert Import.objects.count() == 1

    batch = bring_in(again, again=True)
    assert (batch.accepted, batch.rejected, batch.duplicates) == (0, 3, 97)
    assert ChannelSpend.objects.filter(shadowed=False).count() == 97


def test_a_file_that_was_undone_or_is_elsewhere_was_not_imported_before(shop: Workspace) -> None:
    batch = bring_in(check(start(shop, spend_file())))
    assert uploads.earlier_import(start(WorkspaceFactory.create(), spend_file())) is None
    Import.objects.filter(pk=batch.pk).update(status=Import.Status.UNDONE)
    assert uploads.earlier_import(start(shop, spend_file())) is None


def test_a_double_click_imports_once(shop: Workspace) -> None:
    upload = check(start(shop, spend_file()))
    first, second = (uploads.import_valid_rows(upload=upload, by=None, ring=False) for _ in range(2))
    assert first == second
    assert Import.objects.count() == 1


def test_the_rejected_rows_can_be_downloaded_with_their_reasons(shop: Workspace) -> None:
    upload = check(start(shop, spend_file()))
    text = kept_files.path_of(upload.rejects_file).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Row"] for row in rows] == ["12", "40", "77"]
    assert [row["Day"] for row in rows] == ["2026-01-11", "2026-02-08", "2026-02-30"]
    assert rows[0]["Column"] == "Cost"
    assert all(row["Reason"] and row["Campaign"] == "Brand" for row in rows)


def test_reasons_are_grouped_and_counted(shop: Workspace) -> None:
    rows = "".join(f"2026-01-{day:02},TV,{f'x{day}' if day > 20 else '-1'}\n" for day in range(1, 29))
    found = uploads.rows_found(check(start(shop, f"date,channel,spend\n{rows}")))
    assert (found["valid"], found["rejected"]) == (0, 28)
    assert [(one["column"], one["count"], one["rows"]) for one in found["reasons"]] == [
        ("spend", 20, [2, 3, 4, 5, 6]),
        ("spend", 8, [22, 23, 24, 25, 26]),
    ]
    assert found["reasons"][1]["reason"].startswith("“…” is not a number")


def test_rows_that_repeat_earlier_ones_are_rejected_for_one_reason(shop: Workspace) -> None:
    rows = "".join(f"2026-01-{day:02},TV,1\n" for day in range(1, 29))
    found = uploads.rows_found(check(start(shop, f"date,channel,spend\n{rows}{rows}")))
    (reason,) = found["reasons"]
    assert (reason["reason"], reason["count"]) == ("the same date, channel as an earlier row", 28)
    assert found["errors"][0]["reason"] == "the same date, channel as row 2"


def test_repeated_touches_and_orders_are_counted_before_anything_is_imported(shop: Workspace) -> None:
    touches = check(start(shop, TOUCHES))
    assert uploads.rows_found(touches)["repeated"] == 1
    assert bring_in(touches).duplicates == 1
    orders = "customer,occurred_at,value,order_id\nann,2026-01-01,5,A1\nbob,2026-01-02,6,A1\nann,2026-01-01,5,\n"
    conversions = check(start(shop, orders))
    assert uploads.rows_found(conversions)["repeated"] == 1
    assert bring_in(conversions).duplicates == 1
    assert Conversion.objects.filter(shadowed=False).count() == 2


def test_a_mapping_is_remembered_for_the_next_file_with_these_columns(shop: Workspace, analyst: User) -> None:
    content = "when,where,how much,note\n{},TV,5,x\n"
    first = start(shop, content.format("2026-01-01"))
    mapping = {"date": "when", "channel": "where", "spend": "how much", "campaign": ""}
    uploads.set_mapping(upload=first, dataset=Dataset.SPEND, mapping=mapping)
    bring_in(check(first))
    second = start(shop, content.format("2026-01-02").replace("when", "When"))
    assert (second.dataset, second.mapping) == ("spend", mapping | {"date": "When"})
    assert start(WorkspaceFactory.create(), content.format("2026-01-03")).mapping != mapping
    assert SavedMapping.objects.count() == 1


def test_a_column_can_be_left_out_though_it_bears_a_fields_name(shop: Workspace) -> None:
    upload = start(shop, "date,channel,spend,campaign\n2026-01-01,TV,5,Spring\n")
    mapping = {"date": "date", "channel": "channel", "spend": "spend", "campaign": ""}
    uploads.set_mapping(upload=upload, dataset=Dataset.SPEND, mapping=mapping)
    batch = bring_in(check(upload))
    assert ChannelSpend.objects.get().campaign is None
    assert "campaign" not in batch.mapping


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"spend": "nowhere"}, "The file has no column “nowhere”"),
        ({"spend": ""}, "No column for “spend”"),
        ({"costs": "spend"}, "spend has no field “costs”"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(shop: Workspace, mapping: dict[str, str], sentence: str) -> None:
    upload = start(shop, "date,channel,spend\n2026-01-01,TV,5\n")
    with pytest.raises(FileRejected, match=sentence):
        uploads.set_mapping(upload=upload, dataset=Dataset.SPEND, mapping=mapping)


def test_what_the_file_does_not_tell_is_asked_and_then_remembered(shop: Workspace) -> None:
    content = "date,channel,spend\n03/04/2026,TV,5\n05/06/2026,TV,6\n"
    upload = start(shop, content)
    assert [question["field"] for question in uploads.open_questions(upload)] == ["date_order"]
    with pytest.raises(Conflict, match="Say first how the file is read"):
        uploads.request_check(upload=upload)
    uploads.set_reading(upload=upload, chosen={"date_order": "dmy"})
    assert not uploads.open_questions(upload)
    batch = bring_in(check(upload))
    assert (str(batch.first_day), str(batch.last_day)) == ("2026-04-03", "2026-06-05")
    again = start(shop, content.replace("5\n", "7\n"))
    assert (uploads.open_questions(again), uploads.reading_of(again).date_order) == ([], "dmy")


def test_reading_it_otherwise_asks_for_another_check(shop: Workspace) -> None:
    upload = check(start(shop, "date;channel;spend\n2026-01-01;TV;1,5\n2026-01-02;TV;2,25\n"))
    assert uploads.rows_found(upload)["sums"][0]["total"] == 3.75
    uploads.set_reading(upload=upload, chosen={"decimal": "."})
    assert uploads.rows_found(upload) == {}
    assert upload.check_job is None
    assert uploads.rows_found(check(upload))["valid"] == 0


def test_a_changed_mapping_stops_the_check_that_waits(shop: Workspace) -> None:
    upload = start(shop, "date,channel,spend,other\n2026-01-01,TV,1,2\n")
    job = uploads.request_check(upload=upload, ring=False)
    mapping = {"date": "date", "channel": "channel", "spend": "other"}
    uploads.set_mapping(upload=upload, dataset=Dataset.SPEND, mapping=mapping)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.CANCELLED
    assert uploads.rows_found(check(upload))["sums"][0]["total"] == 2


def test_a_cancelled_check_finds_nothing_and_can_be_repeated(shop: Workspace) -> None:
    upload = start(shop, spend_file())
    request_cancel(job=uploads.request_check(upload=upload, ring=False), by=None)
    upload = reloaded(upload)
    assert uploads.rows_found(upload) == {}
    assert uploads.rows_found(check(upload))["valid"] == 97


def test_a_file_that_cannot_be_read_is_not_kept(shop: Workspace, media_root: Path) -> None:
    with pytest.raises(FileRejected):
        start(shop, b"\x00\x01\x02 no table", name="picture.png")
    assert not Upload.objects.exists()
    assert kept_below(media_root) == []


def test_a_file_over_the_limit_is_refused_and_not_kept(shop: Workspace, media_root: Path, settings: Settings) -> None:
    settings.MAX_FILE_BYTES = 2**20
    with pytest.raises(FileTooLarge, match="larger than 1 MB"):
        start(shop, b"x" * (2**20 + 1))
    assert kept_below(media_root) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\windows\\passwd", "/etc/passwd", "passwd"])
def test_folders_in_a_files_name_are_discarded(shop: Workspace, media_root: Path, name: str) -> None:
    upload = start(shop, TOUCHES, name=name)
    assert upload.file_name == "passwd"
    path = kept_files.path_of(upload.stored_file).resolve()
    assert path.is_relative_to((media_root / "imports" / str(shop.pk)).resolve())
    assert "passwd" not in path.name


def test_a_check_says_that_the_plan_has_no_room(shop: Workspace) -> None:
    plan = shop.subscription.plan
    plan.max_rows = 50
    plan.save(update_fields=["max_rows"])
    upload = check(start(shop, spend_file()))
    assert upload.check_job is not None
    assert "holds 50 rows" in upload.check_job.error
    assert uploads.rows_found(upload) == {}


def test_a_check_of_a_header_alone_says_so(shop: Workspace) -> None:
    upload = check(start(shop, "date,channel,spend\n"))
    assert upload.check_job is not None
    assert upload.check_job.error == "The file has a header but no rows."
    assert uploads.rows_found(upload) == {}


def test_a_check_whose_file_is_gone_says_so(shop: Workspace) -> None:
    upload = start(shop, TOUCHES)
    kept_files.remove(upload.stored_file)
    job = check(upload).check_job
    assert job is not None
    assert job.error == "The file is no longer kept here. Upload it again."


def test_an_import_whose_file_is_gone_says_so(shop: Workspace) -> None:
    upload = check(start(shop, TOUCHES))
    kept_files.remove(upload.stored_file)
    batch = bring_in(upload)
    assert (batch.status, batch.job.error_code) == ("failed", "file_is_gone")
    assert not Touchpoint.objects.exists()


def test_a_discarded_upload_leaves_nothing(shop: Workspace, analyst: User, media_root: Path) -> None:
    upload = check(start(shop, spend_file()))
    assert kept_below(media_root) == ["csv", "csv.rejects.csv"]
    assert uploads.discard_upload(upload=upload, by=analyst)
    assert not Upload.objects.exists()
    assert kept_below(media_root) == []
    assert AuditEvent.objects.filter(action="upload.discarded", actor=analyst).exists()


def test_what_has_been_imported_is_neither_discarded_nor_changed(shop: Workspace) -> None:
    upload = check(start(shop, spend_file()))
    batch = bring_in(upload)
    upload = reloaded(upload)
    assert not uploads.discard_upload(upload=upload, by=None)
    assert kept_files.path_of(batch.stored_file).is_file()
    with pytest.raises(Conflict, match="has been imported"):
        uploads.set_mapping(upload=upload, dataset=Dataset.SPEND, mapping={})
    with pytest.raises(Conflict, match="has been imported"):
        uploads.set_reading(upload=upload, chosen={})


def test_the_file_of_an_import_can_be_imported_otherwise(shop: Workspace) -> None:
    batch = bring_in(check(start(shop, "date,channel,spend,gross\n2026-01-01,TV,5,6\n")))
    upload = uploads.upload_again(batch=batch, by=None)
    assert (upload.dataset, upload.checksum) == ("spend", batch.checksum)
    assert upload.stored_file != batch.stored_file
    mapping = {"date": "date", "channel": "channel", "spend": "gross"}
    uploads.set_mapping(upload=upload, dataset=Dataset.SPEND, mapping=mapping)
    bring_in(check(upload), again=True)
    assert ChannelSpend.objects.get(shadowed=False).spend == 6
    Import.objects.filter(pk=batch.pk).update(file_removed_at=batch.created_at)
    batch.refresh_from_db()
    with pytest.raises(Conflict, match="no longer kept"):
        uploads.upload_again(batch=batch, by=None)


def test_the_file_of_an_import_is_read_as_it_was_then(shop: Workspace) -> None:
    content = "date,channel,spend\n03/04/2026,TV,5\n"
    american = start(shop, content)
    uploads.set_reading(upload=american, chosen={"date_order": "mdy"})
    batch = bring_in(check(american))
    british = start(shop, content.replace("03/04", "05/04"))
    uploads.set_reading(upload=british, chosen={"date_order": "dmy"})
    bring_in(check(british))
    assert uploads.reading_of(start(shop, content)).date_order == "dmy"
    assert uploads.reading_of(uploads.upload_again(batch=batch, by=None)).date_order == "mdy"


def test_an_import_keeps_what_was_odd_about_its_file(shop: Workspace) -> None:
    western = f"{SPEND_HEADER}2026-01-01,Übersicht,,5,,\n2030-01-01,Übersicht,,5,,\n".encode("cp1252")
    batch = bring_in(start(shop, western))
    assert batch.status == Import.Status.ACTIVE
    assert [sentence.partition(":")[0] for sentence in batch.warnings] == [
        "The file is not UTF-8. It is read as Windows-1252 (Western European)"
    ]


def hide_a_sheet(book: openpyxl.Workbook) -> None:
    book.create_sheet("old").sheet_state = "hidden"


ODD_FILES = {
    "spend.csv": (f"{SPEND_HEADER}2026-01-01,Übersicht,,5,,\n".encode("cp1252"), "It is read as Windows-1252"),
    "spend.xlsx": (
        workbook([["date", "channel", "spend"], ["2026-01-01", "TV", 5]], change=hide_a_sheet),
        "Hidden sheets are left out: old.",
    ),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_the_page_and_the_api_tell_what_was_odd_about_the_file_of_an_import(
    shop: Workspace, client_for: Callable[[User | None], Client], owner: User, name: str
) -> None:
    content, sentence = ODD_FILES[name]
    batch = bring_in(start(shop, content, name=name, by=owner))
    assert batch.status == Import.Status.ACTIVE
    assert sentence in client_for(owner).get(f"/w/acme/data/imports/{batch.pk}/").text
    _key, text = create_api_key(workspace=shop, created_by=owner, name="A program", scopes=["data:read"])
    answer = Client(headers={"Authorization": f"Bearer {text}"}).get(f"/api/v1/imports/{batch.pk}/").json()
    assert [sentence in warning for warning in answer["warnings"]] == [True]
