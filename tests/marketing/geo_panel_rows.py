"""Figures by week and geo for tests of panels of geos, and the panel that is built of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from marketing.frames import MediaPanel
from marketing.panel_building import (
    DaySeries,
    GeoRows,
    LoadedGeoPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    build_geo_panel,
)
from tests.marketing.panel_rows import MONDAY

WEEKS = 10
Values = Sequence[float]


def weekly(values: Values, *, start: int = MONDAY, name: str = "Sales") -> DaySeries:
    """One row a week, none where a value is NaN."""
    days, numbers = start + 7 * np.arange(len(values)), np.array(values, np.float64)
    return DaySeries(name, days, numbers).where(~np.isnan(numbers))


def by_geo(found: Mapping[str, Values], **options: Any) -> dict[str, DaySeries]:
    return {geo: weekly(values, **options) for geo, values in found.items()}


def noise(seed: int, size: int = WEEKS) -> list[float]:
    return [float(number) for number in np.random.default_rng(seed).integers(100, 1000, size)]


def media(
    spend: Mapping[tuple[str, str], Values],
    impressions: Mapping[tuple[str, str], Values] | None = None,
    *,
    start: int = MONDAY,
) -> dict[str, MediaRows]:
    """Weekly media by geo, from those of each (geo, channel)."""
    measures = {"spend": spend, "impressions": impressions or {}}
    channels = tuple(dict.fromkeys(channel for found in measures.values() for _, channel in found))
    geos = dict.fromkeys(geo for found in measures.values() for geo, _ in found)
    tables: dict[str, MediaRows] = {}
    for geo in geos:
        rows: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
        for measure, found in measures.items():
            for number, channel in enumerate(channels):
                for week, value in enumerate(found.get((geo, channel), ())):
                    rows[number, start + 7 * week][measure] = value
        series, day = np.array(list(rows), np.int64).reshape(-1, 2).T
        columns = {of: np.array([row.get(of, 0.0) for row in rows.values()]) for of in (*measures, "clicks")}
        tables[geo] = MediaRows(channels, channels, np.arange(len(channels)), series, day, **columns)
    return tables


SALES = {"North": noise(1), "South": [value / 4 for value in noise(2)]}
TV = {("North", "TV"): noise(3), ("South", "TV"): noise(4)}


def build(
    sales: Mapping[str, Values] = SALES,
    found: Mapping[str, MediaRows] | None = None,
    *,
    choice: Mapping[str, Any] | None = None,
    **rows: Any,
) -> LoadedGeoPanel:
    return build_geo_panel(
        rows=GeoRows(outcome_name="Sales", outcome=by_geo(sales), media=media(TV) if found is None else found, **rows),
        choice=PanelChoice(**{"granularity": "week", "short_allowed": True, **(choice or {})}),
    )


def problem_of(*arguments: Any, **keywords: Any) -> PanelProblem:
    with pytest.raises(PanelProblem) as caught:
        build(*arguments, **keywords)
    assert str(caught.value) == caught.value.sentence
    return caught.value


def of_geo(loaded: LoadedGeoPanel, geo: str) -> MediaPanel:
    return loaded.panel.panels[loaded.panel.geos.index(geo)]


def spend_of(loaded: LoadedGeoPanel) -> dict[str, list[list[float]]]:
    """The spend of each channel in each geo."""
    return {geo: panel.spend.T.tolist() for geo, panel in zip(loaded.panel.geos, loaded.panel.panels, strict=True)}
