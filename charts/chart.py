"""Any chart: what pages and documents hold, and renderers draw."""

from collections.abc import Sequence
from typing import TypeAlias

from charts.sankey import SankeySpec
from charts.spec import ChartSpec, SmallMultiples

Chart: TypeAlias = ChartSpec | SmallMultiples | SankeySpec


def require_unique_ids(charts: Sequence[Chart]) -> None:
    """Raise ValueError if two charts of one page have one id."""
    ids = [one for chart in charts for one in {chart.id, *(panel.id for panel in chart.panels)}]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ValueError(f"Two charts of the page have the id “{twice[0]}”.")
