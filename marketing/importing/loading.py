"""Lay checked rows out as table rows of an import, and write them (invisible until the import becomes active)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings
from numpy.typing import NDArray

from marketing.importing.bulk import write_rows
from marketing.importing.cells import MONEY_DECIMALS, Cells
from marketing.importing.checking import CheckedRows
from marketing.importing.customers import customer_ids
from marketing.importing.dimensions import Dimensions
from marketing.importing.fields import EVENT_NAMES
from marketing.importing.path_rows import path_columns
from marketing.importing.upserts import add_customers
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    Import,
    Interaction,
    OutcomeValue,
    PathChannel,
    PathCount,
    Touchpoint,
)

DAYS_OF_SHORTEST_MONTH = 28
Column = NDArray[Any] | list[Any]


def load_rows(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    """Write the good rows of a chunk. Call it inside a transaction."""
    if rows.count:
        LOADERS[batch.dataset](batch, rows, dimensions)


def _touchpoints(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    segments = rows.cells.get("segment")
    write_rows(
        Touchpoint,
        {
            "batch": np.full(rows.count, batch.pk),
            "shadowed": np.zeros(rows.count, bool),
            "customer": _customers(batch, rows),
            "occurred_at": rows.cells["occurred_at"].values,
            "traffic_source": _traffic_sources(rows, dimensions),
            "interaction": _or_default(rows, "interaction", Interaction.UNSPECIFIED, np.int16),
            "segment": _nullable_ids(segments, dimensions.segments) if segments else _all_null(rows.count),
        },
    )


def _conversions(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    converted = _or_default(rows, "converted", True, np.bool_)
    value = _or_default(rows, "value", 0, np.int64)
    order = rows.cells.get("order_id")
    write_rows(
        Conversion,
        {
            "batch": np.full(rows.count, batch.pk),
            "shadowed": np.ones(rows.count, bool),  # until settled: the database allows one active row a key
            "customer": _customers(batch, rows),
            "occurred_at": rows.cells["occurred_at"].values,
            "goal": _goals(rows, dimensions),
            "value": _decimals(np.where(converted, value, 0)),
            "order_id": _or_none(order) if order else [None] * rows.count,
            "converted": converted,
        },
    )


def _goals(rows: CheckedRows, dimensions: Dimensions) -> NDArray[np.int64]:
    goal = rows.cells.get("goal")
    named = np.zeros(rows.count, bool) if goal is None else goal.present
    goals = np.zeros(rows.count, np.int64)
    if goal is not None:
        goals[named] = _ids(goal.values[named], dimensions.goals)
    if not named.all():
        goals[~named] = dimensions.default_goal()
    return goals


def _spend(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    campaign = rows.cells.get("campaign")
    _write_spend(
        batch,
        rows,
        channels=_ids(rows.cells["channel"].values, dimensions.channels),
        campaigns=_nullable_list(campaign, dimensions) if campaign else [None] * rows.count,
        spend=_or_none(rows.cells["spend"], _decimals),
        impressions=_or_none(rows.cells.get("impressions"), count=rows.count),
        clicks=_or_none(rows.cells.get("clicks"), count=rows.count),
    )


def _write_spend(batch: Import, rows: CheckedRows, *, channels: NDArray[np.int64], **columns: Column) -> None:
    write_rows(
        ChannelSpend,
        _dated(batch, rows)
        | {
            "channel": channels,
            "campaign": columns["campaigns"],
            "spend": columns["spend"],
            "impressions": columns["impressions"],
            "clicks": columns["clicks"],
        },
    )


def _series(
    model: type[OutcomeValue] | type[ControlValue], name: str
) -> Callable[[Import, CheckedRows, Dimensions], None]:
    def load(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
        look_up = dimensions.outcomes if model is OutcomeValue else dimensions.controls
        ids = _ids(rows.cells[name].values, look_up)
        write_rows(model, _dated(batch, rows) | {name: ids, "value": rows.cells["value"].values})

    return load


def _experiments(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    write_rows(
        Experiment,
        {
            "batch": np.full(rows.count, batch.pk),
            "shadowed": np.ones(rows.count, bool),
            "channel": _ids(rows.cells["channel"].values, dimensions.channels),
            "start": _days(rows.cells["start"].values),
            "end": _days(rows.cells["end"].values),
            "geo": _or_default(rows, "geo", "", np.object_),
            "lift": rows.cells["lift"].values,
            "standard_error": rows.cells["standard_error"].values,
            "spend": _decimals(rows.cells["spend"].values),
        },
    )


def _events(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    del dimensions
    start, end = rows.cells["start"].values, rows.cells.get("end")
    last = start if end is None else np.where(end.present, end.values, start)
    _write_events(batch, rows, names=rows.cells["name"].values, start=start, end=last)


def _write_events(
    batch: Import, rows: CheckedRows, *, names: NDArray[Any], start: NDArray[Any], end: NDArray[Any]
) -> None:
    write_rows(
        Event,
        {
            "batch": np.full(rows.count, batch.pk),
            "shadowed": np.ones(rows.count, bool),
            "workspace": np.full(rows.count, batch.workspace_id),
            "name": names,
            "start": _days(start),
            "end": _days(end),
            "geo": _or_default(rows, "geo", "", np.object_),
        },
    )


def _paths(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    columns, channels = path_columns(rows, dimensions.channels)
    new = channels - set(PathChannel.objects.filter(batch=batch).values_list("channel_id", flat=True))
    PathChannel.objects.bulk_create(PathChannel(batch=batch, channel_id=channel) for channel in sorted(new))
    count = len(columns["digest"])
    value = _decimals(columns.pop("value"))
    write_rows(
        PathCount,
        {"batch": np.full(count, batch.pk), "shadowed": np.ones(count, bool), "value": value, **columns},
    )


def _media_table(batch: Import, rows: CheckedRows, dimensions: Dimensions) -> None:
    """Turn each series of a wide table into rows of its own; a blank cell says nothing."""
    channels: dict[int, dict[str, Cells]] = {}
    for name, cells in rows.cells.items():
        kind, _, label = name.partition(":")
        if kind in ("spend", "impressions", "clicks"):
            channels.setdefault(dimensions.channels([label])[label], {})[kind] = cells
        elif name == EVENT_NAMES:
            _wide_events(batch, rows, cells)
        elif label:
            _wide_series(batch, rows, cells, kind=kind, label=label, dimensions=dimensions)
    for channel, measures in channels.items():
        said = np.logical_or.reduce([cells.present for cells in measures.values()])
        part = _only(rows, said)
        kept = {kind: Cells(cells.values[said], cells.present[said]) for kind, cells in measures.items()}
        spend = kept.get("spend")
        _write_spend(
            batch,
            part,
            channels=np.full(part.count, channel),
            campaigns=[None] * part.count,
            spend=_or_none(spend, _decimals, count=part.count),
            impressions=_or_none(kept.get("impressions"), count=part.count),
            clicks=_or_none(kept.get("clicks"), count=part.count),
        )


def _wide_series(
    batch: Import, rows: CheckedRows, cells: Cells, *, kind: str, label: str, dimensions: Dimensions
) -> None:
    part = _only(rows, cells.present)
    model = OutcomeValue if kind == "outcome" else ControlValue
    look_up = dimensions.outcomes if kind == "outcome" else dimensions.controls
    ids = np.full(part.count, look_up([label])[label])
    write_rows(model, _dated(batch, part) | {kind: ids, "value": cells.values[cells.present]})


def _wide_events(batch: Import, rows: CheckedRows, cells: Cells) -> None:
    """An event of a wide table lasts for its row's period: a day, a week or a month, as its dates are apart."""
    part = _only(rows, cells.present)
    starts = rows.cells["date"].values.astype("datetime64[D]")
    _write_events(
        batch,
        part,
        names=cells.values[cells.present],
        start=starts[cells.present],
        end=period_ends(starts)[cells.present],
    )


def period_ends(starts: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the last day of the period that begins on each of the days (n,), datetime64[D].

    The two nearest days tell how long periods are: a week, a month or more, else a day.
    """
    distinct = np.unique(starts)
    nearest = int(np.diff(distinct).min().astype(int)) if len(distinct) > 1 else 1
    if nearest >= DAYS_OF_SHORTEST_MONTH:
        following = np.append(distinct[1:], (distinct[-1:].astype("datetime64[M]") + 1).astype("datetime64[D]"))
        return (following - 1)[np.searchsorted(distinct, starts)]
    return starts + (nearest - 1)


def _only(rows: CheckedRows, kept: NDArray[np.bool_]) -> CheckedRows:
    cells = {name: Cells(column.values[kept], column.present[kept]) for name, column in rows.cells.items()}
    return CheckedRows(cells, int(kept.sum()), [], rows.fraction)


def _dated(batch: Import, rows: CheckedRows) -> dict[str, Column]:
    return {
        "batch": np.full(rows.count, batch.pk),
        "shadowed": np.ones(rows.count, bool),
        "date": _days(rows.cells["date"].values),
        "geo": _or_default(rows, "geo", "", np.object_),
    }


def _customers(batch: Import, rows: CheckedRows) -> NDArray[np.int64]:
    codes, keys = pd.factorize(rows.cells["customer"].values)
    ids = customer_ids(keys.tolist(), workspace_id=batch.workspace_id, secret=settings.CUSTOMER_HASH_KEY)
    add_customers(workspace_id=batch.workspace_id, ids=ids)
    customers: NDArray[np.int64] = ids[codes]
    return customers


def _traffic_sources(rows: CheckedRows, dimensions: Dimensions) -> NDArray[np.int64]:
    names = {name: _or_default(rows, name, "", np.object_) for name in ("channel", "source", "medium", "campaign")}
    rows_by_name = pd.DataFrame(names)
    group = rows_by_name.groupby(list(names), sort=False).ngroup().to_numpy()
    # In order of first appearance, as the groups are numbered.
    distinct = rows_by_name.drop_duplicates().itertuples(index=False, name=None)
    ids = np.array(dimensions.traffic_sources(list(distinct)), np.int64)
    sources: NDArray[np.int64] = ids[group]
    return sources


def _ids(names: NDArray[Any], look_up: Callable[[list[str]], dict[str, int]]) -> NDArray[np.int64]:
    codes, distinct = pd.factorize(names)
    known = look_up(distinct.tolist())
    ids: NDArray[np.int64] = np.array([known[name] for name in distinct], np.int64)[codes]
    return ids


def _nullable_ids(cells: Cells, look_up: Callable[[list[str]], dict[str, int]]) -> Any:
    ids = np.ma.masked_array(np.zeros(len(cells.values), np.int64), mask=~cells.present)
    if cells.present.any():
        ids[cells.present] = _ids(cells.values[cells.present], look_up)
    return ids


def _all_null(count: int) -> Any:
    return np.ma.masked_array(np.zeros(count, np.int64), mask=True)


def _nullable_list(cells: Cells, dimensions: Dimensions) -> list[int | None]:
    ids: list[int | None] = _nullable_ids(cells, dimensions.campaigns).tolist()
    return ids


def _or_default(rows: CheckedRows, name: str, default: Any, dtype: Any) -> NDArray[Any]:
    cells = rows.cells.get(name)
    return np.full(rows.count, default, dtype) if cells is None else cells.values


def _or_none(
    cells: Cells | None, convert: Callable[[NDArray[Any]], list[Any]] | None = None, *, count: int = 0
) -> list[Any]:
    if cells is None:
        return [None] * count
    values = convert(cells.values) if convert else cells.values.tolist()
    return [value if there else None for value, there in zip(values, cells.present.tolist(), strict=True)]


def _decimals(amounts: NDArray[Any]) -> list[str]:
    return [str(Decimal(amount).scaleb(-MONEY_DECIMALS)) for amount in amounts.tolist()]


def _days(values: NDArray[Any]) -> list[str]:
    return [str(day) for day in values.astype("datetime64[D]")]


LOADERS: dict[str, Callable[[Import, CheckedRows, Dimensions], None]] = {
    Dataset.TOUCHPOINTS: _touchpoints,
    Dataset.CONVERSIONS: _conversions,
    Dataset.SPEND: _spend,
    Dataset.OUTCOMES: _series(OutcomeValue, "outcome"),
    Dataset.CONTROLS: _series(ControlValue, "control"),
    Dataset.EXPERIMENTS: _experiments,
    Dataset.MEDIA_TABLE: _media_table,
    Dataset.EVENTS: _events,
    Dataset.PATHS: _paths,
}
