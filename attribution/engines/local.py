"""Tables in Parquet, read into this process whole: what a cluster's answer is held to, and enough for one machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from analyses.errors import AnalysisError
from analyses.tables import OnPhase, Tables
from attribution.computation import THREADS, require_few_for_bayes
from attribution.engines.questions import Question
from attribution.engines.statistics import Found
from attribution.engines.tables import COLUMNS, Kind, Kinds, Reading, Survey, Table
from attribution.methods.bootstrap import bootstrap
from attribution.methods.crediting import credit_journeys, drawn_anew
from attribution.methods.customer_rows import journeys_of_rows, rows_schema
from attribution.methods.partitions import totals_of
from marketing.frames import Int64Column
from marketing.journey_paths import path_table
from marketing.models import Interaction


class LocalTables:
    """Two tables in Parquet under a directory: each a file, or a directory of files."""

    def __init__(self, tables: Tables) -> None:
        if "://" in tables.source or tables.source.lower().startswith("jdbc:"):
            raise AnalysisError(
                "The local engine reads Parquet from a directory. Name one, or use --engine spark.", code="bad_source"
            )
        self._folder = Path(tables.source)
        self._names: dict[Table, str] = {"touches": tables.touches, "conversions": tables.conversions}
        self._datasets: dict[Table, ds.Dataset] = {}

    def kinds(self, table: Table) -> Kinds:
        return {column.name: _kind(column.type) for column in self._dataset(table).schema}

    def survey(self, reading: Reading) -> Survey:
        touches, conversions = self._touches(reading), self._conversions()
        return Survey(
            touches=len(touches),
            sources={
                (row["channel"], row["campaign"])
                for row in touches.group_by(["channel", "campaign"]).aggregate([]).to_pylist()
            },
            interactions=pc.unique(touches["interaction"]).to_pylist(),
            empty={
                **{("touches", name): _blank(touches[name]) for name in ("customer", "occurred_at", "channel")},
                **{
                    ("conversions", name): _blank(conversions[name])
                    for name in ("customer", "occurred_at", "goal", "converted")
                },
            },
            goals=_goals(conversions),
            unusable_values=len(conversions) - (pc.sum(pc.is_finite(conversions["value"])).as_py() or 0),
            repeated_orders=_repeated_orders(conversions),
        )

    def find(self, reading: Reading, question: Question, *, replicates: int, on_phase: OnPhase) -> Found | None:
        on_phase("Reading the tables", 0.0)
        asked = question.asked
        journeys = journeys_of_rows(rows=self._rows(reading, question), cut=question.cut)
        if not journeys.converted.any():
            return None
        columns: dict[str, Any] = {
            "journeys": journeys,
            "paths": path_table(journeys=journeys, group_of_source=asked.group_of_source, groups=asked.groups),
            "group_of_source": asked.group_of_source,
            "groups": asked.groups,
            "direct_source": asked.direct_source,
            "seed": asked.seed,
            "threads": THREADS,
        }
        paths = columns["paths"].table
        require_few_for_bayes(asked.methods, paths, question.groups.dimension)
        return Found(
            paths=paths,
            totals=totals_of(journeys),
            credited=credit_journeys(
                **columns,
                methods=asked.methods,
                draws=replicates,
                on_progress=lambda share: on_phase("Crediting", share),
            ),
            replicates=bootstrap(
                **columns,
                models=drawn_anew(asked.methods),
                replicates=replicates,
                on_progress=lambda share: on_phase("Drawing customers anew for the intervals", share),
            ),
        )

    def _dataset(self, table: Table) -> ds.Dataset:
        if table not in self._datasets:
            name = self._names[table]
            place = next((one for one in (self._folder / name, self._folder / f"{name}.parquet") if one.exists()), None)
            if place is None:
                raise AnalysisError(
                    f"There is neither a directory “{name}” nor a file “{name}.parquet” in {self._folder}.",
                    code="no_table",
                )
            try:
                self._datasets[table] = ds.dataset(place, format="parquet")
            except (OSError, pa.ArrowInvalid) as error:
                raise AnalysisError(f"“{place}” cannot be read as Parquet: {_line(error)}", code="no_table") from error
        return self._datasets[table]

    def _touches(self, reading: Reading) -> pa.Table:
        """The touches of the times that are looked at, and those of no time; with empty columns where it has none."""
        dataset = self._dataset("touches")
        at = pc.field("occurred_at")
        inside = (at >= _moment(reading.from_us)) & (at < _moment(reading.stop_us)) | at.is_null()
        named = ["customer", "occurred_at", "channel", "sequence"]
        named += ["campaign"] * reading.campaign + ["interaction"] * reading.interaction
        found = dataset.to_table(columns=[name for name in named if name in dataset.schema.names], filter=inside)
        return _plain(
            found,
            {"channel": pa.string(), "campaign": pa.string(), "interaction": pa.string(), "sequence": pa.int64()},
            {"sequence": 0},
        )

    def _conversions(self) -> pa.Table:
        dataset = self._dataset("conversions")
        found = dataset.to_table(columns=[name for name in COLUMNS["conversions"] if name in dataset.schema.names])
        has_converted = "converted" in found.column_names
        types = {
            "goal": pa.string(),
            "value": pa.float64(),
            "converted": pa.bool_(),
            "order_id": pa.string(),
            "sequence": pa.int64(),
        }
        plain = _plain(found, types, {"sequence": 0, "value": 0.0})
        if has_converted:
            return plain
        place = plain.column_names.index("converted")
        return plain.set_column(place, "converted", pc.fill_null(plain["converted"], True))

    def _rows(self, reading: Reading, question: Question) -> pa.Table:
        """Touches and outcomes as `journeys_of_rows` takes them."""
        touches = self._touches(reading)
        interaction = _coded(touches["interaction"], lambda word: question.interaction_of[word])
        source = _source_numbers(touches, question)
        schema = rows_schema(touches["customer"].type)
        rows = pa.table(
            {
                "is_touch": np.ones(len(touches), np.bool_),
                "customer": touches["customer"],
                "at": touches["occurred_at"].cast(pa.int64()),
                "sequence": touches["sequence"],
                "code": source.astype(np.int32),
                "interaction": interaction.astype(np.int16),
                "value": np.zeros(len(touches)),
                "converted": np.zeros(len(touches), np.bool_),
            },
            schema,
        )
        if not question.views:
            rows = rows.filter(pa.array(interaction != Interaction.IMPRESSION))
        conversions = self._conversions()
        at = conversions["occurred_at"].cast(pa.int64())
        outcomes = pa.table(
            {
                "is_touch": np.zeros(len(conversions), np.bool_),
                "customer": conversions["customer"],
                "at": at,
                "sequence": conversions["sequence"],
                "code": _coded(conversions["goal"], lambda text: question.goal_of[text or ""]).astype(np.int32),
                "interaction": np.zeros(len(conversions), np.int16),
                "value": conversions["value"],
                "converted": conversions["converted"],
            },
            schema,
        )
        outcomes = outcomes.filter(pc.and_(pc.greater_equal(at, reading.from_us), pc.less(at, reading.stop_us)))
        return pa.concat_tables([rows, outcomes])


def _kind(column: pa.DataType) -> Kind:
    plain = column.value_type if pa.types.is_dictionary(column) else column
    if pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain):
        return "text"
    if pa.types.is_integer(plain) and plain != pa.uint64():
        return "whole number"
    if pa.types.is_floating(plain) or pa.types.is_decimal(plain):
        return "number"
    if pa.types.is_boolean(plain):
        return "yes or no"
    if not pa.types.is_timestamp(plain):
        return "other"
    if plain.tz is None:
        return "time without a zone"
    return "time in nanoseconds" if plain.unit == "ns" else "time"


def _plain(found: pa.Table, types: Mapping[str, pa.DataType], otherwise: Mapping[str, Any]) -> pa.Table:
    """The same rows with columns of these types; `otherwise`: what stands where a column, or a cell, is empty."""
    is_number = _kind(found.schema.field("customer").type) == "whole number"
    columns = {
        "customer": found["customer"].cast(pa.int64() if is_number else pa.string()),
        "occurred_at": found["occurred_at"].cast(pa.timestamp("us", "UTC")),
    }
    for name, wanted in types.items():
        there = name in found.column_names
        column = found[name].cast(wanted) if there else pa.chunked_array([pa.nulls(len(found), wanted)])
        columns[name] = pc.fill_null(column, otherwise[name]) if name in otherwise else column
    return pa.table(columns)


def _moment(at_us: int) -> pa.Scalar:
    return pa.scalar(at_us, pa.timestamp("us", "UTC"))


def _blank(column: pa.ChunkedArray) -> int:
    """How many cells are empty, or hold nothing but spaces."""
    empty = int(column.null_count)
    if pa.types.is_string(column.type):
        empty += pc.sum(pc.equal(pc.utf8_trim_whitespace(column), "")).as_py() or 0
    return empty


def _goals(conversions: pa.Table) -> dict[str, int | None]:
    counted = conversions.filter(conversions["converted"])
    counted = pa.table({"goal": counted["goal"], "at": counted["occurred_at"].cast(pa.int64())})
    last = counted.group_by("goal").aggregate([("at", "max")])
    found: dict[str, int | None] = {
        text: None for text in pc.unique(conversions["goal"]).to_pylist() if text is not None
    }
    return found | dict(zip(last["goal"].to_pylist(), last["at_max"].to_pylist(), strict=True))


def _repeated_orders(conversions: pa.Table) -> tuple[int, str]:
    """How many orders of one goal occur more than once, and the first of them."""
    numbered = conversions.filter(pc.and_(conversions["converted"], pc.is_valid(conversions["order_id"])))
    counted = numbered.select(["goal", "order_id"]).group_by(["goal", "order_id"]).aggregate([([], "count_all")])
    repeated = counted.filter(pc.greater(counted["count_all"], 1))
    return len(repeated), pc.min(repeated["order_id"]).as_py() or ""


def _coded(column: pa.ChunkedArray, code: Callable[[str | None], int]) -> Int64Column:
    """The code of each text."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    codes = np.array([code(text) for text in encoded.dictionary.to_pylist()], np.int64)
    return codes[encoded.indices.to_numpy()] if len(codes) else codes


def _source_numbers(touches: pa.Table, question: Question) -> Int64Column:
    """The source of each touch, by its channel and campaign."""
    channel, campaign = (
        touches[name].combine_chunks().dictionary_encode(null_encoding="encode") for name in ("channel", "campaign")
    )
    if not len(touches):
        return np.empty(0, np.int64)
    width = len(campaign.dictionary)
    pairs = channel.indices.to_numpy().astype(np.int64) * width + campaign.indices.to_numpy()
    distinct, place = np.unique(pairs, return_inverse=True)
    channels, campaigns = channel.dictionary.to_pylist(), campaign.dictionary.to_pylist()
    numbers = [question.source_of[channels[pair // width], campaigns[pair % width]] for pair in distinct.tolist()]
    return np.array(numbers, np.int64)[place]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
