"""Plans by period as files and as text: what is read of them, and what is wrong with them by row and column."""

import datetime as dt
import io
from pathlib import Path

import openpyxl
import pytest

from accounts.models import Workspace
from mmm_project.problems import FileTooLarge
from tests.weightings.stored_runs import a_stored_run
from weightings.forecasts.model_runs import Model
from weightings.forecasts.plan_tables import PlanRefused, read_file, read_text
from weightings.forecasts.plan_values import Values, plan_as_text, plan_values

MONDAYS = ("2023-04-10", "2023-04-17", "2023-04-24", "2023-05-01")
NUMBERS = {"spend": {"TV": [100.0, 0.0, 1200.5, 3.0], "Search": [1.0, 2.0, 3.0, 4.0]}}


@pytest.fixture
def model(workspace: Workspace) -> Model:
    """Knows “Sales” up to 9 April 2023, a Sunday."""
    return Model(a_stored_run(workspace))


def read(model: Model, text: str, periods: int | None = None) -> Values:
    return plan_values(text, model, model.run.workspace, periods)


def refused(model: Model, text: str) -> str:
    with pytest.raises(PlanRefused) as refusal:
        read(model, text)
    return str(refusal.value)


def lines(*rows: str, header: str = "Week,TV,Search") -> str:
    return "\n".join([header, *rows]) + "\n"


def a_plan(first: tuple[str, ...] = MONDAYS) -> str:
    return lines(
        *(f"{day},{tv:g},{search:g}" for day, tv, search in zip(first, *NUMBERS["spend"].values(), strict=True))
    )


@pytest.mark.parametrize(
    "first",
    [
        MONDAYS,
        ("1", "2", "3", "4"),
        ("2023-04-16", "2023-04-17", "2023-04-30", "2023-05-01"),  # any day of the week
        ("10.04.2023", "17.04.2023", "24.04.2023", "01.05.2023"),
        ("04/10/2023", "04/17/2023", "04/24/2023", "05/01/2023"),
        ("20230410", "20230417", "20230424", "20230501"),
    ],
    ids=["first days", "numbers", "days within", "day first", "month first", "compact"],
)
def test_periods_are_said_by_their_days_or_as_numbers(first: tuple[str, ...], model: Model) -> None:
    assert read(model, a_plan(first)) == NUMBERS


def test_days_that_could_be_read_in_two_ways_are_those_that_come_next(workspace: Workspace) -> None:
    """Of months, 1 February to 1 May could all be the second to the fifth of January."""
    run = a_stored_run(workspace)
    run.result["granularity"], run.result["estimation"]["end"] = "month", "2024-01-31"
    months = [f"0{month}/01/2024" for month in (2, 3, 4, 5)]
    for first in (months, [f"01/0{month}/2024" for month in (2, 3, 4, 5)]):
        table = lines(*(f"{day},1,2" for day in first), header="Month,TV,Search")
        assert plan_values(table, Model(run), workspace, None)["spend"]["TV"] == [1.0] * 4


@pytest.mark.parametrize(
    "text",
    [
        a_plan().replace(",", ";").replace("1200.5", "1.200,5"),
        a_plan().replace(",", "\t"),
        "﻿" + a_plan().replace("\n", "\r\n"),
        "Our plan\n\n" + a_plan(),
        a_plan().replace("Week,TV,Search", "week, tv ,SEARCH"),
        a_plan().replace("Week,TV,Search", "Week,spend: TV,'Search"),
        a_plan().replace("1200.5", "€1200.50"),
    ],
    ids=["decimal commas", "tabs", "mark and line ends", "title", "letters", "with kinds", "currency"],
)
def test_however_it_is_written_it_is_the_same_plan(text: str, model: Model) -> None:
    assert read(model, text) == NUMBERS


def test_a_workbook_is_read_as_well(model: Model) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Week", "TV", "Search"])
    for day, *amounts in zip(MONDAYS, *NUMBERS["spend"].values(), strict=True):
        book.active.append([dt.date.fromisoformat(day), *amounts])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    table = read_file(file, file_name="plan.xlsx", workspace=model.run.workspace)
    assert plan_values(table, model, model.run.workspace, None) == NUMBERS


def test_what_else_is_known_of_the_periods_may_stand_beside_spend(model: Model) -> None:
    text = lines(*(f"{day},0,1,2,0.5,7,1500" for day in MONDAYS), header="Week,TV,Search,Price,Sale,Easter,Blog")
    assert read(model, text) == {
        "spend": {"TV": [0.0] * 4, "Search": [1.0] * 4},
        "organic": {"Blog": [1500.0] * 4},
        "controls": {"Price": [2.0] * 4},
        "events": {"Sale": [0.5] * 4},
        "holidays": {"Easter": [7.0] * 4},
    }


def test_a_plan_of_controls_alone_says_nothing_of_spend(model: Model) -> None:
    found = read(model, lines(*(f"{day},{place}" for place, day in enumerate(MONDAYS)), header="Week,Price"))
    assert found == {"controls": {"Price": [0.0, 1.0, 2.0, 3.0]}}


def test_a_plan_as_text_is_read_as_it_was(model: Model) -> None:
    wanted = {**NUMBERS, "controls": {"Price": [1 / 3, 1e-7, 123456789.125, -2.5]}}
    rounded = {
        kind: {name: [float(f"{v:.12g}") for v in values] for name, values in of.items()} for kind, of in wanted.items()
    }
    assert read(model, plan_as_text(wanted)) == rounded


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (a_plan().replace("1200.5", "a lot"), ["Row 4, column “TV”: “a lot” is not a number such as 1234.56."]),
        (a_plan().replace("1200.5", ""), ["Row 4, column “TV”: it is empty: write 0 where there is to be none."]),
        (a_plan().replace("1200.5", "n/a"), ["Row 4, column “TV”: it is empty"]),
        (a_plan().replace("1200.5", "-3"), ["Row 4, column “TV”: -3 cannot be. Give a number of 0 or more"]),
        (a_plan().replace("1200.5", "1e400"), ["Row 4, column “TV”:"]),
        (a_plan().replace("1200.5,3", "1,2,3"), ["Row 4: 4 cells where the header has 3."]),
        (a_plan().replace("2023-04-24", "2023-05-24"), ["Row 4, column “Week”: 2023-05-24 is not the week"]),
        (a_plan().replace("2023-04-24", "soon"), ["Row 4, column “Week”: “soon” is not a day such as 2026-05-31."]),
        (a_plan().replace("2023-04-24", ""), ["Row 4, column “Week”: it is empty. The first column says the period"]),
        (a_plan(("1", "2", "4", "3")), ["Row 2, column “Week”"]),
        (a_plan(("2023-04-17", "2023-04-24", "2023-05-01", "2023-05-08")), ["Row 2, column “Week”: 2023-04-17 is not"]),
        (a_plan().replace("TV", "Radio"), ["The model knows no “Radio”. It has “TV”, “Search”, “Blog”, “Price”"]),
        (a_plan().replace(",Search", ",TV"), ["appears more than once"]),
        (a_plan().replace("Week,", ","), ["The first column has no name."]),
        (lines("2023-04-10", header="Week"), ["The table has a single column"]),
        (lines(), ["The table has no rows below its header."]),
        ("", ["The file is empty."]),
        ("{\"TV\": [1]}", ["This is JSON."]),
        (lines(*MONDAYS[:3]).replace("-1", "-1"), ["Row 2: 1 cell where the header has 3."]),
        (a_plan().replace("1200.5", "$5"), ["Amounts are in $, but the workspace counts in EUR."]),
    ],
)  # fmt: skip
def test_bad_cells_are_named_by_row_and_column(text: str, sentences: list[str], model: Model) -> None:
    said = refused(model, text)
    for sentence in sentences:
        assert sentence in said


def test_of_many_bad_cells_the_first_are_named_and_the_others_counted(model: Model) -> None:
    said = refused(model, a_plan().replace("2023-04", "soon"))
    assert said.count("Row ") == 3
    said = refused(model, lines(*(f"{day},x,y" for day in MONDAYS)))
    assert said.count("Row ") == 5
    assert said.endswith("3 more cells or rows are wrong.")


def test_thousands_that_could_be_decimals_are_asked_to_be_written_otherwise(model: Model) -> None:
    text = lines(*(f"{day};1,234;2,345" for day in MONDAYS), header="Week;TV;Search")
    assert "Write all numbers without marks between thousands." in refused(model, text)


def test_another_file_is_not_read_to_its_end(model: Model) -> None:
    text = lines(*(f"{place},1,2" for place in range(1, 2000)))
    assert "more than 1,000 rows" in refused(model, text)


def test_a_binary_and_a_huge_file_are_refused(model: Model, settings: object) -> None:
    workspace = model.run.workspace
    with pytest.raises(PlanRefused, match="binary file"):
        read_file(io.BytesIO(b"\x00\x01\x02" * 100), file_name="plan.csv", workspace=workspace)
    settings.MAX_FILE_BYTES = 10  # type: ignore[attr-defined]
    with pytest.raises(FileTooLarge):
        read_file(io.BytesIO(b"x" * 11), file_name="plan.csv", workspace=workspace)


def test_nothing_of_a_plan_is_left_on_disk(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_text(a_plan(), workspace=model.run.workspace)
    with pytest.raises(PlanRefused):
        read_text("", workspace=model.run.workspace)
    assert list(tmp_path.iterdir()) == []
