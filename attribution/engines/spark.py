"""Tables read by Apache Spark: parts of the customers are counted where they lie, and added up here.

Spark reads the tables, keeps the rows that the question looks at, and brings the rows of each customer together; the
parts are counted by the same compiled loops as everywhere, in the workers' Python (`attribution.methods.partitions`).
The workers need Python with the packages and the code of this installation, and neither its settings nor its database.
"""

import datetime as dt
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
from django.conf import settings

from analyses.errors import AnalysisError
from analyses.tables import OnPhase, Tables
from attribution.computation import THREADS, require_few_for_bayes
from attribution.engines.questions import Question
from attribution.engines.statistics import Found
from attribution.engines.tables import Kind, Kinds, Reading, Survey, Table
from attribution.methods.crediting import credit_statistics, drawn_anew
from attribution.methods.customer_rows import OTHER_GOAL
from attribution.methods.part_jobs import PARTS, counting, weighing
from attribution.methods.partitions import (
    CONVERSIONS,
    CONVERTING,
    UNTOUCHED,
    UNTOUCHED_VALUE,
    Arrays,
    Merged,
    TablesChanged,
    add_weighed,
    merge_paths_of_parts,
    unpack,
)
from attribution.methods.replicates import Collected, Replicates
from marketing.models import Interaction
from marketing.periods import EPOCH

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

logger = logging.getLogger(__name__)

TOUCHES_OF_PART = 500_000  # rows that are columns in one process of Python at a time
FEWEST_PARTS = 8
JDBC_CONNECTIONS = 8
AT_ONCE_BYTES = 512 << 20  # of the passes that all parts send together, before they are added up here
MOST_BYTES = 2 << 30  # of one pass
LOOPBACK = ("127.0.0.1", "localhost")
DRIVERS = {
    "postgresql": "org.postgresql.Driver",
    "mysql": "com.mysql.cj.jdbc.Driver",
    "mariadb": "org.mariadb.jdbc.Driver",
    "sqlserver": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
    "oracle": "oracle.jdbc.OracleDriver",
}
USER, PASSWORD = "JDBC_USER", "JDBC_PASSWORD"  # of the environment


@contextmanager
def opened(tables: Tables) -> Iterator["SparkTables"]:
    """Start a Spark application on the cluster, and end it in the end. Raises AnalysisError where that cannot be."""
    try:
        with _without_pandas():
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
    except ImportError as error:
        raise AnalysisError(
            "The engine Spark is not installed. Install it with “uv sync --extra spark”.", code="no_spark"
        ) from error
    _require_java()
    with _sentences():
        builder = SparkSession.builder.master(tables.master).appName("Mixed Media Modeling")
        for name, value in {**_settings(tables.master), **tables.settings}.items():
            builder = builder.config(name, value)
        try:
            with _without_pandas():
                session = builder.getOrCreate()
        except PySparkException as error:
            raise AnalysisError(
                "Spark did not start. It needs Java 17 or newer: set JAVA_HOME to one.", code="no_java"
            ) from error
        try:
            session.sparkContext.setLogLevel("ERROR")
            yield SparkTables(session, tables)
        finally:
            session.stop()


class SparkTables:
    """Two tables, in Parquet or behind JDBC, that a Spark session reads."""

    def __init__(self, session: "SparkSession", tables: Tables) -> None:
        self._session = session
        self._tables = tables
        self._names: dict[Table, str] = {"touches": tables.touches, "conversions": tables.conversions}
        self._frames: dict[Table, DataFrame] = {}

    def kinds(self, table: Table) -> Kinds:
        return {field.name: _kind(field.dataType.typeName()) for field in self._frame(table).schema.fields}

    def survey(self, reading: Reading) -> Survey:
        from pyspark.sql import functions as fn

        touches = self._touches(reading)
        by_source = (
            touches.groupBy("channel", "campaign", "interaction")
            .agg(
                fn.count(fn.lit(1)).alias("rows"),
                *(fn.count_if(_is_blank(touches, name)).alias(f"no {name}") for name in ("customer", "occurred_at")),
                fn.count_if(_is_blank(touches, "channel")).alias("no channel"),
            )
            .collect()
        )
        conversions = self._conversions()
        last_us = fn.max(fn.when(fn.col("converted"), fn.unix_micros("occurred_at")))
        value = fn.col("value")
        by_goal = (
            conversions.groupBy("goal")
            .agg(
                last_us.alias("last"),
                fn.count_if(fn.isnan(value) | (fn.abs(value) == float("inf"))).alias("unusable"),
                *(
                    fn.count_if(_is_blank(conversions, name)).alias(f"no {name}")
                    for name in ("customer", "occurred_at", "goal", "converted")
                ),
            )
            .collect()
        )
        repeated = (
            conversions.filter(fn.col("converted") & fn.col("order_id").isNotNull())
            .groupBy("goal", "order_id")
            .count()
            .filter(fn.col("count") > 1)
            .agg(fn.count(fn.lit(1)).alias("orders"), fn.min("order_id").alias("example"))
            .collect()[0]
        )
        return Survey(
            touches=sum(row["rows"] for row in by_source),
            sources={(row["channel"], row["campaign"]) for row in by_source},
            interactions={row["interaction"] for row in by_source},
            empty={
                **{
                    ("touches", name): sum(row[f"no {name}"] for row in by_source)
                    for name in ("customer", "occurred_at", "channel")
                },
                **{
                    ("conversions", name): sum(row[f"no {name}"] for row in by_goal)
                    for name in ("customer", "occurred_at", "goal", "converted")
                },
            },
            goals={row["goal"]: row["last"] for row in by_goal if row["goal"] is not None},
            unusable_values=sum(row["unusable"] for row in by_goal),
            repeated_orders=(repeated["orders"], repeated["example"] or ""),
        )

    def find(self, reading: Reading, question: Question, *, replicates: int, on_phase: OnPhase) -> Found | None:
        asked = question.asked
        parts = self._tables.partitions or max(FEWEST_PARTS, -(-question.touches // TOUCHES_OF_PART))
        rows = self._rows(reading, question).repartition(parts, "customer").persist()
        try:
            on_phase("Counting paths", 0.0)
            counted = dict(self._computed(rows, counting(asked=asked, cut=question.cut)))
            merged = merge_paths_of_parts(parts=counted, asked=asked)
            del counted
            if not merged.totals[CONVERSIONS]:
                return None
            require_few_for_bayes(asked.methods, merged.table, question.groups.dimension)
            on_phase("Crediting", 0.0)
            credited = credit_statistics(
                methods=asked.methods,
                of_rules=(merged.of_rules[0], merged.of_rules[1]),
                paths=merged.table,
                untouched=(float(merged.totals[UNTOUCHED]), float(merged.totals[UNTOUCHED_VALUE])),
                draws=replicates,
                seed=asked.seed,
                on_progress=lambda share: on_phase("Crediting", share),
                threads=THREADS,
            )
            drawn = self._replicates(rows, question, merged, replicates, on_phase)
        finally:
            rows.unpersist()
        return Found(merged.table, merged.totals, credited, drawn)

    def _replicates(
        self, rows: "DataFrame", question: Question, merged: Merged, replicates: int, on_phase: OnPhase
    ) -> Replicates:
        """Weigh customers in as many passes at a time as the driver has room for."""
        asked = question.asked
        of_pass = merged.bytes_of_pass(asked)
        if of_pass > MOST_BYTES:
            raise AnalysisError(
                f"These models count so much that 64 replicates are {of_pass >> 20:,} MiB, more than can be added up "
                f"({MOST_BYTES >> 20:,} MiB). Ask for a chain of a lower order, by channel, or in fewer --partitions.",
                code="too_large",
            )
        collected = Collected(drawn_anew(asked.methods), asked.groups, replicates)
        at_once = max(1, AT_ONCE_BYTES // max(of_pass, 1))
        for first in range(0, collected.passes, at_once):
            on_phase("Drawing customers anew for the intervals", first / collected.passes)
            passes = range(first, min(first + at_once, collected.passes))
            weighed = self._computed(rows, weighing(asked=asked, cut=question.cut, passes=passes))
            for sums in add_weighed(parts=weighed, merged=merged, asked=asked, passes=passes):
                shares = [] if merged.features is None else merged.features.shares(sums.counts, threads=THREADS)
                collected.put(sums.number, sums.cells, shares)
        return collected.replicates(float(merged.totals[CONVERTING]))

    def _computed(
        self, rows: "DataFrame", job: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
    ) -> Iterator[tuple[int, Arrays]]:
        """What a job makes of each part that has any journey, by the part's number."""
        with _without_pandas():
            found: pa.Table = rows.mapInArrow(job, PARTS).toArrow()
        for batch in found.to_batches():
            for part, data in zip(batch["part"].to_pylist(), batch["data"], strict=True):
                yield part, unpack(data.as_buffer())

    def _frame(self, table: Table) -> "DataFrame":
        if table not in self._frames:
            self._frames[table] = self._jdbc(table) if self._is_jdbc else self._parquet(table)
        return self._frames[table]

    @property
    def _is_jdbc(self) -> bool:
        return self._tables.source.lower().startswith("jdbc:")

    def _parquet(self, table: Table) -> "DataFrame":
        source, name = self._tables.source.rstrip("/"), self._names[table]
        if "://" not in source:
            places = [place for place in (Path(source, name), Path(source, f"{name}.parquet")) if place.exists()]
            if not places:
                raise AnalysisError(
                    f"There is neither a directory “{name}” nor a file “{name}.parquet” in {source}.", code="no_table"
                )
            return self._session.read.parquet(str(places[0].resolve()))
        return self._session.read.parquet(f"{source}/{name}")

    def _jdbc(self, table: Table, **options: str) -> "DataFrame":
        url = self._tables.source
        reader = self._session.read.format("jdbc").options(
            url=url, dbtable=self._names[table], preferTimestampNTZ="true", fetchsize="20000", **options
        )
        driver = DRIVERS.get(url.split(":")[1].lower(), "")
        for name, value in (("driver", driver), ("user", os.environ.get(USER)), ("password", os.environ.get(PASSWORD))):
            if value:
                reader = reader.option(name, value)
        return reader.load()

    def _touches(self, reading: Reading) -> "DataFrame":
        """The touches of the times that are looked at, and those of no time; with empty columns where it has none."""
        from pyspark.sql import functions as fn

        frame = self._frame("touches")
        if self._is_jdbc:
            frame = self._jdbc(
                "touches",
                partitionColumn="occurred_at",
                lowerBound=_written(reading.from_us),
                upperBound=_written(reading.stop_us),
                numPartitions=str(JDBC_CONNECTIONS),
            )
        at = fn.col("occurred_at")
        inside = at.isNull() | ((at >= _moment(reading.from_us)) & (at < _moment(reading.stop_us)))
        asked = {"channel": True, "campaign": reading.campaign, "interaction": reading.interaction}
        return frame.filter(inside).select(
            _customer(frame),
            at,
            *(_or_else(frame, name, "string", is_asked=is_asked).alias(name) for name, is_asked in asked.items()),
            fn.coalesce(_or_else(frame, "sequence", "bigint"), fn.lit(0)).alias("sequence"),
        )

    def _conversions(self) -> "DataFrame":
        from pyspark.sql import functions as fn

        frame = self._frame("conversions")
        return frame.select(
            _customer(frame),
            fn.col("occurred_at"),
            fn.col("goal").cast("string").alias("goal"),
            fn.coalesce(_or_else(frame, "value", "double"), fn.lit(0.0)).alias("value"),
            (fn.col("converted") if "converted" in frame.columns else fn.lit(True)).alias("converted"),
            _or_else(frame, "order_id", "string").alias("order_id"),
            fn.coalesce(_or_else(frame, "sequence", "bigint"), fn.lit(0)).alias("sequence"),
        )

    def _rows(self, reading: Reading, question: Question) -> "DataFrame":
        """Touches and outcomes as `journeys_of_rows` takes them."""
        from pyspark.sql import functions as fn

        numbers = self._session.createDataFrame(
            [(*source, number) for source, number in question.source_of.items()] or [(None, None, 0)],
            "named_channel string, named_campaign string, code int",
        )
        touches = self._touches(reading)
        interaction = fn.lit(int(Interaction.UNSPECIFIED))
        for word, code in question.interaction_of.items():
            interaction = fn.when(fn.col("interaction").eqNullSafe(fn.lit(word)), fn.lit(code)).otherwise(interaction)
        known = touches.join(
            fn.broadcast(numbers),
            fn.col("channel").eqNullSafe(fn.col("named_channel"))
            & fn.col("campaign").eqNullSafe(fn.col("named_campaign")),
        ).withColumn("interaction", interaction.cast("smallint"))
        if not question.views:
            known = known.filter(fn.col("interaction") != int(Interaction.IMPRESSION))
        goal = fn.lit(OTHER_GOAL)
        for text, code in question.goal_of.items():
            if code != OTHER_GOAL:
                goal = fn.when(fn.col("goal") == text, fn.lit(code)).otherwise(goal)
        at = fn.unix_micros("occurred_at").alias("at")
        outcomes = self._conversions().filter(
            (fn.col("occurred_at") >= _moment(reading.from_us)) & (fn.col("occurred_at") < _moment(reading.stop_us))
        )
        return known.select(
            *(fn.lit(True).alias("is_touch"), "customer", at, "sequence", "code", "interaction"),
            *(fn.lit(0.0).alias("value"), fn.lit(False).alias("converted")),
        ).unionByName(
            outcomes.select(
                *(fn.lit(False).alias("is_touch"), "customer", at, "sequence", goal.alias("code")),
                *(fn.lit(0).cast("smallint").alias("interaction"), "value", "converted"),
            )
        )


def _customer(frame: "DataFrame") -> "Column":
    from pyspark.sql import functions as fn

    is_number = _kind(frame.schema["customer"].dataType.typeName()) == "whole number"
    return fn.col("customer").cast("bigint" if is_number else "string").alias("customer")


def _or_else(frame: "DataFrame", name: str, kind: str, *, is_asked: bool = True) -> "Column":
    """The column, or one of empty cells where there is none."""
    from pyspark.sql import functions as fn

    return (fn.col(name) if is_asked and name in frame.columns else fn.lit(None)).cast(kind)


def _is_blank(frame: "DataFrame", name: str) -> "Column":
    from pyspark.sql import functions as fn

    empty = fn.col(name).isNull()
    return empty | (fn.trim(name) == "") if frame.schema[name].dataType.typeName() == "string" else empty


def _moment(at_us: int) -> "Column":
    from pyspark.sql import functions as fn

    return fn.timestamp_micros(fn.lit(at_us))


def _written(at_us: int) -> str:
    """A moment as bounds of JDBC's partitions are written, in the session's zone, which is UTC."""
    return f"{EPOCH + dt.timedelta(microseconds=at_us):%Y-%m-%d %H:%M:%S}"


def _kind(name: str) -> Kind:
    """The kind of a column from the name of its type."""
    if name in ("string", "varchar", "char"):
        return "text"
    if name in ("byte", "short", "integer", "long", "tinyint", "smallint", "int", "bigint"):
        return "whole number"
    if name in ("float", "double", "decimal"):
        return "number"
    known: Mapping[str, Kind] = {
        "timestamp": "time",
        "timestamp_ltz": "time",
        "timestamp_ntz": "time without a zone",
        "boolean": "yes or no",
    }
    return known.get(name, "other")


def _settings(master: str) -> dict[str, str]:
    """Settings of every application; what people give comes on top."""
    found = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Times are instants, and the drivers of databases read those of a column in the zone of their process.
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
        "spark.sql.shuffle.partitions": "32",
        "spark.driver.memory": "4g",
        "spark.driver.maxResultSize": "3g",
        "spark.pyspark.python": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "spark.executorEnv.PYTHONPATH": str(settings.BASE_DIR),
    }
    if master.startswith("local") or urlsplit(master).hostname in LOOPBACK:
        found |= {"spark.driver.host": LOOPBACK[0], "spark.driver.bindAddress": LOOPBACK[0]}
    return found


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") if home is None else Path(home, "bin", "java").exists()):
        where = "JAVA_HOME has none" if home else "there is none on the PATH"
        raise AnalysisError(
            f"Spark needs Java 17 or newer, and {where}. Install one, on Debian “openjdk-17-jre-headless”.",
            code="no_java",
        )


@contextmanager
def _without_pandas() -> Iterator[None]:
    """Say nothing of the version of pandas, which pyspark looks at and nothing here makes any use of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


@contextmanager
def _sentences() -> Iterator[None]:
    """Say in a sentence what Spark says in a page, which the log keeps."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except TablesChanged:
        raise AnalysisError(
            "The tables changed while they were read. Ask again when they stand still.", code="tables_changed"
        ) from None
    except (PySparkException, Py4JError) as error:
        logger.exception("Spark failed")
        text = str(error)
        if "ClassNotFoundException" in text and "river" in text:
            raise AnalysisError(
                "Spark has no JDBC driver for this database. Give it the driver’s jar: "
                "--spark-conf spark.jars=/path/to/driver.jar.",
                code="no_driver",
            ) from error
        raise AnalysisError(f"Spark could not do it: {_reason(text)[:300]}", code="spark_failed") from error


def _reason(text: str) -> str:
    """The line of an error that says what happened: Python's last one, Java's first one after the call."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason is given"]
    if "Traceback (most recent call last)" in text:
        return lines[-1]
    return next((line.removeprefix(": ") for line in lines if line.startswith(": ")), lines[0])
