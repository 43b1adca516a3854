"""Tables behind JDBC: PostgreSQL read by Spark gives what the same rows in Parquet give."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError

from tests.spark.cluster import obstacle
from tests.spark.conftest import AskTables
from tests.spark.worlds import same_credit

DRIVER = Path(os.environ.get("POSTGRESQL_JDBC_JAR", "/usr/share/java/postgresql.jar"))
SERVER = os.environ.get("SPARK_TEST_POSTGRES", "postgres@127.0.0.1:5432")
DATABASE = "mmm_spark_jdbc"
WHY_NOT = obstacle() or ("" if DRIVER.exists() else "There is no JDBC driver: install libpostgresql-jdbc-java.")

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def tables(folder: Path) -> Iterator[str]:
    """The rows of the folder in PostgreSQL; yields the JDBC URL."""
    try:
        server = psycopg.connect(f"postgresql://{SERVER}/postgres", autocommit=True)
    except psycopg.OperationalError:
        pytest.skip(f"PostgreSQL does not answer at {SERVER}.")
    with server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            with psycopg.connect(f"postgresql://{SERVER}/{DATABASE}") as database:
                database.execute(
                    "CREATE TABLE touches (customer text, occurred_at timestamptz, channel varchar(100), "
                    "campaign text, interaction text, sequence integer)"
                )
                database.execute(
                    "CREATE TABLE conversions (customer text, occurred_at timestamptz, goal text, "
                    "value numeric(12, 2), converted boolean, order_id text, sequence bigint)"
                )
                database.execute(
                    "CREATE VIEW without_zone AS SELECT customer, channel, occurred_at::timestamp FROM touches"
                )
                for name in ("touches", "conversions"):
                    rows = pq.read_table(folder / f"{name}.parquet")
                    columns = ", ".join(rows.column_names)
                    with database.cursor().copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
                        for row in rows.to_pylist():
                            copy.write_row(list(row.values()))
            host = SERVER.split("@")[1]
            yield f"jdbc:postgresql://{host}/{DATABASE}?user={SERVER.split('@')[0]}"
        finally:
            server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def test_tables_in_postgresql_give_what_they_give_in_parquet(ask_tables: AskTables, folder: Path, tables: str) -> None:
    asked = {"model": "last,linear,w_shape", "dimension": "campaign", "view_through": "exclude"}
    local = ask_tables("local", folder, **asked)
    options = ("--master=local[2]", f"--spark-conf=spark.jars={DRIVER}")
    same_credit(ask_tables("spark", tables, *options, **asked), local)
    with pytest.raises(CommandError, match=r"The times in “touches\.occurred_at” have no zone"):
        ask_tables("spark", tables, *options, "--touches=without_zone", model="last")
