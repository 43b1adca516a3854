"""Tables read by a real Spark cluster of two workers: the answer of the local engine, whatever is asked."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError

from accounts.actions import set_plan
from accounts.models import Workspace
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from tests.spark.cluster import cluster, obstacle
from tests.spark.conftest import AskTables
from tests.spark.worlds import random_rows, same_credit, same_numbers, write

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(obstacle()), reason=obstacle())]

EVERY_KIND = (
    "last,linear,time_decay:3,position,last_non_direct,w_shape,participation,shapley:simplified,"
    "data_driven,markov:3,shapley,bayesian_markov"
)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("spark")) as address:
        yield address


@pytest.mark.parametrize(
    "params",
    [
        {"model": EVERY_KIND},
        {"model": "markov:2,Ours", "dimension": "campaign", "seed": 4, "window_days": 14, "view_through": "exclude"},
    ],
)
def test_spark_says_what_the_local_engine_says(
    shop: Workspace, ask_tables: AskTables, folder: Path, master: str, params: Mapping[str, Any]
) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    own = {
        "channels": {"Email": 2},
        "rules": [{"when": {"interaction": ["click"], "age_days": {"below": 5}}, "factor": 3}],
    }
    custom_models.create(workspace=shop, name="Ours", definition=parse(own), by=None)
    local = ask_tables("local", folder, **params)
    spark = ask_tables("spark", folder, f"--master={master}", "--partitions=3", **params)
    same_credit(spark, local)
    same_numbers(spark["evidence"], local["evidence"], local)
    assert local["totals"]["conversions"] > 50


def test_customers_without_a_sequence_and_with_numbers_for_names_are_the_same_in_parts(
    ask_tables: AskTables, tmp_path: Path, master: str
) -> None:
    touches, conversions = random_rows(11, 200)
    numbers = {name: number for number, name in enumerate({row["customer"] for row in (*touches, *conversions)})}
    left = ("sequence", "campaign", "interaction", "order_id")
    for name, rows in (("touches", touches), ("conversions", conversions)):
        write(
            tmp_path,
            name,
            [{k: v for k, v in row.items() if k not in left} | {"customer": numbers[row["customer"]]} for row in rows],
        )
    local = ask_tables("local", tmp_path, model="linear,time_decay")
    same_credit(ask_tables("spark", tmp_path, f"--master={master}", model="linear,time_decay"), local)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"occurred_at": pa.timestamp("us")}, "The times in “touches.occurred_at” have no zone"),
        ({"channel": pa.int64()}, "“touches.channel” must be of the kind text, and it is whole number."),
    ],
)
def test_tables_that_cannot_be_used_get_the_same_sentences(
    ask_tables: AskTables, folder: Path, master: str, broken: Mapping[str, pa.DataType], sentence: str
) -> None:
    table = pq.read_table(folder / "touches.parquet")
    for column, kind in broken.items():
        cells = pa.array([1] * len(table)) if kind == pa.int64() else table[column].cast(kind)
        table = table.set_column(table.column_names.index(column), column, cells)
    pq.write_table(table, folder / "touches.parquet")
    with pytest.raises(CommandError, match=re.escape(sentence)):
        ask_tables("spark", folder, f"--master={master}", model="last")


def test_without_java_or_pyspark_a_sentence_says_what_to_install(
    ask_tables: AskTables, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(folder))
    with pytest.raises(CommandError, match=r"Spark needs Java 17 or newer, and JAVA_HOME has none\."):
        ask_tables("spark", folder, model="last")
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(CommandError, match="Install it with “uv sync --extra spark”"):
        ask_tables("spark", folder, model="last")
