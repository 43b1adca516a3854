"""What a check finds out about the rows of a file, gathered chunk by chunk: counts, reasons, sums and new names."""

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import Model
from numpy.typing import NDArray

from accounts.models import Workspace
from marketing.importing.cells import MONEY_DECIMALS, Cells
from marketing.importing.checking import CheckedRows
from marketing.importing.dimensions import ids_by_name
from marketing.importing.errors import CellError
from marketing.importing.paths import steps_of
from marketing.models import Campaign, Channel, Control, Dataset, Goal, Outcome

ERRORS_SHOWN = 100
REASONS_SHOWN = 50
ROWS_OF_A_REASON = 5
PARTS_SHOWN = 12
NAMES_SHOWN = 20
# What differs between rows that are rejected for one reason, and what is said instead.
PARTICULARS = ((re.compile("“[^”]*”"), "“…”"), (re.compile(r"as row \d+$"), "as an earlier row"))
# The fields whose names become rows of their own, and those rows.
NAMED: dict[str, type[Model]] = {
    "channel": Channel,
    "campaign": Campaign,
    "goal": Goal,
    "outcome": Outcome,
    "control": Control,
}
# The series of a wide table, and what their labels name.
SERIES_OF = dict.fromkeys(("spend", "impressions", "clicks"), "channel") | {"outcome": "outcome", "control": "control"}
# What says that two rows of one file are the same, as `settle` has it.
TOUCH_KEY = ("customer", "occurred_at", "interaction", "campaign")
CONVERSION_KEY = ("customer", "occurred_at", "goal", "value", "converted")
ANY_CASE = ("channel", "campaign", "goal")


@dataclass(slots=True)
class _Reason:
    """Why rows were rejected: the same reason in the same column, whatever the cells said."""

    column: str
    reason: str
    count: int = 0
    rows: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Gathered:
    """What the rows checked so far amount to."""

    dataset: str
    valid: int = 0
    rejected: int = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    _reasons: dict[tuple[str, str], _Reason] = field(default_factory=dict)
    _errors: list[CellError] = field(default_factory=list)
    _sums: dict[str, Counter[str]] = field(default_factory=dict)
    _names: dict[str, dict[str, str]] = field(default_factory=dict)
    _keys: list[NDArray[np.uint64]] = field(default_factory=list)

    def add(self, rows: CheckedRows, *, first_day: dt.date | None, last_day: dt.date | None) -> None:
        """Take in a chunk; the days are those that its good rows speak of."""
        self.valid += rows.count
        self.rejected += len(rows.errors)
        self.first_day = min(filter(None, (self.first_day, first_day)), default=None)
        self.last_day = max(filter(None, (self.last_day, last_day)), default=None)
        self._errors += rows.errors[: max(ERRORS_SHOWN - len(self._errors), 0)]
        for error in rows.errors:
            self._group(error)
        if rows.count:
            self._name(rows)
            self._sum(rows)
            self._remember_keys(rows)

    def as_json(self, workspace: Workspace) -> dict[str, Any]:
        """Return what `Upload.findings` keeps; it asks which names the workspace knows."""
        common = sorted(self._reasons.values(), key=lambda reason: -reason.count)
        return {
            "valid": self.valid,
            "rejected": self.rejected,
            "repeated": self.repeated,
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "reasons": [
                {"column": one.column, "reason": one.reason, "count": one.count, "rows": one.rows}
                for one in common[:REASONS_SHOWN]
            ],
            "reasons_left_out": max(len(common) - REASONS_SHOWN, 0),
            "errors": [{"row": e.row, "column": e.column, "reason": e.reason} for e in self._errors],
            "sums": [_sum_as_json(measure, parts) for measure, parts in self._sums.items()],
            "new_names": self._new_names(workspace),
        }

    @property
    def repeated(self) -> int:
        """How many good rows say what an earlier row of the file says: they will be its duplicates."""
        if not self._keys:
            return 0
        keys = np.concatenate(self._keys)
        return len(keys) - len(np.unique(keys))

    def new_channels(self, workspace: Workspace) -> list[str]:
        """Return the names of channels that the workspace does not know."""
        return self._unknown("channel", workspace)

    def _group(self, error: CellError) -> None:
        general = error.reason
        for particular, instead in PARTICULARS:
            general = particular.sub(instead, general)
        group = self._reasons.setdefault((error.column, general), _Reason(error.column, error.reason))
        group.count += 1
        if group.reason != error.reason:
            group.reason = general  # the cells differ
        if len(group.rows) < ROWS_OF_A_REASON:
            group.rows.append(error.row)

    def _name(self, rows: CheckedRows) -> None:
        for name, cells in rows.cells.items():
            if name in NAMED:
                self._remember(name, pd.unique(cells.values[cells.present]).tolist())
            elif name == "path":
                self._remember("channel", steps_of(cells.values)[0])
            elif ":" in name and cells.present.any():
                kind, _, label = name.partition(":")
                if kind in SERIES_OF:
                    self._remember(SERIES_OF[kind], [label])

    def _remember(self, kind: str, names: list[str]) -> None:
        known = self._names.setdefault(kind, {})
        for name in names:
            known.setdefault(name.lower(), name)

    def _new_names(self, workspace: Workspace) -> list[dict[str, Any]]:
        unknown = {kind: self._unknown(kind, workspace) for kind in self._names}
        return [{"kind": kind, "count": len(new), "names": new[:NAMES_SHOWN]} for kind, new in unknown.items() if new]

    def _unknown(self, kind: str, workspace: Workspace) -> list[str]:
        known = ids_by_name(workspace=workspace, model=NAMED[kind])
        return [name for lower, name in self._names.get(kind, {}).items() if lower not in known]

    def _sum(self, rows: CheckedRows) -> None:
        cells = rows.cells
        if self.dataset == Dataset.MEDIA_TABLE:
            for name, column in cells.items():
                kind, _, label = name.partition(":")
                if label and kind in ("spend", "impressions", "clicks", "outcome"):
                    self._add_to(kind, [label], np.array([_total(kind, column.values[column.present])]))
            return
        if self.dataset == Dataset.PATHS:
            self._sum_paths(cells)
            return
        by = next((name for name in ("channel", "goal", "outcome", "control", "source", "name") if name in cells), None)
        names, codes = _named_groups(rows, by)
        if self.dataset in (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS, Dataset.CONTROLS, Dataset.EVENTS):
            self._add_to("rows", names, np.bincount(codes, minlength=len(names)))
        if self.dataset == Dataset.CONVERSIONS and "value" in cells:
            self._add_to("value", names, _by_group(codes, cells["value"].values / 10**MONEY_DECIMALS, len(names)))
        if self.dataset == Dataset.OUTCOMES:
            self._add_to("outcome", names, _by_group(codes, cells["value"].values, len(names)))
        if self.dataset in (Dataset.SPEND, Dataset.EXPERIMENTS):
            self._add_to("spend", names, _by_group(codes, cells["spend"].values / 10**MONEY_DECIMALS, len(names)))

    def _sum_paths(self, cells: dict[str, Cells]) -> None:
        """What ended with which channel: the credit of the last touch, which most reports show."""
        names, steps, first = steps_of(cells["path"].values)
        ending, codes = np.unique(steps[first[1:] - 1], return_inverse=True)
        for measure in ("conversions", "value", "null"):
            if measure in cells:
                unit = 10**MONEY_DECIMALS if measure == "value" else 1
                amounts = _by_group(codes, cells[measure].values / unit, len(ending))
                self._add_to(measure, [names[channel] for channel in ending], amounts)

    def _add_to(self, measure: str, names: list[str], amounts: NDArray[Any]) -> None:
        sums = self._sums.setdefault(measure, Counter())
        for name, amount in zip(names, amounts.tolist(), strict=True):
            sums[name] += amount

    def _remember_keys(self, rows: CheckedRows) -> None:
        if self.dataset == Dataset.TOUCHPOINTS:
            self._keys.append(_touch_keys(rows))
        elif self.dataset == Dataset.CONVERSIONS:
            self._keys.append(_conversion_keys(rows))


def _total(kind: str, values: NDArray[Any]) -> float:
    return float(values.sum() / 10**MONEY_DECIMALS if kind == "spend" else values.sum())


def _named_groups(rows: CheckedRows, by: str | None) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct names of a field, "" for blank ones, and which of them each row has."""
    if by is None:
        return [""], np.zeros(rows.count, np.int64)
    codes, names = pd.factorize(rows.cells[by].values)
    return names.tolist(), codes


def _by_group(codes: NDArray[np.int64], values: NDArray[Any], groups: int) -> NDArray[np.float64]:
    sums = np.bincount(codes, weights=np.nan_to_num(values.astype(np.float64)), minlength=groups)
    return sums.astype(np.float64)


def _touch_keys(rows: CheckedRows) -> NDArray[np.uint64]:
    frame = _folded(rows, TOUCH_KEY)
    channel = _folded(rows, ("channel",)).get("channel", pd.Series([""] * rows.count))
    origin = _folded(rows, ("source", "medium"))
    for name in origin:
        frame[name] = origin[name].where(channel == "", "")
    frame["channel"] = channel
    return _hashed(frame)


def _conversion_keys(rows: CheckedRows) -> NDArray[np.uint64]:
    keys = _hashed(_folded(rows, CONVERSION_KEY))
    if (order := rows.cells.get("order_id")) is None:
        return keys
    by_order = _hashed(_folded(rows, ("goal", "order_id")))
    return np.where(order.present, by_order, keys)


def _folded(rows: CheckedRows, names: tuple[str, ...]) -> pd.DataFrame:
    """The columns that there are, names without regard to case."""
    columns = {name: pd.Series(rows.cells[name].values) for name in names if name in rows.cells}
    for name in ANY_CASE:
        if name in columns:
            codes, distinct = pd.factorize(columns[name])
            columns[name] = pd.Series(pd.Series(distinct, dtype=object).str.lower().to_numpy()[codes])
    return pd.DataFrame(columns)


def _hashed(frame: pd.DataFrame) -> NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), np.uint64)


def _sum_as_json(measure: str, parts: Counter[str]) -> dict[str, Any]:
    largest = parts.most_common(PARTS_SHOWN)
    total = sum(parts.values())
    return {
        "measure": measure,
        "total": total,
        "parts": [[name, amount] for name, amount in largest],
        "others": max(len(parts) - PARTS_SHOWN, 0),
        "rest": total - sum(amount for _, amount in largest),
    }
