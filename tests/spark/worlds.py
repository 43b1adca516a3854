"""Tables of touches and conversions for tests of the engines: as a workspace has them, and drawn at random."""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from accounts.models import Workspace
from marketing.models import Conversion, Interaction, Touchpoint

CHANNELS = ("Direct", "Email", "Organic Search", "Paid Search", "Paid Social", "Display")
TIME = pa.timestamp("us", "UTC")
MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def tables_of(workspace: Workspace, folder: Path) -> None:
    """Write what the workspace has been given as Parquet, customers by their ids."""
    touches = Touchpoint.objects.filter(batch__workspace=workspace, shadowed=False).select_related("traffic_source")
    names = {each.value: each.name.lower() for each in Interaction}
    rows = [
        {
            "customer": touch.customer_id,
            "occurred_at": touch.occurred_at,
            "channel": touch.traffic_source.channel.name if touch.traffic_source.channel else None,
            "campaign": touch.traffic_source.campaign.name if touch.traffic_source.campaign else None,
            "interaction": names[touch.interaction],
            "sequence": touch.pk,
        }
        for touch in touches.select_related("traffic_source__channel", "traffic_source__campaign")
    ]
    write(folder, "touches", rows)
    outcomes = Conversion.objects.filter(batch__workspace=workspace, shadowed=False).select_related("goal")
    write(
        folder,
        "conversions",
        [
            {
                "customer": row.customer_id,
                "occurred_at": row.occurred_at,
                "goal": row.goal.name,
                "value": float(row.value),
                "converted": row.converted,
                "sequence": row.pk,
            }
            for row in outcomes
        ],
    )


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Write rows as one table in Parquet; times in microseconds."""
    table = pa.Table.from_pylist(rows)
    place = table.column_names.index("occurred_at")
    pq.write_table(table.set_column(place, "occurred_at", table["occurred_at"].cast(TIME)), folder / f"{name}.parquet")


def random_rows(seed: int, customers: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of touches and conversions around March 2026: customers by text, ties in time, leads, rows that say no."""
    rng = np.random.default_rng(seed)
    touches: list[dict[str, Any]] = []
    conversions: list[dict[str, Any]] = []

    def moment() -> dt.datetime:
        return MARCH + dt.timedelta(hours=int(rng.integers(-40 * 24, 31 * 24)))

    for number in range(customers):
        customer = f"customer {rng.integers(10**9)} {number}"
        touches += [
            {
                "customer": customer,
                "occurred_at": moment(),
                "channel": CHANNELS[rng.integers(len(CHANNELS))],
                "campaign": (None, "Spring", "Brand")[rng.integers(3)],
                "interaction": (None, "click", "impression")[rng.integers(3)],
                "sequence": sequence,
            }
            for sequence in range(rng.integers(0, 9))
        ]
        conversions += [
            {
                "customer": customer,
                "occurred_at": moment(),
                "goal": ("Purchase", "Purchase", "Lead")[rng.integers(3)],
                "value": round(float(rng.lognormal(4, 1)), 2),
                "converted": bool(rng.random() < 0.8),
                "order_id": f"{number}-{order}",
                "sequence": order,
            }
            for order in range(rng.integers(0, 4))
        ]
    return touches, conversions


def same_credit(one: Mapping[str, Any], other: Mapping[str, Any], *, within: float = 1e-9) -> None:
    """Assert that two results say the same of every group under every model, intervals and explanations included.

    Numbers may differ by `within`, relative to the larger of them and to what there is to credit.
    """
    assert one["intervals"] == other["intervals"]
    assert one["models"].keys() == other["models"].keys()
    assert one["totals"]["conversions"] == other["totals"]["conversions"]
    same_numbers(one["totals"], other["totals"], other, within=within)
    same_numbers(one["reconciliation"], other["reconciliation"], other, within=within)
    for name, model in one["models"].items():
        same_numbers(_by_group(model), _by_group(other["models"][name]), other, within=within)


def same_numbers(mine: Any, theirs: Any, result: Mapping[str, Any], *, within: float = 1e-9) -> None:
    """Assert that two parts of a result say the same at every place, amounts by what there is to credit in `result`."""
    flat, expected = dict(_flat(mine)), dict(_flat(theirs))
    assert flat.keys() == expected.keys()
    size = abs(result["totals"]["value"])
    for place, number in flat.items():
        if isinstance(number, str) or number is None:
            assert number == expected[place], place
            continue
        # Differences of amounts, and of counts, are as sure as what they are differences of.
        least = within * (size if "value" in place else result["totals"]["conversions"])
        assert number == pytest.approx(expected[place], rel=within, abs=least), place


def _by_group(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a result says of a model, its groups by their names."""
    dimension, groups = next((name, value) for name, value in model.items() if isinstance(value, list))
    by_name = {row[dimension.removesuffix("s")]: row for row in groups}
    return {name: value for name, value in model.items() if name not in (dimension, "transitions")} | {
        "groups": by_name
    }


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(part, f"{place}/{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _flat(part, f"{place}/{number}")
    else:
        yield place, value
