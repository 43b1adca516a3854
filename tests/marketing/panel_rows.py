"""Figures by day for tests of media panels, the panel that is built of them, and what is said about it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from marketing.frames import Granularity, Int64Column
from marketing.panel_building import (
    DaySeries,
    LoadedGeoPanel,
    LoadedPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    PanelRows,
    build_panel,
)
from marketing.periods import day_number

MONDAY = day_number(dt.date(2021, 1, 4))
WEEKS = 20


def series(name: str, values: Sequence[float], *, start: int = MONDAY, step: int = 1) -> DaySeries:
    """A series with one row every `step` days."""
    return DaySeries(name, start + step * np.arange(len(values)), np.array(values, np.float64))


def on_days(name: str, days: Sequence[int], values: Sequence[float] | None = None) -> DaySeries:
    return DaySeries(name, np.array(days, np.int64), np.array(range(len(days)) if values is None else values, float))


def firsts_of_months(months: int) -> list[int]:
    return [day_number(dt.date(2021 + month // 12, month % 12 + 1, 1)) for month in range(months)]


def noise(seed: int, size: int = 7 * WEEKS) -> list[float]:
    return [float(number) for number in np.random.default_rng(seed).integers(1, 1000, size)]


def media(
    *spend: DaySeries,
    impressions: Sequence[DaySeries] = (),
    clicks: Sequence[DaySeries] = (),
    of: Mapping[str, str] | None = None,
) -> MediaRows:
    """Rows of the channels that the series are named for; `of`: what a name counts for, if not for itself."""
    table: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for measure, found in {"spend": spend, "impressions": impressions, "clicks": clicks}.items():
        for one in found:
            for day, value in zip(one.day.tolist(), one.value.tolist(), strict=True):
                table[one.name, day][measure] = value
    names = tuple(dict.fromkeys(name for name, _ in table))
    counted = [(of or {}).get(name, name) for name in names]
    channels = tuple(dict.fromkeys(counted))
    columns = {
        measure: np.array([row.get(measure, 0.0) for row in table.values()], np.float64)
        for measure in ("spend", "impressions", "clicks")
    }
    return MediaRows(
        channels=channels,
        names=names,
        channel_of_series=np.array([channels.index(name) for name in counted], np.int64),
        series=np.array([names.index(name) for name, _ in table], np.int64),
        day=np.array([day for _, day in table], np.int64),
        **columns,
    )


SALES = series("Sales", noise(0))
TV, RADIO = series("TV", noise(1)), series("Radio", noise(2))
LATE = MONDAY + 7 * WEEKS


def build(
    outcome: DaySeries = SALES,
    found: MediaRows | None = None,
    *,
    geos: Int64Column | None = None,
    rows: Mapping[str, Any] | None = None,
    granularity: Granularity = "week",
    **choice: Any,
) -> LoadedPanel:
    """Build a panel of some weeks, however few they are."""
    return build_panel(
        rows=PanelRows(
            outcome=outcome,
            outcome_geos=np.ones(len(outcome.day), np.int64) if geos is None else geos,
            media=media(TV, RADIO) if found is None else found,
            **(rows or {}),
        ),
        choice=PanelChoice(granularity=granularity, **{"short_allowed": True, **choice}),
    )


def problem_of(*arguments: Any, **keywords: Any) -> PanelProblem:
    with pytest.raises(PanelProblem) as caught:
        build(*arguments, **keywords)
    assert str(caught.value) == caught.value.sentence
    return caught.value


def remarks_of(loaded: LoadedPanel | LoadedGeoPanel) -> dict[str, tuple[str, ...]]:
    """The names that each remark is about, without that on how few periods there are."""
    return {remark.code: remark.names for remark in loaded.remarks if remark.code != "short"}


def sentence_of(loaded: LoadedPanel | LoadedGeoPanel, code: str) -> str:
    (sentence,) = (remark.sentence for remark in loaded.remarks if remark.code == code)
    return sentence


def by_week(values: Sequence[float]) -> list[float]:
    return [float(week) for week in np.array(values).reshape(-1, 7).sum(axis=1)]
