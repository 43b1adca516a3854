"""`manage.py attribute_paths`: known answers, the formats that it takes, and what it says of bad files.

None of these tests may use the database; pytest-django sees to it.
"""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from attribution.management.commands.attribute_paths import Command
from attribution.path_files.reading import MOST_CHANNELS
from tests.attribution.synth_paths import expected, needs_reference, synth_paths

HEADER = "path,total_conversions,total_conversion_value,total_null"
SMALL = ("Email > Direct,3,30,7", "Search,2,25,8", "Search > Email > Search,1,9.5,4", "Email > Direct,1,10,0")
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of these lines, by default below the usual column names."""

    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "paths.csv"
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return path

    return write


def text_of(file: Path | str, *options: str) -> str:
    out = io.StringIO()
    call_command("attribute_paths", str(file), *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def result_of(file: Path | str, models: str = "linear", *options: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(text_of(file, "--models", models, *options))
    return result


def by_channel(result: dict[str, Any], model: str, quantity: str = "conversions") -> dict[str, float]:
    return {row["channel"]: row[quantity] for row in result["models"][model]["channels"]}


def refused(file: Path | str, *options: str) -> str:
    with pytest.raises(CommandError) as caught:
        text_of(file, *options)
    return str(caught.value)


def test_first_worked_example(file: Callable[..., Path]) -> None:
    result = result_of(file("GA,2,0,1", "M,1,0,0", "GA > M,1,0,0"), "markov:1")
    assert by_channel(result, "markov:1", "removal_effect") == pytest.approx({"GA": 0.75, "M": 0.5})
    assert by_channel(result, "markov:1") == pytest.approx({"GA": 2.4, "M": 1.6})


def test_second_worked_example(file: Callable[..., Path]) -> None:
    result = result_of(file("C1 > C2 > C3,1,0,0", "C1,0,0,1", "C2 > C3,0,0,1"), "markov:1")
    assert by_channel(result, "markov:1", "removal_effect") == pytest.approx({"C1": 0.5, "C2": 1, "C3": 1})
    assert by_channel(result, "markov:1") == pytest.approx({"C1": 0.2, "C2": 0.4, "C3": 0.4})


def test_third_worked_example(file: Callable[..., Path]) -> None:
    rows = ("F,18,0,82", "G,4,0,96", "L,8,0,92", "F > G,8,0,92", "L > F,52,0,48", "G > L,9,0,91", "G > L > F,90,0,10")
    result = result_of(file(*rows), "shapley")
    assert by_channel(result, "shapley", "phi") == pytest.approx({"F": 1 / 6, "L": 61 / 600, "G": 1 / 600})
    assert list(by_channel(result, "shapley")) == ["F", "L", "G"]


def test_the_whole_answer(file: Callable[..., Path]) -> None:
    assert result_of(file(*SMALL), "last,first") == {
        "totals": {"paths": 3, "conversions": 7, "value": 74.5, "null": 19},
        "models": {
            "last": {
                "channels": [
                    {"channel": "Direct", "conversions": 4, "value": 40},
                    {"channel": "Search", "conversions": 3, "value": 34.5},
                    {"channel": "Email", "conversions": 0, "value": 0},
                ]
            },
            "first": {
                "channels": [
                    {"channel": "Email", "conversions": 4, "value": 40},
                    {"channel": "Search", "conversions": 3, "value": 34.5},
                    {"channel": "Direct", "conversions": 0, "value": 0},
                ]
            },
        },
    }


def test_every_model_adds_up_and_has_its_own_key(file: Callable[..., Path]) -> None:
    names = (
        "last,first,linear,time_decay,time_decay:14,position,position:30-40-30,j_shape,inverse_j,w_shape,last_non_direct,"
        "data_driven,markov:1,markov:2,markov:3,shapley,shapley:simplified,bayesian_markov"
    )
    result = result_of(file(*SMALL), names)
    assert list(result["models"]) == names.split(",")
    for model in result["models"]:
        assert sum(by_channel(result, model).values()) == pytest.approx(7, rel=1e-12)
        assert sum(by_channel(result, model, "value").values()) == pytest.approx(74.5, rel=1e-12)
    assert by_channel(result, "data_driven") == by_channel(result, "markov:1")
    with_effects = [
        name for name, model in result["models"].items() if all("removal_effect" in row for row in model["channels"])
    ]
    assert with_effects == ["data_driven", "markov:1", "markov:2", "markov:3", "bayesian_markov"]


def test_participation_gives_each_channel_the_whole(file: Callable[..., Path]) -> None:
    assert by_channel(result_of(file(*SMALL), "participation"), "participation") == {
        "Email": 5,
        "Direct": 4,
        "Search": 3,
    }


def test_a_model_is_asked_for_once(file: Callable[..., Path]) -> None:
    assert list(result_of(file(*SMALL), " markov , markov:1,time_decay:7")["models"]) == ["markov:1", "time_decay"]


def test_last_non_direct_passes_over_a_channel_called_direct(file: Callable[..., Path]) -> None:
    result = result_of(file("Email > direct,3,0,0", "direct,1,0,0"), "last_non_direct")
    assert by_channel(result, "last_non_direct") == {"Email": 3, "direct": 1}


def test_equal_credit_is_ordered_by_name(file: Callable[..., Path]) -> None:
    result = result_of(file("b > a > c,0.3,0,0", "C > c,0,0,1"), "linear")
    assert list(by_channel(result, "linear")) == ["a", "b", "c", "C"]


def test_neither_order_of_rows_nor_their_splitting_matters(file: Callable[..., Path]) -> None:
    models = ("--models", "linear,markov:2,shapley,bayesian_markov")
    text = text_of(file(*SMALL), *models)
    assert text_of(file(*reversed(SMALL)), *models) == text
    halves = ("Email > Direct,4,40,7", "Search,1,5,0", "Search > Email > Search,1,9.5,4", "Search,1,20,8")
    assert text_of(file(*halves), *models) == text


def test_paths_with_one_hash_are_still_told_apart() -> None:
    from attribution.path_files.kernel import add_up

    paths = [(0, 1), (1, 0), (0, 1), (0,), (1, 0), (1,)]
    offsets, starts, path_offsets = np.cumsum([0, *map(len, paths)]), np.empty(6, np.int64), np.empty(7, np.int64)
    codes, weights = np.concatenate(paths).astype(np.uint32), np.arange(1.0, 7.0)[:, None]
    alike, merged = np.array([False, True, True, True, True, False]), np.empty((1, 6))
    groups = np.array([5, 8])
    count = add_up(starts, path_offsets, merged, np.arange(6), alike, offsets, codes, groups, weights)
    assert starts[:count].tolist() == offsets[[0, 1, 3, 5]].tolist()
    assert path_offsets[: count + 1].tolist() == [0, 2, 4, 5, 6]
    assert merged[0, :count].tolist() == [1 + 3, 2 + 5, 4, 6]


def test_csv_holds_the_same_numbers(file: Callable[..., Path]) -> None:
    path, models = file(*SMALL), "linear,markov:1,shapley"
    rows = list(csv.DictReader(io.StringIO(text_of(path, "--models", models, "--format", "csv"))))
    result = result_of(path, models)
    assert list(rows[0]) == ["model", "channel", "conversions", "value", "removal_effect", "phi"]
    assert [(row["model"], row["channel"]) for row in rows] == [
        (model, row["channel"]) for model, credit in result["models"].items() for row in credit["channels"]
    ]
    for quantity, model in (("conversions", "linear"), ("value", "linear"), ("removal_effect", "markov:1")):
        numbers = {row["channel"]: float(row[quantity]) for row in rows if row["model"] == model}
        assert numbers == by_channel(result, model, quantity)
    assert {row["removal_effect"] for row in rows if row["model"] == "linear"} == {""}


def test_output_goes_into_a_file(file: Callable[..., Path], tmp_path: Path) -> None:
    target = tmp_path / "credit.json"
    assert text_of(file(*SMALL), "--output", str(target)) == ""
    assert json.loads(target.read_text())["totals"]["conversions"] == 7
    missing = tmp_path / "nowhere" / "credit.json"
    assert refused(file(*SMALL), "--output", str(missing)) == f"{missing} cannot be written: No such file or directory."


def test_columns_separators_and_blanks_may_differ(file: Callable[..., Path]) -> None:
    lines = (
        "3;x;30;  Email|Direct ;7",
        "2;y;25;Search;8",
        "1;z;9.5;Search |Email| Search;4",
        "1;;10;Email  |  Direct;",
    )
    path = file(*lines, header=" sales ; note;worth;journey;lost")
    result = result_of(
        path,
        "linear",
        *("--path-separator", "|", "--path-column", "journey", "--conversions-column", "sales"),
        *("--value-column", "worth", "--null-column", "lost"),
    )
    assert result == result_of(file(*SMALL), "linear")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_the_delimiter_is_found_or_said(delimiter: str, file: Callable[..., Path]) -> None:
    known = result_of(file(*SMALL))
    path = file(*(line.replace(",", delimiter) for line in SMALL), header=HEADER.replace(",", delimiter))
    said = "tab" if delimiter == "\t" else delimiter
    assert result_of(path, "linear", "--delimiter", said) == known
    if delimiter != "^":
        assert result_of(path) == known


def test_blanks_around_the_separator_do_not_matter(file: Callable[..., Path]) -> None:
    assert result_of(file("Email>Direct,3,30,7", *SMALL[1:])) == result_of(file(*SMALL))


def test_a_separator_may_be_a_blank(file: Callable[..., Path]) -> None:
    result = result_of(file("Email Direct,2,0,0"), "linear", "--path-separator", " ")
    assert by_channel(result, "linear") == {"Direct": 1, "Email": 1}


def test_mark_gzip_and_standard_input_are_read(
    file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(*SMALL, "“Café” > 東京,1,1,1")
    known = result_of(path)
    assert "“Café”" in by_channel(known, "linear")
    marked, packed = tmp_path / "marked.csv", tmp_path / "packed.csv.gz"
    marked.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert result_of(marked) == result_of(packed) == known
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed.read_bytes())))
    assert result_of("-") == known


def test_value_and_null_columns_may_be_absent(file: Callable[..., Path]) -> None:
    path = file("Email > Direct,3", "Search,2", header="path,total_conversions")
    result = result_of(path, "linear,markov:1")
    assert result["totals"] == {"paths": 2, "conversions": 5, "value": 0, "null": 0}
    assert set(by_channel(result, "linear", "value").values()) == {0}
    # Every path converts, unless a channel on it is gone.
    assert by_channel(result, "markov:1", "removal_effect") == pytest.approx(
        {"Direct": 0.6, "Email": 0.6, "Search": 0.4}
    )


def test_what_the_file_does_not_tell_is_said_beside_the_answer(file: Callable[..., Path]) -> None:
    def said(*options: str) -> str:
        err = io.StringIO()
        path = file("Email > Direct,3", "Search,2", header="path,total_conversions")
        call_command("attribute_paths", str(path), *options, stdout=io.StringIO(), stderr=err)
        return err.getvalue()

    assert said("--models", "linear,shapley:simplified") == ""
    assert "no paths that did not convert, and markov:1, shapley can only compare" in said("--models", "markov,shapley")
    assert "paths know no leads" in said("--models", "w_shape")


def test_more_channels_than_can_be_counted_tell_their_sampling_error(file: Callable[..., Path]) -> None:
    lines = [f"Channel {n} > Channel {(7 * n + 3) % 25},{n % 4},1,{5 + n % 3}" for n in range(25)]
    result = result_of(file(*lines), "shapley", "--seed", "1")
    assert result == result_of(file(*lines), "shapley", "--seed", "1")
    assert result != result_of(file(*lines), "shapley", "--seed", "2")
    errors = by_channel(result, "shapley", "monte_carlo_error").values()
    assert 0 < max(errors) < 0.01
    assert sum(by_channel(result, "shapley").values()) == pytest.approx(sum(n % 4 for n in range(25)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Email,abc,1,1", "Line 7, total_conversions: “abc” is not a number such as 1234.56."),
        ("Email,nan,1,1", "Line 7, total_conversions: “nan” is not a number such as 1234.56."),
        ("Email,inf,1,1", "Line 7, total_conversions: “inf” is not a number such as 1234.56."),
        ("Email,1e999,1,1", "Line 7, total_conversions: “1e999” is not a number such as 1234.56."),
        ("Email,,1,1", "Line 7, total_conversions: the number is missing."),
        ("Email,-2,1,1", "Line 7, total_conversions: -2 is negative."),
        ("Email,1,12%,1", "Line 7, total_conversion_value: “12%” is a percentage, not a number."),
        ("Email,1,1,-0.5", "Line 7, total_null: -0.5 is negative."),
        ("Email,1,1,1e18", "Line 7, total_null: a number of more than 18 digits."),
        (",1,1,1", "Line 7, path: the path is empty."),
        ("  ,1,1,1", "Line 7, path: the path is empty."),
        ("Email > > Direct,1,1,1", "Line 7, path: step 2 is empty."),
        ("Email >,1,1,1", "Line 7, path: step 2 is empty."),
        (">,1,1,1", "Line 7, path: step 1 is empty."),
        ("Email,1,1", "Line 7: 3 cells where the header has 4."),
        ("Email,1,1,1,1", "Line 7: 5 cells where the header has 4."),
    ],
)
def test_a_bad_row_is_named_by_line_and_column(line: str, sentence: str, file: Callable[..., Path]) -> None:
    assert refused(file(*SMALL, "", line, "Search,1,1,1")) == sentence


def test_bad_rows_are_listed_in_order_up_to_ten(file: Callable[..., Path]) -> None:
    lines = refused(file("Email,-1,x,1", "Search,1", *["Direct,1,1,none"] * 11)).splitlines()
    assert lines[:3] == [
        "Line 2, total_conversions: -1 is negative.",
        "Line 3: 2 cells where the header has 4.",
        "Line 4, total_null: “none” is not a number such as 1234.56.",
    ]
    assert len(lines) == 11
    assert lines[-1] == "... and 3 more lines."


def test_numbers_may_be_written_as_people_do(file: Callable[..., Path]) -> None:
    path = file('Email;"1,200.50";-3;n/a', "Search; 1e2 ;;", header=HEADER.replace(",", ";"))
    result = result_of(path)
    assert result["totals"] == {"paths": 2, "conversions": 1300.5, "value": -3, "null": 0}
    assert by_channel(result, "linear", "value") == {"Email": -3, "Search": 0}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--models", "magic"], "There is no model “magic”. Choose from last, first, linear,"),
        (["--models", "markov:4"], "There is no model “markov:4”."),
        (["--models", "position:50-30-30"], "The weights of position must total 100%, not 110%."),
        (["--models", "time_decay:x"], "The half-life of time_decay is more than 0"),
        (["--models", "custom:3@1"], "There is no model “custom:3@1”."),
        (["--models", " , "], "Say --models with one model at least"),
        (
            ["--path-column", "journey"],
            "no column “journey”. The columns are “path”, “total_conversions”, “total_conversion_value”, “total_null”.",
        ),
        (["--conversions-column", "sales"], "There is no column “sales”."),
        (["--value-column", "revenue"], "There is no column “revenue”."),
        (["--null-column", "lost"], "There is no column “lost”."),
        (["--null-column", "total_conversions"], "must be in different columns."),
        (["--delimiter", "::"], "--delimiter is one character, or “tab”, not “::”."),
        (["--delimiter", '"'], '--delimiter is one character, or “tab”, not “"”.'),
        (["--path-separator", ""], "--path-separator is what stands between the channels of a path"),
        (["--seed", "-1"], "--seed is a number of zero or more."),
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], sentence: str, file: Callable[..., Path]) -> None:
    assert sentence in refused(file(*SMALL), *options)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (HEADER.encode(), "The file holds no paths, only column names."),
        (HEADER.encode() + b"\n\n\n", "The file holds no paths, only column names."),
        (b"path,path,total_conversions\nEmail,1,1\n", "The column name “path” appears more than once in the header."),
        (HEADER.encode() + b"\nE\0mail,1,1,1\n", "This is a binary file"),
        (HEADER.encode() + b'\n"Email,1,1,1\nSearch,1,1,1\n', "a quotation mark is probably never closed"),
        (gzip.compress(HEADER.encode() + bytes(range(48, 90)) * 999)[:-30], "The gzip file is cut off."),
        (b"%PDF-1.7 something", "This is a PDF."),
    ],
)
def test_a_file_that_holds_no_paths_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    assert sentence in refused(path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} is a folder, not a file."
    assert refused(tmp_path / "none.csv") == f"There is no file {tmp_path / 'none.csv'}."


def test_the_wrong_separator_is_suspected(tmp_path: Path) -> None:
    path = tmp_path / "paths.csv"
    path.write_text("\n".join([HEADER, *(f"a{n} | b{n},1,1,1" for n in range(MOST_CHANNELS + 1))]))
    assert "Is “ > ” what stands between them?" in refused(path)


def test_failure_is_status_1_and_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_of:
        Command().run_from_argv(["manage.py", "attribute_paths", str(tmp_path / "none.csv")])
    assert exit_of.value.code == 1
    assert capsys.readouterr() == ("", f"CommandError: There is no file {tmp_path / 'none.csv'}.\n")


def test_the_answer_alone_is_printed_without_checks(
    file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    Command().run_from_argv(["manage.py", "attribute_paths", str(file(*SMALL)), "--models", "last"])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["totals"]["conversions"] == 7
    assert printed.err == ""
    assert Command.requires_system_checks == []  # those of the database among them


@pytest.fixture(scope="module")
def synth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated customers of the reference data, aggregated to paths."""
    paths, channels = synth_paths()
    path = tmp_path_factory.mktemp("synth") / "paths.csv"
    with path.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(HEADER.split(","))
        for n in range(len(paths)):
            steps = [channels[group] for group in paths.steps[paths.offsets[n] : paths.offsets[n + 1]]]
            writer.writerow([" > ".join(steps), paths.conversions[n], paths.value[n], paths.nulls[n]])
    return path


@needs_reference
def test_simulated_customers_get_the_independently_computed_credit(synth_file: Path) -> None:
    result = result_of(synth_file, "first,last,linear,position,markov:1,markov:2,shapley")
    assert result["totals"]["conversions"] == 19_176
    assert result["totals"]["value"] == pytest.approx(969_256.92)
    rules = {"first": "first", "last": "last", "linear": "linear", "position": "u_40_20_40"}
    for quantity, file_of in (("conversions", "conversions"), ("value", "revenue")):
        known = expected(f"rule_models_{file_of}")
        for model, column in rules.items():
            column_of = {channel: row[column] for channel, row in known.items()}
            assert by_channel(result, model, quantity) == pytest.approx(column_of, abs=1e-6)
    for order in (1, 2):
        known = expected(f"exact_markov_null_o{order}")
        effects = {channel: row["removal_effect"] for channel, row in known.items()}
        assert by_channel(result, f"markov:{order}", "removal_effect") == pytest.approx(effects, abs=1e-9)
    known = expected("shapley_subset_rate")
    assert by_channel(result, "shapley", "phi") == pytest.approx({c: row["phi"] for c, row in known.items()}, abs=1e-9)
