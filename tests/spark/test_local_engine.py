"""Tables read in this process: the answer of a run on the same rows, and a sentence for tables that give none."""

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from accounts.actions import set_plan
from accounts.models import Workspace
from analyses.models import Run
from tests.conftest import ImportRows
from tests.spark.conftest import AskTables
from tests.spark.worlds import random_rows, same_credit, same_numbers, tables_of, write

MODELS = "last,linear,time_decay,w_shape,participation,data_driven,markov:2,shapley"
Rows = list[dict[str, Any]]


def csv_lines(rows: Rows, names: tuple[str, ...]) -> list[str]:
    out = StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: "" if row[name] is None else row[name] for name in names} for row in rows)
    return out.getvalue().splitlines()


def roles_of(result: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What each group does on paths; which role it mostly has depends on customers, too."""
    groups = result["evidence"]["roles"]["groups"]
    return {row["group"]: {name: row[name] for name in row if name != "mostly"} for row in groups}


@pytest.fixture
def imported(shop: Workspace, import_rows: ImportRows) -> Workspace:
    """The shop with rows drawn at random, and a plan that knows every model."""
    set_plan(workspace=shop, plan="professional", by=None)
    touches, conversions = random_rows(3, 150)
    import_rows("touchpoints", *csv_lines(touches, ("customer", "occurred_at", "channel", "campaign", "interaction")))
    of_outcomes = ("customer", "occurred_at", "goal", "value", "converted", "order_id")
    import_rows("conversions", *csv_lines(conversions, of_outcomes))
    return shop


@pytest.mark.parametrize(
    "params",
    [
        {"model": MODELS},
        {"model": "data_driven,position", "dimension": "campaign", "metric": "conversions", "window_days": 7},
        {"model": "linear", "dimension": "channel_type", "view_through": "exclude", "goal": "Lead", "seed": 9},
    ],
)
def test_tables_of_what_was_imported_get_the_answer_of_a_run(
    imported: Workspace, ask_tables: AskTables, tmp_path: Path, params: Mapping[str, Any]
) -> None:
    tables_of(imported, tmp_path)
    out = StringIO()
    asked = {"start": "2026-03-01", "end": "2026-03-31", "replicates": 100, **params}
    named = [f"--param={name}={value}" for name, value in asked.items()]
    call_command("analyse", "attribution", "--workspace=acme", *named, stdout=out, stderr=StringIO())
    run, of_tables = json.loads(out.getvalue()), ask_tables("local", tmp_path, **params)
    same_credit(of_tables, run)
    assert run["totals"]["conversions"] >= 20
    assert roles_of(of_tables) == roles_of(run)
    same_numbers(of_tables["evidence"]["lengths"], run["evidence"]["lengths"], run)
    assert Run.objects.count() == 1  # nothing is kept of tables


def changed(folder: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    place = folder / f"{name}.parquet"
    pq.write_table(change(pq.read_table(place)), place)


def without(column: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns([column])


def cast(column: str, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, table[column].cast(kind))

    return change


def with_last(column: str, value: object) -> Callable[[pa.Table], pa.Table]:
    """The same table, with another cell in its last row."""

    def change(table: pa.Table) -> pa.Table:
        cells = [*table[column].to_pylist()[:-1], value]
        return table.set_column(table.column_names.index(column), column, pa.array(cells, table[column].type))

    return change


def numbered(table: pa.Table) -> pa.Table:
    return table.set_column(table.column_names.index("customer"), "customer", pa.array(range(len(table))))


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (
            "touches",
            without("channel"),
            "The table “touches” has no column “channel”. Its columns: campaign, customer, ",
        ),
        ("conversions", without("goal"), "The table “conversions” has no column “goal”. "),
        ("touches", cast("occurred_at", pa.timestamp("us")), "The times in “touches.occurred_at” have no zone"),
        ("touches", cast("occurred_at", pa.timestamp("ns", "UTC")), "are in nanoseconds. Write them in microseconds."),
        (
            "touches",
            cast("sequence", pa.string()),
            "“touches.sequence” must be of the kind whole number, and it is text.",
        ),
        ("conversions", cast("occurred_at", pa.date32()), "must be of the kind time, and it is of another."),
        ("touches", numbered, "Customers are of the kind whole number in “touches”, but text in “conversions”."),
        ("touches", with_last("channel", None), "1 row of “touches” has nothing in “channel”."),
        ("touches", with_last("channel", "  "), "1 row of “touches” has nothing in “channel”."),
        ("touches", with_last("occurred_at", None), "1 row of “touches” has nothing in “occurred_at”."),
        ("conversions", with_last("customer", None), "1 row of “conversions” has nothing in “customer”."),
        ("conversions", with_last("value", float("inf")), "1 row of “conversions” has a value that cannot be added up"),
        ("conversions", lambda table: table.slice(0, 0), "in the table. It is empty."),
        ("conversions", with_last("order_id", "0-0"), ""),
    ],
)
def test_tables_that_cannot_be_used_get_a_sentence(
    ask_tables: AskTables, folder: Path, name: str, change: Callable[[pa.Table], pa.Table], sentence: str
) -> None:
    changed(folder, name, change)
    if not sentence:  # an order under one goal twice
        changed(folder, name, lambda table: pa.concat_tables([table, table.slice(0, 1)]))
        sentence = "comes twice or oftener in “conversions”"
    with pytest.raises(CommandError, match=re.escape(sentence)) as refusal:
        ask_tables("local", folder, model="last", view_through="include")
    assert "\n" not in str(refusal.value)


def test_an_unknown_interaction_is_named_where_interactions_count(ask_tables: AskTables, folder: Path) -> None:
    changed(folder, "touches", with_last("interaction", "glance"))
    assert ask_tables("local", folder, model="last")["totals"]["conversions"] > 0
    with pytest.raises(CommandError, match=r"There is no interaction “glance”\. Use one of: unspecified, click,"):
        ask_tables("local", folder, model="last", view_through="exclude")


def test_a_period_without_conversions_is_offered_the_last_ones(ask_tables: AskTables, folder: Path) -> None:
    with pytest.raises(
        CommandError, match=r"in the table\. The last ones are of 3\d Mar 2026: choose 2026-03-\d\d to "
    ):
        ask_tables("local", folder, model="last", start="2026-06-01", end="2026-06-10")


@pytest.mark.parametrize(
    ("options", "params", "sentence"),
    [
        (["--engine=local"], {}, "--engine needs --source"),
        (["--source=/tmp"], {}, "--source needs --engine."),
        (["--engine=storm", "--source=/tmp"], {}, "There is no engine “storm”. Use one of: local, spark."),
        (["--engine=local", "--source=/nowhere"], {}, "neither a directory “touches” nor a file “touches.parquet” in "),
        (["--engine=local", "--source=s3://lake"], {}, "The local engine reads Parquet from a directory."),
        (["--engine=local", "--source=/tmp", "--partitions=0"], {}, "--partitions is 1 or more."),
        (["--engine=local", "--source=/tmp"], {"data": "paths"}, "Aggregated paths are small"),
        (["--engine=local", "--source=/tmp"], {"grouping": "granular"}, "leave the grouping out"),
        (["--engine=local", "--source=/tmp"], {"model": "markov:2"}, "is part of the Professional plan"),
        (["--engine=spark", "--source=/tmp", "--spark-conf=a"], {}, "“a” is not of the form name=value."),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_asked_of_tables_is_said_in_one_line(
    options: list[str], params: Mapping[str, str], sentence: str
) -> None:
    named = [f"--param={name}={value}" for name, value in ({"model": "last"} | dict(params)).items()]
    with pytest.raises(CommandError, match=re.escape(sentence)):
        call_command(
            "analyse", "attribution", "--workspace=acme", *options, *named, stdout=StringIO(), stderr=StringIO()
        )


def test_only_kinds_that_know_tables_can_be_asked_of_them(shop: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be asked of tables: leave out the engine"):
        call_command(
            "analyse", "crosschannel", "--workspace=acme", "--engine=local", f"--source={tmp_path}", stdout=StringIO()
        )


def test_names_of_channels_are_those_of_the_workspace_whatever_their_capitals(
    imported: Workspace, ask_tables: AskTables, tmp_path: Path
) -> None:
    at = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    touches = [
        {"customer": "a", "occurred_at": at, "channel": name} for name in ("EMAIL", " email", "Letters", "letters")
    ]
    write(tmp_path, "touches", touches)
    write(tmp_path, "conversions", [{"customer": "a", "occurred_at": at, "goal": "purchase", "value": 8}])
    found = ask_tables("local", tmp_path, model="linear")["models"]["linear"]["channels"]
    assert [(row["channel"], row["value"]) for row in found] == [("Email", 4.0), ("Letters", 4.0), ("(none)", 0.0)]


def test_the_answer_comes_as_a_table_too(ask_tables: AskTables, folder: Path) -> None:
    out = StringIO()
    call_command(
        *("analyse", "attribution", "--workspace=acme", "--engine=local", f"--source={folder}", "--format=csv"),
        *("--param=model=last", "--param=start=2026-03-01", "--param=end=2026-03-31", "--param=replicates=100"),
        stdout=out,
        stderr=StringIO(),
    )
    rows = list(csv.DictReader(StringIO(out.getvalue())))
    credited = ask_tables("local", folder, model="last")["models"]["last"]["channels"]
    assert {row["channel"]: float(row["conversions"]) for row in rows} == {
        row["channel"]: row["conversions"] for row in credited
    }
