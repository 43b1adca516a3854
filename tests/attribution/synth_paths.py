"""The 100,000 simulated customers of the reference data as aggregated paths."""

import csv
import functools
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from marketing.frames import PathTable
from marketing.journey_paths import merge_paths

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "attribution"
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"The reference data are not in {REFERENCE}.")


def expected(name: str) -> dict[str, dict[str, float]]:
    """Numbers by channel and column of an expected file of the simulated customers."""
    with (REFERENCE / f"synth_expected_{name}.csv").open() as file:
        _channel, *columns = next(rows := csv.reader(file))  # some files leave the first column's name out
        return {channel: dict(zip(columns, map(float, cells), strict=True)) for channel, *cells in rows}


@functools.cache
def synth_paths() -> tuple[PathTable, tuple[str, ...]]:
    """The distinct paths, and the channels that their groups stand for. Each customer has one path."""
    touches = pq.read_table(REFERENCE / "synth_touchpoints_100k.parquet")
    outcomes = pq.read_table(REFERENCE / "synth_outcomes_100k.parquet").sort_by("user_id")
    user, names = touches["user_id"].to_numpy(), touches["channel"].to_pylist()
    channels = tuple(sorted(set(names)))
    group = np.array([channels.index(name) for name in names], np.int64)
    order = np.lexsort((np.arange(len(user)), touches["ts"].to_numpy(), user))
    ends = np.searchsorted(user[order], outcomes["user_id"].to_numpy(), side="right")
    converted = outcomes["converted"].to_numpy()
    merged = merge_paths(
        offsets=np.concatenate([[0], ends]),
        steps=group[order],
        groups=len(channels),
        conversions=converted.astype(np.float64),
        value=np.where(converted, outcomes["revenue"].to_numpy(), 0.0),
        nulls=(~converted).astype(np.float64),
    )
    return merged.table, channels
