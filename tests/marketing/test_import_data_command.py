"""`manage.py import_data`: what it prints, what it refuses, and the media tables that other tools publish."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import CommandError, call_command, execute_from_command_line

from accounts.models import Workspace
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Experiment,
    Import,
    ImportedRow,
    OutcomeValue,
    PathCount,
    Touchpoint,
    Upload,
)
from tests.marketing.uploading import kept_below, spend_file

MMM = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm"
needs_reference = pytest.mark.skipif(not MMM.is_dir(), reason=f"The reference data are not in {MMM}.")

FILES: dict[str, tuple[str, type[ImportedRow]]] = {
    "touchpoints": ("customer,occurred_at,channel,segment\nann,2026-01-01,TV,New\n", Touchpoint),
    "conversions": ("customer,occurred_at,value,order_id\nann,2026-01-01,9.5,A1\n", Conversion),
    "spend": ("date,channel,spend,impressions\n2026-01-01,TV,9.5,100\n", ChannelSpend),
    "outcomes": ("date,outcome,value\n2026-01-01,Sales,9.5\n", OutcomeValue),
    "controls": ("date,control,value\n2026-01-01,Price,-9.5\n", ControlValue),
    "experiments": (
        "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-31,9.5,1.5,100\n",
        Experiment,
    ),
    "paths": ("date,path,conversions,value,null\n2026-01-01,TV > Email,2.5,9.5,7\n", PathCount),
}
WriteFile = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("shop", "media_root")


def import_data(file: Path, dataset: str, *options: str, workspace: str = "acme") -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command("import_data", str(file), "--workspace", workspace, "--dataset", dataset, *options, stdout=printed)
    return printed.getvalue()


def import_json(file: Path, dataset: str, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(import_data(file, dataset, "--format", "json", *options))
    return answer


def map_options(**columns: str) -> list[str]:
    return [option for field, column in columns.items() for option in ("--map", f"{field}={column}")]


@pytest.mark.parametrize("dataset", FILES)
def test_each_dataset_is_imported_by_its_field_names(write_file: WriteFile, dataset: str) -> None:
    content, model = FILES[dataset]

    printed = import_data(write_file(content), dataset)

    assert printed.splitlines()[0] == "1 accepted, 0 rejected, 0 duplicates"
    assert model._default_manager.filter(shadowed=False, batch__status=Import.Status.ACTIVE).count() == 1


@pytest.mark.parametrize("dataset", FILES)
def test_a_parquet_file_is_imported_like_its_csv(write_file: WriteFile, tmp_path: Path, dataset: str) -> None:
    content, _ = FILES[dataset]
    path = tmp_path / "typed.parquet"
    frame = pd.read_csv(io.StringIO(content))
    for name in {"date", "occurred_at", "start", "end"} & set(frame):
        frame[name] = pd.to_datetime(frame[name])
    frame.to_parquet(path)

    typed = import_json(path, dataset)
    again = import_json(write_file(content), dataset)

    assert (typed["accepted"], typed["rejected"]) == (1, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 1)


def test_columns_are_mapped_to_fields(write_file: WriteFile) -> None:
    file = write_file("day;Kanal;Kosten in EUR\n2026-01-01;TV;9.5\n")

    import_data(file, "spend", *map_options(date="day", channel="Kanal", spend="Kosten in EUR"))

    assert ChannelSpend.objects.get().channel.name == "TV"


def test_json_tells_counts_and_errors(write_file: WriteFile) -> None:
    file = write_file("customer,occurred_at,channel\nann,2026-01-01,TV\nann,2026-01-01,TV\nbob,31/01/2026,TV\n")

    assert import_json(file, "touchpoints") == {
        "import": Import.objects.get().pk,
        "dataset": "touchpoints",
        "accepted": 1,
        "rejected": 1,
        "duplicates": 1,
        "errors": [
            {
                "row": 4,
                "column": "occurred_at",
                "reason": "“31/01/2026” is not a time such as 2026-05-31T14:05:00+02:00",
            }
        ],
        "warnings": ["2 times in “occurred_at” have no UTC offset, and are taken for times in UTC (first: row 2)."],
    }


def test_the_first_rejected_rows_are_printed(write_file: WriteFile) -> None:
    rows = "".join(f"2026-01-{day:02},TV,{-day}\n" for day in range(2, 14))
    file = write_file(f"date,channel,spend\n2026-01-01,TV,1\n2026-01-01\n{rows}")

    printed = import_data(file, "spend").splitlines()

    assert printed[0] == "1 accepted, 13 rejected, 0 duplicates"
    assert printed[1] == "  row 3: 1 cell where the header has 3"
    assert printed[2].startswith("  row 4, column “spend”: negative")
    assert len(printed) == 12
    assert printed[-1] == "  ... and 3 more"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["spend", "--map", "cost=spend"], "spend has no field “cost”"),
        (["spend", "--map", "spend=cost"], "The file has no column “cost”"),
        (["spend", "--map", "spend"], "--map takes FIELD=COLUMN, not “spend”"),
        (["outcomes"], "No column for “outcome”"),
        (["revenue"], "invalid choice: 'revenue'"),
    ],
)
def test_what_does_not_fit_is_refused(write_file: WriteFile, options: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        import_data(write_file(FILES["spend"][0]), *options)

    assert not Import.objects.exists()


def test_an_unknown_workspace_or_file_is_refused(write_file: WriteFile) -> None:
    with pytest.raises(CommandError, match="There is no workspace “nowhere”"):
        import_data(write_file(FILES["spend"][0]), "spend", workspace="nowhere")
    with pytest.raises(CommandError, match=r"There is no file missing\.csv"):
        import_data(Path("missing.csv"), "spend")


def test_an_import_that_fails_tells_why(write_file: WriteFile) -> None:
    with pytest.raises(CommandError, match=r"^The only row cannot be imported: row 2, column “date”"):
        import_data(write_file("date,channel,spend\ntoday,TV,1\n"), "spend")


def test_a_failure_is_one_line_on_stderr_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)  # this test's are in use

    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "import_data", "missing.csv", "--workspace", "acme"])

    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "CommandError: There is no file missing.csv.\n")


def run(file: Path, *options: str) -> str:
    """What the command prints, told no more than that."""
    printed = io.StringIO()
    call_command("import_data", str(file), "--workspace", "acme", *options, stdout=printed)
    return printed.getvalue()


def test_a_file_that_is_recognised_needs_no_dataset_and_no_mapping(write_file: WriteFile) -> None:
    printed = run(write_file(spend_file()))
    assert printed.startswith("97 accepted, 3 rejected, 0 duplicates\n  row 12, column “Cost”:")
    assert ChannelSpend.objects.filter(shadowed=False).count() == 97


def test_a_check_imports_nothing_and_leaves_nothing(write_file: WriteFile, media_root: Path) -> None:
    file = write_file(spend_file())
    lines = run(file, "--check").splitlines()
    assert lines[0] == "97 valid, 3 rejected"
    assert "Cost → spend" in lines[1]
    found = json.loads(run(file, "--check", "--format", "json"))
    assert (found["valid"], found["rejected"], found["mapping"]["spend"]) == (97, 3, "Cost")
    assert found["new_names"][0]["names"] == ["Paid Search"]
    assert not Import.objects.exists()
    assert not Upload.objects.exists()
    assert kept_below(media_root) == []


@pytest.mark.parametrize("check", [["--check"], []])
def test_the_rejected_rows_are_written_where_they_are_wanted(
    write_file: WriteFile, tmp_path: Path, check: list[str]
) -> None:
    target = tmp_path / "rejects.csv"
    run(write_file(spend_file()), "--rejects", str(target), *check)
    assert list(pd.read_csv(target)["Row"]) == [12, 40, 77]


def test_a_file_that_was_imported_is_imported_again_only_if_that_is_said(write_file: WriteFile) -> None:
    run(write_file(spend_file()))
    with pytest.raises(CommandError, match=r"This file was imported on .* \(97 rows\)\. Say --again"):
        run(write_file(spend_file()))
    assert run(write_file(spend_file()), "--again").startswith("0 accepted, 3 rejected, 97 duplicates")


def test_what_the_file_does_not_tell_has_to_be_said(write_file: WriteFile) -> None:
    file = write_file("date,channel,spend\n03/04/2026,TV,5\n05/06/2026,TV,6\n")
    with pytest.raises(CommandError, match="Say --date-order with one of: dmy, mdy"):
        run(file)
    run(file, "--date-order", "mdy")
    assert [str(day) for day in ChannelSpend.objects.order_by("date").values_list("date", flat=True)] == [
        "2026-03-04",
        "2026-05-06",
    ]


def test_what_is_odd_about_the_file_is_told_on_every_way(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("date,channel,spend\n2026-01-01,Übersicht,5\n".encode("cp1252"))

    checked, imported = run(file, "--check"), run(file)

    assert "warning: The file is not UTF-8. It is read as Windows-1252" in checked
    assert "warning: The file is not UTF-8. It is read as Windows-1252" in imported
    assert run(file, "--again").startswith("0 accepted, 0 rejected, 1 duplicate\n")
    as_json = json.loads(run(file, "--check", "--format", "json"))
    assert [warning.partition(".")[0] for warning in as_json["warnings"]] == ["The file is not UTF-8"]


def test_how_the_file_is_read_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "odd.txt"
    file.write_bytes("My account\nin March\ndate\tchannel\tspend\n2026-01-01\tÜbersicht\t1,5\n".encode("cp1252"))
    said = ["--encoding", "cp1252", "--delimiter", "tab", "--decimal", ",", "--header-row", "3"]
    run(file, *said)
    spend = ChannelSpend.objects.get()
    assert (spend.channel.name, float(spend.spend or 0)) == ("Übersicht", 1.5)
    with pytest.raises(CommandError, match="no row 99"):
        run(file, *said[:-1], "99")
    with pytest.raises(CommandError, match="no known encoding"):
        run(file, "--encoding", "klingon")


def test_a_sheet_of_a_workbook_has_to_be_named(tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    with pd.ExcelWriter(file) as book:
        for name, spend in (("Last year", 1), ("This year", 2)):
            pd.DataFrame({"date": ["2026-01-01"], "channel": ["TV"], "spend": [spend]}).to_excel(
                book, sheet_name=name, index=False
            )
    with pytest.raises(CommandError, match="Say --sheet with one of: Last year, This year"):
        run(file)
    run(file, "--sheet", "This year")
    assert ChannelSpend.objects.get().spend == 2


def test_a_file_that_nobody_can_guess_needs_its_dataset(write_file: WriteFile) -> None:
    file = write_file("a,b\nx,y\n")
    with pytest.raises(CommandError, match=r"do not tell what the file holds\. Say --dataset: touchpoints"):
        run(file)


def test_a_field_can_be_left_out(write_file: WriteFile) -> None:
    file = write_file("date,channel,campaign,spend\n2026-01-01,TV,Spring,5\n")
    import_data(file, "spend", "--map", "campaign=")
    assert ChannelSpend.objects.get().campaign is None


def test_a_command_that_fails_keeps_no_file(write_file: WriteFile, media_root: Path) -> None:
    with pytest.raises(CommandError, match="No column for “outcome”"):
        import_data(write_file("date,channel,spend\n2026-01-01,TV,1\n"), "outcomes")
    assert kept_below(media_root) == []
    assert not Upload.objects.exists()


def total(model: type[ImportedRow], column: str, **where: str) -> float:
    rows = model._default_manager.filter(shadowed=False, **where)
    return float(sum(value for value in rows.values_list(column, flat=True) if value is not None))


@needs_reference
@pytest.mark.parametrize(("name", "geos"), [
    ("meridian_national_all_channels.csv", 1),
    ("meridian_geo_all_channels.csv", 40),
])  # fmt: skip
def test_the_media_tables_of_meridian_are_imported(name: str, geos: int) -> None:
    file = MMM / name
    table = pd.read_csv(file)
    columns = {"date": "time", "outcome:Conversions": "conversions", "control:Promo": "Promo"}
    columns |= {"control:Competitor": "competitor_sales_control"}
    for channel in range(5):
        columns[f"spend:Channel {channel}"] = f"Channel{channel}_spend"
        columns[f"impressions:Channel {channel}"] = f"Channel{channel}_impression"

    answer = import_json(file, "media_table", *map_options(**columns))

    assert (answer["accepted"], answer["rejected"], answer["duplicates"]) == (156 * geos, 0, 0)
    assert ChannelSpend.objects.count() == 5 * 156 * geos
    assert len(set(ChannelSpend.objects.values_list("geo", flat=True))) == geos
    for channel in range(5):
        label = f"Channel {channel}"
        spend, impressions = table[f"Channel{channel}_spend"].sum(), table[f"Channel{channel}_impression"].sum()
        assert total(ChannelSpend, "spend", channel__name=label) == pytest.approx(spend, rel=1e-7)
        assert total(ChannelSpend, "impressions", channel__name=label) == impressions
    assert total(OutcomeValue, "value") == pytest.approx(table["conversions"].sum())
    competitor = total(ControlValue, "value", control__name="Competitor")
    assert competitor == pytest.approx(table["competitor_sales_control"].sum())


@needs_reference
def test_the_media_table_of_robyn_is_imported() -> None:
    file = MMM / "robyn_dt_simulated_weekly.csv"
    table = pd.read_csv(file)
    channels = {
        "TV": "tv_S",
        "Out of home": "ooh_S",
        "Print": "print_S",
        "Search": "search_S",
        "Facebook": "facebook_S",
    }
    columns = {f"spend:{channel}": column for channel, column in channels.items()}
    columns |= {"impressions:Facebook": "facebook_I", "clicks:Search": "search_clicks_P", "outcome:Revenue": "revenue"}

    answer = import_json(file, "media_table", *map_options(**columns))

    assert (answer["accepted"], answer["rejected"]) == (208, 0)
    for channel, column in channels.items():
        assert total(ChannelSpend, "spend", channel__name=channel) == pytest.approx(table[column].sum(), abs=0.02)
    assert total(ChannelSpend, "impressions") == pytest.approx(table["facebook_I"].sum())
    assert total(ChannelSpend, "clicks") == pytest.approx(table["search_clicks_P"].sum())
    assert total(OutcomeValue, "value") == pytest.approx(table["revenue"].sum())


@needs_reference
def test_words_in_a_column_of_numbers_are_rejected_row_by_row(tmp_path: Path) -> None:
    table = pd.read_csv(MMM / "robyn_dt_simulated_weekly.csv", keep_default_na=False)
    table.loc[0, "events"] = "1"
    table.to_csv(tmp_path / "robyn.csv", index=False)

    answer = import_json(tmp_path / "robyn.csv", "media_table", *map_options(**{"control:Events": "events"}))

    assert (answer["accepted"], answer["rejected"]) == (206, 2)  # “na” says nothing; “event1” and “event2” do
    assert [error["column"] for error in answer["errors"]] == ["events", "events"]
    assert all("is not a number such as 1234.56" in error["reason"] for error in answer["errors"])


@needs_reference
@pytest.mark.parametrize(("file", "date", "rows"), [
    ("pymc_mmm_example.csv", "date_week", 179),
    ("pymc_mmm_roas_data.csv", "date", 131),
])  # fmt: skip
def test_the_media_tables_of_pymc_are_imported(file: str, date: str, rows: int) -> None:
    table = pd.read_csv(MMM / file)
    columns = {"date": date, "spend:x1": "x1", "spend:x2": "x2", "outcome:y": "y"}

    answer = import_json(MMM / file, "media_table", *map_options(**columns))

    assert (answer["accepted"], answer["rejected"]) == (rows, 0)
    assert total(ChannelSpend, "spend") == pytest.approx(table["x1"].sum() + table["x2"].sum(), abs=1e-4 * 2 * rows)
    assert total(OutcomeValue, "value") == pytest.approx(table["y"].sum())


def test_a_file_name_that_is_not_utf8_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.csv")
    file.write_text(FILES["touchpoints"][0])
    with pytest.raises(CommandError, match="not in UTF-8"):
        import_data(file, "touchpoints")
    assert not Import.objects.exists()
