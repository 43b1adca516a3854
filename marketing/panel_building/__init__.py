"""From figures by day to a media panel by period: what is taken as it is, what with a remark, and what is refused.

Pure: arrays in, a frame out, no Django. Days are int64, counted from 1970-01-01.
"""

from marketing.panel_building.geo_rows import NO_GEO, GeoRows, LoadedGeoPanel
from marketing.panel_building.geos import MOST_GEOS, build_geo_panel
from marketing.panel_building.media import MOST_CHANNELS
from marketing.panel_building.national import build_panel
from marketing.panel_building.outcome import too_short
from marketing.panel_building.rows import (
    MEASURES,
    DaySeries,
    Exposure,
    LoadedPanel,
    MediaRows,
    PanelChoice,
    PanelProblem,
    PanelRemark,
    PanelRows,
)

__all__ = [
    "MEASURES",
    "MOST_CHANNELS",
    "MOST_GEOS",
    "NO_GEO",
    "DaySeries",
    "Exposure",
    "GeoRows",
    "LoadedGeoPanel",
    "LoadedPanel",
    "MediaRows",
    "PanelChoice",
    "PanelProblem",
    "PanelRemark",
    "PanelRows",
    "build_geo_panel",
    "build_panel",
    "too_short",
]
